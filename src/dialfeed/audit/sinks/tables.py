"""The tables that a trail becomes in a database, and the SQL that makes and fills them: the same for each server.

    dialfeed_runs      one row a run: how it began, how it ended, its counts, the last event
    dialfeed_batches   one row a batch: when it was sent, what came of it
    dialfeed_reasons   one row a run and reason: how many rows
    dialfeed_events    one row an event: as JSON to be asked, and as the line of the trail to be proved by its hash

The first three are derived from the events, and can be made again from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dialfeed.audit.sinks.base import Event

Values = dict[str, Any]

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE IF NOT EXISTS dialfeed_runs (
            run VARCHAR(64) PRIMARY KEY, command VARCHAR(32), operator VARCHAR(255), host VARCHAR(255),
            version VARCHAR(64), started_at {time}, finished_at {time}, status VARCHAR(32), exit_code INTEGER,
            list_id VARCHAR(255), list_name TEXT,
            rows_read BIGINT, rows_delivered BIGINT, rows_duplicate BIGINT, rows_invalid BIGINT,
            rows_suppressed BIGINT, rows_refused BIGINT, rows_failed BIGINT, rows_unknown BIGINT,
            last_n BIGINT NOT NULL, last_hash VARCHAR(64) NOT NULL){options}""",
        """CREATE TABLE IF NOT EXISTS dialfeed_batches (
            run VARCHAR(64) NOT NULL, batch BIGINT NOT NULL, contacts BIGINT, attempts INTEGER, sent_at {time},
            state VARCHAR(16) NOT NULL, state_at {time} NOT NULL, answer VARCHAR(64), http_status INTEGER,
            cause TEXT, on_list BOOLEAN, PRIMARY KEY (run, batch)){options}""",
        """CREATE TABLE IF NOT EXISTS dialfeed_reasons (
            run VARCHAR(64) NOT NULL, code VARCHAR(128) NOT NULL, row_total BIGINT NOT NULL,
            PRIMARY KEY (run, code)){options}""",
        """CREATE TABLE IF NOT EXISTS dialfeed_events (
            run VARCHAR(64) NOT NULL, n BIGINT NOT NULL, event_time {time} NOT NULL, event VARCHAR(64) NOT NULL,
            body {json} NOT NULL, line {text} NOT NULL, previous VARCHAR(64) NOT NULL, hash VARCHAR(64) NOT NULL,
            PRIMARY KEY (run, n)){options}""",
    ),
)
"""Statements by version, from 1; once released they are never changed, only followed by others."""

VERSIONS = """CREATE TABLE IF NOT EXISTS dialfeed_schema (
    version INTEGER PRIMARY KEY, applied_at {time} NOT NULL){options}"""
VERSION = "SELECT COALESCE(MAX(version), 0) FROM dialfeed_schema"
APPLIED = "INSERT INTO dialfeed_schema (version, applied_at) VALUES (%s, %s)"
STORED = "SELECT n, hash FROM dialfeed_events WHERE run = %s AND n BETWEEN %s AND %s"
EVENT = (
    "INSERT INTO dialfeed_events (run, n, event_time, event, body, line, previous, hash) "
    "VALUES (%s, %s, %s, %s, {value}, %s, %s, %s)"
)
NO_REASONS = "DELETE FROM dialfeed_reasons WHERE run = %s"
REASON = "INSERT INTO dialfeed_reasons (run, code, row_total) VALUES (%s, %s, %s)"

_STATES = {
    "batch.sent": "sent",
    "batch.answered": "answered",
    "batch.settled": "settled",
    "batch.unknown": "unknown",
    "batch.failed": "failed",
}
_BATCH_FACTS = {
    "contacts": "contacts",
    "attempt": "attempts",
    "answer": "answer",
    "status": "http_status",
    "cause": "cause",
    "on_list": "on_list",
}


@dataclass(slots=True)
class Projection:
    """What events change in the derived tables.

    Attributes:
        run: Columns of the run's row.
        batches: Columns of the batches' rows, by batch.
        reasons: How many rows each reason has, if that was told.
    """

    run: Values = field(default_factory=dict)
    batches: dict[int, Values] = field(default_factory=dict)
    reasons: Mapping[str, int] | None = None


def project(events: Iterable[Event]) -> Projection:
    """What events in their order, none of them told before, change in the derived tables."""
    told = Projection()
    for event in events:
        told.run |= {"last_n": event.n, "last_hash": event.hash}
        facts = event.facts
        if event.name in _STATES and isinstance(facts.get("batch"), int):
            told.batches.setdefault(facts["batch"], {}).update(_batch(event, facts))
        elif event.name == "run.started":
            told.run |= _started(event, facts)
        elif event.name in {"run.finished", "rows.retried"}:
            told.run |= _ended(event, facts)
            told.reasons = facts.get("reasons", told.reasons)
    return told


def moment(text: str) -> datetime:
    """An event's time."""
    return datetime.fromisoformat(text)


def _batch(event: Event, facts: Values) -> Values:
    columns = {column: facts[fact] for fact, column in _BATCH_FACTS.items() if fact in facts}
    if event.name == "batch.sent":
        columns["sent_at"] = moment(event.time)
    return columns | {"state": _STATES[event.name], "state_at": moment(event.time)}


def _started(event: Event, facts: Values) -> Values:
    """A run that is resumed began when it first began."""
    columns = {"status": "RUNNING", "exit_code": None, "finished_at": None}
    first = {
        "command": facts.get("command"),
        "operator": facts.get("operator"),
        "host": facts.get("host"),
        "version": facts.get("versions", {}).get("dialfeed"),
        "started_at": moment(event.time),
    }
    return columns | first if event.n == 1 else columns


def _ended(event: Event, facts: Values) -> Values:
    columns: Values = {f"rows_{bucket}": rows for bucket, rows in facts.get("rows", {}).items()}
    columns["status"] = facts.get("status")
    if event.name == "run.finished":
        to = facts.get("list", {})
        columns |= {"finished_at": moment(event.time), "exit_code": facts.get("exit_code")}
        columns |= {"list_id": to.get("id"), "list_name": to.get("name")}
    return columns
