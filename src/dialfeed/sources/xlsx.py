"""Excel workbooks of XML (xlsx, xlsm; ECMA-376 part 1, section 18): a sheet streams through, and is never held.

Only what a row needs is read: the sheets' names, number formats, shared strings, and one sheet. The number of each cell
is taken as text from the file, so that no digit is lost or added on the way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Final

from dialfeed.sources.bounds import Bounds
from dialfeed.sources.cellvalues import ToText, column_index, converter, plain_number, shown_by
from dialfeed.sources.content import FileContent
from dialfeed.sources.package import Attributes, DamagedError, Package, nothing, package, parse, xml_parser
from dialfeed.sources.sheets import MOST_COLUMNS, SheetName, SheetRow, Tally

_ESCAPED: Final = re.compile("_x([0-9A-Fa-f]{4})_")
_DIGITS: Final = "0123456789"


@dataclass(slots=True)
class _Index:
    """The workbook's own part: which sheets there are, and where."""

    parts: dict[str, str] = field(default_factory=dict)
    sheets: list[SheetName] = field(default_factory=list)
    from_1904: bool = False
    strings: str = ""
    styles: str = ""


class XlsxBook:
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
        with package(content, bounds) as book:
            self._index = _index(book)
        self._strings: list[str] | None = None

    @property
    def sheets(self) -> tuple[SheetName, ...]:
        """The sheets with cells."""
        return tuple(self._index.sheets)

    def rows(self, sheet: str, tally: Tally) -> Generator[SheetRow]:
        """Stream the rows of a sheet (see `Book.rows`)."""
        with package(self._content, self._bounds) as book:
            if self._strings is None:
                self._strings = _strings(book, self._index.strings)
            reader = _SheetReader(self._strings, _converters(book, self._index), tally)
            parser = xml_parser(reader.start, reader.end)
            reader.listen = lambda handler: setattr(parser, "CharacterDataHandler", handler)
            for piece in book.pieces(self._index.parts[sheet]):
                parser.Parse(piece, False)  # noqa: FBT003 - its second argument has no name
                yield from reader.take()
            parser.Parse(b"", True)  # noqa: FBT003 - its second argument has no name
            yield from reader.take()


def _index(book: Package) -> _Index:
    """Read the workbook's own part.

    Raises:
        DamagedError: It is missing.
    """
    roots = dict(book.relations("").values())
    workbook = roots.get("officeDocument", "xl/workbook.xml")
    relations = book.relations(workbook)
    by_kind = dict(relations.values())
    index = _Index(strings=by_kind.get("sharedStrings", ""), styles=by_kind.get("styles", ""))

    def start(tag: str, attributes: Attributes) -> None:
        if tag == "workbookPr":
            index.from_1904 = _true(attributes.get("date1904"))
        elif tag == "sheet":
            kind, part = relations[_local(attributes, "id")]
            if kind == "worksheet":
                index.parts[attributes["name"]] = part
                index.sheets.append(SheetName(attributes["name"], attributes.get("state", "visible") == "visible"))

    parse(book.pieces(workbook), start)
    return index


def _local(attributes: Attributes, name: str) -> str:
    """An attribute of another namespace, whatever its prefix is.

    Raises:
        KeyError: There is none.
    """
    found = [value for key, value in attributes.items() if key.endswith(":" + name)]
    return found[0] if found else attributes[name]


def _true(value: str | None) -> bool:
    return value in {"1", "true", "on"}


