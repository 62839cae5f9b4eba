"""Files for people are safe to open, and give back exactly what was in them."""

from __future__ import annotations

import csv
import re
import stat
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.reports.people import has_rows, neutralised, restored, write_people_csv, write_workbook

DANGEROUS = ["=1+1", "+12125550100", "-1", "@cmd", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x"]  # noqa: RUF001 - full-width forms are the point
texts = st.text(st.one_of(st.sampled_from("'=+-@\t\r\n＝＋a1_x"), st.characters(codec="utf-8")))  # noqa: RUF001 - as above


def rows_file(path: Path, records: Sequence[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(records)
    return path


@pytest.mark.parametrize("cell", DANGEROUS)
def test_a_cell_that_a_spreadsheet_would_run_gets_a_quote_in_front(cell: str) -> None:
    assert neutralised(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Ada", "O'Brien", "'tis", "1+1", "a=b", " =1", "'"])
def test_any_other_cell_stays_as_it_is(cell: str) -> None:
    assert neutralised(cell) == cell


def given_back(cells: Sequence[str]) -> list[str]:
    return restored(pl.DataFrame({"0": cells}, schema={"0": pl.String}))["0"].to_list()


@given(st.lists(texts))
def test_what_is_neutralised_comes_back_exactly(cells: list[str]) -> None:
    assert given_back([neutralised(cell) for cell in cells]) == cells
    assert not any(re.match("[=+\\-@\t\r\n＝＋－＠]", neutralised(cell)) for cell in cells)  # noqa: RUF001 - as above


def test_a_number_that_a_person_mended_without_a_quote_is_taken_as_it_is() -> None:
    assert given_back(["+12125550100", "'+12125550100", "'Ada"]) == ["+12125550100", "+12125550100", "'Ada"]


def test_a_csv_for_people_is_quoted_marked_and_neutralised_headers_included(tmp_path: Path) -> None:
    rows = rows_file(tmp_path / "rejected.csv", [["=phone", "note"], ["+12125550100", 'say "hi"\r\nthen'], ["", ","]])
    write_people_csv(rows, tmp_path / "rejected.people.csv")
    assert (tmp_path / "rejected.people.csv").read_bytes().decode() == (
        '\ufeff"\'=phone","note","_neutralised"\r\n'
        '"\'+12125550100","say ""hi""\r\nthen","yes"\r\n'
        '"",",","yes"\r\n'
    )  # fmt: skip
    assert stat.S_IMODE((tmp_path / "rejected.people.csv").stat().st_mode) == 0o600


def workbook_cells(path: Path) -> list[list[str]]:
    name = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(path) as book:
        assert book.testzip() is None
        for part in book.namelist():
            ET.fromstring(book.read(part))  # noqa: S314 - our own file
        sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - our own file
    assert not list(sheet.iter(f"{name}f")), "no cell is a formula"
    assert {cell.get("t") for cell in sheet.iter(f"{name}c")} == {"inlineStr"}
    rows = [[each.text or "" for each in row.iter(f"{name}t")] for row in sheet.iter(f"{name}row")]
    return [[re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), cell) for cell in row] for row in rows]


@given(st.lists(st.lists(texts, min_size=2, max_size=2), min_size=1, max_size=5))
def test_a_workbook_holds_exact_cells_of_text(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    folder = tmp_path_factory.mktemp("book")
    assert write_workbook(rows_file(folder / "rejected.csv", rows), folder / "rejected.xlsx")
    assert workbook_cells(folder / "rejected.xlsx") == rows


def test_a_cell_that_no_sheet_holds_makes_no_workbook(tmp_path: Path) -> None:
    rows = rows_file(tmp_path / "rejected.csv", [["note"], ["x" * 40_000]])
    assert not write_workbook(rows, tmp_path / "rejected.xlsx")
    assert not (tmp_path / "rejected.xlsx").exists()


def test_a_file_with_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    assert not has_rows(tmp_path / "rejected.csv")
    assert not has_rows(rows_file(tmp_path / "rejected.csv", [["note"]]))
    assert has_rows(rows_file(tmp_path / "rejected.csv", [["note"], ["x"]]))
