"""What events change in the tables that are derived from them."""

from __future__ import annotations

from typing import Any

import orjson

from dialfeed.audit.sinks.base import Event, read_event
from dialfeed.audit.sinks.tables import moment, project


def event(name: str, second: int, n: int = 1, **facts: Any) -> Event:
    told = {"n": n, "time": f"2026-01-02T03:04:{second:02}Z", "run": "run-1", "event": name, **facts}
    made = read_event(orjson.dumps({**told, "previous": "a" * 64, "hash": "b" * 64}))
    assert made
    return made


def test_a_batch_was_sent_when_it_was_sent_and_is_as_it_was_told_last() -> None:
    told = project([
        event("batch.sent", 1, batch=7, contacts=40, attempt=1),
        event("batch.answered", 3, batch=7, contacts=40, answer="Accepted", status=201),
    ])  # fmt: skip
    assert told.batches == {
        7: {
            "contacts": 40, "attempts": 1, "answer": "Accepted", "http_status": 201, "state": "answered",
            "sent_at": moment("2026-01-02T03:04:01Z"), "state_at": moment("2026-01-02T03:04:03Z"),
        }
    }  # fmt: skip


def test_a_run_that_is_resumed_began_when_it_first_began() -> None:
    first, later = event("run.started", 1, command="import"), event("run.started", 9, 20, command="resume")
    assert project([first]).run["started_at"] == moment("2026-01-02T03:04:01Z")
    assert "started_at" not in project([later]).run
    assert project([later]).run["status"] == "RUNNING"


def test_what_a_retry_tells_ends_no_run() -> None:
    ended = event(
        "run.finished", 1, status="SUCCESS", exit_code=0, list={"id": "L-1", "name": "Spring"}, reasons={"x": 1}
    )
    told = project([ended])
    assert (told.run["exit_code"], told.run["list_id"], told.reasons) == (0, "L-1", {"x": 1})
    retried = project([event("rows.retried", 5, rows={"delivered": 3}, status="SUCCESS")])
    assert retried.run["rows_delivered"] == 3
    assert "finished_at" not in retried.run
