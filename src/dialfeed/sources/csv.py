"""Rows of a CSV file."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dialfeed.errors import FixSource
from dialfeed.sources import records
from dialfeed.sources.ahead import read_ahead
from dialfeed.sources.base import Chunk, Description
from dialfeed.sources.csvtable import Dialect, ReaderMismatchError, Table
from dialfeed.sources.encodings import UTF8, UndecodableError, as_utf8, foreign_mark, known_encoding
from dialfeed.sources.files import FileBlocks, Stamp, open_file
from dialfeed.sources.records import Records
from dialfeed.sources.windows import Windows

BLOCK_BYTES = 4 << 20
MAX_RECORD_BYTES = 64 << 20
_HEAD_BYTES = 64 << 10

_SAVE_AS_UTF8 = 'Save it again as "CSV UTF-8" (in Excel: File, Save As, CSV UTF-8).'
_HEADER_ADVICE = "Write the name of each column into the first row, with quotes around a name that holds a delimiter."


@dataclass(frozen=True, slots=True)
class _Header:
    """The first record that is not blank, and its row number."""

    names: tuple[str, ...]
    row: int


class CsvSource:
    """A CSV file, with or without byte-order mark.

    Rows are numbered as a spreadsheet does: the header is row 1, and each record counts one, however many
    lines it spans; a blank record counts, but is not a row. Blank records before the header count as well.

    Args:
        path: The file.
        delimiter: The one ASCII character between two cells.
        encoding: The file's encoding, by a name that Python knows.
        block_bytes: How much to read at once. Has no influence on rows, numbers and verdicts.
        max_record_bytes: The largest record; a larger one is rejected.

    Raises:
        ValueError: The delimiter is not one ASCII character or is a quote, line end or NUL; there is no such encoding;
            or a size is not positive.
    """

    def __init__(
        self,
        path: Path,
        *,
        delimiter: str = ",",
        encoding: str = UTF8,
        block_bytes: int = BLOCK_BYTES,
        max_record_bytes: int = MAX_RECORD_BYTES,
    ) -> None:
        if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
            raise ValueError(f"not a delimiter: {delimiter!r}")
        if min(block_bytes, max_record_bytes) < 1:
            raise ValueError("sizes are at least 1")
        self._path = path
        self._encoding = known_encoding(encoding)
        self._dialect = Dialect(delimiter, max_record_bytes)
        self._block_bytes = block_bytes
        self._stamp: Stamp | None = None
        self._sha256: str | None = None

    def describe(self) -> Description:
        """Read the header.

        Raises:
            FixSource: The file cannot be read, is empty, is not in its encoding, or has no usable header.
        """
        file = FileBlocks(self._path, min(self._block_bytes, _HEAD_BYTES), expected=self._stamp)
        with closing(self._text(file)) as text:
            header = self._header(self._windows(text, file.block_bytes))
        self._stamp = file.stamp
        return Description(
            path=str(self._path),
            header=tuple(name.strip() for name in header.names),
            facts={
                "format": "csv",
                "encoding": self._encoding,
                "delimiter": self._dialect.delimiter,
                "header row": header.row,
            },
        )

    def chunks(self) -> Iterator[Chunk]:
        """Stream the rows; the next chunk is read and cut while the caller works on this one.

        Raises:
            FixSource: As `describe`; or the file is not in its encoding further down, or was changed while it was read.
        """
        self._sha256 = None
        file = FileBlocks(self._path, self._block_bytes, expected=self._stamp)
        with closing(read_ahead(self._chunks(file))) as chunks:
            yield from chunks
        self._sha256 = file.sha256

    def sha256(self) -> str:
        """The SHA-256 of the file's bytes in hex.

        Raises:
            RuntimeError: `chunks` was not exhausted yet.
        """
        if self._sha256 is None:
            raise RuntimeError("the hash is known once all chunks were read")
        return self._sha256

    def _chunks(self, file: FileBlocks) -> Generator[Chunk]:
        """Read the file in a thread of its own, and cut it into chunks in this one."""
        with closing(read_ahead(self._text(file))) as text:
            windows = self._windows(text, file.block_bytes)
            header = self._header(windows)
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
                raise _unreadable(self._path, table.row) from None

    def _text(self, file: FileBlocks) -> Generator[bytes]:
        """Stream the file as UTF-8 (see `as_utf8`)."""
        with closing(file.blocks()) as blocks:
            yield from as_utf8(blocks, self._encoding)

    def _windows(self, text: Iterator[bytes], block_bytes: int) -> Windows:
        # Twice a block, so that a block and what was left over from the one before stay in one window.
        return Windows(text, step=2 * block_bytes, limit=self._dialect.limit)

    def _header(self, windows: Windows) -> _Header:
        """Find the header and consume it, and the blank records before it."""
        row = 1
        try:
            for window in windows:
                cut = self._dialect.cut(window)
                found = np.flatnonzero(cut.verdicts != records.BLANK)
                if len(found):
                    index = int(found[0])
                    windows.consume(int(cut.nexts[index]))
                    return _Header(self._names(window.text, cut, index), row + index)
                windows.consume(cut.consumed)
                row += len(cut)
        except UndecodableError as error:
            raise self._undecodable(error.offset, row) from None
        raise _empty(self._path, row)

    def _names(self, text: bytes, cut: Records, index: int) -> tuple[str, ...]:
        """The cells of the header.

        Raises:
            FixSource: The header cannot be cut into cells, or none of them has a name.
        """
        verdict = int(cut.verdicts[index])
        if verdict != records.SOUND:
            raise _broken_header(self._path, verdict)
        record = text[cut.starts[index] : cut.ends[index]]
        try:
            cells = self._dialect.parse(record, int(cut.cells[index]), quoted=True).row(0)
        except ReaderMismatchError:
            raise _unreadable(self._path, 1) from None
        names = tuple(cell or "" for cell in cells)
        if not any(name.strip() for name in names):
            raise FixSource(f"The header of '{self._path}' has no column name.", advice=_HEADER_ADVICE)
        return names

    def _undecodable(self, offset: int, row: int) -> FixSource:
        with open_file(self._path) as file:
            mark = foreign_mark(file.read(4))
        told = self._encoding.upper()
        if mark and self._encoding == UTF8:
            return FixSource(f"The file '{self._path}' is {mark}, not {told}.", advice=_SAVE_AS_UTF8)
        return FixSource(
            f"The file '{self._path}' is not {told}: row {row}, byte {offset}, is no character.", advice=_SAVE_AS_UTF8
        )


def _empty(path: Path, row: int) -> FixSource:
    what = "is empty" if row == 1 else "has only blank lines"
    return FixSource(f"The file '{path}' {what}.", advice="Export the contacts again, with a header in the first row.")


def _broken_header(path: Path, verdict: int) -> FixSource:
    if verdict == records.NUL_BYTE:
        return FixSource(
            f"The header of '{path}' has NUL bytes: it looks like UTF-16, not UTF-8.", advice=_SAVE_AS_UTF8
        )
    if verdict == records.TOO_LARGE:
        return FixSource(
            f"The first line of '{path}' is too large for a header.", advice="Check that it is a CSV file."
        )
    return FixSource(f"The quotes in the header of '{path}' do not match.", advice=_HEADER_ADVICE)


def _unreadable(path: Path, row: int) -> FixSource:
    return FixSource(
        f"The file '{path}' cannot be read as CSV from row {row} on.", advice="Save it again as CSV and try once more."
    )
