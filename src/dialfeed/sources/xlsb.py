"""Excel workbooks in binary form (xlsb; [MS-XLSB]): records of a number, a size and bytes, in a zip archive."""

from __future__ import annotations

import struct
from collections.abc import Generator
from contextlib import closing
from typing import Final

from dialfeed.sources.bounds import Bounds
from dialfeed.sources.cellvalues import ToText, converter, plain_number, shown_by
from dialfeed.sources.content import FileContent
from dialfeed.sources.package import DamagedError, Package, package
from dialfeed.sources.sheets import MOST_COLUMNS, MOST_ROWS, SheetName, SheetRow, Tally

_ROW, _RK, _ERROR, _BOOL, _REAL, _TEXT, _SHARED = 0, 2, 3, 4, 5, 6, 7
_FORMULA_TEXT, _FORMULA_REAL, _FORMULA_BOOL, _FORMULA_ERROR = 8, 9, 10, 11
_STRING, _FORMAT, _STYLE, _COLUMN, _RICH_TEXT = 19, 44, 47, 60, 62
_BEGIN_SHEET_DATA, _END_SHEET_DATA, _WORKBOOK, _SHEET, _FILTER, _MERGED = 145, 146, 153, 156, 161, 176
_BEGIN_STYLES, _END_STYLES = 617, 618
_ERRORS: Final = {
    0: "#NULL!",
    7: "#DIV/0!",
    15: "#VALUE!",
    23: "#REF!",
    29: "#NAME?",
    36: "#NUM!",
    42: "#N/A",
    43: "#GETTING_DATA",
}
_AS_PLAIN: Final = {
    _FORMULA_TEXT: _TEXT,
    _FORMULA_REAL: _REAL,
    _FORMULA_BOOL: _BOOL,
    _FORMULA_ERROR: _ERROR,
    _RICH_TEXT: _TEXT,
}
_CELLS: Final = frozenset({_RK, _ERROR, _BOOL, _REAL, _TEXT, _SHARED, *_AS_PLAIN})

_MOST_RECORD_BYTES: Final = 16 << 20
_Found = tuple[int, bytes]


class XlsbBook:
    """A workbook (`dialfeed.sources.sheets.Book`).

    Args:
        content: The file.
        bounds: How much may come out of it.

    Raises:
        FixSource: It is damaged, protected, or larger than it may be.
    """

    def __init__(self, content: FileContent, bounds: Bounds) -> None:
        self._content = content
        self._bounds = bounds
        self._parts: dict[str, str] = {}
        self._sheets: list[SheetName] = []
        self._from_1904 = False
        with package(content, bounds) as book:
            self._relations = book.relations("xl/workbook.bin")
            with closing(records(book.pieces("xl/workbook.bin"))) as found:
                for kind, data in found:
                    self._take_in(kind, data)
        self._strings: list[str] | None = None

    @property
    def sheets(self) -> tuple[SheetName, ...]:
        """The sheets with cells."""
        return tuple(self._sheets)

    def rows(self, sheet: str, tally: Tally) -> Generator[SheetRow]:
        """Stream the rows of a sheet (see `Book.rows`)."""
        with package(self._content, self._bounds) as book:
            if self._strings is None:
                self._strings = self._shared_strings(book)
            reader = _SheetReader(self._strings, self._converters(book), tally)
            with closing(records(book.pieces(self._parts[sheet]))) as found:
                for kind, data in found:
                    row = reader.take_in(kind, data)
                    if row is not None:
                        yield row

    def _take_in(self, kind: int, data: bytes) -> None:
        if kind == _WORKBOOK:
            self._from_1904 = bool(data[0] & 1)
        elif kind == _SHEET:
            state = _number(data, 0)
            relation, end = _wide_string(data, 8)
            name, _ = _wide_string(data, end)
            type_of, part = self._relations[relation]
            if type_of == "worksheet":
                self._parts[name] = part
                self._sheets.append(SheetName(name, state == 0))

    def _part(self, kind: str) -> str | None:
        return next((part for each, part in self._relations.values() if each == kind), None)

    def _shared_strings(self, book: Package) -> list[str]:
        part = self._part("sharedStrings")
        found = records(book.pieces(part)) if part and book.has(part) else ()
        return [_wide_string(data, 1)[0] for kind, data in found if kind == _STRING]

    def _converters(self, book: Package) -> list[ToText]:
        codes: dict[int, str] = {}
        formats: list[int] = []
        inside = False
        part = self._part("styles")
        for kind, data in records(book.pieces(part)) if part else ():
            if kind == _FORMAT:
                codes[_short(data, 0)] = _wide_string(data, 2)[0]
            elif kind in {_BEGIN_STYLES, _END_STYLES}:
                inside = kind == _BEGIN_STYLES
            elif kind == _STYLE and inside:
                formats.append(_short(data, 2))
        return [converter(shown_by(codes.get(each, ""), each), from_1904=self._from_1904) for each in formats]


