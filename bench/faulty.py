"""What faults cost: the same import without faults, with 429s, with 5xx, and with both.

    python -m bench.faulty [ROUNDS [CONTACTS]]

At 50 requests a second into a sandbox in another process. One in twenty requests is answered with 429 and
`Retry-After: 1`, which all workers wait for; one in fifty with 503, half of these after the batch was stored, so that
each has to be settled. Every round runs all of them in turns; what counts is the ratio to the round's run without
faults.
"""

from __future__ import annotations

import json
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from bench.files import contacts
from bench.run import dialfeed, sandbox, spread

BATCH = 300
"""Contacts in a request: so few that it is the pace that takes the time, and not the processors."""

THROTTLED: dict[str, Any] = {"kind": "rate_limited", "share": 0.05, "retry_after": "seconds", "seconds": 1.0}
BROKEN: list[dict[str, Any]] = [
    {"kind": "status", "status": 503, "share": 0.01, "when": when} for when in ("before_write", "after_write")
]

PLANS: dict[str, list[dict[str, Any]]] = {
    "no faults": [],
    "5 % 429": [THROTTLED],
    "2 % 5xx": BROKEN,
    "5 % 429 and 2 % 5xx": [THROTTLED, *BROKEN],
}


def delivered_in(file: Path, folder: Path, rules: list[dict[str, Any]], seed: int) -> tuple[float, dict[str, int]]:
    """Seconds of delivery, and how many faults of each kind there were."""
    with sandbox("unlimited") as env:
        control = f"{env['CXONE_BASE_URL']}/_sandbox"
        plan = json.dumps({"seed": seed, "rules": rules}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{control}/faults", plan, method="PUT")).close()
        _, summary = dialfeed(
            *(
                "import",
                str(file),
                "--list",
                "Bench",
                "--default-country",
                "US",
                "--rate",
                "50",
                "--max-rejected",
                "99%",
            ),
            *("--batch-contacts", str(BATCH), "--run-dir", str(folder / "run")),
            env={**env, "DIALFEED_HOME": str(folder / "home")},
        )
        rows = summary["rows"]
        assert rows["unknown"] == rows["failed"] == 0, summary
        with urllib.request.urlopen(f"{control}/stats") as answer:
            stats = json.load(answer)
        assert {each["stored"] for each in stats["lists"].values()} == {rows["delivered"]}, (stats, rows)
        return summary["seconds"]["deliver"], stats["faults"]


def main() -> None:
    """Rounds of all plans in turns."""
    given = [int(each) for each in sys.argv[1:]]
    rounds, people = [*given, *(3, 100_000)[len(given) :]]
    seconds: dict[str, list[float]] = {name: [] for name in PLANS}
    faults: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory(prefix="dialfeed-bench-") as name:
        file = Path(name) / "contacts.csv"
        contacts(people).write_csv(file)
        for seed in range(rounds):
            for plan, rules in PLANS.items():
                with tempfile.TemporaryDirectory(dir=name) as folder:
                    took, faults[plan] = delivered_in(file, Path(folder), rules, seed)
                    seconds[plan].append(took)
                    print(f"{plan}: {took:.1f} s, {faults[plan]}", file=sys.stderr, flush=True)
    print("| faults | seconds of delivery | times those without faults | faults of the last round |")
    print("| --- | --- | --- | --- |")
    for plan, all_took in seconds.items():
        ratios = [each / without for each, without in zip(all_took, seconds["no faults"], strict=True)]
        injected = ", ".join(f"{kind} {times}" for kind, times in faults[plan].items()) or "none"
        print(f"| {plan} | {spread(all_took, 1)} | {spread(ratios)} | {injected} |")


if __name__ == "__main__":
    main()
