"""The XML of a sheet (ECMA-376 part 1, section 18.3), row by row.

Every sheet can be read event by event. Most are written in one way, though, and such rows are taken apart with one
pattern instead, twice as fast. Whatever does not look so goes to the XML parser, which sees the rest of the sheet.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Generator, Iterable
from itertools import chain
from typing import Final

from dialfeed.sources.cellvalues import ToText, column_index, plain_number
from dialfeed.sources.package import Attributes, DamagedError, nothing, xml_parser
from dialfeed.sources.sheets import MOST_COLUMNS, SheetRow, Tally

_ESCAPED: Final = re.compile("_x([0-9A-Fa-f]{4})_")
_DIGITS: Final = "0123456789"
_MOST_ROW_BYTES: Final = 16 << 20


def is_true(value: str | None) -> bool:
    """Whether an attribute says yes."""
    return value in {"1", "true", "on"}


def unescaped(text: str) -> str:
    """Text with ``_x000D_`` and the like as the characters that they stand for (ECMA-376 part 1, 22.9.2.19)."""
    if "_x" not in text:
        return text
    plain = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


_TOKEN: Final = re.compile(
    r'<c r="([A-Z]{1,3})([0-9]+)"(?: s="([0-9]+)")?(?: t="([a-zA-Z]+)")?(?:/>|>'
    r"(?:<v>([^<&\r]*)</v>|<f>([^<]+)</f><v>([^<&\r]*)</v>"
    r"|<is><t(?: xml:space=\"preserve\")?>([^<&\r]*)</t></is>)?</c>)"
    r'|<row r="([0-9]+)"([^<>]*)>|(</row>)|(<)'
)
"""A cell, the beginning of a row, its end; the last group catches whatever is none of these."""


class SheetReader:
    """Makes rows of a sheet's XML.

    Args:
        strings: The shared strings.
        converters: What makes text of a number, for each cell style.
        tally: What was met on the way.
        calculated: Whether the results of formulas are there; else the workbook waits for Excel to calculate them.
    """

    def __init__(self, strings: list[str], converters: list[ToText], tally: Tally, *, calculated: bool = True) -> None:
        self._strings = strings
        self._converters = converters
        self._tally = tally
        self._calculated = calculated
        self._done: list[SheetRow] = []
        self._cells: list[str | None] = []
        self._number = 0
        self._open = False
        self._hidden = False
        self._column = -1
        self._kind = "n"
        self._style = 0
        self._text: list[str] = []
        self._value: str | None = None
        self._formula: str | None = None
        self._phonetic = False
        self._listen: Callable[[Callable[[str], None] | None], None] = nothing

    def rows(self, pieces: Iterable[bytes]) -> Generator[SheetRow]:
        """Stream the rows of a sheet.

        Args:
            pieces: Its XML.

        Raises:
            DamagedError: A row or a cell makes no sense, or is too large.
            ExpatError: It is no XML.
        """
        parser = xml_parser(self._start, self._end)
        self._listen = lambda handler: setattr(parser, "CharacterDataHandler", handler)
        held = 0
        for piece, whole_rows in _stretches(pieces):
            if not (whole_rows and self._take_usual(piece)):
                parser.Parse(piece, False)  # noqa: FBT003 - its second argument has no name
            held = held + len(piece) if self._open and not self._done else 0
            if held > _MOST_ROW_BYTES:
                raise DamagedError
            yield from self._done
            self._done = []
        parser.Parse(b"", True)  # noqa: FBT003 - its second argument has no name

    # --- rows as nearly every program writes them

    def _take_usual(self, text: bytes) -> bool:
        """Take whole rows in, if they are written in the usual way."""
        tokens = _TOKEN.findall(text.decode())
        if any(token[-1] for token in tokens):
            return False
        number = ""
        for letters, place, style, kind, value, formula, result, inline, row, attributes, _, _ in tokens:
            if letters:
                column = column_index(letters)
                if place != number or not self._column < column < MOST_COLUMNS:
                    raise DamagedError
                self._column = column
                if formula:
                    self._put_result(column, kind or "n", int(style or 0), result, html.unescape(formula))
                elif shown := value or inline:
                    self._put(column, self._shown(kind or "n", int(style or 0), shown))
            elif row:
                number = row
                self._begin_row(int(row), hidden='hidden="1"' in attributes or 'hidden="true"' in attributes)
                if attributes.endswith("/"):
                    self._end_row()
            else:
                self._end_row()
        return True

    # --- events of the parser

    def _start(self, tag: str, attributes: Attributes) -> None:
        if tag == "c":
            self._begin_cell(attributes)
        elif tag in {"v", "f"} or (tag == "t" and not self._phonetic):
            self._text.clear()
            self._listen(self._text.append)
        elif tag == "row":
            self._begin_row(int(attributes.get("r", self._number + 1)), hidden=is_true(attributes.get("hidden")))
        else:
            self._other(tag, attributes)

    def _end(self, tag: str) -> None:
        if tag == "v":
            self._listen(None)
            self._value = "".join(self._text)
        elif tag == "f":
            self._listen(None)
            self._formula = "".join(self._text)
        elif tag == "c":
            if self._formula is not None:
                self._put_result(self._column, self._kind, self._style, self._value or "", self._formula)
            elif self._value:
                self._put(self._column, self._shown(self._kind, self._style, self._value))
        elif tag == "t":
            self._listen(None)
            if not self._phonetic:
                self._value = (self._value or "") + "".join(self._text)
        elif tag == "row":
            self._end_row()
        elif tag == "rPh":
            self._phonetic = False

    def _other(self, tag: str, attributes: Attributes) -> None:
        if tag == "rPh":
            self._phonetic = True
        elif tag == "mergeCell":
            self._tally.merged_cells += 1
        elif tag == "autoFilter":
            self._tally.filtered = True
        elif tag == "col" and is_true(attributes.get("hidden")):
            self._tally.hidden_columns += int(attributes["max"]) - int(attributes["min"]) + 1

    # --- both

    def _begin_row(self, number: int, *, hidden: bool) -> None:
        if number <= self._number:
            raise DamagedError
        self._number, self._cells, self._column, self._hidden, self._open = number, [], -1, hidden, True

    def _end_row(self) -> None:
        self._open = False
        if self._cells:
            self._tally.hidden_rows += self._hidden
            self._done.append(SheetRow(self._number, self._cells))

    def _begin_cell(self, attributes: Attributes) -> None:
        place = attributes.get("r")
        if place:
            letters = place.rstrip(_DIGITS)
            column = column_index(letters)
            if place[len(letters) :] != str(self._number):
                raise DamagedError
        else:
            column = self._column + 1
        if not self._column < column < MOST_COLUMNS:
            raise DamagedError
        self._column = column
        self._kind = attributes.get("t", "n")
        self._style = int(attributes.get("s", 0))
        self._value = self._formula = None

    def _put_result(self, column: int, kind: str, style: int, result: str, formula: str) -> None:
        """The result as it was saved; the formula itself where it waits to be calculated.

        A program that writes a workbook leaves the results out, or 0 in their place, which is no flag and no country.
        """
        if not self._calculated or (not result and kind != "str"):
            self._tally.uncalculated += 1
            self._put(column, f"={formula}")
            return
        self._tally.formulas += 1
        if result:
            self._put(column, self._shown(kind, style, result))

    def _put(self, column: int, text: str) -> None:
        cells = self._cells
        if column != len(cells):
            cells += [None] * (column - len(cells))
        cells.append(text)

    def _shown(self, kind: str, style: int, value: str) -> str:
        if kind == "s":
            return self._strings[_index(value)]
        if kind == "n":
            return self._converters[style](value) if style < len(self._converters) else plain_number(value)
        if kind == "b":
            return "TRUE" if value.strip() == "1" else "FALSE"
        if kind == "d":
            return value.replace("T", " ").removesuffix(" 00:00:00")
        return unescaped(value) if kind in {"str", "inlineStr"} else value


def _index(value: str) -> int:
    """Where a shared string is.

    Raises:
        DamagedError: Nowhere.
    """
    index = int(value)
    if index < 0:
        raise DamagedError
    return index


_OTHER_ENCODING: Final = re.compile(rb"<\?xml[^>]*encoding=[\"'](?!utf-8)", re.IGNORECASE)
_ROWS_BEGIN, _ROW_ENDS, _ROWS_END = b"<sheetData>", b"</row>", b"</sheetData>"


def _stretches(pieces: Iterable[bytes]) -> Generator[tuple[bytes, bool]]:
    """Cut the XML of a sheet where rows begin and end.

    Yields:
        A stretch, and whether it is made of whole rows.

    Raises:
        DamagedError: A row is too large.
    """
    remaining = iter(pieces)
    first = next(remaining, b"")
    head = first.find(_ROWS_BEGIN) + len(_ROWS_BEGIN)
    if head >= len(_ROWS_BEGIN) and b"<!" not in first[:head] and not _OTHER_ENCODING.match(first):
        yield first[:head], False
        first = yield from _whole_rows(chain((first[head:],), remaining))
    yield first, False
    for piece in remaining:
        yield piece, False


def _whole_rows(pieces: Iterable[bytes]) -> Generator[tuple[bytes, bool], None, bytes]:
    """Cut behind the last row of each piece; returns what follows the last row of all, as far as it was read."""
    rest = b""
    for piece in pieces:
        rest += piece
        end = rest.rfind(_ROW_ENDS) + len(_ROW_ENDS)
        if end >= len(_ROW_ENDS):
            yield rest[:end], True
            rest = rest[end:]
        if _ROWS_END in rest:
            break
        if len(rest) > _MOST_ROW_BYTES:
            raise DamagedError
    return rest
