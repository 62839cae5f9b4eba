"""What the evidence of a run costs: lines written, and lines verified, a second.

    python -m bench.trail [LINES]

A delivery at 50 requests a second writes about 100 lines a second, two for each batch.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dialfeed.audit.check import check
from dialfeed.audit.trail import Trail
from dialfeed.masking import Mask
from dialfeed.telemetry.figures import Counting
from dialfeed.telemetry.logs import Log

NEEDED = 100


@contextmanager
def timed(what: str, lines: int) -> Iterator[None]:
    """Say how many lines a second the block comes to."""
    began = time.perf_counter()
    yield
    rate = lines / (time.perf_counter() - began)
    print(f"| {what} | {rate:,.0f} | {rate / NEEDED:,.0f} |")


def write(trail: Trail, lines: int) -> None:
    """So many lines of answers."""
    for number in range(lines):
        trail.append(
            "batch.answered", batch=number, contacts=1000, answer="Accepted", status=201, seconds=0.1, delivered=1000
        )
    trail.close()


def main() -> None:
    """Write with and without listeners, verify, and open a long trail again."""
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print("| | lines a second | times what a delivery needs |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="dialfeed-trail-") as folder:
        alone, heard = Path(folder) / "alone.jsonl", Path(folder) / "heard.jsonl"
        listeners = Counting().hear, Log(lambda _: None, Mask(("secret",))).hear

        def hear(line: Mapping[str, Any]) -> None:
            for each in listeners:
                each(line)

        with timed("written", lines):
            write(Trail(alone, "run"), lines)
        with timed("written, and heard by figures and a log", lines):
            trail = Trail(heard, "run")
            trail.hear = hear
            write(trail, lines)
        with timed("verified", lines), alone.open("rb") as file:
            assert check(file).whole
        began = time.perf_counter()
        Trail(alone, "run").close()
        print(f"\nOpening {alone.stat().st_size / 1e6:,.0f} MB again: {(time.perf_counter() - began) * 1000:.1f} ms")


if __name__ == "__main__":
    main()
