"""Rejected rows come back mended: only they are loaded, each once, and the run's report closes them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from command import Outcome
from tenant import Tenant
from workbook_files import Sheet, xlsx

from dialfeed.audit.check import check
from dialfeed.sandbox import Fault, FaultPlan

HEADER = "externalId,phone,doNotCall,doNotEmail\n"


def first_run(tenant: Tenant) -> Path:
    """A run of 60 rows of which rows 2, 12, 22, 32, 42 and 52 are rejected."""
    lines = [f"{n},{f'+1212555{100 + n:04}' if n % 10 else 'oops'},no,no\n" for n in range(60)]
    assert tenant.import_file(tenant.write(HEADER + "".join(lines))).code == 4
    return tenant.folder / "run"


def rejected(run: Path) -> list[dict[str, str]]:
    with (run / "rejected.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def mended(tenant: Tenant, rows: list[dict[str, str]], *phones: str) -> Path:
    path = tenant.folder / "mended.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(row | {"phone": phone} for row, phone in zip(rows, phones, strict=False))
    return path


def retry(tenant: Tenant, file: Path, *flags: str) -> Outcome:
    return tenant.run("retry", tenant.folder / "run", file, "--json", *flags)


def report(run: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((run / "summary.json").read_bytes())
    assert told["rows"]["read"] == sum(count for name, count in told["rows"].items() if name != "read")
    trail = (run / "audit.jsonl").read_bytes().splitlines(keepends=True)
    assert check(trail, last_hash=told["audit_hash"]).whole
    return told


GOOD = [f"+1212555019{n}" for n in range(6)]


def test_rows_that_were_mended_in_the_runs_folder_are_found_by_the_command_that_the_run_names(tenant: Tenant) -> None:
    run = first_run(tenant)
    mended(tenant, rejected(run), *GOOD).rename(run / "rejected.csv")
    words = report(run)["next"].split("dialfeed ")[1].split()
    outcome = tenant.run(*words, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.rows["delivered"] == 6


def test_mended_rows_are_delivered_and_closed(tenant: Tenant) -> None:
    run = first_run(tenant)
    outcome = retry(tenant, mended(tenant, rejected(run), *GOOD))
    assert outcome.code == 0, outcome.err
    assert outcome.rows["delivered"] == 6 == outcome.rows["read"]
    told = report(run)
    assert (told["rows"]["delivered"], told["rows"]["invalid"]) == (60, 0)
    assert (told["status"], told["exit_code"], told["next"]) == ("SUCCESS", 0, "")
    assert [(each["run"], each["rows"], each["delivered"]) for each in told["retries"]] == [(outcome.json["run"], 6, 6)]
    assert told["first_rows"]["invalid"] == 6
    assert len(tenant.stored) == 60
    assert json.loads((run / "audit.jsonl").read_bytes().splitlines()[-1])["event"] == "rows.retried"


def test_the_same_file_again_loads_nothing(tenant: Tenant) -> None:
    run = first_run(tenant)
    file = mended(tenant, rejected(run), *GOOD)
    assert retry(tenant, file).code == 0
    before = report(run)
    again = retry(tenant, file)
    assert again.code == 0
    assert again.rows["read"] == 0
    assert "6 rows are closed already" in json.dumps(again.json["findings"])
    assert len(tenant.stored) == 60
    assert report(run) == before


def test_a_row_that_is_still_wrong_stays_open_until_it_is_right(tenant: Tenant) -> None:
    run = first_run(tenant)
    outcome = retry(tenant, mended(tenant, rejected(run), GOOD[0], GOOD[1], "still wrong"))
    assert outcome.code == 4
    told = report(run)
    assert (told["rows"]["delivered"], told["rows"]["invalid"], told["exit_code"]) == (56, 4, 4)
    (left,) = rejected(Path(outcome.json["folder"]))
    assert outcome.json["next"].endswith(f"retry {told['run']} {outcome.json['folder']}/rejected.csv")
    nested = tenant.run("retry", outcome.json["run"], tenant.folder / "mended.csv")
    assert nested.code == 1
    assert told["run"] in nested.err
    assert left["_row"] == rejected(run)[2]["_row"]
    assert retry(tenant, mended(tenant, [left], GOOD[2])).code == 0
    assert retry(tenant, mended(tenant, rejected(run), *GOOD)).rows["delivered"] == 3
    told = report(run)
    assert (told["rows"]["delivered"], told["rows"]["invalid"], len(told["retries"])) == (60, 0, 3)
    assert len({each["externalId"] for each in tenant.stored}) == len(tenant.stored) == 60


def test_rows_that_the_run_did_not_reject_are_told_and_not_loaded(tenant: Tenant) -> None:
    run = first_run(tenant)
    row = rejected(run)[0]
    rows = [row | {"_row": "3"}, row | {"_row": "999"}, row | {"_row": ""}, row, row]
    outcome = retry(tenant, mended(tenant, rows, *GOOD))
    assert outcome.rows["delivered"] == 1
    told = json.dumps(outcome.json["findings"])
    assert "3 rows were not rejected or refused" in told
    assert "1 row has a _row that stands in the file before" in told
    assert len(tenant.stored) == 55


@pytest.mark.parametrize("number", ["3", "x"])
def test_a_file_of_another_run_is_not_loaded(tenant: Tenant, number: str) -> None:
    run = first_run(tenant)
    outcome = retry(tenant, mended(tenant, [rejected(run)[0] | {"_row": number}], GOOD[0]))
    assert outcome.code == 1
    assert len(tenant.stored) == 54
    assert report(run)["retries"] == []


def test_a_file_without_row_numbers_is_not_loaded(tenant: Tenant) -> None:
    first_run(tenant)
    outcome = retry(tenant, tenant.write(HEADER + "1,+12125550190,no,no\n", "mended.csv"))
    assert outcome.code == 1
    assert "_row" in outcome.err


def test_a_mended_contact_that_the_run_delivered_already_is_a_duplicate(tenant: Tenant) -> None:
    run = first_run(tenant)
    rows = rejected(run)
    again = [rows[0] | {"externalId": "7"}, rows[1]]
    outcome = retry(tenant, mended(tenant, again, "+1 212 555 0107", GOOD[1]))
    assert (outcome.rows["duplicate"], outcome.rows["delivered"]) == (1, 1)
    told = report(run)
    assert (told["rows"]["duplicate"], told["rows"]["delivered"], told["rows"]["invalid"]) == (1, 55, 4)
    assert len(tenant.stored) == 55


def test_a_retry_that_did_not_end_is_resumed_and_closes_its_rows(tenant: Tenant) -> None:
    run = first_run(tenant)
    file = mended(tenant, rejected(run), *GOOD)
    tenant.sandbox.set_faults(FaultPlan(rules=(Fault("status", every=1, status=429),)))
    stopped = retry(tenant, file, "--retries", "0", "--deadline", "1")
    assert stopped.code == 3
    told = report(run)
    assert (told["rows"]["failed"], told["rows"]["invalid"]) == (6, 0)
    assert stopped.json["run"] in told["next"]
    tenant.sandbox.set_faults(FaultPlan())
    assert "closed already, or under way" in json.dumps(retry(tenant, file).json["findings"])
    resumed = tenant.run("resume", stopped.json["run"], "--json", "--deadline", "60")
    assert resumed.rows["delivered"] == 6, resumed.err
    told = report(run)
    assert (told["rows"]["delivered"], told["exit_code"], told["next"]) == (60, 0, "")
    assert len(tenant.stored) == 60


def test_a_retry_that_was_killed_stands_in_the_way_until_it_is_resumed(tenant: Tenant) -> None:
    run = first_run(tenant)
    file = mended(tenant, rejected(run), *GOOD)
    tenant.sandbox.set_faults(FaultPlan(rules=(Fault("status", every=1, status=429),)))
    stopped = retry(tenant, file, "--retries", "0", "--deadline", "1").json
    tenant.sandbox.set_faults(FaultPlan())
    (Path(stopped["folder"]) / "summary.json").unlink()  # as if the process had ended before it wrote that
    refused = retry(tenant, file)
    assert refused.code == 1
    assert f"dialfeed resume {stopped['run']}" in refused.err
    assert tenant.run("resume", stopped["run"], "--deadline", "60").code == 0
    assert report(run)["rows"]["delivered"] == 60
    assert len(tenant.stored) == 60


def test_a_report_that_was_not_brought_up_to_date_is_when_the_retry_is_resumed(tenant: Tenant) -> None:
    run = first_run(tenant)
    before = {name: (run / name).read_bytes() for name in ("summary.json", "audit.jsonl")}
    done = retry(tenant, mended(tenant, rejected(run), *GOOD)).json
    for name, content in before.items():  # as if the process had ended between the two reports
        (run / name).write_bytes(content)
    assert tenant.run("resume", done["run"]).code == 0
    assert report(run)["rows"]["delivered"] == 60
    shown = tenant.run("resume", run).out
    assert "Still open: 0" in shown
    assert len(tenant.stored) == 60


def test_a_run_that_sent_nothing_has_no_rows_to_retry(tenant: Tenant) -> None:
    file = tenant.write(HEADER + "1,oops,no,no\n")
    assert tenant.import_file(file, "--dry-run", "--max-rejected", "1").code == 4
    assert retry(tenant, tenant.folder / "run" / "rejected.csv").code == 1


@pytest.mark.parametrize("end", [".0", ".00", ",0", " "])
def test_a_row_number_that_went_through_a_fraction_is_still_the_rows(tenant: Tenant, end: str) -> None:
    run = first_run(tenant)
    rows = [row | {"_row": row["_row"] + end} for row in rejected(run)]
    assert retry(tenant, mended(tenant, rows, *GOOD)).rows["delivered"] == 6


@pytest.mark.parametrize("number", ["12.5", "1e1", "twelve", ""])
def test_what_is_no_row_number_is_none(tenant: Tenant, number: str) -> None:
    run = first_run(tenant)
    rows = [row | {"_row": number if row["_row"] == "12" else row["_row"]} for row in rejected(run)]
    outcome = retry(tenant, mended(tenant, rows, *GOOD))
    assert outcome.rows["delivered"] == 5
    assert "1 row was not rejected or refused" in outcome.json["findings"][0]["sentence"]


def test_how_a_mended_file_is_read_may_be_said_and_is_not_what_was_said_of_the_first(tenant: Tenant) -> None:
    lines = "".join(f"{n};{f'+1212555{100 + n:04}' if n % 10 else 'oops'};no;no\n" for n in range(60))
    file = tenant.write("A list\n" + HEADER.replace(",", ";") + lines)
    assert tenant.import_file(file, "--delimiter", ";", "--header-row", "2").code == 4
    rows = rejected(tenant.folder / "run")
    cells = [[*rows[0]], *([*(row | {"phone": phone}).values()] for row, phone in zip(rows, GOOD, strict=True))]
    book = tenant.write(xlsx({"Mended": Sheet(cells[:4]), "Later": Sheet(cells)}), "mended.xlsx")
    asked = retry(tenant, book)
    assert (asked.code, "--sheet" in asked.json["error"]) == (1, True)
    assert retry(tenant, book, "--sheet", "Mended").rows["delivered"] == 3
    assert retry(tenant, mended(tenant, rows, *GOOD)).rows["delivered"] == 3


def test_a_column_that_was_renamed_in_a_mended_file_is_told_with_what_can_be_done(tenant: Tenant) -> None:
    run = first_run(tenant)
    file = mended(tenant, rejected(run), *GOOD)
    file.write_text(file.read_text("utf-8").replace("externalId", "Customer", 1), "utf-8")
    outcome = retry(tenant, file)
    assert outcome.code == 6
    assert "retry it again" in outcome.json["error"]
    assert "--accept-drift" not in outcome.json["error"]


@pytest.mark.parametrize("bucket", ["unknown", "failed"])
def test_a_mended_row_that_is_a_contact_still_under_way_is_not_sent_beside_it(tenant: Tenant, bucket: str) -> None:
    """The first batch is lost, and the count cannot tell; or nothing is sent any more after it."""
    lost = Fault("status", status=502, at=(1,), when="after_write")
    blind = Fault("status", status=500, target="count", every=1, after=2)
    tenant.sandbox.set_faults(FaultPlan(rules=(lost, blind) if bucket == "unknown" else ()))
    lines = [f"{n},{f'+1212555{100 + n:04}' if n else 'oops'},no,no\n" for n in range(30)]
    flags = ("--in-flight", "1", "--batch-contacts", "10", "--count-lag", "0.5", "--settle-grace", "0.2", "--json")
    no_time = () if bucket == "unknown" else ("--deadline", "0")
    first = tenant.import_file(tenant.write(HEADER + "".join(lines)), *flags, *no_time)
    assert first.rows[bucket] > 0, first.err
    run = tenant.folder / "run"
    (wrong,) = rejected(run)
    with (run / f"{bucket}.csv").open(encoding="utf-8", newline="") as rows:
        same = next(csv.DictReader(rows))
    file = mended(tenant, [wrong | {"externalId": same["externalId"]}], same["phone"])
    outcome = retry(tenant, file, "--deadline", "60")
    assert (outcome.rows["delivered"], outcome.rows["duplicate"]) == (0, 1), outcome.err
    tenant.sandbox.set_faults(FaultPlan())
    assert tenant.run("resume", run, "--deadline", "60", "--count-lag", "2").code in (0, 4)
    assert sorted(int(each["externalId"]) for each in tenant.stored) == list(range(1, 30))
