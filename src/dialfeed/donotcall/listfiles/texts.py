"""Lists of e-mail addresses and of accounts: one a line, or a column of a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import polars as pl

from dialfeed.contacts.email import normalise_emails
from dialfeed.donotcall.listfiles.base import MOST_SHOWN, Accounted, Fault, describe
from dialfeed.donotcall.listfiles.lines import Lines, Mask, lines_of
from dialfeed.donotcall.listfiles.packed import LIST_BOUNDS, ListFile
from dialfeed.donotcall.listfiles.reading import looks_like_table
from dialfeed.donotcall.listfiles.tables import account, open_table
from dialfeed.sources.bounds import Bounds

TextKind = Literal["email", "account"]

_NAMES: Final[dict[TextKind, tuple[str, ...]]] = {
    "email": ("email", "emailaddress", "mail", "address"),
    "account": ("account", "accountid", "accountnumber", "externalid", "customerid", "customernumber", "id"),
}
_AN_ADDRESS: Final = r"^[^@\s]+@[^@\s]+$"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TextChunk(Accounted):
    """A part of a list of texts.

    Attributes:
        values: String, in file order: accounts as they are written, e-mail addresses in small letters.
    """

    values: pl.Series


def read_texts(
    path: Path, kind: TextKind, *, column: str | None = None, bounds: Bounds = LIST_BOUNDS
) -> Iterator[TextChunk]:
    """Read a list of e-mail addresses or of accounts.

    An address is read as that of a contact is (`dialfeed.contacts.email`). One that is refused there is kept as it is
    written if it looks like an address at all: no contact with it is ever written to.

    Args:
        path: The file: plain, gzip, zstd, or all the files of a zip archive; or a table.
        kind: What it holds.
        column: The column of a table, by its title or its number from 1.
        bounds: How much may come out of a compressed file.

    Raises:
        FixSource: It cannot be read.
        FixSettings: It is a table, and it is not certain which column is meant.
    """
    file = ListFile(path, bounds)
    if column is not None or looks_like_table(file, _NAMES[kind]):
        yield from _table(path, kind, column, bounds)
        return
    for part, blocks in file.blocks(file.parts()):
        for lines in lines_of(blocks, str(path)):
            yield _of_lines(lines, kind, part.member)


def _table(path: Path, kind: TextKind, column: str | None, bounds: Bounds) -> Iterator[TextChunk]:
    table = open_table(path, bounds)
    what = "the addresses" if kind == "email" else "the accounts"
    at = table.position(what, column, _NAMES[kind])
    at = 0 if at is None and len(table.header) == 1 else at
    if at is None:
        raise table.no_column(what)
    for chunk in table.source.chunks():
        values, sound = _read(chunk.rows[str(at)], kind)
        fault = [(chunk.rows[str(at)], ~sound, _fault_of(kind))]
        yield TextChunk(values=values.filter(pl.Series(sound)), **account(chunk, fault))


def _of_lines(lines: Lines, kind: TextKind, member: str) -> TextChunk:
    rows = np.flatnonzero(lines.sizes > 0).tolist()
    texts = pl.Series([_decoded(lines.line(row)) for row in rows], dtype=pl.String)
    values, sound = _read(texts, kind)
    faulty = np.flatnonzero(~sound).tolist()
    shown = [_told(lines, rows[at], texts[at], kind) for at in faulty[:MOST_SHOWN]]
    return TextChunk(
        values=values.filter(pl.Series(sound)),
        lines=len(rows),
        malformed=describe(shown, member),
        malformed_count=len(faulty),
    )


def _told(lines: Lines, row: int, text: str | None, kind: TextKind) -> tuple[int, Fault, bytes]:
    return lines.first + row, Fault.NOT_TEXT if text is None else _fault_of(kind), lines.line(row)


def _read(cells: pl.Series, kind: TextKind) -> tuple[pl.Series, Mask]:
    """The values, and where there are any."""
    values = cells.str.strip_chars()
    if kind == "email":
        read = normalise_emails(values)["email"]
        kept = values.set(~values.str.contains(_AN_ADDRESS).fill_null(value=False), None)
        values = read.zip_with(read.is_not_null(), kept).str.to_lowercase()
    values = values.set((values == "").fill_null(value=False), None)
    return values, values.is_not_null().to_numpy()


def _fault_of(kind: TextKind) -> Fault:
    return Fault.NOT_AN_EMAIL if kind == "email" else Fault.EMPTY


def _decoded(line: bytes) -> str | None:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None
