"""Rows of a sheet of a workbook: Excel (xlsx, xlsb, xls) and OpenDocument (ods)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Final

from dialfeed.errors import FixSource
from dialfeed.sources.base import Chunk, Description, Hashed
from dialfeed.sources.bounds import Bounds
from dialfeed.sources.content import FileContent
from dialfeed.sources.files import changed
from dialfeed.sources.headers import SAMPLE_ROWS, column_names, find_header
from dialfeed.sources.ods import OdsBook
from dialfeed.sources.options import Format, SourceOptions
from dialfeed.sources.sheets import Book, SheetName, SheetRow, Tally
from dialfeed.sources.tables import Blanks, Malformed, Record, Row, chunks_of
from dialfeed.sources.xls import XlsBook
from dialfeed.sources.xlsb import XlsbBook
from dialfeed.sources.xlsx import XlsxBook

_BOOKS: Final[Mapping[str, Callable[[FileContent, Bounds], Book]]] = {
    "xlsx": XlsxBook,
    "xlsb": XlsbBook,
    "xls": XlsBook,
    "ods": OdsBook,
}


def open_workbook(file: FileContent, kind: Format, options: SourceOptions, facts: Mapping[str, Any]) -> WorkbookSource:
    """Open a workbook and choose its sheet.

    Raises:
        FixSource: The workbook is damaged or protected, or it is not certain which sheet is meant.
        FixSettings: What reads it is not installed.
    """
    book = _BOOKS[kind](file, Bounds(options.max_expanded_bytes, options.max_ratio))
    sheet = choose_sheet(book, options.sheet, file.name)
    told = {"format": kind, "sheet": sheet, "sheets": [each.name for each in book.sheets]}
    hidden = [each.name for each in book.sheets if not each.visible]
    return WorkbookSource(file, book, sheet, options, {**told, "hidden_sheets": hidden, **facts})


def choose_sheet(book: Book, wanted: str | None, name: str) -> str:
    """The sheet with the contacts: the one that was named, else the only one that is shown and has rows.

    Raises:
        FixSource: There is no such sheet, or more than one comes into question: the wrong sheet is the wrong people.
    """
    names = [each.name for each in book.sheets]
    told = ", ".join(f"'{each}'" for each in names)
    if wanted is not None:
        if wanted not in names:
            raise FixSource(f"The workbook '{name}' has no sheet '{wanted}'.", advice=f"It has {told}.")
        return wanted
    filled = [each for each in book.sheets if has_rows(book, each)]
    shown = [each.name for each in filled if each.visible]
    if len(shown) == 1:
        return shown[0]
    if not filled:
        raise FixSource(f"The workbook '{name}' is empty.", advice="Export the contacts again.")
    told = ", ".join(f"'{each.name}'{'' if each.visible else ' (hidden)'}" for each in filled)
    raise FixSource(
        f"It is not certain which sheet of '{name}' is meant: {told} have rows.", advice="Say which with --sheet."
    )


def has_rows(book: Book, sheet: SheetName) -> bool:
    """Whether a sheet has any cell with something in it."""
    with closing(book.rows(sheet.name, Tally())) as rows:
        return any(any(row.cells) for row in rows)


@dataclass(frozen=True, slots=True)
class _Header:
    """The column names, and the row they stand in; 0 for names that stand nowhere."""

    names: tuple[str, ...]
    row: int


class WorkbookSource(Hashed):
    """A sheet of a workbook. Rows have the numbers that the spreadsheet shows.

    Hidden rows are rows: they are read, and counted in the facts once all rows were read, as are merged cells, formulas
    (their results are read, as they were when the workbook was saved) and hidden columns.

    Args:
        file: The workbook.
        book: The same, opened.
        sheet: The sheet's name.
        options: How to read it.
        facts: What to tell in the description.
    """

    def __init__(
        self, file: FileContent, book: Book, sheet: str, options: SourceOptions, facts: Mapping[str, Any]
    ) -> None:
        self._file = file
        self._book = book
        self._sheet = sheet
        self._options = options
        self._facts = dict(facts)
        self._stamp = file.stamp()
        self._header: _Header | None = None

    def describe(self) -> Description:
        """Read the header.

        Raises:
            FixSource: The sheet is empty or damaged, or has no usable header.
        """
        header = self._find_header()
        names = tuple(name.strip() for name in header.names)
        return Description(self._file.name, names, {**self._facts, "header_row": header.row})

    def chunks(self) -> Iterator[Chunk]:
        """Stream the rows.

        Raises:
            FixSource: As `describe`; or the workbook was changed while it was read.
        """
        self._sha256 = None
        header, tally = self._find_header(), Tally()
        with closing(self._book.rows(self._sheet, tally)) as rows:
            yield from chunks_of(_records(rows, header), len(header.names), self._options.chunk_rows)
        self._facts |= {name: count for name, count in asdict(tally).items() if count}
        self._sha256 = self._file.digest()
        if self._file.stamp() != self._stamp:
            raise changed(self._file.name)

    def _find_header(self) -> _Header:
        if self._header is None:
            with closing(self._book.rows(self._sheet, Tally())) as rows:
                self._header = _header(_without_empty(rows), self._options.header_row, self._told)
        return self._header

    @property
    def _told(self) -> str:
        return f"{self._file.name}, sheet {self._sheet}"


def _without_empty(rows: Iterable[SheetRow]) -> Generator[SheetRow]:
    """Rows that have something in a cell; empty text is nothing."""
    for row in rows:
        if any(row.cells):
            yield row


def _header(rows: Generator[SheetRow], wanted: int | None, name: str) -> _Header:
    """The header of a sheet.

    Raises:
        FixSource: There is none.
    """
    sample = list(islice(rows, SAMPLE_ROWS)) if not wanted else [row for row in rows if row.number == wanted][:1]
    if not sample:
        where = f"Row {wanted} of '{name}' is" if wanted else f"'{name}' is"
        raise FixSource(f"{where} empty.", advice="Say with --header-row where the column names are.")
    if wanted == 0:
        return _Header(column_names(max(_width(row.cells) for row in sample)), 0)
    found = (
        sample[0]
        if wanted
        else sample[find_header([row.cells for row in sample], name, [row.number for row in sample])]
    )
    return _Header(tuple(cell or "" for cell in found.cells[: _width(found.cells)]), found.number)


def _width(cells: list[str | None]) -> int:
    """How many cells there are up to the last one with something in it."""
    return max((index for index, cell in enumerate(cells, start=1) if cell), default=0)


def _records(rows: Iterable[SheetRow], header: _Header) -> Generator[Record]:
    """The rows below the header, with the blank ones between them."""
    width, last = len(header.names), header.row
    for row in _without_empty(rows):
        if row.number <= header.row:
            continue
        if row.number > last + 1:
            yield Blanks(row.number - last - 1)
        last = row.number
        cells = row.cells
        if len(cells) > width and any(cells[width:]):
            yield Malformed(row.number, "row.too_many_cells", "\t".join(cell or "" for cell in cells))
        else:
            yield Row(row.number, cells[:width] + [None] * (width - len(cells)))
