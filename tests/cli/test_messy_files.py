"""Files as they really come: what is said of them can be acted on by somebody who does not program."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from command import Outcome
from tenant import Tenant
from ugly_files import as_xlsxwriter_leaves_it
from workbook_files import Cell, Sheet, ods, zipped

PHONES = [f"+1212555{100 + n:04}" for n in range(12)]


def looked_at(tenant: Tenant, file: Path, *flags: str) -> Outcome:
    return tenant.run("map", file, *flags)


def validated(tenant: Tenant, file: Path, *flags: str) -> Outcome:
    return tenant.run("validate", file, "--run-dir", tenant.folder / "run", *flags)


def german(tenant: Tenant) -> Path:
    head = "Kundennr;Nachname;Vorname;Telefon ({});E-Mail;Umsatz;Letzter Kontakt;Anrufsperre;Keine E-Mails\r\n"
    rows = "".join(
        f"{n};Müller;Jörg;030/23125 {n:03};joerg{n}@example.com;1.234,5{n % 10};0{n % 9 + 1}.03.2026;nein;ja\r\n"
        for n in range(12)
    )
    return tenant.write((head + rows).encode("cp1252"), "kunden.csv")


@pytest.mark.parametrize("name", ["mobil", "Zentrale"])
def test_a_german_file_with_decimal_commas_is_read_and_no_phone_column_is_passed_over_in_silence(
    tenant: Tenant, name: str
) -> None:
    file = german(tenant)
    file.write_bytes(file.read_bytes().replace(b"{}", name.encode()))
    told = looked_at(tenant, file, "--default-country", "DE")
    assert told.code == 0, told.out
    assert told.out.startswith(
        "Read as csv, cp1252 (by its words), delimiter ';' (by its counts), column names in row 1."
    )
    if name == "mobil":
        assert "no column is phone" not in told.out
        return
    assert "holds phone numbers, but no column is phone: nobody in this file will be called." in told.out
    assert '--map "#4=phone"' in told.out
    outcome = validated(tenant, file, "--default-country", "DE", "--map", "#4=phone", "--json")
    assert (outcome.code, outcome.rows["invalid"]) == (0, 0), outcome.err


def test_an_export_with_two_header_rows_says_how_to_name_the_right_one(tenant: Tenant) -> None:
    rows = "".join(f"{n}\t{phone}\tu{n}@example.com\tN\tN\n" for n, phone in enumerate(PHONES))
    text = f"Campaign\tSpring 2026\t\t\t\nId\tContact\t\tFlags\t\n\tPhone\tEmail\tDNC\tNo emails\n{rows}"
    file = tenant.write(text.encode("utf-16"), "export.txt")
    told = looked_at(tenant, file)
    assert told.code == 1
    assert "utf-16 (by its byte-order mark), delimiter tab (by its counts), column names in row 1" in told.out
    assert "--header-row N" in told.out
    assert looked_at(tenant, file, "--header-row", "3").code == 0
    assert validated(tenant, file, "--header-row", "3", "--json").rows["read"] == len(PHONES)


def test_the_end_of_a_report_is_rejected_line_by_line_and_may_be_left_out(tenant: Tenant) -> None:
    head = '"First Name","Last Name","Phone","Email","Do Not Call","Email Opt Out"\n'
    rows = "".join(f'"Ann","Lee","{phone}","a{n}@example.com","0","0"\n' for n, phone in enumerate(PHONES * 4))
    end = '\n"Grand Totals (48 records)"\n\n"Confidential Information"\n"Copyright 2000-2026"\n"Report Name: Spring"\n'
    outcome = validated(tenant, tenant.write(head + rows + end, "report.csv"), "--json")
    assert outcome.code == 4
    assert outcome.json["reasons"]["row.too_few_cells"] == 4
    told = (tenant.folder / "run" / "rejected.csv").read_text("utf-8")
    assert "Grand Totals" in told
    assert "a total or the end of a report" in told


def test_an_archive_of_several_files_is_asked_about(tenant: Tenant) -> None:
    table = "phone,doNotCall,doNotEmail\n+12125550100,no,no\n"
    file = tenant.write(zipped({"north.csv": table, "south.csv": table, "readme.txt": "hello"}), "lists.zip")
    told = looked_at(tenant, file)
    assert (told.code, told.out) == (1, "")
    assert "'north.csv', 'south.csv', 'readme.txt'" in told.err
    assert "--member" in told.err
    (tenant.folder / "run").mkdir()
    (tenant.folder / "run" / "notes.txt").write_text("so that the folder is kept")
    outcome = validated(tenant, file)
    assert outcome.code == 1
    assert "could not be drawn" not in outcome.out
    assert "not read" in (tenant.folder / "run" / "report.html").read_text("utf-8")
    assert "packed with zip (file south.csv)" in looked_at(tenant, file, "--member", "south.csv").out


def test_hidden_rows_are_read_and_told(tenant: Tenant) -> None:
    rows: list[list[Cell]] = [["Name", "Phone", "Do not call", "Do not email"]]
    rows += [["N", phone, False, False] for phone in PHONES]
    book = ods({"List": Sheet(rows, hidden_rows=[3, 4, 5]), "Notes": Sheet([["x"]], hidden=True)})
    outcome = validated(tenant, tenant.write(book, "liste.ods"))
    assert outcome.code == 0
    assert "12  read" in outcome.out
    assert "Warning (source.hidden_rows): 3 rows are hidden in the sheet, and read like the others." in outcome.out
    assert "1 sheet is hidden in the workbook, and not read." in outcome.out


FLAGGED = '"doNotCall":false,"doNotEmail":false'

JSON_LINES = (
    f'{{"firstName":"A","phone":"+12125550101",{FLAGGED}}}',
    '{"firstName":"B","phone":',
    "[1,2]",
    f'{{"phone":"+12125550102","phone":"+12125550103",{FLAGGED}}}',
    f'{{"phone":["+12125550104"],{FLAGGED}}}',
    *(f'{{"firstName":"C","phone":"+12125550105",{FLAGGED}}}',) * 1000,
    f'{{"firstName":"D","phone":"+12125550106","team":"x",{FLAGGED}}}',
    f'{{"firstName":"E","phone":"+12125550107",{FLAGGED}}}',
)


def test_lines_of_json_that_are_no_rows_are_rejected_each_with_its_reason(tenant: Tenant) -> None:
    outcome = validated(tenant, tenant.write("\n".join(JSON_LINES), "contacts.jsonl"), "--json")
    assert outcome.code == 4, outcome.err
    assert outcome.rows["read"] == len(JSON_LINES)
    assert (outcome.rows["invalid"], outcome.json["ready"]) == (5, 3)
    assert {code: count for code, count in outcome.json["reasons"].items() if code.startswith("row.")} == {
        "row.not_an_object": 2,
        "row.repeated_field": 1,
        "row.nested": 1,
        "row.unknown_field": 1,
    }


def test_a_row_of_a_query_that_is_no_text_is_rejected_and_harms_no_other(tenant: Tenant) -> None:
    with closing(sqlite3.connect(tenant.folder / "crm.db")) as database, database:
        database.execute("create table contacts (phone, doNotCall, doNotEmail)")
        rows = [("+12125550101", "no", "no"), (b"\xff\xfe", "no", "no"), ("+12125550103", "no", "no")]
        database.executemany("insert into contacts values (?, ?, ?)", rows)
    query = ("--query", "select * from contacts", "--max-rejected", "100%", "--json")
    outcome = validated(tenant, tenant.folder / "crm.db", *query)
    assert outcome.code == 4, outcome.err
    assert (outcome.rows["read"], outcome.rows["invalid"], outcome.json["ready"]) == (3, 1, 2)
    assert outcome.json["reasons"] == {"row.not_text": 1}


def test_what_is_one_is_told_as_one(tenant: Tenant) -> None:
    file = tenant.write("phone,doNotCall,doNotEmail\n+12125550100,no,no\n\n+12125550101,no,no\n")
    assert "1 blank line was passed over; it counts in the row numbers." in validated(tenant, file).out


def test_a_hidden_sheet_that_is_read_is_not_said_to_be_passed_over(tenant: Tenant) -> None:
    rows: list[list[Cell]] = [["Phone", "Do not call", "Do not email"], [PHONES[0], False, False]]
    book = ods({"List": Sheet(rows), "Old": Sheet(rows, hidden=True)})
    outcome = validated(tenant, tenant.write(book, "liste.ods"), "--sheet", "Old")
    assert outcome.code == 0
    assert "not read" not in outcome.out


FLAG_ONLY = "phone,doNotCall,doNotEmail\n" + "".join(
    f"{phone},{'yes' if number == 3 else ''},no\n" for number, phone in enumerate(PHONES)
)


def test_a_flag_that_is_mostly_empty_is_told_before_and_what_that_means_can_be_stated(tenant: Tenant) -> None:
    file = tenant.write(FLAG_ONLY)
    told = looked_at(tenant, file)
    assert '"doNotCall" (column 2) is doNotCall, and is empty in 11 of the first 12 rows' in told.out
    assert "--if-empty doNotCall=false" in told.out
    refused = tenant.import_file(file, "--json")
    assert (refused.code, refused.rows["invalid"]) == (6, 11)
    stated = tenant.import_file(file, "--json", "--if-empty", "doNotCall=false", "--run-dir", tenant.folder / "stated")
    assert (stated.code, stated.rows["delivered"], stated.rows["suppressed"]) == (0, 11, 1)
    assert stated.json["policy"]["stated by the user of empty cells"] == {"doNotCall": "false"}
    assert PHONES[3] not in {contact["phone"] for contact in tenant.stored}
    assert '"by":"the user; of rows whose cell is empty"' in (tenant.folder / "stated" / "audit.jsonl").read_text(
        "utf-8"
    )
    assert "is empty in" not in looked_at(tenant, file, "--if-empty", "doNotCall=false").out


def test_only_a_flag_may_be_stated_for_empty_cells(tenant: Tenant) -> None:
    assert validated(tenant, tenant.write(FLAG_ONLY), "--if-empty", "countryCode=US").code == 1


def test_a_flag_whose_formula_was_never_calculated_lets_nobody_be_called(tenant: Tenant) -> None:
    columns = (("phone", PHONES[0]), ("doNotCall", '=IF(B1="x",TRUE,FALSE)'), ("doNotEmail", "no"))
    file = tenant.write(as_xlsxwriter_leaves_it(*columns), "made.xlsx")
    outcome = validated(tenant, file, "--json", "--max-rejected", "100%")
    assert (outcome.json["ready"], outcome.json["reasons"]) == (0, {"flag.unreadable": 1})
    finding = next(each for each in outcome.json["findings"] if each["code"] == "source.uncalculated")
    assert "1 formula was not calculated" in finding["sentence"]
    assert "LibreOffice" in finding["remedy"]
