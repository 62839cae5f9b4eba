"""The tables in a database: made by whoever comes first, filled once, derived from the events."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
from sink_servers import Receiver, mysql, postgresql
from sink_world import RUN, write_events

from dialfeed.audit.sinks import sql, tables
from dialfeed.audit.sinks.base import Acknowledged, Event, Later, Refused, read_event
from dialfeed.audit.sinks.open import Means, open_sinks
from dialfeed.audit.trail import Trail

KINDS = {"postgresql": postgresql, "mysql": mysql}


@pytest.fixture(params=KINDS)
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    with KINDS[request.param]() as made:
        yield made


def sink(receiver: Receiver) -> sql.SqlSink:
    made = open_sinks([receiver.address], Means({}, 3.0))[0].sink
    assert isinstance(made, sql.SqlSink)
    return made


def query(receiver: Receiver, statement: str) -> list[tuple[Any, ...]]:
    """What the database says, asked past the gate's address by the sink's own way in."""
    made = sink(receiver)
    connection = made._server.connect()
    with connection.cursor() as cursor:
        cursor.execute(statement)
        found: list[tuple[Any, ...]] = list(cursor.fetchall())
    connection.close()
    return found


def read(folder: Path) -> list[Event]:
    events = [read_event(line) for line in (folder / "audit.jsonl").read_bytes().splitlines()]
    return [event for event in events if event is not None]


def story(folder: Path) -> list[Event]:
    """A run that was killed, resumed and ended, and one batch whose answer was lost."""
    trail = Trail(folder / "audit.jsonl", RUN)
    trail.append("run.started", command="import", operator="ops", host="loader", versions={"dialfeed": "1.2.3"})
    trail.append("batch.sent", batch=1, contacts=1000, attempt=1)
    trail.append("batch.sent", batch=2, contacts=500, attempt=1)
    trail.append("batch.answered", batch=1, contacts=1000, answer="Accepted", status=201)
    trail.append("run.started", command="resume", operator="night", host="other", versions={"dialfeed": "1.2.4"})
    trail.append("batch.unknown", batch=2, contacts=500, cause="the answer was lost")
    trail.append("batch.settled", batch=2, contacts=500, on_list=True, by="count")
    rows = {"read": 1600, "delivered": 1500, "duplicate": 40, "invalid": 60, "suppressed": 0, "refused": 0}
    trail.append(
        "run.finished", status="PARTIAL_FAILURE", exit_code=4, list={"id": "L1", "name": "Spring"},
        rows=rows | {"failed": 0, "unknown": 0}, reasons={"phone.short": 50, "email.syntax": 10},
    )  # fmt: skip
    trail.close()
    return read(folder)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_runs_batches_and_reasons_say_what_the_events_say(receiver: Receiver, tmp_path: Path, size: int) -> None:
    events, to = story(tmp_path), sink(receiver)
    for start in range(0, len(events), size):
        assert to.send(events[start : start + size]) == Acknowledged(events[start : start + size][-1].n)
    to.send(events[:3])  # repeats that would turn back time
    to.close()
    asked = (
        "SELECT command, operator, version, status, exit_code, list_name, rows_read, rows_delivered, rows_invalid, "
        "last_n FROM dialfeed_runs"
    )
    assert query(receiver, asked) == [("import", "ops", "1.2.3", "PARTIAL_FAILURE", 4, "Spring", 1600, 1500, 60, 8)]
    assert query(
        receiver, "SELECT batch, contacts, attempts, state, answer, on_list FROM dialfeed_batches ORDER BY 1"
    ) == [
        (1, 1000, 1, "answered", "Accepted", None),
        (2, 500, 1, "settled", None, True),
    ]
    found = query(receiver, "SELECT code, row_total FROM dialfeed_reasons ORDER BY 1")
    assert found == [("email.syntax", 10), ("phone.short", 50)]


def test_a_resumed_run_is_running_again(receiver: Receiver, tmp_path: Path) -> None:
    events, to = story(tmp_path), sink(receiver)
    to.send(events)
    trail = Trail(tmp_path / "audit.jsonl", RUN)
    trail.append("run.started", command="resume")
    trail.close()
    to.send(read(tmp_path)[8:])
    to.close()
    assert query(receiver, "SELECT status, finished_at, last_n FROM dialfeed_runs") == [("RUNNING", None, 9)]


def test_events_can_be_asked_for_their_facts(receiver: Receiver, tmp_path: Path) -> None:
    to = sink(receiver)
    to.send(story(tmp_path))
    to.close()
    if receiver.kind == "postgresql":
        asked = "SELECT body ->> 'status' FROM dialfeed_events WHERE event = 'run.finished'"
    else:
        asked = "SELECT json_value(body, '$.status') FROM dialfeed_events WHERE event = 'run.finished'"
    assert query(receiver, asked) == [("PARTIAL_FAILURE",)]


def test_many_processes_may_make_the_tables_at_once(receiver: Receiver, tmp_path: Path) -> None:
    events = story(tmp_path)
    answers: list[object] = []

    def send() -> None:
        to = sink(receiver)
        answers.append(to.send(events))
        to.close()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Acknowledged(8) in answers
    assert all(isinstance(answer, Acknowledged | Later) for answer in answers)
    assert query(receiver, "SELECT version FROM dialfeed_schema") == [(len(tables.MIGRATIONS),)]
    assert [orjson.loads(line)["n"] for line in receiver.lines()] == [*range(1, 9)]


def test_tables_of_the_version_before_are_brought_up_to_date(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events, to = story(tmp_path), sink(receiver)
    to.send(events[:4])
    to.close()
    later = (*tables.MIGRATIONS, ("ALTER TABLE dialfeed_runs ADD COLUMN campaign VARCHAR(64)",))
    monkeypatch.setattr(tables, "MIGRATIONS", later)
    assert to.send(events[4:]) == Acknowledged(8)
    to.close()
    assert query(receiver, "SELECT MAX(version), COUNT(*) FROM dialfeed_schema") == [(2, 2)]
    assert query(receiver, "SELECT campaign FROM dialfeed_runs") == [(None,)]


def test_tables_of_a_newer_dialfeed_are_left_alone(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events, to = story(tmp_path), sink(receiver)
    to.send(events[:4])
    to.close()
    monkeypatch.setattr(tables, "MIGRATIONS", ())
    assert to.send(events[4:]) == Later("the tables are of a newer dialfeed (version 1)")


def test_an_event_that_no_column_takes_is_refused_and_the_others_stay(receiver: Receiver, tmp_path: Path) -> None:
    trail = write_events(tmp_path, 2)
    trail.append("x" * 100)
    trail.append("batch.sent", batch=4, contacts=1, attempt=1)
    trail.close()
    events, to = read(tmp_path), sink(receiver)
    assert isinstance(to.send(events), Refused)
    assert isinstance(to.send(events[2:3]), Refused)
    assert to.send(events[:2]) == Acknowledged(2)
    assert to.send(events[3:]) == Acknowledged(4)
    to.close()


def test_another_event_under_the_same_number_is_never_written_over(receiver: Receiver, tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        write_events(tmp_path / name, 1 if name == "first" else 2, start=1 if name == "first" else 5).close()
    to = sink(receiver)
    to.send(read(tmp_path / "first"))
    assert to.send(read(tmp_path / "second")) == Refused("another event is stored under its number")
    to.close()
    assert receiver.lines() == [read(tmp_path / "first")[0].line]


def test_a_user_who_may_only_fill_the_tables_is_enough(tmp_path: Path) -> None:
    with postgresql() as receiver, psycopg.connect(receiver.address, autocommit=True) as admin:
        first = sink(receiver)
        first.send(story(tmp_path)[:4])
        first.close()
        role = f"clerk_{receiver.address.rpartition('_')[2]}"
        schema = receiver.address.rpartition("%3D")[2]
        admin.execute(f"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {role}".encode())
        grant = f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}"
        admin.execute(grant.encode())
        try:
            (to,) = open_sinks([receiver.address.replace("postgres@", f"{role}@")], Means({}, 3.0))
            assert to.sink.send(read(tmp_path)) == Acknowledged(8)
            to.sink.close()
        finally:
            admin.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_a_refused_sign_in_is_told_without_names_and_passwords(tmp_path: Path) -> None:
    with mysql() as receiver:
        address = receiver.address.replace("root@", "n0b0dy@")
        (to,) = open_sinks([address], Means({"DIALFEED_SINK_MYSQL_PASSWORD": "s3cr3t-m4rk"}, 3.0))
        answer = to.sink.send(story(tmp_path))
        assert isinstance(answer, Later)
        assert answer.reason.startswith("the database refuses the sign-in or the right (error 1")
