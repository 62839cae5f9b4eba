"""From windows over CSV text to chunks.

polars is lenient where CSV text is ambiguous, so the structure is judged by `records`, and polars gets
to see only what was found well-formed. A window without quotes and with the right number of delimiters
(nearly all of them, in most files) needs no cutting at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dialfeed.sources import records
from dialfeed.sources.base import MALFORMED_SCHEMA, ROW, Chunk
from dialfeed.sources.records import Records
from dialfeed.sources.windows import Window

Rejection = tuple[int, str, str | None]
"""Row number, reason code, text of the record (null when it is too large to be held)."""

_CODES = {
    records.BROKEN_QUOTES: "row.broken_quotes",
    records.NUL_BYTE: "row.nul_byte",
    records.TOO_LARGE: "row.too_large",
}
_CHANGED_BY_POLARS = ("\ufeff".encode(), b"\x1f\x8b", b"(\xb5\x2f\xfd", b"x")
"""How a text may begin that `pl.read_csv` would change: it drops a byte-order mark and unpacks gzip, zstd and zlib."""


class ReaderMismatchError(Exception):
    """polars sees other records than `records` does in a text that both should understand the same way."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV text is written.

    Attributes:
        delimiter: The ASCII character between two cells.
        limit: The largest record in bytes, without its line end.
    """

    delimiter: str
    limit: int

    def cut(self, window: Window) -> Records:
        """The records at the beginning of a window (see `records.cut`)."""
        cutter = records.cut_first if window.first_only else records.cut
        return cutter(
            window.text,
            delimiter=ord(self.delimiter),
            limit=self.limit,
            at_end=window.at_end,
            following=window.following,
        )

    def plain_delimiters(self, text: bytes) -> int | None:
        """The number of delimiters of a text that needs no cutting, else `None` (see `records.plain_delimiters`)."""
        return records.plain_delimiters(text, delimiter=ord(self.delimiter)) if len(text) <= self.limit else None

    def parse(self, text: bytes, width: int, *, quoted: bool) -> pl.DataFrame:
        """Let polars make columns of well-formed records.

        Args:
            text: Records of `width` cells each, with LF or CR LF as line end.
            width: The number of cells.
            quoted: Quotes in the text have a meaning.

        Returns:
            Columns ``"0"``, ``"1"``, … as String; an empty cell is null.

        Raises:
            ReaderMismatchError: A record does not have `width` cells.
        """
        guarded = text.startswith(_CHANGED_BY_POLARS)
        try:
            frame = pl.read_csv(
                b"-" + self.delimiter.encode() * (width - 1) + b"\n" + text if guarded else text,
                has_header=False,
                separator=self.delimiter,
                quote_char='"' if quoted else None,
                null_values=[""] if quoted else None,  # else a quoted empty cell would not be null
                schema={str(column): pl.String for column in range(width)},
                extra_columns="raise",
                missing_columns="raise",
                raise_if_empty=False,
            )
        except pl.exceptions.PolarsError:
            raise ReaderMismatchError from None  # its message would show cells
        return frame.slice(1) if guarded else frame


class Table:
    """Turns windows into chunks, and counts rows on the way.

    Args:
        dialect: How the text is written.
        width: How many cells a row has.
        row: The number of the first record.

    Attributes:
        row: The number of the first record that was not taken yet.
    """

    def __init__(self, dialect: Dialect, width: int, *, row: int) -> None:
        self.row = row
        self._dialect = dialect
        self._width = width

    def take(self, window: Window) -> tuple[Chunk, int]:
        """Make a chunk of the records at the beginning of a window.

        Returns:
            The chunk, and how many bytes of the window are in it.

        Raises:
            ReaderMismatchError: polars does not agree with what was found to be well-formed.
        """
        frame = None if window.first_only else self._plain(window.text)
        if frame is None:
            return self._careful(window)
        chunk = Chunk(_numbered(frame, np.arange(self.row, self.row + frame.height)), _malformed([]))
        self.row += frame.height
        return chunk, len(window.text)

    def _plain(self, text: bytes) -> pl.DataFrame | None:
        """The rows of a text in which every line is a row without a quote; `None` if it is not known to be one.

        The right number of delimiters in total means the right number in each line, because `parse` fails on a line
        with too many. A blank line has no delimiter and so is noticed, but not in a table of one column.
        """
        delimiters = self._dialect.plain_delimiters(text)
        if delimiters is None or (self._width == 1 and _has_blank_line(text)):
            return None
        try:
            frame = self._dialect.parse(text, self._width, quoted=False)
        except ReaderMismatchError:
            return None
        return frame if delimiters == frame.height * (self._width - 1) else None

    def _careful(self, window: Window) -> tuple[Chunk, int]:
        """Judge each record, and read those that are well-formed."""
        cut = self._dialect.cut(window)
        blank = cut.verdicts == records.BLANK
        good = (cut.verdicts == records.SOUND) & (cut.cells == self._width)
        frame = self._dialect.parse(_only(window.text, cut, good), self._width, quoted=True)
        if frame.height != np.count_nonzero(good):
            raise ReaderMismatchError
        bad = np.flatnonzero(~good & ~blank)
        malformed = _malformed(self._rejection(window.text, cut, index) for index in bad.tolist())
        numbers = np.flatnonzero(good) + self.row
        self.row += len(cut)
        return Chunk(_numbered(frame, numbers), malformed, int(np.count_nonzero(blank))), cut.consumed

    def _rejection(self, text: bytes, cut: Records, index: int) -> Rejection:
        verdict = int(cut.verdicts[index])
        few_or_many = "row.too_few_cells" if cut.cells[index] < self._width else "row.too_many_cells"
        raw = None if verdict == records.TOO_LARGE else text[cut.starts[index] : cut.ends[index]].decode()
        return self.row + index, _CODES.get(verdict, few_or_many), raw


def _has_blank_line(text: bytes) -> bool:
    return text.startswith((b"\n", b"\r\n")) or b"\n\n" in text or b"\n\r\n" in text


def _only(text: bytes, cut: Records, wanted: NDArray[np.bool_]) -> bytes:
    """The text of the wanted records, each with LF or CR LF as its line end."""
    source = np.frombuffer(text, np.uint8)
    lone_returns = cut.ends[(cut.nexts - cut.ends == 1) & (source[cut.nexts - 1] == records.CR)]
    if len(lone_returns):
        source = source.copy()
        source[lone_returns] = records.LF
    elif wanted.all() and cut.consumed == len(text):
        return text
    edges = np.flatnonzero(np.diff(wanted.astype(np.int8), prepend=0, append=0))
    firsts, lasts = edges[::2], edges[1::2] - 1
    spans = zip(cut.starts[firsts].tolist(), cut.nexts[lasts].tolist(), strict=True)
    return b"".join(source[start:stop].data for start, stop in spans)


def _numbered(frame: pl.DataFrame, numbers: NDArray[np.int64]) -> pl.DataFrame:
    return frame.insert_column(0, pl.Series(ROW, numbers, dtype=pl.Int64))


def _malformed(rejections: Iterable[Rejection]) -> pl.DataFrame:
    return pl.DataFrame(list(rejections), schema=MALFORMED_SCHEMA, orient="row")
