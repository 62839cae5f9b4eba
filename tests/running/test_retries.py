"""Where the rows of a run stand after its retries, found out from nothing but their folders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from dialfeed.audit.check import check
from dialfeed.contacts.fields import WITHHELD
from dialfeed.contacts.findings import ROW
from dialfeed.errors import FixSettings, FixSource
from dialfeed.files import write_json
from dialfeed.ledger.folder import AUDIT, LEDGER, SUMMARY
from dialfeed.ledger.ledger import Ledger
from dialfeed.reports.summary import Rows, Summary, read_summary
from dialfeed.reports.text import BUCKET_FILES
from dialfeed.running.retries import (
    check_can_be_retried,
    close_rows,
    finished_retries,
    passed_over_sentences,
    returned_file,
    standing,
)
from dialfeed.steps.survivors import Survivors

Buckets = Mapping[str, list[int]]


def contact(row: int) -> dict[str, str]:
    """Made up by its row, with an e-mail address as somebody wrote it."""
    return {"externalId": f"C-{row}", "phone": f"+1212555{100 + row:04}", "email": f"Person{row}@Example.com"}


def write_run(folder: Path, run: str, buckets: Buckets, *, began: str = "", **more: Any) -> Path:
    """What a run leaves that retries ask for: ledger, trail, row files and summary."""
    folder.mkdir(parents=True)
    with Ledger(folder / LEDGER) as ledger:
        ledger.remember(prepared={"read": 1})
    (folder / AUDIT).write_bytes(orjson.dumps({"time": began}) + b"\n" if began else b"")
    for bucket, rows in buckets.items():
        frame = pl.DataFrame([{ROW: str(row), **contact(row)} for row in rows])
        frame.write_csv(folder / BUCKET_FILES[bucket])
    counts = {bucket: len(rows) for bucket, rows in buckets.items()}
    made = Summary(run, str(folder), "import", rows=Rows(read=sum(counts.values()), **counts), **more)
    write_json(folder / SUMMARY, made.as_dict())
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of ten rows of which three were rejected and one was refused."""
    first = {"delivered": [1, 2, 3, 5, 6], "duplicate": [7], "invalid": [4, 8, 9], "refused": [10]}
    return write_run(tmp_path / "run", "FIRST", first, exit_code=4)


def write_retry(run: Path, name: str, buckets: Buckets, began: str) -> Path:
    return write_run(run / "retries" / name, name, buckets, began=began)


def test_retries_are_in_the_order_in_which_they_began_whatever_their_ids(run: Path) -> None:
    write_retry(run, "Z", {"delivered": [4]}, "2026-11-26T07:40:00.100Z")
    write_retry(run, "A", {"delivered": [8]}, "2026-11-26T07:40:00.200Z")
    assert [each.name for each in finished_retries(run)] == ["Z", "A"]


def test_a_retry_that_loaded_nothing_is_none(run: Path) -> None:
    (run / "retries" / "NO-LEDGER").mkdir(parents=True)
    with Ledger(write_retry(run, "NOT-PREPARED", {"invalid": [4]}, "") / LEDGER) as ledger:
        ledger.remember(prepared=None)
    write_retry(run, "NO-ROWS", {}, "2026-11-26T07:40:00.100Z")
    assert finished_retries(run) == []


@pytest.mark.parametrize("lacks", [SUMMARY, BUCKET_FILES["delivered"]])
def test_a_retry_that_has_not_ended_is_named_with_the_command_that_ends_it(run: Path, lacks: str) -> None:
    retry = write_retry(run, "HALF", {"delivered": [4], "invalid": [8]}, "2026-11-26T07:40:00.100Z")
    (retry / lacks).unlink()
    with pytest.raises(FixSettings, match="HALF") as told:
        standing(run)
    assert told.value.advice == "`dialfeed resume HALF`."


def test_a_row_stands_where_the_last_retry_that_had_it_left_it(run: Path) -> None:
    assert dict(standing(run).iter_rows()) == {4: "invalid", 8: "invalid", 9: "invalid", 10: "refused"}
    write_retry(run, "B", {"invalid": [4], "refused": [8], "delivered": [10]}, "2026-11-26T07:40:00.100Z")
    write_retry(run, "A", {"delivered": [4], "unknown": [8]}, "2026-11-26T07:50:00.000Z")
    assert dict(standing(run).iter_rows()) == {4: "delivered", 8: "unknown", 9: "invalid", 10: "delivered"}