def _converters(book: Package, index: _Index) -> list[ToText]:
    """What makes text of a number, for each cell style."""
    codes: dict[int, str] = {}
    formats: list[int] = []
    inside: list[str] = []

    def start(tag: str, attributes: Attributes) -> None:
        if tag == "numFmt":
            codes[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
        elif tag == "cellXfs":
            inside.append(tag)
        elif tag == "xf" and inside:
            formats.append(int(attributes.get("numFmtId", 0)))

    def end(tag: str) -> None:
        if tag == "cellXfs":
            inside.clear()

    if index.styles:
        try:
            parse(book.pieces(index.styles), start, end)
        except ValueError:
            raise DamagedError from None
    return [converter(shown_by(codes.get(each, ""), each), from_1904=index.from_1904) for each in formats]


def _strings(book: Package, part: str) -> list[str]:
    """The strings that cells refer to."""
    reader = _StringReader()
    if part and book.has(part):
        parse(book.pieces(part), reader.start, reader.end, reader.text)
    return reader.strings


class _StringReader:
    """Makes strings of the events of their XML: the text of all runs, without how it is spoken."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self._runs: list[str] = []
        self._inside = False
        self._spoken = False

    def start(self, tag: str, _: Attributes) -> None:
        if tag == "si":
            self._runs.clear()
        elif tag == "t":
            self._inside = not self._spoken
        elif tag == "rPh":
            self._spoken = True

    def end(self, tag: str) -> None:
        if tag == "t":
            self._inside = False
        elif tag == "si":
            self.strings.append(unescaped("".join(self._runs)))
        elif tag == "rPh":
            self._spoken = False

    def text(self, data: str) -> None:
        if self._inside:
            self._runs.append(data)


def unescaped(text: str) -> str:
    """Text with ``_x000D_`` and the like as the characters that they stand for (ECMA-376 part 1, 22.9.2.19)."""
    if "_x" not in text:
        return text
    plain = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class _SheetReader:
    """Makes rows of the events of a sheet's XML.

    Args:
        strings: The shared strings.
        converters: What makes text of a number, for each cell style.
        tally: What was met on the way.
    """

    def __init__(self, strings: list[str], converters: list[ToText], tally: Tally) -> None:
        self._strings = strings
        self._converters = converters
        self._tally = tally
        self._rows: list[SheetRow] = []
        self._cells: list[str | None] = []
        self._number = 0
        self._column = -1
        self._kind = "n"
        self._style = 0
        self._text: list[str] = []
        self._value: str | None = None
        self._phonetic = False
        self.listen: Callable[[Callable[[str], None] | None], None] = nothing

    def take(self) -> list[SheetRow]:
        """The rows that are complete."""
        rows, self._rows = self._rows, []
        return rows

    def start(self, tag: str, attributes: Attributes) -> None:
        """An element begins."""
        if tag == "c":
            self._cell(attributes)
        elif tag == "v" or (tag == "t" and not self._phonetic):
            self._text.clear()
            self.listen(self._text.append)
        elif tag == "row":
            self._row(attributes)
        else:
            self._other(tag, attributes)

    def end(self, tag: str) -> None:
        """An element ends."""
        if tag == "v":
            self.listen(None)
            self._value = "".join(self._text)
        elif tag == "c":
            if self._value is not None:
                self._put(self._shown(self._value))
        elif tag == "t":
            self.listen(None)
            if not self._phonetic:
                self._value = (self._value or "") + "".join(self._text)
        elif tag == "row":
            if self._cells:
                self._rows.append(SheetRow(self._number, self._cells))
        elif tag == "rPh":
            self._phonetic = False

    def _row(self, attributes: Attributes) -> None:
        number = int(attributes.get("r", self._number + 1))
        if number <= self._number:
            raise DamagedError
        self._number, self._cells, self._column = number, [], -1
        if "hidden" in attributes and _true(attributes["hidden"]):
            self._tally.hidden_rows += 1

    def _cell(self, attributes: Attributes) -> None:
        place = attributes.get("r")
        column = column_index(place.rstrip(_DIGITS)) if place else self._column + 1
        if not self._column < column < MOST_COLUMNS:
            raise DamagedError
        self._column = column
        self._kind = attributes.get("t", "n")
        self._style = int(attributes.get("s", 0))
        self._value = None

    def _put(self, text: str) -> None:
        gap = self._column - len(self._cells)
        if gap:
            self._cells += [None] * gap
        self._cells.append(text)

    def _shown(self, value: str) -> str:
        kind = self._kind
        if kind == "s":
            return self._strings[int(value)]
        if kind == "n":
            return self._converters[self._style](value) if self._style < len(self._converters) else plain_number(value)
        if kind == "b":
            return "TRUE" if value.strip() == "1" else "FALSE"
        if kind == "d":
            return value.replace("T", " ").removesuffix(" 00:00:00")
        return unescaped(value) if kind in {"str", "inlineStr"} else value

    def _other(self, tag: str, attributes: Attributes) -> None:
        if tag == "f":
            self._tally.formulas += 1
        elif tag == "rPh":
            self._phonetic = True
        elif tag == "mergeCell":
            self._tally.merged_cells += 1
        elif tag == "autoFilter":
            self._tally.filtered = True
        elif tag == "col" and _true(attributes.get("hidden")):
            self._tally.hidden_columns += int(attributes["max"]) - int(attributes["min"]) + 1
