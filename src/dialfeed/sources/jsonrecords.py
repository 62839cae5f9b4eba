"""Rows of JSON: one object a line, or an array of objects."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

import polars as pl

from dialfeed.errors import FixSource
from dialfeed.sources import jsonarray, jsonlines
from dialfeed.sources.ahead import read_ahead
from dialfeed.sources.base import ROW, Chunk, Description, Hashed
from dialfeed.sources.content import Content
from dialfeed.sources.encodings import UndecodableError, as_utf8, known_encoding
from dialfeed.sources.jsonarray import ArrayError
from dialfeed.sources.jsonshapes import Shapes
from dialfeed.sources.jsonvalues import Found, Stretch
from dialfeed.sources.tables import Blanks, Malformed, Record, Row, chunk_of

_SAMPLE: Final = 1000
"""So many records are looked at for their fields; one that comes up later is no column."""
_NO_SHAPE: Final = Shapes((), ())


@dataclass(frozen=True, slots=True)
class _Known:
    """The fields with the places of their columns, and what ordinary records look like."""

    places: dict[str, int]
    shapes: Shapes


class JsonSource(Hashed):
    """JSON lines, or a JSON array of objects.

    A record of JSON lines has the number of its line, one of an array its place in the array, from 1 on. Columns are
    the fields of the first records in the order in which they come up; a field that is missing is an empty cell.
    Numbers are told as they stand there, digit by digit.

    Args:
        content: The text.
        array: It is an array, not lines.
        encoding: The text's encoding.
        block_bytes: How much to read at once.
        chunk_rows: How many rows to hand on at once.
        max_record_bytes: The largest record; a larger one is rejected in lines, and refused in an array.
        facts: What else to tell in the description.
    """

    def __init__(
        self,
        content: Content,
        *,
        array: bool,
        encoding: str,
        block_bytes: int,
        chunk_rows: int,
        max_record_bytes: int,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self._content = content
        self._array = array
        self._encoding = known_encoding(encoding)
        self._block_bytes = block_bytes
        self._chunk_rows = chunk_rows
        self._limit = max_record_bytes
        self._facts = dict(facts or {})
        self._known: _Known | None = None

    def describe(self) -> Description:
        """Read the first records for their fields.

        Raises:
            FixSource: The text cannot be read, or its first record is no object with single values.
        """
        facts = {"format": "json" if self._array else "jsonl", "encoding": self._encoding, **self._facts}
        return Description(self._content.name, tuple(name.strip() for name in self._fields().places), facts)

    def chunks(self) -> Iterator[Chunk]:
        """Stream the rows; the next chunk is read while the caller works on this one.

        Raises:
            FixSource: As `describe`; or an array is not well-formed further down.
        """
        self._sha256 = None
        passage = self._content.passage(self._block_bytes)
        yield from read_ahead(self._chunks(passage.blocks()))
        self._sha256 = passage.sha256

    def _chunks(self, blocks: Generator[bytes]) -> Generator[Chunk]:
        known = self._fields()
        with closing(self._stretches(blocks, known.shapes)) as stretches:
            for group in _grouped(stretches, self._chunk_rows):
                yield _chunk(group, known.places)

    def _fields(self) -> _Known:
        """Learn from the first records, once."""
        self._known = self._known or self._learn()
        return self._known

    def _learn(self) -> _Known:
        name = self._content.name
        with closing(self._stretches(self._content.look(1 << 18), _NO_SHAPE)) as stretches:
            found = (each for stretch in stretches for _, each in stretch.others if each is not None)
            sample = list(islice(found, _SAMPLE))
        if not sample:
            raise FixSource(f"The file '{name}' is empty.", advice="Export the contacts again.")
        if isinstance(sample[0], Malformed):
            raise _useless(name, sample[0].code)
        names = (field for each in sample if not isinstance(each, Malformed) for field, _ in each)
        fields = {field: place for place, field in enumerate(dict.fromkeys(names))}
        if not any(map(str.strip, fields)):
            raise FixSource(f"The records of '{name}' have no fields.", advice="Export the contacts again.")
        return _Known(fields, Shapes(tuple(fields), [field for field, _ in sample[0]]))

    def _stretches(self, blocks: Generator[bytes], shapes: Shapes) -> Generator[Stretch]:
        """The records of the text."""
        name, read = self._content.name, jsonarray.stretches if self._array else jsonlines.stretches
        with closing(blocks), closing(as_utf8(blocks, self._encoding)) as text:
            try:
                yield from read(text, shapes, limit=self._limit, most=self._chunk_rows)
            except UndecodableError as error:
                raise FixSource(
                    f"The file '{name}' is not {self._encoding.upper()}: byte {error.offset} is no character.",
                    advice="Save it again as UTF-8, or say with --encoding how it is written.",
                ) from None
            except ArrayError as error:
                raise FixSource(
                    f"The JSON array in '{name}' is not well-formed after record {error.number}.",
                    advice="Export it again; or write one object a line, so that one bad record does not harm the "
                    "others.",
                ) from None


def _grouped(stretches: Iterable[Stretch], most: int) -> Generator[list[Stretch]]:
    """Put small stretches together, to as many records as are asked for."""
    group: list[Stretch] = []
    for stretch in stretches:
        if sum(map(len, group)) + len(stretch) > most and group:
            yield group
            group = []
        group.append(stretch)
    if group:
        yield group


def _chunk(stretches: Sequence[Stretch], names: dict[str, int]) -> Chunk:
    rows = pl.concat([stretch.rows for stretch in stretches])
    others = [_record(number, found, names) for stretch in stretches for number, found in stretch.others]
    chunk = chunk_of(others, len(names))
    if chunk.rows.is_empty():
        return replace(chunk, rows=rows)
    return replace(chunk, rows=pl.concat([rows, chunk.rows]).sort(ROW))


def _record(number: int, found: Found, names: dict[str, int]) -> Record:
    if found is None:
        return Blanks(1)
    if isinstance(found, Malformed):
        return found
    cells: list[str | None] = [None] * len(names)
    for name, cell in found:
        place = names.get(name)
        if place is None:
            return Malformed(number, "row.unknown_field", json.dumps(dict(found), ensure_ascii=False))
        cells[place] = cell
    return Row(number, cells)


def _useless(name: str, code: str) -> FixSource:
    what = {
        "row.nested": "holds a list or an object inside",
        "row.repeated_field": "has a field twice",
        "row.too_large": "is too large",
    }.get(code, "is not a JSON object")
    return FixSource(
        f"The first record of '{name}' {what}.",
        advice='Write one object a line, with single values only: {"phone": "+12025550100", "name": "Ann"}.',
    )
