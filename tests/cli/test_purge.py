"""Files with rows go when their time has come and evidence stays; nothing that is still needed goes unasked."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from html_page import Page
from tenant import Tenant

from dialfeed.audit.check import check
from dialfeed.ledger.folder import held
from dialfeed.reports.retention import ROW_FILES
from dialfeed.sandbox import Fault, FaultPlan, Settings

HEADER = "externalId,phone,email,doNotCall,doNotEmail\n"
ROWS = "A-4711,+12125550123,marta@example.com,no,no\n" * 2 + "B-4712,oops,,no,no\nC-4713,+12125550177,,yes,yes\n"
PRIVATE = (b"A-4711", b"B-4712", b"C-4713", b"5550123", b"5550177", b"marta")
"""What may stay nowhere. Each is longer or of other letters than a hash could show by chance."""


def imported(tenant: Tenant, *flags: str) -> Path:
    outcome = tenant.import_file(tenant.write(HEADER + ROWS), "--max-rejected", "9", *flags)
    assert outcome.code in {0, 4}, outcome.err
    return tenant.folder / "run"


def purge(tenant: Tenant, *flags: str | Path, days: float = 0.0) -> dict[str, Any]:
    """What became of each run, so many days later, by the name of its folder."""
    later = datetime.now(UTC) + timedelta(days=days)
    with mock.patch("dialfeed.runs.purging.utc_now", return_value=later):
        outcome = tenant.run("purge", "--due", *flags, "--runs-dir", tenant.folder, "--json")
    assert outcome.code == 0, outcome.err
    return {Path(each["folder"]).name: each for each in outcome.json}


def retention(run: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((run / "retention.json").read_bytes())
    return told


def row_files(run: Path) -> set[str]:
    return {path.name for path in run.iterdir() if path.name in {*ROW_FILES, "stage"}}


def trail_is_whole(run: Path) -> list[str]:
    told = json.loads((run / "summary.json").read_bytes())
    with (run / "audit.jsonl").open("rb") as lines:
        checked = check(lines, last_hash=told["audit_hash"])
    assert checked.whole, checked.problems
    return [json.loads(line)["event"] for line in (run / "audit.jsonl").read_bytes().splitlines()]


def test_every_file_with_rows_carries_its_date(tenant: Tenant) -> None:
    run = imported(tenant, "--keep-rows", "2w")
    told = retention(run)
    assert {each["name"] for each in told["files"]} == row_files(run)
    until = datetime.fromisoformat(told["keep_until"])
    assert timedelta(days=13.9) < until - datetime.now(UTC) < timedelta(days=14.1)
    assert {each["keep_until"] for each in told["files"]} == {told["keep_until"]}
    summary = json.loads((run / "summary.json").read_bytes())["retention"]
    assert (summary["keep_rows"], summary["keep_rows_until"]) == ("14d", told["keep_until"])
    assert set(summary["files"]) == row_files(run)


def test_rows_go_on_their_date_and_evidence_stays(tenant: Tenant) -> None:
    run = imported(tenant)
    assert purge(tenant, days=29) == {}
    done = purge(tenant, days=31)["run"]
    assert (done["action"], done["why"]) == ("removed", "rows")
    assert "delivered.csv" in done["files"]
    assert row_files(run) == set()
    assert {path.name for path in run.iterdir()} == {
        "audit.jsonl", "ledger.sqlite", "report.html", "retention.json", "summary.json",
    }  # fmt: skip
    for path in run.iterdir():
        for private in PRIVATE:
            assert private not in path.read_bytes(), path.name
    assert trail_is_whole(run)[-1] == "rows.purged"
    assert retention(run)["purged"][0]["files"] == done["files"]
    assert any(caption.startswith("Files with rows, removed on") for caption in page(run).tables())
    assert purge(tenant, days=400) == {}


def page(run: Path) -> Page:
    return Page((run / "report.html").read_text("utf-8"))


def test_what_the_platform_said_about_contacts_goes_as_well(tenant: Tenant) -> None:
    tenant.sandbox.configure(**vars_of(Settings(rate_limit=None, max_cell=14, partial=True, answer="per_contact")))
    run = imported(tenant)
    assert b"marta" not in (run / "ledger.sqlite").read_bytes()
    purge(tenant, days=31)
    assert row_files(run) == set()


def vars_of(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in ("max_cell", "partial", "answer")}


@pytest.mark.parametrize("killed", [".delivered.csv.part", ".rejected.csv.part", ".suppressed.csv.part"])
def test_what_a_process_that_died_while_it_wrote_rows_anew_has_left_goes_as_well(tenant: Tenant, killed: str) -> None:
    run = imported(tenant)
    (run / killed).write_text(ROWS)
    purge(tenant, days=31)
    assert not (run / killed).exists()


def test_a_rehearsal_of_a_purge_changes_nothing(tenant: Tenant) -> None:
    run = imported(tenant)
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    told = purge(tenant, "--older-than", "30d", "--dry-run", days=31)["run"]
    assert told["action"] == "would be removed"
    assert told["bytes"] == sum(len(before[name]) for name in told["files"])
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_rejected_rows_are_kept_until_their_date_although_the_run_is_older_than_asked(tenant: Tenant) -> None:
    run = imported(tenant)
    told = purge(tenant, "--older-than", "1d", days=2)["run"]
    assert told["action"] == "kept"
    assert "can be retried until" in told["why"]
    assert (run / "rejected.csv").is_file()
    assert purge(tenant, "--older-than", "1d", "--even-open", days=2)["run"]["action"] == "removed"
    for arguments in (("retry", run, tenant.write("x")), ("resume", run)):
        outcome = tenant.run(*arguments)
        assert outcome.code == (1 if arguments[0] == "retry" else 4)
    assert "were removed on" in tenant.run("retry", run, tenant.write("x")).err


def test_a_run_that_can_go_on_is_left_alone_until_told(tenant: Tenant) -> None:
    tenant.sandbox.set_faults(FaultPlan(1, (Fault("status", status=503, share=1.0),)))
    flags = ("--retries", "0", "--settle-grace", "0.1", "--count-lag", "0.1")
    outcome = tenant.import_file(tenant.write(HEADER + ROWS), "--max-rejected", "9", *flags)
    run = tenant.folder / "run"
    assert outcome.code in {3, 5}
    told = purge(tenant, days=99)["run"]
    assert (told["action"], "it can still go on" in told["why"]) == ("kept", True)
    assert "stage" in row_files(run)
    assert purge(tenant, "--even-open", days=99)["run"]["action"] == "removed"
    assert row_files(run) == set()


def test_a_run_under_way_is_never_touched(tenant: Tenant) -> None:
    run = imported(tenant)
    with held(run):
        told = purge(tenant, "--older-than", "1d", "--even-open", days=99)["run"]
    assert (told["action"], told["why"]) == ("kept", "a process is working on it")
    assert "delivered.csv" in row_files(run)


def test_a_legal_hold_keeps_everything_until_it_is_released(tenant: Tenant) -> None:
    run = imported(tenant)
    assert "is kept whole" in tenant.run("purge", "--hold", run).out
    flags = ("--older-than", "1d", "--evidence-older-than", "1y", "--even-open")
    told = purge(tenant, *flags, days=9999)["run"]
    assert (told["action"], told["why"]) == ("kept", "a legal hold keeps it")
    assert tenant.run("purge", "--release", run).code == 0
    assert trail_is_whole(run)[-2:] == ["hold.set", "hold.released"]
    assert purge(tenant, days=31)["run"]["action"] == "removed"


def test_evidence_goes_after_years_only_when_told_and_takes_nothing_of_the_users(tenant: Tenant) -> None:
    run = imported(tenant)
    (run / "my notes.txt").write_text("mine")
    purge(tenant, days=31)
    assert purge(tenant, days=9999) == {}
    told = purge(tenant, "--evidence-older-than", "5y", days=5 * 365 + 40)["run"]
    assert (told["action"], told["why"]) == ("removed", "everything")
    assert [path.name for path in run.iterdir()] == ["my notes.txt"]
    assert tenant.run("status", run).code == 1


def test_a_whole_run_goes_with_its_folder(tenant: Tenant) -> None:
    run = imported(tenant)
    purge(tenant, "--evidence-older-than", "5y", days=5 * 365 + 40)
    assert not run.exists()
    assert tenant.run("runs", "--runs-dir", tenant.folder).out == "There is no run yet.\n"


def test_a_file_of_the_users_that_lies_in_the_folder_stays(tenant: Tenant) -> None:
    file = tenant.write(HEADER + ROWS)
    run = tenant.folder / "run"
    run.mkdir()
    mine = Path(shutil.copy(file, run / "customers.csv"))
    tenant.import_file(file, "--max-rejected", "9")
    purge(tenant, "--even-open", days=99)
    assert mine.read_text("utf-8") == HEADER + ROWS


def test_retries_go_with_the_run_that_they_belong_to(tenant: Tenant) -> None:
    run = imported(tenant)
    rejected = (run / "rejected.csv").read_text("utf-8")
    tenant.run("retry", run, tenant.write(rejected.replace("oops", "+12125550199"), "mended.csv"))
    (retry,) = (run / "retries").iterdir()
    done = purge(tenant, days=31)
    assert {done[retry.name]["action"], done["run"]["action"]} == {"removed"}
    assert row_files(retry) == row_files(run) == set()
    assert tenant.run("resume", retry).code == 0
    trail_is_whole(run)


@pytest.mark.parametrize(
    ("named", "why"),
    [("run", "a legal hold keeps it"), ("retry", "a legal hold keeps a retry of it")],
)
def test_a_legal_hold_keeps_a_run_and_its_retries_whichever_of_them_it_names(
    tenant: Tenant, named: str, why: str
) -> None:
    run = imported(tenant)
    rejected = (run / "rejected.csv").read_text("utf-8")
    tenant.run("retry", run, tenant.write(rejected.replace("oops", "+12125550199"), "mended.csv"))
    (retry,) = (run / "retries").iterdir()
    assert tenant.run("purge", "--hold", run if named == "run" else retry).code == 0
    flags = ("--older-than", "1d", "--evidence-older-than", "1y", "--even-open")
    done = purge(tenant, *flags, days=9999)
    assert (done[retry.name]["why"], done["run"]["why"]) == ("a legal hold keeps it", why)
    assert row_files(retry)
    assert row_files(run)


@pytest.mark.parametrize("span", ["soon", "-3d", "30", "3h"])
def test_a_span_without_meaning_is_told(tenant: Tenant, span: str) -> None:
    told = tenant.run("purge", "--older-than", span)
    assert told.code == 1
    assert "30d" in told.err


def test_a_run_that_died_has_its_date_as_well(tenant: Tenant) -> None:
    run = imported(tenant)
    for name in ("summary.json", "report.html"):
        (run / name).unlink()
    assert retention(run)["keep_until"]
    told = purge(tenant, days=31)["run"]
    assert "can still go on" in told["why"]
    assert purge(tenant, "--even-open", days=31)["run"]["action"] == "removed"
    assert "were removed on" in tenant.run("resume", run).err


def test_a_hold_is_set_and_another_released_in_one_command_and_told_as_json(tenant: Tenant) -> None:
    first, second = imported(tenant), tenant.folder / "second"
    imported(tenant, "--run-dir", str(second), "--insist", "all")
    assert tenant.run("purge", "--hold", second).code == 0
    told = tenant.run("purge", "--hold", first, "--release", second, "--json")
    assert told.json == [{"run": str(first), "hold": True}, {"run": str(second), "hold": False}]
    assert (first / "HOLD").exists()
    assert not (second / "HOLD").exists()
