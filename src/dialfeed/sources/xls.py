"""Excel workbooks of before 2007 (xls), read by xlrd; they have 65,536 rows at most, and are held in memory."""

from __future__ import annotations

import io
import mmap
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from dialfeed.errors import FixSource
from dialfeed.optional import needed
from dialfeed.sources.bounds import Bounds
from dialfeed.sources.cellvalues import ToText, converter, shown_by
from dialfeed.sources.content import FileContent
from dialfeed.sources.sheets import SheetName, SheetRow, Tally, damaged, encrypted

_TEXT, _NUMBER, _DATE, _BOOL, _ERROR = 1, 2, 3, 4, 5
_ENCRYPTED_PACKAGE: Final = "EncryptedPackage".encode("utf-16-le")


class XlsBook:
    """A workbook (`dialfeed.sources.sheets.Book`).

    Args:
        content: The file.
        bounds: Not needed: nothing is compressed in it.

    Raises:
        FixSource: It is damaged or protected.
        FixSettings: xlrd is not installed.
    """

    def __init__(self, content: FileContent, bounds: Bounds) -> None:  # noqa: ARG002 - as the other workbooks
        self._content = content
        xlrd = needed("xlrd", extra="excel", purpose="read Excel workbooks of before 2007 (.xls)")
        self._errors: dict[int, str] = xlrd.error_text_from_code
        if _holds(content, _ENCRYPTED_PACKAGE):
            raise encrypted(content.name)
        with self._damage_told():
            self._book = xlrd.open_workbook(
                str(content.path), formatting_info=True, on_demand=True, logfile=io.StringIO(), ragged_rows=True
            )
            self._visible = [state == 0 for state in self._book._sheet_visibility]  # noqa: SLF001 - told nowhere else
        self._converters: dict[int, ToText] = {}

    @property
    def sheets(self) -> tuple[SheetName, ...]:
        """The sheets with cells."""
        return tuple(map(SheetName, self._book.sheet_names(), self._visible))

    def rows(self, sheet: str, tally: Tally) -> Generator[SheetRow]:
        """Stream the rows of a sheet (see `Book.rows`)."""
        with self._damage_told():
            found = self._book.sheet_by_name(sheet)
        tally.merged_cells = len(found.merged_cells)
        tally.hidden_columns = sum(bool(info.hidden) for info in found.colinfo_map.values())
        for index in range(found.nrows):
            with self._damage_told():
                cells = [self._text(cell) for cell in found.row(index)]
            info = found.rowinfo_map.get(index)
            tally.hidden_rows += bool(info and info.hidden)
            if any(cell is not None for cell in cells):
                yield SheetRow(index + 1, cells)

    def _text(self, cell: Any) -> str | None:
        if cell.ctype == _TEXT:
            return str(cell.value)
        if cell.ctype in {_NUMBER, _DATE}:
            return self._converter(cell.xf_index)(repr(cell.value).removesuffix(".0"))
        if cell.ctype == _BOOL:
            return "TRUE" if cell.value else "FALSE"
        return self._errors.get(cell.value, "#ERROR") if cell.ctype == _ERROR else None

    def _converter(self, style: int) -> ToText:
        if style not in self._converters:
            key = self._book.xf_list[style].format_key
            code = self._book.format_map[key].format_str
            self._converters[style] = converter(shown_by(code, key), from_1904=self._book.datemode == 1)
        return self._converters[style]

    @contextmanager
    def _damage_told(self) -> Generator[None]:
        try:
            yield
        except FixSource:
            raise
        except Exception as error:
            if isinstance(error, MemoryError):
                raise
            told = encrypted if "encrypted" in str(error) else damaged
            raise told(self._content.name) from None


def _holds(content: FileContent, wanted: bytes) -> bool:
    with content.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        return view.find(wanted) >= 0
