"""OpenDocument spreadsheets (ods; OASIS OpenDocument 1.3 part 3, section 9): a sheet streams through."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import closing
from typing import Final

from dialfeed.sources.bounds import Bounds
from dialfeed.sources.cellvalues import plain_number
from dialfeed.sources.content import FileContent
from dialfeed.sources.package import Attributes, DamagedError, package, parse, xml_parser
from dialfeed.sources.sheets import MOST_COLUMNS, MOST_ROWS, SheetName, SheetRow, Tally, encrypted

_NUMBERS: Final = frozenset({"float", "percentage", "currency"})
_ADDED: Final = re.compile(r"[0+][0-9 ().+/-]*")
_DURATION: Final = re.compile(r"PT(\d+)H(\d+)M(\d+)(?:\.\d+)?S")
_MANIFEST: Final = "META-INF/manifest.xml"
_SPACE: Final = 1 << 16


class OdsBook:
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
        names = _Names()
        with package(content, bounds) as book:
            if book.has(_MANIFEST) and b"encryption-data" in b"".join(book.pieces(_MANIFEST)):
                raise encrypted(content.name)
            parse(book.pieces("content.xml"), names.start)
        self.sheets = tuple(SheetName(name, style not in names.hidden) for name, style in names.tables)

    def rows(self, sheet: str, tally: Tally) -> Generator[SheetRow]:
        """Stream the rows of a sheet (see `Book.rows`)."""
        with package(self._content, self._bounds) as book:
            reader = _SheetReader(sheet, tally)
            parser = xml_parser(reader.start, reader.end, reader.text)
            with closing(book.pieces("content.xml")) as pieces:
                for piece in pieces:
                    parser.Parse(piece, False)  # noqa: FBT003 - its second argument has no name
                    yield from reader.take()
                    if reader.done:
                        break


class _Names:
    """The tables of a document, and the styles that hide one."""

    def __init__(self) -> None:
        self.tables: list[tuple[str, str]] = []
        self.hidden: set[str] = set()
        self._style = ""

    def start(self, tag: str, attributes: Attributes) -> None:
        if tag == "table":
            self.tables.append((attributes.get("table:name", ""), attributes.get("table:style-name", "")))
        elif tag == "style":
            self._style = attributes.get("style:name", "")
        elif tag == "table-properties" and attributes.get("table:display") == "false":
            self.hidden.add(self._style)


class _SheetReader:
    """Makes rows of the events of one table of a document's XML."""

    def __init__(self, sheet: str, tally: Tally) -> None:
        self.done = False
        self._sheet = sheet
        self._tally = tally
        self._inside = False
        self._rows: list[SheetRow] = []
        self._number = 0
        self._repeated_row = 1
        self._hidden = False
        self._cells: list[str | None] = []
        self._cell: Attributes = {}
        self._text: list[str] = []
        self._paragraphs = 0
        self._annotation = 0

    def take(self) -> list[SheetRow]:
        """The rows that are complete."""
        rows, self._rows = self._rows, []
        return rows

    def start(self, tag: str, attributes: Attributes) -> None:
        """An element begins."""
        if tag == "table" and not self._inside:
            self._inside = not self.done and attributes.get("table:name") == self._sheet
        elif not self._inside:
            return
        elif tag in {"table-cell", "covered-table-cell"}:
            self._begin_cell(attributes)
        elif tag == "table-row":
            self._begin_row(attributes)
        elif tag == "annotation":
            self._annotation += 1
        elif not self._annotation:
            self._begin_text(tag, attributes)

    def end(self, tag: str) -> None:
        """An element ends."""
        if not self._inside:
            return
        if tag == "annotation":
            self._annotation -= 1
        elif tag in {"table-cell", "covered-table-cell"}:
            self._end_cell()
        elif tag == "table-row":
            self._end_row()
        elif tag == "table":
            self._inside, self.done = False, True

    def text(self, data: str) -> None:
        """Text of a cell."""
        if self._inside and self._paragraphs and not self._annotation:
            self._text.append(data)

    def _begin_text(self, tag: str, attributes: Attributes) -> None:
        if tag == "p":
            if self._paragraphs:
                self._text.append("\n")
            self._paragraphs += 1
        elif tag == "s":
            self._text.append(" " * min(int(attributes.get("text:c", "1")), _SPACE))
        elif tag in {"tab", "line-break"}:
            self._text.append("\t" if tag == "tab" else "\n")
        elif tag == "table-column" and attributes.get("table:visibility") in {"collapse", "filter"}:
            self._tally.hidden_columns += _repeated(attributes, "columns")

    def _begin_row(self, attributes: Attributes) -> None:
        self._repeated_row = _repeated(attributes, "rows")
        self._hidden = attributes.get("table:visibility", "visible") != "visible"
        self._tally.filtered |= attributes.get("table:visibility") == "filter"
        self._cells = []

    def _end_row(self) -> None:
        while self._cells and self._cells[-1] is None:
            self._cells.pop()
        first, self._number = self._number + 1, self._number + self._repeated_row
        if not self._cells:
            return
        if self._number > MOST_ROWS:
            raise DamagedError
        self._tally.hidden_rows += self._repeated_row * self._hidden
        self._rows += [SheetRow(number, list(self._cells)) for number in range(first, self._number + 1)]

    def _begin_cell(self, attributes: Attributes) -> None:
        self._cell = attributes
        self._text, self._paragraphs = [], 0
        self._tally.merged_cells += "table:number-columns-spanned" in attributes
        self._tally.formulas += "table:formula" in attributes and _has_result(attributes)

    def _end_cell(self) -> None:
        repeated = _repeated(self._cell, "columns")
        value = self._value() or self._uncalculated()
        if value is not None and len(self._cells) + repeated > MOST_COLUMNS:
            raise DamagedError
        self._cells += [value] * min(repeated, MOST_COLUMNS - len(self._cells))
        self._paragraphs = 0

    def _uncalculated(self) -> str | None:
        """The formula of a cell that has no result, since it was never calculated."""
        formula = self._cell.get("table:formula")
        if formula is None or _has_result(self._cell):
            return None
        self._tally.uncalculated += 1
        return formula.removeprefix("of:")

    def _value(self) -> str:
        cell, shown = self._cell, "".join(self._text)
        kind = cell.get("office:value-type") or cell.get("calcext:value-type") or ""
        if kind in _NUMBERS and "office:value" in cell:
            return _number(cell["office:value"], shown)
        if kind == "date" and "office:date-value" in cell:
            return cell["office:date-value"].replace("T", " ").removesuffix(" 00:00:00")
        if kind == "time" and (match := _DURATION.fullmatch(cell.get("office:time-value", ""))):
            return ":".join(f"{int(part):02}" for part in match.groups())
        if kind == "boolean" and "office:boolean-value" in cell:
            return cell["office:boolean-value"].upper()
        return shown or cell.get("office:string-value", "")


def _number(value: str, shown: str) -> str:
    """A number, as it is shown where only leading zeros and signs were added to its digits."""
    plain = plain_number(value)
    digits = re.sub("[^0-9]", "", shown)
    added = _ADDED.fullmatch(shown) and plain.isdigit() and digits.lstrip("0") == plain.lstrip("0")
    return shown if added else plain


def _has_result(attributes: Attributes) -> bool:
    return "office:value-type" in attributes or "calcext:value-type" in attributes


def _repeated(attributes: Attributes, what: str) -> int:
    return max(1, int(attributes.get(f"table:number-{what}-repeated", "1")))
