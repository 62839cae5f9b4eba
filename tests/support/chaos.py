"""What the campaigns did, in figures: each run notes a line, and `make chaos` prints the table at its end.

python tests/support/campaign_report.py FILE      print the table of `docs/benchmarks.md`
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Line = Mapping[str, Any]

LONG = os.environ.get("DIALFEED_CAMPAIGN") == "long"
"""Whether this is `make chaos`."""

SEEDS = int(os.environ.get("DIALFEED_CAMPAIGN_SEEDS") or (480 if LONG else 24))
"""Scenarios of the fault campaign; the others draw a part of that."""

NOTES = "DIALFEED_CAMPAIGN_REPORT"
"""The environment variable that names the file for the lines; without it nothing is noted."""

WHY = {
    "another writer": "somebody else wrote to the list, so its count explains nothing",
    "no count": "the platform tells no count",
    "partly stored": "the platform stored a part of a batch and answered 5xx: the count is no sum of batches",
    "part of a batch": "the platform stores a part of a batch, and the answer that names it was lost",
    "short answers": "short answers leave rests of any size, and their sums are not all different",
}
"""Why something could not be settled, by `fault_world.Scenario.unsettled`."""


def in_groups(number: int, size: int) -> list[range]:
    """Seeds from 0 up to `number`, a group for each test."""
    return [range(first, min(first + size, number)) for first in range(0, number, size)]


def note(**figures: Any) -> None:
    """Add one run's line, with the campaign that it belongs to."""
    path = os.environ.get(NOTES)
    if not path:
        return
    test = os.environ.get("PYTEST_CURRENT_TEST", "").partition("::")[0]
    line = {"campaign": Path(test).stem.removeprefix("test_"), **figures}
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def table(lines: Sequence[Line]) -> Iterator[str]:
    """The whole report, as Markdown."""
    yield from _campaigns(lines)
    yield from _counted("faults injected", "times", _summed(lines, "faults"))
    yield from _counted("lost answers settled by", "batches", _summed(lines, "settled"))
    yield from _unknown(lines)


def _campaigns(lines: Sequence[Line]) -> Iterator[str]:
    yield "| campaign | runs | processes killed | contacts | delivered | lost | doubled | requests | worst second |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for name in dict.fromkeys(line["campaign"] for line in lines):
        of_it = [line for line in lines if line["campaign"] == name]
        sums = [_sum(of_it, what) for what in ("kills", "contacts", "delivered", "lost", "doubled", "requests")]
        cells = " | ".join(f"{each:,}" for each in (len(of_it), *sums))
        yield f"| {name.replace('_', ' ')} | {cells} | {_worst(of_it)} |"
    yield ""


def _sum(lines: Iterable[Line], what: str) -> int:
    return sum(line.get(what, 0) for line in lines)


def _worst(lines: Sequence[Line]) -> str:
    """Of the runs that had a rate: the most requests in any second, as the client let them go and as they came in."""
    paced = [line for line in lines if line.get("rate")]
    if not paced:
        return "no rate"
    rate, came = max(line["rate"] for line in paced), max(line["worst_came_in"] for line in paced)
    over = sum(line["worst_came_in"] > line["rate"] for line in paced)
    told = f"came in: {came}, more than {rate:g} in {over} of {len(paced)} runs"
    let_go = max((line["worst_let_go"] for line in paced if "worst_let_go" in line), default=None)
    return told if let_go is None else f"let go: {let_go}; {told}"


def _summed(lines: Iterable[Line], what: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for line in lines:
        counts.update(line.get(what) or {})
    return counts


def _counted(title: str, unit: str, counts: Counter[str]) -> Iterator[str]:
    yield f"| {title} | {unit} |"
    yield "| --- | --- |"
    yield from (f"| {name} | {times:,} |" for name, times in sorted(counts.items()))
    yield f"| all | {counts.total():,} |"
    yield ""


def _unknown(lines: Sequence[Line]) -> Iterator[str]:
    yield "| unknown in the end, because | runs | contacts | their answers were lost by (contacts) |"
    yield "| --- | --- | --- | --- |"
    runs: Counter[str] = Counter()
    causes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        if line.get("unknown"):
            why = WHY.get(line.get("unsettled", ""), "nobody knows why: this should have been settled")
            runs[why] += 1
            causes[why].update(line["unknown"])
    for why, found in sorted(causes.items()):
        told = ", ".join(f"{cause} {number:,}" for cause, number in found.most_common())
        yield f"| {why} | {runs[why]} | {found.total():,} | {told} |"
    yield f"| all | {runs.total()} | {sum(found.total() for found in causes.values()):,} | |"


def main() -> None:
    """Print the report on the lines of a file."""
    lines = [json.loads(line) for line in Path(sys.argv[1]).read_text("utf-8").splitlines()]
    print("\n".join(table(lines)))


if __name__ == "__main__":
    main()
