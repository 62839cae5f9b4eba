"""Rows of a CSV file."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dialfeed.errors import FixSource
from dialfeed.sources import records
from dialfeed.sources.ahead import read_ahead
from dialfeed.sources.base import Chunk, Description, Hashed
from dialfeed.sources.content import Content, FileContent, head
from dialfeed.sources.csvtable import Dialect, ReaderMismatchError, Table
from dialfeed.sources.encodings import UTF8, UndecodableError, as_utf8, foreign_mark, known_encoding
from dialfeed.sources.headers import column_names
from dialfeed.sources.quotes import QUOTE, requoted_blocks, requoted_chunk, requoted_name
from dialfeed.sources.records import Records
from dialfeed.sources.windows import Windows

BLOCK_BYTES = 4 << 20
MAX_RECORD_BYTES = 64 << 20
_HEAD_BYTES = 64 << 10

_SAVE_AS_UTF8 = 'Save it again as "CSV UTF-8" (in Excel: File, Save As, CSV UTF-8).'
_HEADER_ADVICE = "Write the name of each column into the first row, with quotes around a name that holds a delimiter."


@dataclass(frozen=True, slots=True)
class _Header:
    """The column names, and the row they stand in; 0 for names that stand nowhere."""

    names: tuple[str, ...]
    row: int


class CsvSource(Hashed):
    """A CSV text, with or without byte-order mark.

    Rows are numbered as a spreadsheet does: the header is row 1, and each record counts one, however many
    lines it spans; a blank record counts, but is not a row. Blank records before the header count as well.

    Args:
        source: The file, or other content.
        delimiter: The one ASCII character between two cells.
        quote: The character around a cell with a delimiter: ``"`` or ``'``; empty where quotes are text.
        encoding: The text's encoding, by a name that Python knows.
        header_row: The row with the column names; 0 where there is none; None: the first that is not blank.
        block_bytes: How much to read at once. Has no influence on rows, numbers and verdicts.
        max_record_bytes: The largest record; a larger one is rejected.
        facts: What else to tell in the description.

    Raises:
        ValueError: The delimiter is not one ASCII character or is a quote, line end or NUL; there is no such quote or
            encoding; a size is not positive; or a row is negative.
    """

    def __init__(
        self,
        source: Path | Content,
        *,
        delimiter: str = ",",
        quote: str = QUOTE,
        encoding: str = UTF8,
        header_row: int | None = None,
        block_bytes: int = BLOCK_BYTES,
        max_record_bytes: int = MAX_RECORD_BYTES,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0' or delimiter == quote:
            raise ValueError(f"not a delimiter: {delimiter!r}")
        if quote not in {QUOTE, "'", ""}:
            raise ValueError(f"not a quote: {quote!r}")
        if min(block_bytes, max_record_bytes) < 1 or (header_row or 0) < 0:
            raise ValueError("sizes are at least 1, rows at least 0")
        self._content: Content = FileContent(source) if isinstance(source, Path) else source
        self._encoding = known_encoding(encoding)
        self._dialect = Dialect(delimiter, max_record_bytes)
        self._quote = quote
        self._header_row = header_row
        self._block_bytes = block_bytes
        self._facts = dict(facts or {})

    @property
    def _name(self) -> str:
        return self._content.name

    def describe(self) -> Description:
        """Read the header.

        Raises:
            FixSource: The file cannot be read, is empty, is not in its encoding, or has no usable header.
        """
        header = self._header_alone()
        facts = {
            "format": "csv",
            "encoding": self._encoding,
            "delimiter": self._dialect.delimiter,
            "header_row": header.row,
        }
        return Description(
            self._name, tuple(name.lstrip("\ufeff").strip() for name in header.names), {**facts, **self._facts}
        )

    def chunks(self) -> Iterator[Chunk]:
        """Stream the rows; the next chunk is read and cut while the caller works on this one.

        Raises:
            FixSource: As `describe`; or the file is not in its encoding further down, or was changed while it was read.
        """
        self._sha256 = None
        passage = self._content.passage(self._block_bytes)
        with closing(read_ahead(self._chunks(passage.blocks()))) as chunks:
            for chunk in chunks:
                yield requoted_chunk(chunk, self._quote)
        self._sha256 = passage.sha256

    def _chunks(self, blocks: Generator[bytes]) -> Generator[Chunk]:
        """Read the text in a thread of its own, and cut it into chunks in this one."""
        with closing(read_ahead(self._text(blocks))) as text:
            windows = self._windows(text, self._block_bytes)
            header = self._header_alone() if self._header_row == 0 else self._header(windows)
            table = Table(self._dialect, len(header.names), row=header.row + 1)
            try:
                for window in windows:
                    chunk, consumed = table.take(window)
                    windows.consume(consumed)
                    if consumed:
                        yield chunk
            except UndecodableError as error:
                raise self._undecodable(error.offset, table.row) from None
            except ReaderMismatchError:
                raise _unreadable(self._name, table.row) from None

    def _text(self, blocks: Generator[bytes]) -> Generator[bytes]:
        """Stream the text as UTF-8 (see `as_utf8`), with the usual quotes."""
        with closing(blocks), closing(as_utf8(blocks, self._encoding)) as text:
            yield from text if self._quote == QUOTE else requoted_blocks(text, self._quote)

    def _windows(self, text: Iterator[bytes], block_bytes: int) -> Windows:
        # Twice a block, so that a block and what was left over from the one before stay in one window.
        return Windows(text, step=2 * block_bytes, limit=self._dialect.limit)

    def _header_alone(self) -> _Header:
        """Read no further than the header."""
        block_bytes = min(self._block_bytes, _HEAD_BYTES)
        with closing(self._text(self._content.look(block_bytes))) as text:
            return self._header(self._windows(text, block_bytes))

    def _header(self, windows: Windows) -> _Header:
        """Find the header and consume it, and the records before it."""
        row = 1
        try:
            for window in windows:
                cut = self._dialect.cut(window)
                index = self._position(cut, row)
                if index is not None:
                    windows.consume(int(cut.nexts[index]))
                    names = self._names(window.text, cut, index)
                    return (
                        _Header(names, row + index) if self._header_row != 0 else _Header(column_names(len(names)), 0)
                    )
                windows.consume(cut.consumed)
                row += len(cut)
        except UndecodableError as error:
            raise self._undecodable(error.offset, row) from None
        raise _empty(self._name, row) if not self._header_row or row == 1 else _no_row(self._name, self._header_row)

    def _position(self, cut: Records, row: int) -> int | None:
        """Where the header is among records of which the first one is in `row`."""
        if self._header_row:
            index = self._header_row - row
            return index if index < len(cut) else None
        usable = cut.verdicts == records.SOUND if self._header_row == 0 else cut.verdicts != records.BLANK
        found = np.flatnonzero(usable)
        return int(found[0]) if len(found) else None

    def _names(self, text: bytes, cut: Records, index: int) -> tuple[str, ...]:
        """The cells of the header.

        Raises:
            FixSource: The header cannot be cut into cells, or none of them has a name.
        """
        verdict = int(cut.verdicts[index])
        if verdict != records.SOUND:
            raise _broken_header(self._name, verdict)
        record = text[cut.starts[index] : cut.ends[index]]
        try:
            cells = self._dialect.parse(record, int(cut.cells[index]), quoted=True).row(0)
        except ReaderMismatchError:
            raise _unreadable(self._name, 1) from None
        names = tuple(requoted_name(cell or "", self._quote) for cell in cells)
        if not any(name.strip() for name in names):
            raise FixSource(f"The header of '{self._name}' has no column name.", advice=_HEADER_ADVICE)
        return names

    def _undecodable(self, offset: int, row: int) -> FixSource:
        mark = foreign_mark(head(self._content, 4))
        told = self._encoding.upper()
        if mark and self._encoding == UTF8:
            return FixSource(f"The file '{self._name}' is {mark}, not {told}.", advice=_SAVE_AS_UTF8)
        return FixSource(
            f"The file '{self._name}' is not {told}: row {row}, byte {offset}, is no character.", advice=_SAVE_AS_UTF8
        )


def _empty(name: str, row: int) -> FixSource:
    what = "is empty" if row == 1 else "has only blank lines"
    return FixSource(f"The file '{name}' {what}.", advice="Export the contacts again, with a header in the first row.")


def _no_row(name: str, row: int) -> FixSource:
    return FixSource(f"The file '{name}' has no row {row}.", advice="Say with --header-row where the column names are.")


def _broken_header(name: str, verdict: int) -> FixSource:
    if verdict == records.NUL_BYTE:
        return FixSource(
            f"The header of '{name}' has NUL bytes: it looks like UTF-16, not UTF-8.", advice=_SAVE_AS_UTF8
        )
    if verdict == records.TOO_LARGE:
        return FixSource(
            f"The first line of '{name}' is too large for a header.", advice="Check that it is a CSV file."
        )
    return FixSource(f"The quotes in the header of '{name}' do not match.", advice=_HEADER_ADVICE)


def _unreadable(name: str, row: int) -> FixSource:
    return FixSource(
        f"The file '{name}' cannot be read as CSV from row {row} on.", advice="Save it again as CSV and try once more."
    )
