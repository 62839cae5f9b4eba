"""One input, judged: it is read, or refused with a reason; the same in chunks of any size; and no record is lost."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from dialfeed.errors import DialfeedError
from dialfeed.sources.base import MALFORMED_SCHEMA, ROW
from dialfeed.sources.open import open_source
from dialfeed.sources.options import SourceOptions
from fuzz.counts import records_of

_SIZES = SourceOptions(max_expanded_bytes=1 << 19, max_record_bytes=1 << 20)
OPTIONS = (
    *[_SIZES] * 6,
    replace(_SIZES, header_row=0),
    replace(_SIZES, header_row=2),
    replace(_SIZES, encoding="cp1252"),
    replace(_SIZES, delimiter=";", quote="'"),
    replace(_SIZES, delimiter=",", quote=""),
    replace(_SIZES, max_record_bytes=20),
)
"""An input is read with one of these, by its check sum, so that it is read the same way each time."""


@dataclass(frozen=True)
class Told:
    """All that was read."""

    header: tuple[str, ...]
    numbers: list[int]
    rows: list[tuple[str | None, ...]]
    malformed: list[tuple[int, str, str | None]]
    blank: int
    facts: dict[str, Any]

    @property
    def records(self) -> int:
        return len(self.rows) + len(self.malformed) + self.blank


Outcome = Told | str
"""What was read, or the sentence of the refusal."""


def judge(data: bytes, folder: Path) -> Outcome:
    """Read an input in two ways.

    Args:
        data: The input.
        folder: Where it may be written.

    Raises:
        AssertionError: A law is broken.
    """
    path = folder / "input"
    path.write_bytes(data)
    options = OPTIONS[zlib.crc32(data) % len(OPTIONS)]
    whole = read(path, options)
    size = (7, 61, 1000)[zlib.adler32(data) % 3]
    in_pieces = read(path, replace(options, block_bytes=size, chunk_rows=size))
    assert _same(whole, in_pieces), f"chunks of {size}: {_short(whole)} became {_short(in_pieces)}"
    if isinstance(whole, Told):
        expected = records_of(_unpacked(data), whole.facts) if _countable(whole.facts, options) else None
        assert expected in {None, whole.records}, f"{whole.records} records of {expected}: {_short(whole)}"
    return whole


def read(path: Path, options: SourceOptions) -> Outcome:
    """Read a file to its end, and check what `dialfeed.sources.base` promises."""
    try:
        return _read(path, options)
    except DialfeedError as refusal:
        assert refusal.advice, f"no advice: {refusal}"
        return refusal.sentence


def _read(path: Path, options: SourceOptions) -> Told:
    source = open_source(path, options)
    description = source.describe()
    json.dumps(description.facts)
    told = Told(description.header, [], [], [], 0, {})
    names = [str(index) for index in range(len(told.header))]
    blank = 0
    for chunk in source.chunks():
        assert chunk.rows.columns == [ROW, *names]
        assert chunk.rows.dtypes == [pl.Int64, *[pl.String] * len(names)]
        assert chunk.malformed.schema == MALFORMED_SCHEMA
        told.numbers.extend(chunk.rows[ROW].to_list())
        told.rows.extend(chunk.rows.drop(ROW).rows())
        told.malformed.extend(chunk.malformed.rows())
        blank += chunk.blank
    numbers = sorted(told.numbers + [number for number, *_ in told.malformed])
    assert len(set(numbers)) == len(numbers), "a row number comes twice"
    assert told.numbers == sorted(told.numbers), "row numbers go back"
    assert not any("" in row for row in told.rows), "an empty cell is not null"
    assert len(source.sha256()) == 64
    return replace(told, blank=blank, facts=source.describe().facts)


def _countable(facts: dict[str, Any], options: SourceOptions) -> bool:
    """Whether `records_of` counts as a reader must; it knows of no limit, which may cut a record of several lines."""
    return facts.get("compression") in {None, "gzip"} and options.max_record_bytes == _SIZES.max_record_bytes


def _unpacked(data: bytes) -> bytes:
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b\x08") else data


def _same(one: Outcome, other: Outcome) -> bool:
    return one == other if type(one) is type(other) else False


def _short(outcome: Outcome) -> str:
    return repr(outcome)[:2000]
