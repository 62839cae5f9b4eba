"""Files for people: the rows to mend, safe to open in a spreadsheet, and exact again when they are read back.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break for a formula, or drops
the plus of a phone number (`compliance.md` section 8). In a CSV for people such a cell, headers included, gets a quote
in front, every cell is quoted, and a column `_neutralised` says so; the quotes come off again where that column is
seen. A workbook has text cells, which are never formulas, and holds the exact values.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, Final
from xml.sax.saxutils import escape

import polars as pl

from dialfeed.contacts.fields import NEUTRALISED
from dialfeed.files import create_private

WORKBOOK_ROWS: Final = 1_048_576
"""Rows of a sheet, the header included; spreadsheets take no more."""

_CELL_CHARACTERS: Final = 32_767
_DANGEROUS: Final = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_TO_QUOTE: Final = re.compile(f"'*[{_DANGEROUS}]")
_QUOTED: Final = f"(?s)^'('*[{_DANGEROUS}].*)$"


def neutralised(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula.

    A cell that has quotes before such a character gets one more, so that taking one off always gives the cell back.
    """
    return f"'{cell}" if _TO_QUOTE.match(cell) else cell


def restored(cells: pl.DataFrame) -> pl.DataFrame:
    """The cells of a file for people as they were: one leading quote off where a listed character follows.

    Args:
        cells: Any columns; those of text are restored.
    """
    return cells.with_columns(pl.col(pl.String).str.replace(_QUOTED, "$1"))


def write_people_csv(rows: Path, target: Path) -> None:
    """Write a CSV for people: neutralised, every cell quoted, with a byte-order mark and CRLF.

    Args:
        rows: A row file of ours.
        target: The file to make.
    """
    with (
        closing(read_records(rows)) as records,
        io.TextIOWrapper(create_private(target), "utf-8-sig", newline="") as file,
    ):
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow([*map(neutralised, next(records)), NEUTRALISED])
        writer.writerows([*map(neutralised, record), "yes"] for record in records)


def write_workbook(rows: Path, target: Path) -> bool:
    """Write a workbook whose cells are text.

    Args:
        rows: A row file of ours.
        target: The file to make.

    Returns:
        Whether it could be written: not where a sheet or a cell cannot hold what there is.
    """
    with closing(read_records(rows)) as records:
        if not _fits(records):
            return False
    with (
        closing(read_records(rows)) as records,
        create_private(target) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book,
    ):
        for name, part in _PARTS.items():
            book.writestr(name, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{part}')
        with book.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(_SHEET_BEGINS)
            for record in records:
                sheet.write(_sheet_row(record))
            sheet.write(b"</sheetData></worksheet>")
    return True


def has_rows(rows: Path) -> bool:
    """Whether a row file is there and holds a row."""
    if not rows.is_file():
        return False
    with closing(read_records(rows)) as records:
        next(records, None)
        return next(records, None) is not None


def read_records(rows: Path) -> Generator[list[str]]:
    """The records of a row file, header first; a cell may be as long as it is."""
    with rows.open("rb") as file:
        yield from csv.reader(_texts(file), strict=True)


def _texts(file: BinaryIO) -> Iterator[str]:
    # decoded line by line here, since a text file would take other characters for line ends too
    csv.field_size_limit(1 << 31)
    for line in file:
        yield line.decode()


def _fits(records: Iterator[list[str]]) -> bool:
    number = 0
    for number, record in enumerate(records, 1):  # noqa: B007 - the last number is what is wanted
        if any(len(cell) > _CELL_CHARACTERS for cell in record):
            return False
    return number <= WORKBOOK_ROWS


# --- the parts of a workbook (ECMA-376) ---------------------------------------------------------------------------

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_KINDS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_PARTS: Final = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_LINKS}">'
    f'<Relationship Id="rId1" Type="{_KINDS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_KINDS}">'
    '<sheets><sheet name="Rows" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_LINKS}">'
    f'<Relationship Id="rId1" Type="{_KINDS}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_KINDS}/styles" Target="styles.xml"/></Relationships>',
    # format 49 is "@", text: what a person types into such a cell stays text as well
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf/><xf numFmtId="49" applyNumberFormat="1"/></cellXfs></styleSheet>',
}
_SHEET_BEGINS: Final = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" state="frozen"/></sheetView></sheetViews>'
    '<cols><col min="1" max="16384" style="1" width="18"/></cols><sheetData>'
).encode()
_NOT_XML: Final = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def _sheet_row(cells: Sequence[str]) -> bytes:
    texts = (f'<c s="1" t="inlineStr"><is><t xml:space="preserve">{_xml(cell)}</t></is></c>' for cell in cells)
    return f"<row>{''.join(texts)}</row>".encode()


def _xml(cell: str) -> str:
    """Text for a cell; characters that XML does not know, and what looks like their escape, as ``_xHHHH_``."""
    return _NOT_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", escape(cell))
