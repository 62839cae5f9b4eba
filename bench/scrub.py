"""What the scrub costs: prepare of the main job with and without a registry of the size of the real one.

Run it with ``python -m bench.scrub``. The registry of `bench.donotcall` (258.5 million made-up numbers unless
``--numbers`` says otherwise) is loaded as a user does, with `dialfeed dnc add`; ``--folder`` keeps it. Then the file of
the main job is prepared with and without it in turn: the verdict is the ratio of each pair. Calling hours and evidence
(the decision lines under pseudonyms) are told apart.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.donotcall import Registry
from bench.files import write
from bench.run import dialfeed, spread

ROWS = 1_000_000


def main() -> None:
    """Load the registry, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--numbers", type=int, default=258_500_000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dialfeed-bench-") as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        if not (folder / "home" / "lists").is_dir():
            load(Registry(options.numbers, options.seed), folder)
        compare(Path(temporary), folder / "home", options.rounds)


def load(registry: Registry, folder: Path) -> None:
    """Load the registry as a user does."""
    text = folder / "registry.txt"
    if not text.exists():
        registry.write(text)
    said = ["--id", "us-national", "--authority", "us", "--obtained", datetime.now(UTC).isoformat(timespec="seconds")]
    measured, told = dialfeed("dnc", "add", str(text), *said, env={"DIALFEED_HOME": str(folder / "home")})
    print(
        f"| `dialfeed dnc add`, {told['records']:,} numbers | {measured.wall:.0f} s, {measured.cpu:.0f} s of processor"
    )


def compare(folder: Path, home: Path, rounds: int) -> None:
    """Prepare the same file without a list, with it, and with the calling hours as well, in turn."""
    file = folder / "contacts.csv"
    write(file, ROWS)
    ways = {"none": (), "scrubbed": ("--calling-hours", "off"), "with hours": ()}
    found: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    for number in range(rounds):
        for way, flags in ways.items():
            named = () if way == "none" else ("--dnc", "us-national")
            arguments = ("import", str(file), "--list", "x", "--dry-run", "--default-country", "US", *named, *flags)
            run = folder / f"{way.replace(' ', '-')}-{number}"
            found[way].append(dialfeed(*arguments, "--run-dir", str(run), env={"DIALFEED_HOME": str(home)})[1])
    seconds = {way: [summary["seconds"]["prepare"] for summary in found[way]] for way in ways}
    print(f"load average {os.getloadavg()[0]:.1f}; {ROWS:,} rows, {rounds} rounds")
    print(f"| prepare, scrubbed against no list | {spread(seconds['none'])} s | |")
    for way in ("scrubbed", "with hours"):
        ratios = [ours / plain for ours, plain in zip(seconds[way], seconds["none"], strict=True)]
        print(f"| prepare, {way} | {spread(seconds[way])} s | **{spread(ratios)}** |")
    last = found["scrubbed"][-1]
    evidence = [summary["seconds"]["evidence"] for summary in found["scrubbed"]]
    print(f"| evidence: {last['scrub']['lines']:,} decision lines | {spread(evidence)} s | |")
    print(f"| decisions | {last['scrub']['decisions']} | |")


if __name__ == "__main__":
    main()
