"""Figures are counted from events, and shown so that Prometheus' own parser reads them."""

from __future__ import annotations

import socket
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from collector import collecting
from prometheus_client.parser import text_string_to_metric_families

from dialfeed.errors import FixSettings
from dialfeed.telemetry.figures import Counting, Latencies, seconds_of
from dialfeed.telemetry.prometheus import Prometheus, check_gateway

ROWS = {"read": 10, "delivered": 6, "duplicate": 1, "invalid": 2, "suppressed": 1, "refused": 0, "failed": 0}


def line(event: str, second: float, **facts: Any) -> dict[str, Any]:
    return {"event": event, "time": f"2026-03-01T08:00:{second:06.3f}Z", "run": "run-1", **facts}


STORY = [
    line("run.started", 0, command="import", versions={"dialfeed": "1.2.3"}),
    line("list.found", 0, list="L-1", name="Spring"),
    line(
        "lists.opened",
        1,
        lists=[
            {"list_id": "us-national", "obtained_at": "2026-02-20T00:00:00Z"},
            {"list_id": "internal", "obtained_at": None},
        ],
    ),
    line("source.read", 1, rows=10, ready=6, sha256="ab" * 32),
    line("delivery.started", 2, contacts=6),
    line("batch.sent", 2, batch=1, contacts=4, attempt=1),
    line("request.done", 2, kind="contacts", outcome="throttled", status=429, seconds=0.02, waited=0.5),
    line("batch.answered", 2, batch=1, contacts=4, answer="Throttled", status=429, delivered=0, seconds=0.5),
    line("delivery.paused", 2, cause="throttled", seconds=5.0),
    line("delivery.paused", 4, cause="throttled", seconds=5.0),
    line("batch.sent", 9, batch=1, contacts=4, attempt=2),
    line("request.done", 9, kind="contacts", outcome="ok", status=201, seconds=0.3, waited=0.0),
    line("batch.answered", 9, batch=1, contacts=4, answer="Accepted", status=201, delivered=4, seconds=0.3),
    line("batch.unknown", 10, batch=2, contacts=2, cause="HTTP 502"),
    line("batch.settled", 12, batch=2, contacts=2, on_list=True, by="count"),
    line("run.finished", 14, exit_code=4, processed=10, rows=ROWS, reasons={"phone.too_short": 2}),
]


def told() -> Counting:
    counting = Counting()
    for each in STORY:
        counting.hear(each)
    return counting


def test_a_run_is_counted_from_its_events() -> None:
    figures = told().snapshot()
    assert figures.delivered == 6
    assert figures.speed == pytest.approx(6 / 12)
    assert figures.requests == {("contacts", "throttled"): 1, ("contacts", "ok"): 1}
    assert figures.retries == 1
    assert figures.settled == {"on_list": 1}
    assert (figures.read, figures.ready, figures.pauses) == (10, 6, {"throttled": 2})
    assert figures.latencies["contacts"].total == pytest.approx(0.32)
    assert figures.paused == {"throttled": 7.0}, "two pauses that overlap are one spell of silence"
    assert figures.rows == {name: count for name, count in ROWS.items() if name != "read"}
    assert figures.lists == {"us-national": seconds_of("2026-02-20T00:00:00Z")}
    assert (figures.exit_code, figures.unknown, figures.waited) == (4, 1, 0.5)


@pytest.mark.parametrize("started", [{"command": "validate"}, {"command": "import", "policy": {"dry_run": True}}])
def test_what_a_rehearsal_has_not_sent_has_not_failed(started: dict[str, Any]) -> None:
    counting = Counting()
    counting.hear(line("run.started", 0, versions={}, **started))
    counting.hear(line("run.finished", 1, exit_code=0, processed=9, rows={"read": 9, "failed": 9}, reasons={}))
    assert counting.snapshot().rows == {"ready": 9}


def test_a_batch_that_turned_out_not_to_be_on_the_list_is_not_counted_as_delivered() -> None:
    counting = told()
    counting.hear(line("batch.settled", 15, batch=3, contacts=50, on_list=False, by="count"))
    assert counting.snapshot().delivered == 6
    assert counting.snapshot().settled == {"on_list": 1, "absent": 1}


def test_nothing_has_a_speed_before_time_has_passed() -> None:
    counting = Counting()
    assert counting.snapshot().speed == 0
    counting.hear(line("delivery.started", 2, contacts=6))
    counting.hear(line("batch.answered", 2, answer="Accepted", delivered=4))
    assert counting.snapshot().speed == 0
    assert seconds_of("no time") == seconds_of(None) == 0


def test_a_latency_is_in_the_class_of_its_bound() -> None:
    latencies = Latencies()
    for seconds in (0.0, 0.01, 0.011, 60.0, 61.0):
        latencies.add(seconds)
    assert (latencies.classes[0], latencies.classes[1], latencies.classes[-2], latencies.classes[-1]) == (2, 1, 1, 1)


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def check(text: str) -> None:
    found = samples(text)
    assert found["dialfeed_rows", (("bucket", "delivered"),)] == 6
    assert found["dialfeed_reason_rows", (("reason", "phone.too_short"),)] == 2
    assert found["dialfeed_requests_total", (("kind", "contacts"), ("outcome", "throttled"))] == 1
    assert found["dialfeed_request_seconds_bucket", (("kind", "contacts"), ("le", "0.5"))] == 2
    assert found["dialfeed_request_seconds_bucket", (("kind", "contacts"), ("le", "0.1"))] == 1
    assert found["dialfeed_request_seconds_count", (("kind", "contacts"),)] == 2
    assert found["dialfeed_paused_seconds_total", (("cause", "throttled"),)] == 7
    assert found["dialfeed_batch_retries_total", ()] == 1
    assert found["dialfeed_contacts_delivered_total", ()] == 6
    assert found["dialfeed_contacts_per_second", ()] == 0.5
    assert found["dialfeed_run_exit_code", ()] == 4
    obtained = found["dialfeed_dnc_list_obtained_timestamp_seconds", (("list", "us-national"),)]
    assert obtained == seconds_of("2026-02-20T00:00:00Z")
    about = (("command", "import"), ("list", "L-1"), ("run", "run-1"), ("version", "1.2.3"))
    assert found["dialfeed_run_info", about] == 1


def test_the_file_is_what_prometheus_reads_and_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "dialfeed.prom"
    path.write_text("old")
    Prometheus(told()).write(path)
    check(path.read_text())
    assert [each.name for each in tmp_path.iterdir()] == ["dialfeed.prom"]
    with pytest.raises(OSError, match="No such file"):
        Prometheus(told()).write(tmp_path / "nowhere" / "dialfeed.prom")


def test_a_port_of_this_machine_answers_until_it_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            Prometheus(told()).serve(port)
    prometheus = Prometheus(told())
    prometheus.serve(port)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            check(answer.read().decode())
    finally:
        prometheus.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_a_gateway_gets_them_under_the_command_and_the_list() -> None:
    with collecting() as gateway:
        Prometheus(told()).push(gateway.url)
        ((method, path, body),) = gateway.requests
    assert (method, path) == ("PUT", "/metrics/job/dialfeed/command/import/list/L-1")
    check(body.decode())


@pytest.mark.parametrize("url", ["gateway:9091", "ftp://gateway", "http://me:secret@gateway:9091"])
def test_an_address_that_is_none_or_holds_a_password_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(FixSettings) as refused:
        check_gateway(url)
    assert "secret" not in str(refused.value)
