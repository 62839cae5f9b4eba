"""How long steps 1 to 6 take for the same contacts in each form, against CSV: ``python -m bench.forms``.

The forms take turns, each run in a process of its own; what counts is the median of the ratios to the CSV of the same
round.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import xlsxwriter  # type: ignore[import-untyped] # it has no types

from bench.files import contacts
from bench.run import dialfeed


def write_xlsx(frame: pl.DataFrame, path: Path) -> None:
    book = xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet("Contacts")
    for number, row in enumerate((tuple(frame.columns), *frame.iter_rows())):
        for column, cell in enumerate(row):
            if cell is not None:
                sheet.write_string(number, column, cell)
    book.close()


FORMS: dict[str, Callable[[pl.DataFrame, Path], None]] = {
    "csv": lambda frame, path: frame.write_csv(path),
    "parquet": lambda frame, path: frame.write_parquet(path),
    "arrow": lambda frame, path: frame.write_ipc(path),
    "json lines": lambda frame, path: frame.write_ndjson(path),
    "json array": lambda frame, path: frame.write_json(path),
    "xlsx": write_xlsx,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--forms", nargs="+", default=["csv", "parquet", "arrow", "json lines", "json array"])
    options = parser.parse_args()
    frame = contacts(options.rows)
    seconds: dict[str, list[float]] = {form: [] for form in options.forms}
    processor: dict[str, list[float]] = {form: [] for form in options.forms}
    with tempfile.TemporaryDirectory(prefix="dialfeed-bench-") as name:
        folder = Path(name)
        for form in options.forms:
            FORMS[form](frame, folder / form)
        for number in range(options.rounds + 1):
            for form in options.forms:
                run = ("--run-dir", str(folder / f"{form}-{number}"))
                flags = ("--list", "x", "--dry-run", "--default-country", "US")
                measured, summary = dialfeed("import", str(folder / form), *flags, *run)
                assert summary["rows"]["read"] == options.rows, summary
                if number:  # the first round is to warm up
                    seconds[form].append(summary["seconds"]["prepare"])
                    processor[form].append(measured.cpu)
    print(f"| form | rows | prepare s | against {options.forms[0]} | rows/s | processor s, whole command |")
    print("| --- | --- | --- | --- | --- | --- |")
    for form, took in seconds.items():
        ratios = sorted(ours / base for ours, base in zip(took, seconds[options.forms[0]], strict=True))
        spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        middle = statistics.median(took)
        cpu = statistics.median(processor[form])
        print(f"| {form} | {options.rows:,} | {middle:.2f} | {spread} | {options.rows / middle:,.0f} | {cpu:.1f} |")


if __name__ == "__main__":
    main()
