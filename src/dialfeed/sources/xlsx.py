"""Excel workbooks of XML (xlsx, xlsm; ECMA-376 part 1, section 18): a sheet streams through, and is never held.

Only what a row needs is read: the sheets' names, number formats, shared strings, and one sheet. The number of each cell
is taken as text from the file, so that no digit is lost or added on the way.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field

from dialfeed.sources.bounds import Bounds
from dialfeed.sources.cellvalues import ToText, converter, shown_by
from dialfeed.sources.content import FileContent
from dialfeed.sources.package import Attributes, DamagedError, Package, package, parse
from dialfeed.sources.sheets import SheetName, SheetRow, Tally
from dialfeed.sources.sheetxml import SheetReader, is_true, unescaped


@dataclass(slots=True)
class _Index:
    """The workbook's own part: which sheets there are, and where."""

    parts: dict[str, str] = field(default_factory=dict)
    sheets: list[SheetName] = field(default_factory=list)
    from_1904: bool = False
    calculated: bool = True
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
            converters = _converters(book, self._index)
            reader = SheetReader(self._strings, converters, tally, calculated=self._index.calculated)
            with closing(book.pieces(self._index.parts[sheet])) as pieces:
                yield from reader.rows(pieces)


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
            index.from_1904 = is_true(attributes.get("date1904"))
        elif tag == "calcPr":
            index.calculated = not is_true(attributes.get("fullCalcOnLoad"))
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
