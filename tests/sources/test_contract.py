"""The contract that every source keeps: the same table gives the same rows, whatever it comes in."""

from __future__ import annotations

import gc
import hashlib
import os
import re
import threading
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from same_table import FILES, HEADER, MAKERS, Maker, from_mariadb, from_postgresql, table

import dialfeed.sources
from dialfeed.contacts.reasons import BY_CODE
from dialfeed.errors import FixSource
from dialfeed.sources.base import Source
from dialfeed.sources.open import open_source
from dialfeed.sources.options import SourceOptions

NAMES = [*MAKERS, "postgresql", "mariadb"]
SIZES = (SourceOptions(), SourceOptions(block_bytes=7, chunk_rows=3), SourceOptions(block_bytes=1000, chunk_rows=1))


@pytest.fixture(params=NAMES)
def make(request: pytest.FixtureRequest) -> Maker:
    name = request.param
    if name in MAKERS:
        return MAKERS[name]
    address = request.getfixturevalue(name)
    maker = from_postgresql if name == "postgresql" else from_mariadb
    return lambda _, rows, sizes: maker(address, rows, sizes)


def test_the_same_table_has_the_same_header_cells_and_order(
    make: Maker, tmp_path: Path, read_all: Callable[..., Any]
) -> None:
    rows = table()
    told = read_all(make(tmp_path, rows, SIZES[0]))
    assert (told.header, told.rows, told.malformed, told.blank) == (HEADER, rows, [], 0)


def test_rows_are_numbered_from_below_the_header(make: Maker, tmp_path: Path, read_all: Callable[..., Any]) -> None:
    told = read_all(make(tmp_path, table(), SIZES[0]))
    first = told.facts.get("header_row", 0) + 1
    if told.facts["format"] == "several":
        assert told.numbers == [*range(2, 9), *range(10, 43)]
        return
    assert told.numbers == list(range(first, first + 40))


def test_nothing_depends_on_the_size_of_a_chunk(make: Maker, tmp_path: Path, read_all: Callable[..., Any]) -> None:
    # Without the hash: a workbook that is written twice has another time of day in it.
    tables = [read_all(make(tmp_path, table(), sizes)).table[:-1] for sizes in SIZES]
    assert tables == tables[:1] * len(tables)


def test_a_chunk_is_no_larger_than_asked_for(make: Maker, tmp_path: Path, read_all: Callable[..., Any]) -> None:
    told = read_all(make(tmp_path, table(), SourceOptions(block_bytes=64, chunk_rows=3)))
    assert max(told.sizes) <= 10  # by rows, or by bytes: two blocks hold no more than ten rows


def test_a_table_without_rows_has_its_header(make: Maker, tmp_path: Path, read_all: Callable[..., Any]) -> None:
    if make in {MAKERS["json lines"], MAKERS["json array"]}:
        with pytest.raises(FixSource):
            make(tmp_path, [], SIZES[0]).describe()
        return
    told = read_all(make(tmp_path, [], SIZES[0]))
    assert (told.header, told.rows, told.blank) == (HEADER, [], 0)


def test_the_hash_is_known_at_the_end_only_and_stays_the_same(
    make: Maker, tmp_path: Path, read_all: Callable[..., Any]
) -> None:
    source = make(tmp_path, table(), SIZES[1])
    source.describe()
    with pytest.raises(RuntimeError):
        source.sha256()
    first = read_all(source)
    assert len(bytes.fromhex(first.sha256)) == 32
    assert read_all(source).table == first.table
    chunks = source.chunks()
    next(chunks)
    with pytest.raises(RuntimeError):
        source.sha256()


@pytest.mark.parametrize("name", FILES)
def test_the_hash_of_a_file_is_that_of_its_bytes(name: str, tmp_path: Path, read_all: Callable[..., Any]) -> None:
    told = read_all(MAKERS[name](tmp_path, table(), SIZES[0]))
    assert told.sha256 == hashlib.sha256((tmp_path / "contacts").read_bytes()).hexdigest()


def test_another_table_has_another_hash(make: Maker, tmp_path: Path, read_all: Callable[..., Any]) -> None:
    first = read_all(make(tmp_path, table(), SIZES[0])).sha256
    other = [*table()[:-1], ("+12025550199", "Eve", None)]
    assert read_all(make(tmp_path, other, SIZES[0])).sha256 != first


def test_a_source_left_early_leaves_nothing_open(make: Maker, tmp_path: Path) -> None:
    leave_early(make(tmp_path, table(), SIZES[1]))  # libraries open things for good the first time
    gc.collect()
    threads, files = threading.active_count(), open_files()
    for _ in range(3):
        leave_early(make(tmp_path, table(), SIZES[1]))
    gc.collect()
    assert threading.active_count() <= threads
    assert open_files() <= files


def leave_early(source: Source) -> None:
    source.describe()
    chunks = source.chunks()
    next(chunks)
    chunks.close()  # type: ignore[attr-defined] # every source streams from a generator


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counts names only


@pytest.mark.parametrize("name", [name for name in FILES if "arrow" not in name])
def test_a_file_that_changes_while_it_is_read_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "contacts"
    path.write_bytes(FILES[name](table(3000 if "parquet" not in name else 40)))
    options = SourceOptions(block_bytes=512, chunk_rows=10)
    source = open_source(path, options)
    source.describe()
    chunks = source.chunks()
    next(chunks)
    with path.open("ab") as file:
        file.write(b"\n")
    with pytest.raises(FixSource):
        list(chunks)


def test_no_temporary_file_is_left_of_the_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    source = MAKERS["standard input"](tmp_path / "unused", table(), SIZES[0])
    source.describe()
    if Path("/proc/self/fd").exists():
        assert list(tmp_path.iterdir()) == []
    del source
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_every_reason_for_a_record_that_is_no_row_is_in_the_catalogue() -> None:
    source = Path(dialfeed.sources.__file__).parent
    codes = {code for file in source.glob("*.py") for code in re.findall(r'"(row\.[a-z_]+)"', file.read_text("utf-8"))}
    assert len(codes) > 5
    assert {code: BY_CODE[code].bucket for code in codes} == dict.fromkeys(codes, "invalid")


@pytest.mark.parametrize("name", ["parquet", "arrow file", "arrow stream"])
def test_an_engine_that_stops_in_silence_loses_no_row_in_silence(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, read_all: Callable[..., Any]
) -> None:
    source = MAKERS[name](tmp_path, table(), SIZES[1])
    whole = pl.LazyFrame.collect_batches
    monkeypatch.setattr(pl.LazyFrame, "collect_batches", lambda *given, **named: islice(whole(*given, **named), 2))
    with pytest.raises(FixSource, match="damaged"):
        read_all(source)
