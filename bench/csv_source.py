"""How fast a CSV file is read, compared with bare polars in the same run, and how much memory it takes.

    python bench/csv_source.py [--rows 1000000] [--rounds 7]

Each round reads the file with bare `pl.read_csv` (all columns as text, no check, no hash, all rows at once) and
with `CsvSource`, one after the other, so that whatever else the machine does hits both. Told are the medians, and the
most memory that a process which streams the file needs, less what it needs after its imports.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from dialfeed.sources.csv import CsvSource

HEADER = ["id", "first", "last", "phone", "mobile", "email", "street", "city", "state", "zip", "since", "notes"]
FIRST = ["Anna", "Bob", "Carla", "Dmitri", "Eve", "Farid", "Grete", "Hugo"]
LAST = ["Smith", "Johnson", "Williams", "Brown", "Jones", "Garcia", "Miller"]


def main() -> None:
    """Measure each form of the file and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    print(f"{'file':<22}{'MB':>6}{'polars s':>10}{'dialfeed s':>12}{'ratio':>7}{'memory MB':>11}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "contacts.csv"
        for form, write in FORMS.items():
            write(path, options.rows)
            bare, ours = compare(path, options.rounds)
            size = path.stat().st_size / 1e6
            print(
                f"{form:<22}{size:>6.0f}{bare:>10.3f}{ours:>12.3f}{ours / bare:>7.2f}{memory(path):>11.0f}", flush=True
            )


def compare(path: Path, rounds: int) -> tuple[float, float]:
    """Median seconds of bare polars and of `CsvSource`, measured by turns after one round to warm up."""
    times = [(seconds(read_bare, path), seconds(read_source, path)) for _ in range(rounds + 1)][1:]
    bare, ours = zip(*times, strict=True)
    return statistics.median(bare), statistics.median(ours)


def seconds(read: Callable[[Path], int], path: Path) -> float:
    start = time.perf_counter()
    read(path)
    return time.perf_counter() - start


def read_bare(path: Path) -> int:
    return pl.read_csv(path, infer_schema=False, truncate_ragged_lines=True).height


def read_source(path: Path) -> int:
    source = CsvSource(path)
    rows = sum(chunk.rows.height for chunk in source.chunks())
    source.sha256()
    return rows


def memory(path: Path) -> float:
    """MB that streaming the file takes at most, on top of a process that has read two rows."""
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        return pool.apply(peak_above_start, (path,))


def peak_above_start(path: Path) -> float:
    small = path.with_name("small.csv")
    small.write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
    read_source(small)
    start = peak()
    read_source(path)
    return peak() - start


def peak() -> float:
    """The most memory so far, in MB; `getrusage` would tell that of the parent, where it is more."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1e3


def rows(count: int) -> Iterator[list[str]]:
    """Made-up contacts, about 130 bytes each."""
    chance = random.Random(1)
    for row in range(count):
        first, last = chance.choice(FIRST), chance.choice(LAST)
        yield [
            str(1_000_000 + row),
            first,
            last,
            f"+12025550{chance.randrange(100, 200)}",
            f"(202) 555-0{chance.randrange(100, 200)}",
            f"{first}.{last}{row}@example.com".lower(),
            f"{chance.randrange(1, 9999)} Main Street",
            "Springfield",
            chance.choice(["NY", "CA", "TX"]),
            f"{chance.randrange(99_999):05}",
            chance.choice(["", "2026-01-02"]),
            chance.choice(["standard"] * 9 + ["VIP customer"]),
        ]


def write_lines(path: Path, count: int, form: Callable[[list[str]], str], *, line_end: str = "\n") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(form(cells) + line_end for cells in [HEADER, *rows(count)])


def plain(cells: list[str]) -> str:
    return ",".join(cells)


def quoted(cells: list[str]) -> str:
    return ",".join(f'"{cell}"' for cell in cells)


def two_lines(cells: list[str]) -> str:
    return ",".join([*cells[:6], f'"{cells[6]}\nFlat 1"', *cells[7:]])


def short(cells: list[str]) -> str:
    """One row in a thousand lacks a cell; polars fills it in without a word."""
    return plain(cells[:-1] if cells[0].endswith("000") else cells)


def inches(cells: list[str]) -> str:
    """One row in a thousand has quotes in the middle of a cell; polars takes them for text."""
    return plain([*cells[:11], '5" by 6" pipe' if cells[0].endswith("000") else cells[11]])


def foreign(cells: list[str]) -> str:
    return ",".join([cells[0], "Zoë", "Łukasiewicz", *cells[3:7], "Kraków", *cells[8:]])


FORMS: dict[str, Callable[[Path, int], None]] = {
    "no quotes": lambda path, count: write_lines(path, count, plain),
    "no quotes, CR LF": lambda path, count: write_lines(path, count, plain, line_end="\r\n"),
    "no quotes, not ASCII": lambda path, count: write_lines(path, count, foreign),
    "all quoted": lambda path, count: write_lines(path, count, quoted),
    "two lines a row": lambda path, count: write_lines(path, count, two_lines),
    "a few short rows": lambda path, count: write_lines(path, count, short),
    "a few broken quotes": lambda path, count: write_lines(path, count, inches),
}


if __name__ == "__main__":
    main()
