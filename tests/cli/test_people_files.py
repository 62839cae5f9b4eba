"""A person gets a file to open in a spreadsheet, and gives it back."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import python_calamine
import xlsxwriter  # type: ignore[import-untyped] # it has no types
from command import Outcome
from tenant import Tenant
from workbook_files import Sheet, ods

HEADER = "externalId,firstName,lastName,phone,note,doNotCall,doNotEmail\n"
TRICKY = {
    "=7": ("@Ada", "-Bo", "=1+1"),
    "'=8": ("'tis", "+1 212", "'"),
    "0012": ("12345678901234567890", "1e5", "2026-01-02"),
    "TRUE": ("_x0041_", "a\tb", "line\nbreak"),
    "+5": ("Zoë", "Ⅷ 🙂", '"quoted", with comma'),
}
"""What a spreadsheet would run, cut, round or take for something else: external id, names and a note."""


def row(external_id: str, phone: str, first: str = "x", last: str = "y", note: str = "") -> list[str]:
    return [external_id, first, last, phone, note, "no", "no"]


def first_run(tenant: Tenant, kind: str) -> Path:
    """A run of 25 rows of which the tricky ones are rejected for their phone."""
    path = tenant.folder / "contacts.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(HEADER)
        writer = csv.writer(file)
        writer.writerows(row(key, "oops", *texts) for key, texts in TRICKY.items())
        writer.writerows(row(f"C-{n}", f"+1212555{100 + n:04}") for n in range(20))
    outcome = tenant.import_file(path, "--people-files", kind, "--max-rejected", "5")
    assert outcome.code == 4, outcome.err
    return tenant.folder / "run"


def retry(tenant: Tenant, file: Path) -> Outcome:
    return tenant.run("retry", tenant.folder / "run", file, "--json")


def cells_of(book: Path) -> list[list[str]]:
    """The cells of a workbook as another program reads them."""
    rows = python_calamine.CalamineWorkbook.from_path(book).get_sheet_by_index(0).to_python()
    assert all(isinstance(cell, str) for cells in rows for cell in cells), "every cell is text"
    return [[str(cell) for cell in cells] for cells in rows]


def csv_rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def saved_by_excel(path: Path, rows: list[list[str]]) -> None:
    book = xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_numbers": False})
    sheet = book.add_worksheet("Rows")
    text = book.add_format({"num_format": "@"})
    for number, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            sheet.write_string(number, column, cell, text)
    book.close()


def saved_by_libreoffice(path: Path, rows: list[list[str]]) -> None:
    path.write_bytes(ods({"Rows": Sheet(rows)}))


def saved_as_csv(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-16", newline="") as file:
        csv.writer(file, delimiter="\t").writerows(rows)


@pytest.mark.parametrize("save", [saved_by_excel, saved_by_libreoffice, saved_as_csv])
def test_a_workbook_mended_and_saved_by_a_spreadsheet_closes_its_rows(
    tenant: Tenant, save: Callable[[Path, list[list[str]]], None]
) -> None:
    run = first_run(tenant, "xlsx")
    rows = cells_of(run / "rejected.xlsx")
    assert rows[0][:7] == HEADER.strip().split(",")
    assert [cells[3] for cells in rows[1:]] == ["oops"] * len(TRICKY)
    for number, cells in enumerate(rows[1:]):
        cells[3] = f"+1212555019{number}"
    save(tenant.folder / "mended", rows)
    outcome = retry(tenant, tenant.folder / "mended")
    assert outcome.code == 0, outcome.err
    assert outcome.rows["delivered"] == len(TRICKY)
    summary = json.loads((run / "summary.json").read_bytes())
    assert (summary["rows"]["delivered"], summary["rows"]["invalid"]) == (25, 0)
    stored = {each["externalId"]: each for each in tenant.stored}
    for number, (key, (first, last, _)) in enumerate(TRICKY.items()):
        contact = stored[key]
        assert contact["phone"] == f"+1212555019{number}"
        assert (contact["firstName"], contact["lastName"]) == (first, last.replace("\t", " "))


def test_a_workbook_given_back_as_it_is_rejects_the_same_rows_with_the_same_cells(tenant: Tenant) -> None:
    run = first_run(tenant, "xlsx")
    outcome = retry(tenant, run / "rejected.xlsx")
    assert outcome.code == 4, outcome.err
    assert csv_rows(Path(outcome.json["folder"]) / "rejected.csv") == csv_rows(run / "rejected.csv")


@pytest.mark.parametrize("typed", ["'+12125550190", "+12125550190", "+1 (212) 555-0190"])
def test_a_csv_for_people_mended_closes_its_rows_exactly(tenant: Tenant, typed: str) -> None:
    run = first_run(tenant, "csv")
    rows = csv_rows(run / "rejected.people.csv")
    assert not [cell for cells in rows for cell in cells if cell.startswith(("=", "+", "-", "@"))], "nothing is run"
    rows[1][rows[0].index("phone")] = typed
    saved_as_csv(tenant.folder / "mended.csv", rows[:2])
    outcome = retry(tenant, tenant.folder / "mended.csv")
    assert outcome.code == 0, outcome.err
    sent = {(each["externalId"], each["firstName"], each["lastName"], each["phone"]) for each in tenant.stored}
    assert ("=7", "@Ada", "-Bo", "+12125550190") in sent


def test_a_file_for_people_mended_is_imported_exactly(tenant: Tenant) -> None:
    header = "externalId,firstName,phone,doNotCall,doNotEmail\n"
    rows = "=7,@Ada,oops,no,no\n'=8,-Bo,oops,no,no\n" + "".join(f"{n},x,+1212555{100 + n:04},no,no\n" for n in range(9))
    flags = ("--people-files", "csv")
    assert tenant.import_file(tenant.write(header + rows), *flags).code == 4
    told = (tenant.folder / "run" / "rejected.people.csv").read_text("utf-8")
    mended = tenant.write(told.replace("oops", "'+12125550199"), "mended.csv")
    assert tenant.import_file(mended, "--run-dir", tenant.folder / "second").code == 0
    sent = {(each["externalId"], each["firstName"], each["phone"]) for each in tenant.stored}
    assert {("=7", "@Ada", "+12125550199"), ("'=8", "-Bo", "+12125550199")} <= sent


def test_nothing_is_written_for_people_unless_asked(tenant: Tenant) -> None:
    rows = "phone,doNotCall,doNotEmail\noops,no,no\n"
    assert tenant.run("validate", tenant.write(rows), "--run-dir", tenant.folder / "a", "--max-rejected", "1").code == 4
    assert not [each for each in (tenant.folder / "a").iterdir() if "people" in each.name or each.suffix == ".xlsx"]
    flags = ("--run-dir", tenant.folder / "b", "--max-rejected", "1", "--people-files", "xlsx")
    assert tenant.run("validate", tenant.write(rows), *flags).code == 4
    assert (tenant.folder / "b" / "rejected.xlsx").is_file()