def test_closed_rows_move_in_the_report_and_their_sum_stays(run: Path) -> None:
    write_retry(run, "B", {"invalid": [4], "delivered": [8, 10]}, "2026-11-26T07:40:00.100Z")
    close_rows(run)
    told = read_summary(run / SUMMARY)
    assert told.rows == Rows(read=10, delivered=7, duplicate=1, invalid=2)
    assert told.rows.adds_up
    assert told.first_rows == {"read": 10, **Rows(10, 5, 1, 3, 0, 1).buckets()}
    assert [(each["run"], each["rows"], each["delivered"], each["invalid"]) for each in told.retries] == [
        ("B", 3, 2, 1)
    ]
    assert (told.exit_code, told.next) == (4, "Mend rejected.csv, then: dialfeed retry FIRST rejected.csv")
    write_retry(run, "C", {"delivered": [4, 9]}, "2026-11-26T07:50:00.100Z")
    close_rows(run)
    told = read_summary(run / SUMMARY)
    assert told.rows == Rows(read=10, delivered=9, duplicate=1)
    assert (told.exit_code, told.next) == (0, "")
    assert told.first_rows["invalid"] == 3, "as the run itself left them"
    trail = (run / AUDIT).read_bytes().splitlines(keepends=True)
    assert [orjson.loads(line)["event"] for line in trail] == ["rows.retried"] * 2
    assert check(trail, last_hash=told.audit_hash).whole


def test_a_report_that_is_up_to_date_is_not_touched(run: Path) -> None:
    write_retry(run, "B", {"delivered": [8]}, "2026-11-26T07:40:00.100Z")
    close_rows(run)
    before = [(run / name).read_bytes() for name in (SUMMARY, AUDIT)]
    close_rows(run)
    assert [(run / name).read_bytes() for name in (SUMMARY, AUDIT)] == before


def test_contacts_that_a_run_or_a_retry_has_delivered_are_found_by_all_that_they_are(run: Path) -> None:
    """An e-mail address in any case; what was withheld is not sent, so it is nobody's identity here."""
    write_retry(run, "B", {"delivered": [8]}, "2026-11-26T07:40:00.100Z")
    rows = [
        {ROW: 101, **contact(3)},
        {ROW: 102, **contact(3), "email": "PERSON3@example.COM"},
        {ROW: 103, **contact(8)},
        {ROW: 104, **contact(4)},
        {ROW: 105, **contact(3), "phone": "+12125550199"},
    ]
    wanted = pl.DataFrame(rows).with_columns(pl.lit("+12125550198").alias(f"{WITHHELD}phone"))
    assert Survivors(run)(wanted).rows() == [(101, 3), (102, 3), (103, 8)]


@pytest.mark.parametrize("removed", [LEDGER, SUMMARY])
def test_a_run_that_has_not_ended_cannot_be_retried(run: Path, removed: str) -> None:
    check_can_be_retried(run)
    (run / removed).unlink()
    with pytest.raises(FixSettings, match="not come to its end"):
        check_can_be_retried(run)


@pytest.mark.parametrize(
    "more", [{"policy": {"dry_run": True}}, {"exit_code": 6, "batches": 0}, {"exit_code": 1, "batches": 0}]
)
def test_a_run_that_sent_nothing_cannot_be_retried(tmp_path: Path, more: dict[str, Any]) -> None:
    with pytest.raises(FixSettings, match="sent nothing"):
        check_can_be_retried(write_run(tmp_path / "run", "FIRST", {"invalid": [1]}, **more))
    check_can_be_retried(write_run(tmp_path / "other", "FIRST", {"invalid": [1]}, exit_code=6, batches=1))


def test_a_retry_is_not_retried_but_the_run_that_its_rows_belong_to(run: Path) -> None:
    with pytest.raises(FixSettings) as told:
        check_can_be_retried(write_retry(run, "B", {"invalid": [4]}, "2026-11-26T07:40:00.100Z"))
    assert "FIRST" in told.value.advice


def test_a_bare_name_that_is_not_here_is_the_runs_own_file(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    bare, placed = Path("rejected.csv"), Path("elsewhere/rejected.csv")
    assert returned_file(run, bare) == run / "rejected.csv"
    assert returned_file(run, placed) == placed
    assert returned_file(run, Path("unheard-of.csv")) == Path("unheard-of.csv")
    bare.touch()
    assert returned_file(run, bare) == bare


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({}, []),
        ({"taken": 5}, []),
        ({"taken": 1, "closed": 1}, ["1 row is closed already, or under way in another retry; it was not loaded."]),
        ({"closed": 2, "foreign": 1}, [
            "2 rows are closed already, or under way in another retry; they were not loaded.",
            "1 row was not rejected or refused in run R; it was not loaded.",
        ]),
        ({"taken": 1, "foreign": 2}, ["2 rows were not rejected or refused in run R; they were not loaded."]),
        ({"twice": 1}, ["1 row has a _row that stands in the file before; it was not loaded."]),
        ({"twice": 2, "unreadable": 1}, [
            "2 rows have a _row that stands in the file before; they were not loaded.",
            "1 row cannot be cut into cells; it was not loaded.",
        ]),
    ],
)  # fmt: skip
def test_rows_that_are_not_loaded_are_told_by_why(counts: dict[str, int], told: list[str]) -> None:
    kinds = dict.fromkeys(("taken", "closed", "foreign", "twice", "unreadable"), 0)
    assert [*passed_over_sentences(kinds | counts, "R")] == told


def test_a_file_of_another_run_is_told_as_that() -> None:
    counts = {"taken": 0, "closed": 0, "foreign": 3, "twice": 1, "unreadable": 1}
    with pytest.raises(FixSource, match="run R"):
        [*passed_over_sentences(counts, "R")]