class _SheetReader:
    """Makes rows of a sheet's records."""

    def __init__(self, strings: list[str], converters: list[ToText], tally: Tally) -> None:
        self._strings = strings
        self._converters = converters
        self._tally = tally
        self._number = 0
        self._cells: list[str | None] = []

    def take_in(self, kind: int, data: bytes) -> SheetRow | None:
        """A row, if the record is the first one behind it."""
        if kind in _CELLS:
            self._cell(kind, data)
        elif kind in {_ROW, _END_SHEET_DATA}:
            done = SheetRow(self._number, self._cells) if self._cells else None
            self._cells = []
            if kind == _ROW:
                self._begin_row(data)
            return done
        elif kind == _COLUMN:
            if data[16] & 1:
                self._tally.hidden_columns += _number(data, 4) - _number(data, 0) + 1
        elif kind == _MERGED:
            self._tally.merged_cells += 1
        elif kind == _FILTER:
            self._tally.filtered = True
        return None

    def _begin_row(self, data: bytes) -> None:
        number = _number(data, 0) + 1
        if not self._number < number <= MOST_ROWS:
            raise DamagedError
        self._number = number
        self._tally.hidden_rows += bool(data[11] & 0x10)

    def _cell(self, kind: int, data: bytes) -> None:
        column = _number(data, 0)
        if not len(self._cells) <= column < MOST_COLUMNS:
            raise DamagedError
        self._cells += [None] * (column - len(self._cells))
        self._tally.formulas += _FORMULA_TEXT <= kind <= _FORMULA_ERROR
        self._cells.append(self._text(_AS_PLAIN.get(kind, kind), data))

    def _text(self, kind: int, data: bytes) -> str:
        if kind == _SHARED:
            return self._strings[_number(data, 8)]
        if kind == _TEXT:
            return _wide_string(data, 8)[0]
        if kind == _BOOL:
            return "TRUE" if data[8] else "FALSE"
        if kind == _ERROR:
            return _ERRORS.get(data[8], "#ERROR")
        raw = repr(_rk(_number(data, 8)) if kind == _RK else struct.unpack_from("<d", data, 8)[0]).removesuffix(".0")
        style = int.from_bytes(data[4:7], "little")
        return self._converters[style](raw) if style < len(self._converters) else plain_number(raw)


def _rk(packed: int) -> float | int:
    """A number in four bytes ([MS-XLSB] 2.5.122): 30 bits of an integer or of a float, perhaps in hundredths."""
    if packed & 2:
        value: float | int = (packed - (1 << 32) if packed >> 31 else packed) >> 2
    else:
        value = struct.unpack("<d", bytes(4) + struct.pack("<I", packed & 0xFFFF_FFFC))[0]
    return value / 100 if packed & 1 else value


def _number(data: bytes, at: int) -> int:
    if at + 4 > len(data):
        raise DamagedError
    return int.from_bytes(data[at : at + 4], "little")


def _short(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def _wide_string(data: bytes, at: int) -> tuple[str, int]:
    """A string in UTF-16, and where it ends."""
    end = at + 4 + 2 * _number(data, at)
    if end > len(data):
        raise DamagedError
    return data[at + 4 : end].decode("utf-16-le", "replace"), end


def records(pieces: Generator[bytes]) -> Generator[_Found]:
    """Cut a part into records ([MS-XLSB] 2.1.4).

    Yields:
        The record's kind and its bytes.

    Raises:
        DamagedError: The part ends within a record.
    """
    rest = b""
    with closing(pieces):
        for piece in pieces:
            rest += piece
            at = 0
            while (header := _header(rest, at)) is not None and header[2] <= len(rest):
                kind, start, at = header
                yield kind, rest[start:at]
            rest = rest[at:]
            if len(rest) > _MOST_RECORD_BYTES:
                raise DamagedError
    if rest:
        raise DamagedError


def _header(data: bytes, at: int) -> tuple[int, int, int] | None:
    """A record's kind, and where its bytes begin and end; None if more is needed to know."""
    if at + 6 > len(data) and not _complete(data, at):
        return None
    kind = data[at]
    at += 1
    if kind & 0x80:
        kind = (kind & 0x7F) | (data[at] & 0x7F) << 7
        at += 1
    size = shift = 0
    while True:
        byte = data[at]
        at += 1
        size |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80 or shift >= 28:
            return kind, at, at + size


def _complete(data: bytes, at: int) -> bool:
    """Whether a header near the end of the data is there as a whole."""
    kind_bytes = 2 if at < len(data) and data[at] & 0x80 else 1
    sizes = data[at + kind_bytes : at + kind_bytes + 4]
    return any(not byte & 0x80 for byte in sizes) or len(sizes) == 4
