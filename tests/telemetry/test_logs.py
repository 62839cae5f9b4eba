"""Logs: lines of JSON in which nothing can stand that is not of a known kind, and nothing that looks private."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.audit.events import EVENTS
from dialfeed.masking import Mask
from dialfeed.telemetry.logs import Log, LogFile


def logged(*lines: dict[str, Any], secrets: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    written: list[bytes] = []
    log = Log(written.append, Mask(secrets))
    for each in lines:
        log.hear({"time": "2026-03-01T08:00:00.000Z", "run": "run-1", **each})
    return [json.loads(line) for line in written]


def test_an_event_is_a_line_with_run_and_batch() -> None:
    (told,) = logged({"event": "batch.unknown", "batch": 7, "contacts": 1000, "cause": "HTTP 502", "hash": "ab"})
    assert told == {
        "time": "2026-03-01T08:00:00.000Z", "level": "warning", "event": "batch.unknown", "run": "run-1", "batch": 7,
        "contacts": 1000, "cause": "HTTP 502",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ({"event": "run.finished", "exit_code": 0}, "info"),
        ({"event": "run.finished", "exit_code": 4}, "warning"),
        ({"event": "run.finished", "exit_code": 3}, "error"),
        ({"event": "guard.judged", "guard": "size", "stopped": True}, "warning"),
        ({"event": "guard.judged", "guard": "size", "stopped": False}, "info"),
        ({"event": "request.done", "outcome": "ok"}, "info"),
        ({"event": "request.done", "outcome": "lost"}, "warning"),
        ({"event": "delivery.paused", "cause": "throttled", "seconds": 1}, "warning"),
    ],
)
def test_a_line_has_the_level_of_its_event(line: dict[str, Any], level: str) -> None:
    assert logged(line)[0]["level"] == level


def test_what_the_table_does_not_know_is_not_logged() -> None:
    assert logged({"event": "row.seen", "phone": "+12125550123"}) == []
    (told,) = logged({"event": "batch.sent", "batch": "Zebulon", "attempt": 1, "body": "Zebulon"})
    assert told.keys() == {"time", "level", "event", "run", "attempt"}


@given(st.sampled_from(EVENTS), st.text(min_size=1), st.sampled_from(["+1 (212) 555-0123", "zebulon@example.com"]))
def test_no_phone_and_no_address_gets_through_whatever_the_event_and_the_fact(
    event: Any, around: str, private: str
) -> None:
    facts = {fact.name: f"{around} {private} {around}" for fact in event.facts}
    for line in logged({"event": event.name, **facts}):
        assert private not in json.dumps(line, ensure_ascii=False)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("leads for +1 (212) 555-0123.csv", "leads for ***23.csv"),
        ("+12125550123", "***23"),
        ("zebulon.marker+x@mail.example.com wrote", "*** wrote"),
        ("the secret s3cr3t-value is", "the secret *** is"),
        ("leads-2026-03-01.csv", "leads-2026-03-01.csv"),
        ("HTTP 502", "HTTP 502"),
        ("+1 %", "+1 %"),
    ],
)
def test_what_looks_private_is_masked_and_nothing_else(text: str, masked: str) -> None:
    assert Mask(("s3cr3t-value", "", None, "abc"))(text) == masked


def test_secrets_are_masked_the_longest_first_and_told_nowhere() -> None:
    mask = Mask(["four", "four-and-more", "six"])
    assert mask("four-and-more, four, six") == "***, ***, six"
    assert "four" not in repr(mask)


def test_the_address_of_a_database_is_no_e_mail() -> None:
    assert Mask()("postgresql://etl@db.example/crm of zebulon@mail.example") == "postgresql://etl@db.example/crm of ***"
    assert Mask()("postgresql://etl:s3cr3t@db.example/crm") == "postgresql://etl:***/crm"


def test_a_log_file_is_for_its_owner_and_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "dialfeed.log"
    for line in (b"one\n", b"two\n"):
        file = LogFile(path)
        file.write(line)
        file.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            file.write(line)
    assert path.read_bytes() == b"one\ntwo\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
