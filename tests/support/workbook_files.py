"""Writes workbooks for tests: with well-known libraries where there is one, else record by record."""

# ruff: noqa: E501 - XML is kept in one line

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import xlsxwriter  # type: ignore[import-untyped] # it has no types
import xlwt  # type: ignore[import-untyped] # it has no types


@dataclass(frozen=True)
class As:
    """A number in a cell with a number format."""

    value: float
    code: str


@dataclass(frozen=True)
class Formula:
    """A formula and its result when the workbook was saved."""

    text: str
    result: str | float


Cell = str | int | float | bool | As | Formula | None


@dataclass(frozen=True)
class Sheet:
    """Rows from row 1 on; which of them (from 0 on) are hidden; whether the sheet itself is."""

    rows: Sequence[Sequence[Cell]]
    hidden_rows: Sequence[int] = ()
    hidden: bool = False
    filtered: bool = False
    merged: Sequence[tuple[int, int, int, int]] = field(default_factory=tuple)


Sheets = Mapping[str, Sheet]


def xlsx(sheets: Sheets) -> bytes:
    """With XlsxWriter."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.calc_on_load = False  # the results are there, as in what Excel saves
    for name, sheet in sheets.items():
        page = book.add_worksheet(name)
        for row, column, cell in _cells(sheet):
            if isinstance(cell, As):
                page.write_number(row, column, cell.value, book.add_format({"num_format": cell.code}))
            elif isinstance(cell, Formula):
                page.write_formula(row, column, "=" + cell.text, None, cell.result)
            elif isinstance(cell, str):
                page.write_string(row, column, cell)
            else:
                page.write(row, column, cell)
        for row in sheet.hidden_rows:
            page.set_row(row, None, None, {"hidden": True})
        for area in sheet.merged:
            page.merge_range(*area, None)
        if sheet.filtered:
            page.autofilter(0, 0, len(sheet.rows), 0)
        if sheet.hidden:
            page.hide()
        else:
            page.activate()
    book.close()
    return out.getvalue()


def xls(sheets: Sheets) -> bytes:
    """With xlwt."""
    out = io.BytesIO()
    book = xlwt.Workbook()
    for name, sheet in sheets.items():
        page = book.add_sheet(name)
        page.visibility = int(sheet.hidden)
        for row, column, cell in _cells(sheet):
            if isinstance(cell, As):
                page.write(row, column, cell.value, xlwt.easyxf(num_format_str=cell.code))
            elif isinstance(cell, Formula):
                page.write(row, column, xlwt.Formula(cell.text))
            else:
                page.write(row, column, cell)
        for row in sheet.hidden_rows:
            page.row(row).hidden = True
        for area in sheet.merged:
            page.merge(area[0], area[2], area[1], area[3])
    book.save(out)
    return out.getvalue()


def _cells(sheet: Sheet) -> list[tuple[int, int, Cell]]:
    return [
        (row, column, cell)
        for row, cells in enumerate(sheet.rows)
        for column, cell in enumerate(cells)
        if cell is not None
    ]


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


# --- xlsx, part by part -----------------------------------------------------------------------------------------------

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def _relations(targets: Mapping[str, tuple[str, str]]) -> str:
    rows = "".join(
        f'<Relationship Id="{key}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    return f'{_XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{rows}</Relationships>'


def raw_xlsx(sheet_data: str, *, strings: str = "", styles: str = "", prefix: str = "", before: str = "") -> bytes:
    """A workbook with one sheet, whose XML is given; `prefix` is that of the namespace in the other parts."""
    mark = f"{prefix}:" if prefix else ""
    main = f'xmlns{":" + prefix if prefix else ""}="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    sheet = f'<{mark}sheet name="Contacts" sheetId="1" r:id="rId1"/>'
    targets = {
        "rId1": ("worksheet", "worksheets/sheet1.xml"),
        "rId2": ("sharedStrings", "sharedStrings.xml"),
        "rId3": ("styles", "styles.xml"),
    }
    return zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": _relations({"rId1": ("officeDocument", "xl/workbook.xml")}),
            "xl/_rels/workbook.xml.rels": _relations(targets),
            "xl/workbook.xml": f'{_XML}<{mark}workbook {main} xmlns:r="{_OFFICE}"><{mark}sheets>{sheet}</{mark}sheets></{mark}workbook>',
            "xl/sharedStrings.xml": f"{_XML}<{mark}sst {main}>{strings}</{mark}sst>",
            "xl/styles.xml": f"{_XML}<{mark}styleSheet {main}>{styles}</{mark}styleSheet>",
            "xl/worksheets/sheet1.xml": f"{_XML}{before}<{mark}worksheet {main}><{mark}sheetData>{sheet_data}</{mark}sheetData></{mark}worksheet>",
        }
    )


# --- ods --------------------------------------------------------------------------------------------------------------

_ODS_SPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in {"office": "office", "table": "table", "text": "text", "style": "style"}.items()
)


def ods(sheets: Sheets, *, tail: str = "") -> bytes:
    """Part by part; `tail` comes after the rows of each table."""
    tables = "".join(_ods_table(name, sheet, tail) for name, sheet in sheets.items())
    styles = '<style:style style:name="off" style:family="table"><style:table-properties table:display="false"/></style:style>'
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": "<manifest/>",
            "content.xml": f"{_XML}<office:document-content {_ODS_SPACES}><office:automatic-styles>{styles}"
            f"</office:automatic-styles><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
            "</office:document-content>",
        }
    )


def _ods_table(name: str, sheet: Sheet, tail: str) -> str:
    rows = "".join(
        f"<table:table-row{_ods_visibility(sheet, index)}>{''.join(map(ods_cell, cells))}</table:table-row>"
        for index, cells in enumerate(sheet.rows)
    )
    style = ' table:style-name="off"' if sheet.hidden else ""
    return f"<table:table table:name={quoteattr(name)}{style}>{rows}{tail}</table:table>"


def _ods_visibility(sheet: Sheet, index: int) -> str:
    if index not in sheet.hidden_rows:
        return ""
    return f' table:visibility="{"filter" if sheet.filtered else "collapse"}"'


def ods_cell(cell: Cell) -> str:
    """A cell with its value and what is shown of it."""
    if cell is None:
        return "<table:table-cell/>"
    if isinstance(cell, bool):
        return f'<table:table-cell office:value-type="boolean" office:boolean-value="{str(cell).lower()}"/>'
    if isinstance(cell, As | int | float):
        value, shown = (cell.value, _shown(cell)) if isinstance(cell, As) else (cell, repr(cell))
        return f'<table:table-cell office:value-type="float" office:value="{value!r}"><text:p>{shown}</text:p></table:table-cell>'
    if isinstance(cell, Formula):
        shown = escape(str(cell.result))
        return f'<table:table-cell table:formula={quoteattr("of:=" + cell.text)} office:value-type="string"><text:p>{shown}</text:p></table:table-cell>'
    lines = "".join(f"<text:p>{escape(line)}</text:p>" for line in cell.split("\n"))
    return f'<table:table-cell office:value-type="string">{lines}</table:table-cell>'


def _shown(cell: As) -> str:
    return str(int(cell.value)).zfill(cell.code.count("0"))


# --- xlsb -------------------------------------------------------------------------------------------------------------


def record(kind: int, data: bytes = b"") -> bytes:
    """One record of an xlsb part."""
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size = len(data)
    sizes = bytearray()
    while True:
        sizes.append(size & 0x7F | (0x80 if size > 0x7F else 0))
        size >>= 7
        if not size:
            return head + bytes(sizes) + data


def wide(text: str) -> bytes:
    """A string in an xlsb part."""
    encoded = text.encode("utf-16-le")
    return struct.pack("<I", len(encoded) // 2) + encoded


def xlsb(sheets: Sheets) -> bytes:
    """Record by record."""
    codes: list[str] = []
    strings: list[str] = []
    parts: dict[str, str | bytes] = {"[Content_Types].xml": "<Types/>"}
    bundle = b""
    targets = {"rIdS": ("sharedStrings", "sharedStrings.bin"), "rIdT": ("styles", "styles.bin")}
    for number, (name, sheet) in enumerate(sheets.items(), start=1):
        targets[f"rId{number}"] = ("worksheet", f"worksheets/sheet{number}.bin")
        bundle += record(156, struct.pack("<II", int(sheet.hidden), number) + wide(f"rId{number}") + wide(name))
        parts[f"xl/worksheets/sheet{number}.bin"] = _xlsb_sheet(sheet, codes, strings)
    parts["xl/workbook.bin"] = record(131) + record(153, bytes(12)) + record(143) + bundle + record(144) + record(132)
    parts["xl/_rels/workbook.bin.rels"] = _relations(targets)
    parts["_rels/.rels"] = _relations({"rId1": ("officeDocument", "xl/workbook.bin")})
    parts["xl/sharedStrings.bin"] = (
        record(159, struct.pack("<II", len(strings), len(strings)))
        + b"".join(record(19, b"\0" + wide(each)) for each in strings)
        + record(160)
    )
    parts["xl/styles.bin"] = _xlsb_styles(codes)
    return zipped(parts)


def _xlsb_styles(codes: list[str]) -> bytes:
    formats = b"".join(record(44, struct.pack("<H", 164 + i) + wide(code)) for i, code in enumerate(codes))
    styles = b"".join(
        record(47, struct.pack("<HH", 0, number) + bytes(12)) for number in [0, *range(164, 164 + len(codes))]
    )
    return (
        record(278)
        + record(615, struct.pack("<I", len(codes)))
        + formats
        + record(616)
        + record(617, struct.pack("<I", len(codes) + 1))
        + styles
        + record(618)
        + record(279)
    )


def _xlsb_sheet(sheet: Sheet, codes: list[str], strings: list[str]) -> bytes:
    out = record(129) + record(148, struct.pack("<IIII", 0, len(sheet.rows), 0, 50)) + record(145)
    for row, cells in enumerate(sheet.rows):
        flags = 0x10 if row in sheet.hidden_rows else 0
        out += record(0, struct.pack("<IIHBB", row, 0, 300, 0, flags) + bytes(5))
        out += b"".join(
            _xlsb_cell(column, cell, codes, strings) for column, cell in enumerate(cells) if cell is not None
        )
    out += record(146)
    if sheet.filtered:
        out += record(161, bytes(16)) + record(162)
    out += b"".join(record(176, struct.pack("<IIII", a[0], a[2], a[1], a[3])) for a in sheet.merged)
    return out + record(130)


def _xlsb_cell(column: int, cell: Cell, codes: list[str], strings: list[str]) -> bytes:
    style = 0
    value: Any = cell
    if isinstance(cell, As):
        if cell.code not in codes:
            codes.append(cell.code)
        style, value = codes.index(cell.code) + 1, cell.value
    head = struct.pack("<II", column, style)
    if isinstance(value, bool):
        return record(4, head + bytes([value]))
    if isinstance(value, Formula):
        if isinstance(value.result, str):
            return record(8, head + wide(value.result) + bytes(10))
        return record(9, head + struct.pack("<d", value.result) + bytes(10))
    if isinstance(value, int) and abs(value) < 1 << 29:
        return record(2, head + struct.pack("<i", value << 2 | 2))
    if isinstance(value, int | float):
        return record(5, head + struct.pack("<d", value))
    if value not in strings:
        strings.append(value)
    return record(7, head + struct.pack("<I", strings.index(value)))
