"""How fast every form of a source is read, against the bare read of an engine that checks nothing.

Run it with ``python -m bench.sources``. Ours and the rival take turns in one process after a round to warm up; what
counts is the median of the ratios. The last column is what reading takes in memory at most, in a process of its own.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import python_calamine
import xlsxwriter  # type: ignore[import-untyped] # it has no types

from bench.csv_source import HEADER, peak, rows
from dialfeed.sources.open import open_source
from dialfeed.sources.packing import zstd_module


@dataclass(frozen=True)
class Form:
    """A form of the file, how to write it, and how an engine reads it on its own."""

    name: str
    file: str
    share: int
    write: Callable[[Path, int], None]
    bare: Callable[[Path], object]
    rival: str


def main() -> None:
    """Measure each form and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    print("| form | rows | engine | engine s | dialfeed s | ratio (least to most) | rows/s | memory MB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="dialfeed-bench-") as folder:
        for form in FORMS:
            if options.only in form.name:
                print(line(form, Path(folder), options.rows // form.share, options.rounds), flush=True)


def line(form: Form, folder: Path, count: int, rounds: int) -> str:
    path = folder / form.file
    form.write(path, count)
    times = [(seconds(form.bare, path), seconds(read, path)) for _ in range(rounds + 1)][1:]
    ratios = sorted(ours / bare for bare, ours in times)
    bare, ours = (statistics.median(column) for column in zip(*times, strict=True))
    spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    return (
        f"| {form.name} | {count:,} | {form.rival} | {bare:.3f} | {ours:.3f} | {spread} "
        f"| {count / ours:,.0f} | {memory(path):.0f} |"
    )


def seconds(work: Callable[[Path], object], path: Path) -> float:
    start = time.perf_counter()
    work(path)
    return time.perf_counter() - start


def read(path: Path) -> int:
    source = open_source(path)
    source.describe()
    count = sum(chunk.rows.height for chunk in source.chunks())
    source.sha256()
    return count


def memory(path: Path) -> float:
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        return pool.apply(peak_above_start, (path,))


def peak_above_start(path: Path) -> float:
    small = path.with_name("small.csv")
    small.write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
    read(small)
    start = peak()
    read(path)
    return peak() - start


# --- writers --------------------------------------------------------------------------------------------------------


def text_rows(count: int) -> Iterator[list[str]]:
    yield HEADER
    yield from rows(count)


def write_csv(path: Path, count: int, delimiter: str = ",", encoding: str = "utf-8") -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        file.writelines(delimiter.join(cells) + "\n" for cells in text_rows(count))


def write_gzip(path: Path, count: int) -> None:
    write_csv(path.with_suffix(".plain"), count)
    with path.with_suffix(".plain").open("rb") as plain, gzip.open(path, "wb", 6) as file:
        shutil.copyfileobj(plain, file)


def write_zstd(path: Path, count: int) -> None:
    write_csv(path.with_suffix(".plain"), count)
    path.write_bytes(zstd_module().compress(path.with_suffix(".plain").read_bytes()))


def frame(count: int) -> pl.DataFrame:
    return pl.DataFrame(list(rows(count)), schema=HEADER, orient="row")


def write_parquet(path: Path, count: int) -> None:
    frame(count).write_parquet(path)


def write_arrow(path: Path, count: int) -> None:
    frame(count).write_ipc(path)


def write_utf16(path: Path, count: int) -> None:
    write_csv(path, count, ";", "utf-16")


def write_json(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        for cells in rows(count):
            file.write(json.dumps(dict(zip(HEADER, cells, strict=True))) + "\n")


def write_array(path: Path, count: int) -> None:
    objects = [dict(zip(HEADER, cells, strict=True)) for cells in rows(count)]
    path.write_text(json.dumps(objects), encoding="utf-8")


def write_xlsx(path: Path, count: int) -> None:
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    sheet = book.add_worksheet("Contacts")
    postcode = book.add_format({"num_format": "00000"})
    for row, cells in enumerate(text_rows(count)):
        for column, cell in enumerate(cells):
            if row and HEADER[column] in {"id", "zip"}:
                sheet.write_number(row, column, int(cell), postcode if HEADER[column] == "zip" else None)
            else:
                sheet.write_string(row, column, cell)
    book.close()


def calamine(path: Path) -> object:
    return python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()


def bare_csv(path: Path) -> object:
    return pl.read_csv(path, infer_schema=False)


def bare_utf16(path: Path) -> object:
    return pl.read_csv(path.read_text(encoding="utf-16").encode(), infer_schema=False, separator=";")


def bare_gunzip(path: Path) -> object:
    with gzip.open(path) as file:
        return pl.read_csv(file.read(), infer_schema=False)


def bare_zstd(path: Path) -> object:
    return pl.read_csv(zstd_module().decompress(path.read_bytes()), infer_schema=False)


FORMS = (
    Form("csv", "a.csv", 1, write_csv, bare_csv, "polars"),
    Form("csv in UTF-16, semicolons", "b.csv", 1, write_utf16, bare_utf16, "codec, polars"),
    Form("csv in gzip", "a.csv.gz", 1, write_gzip, bare_gunzip, "gzip, polars"),
    Form("csv in zstd", "a.csv.zst", 1, write_zstd, bare_zstd, "zstd, polars"),
    Form("parquet", "a.parquet", 1, write_parquet, pl.read_parquet, "polars"),
    Form("arrow", "a.arrow", 1, write_arrow, pl.read_ipc, "polars"),
    Form("json lines", "a.jsonl", 1, write_json, pl.read_ndjson, "polars"),
    Form("json array", "a.json", 1, write_array, pl.read_json, "polars"),
    Form("xlsx", "a.xlsx", 10, write_xlsx, calamine, "calamine"),
)  # fmt: skip


if __name__ == "__main__":
    main()
