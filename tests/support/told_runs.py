"""Made-up runs as they tell themselves: summaries and events of any size, without a run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from dialfeed.reports.summary import Finding, Rows, Summary

BEGAN = datetime(2026, 11, 26, 7, 40, tzinfo=UTC)


LISTS = [
    {
        "id": "us-national", "authority": "FTC", "version": "2026-11-20", "obtained_at": "2026-11-20T06:00:00Z",
        "valid_until": "2026-12-21T06:00:00Z", "records": 258_500_000, "coverage": ["212", "646"], "state": "fresh",
    },
    {
        "id": "internal", "authority": "own", "version": "77", "obtained_at": "2026-11-26T05:00:00Z",
        "valid_until": None, "records": 1234, "coverage": None, "state": "fresh",
    },
]  # fmt: skip


def summary(**changes: Any) -> dict[str, Any]:
    """The summary of an import into a list, with some of everything, unless changed."""
    made = Summary(
        "20261126T074000Z-abcdef",
        "/runs/20261126T074000Z-abcdef",
        "import",
        status="PARTIAL_FAILURE",
        exit_code=5,
        list_id="4711",
        list_name="Spring",
        source={"path": "contacts.csv", "sha256": "ab" * 32, "encoding": "utf-8"},
        fields={"phone": "Phone Number"},
        rows=Rows(1000, 700, 50, 120, 60, 20, 30, 20),
        ready=770,
        reasons={
            "phone.too_short": 90,
            "flag.missing": 40,
            "suppressed.do_not_call": 60,
            "duplicate.same_identity": 50,
        },
        warnings={"phone.repaired_decimal": 7},
        before=120,
        after=830,
        batches=9,
        settled={"count": 2},
        deliver_seconds=12.0,
        total_seconds=15.5,
        policy={"flagged": "suppress", "dry_run": False, "do_not_call": "scrubbed against no list"},
        findings=[Finding("source.blank_lines", "info", "3 blank lines were passed over.")],
        next="dialfeed resume 20261126T074000Z-abcdef",
        versions={"dialfeed": "0.1.0"},
        audit_hash="cd" * 32,
    ).as_dict()
    return made | changes


def event(seconds: float, name: str, /, **facts: Any) -> dict[str, Any]:
    """One line of a trail, so many seconds after the run began."""
    time = BEGAN + timedelta(seconds=seconds)
    return {"time": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "event": name, **facts}


def delivery(batches: int, *, size: int = 1000, every: float = 0.1, latency: float = 0.25) -> Iterator[dict[str, Any]]:
    """A trail of so many batches, one after the other: each hundredth is throttled first, each 250th is lost."""
    yield event(0, "run.started", command="import")
    yield event(1, "delivery.started", contacts=batches * size, requests=batches, rate=10.0, seconds=batches * every)
    for number in range(1, batches + 1):
        at = 1 + number * every
        yield event(at, "batch.sent", batch=number, contacts=size, attempt=1)
        if number % 100 == 0:
            yield event(at + 0.01, "batch.answered", batch=number, answer="Throttled", status=429)
            yield event(at + 0.01, "delivery.paused", seconds=2.0)
            yield event(at + 0.02, "batch.sent", batch=number, contacts=size, attempt=1)
        if number % 250 == 0:
            yield event(at + latency, "batch.answered", batch=number, answer="Unknown", status=None)
            yield event(at + latency, "batch.unknown", batch=number, contacts=size, cause="cut")
            yield event(at + latency, "batch.settled", batch=number, contacts=size, on_list=True, by="count")
        else:
            yield event(at + latency, "batch.answered", batch=number, answer="Accepted", status=201)
    yield event(2 + batches * every + latency, "run.finished", status="SUCCESS")
