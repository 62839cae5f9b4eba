"""Calling hours of a million contacts, against a bare copy of the same frame's columns.

    .venv/bin/python -m bench.hours [--rows 1000000] [--rounds 5]

Generated contacts: area codes and ZIP codes of all North America, drawn apart from one another, which makes more
combinations than any real list has. Seeded.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl

from dialfeed.donotcall.hours import places
from dialfeed.donotcall.hours.columns import calling_windows
from dialfeed.donotcall.hours.numberzones import area_codes
from dialfeed.donotcall.hours.placecolumns import keys_of
from dialfeed.donotcall.hours.rules import HourRules

DAY = date(2026, 11, 25)
CHUNK = 130_000


def zip_codes() -> list[str]:
    """Every ZIP code of the table."""
    codes = (f"{prefix}{end:02}" for prefix in places.zip_prefixes() for end in range(100))
    return [code for code in codes if places.zip_is_listed(code)]


def contacts(rows: int) -> pl.DataFrame:
    chance = np.random.default_rng(20261126)
    codes = np.array([int(code) for code in area_codes()])
    numbers = codes[chance.integers(0, len(codes), rows)] * 10**7 + chance.integers(2 * 10**6, 10**7, rows)
    zips = zip_codes()
    states = {code: next(iter(places.place_of_postal_code(code, None).jurisdictions), "")[3:] for code in zips}
    drawn = pl.Series(zips).gather(chance.integers(0, len(zips), rows))
    return pl.DataFrame(
        {"phone": "+1" + pl.Series(numbers).cast(pl.String), "zip": drawn, "state": drawn.replace_strict(states)}
    )


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock and on the processors."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def copy(frame: pl.DataFrame) -> None:
    """The floor: every text read and written once."""
    frame.select(pl.all().str.to_lowercase())


def anew(frame: pl.DataFrame, chunk: int) -> None:
    """With rules of its own, so that nothing is known yet."""
    rules = HourRules.load().with_counsel(b'[pack]\nversion = "1"\n', "bench")
    for part in frame.iter_slices(chunk):
        calling_windows(part, day=DAY, rules=rules)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    told = parser.parse_args()
    frame, rules = contacts(told.rows), HourRules.load()
    first = seconds(lambda: calling_windows(frame.head(1), day=DAY, rules=rules))[0]
    work: dict[str, Callable[[], object]] = {
        "bare copy": lambda: copy(frame),
        "all at once": lambda: anew(frame, told.rows),
        "chunks of 130,000": lambda: anew(frame, CHUNK),
        "all at once, seen before": lambda: calling_windows(frame, day=DAY, rules=rules),
    }
    print(f"{told.rows:,} contacts, {len(np.unique(keys_of(frame))):,} combinations of evidence")
    print(f"first call of a process: {first:.2f} s")
    for name, each in work.items():
        measured = [seconds(each) for _ in range(told.rounds)]
        wall, cpu = (statistics.median(column) for column in zip(*measured, strict=True))
        print(f"{name}: {wall:.2f} s ({min(one for one, _ in measured):.2f} at best), {cpu:.2f} s of processor")


if __name__ == "__main__":
    main()
