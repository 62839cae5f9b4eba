"""A column of numbers in a table: CSV, a workbook, or whatever else a source can be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypedDict

import numpy as np
import polars as pl

from dialfeed.donotcall.listfiles.base import MOST_SHOWN, Fault, ListChunk, Malformed, describe
from dialfeed.donotcall.listfiles.lines import Mask
from dialfeed.donotcall.listfiles.plain import numbers_of
from dialfeed.errors import FixSettings
from dialfeed.sources.base import ROW, Chunk, Source
from dialfeed.sources.bounds import Bounds
from dialfeed.sources.open import open_source
from dialfeed.sources.options import SourceOptions

PHONE_NAMES: Final = (
    "phone",
    "phonenumber",
    "number",
    "telephone",
    "telephonenumber",
    "tel",
    "mobile",
    "msisdn",
    "cli",
    "e164",
    "dncnumber",
)
"""What a column of numbers is called, in small letters without anything else."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose columns are found by name.

    Attributes:
        name: The file as the user named it.
        source: Its rows.
        header: The names of its columns.
    """

    name: str
    source: Source
    header: tuple[str, ...]

    def position(self, what: str, wanted: str | None, names: Sequence[str]) -> int | None:
        """Where a column is.

        Args:
            what: What is in it, for a message.
            wanted: Its name, or its number from 1, as the user gives it.
            names: How it is called otherwise.

        Returns:
            Its position from 0; None where the user names none and none, or more than one, is called so.

        Raises:
            FixSettings: There is no such column.
        """
        if wanted is None:
            found = [at for at, title in enumerate(self.header) if plain_title(title) in names]
            return found[0] if len(found) == 1 else None
        exact = [at for at, title in enumerate(self.header) if title.strip().casefold() == wanted.strip().casefold()]
        if len(exact) == 1:
            return exact[0]
        if not exact and wanted.isascii() and wanted.isdigit() and 0 < int(wanted) <= len(self.header):
            return int(wanted) - 1
        raise self.no_column(what)

    def no_column(self, what: str) -> FixSettings:
        """The refusal where it is not certain which column to read."""
        told = ", ".join(f"'{title}'" for title in self.header)
        return FixSettings(
            f"It is not certain which column of '{self.name}' holds {what}.", advice=f"Name it; there are: {told}."
        )


def open_table(path: Path, bounds: Bounds, options: SourceOptions | None = None) -> Table:
    """Open a table.

    Raises:
        FixSource: It cannot be read as one.
        FixSettings: A library is missing.
    """
    told = options or SourceOptions()
    source = open_source(path, replace(told, max_expanded_bytes=bounds.max_bytes, max_ratio=bounds.max_ratio))
    return Table(str(path), source, source.describe().header)


def table_chunks(table: Table, region: str | None, column: str | None) -> Iterator[ListChunk]:
    """Read the numbers of a column; an empty cell is malformed, since its row stands for somebody.

    Raises:
        FixSettings: It is not certain which column.
        FixSource: The table turns out not to be readable.
    """
    at = table.position("the numbers", column, PHONE_NAMES)
    at = 0 if at is None and len(table.header) == 1 else at
    if at is None:
        raise table.no_column("the numbers")
    for chunk in table.source.chunks():
        yield _chunk(chunk, chunk.rows[str(at)], region)


def _chunk(chunk: Chunk, cells: pl.Series, region: str | None) -> ListChunk:
    numbers, sound = numbers_of(cells, region)
    return ListChunk(numbers=numbers[sound], **account(chunk, [(cells, ~sound, Fault.NOT_A_NUMBER)]))


class _Account(TypedDict):
    lines: int
    malformed: list[Malformed]
    malformed_count: int


def account(chunk: Chunk, faults: Sequence[tuple[pl.Series, Mask, Fault]]) -> _Account:
    """What to say of a chunk's rows that are no entries, and of its records that are no rows.

    Args:
        chunk: The chunk.
        faults: A column, where its cells are wrong, and how; each row is counted for its first fault only.
    """
    told = [(int(row), Fault.NOT_A_ROW, raw) for row, raw in chunk.malformed.select(ROW, "raw").iter_rows()]
    wrong = np.zeros(len(chunk.rows), bool)
    for cells, faulty, fault in faults:
        rows = np.flatnonzero(faulty & ~wrong)
        wrong |= faulty
        told += [_fault(chunk, cells, row, fault) for row in rows[:MOST_SHOWN].tolist()]
    return {
        "lines": len(chunk.rows) + len(chunk.malformed),
        "malformed": describe(sorted(told)[:MOST_SHOWN]),
        "malformed_count": int(wrong.sum()) + len(chunk.malformed),
    }


def _fault(chunk: Chunk, cells: pl.Series, row: int, fault: Fault) -> tuple[int, Fault, str]:
    text = cells[row] or ""
    return int(chunk.rows[ROW][row]), fault if text.strip() else Fault.EMPTY, text


def plain_title(title: str) -> str:
    """A title as it is compared: small letters and digits."""
    return re.sub(r"[^a-z0-9]", "", title.casefold())
