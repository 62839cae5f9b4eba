"""The report of a run: `python -m bench.report`.

Draws the report of a made-up run of a million rows, with its trail and its row files, and tells the processor's
seconds, the size of the page and the peak of memory over what the imports take.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

import told_runs

from dialfeed.running.drawing import draw_report

ROWS = 1_000_000


def main() -> None:
    """A run in a thousand batches, and one in a hundred thousand."""
    print("| batches | lines of the trail | seconds of processor | page | memory |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="dialfeed-bench-") as name:
        folder = Path(name)
        _write_rows(folder)
        draw_report(_run(folder, told_runs.delivery(3)))  # what imports cost is told apart
        imports = time.process_time()
        for batches in (1000, 100_000):
            lines = sum(1 for _ in told_runs.delivery(batches))
            run = _run(folder, told_runs.delivery(batches, size=ROWS // batches))
            before, began = _peak(), time.process_time()
            page = draw_report(run)
            seconds = time.process_time() - began
            size, grown = page.stat().st_size / 1000, _peak() - before
            print(f"| {batches:,} | {lines:,} | {seconds:.2f} | {size:.0f} kB | {grown:+.0f} MB |")
    print(f"\nFirst, with what it imports: {imports:.2f} s of processor since the process began.")


def _run(folder: Path, events: Iterator[dict[str, Any]]) -> Path:
    counts = {"read": ROWS, "delivered": 0, "duplicate": 300_000, "invalid": 700_000}
    rows = dict.fromkeys(told_runs.summary()["rows"], 0) | counts
    told = told_runs.summary(rows=rows, reasons={"phone.too_short": 700_000, "phone.masked": 3})
    (folder / "summary.json").write_bytes(orjson.dumps(told))
    with (folder / "audit.jsonl").open("wb") as trail:
        trail.writelines(orjson.dumps(event) + b"\n" for event in events)
    return folder


def _write_rows(folder: Path) -> None:
    """Rejected rows, of which the reason that is looked for longest does not come at all."""
    with (folder / "rejected.csv").open("w") as file:
        file.write("Phone Number,Name,_row,_field,_code,_message\n")
        file.writelines(f"+1 212 555,Ada,{row},phone,phone.too_short,m\n" for row in range(2, 700_002))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
