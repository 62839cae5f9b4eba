"""What the end of a run means: by what is left of it, its exit code, its status and what to do next."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from dialfeed.errors import CheckFile, DialfeedError, FixConnection, FixSettings, Interrupted, ResumeRun
from dialfeed.files import write_json
from dialfeed.reports.findings import found
from dialfeed.reports.summary import Rows, Summary
from dialfeed.running.endings import audit_entry, exit_code, judge_again, next_step, status

NOTHING, DOWN, HALF = None, FixConnection("down"), ResumeRun("half-way")


def summary(command: str = "import", *findings: str, **rows: int) -> Summary:
    """A run with so many rows in its buckets."""
    made = Summary("R", "/runs/R", command, rows=Rows(**rows))
    made.findings = [found(code, "") for code in findings]
    return made


@pytest.mark.parametrize(
    ("error", "rows", "findings", "code"),
    [
        (NOTHING, {"delivered": 9}, (), 0),
        (NOTHING, {"delivered": 9, "duplicate": 1, "suppressed": 1}, ("verify.surplus",), 0),
        (NOTHING, {"invalid": 1}, (), 4),
        (NOTHING, {"refused": 1}, (), 4),
        (NOTHING, {"delivered": 9}, ("scrub.list_unusable",), 4),
        (NOTHING, {"failed": 1, "invalid": 1}, (), 3),
        (NOTHING, {"unknown": 1, "failed": 1, "invalid": 1}, (), 5),
        (NOTHING, {"delivered": 9}, ("verify.missing",), 5),
        (NOTHING, {"delivered": 9}, ("verify.not_there",), 5),
        (NOTHING, {"delivered": 9}, ("verify.twice",), 5),
        (HALF, {"delivered": 9}, (), 3),
        (HALF, {"unknown": 1}, (), 5),
        (DOWN, {"unknown": 1}, ("verify.missing",), 2),
        (FixSettings("wrong"), {"invalid": 1}, (), 1),
        (CheckFile("odd"), {"invalid": 1}, (), 6),
        (Interrupted("stop", signal_number=15), {"unknown": 1}, (), 143),
    ],
)
def test_the_exit_code_tells_what_stopped_a_run_or_else_the_worst_that_is_left(
    error: DialfeedError | None, rows: dict[str, int], findings: tuple[str, ...], code: int
) -> None:
    assert exit_code(summary("import", *findings, **rows), error, sends=True) == code


def test_what_a_rehearsal_has_not_sent_has_not_failed() -> None:
    rehearsed = summary("import", failed=9)
    assert [exit_code(rehearsed, NOTHING, sends=sends) for sends in (True, False)] == [3, 0]
    assert exit_code(rehearsed, HALF, sends=False) == 3


@pytest.mark.parametrize(
    ("code", "alone", "with_some_delivered"),
    [
        (0, "SUCCESS", "SUCCESS"),
        (1, "FAILED", "PARTIAL_FAILURE"),
        (2, "FAILED", "PARTIAL_FAILURE"),
        (3, "FAILED", "PARTIAL_FAILURE"),
        (4, "PARTIAL_FAILURE", "PARTIAL_FAILURE"),
        (5, "PARTIAL_FAILURE", "PARTIAL_FAILURE"),
        (6, "STOPPED", "STOPPED"),
        (130, "INTERRUPTED", "INTERRUPTED"),
        (143, "INTERRUPTED", "INTERRUPTED"),
    ],
)
def test_the_status_goes_with_the_exit_code(code: int, alone: str, with_some_delivered: str) -> None:
    assert [status(code, delivered) for delivered in (0, 1)] == [alone, with_some_delivered]


RESUME, SETTLE, VERIFY = "dialfeed resume R", "dialfeed settle R", "dialfeed verify R"


@pytest.mark.parametrize(
    ("code", "rows", "findings", "step"),
    [
        (0, {"delivered": 9}, (), ""),
        (1, {"failed": 9}, (), ""),
        (6, {"failed": 9}, (), ""),
        (1, {"unknown": 1, "failed": 9}, (), SETTLE),
        (6, {"unknown": 1, "failed": 9}, (), SETTLE),
        (2, {"unknown": 1}, (), RESUME),
        (3, {}, (), RESUME),
        (130, {"unknown": 1}, (), RESUME),
        (143, {}, (), RESUME),
        (5, {"unknown": 1, "failed": 1}, (), RESUME),
        (5, {"unknown": 1, "invalid": 1}, ("verify.missing",), SETTLE),
        (5, {"delivered": 9, "invalid": 1}, ("verify.twice",), VERIFY),
        (4, {"invalid": 1, "refused": 1}, (), "Mend rejected.csv, then: dialfeed retry R rejected.csv"),
        (4, {"refused": 1}, (), "Mend refused.csv, then: dialfeed retry R refused.csv"),
    ],
)
@pytest.mark.parametrize("command", ["import", "resume", "settle", "retry"])
def test_what_to_do_next_is_the_command_that_goes_on(
    command: str, code: int, rows: dict[str, int], findings: tuple[str, ...], step: str
) -> None:
    made = summary(command, *findings, **rows)
    made.exit_code = code
    assert next_step(made) == step


@pytest.mark.parametrize(
    ("suppressed", "step"),
    [
        (3, "Load the do-not-call lists (dialfeed dnc status gone-1 gone-2), then import suppressed.csv."),
        (0, ""),
    ],
)
def test_lists_that_could_not_be_used_are_named_where_they_held_somebody_back(suppressed: int, step: str) -> None:
    made = summary("import", "scrub.list_unusable", suppressed=suppressed)
    made.exit_code = 4
    states = {"gone-1": "missing", "here": "ready", "gone-2": "expired"}
    made.lists = [{"list_id": name, "state": state} for name, state in states.items()]
    assert next_step(made) == step


LOAD_AND_RETRY = "Mend the rejected rows in the file, or load it as it is and retry them after"


@pytest.mark.parametrize(
    ("command", "policy", "rows", "error", "step"),
    [
        ("validate", {}, {"invalid": 1}, "", "Mend the rejected rows in the file."),
        ("validate", {}, {"invalid": 1}, "stopped", ""),
        ("validate", {}, {"failed": 9, "invalid": 1}, "stopped", ""),
        ("validate", {}, {}, "", ""),
        ("validate", {}, {"failed": 9}, "", "Load it, with the same settings: dialfeed import FILE --list LIST"),
        ("import", {"dry_run": True}, {"failed": 9}, "", "Load it: the same command without --dry-run."),
        (
            "import",
            {"dry_run": True},
            {"failed": 9, "invalid": 1},
            "",
            f"{LOAD_AND_RETRY}: the same command without --dry-run.",
        ),
    ],
)
def test_a_rehearsal_is_followed_by_the_run_that_it_was_for(
    command: str, policy: dict[str, Any], rows: dict[str, int], error: str, step: str
) -> None:
    made = summary(command, **rows)
    made.policy, made.error = policy, error
    assert next_step(made) == step


def test_a_demo_is_followed_by_a_sandbox_that_stays() -> None:
    made = summary("demo", invalid=1)
    made.exit_code = 4
    assert next_step(made).endswith("dialfeed sandbox")


def test_rows_of_a_retry_are_retried_as_rows_of_the_run_that_they_belong_to(tmp_path: Path) -> None:
    folder = tmp_path / "a run" / "retries" / "R"
    folder.mkdir(parents=True)
    first = Summary("FIRST", str(tmp_path / "a run"), "import")
    write_json(tmp_path / "a run" / "summary.json", first.as_dict())
    made = summary("retry", refused=1)
    made.folder, made.exit_code = str(folder), 4
    assert next_step(made) == f"Mend refused.csv, then: dialfeed retry FIRST '{folder}/refused.csv'"


def test_a_run_whose_rows_have_moved_is_judged_by_where_they_are_now() -> None:
    made = summary("import", delivered=9, invalid=1)
    judge_again(made)
    assert (made.exit_code, made.status) == (4, "PARTIAL_FAILURE")
    made.rows = Rows(delivered=9, failed=1)
    judge_again(made)
    assert (made.exit_code, made.next) == (3, RESUME)
    made.rows = Rows(delivered=10)
    judge_again(made)
    assert (made.exit_code, made.status, made.next) == (0, "SUCCESS", "")


def test_what_stopped_a_run_still_counts_when_its_rows_have_moved() -> None:
    made = summary("import", delivered=9)
    made.exit_code, made.error = 2, "down"
    judge_again(made)
    assert (made.exit_code, made.status, made.next) == (2, "PARTIAL_FAILURE", RESUME)


def test_of_a_run_with_retries_the_last_that_is_not_done_is_gone_on_with() -> None:
    made = summary("import", delivered=9, invalid=1)
    done = {"failed": 0, "unknown": 0}
    made.retries = [{"run": "A", **done, "failed": 1}, {"run": "B", **done, "unknown": 1}, {"run": "C", **done}]
    judge_again(made)
    assert made.next == "dialfeed resume B"
    made.retries.append({"run": "D", **done, "failed": 1})
    judge_again(made)
    assert made.next == "dialfeed resume D"


def test_the_audit_entry_has_a_number_for_every_row_that_was_read() -> None:
    buckets = {field.name: 2**place for place, field in enumerate(fields(Rows)) if field.name != "read"}
    made = summary("import", "verify.surplus", read=sum(buckets.values()), **buckets)
    entry = audit_entry(made)
    assert entry["rows"] == {"read": made.rows.read, **buckets}
    assert (entry["processed"], entry["valid"]) == (made.rows.read, made.rows.read - made.rows.invalid)
    assert (entry["duplicates"], entry["imported"]) == (made.rows.duplicate, made.rows.delivered)
    assert entry["findings"] == ["verify.surplus"]
