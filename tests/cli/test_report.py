"""Every run leaves a report that anybody can open; it holds no person, and can be drawn again."""

from __future__ import annotations

import stat
from pathlib import Path
from unittest import mock

import pytest
from html_page import Page
from tenant import Tenant

HEADER = "externalId,firstName,phone,email,doNotCall,doNotEmail\n"
ROWS = (
    "X-4711,Zebulon,+12125550123,zebulon@example.com,no,no\n"
    "X-4711,Zebulon,+12125550123,zebulon@example.com,no,no\n"
    "X-4712,Yolanda,12125550,yolanda@example.com,no,no\n"
    "X-4713,Xaver,+12125550177,xaver@example.com,yes,yes\n"
    "X-4714,Wanda,+12125550188,no-at,no,no\n"
)
PRIVATE = (
    "X-4711",
    "X-4712",
    "Zebulon",
    "Yolanda",
    "Xaver",
    "zebulon",
    "xaver",
    "5550123",
    "5550177",
    "12125550",
    "no-at",
)


def read(run: Path) -> Page:
    return Page((run / "report.html").read_text("utf-8"))


def imported(tenant: Tenant, *flags: str, **env: str) -> Path:
    tenant.import_file(tenant.write(HEADER + ROWS), "--max-rejected", "9", *flags, **env)
    return tenant.folder / "run"


def test_an_import_leaves_a_report_for_its_owner_that_holds_no_person(tenant: Tenant) -> None:
    run = imported(tenant)
    assert stat.S_IMODE((run / "report.html").stat().st_mode) == 0o600
    report = read(run)
    assert {row[0]: row[1] for row in report.table("Rows by bucket")} == {
        "delivered": "1", "duplicate": "1", "invalid": "2", "suppressed": "1", "refused": "0", "failed": "0",
        "unknown": "0", "read": "5",
    }  # fmt: skip
    assert report.table("The first of them") == [["3", "2"]]
    assert any(row[3] == "row 5 +1 … 77" for row in report.table("Reasons why"))
    assert report.table("The platform's count")[-1] == ["on the list after", "1"]
    for private in PRIVATE:
        assert private not in report.source


@pytest.mark.parametrize("command", ["validate", "rehearsal", "wrong secret", "guard"])
def test_every_kind_of_run_leaves_a_report(tenant: Tenant, command: str) -> None:
    run, file = tenant.folder / "run", tenant.write(HEADER + ROWS)
    if command == "validate":
        tenant.run("validate", file, "--run-dir", run, "--max-rejected", "9")
    else:
        secret = {"CXONE_CLIENT_SECRET": "wrong"} if command == "wrong secret" else {}
        flags = {"rehearsal": ("--dry-run", "--max-rejected", "9"), "guard": ("--max-rejected", "0")}.get(command, ())
        tenant.import_file(file, *flags, **secret)
    headline = next(read(run).root.all("h1")).text
    told = {
        "validate": "1 of 5 rows is fit to load.",
        "rehearsal": "1 of 5 rows is fit to load.",
        "wrong secret": "The run failed",
        "guard": "A guard stopped this run",
    }
    assert headline.startswith(told[command])


def test_a_retry_brings_the_report_of_the_first_run_up_to_date(tenant: Tenant) -> None:
    run = imported(tenant)
    rejected = (run / "rejected.csv").read_text("utf-8")
    mended = tenant.write(rejected.replace(",12125550,", ",+12125550199,"), "mended.csv")
    outcome = tenant.run("retry", run, mended, "--json")
    (row,) = read(run).table("Rows that were mended")
    assert row[:3] == [outcome.json["run"], "2", "1"]
    assert dict(row[:2] for row in read(run).table("Rows by bucket"))["delivered"] == "2"
    assert read(Path(outcome.json["folder"])).headings()


def test_a_report_that_cannot_be_drawn_is_a_finding_and_no_failed_run(tenant: Tenant) -> None:
    with mock.patch("dialfeed.reports.html.page.render", side_effect=RuntimeError):
        outcome = tenant.import_file(tenant.write(HEADER + ROWS.splitlines(keepends=True)[0]), "--json")
    assert outcome.code == 0
    assert [finding["code"] for finding in outcome.json["findings"]] == ["report.not_drawn"]
    assert "RuntimeError" in outcome.json["findings"][0]["sentence"]


def test_the_summary_tells_which_column_is_which_field(tenant: Tenant) -> None:
    outcome = tenant.import_file(tenant.write("Ref,Handy,doNotCall,doNotEmail\n9,+12125550100,no,no\n"), "--json")
    assert outcome.json["fields"]["phone"] == "Handy"
