"""The interface of a source: open, describe, stream chunks.

A source never judges a cell. It tells which cells a row has, as text and exactly as they were typed, and
which records cannot be cut into cells at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

ROW = "_row"
"""The name of the row number column: the number a spreadsheet shows (the header is row 1, the first contact row 2)."""

MALFORMED_SCHEMA = pl.Schema({ROW: pl.Int64, "code": pl.String, "raw": pl.String})
"""Records that cannot be cut into cells: row number, reason code, the record's text without its line end."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a source says of itself before its rows are read.

    Attributes:
        path: The source as the user named it.
        header: Column names, as they stand in the source, without byte-order mark and surrounding blanks.
        facts: What was detected or told (format, encoding, delimiter …), for the report and the audit trail; values
            that JSON knows.
    """

    path: str
    header: tuple[str, ...]
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive rows of a source in columns.

    Attributes:
        rows: Column `ROW` (Int64, strictly increasing over all chunks) and one String column for each header
            position, named ``"0"``, ``"1"``, …; an empty cell is null. Cells are as typed: not trimmed, not changed.
        malformed: Records that cannot be cut into cells (`MALFORMED_SCHEMA`); their row numbers are not in `rows`.
        blank: How many records of the chunk were blank (they have a row number, but are not rows).
    """

    rows: pl.DataFrame
    malformed: pl.DataFrame
    blank: int = 0


class Source(Protocol):
    """One file, table or stream of rows."""

    def describe(self) -> Description:
        """Open far enough to know the header.

        Raises:
            FixSource: The source cannot be read as rows at all.
        """
        ...

    def chunks(self) -> Iterator[Chunk]:
        """Stream the rows in order, in bounded memory.

        Raises:
            FixSource: The source turns out not to be readable in the middle; nothing has been sent by then.
        """
        ...

    def sha256(self) -> str:
        """The SHA-256 of the source's bytes in hex; known once `chunks` is exhausted."""
        ...


class Hashed:
    """A source that is hashed while its chunks are read: the part of `Source` that is the same for all of these."""

    _sha256: str | None = None

    def sha256(self) -> str:
        """See `Source.sha256`.

        Raises:
            RuntimeError: `chunks` was not exhausted yet.
        """
        if self._sha256 is None:
            raise RuntimeError("the hash is known once all chunks were read")
        return self._sha256
