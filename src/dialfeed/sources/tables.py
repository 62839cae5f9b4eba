"""From records one by one to chunks, for sources that are not read in columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from dialfeed.sources.base import MALFORMED_SCHEMA, ROW, Chunk


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its number, and as many cells as the header has."""

    number: int
    cells: Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Malformed:
    """A record that cannot be cut into cells: its number, its reason code and its text, if that can be held."""

    number: int
    code: str
    raw: str | None


@dataclass(frozen=True, slots=True)
class Blanks:
    """So many records with nothing in them."""

    count: int


Record = Row | Malformed | Blanks


@dataclass(slots=True)
class _Page:
    """The records of one chunk."""

    width: int
    numbers: list[int] = field(default_factory=list)
    cells: list[Sequence[str | None]] = field(default_factory=list)
    malformed: list[tuple[int, str, str | None]] = field(default_factory=list)
    blank: int = 0

    def add(self, record: Record) -> None:
        if isinstance(record, Row):
            self.numbers.append(record.number)
            self.cells.append(record.cells)
        elif isinstance(record, Malformed):
            self.malformed.append((record.number, record.code, record.raw))
        else:
            self.blank += record.count

    def __len__(self) -> int:
        return len(self.numbers) + len(self.malformed)

    def chunk(self) -> Chunk:
        malformed = pl.DataFrame(self.malformed, schema=MALFORMED_SCHEMA, orient="row")
        return Chunk(frame(self.numbers, self.cells, self.width), malformed, self.blank)


def chunks_of(records: Iterable[Record], width: int, chunk_rows: int) -> Iterator[Chunk]:
    """Put records together to chunks.

    Args:
        records: In the order of their numbers.
        width: How many cells a row has.
        chunk_rows: How many records a chunk has at most.
    """
    page = _Page(width)
    for record in records:
        page.add(record)
        if len(page) >= chunk_rows:
            yield page.chunk()
            page = _Page(width)
    if len(page) or page.blank:
        yield page.chunk()


def chunk_of(records: Iterable[Record], width: int) -> Chunk:
    """Put all records together to one chunk."""
    page = _Page(width)
    for record in records:
        page.add(record)
    return page.chunk()


def frame(numbers: Sequence[int], cells: Sequence[Sequence[str | None]], width: int) -> pl.DataFrame:
    """Rows as columns: their numbers, and cells as text; an empty cell is null."""
    columns = zip(*cells, strict=True) if cells else [()] * width
    series = [pl.Series(str(index), column, dtype=pl.String) for index, column in enumerate(columns)]
    return pl.DataFrame([pl.Series(ROW, numbers, dtype=pl.Int64), *series]).with_columns(nothing_is_null(width))


def nothing_is_null(width: int) -> list[pl.Expr]:
    """The columns of cells, with null in place of empty text."""
    return [pl.when(pl.col(name) != "").then(pl.col(name)) for name in map(str, range(width))]
