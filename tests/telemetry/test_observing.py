"""Telemetry of real runs: what is told, and that an endpoint that is down harms and delays nothing."""

from __future__ import annotations

import json
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from collector import collecting
from event_table import unfit
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tenant import Tenant

from dialfeed.sandbox import Fault, FaultPlan, SandboxServer, Settings
from dialfeed.telemetry.observing import LAST_WORDS, Telemetry, Wanted, open_telemetry

FILE = "externalId,phone,email,doNotCall,doNotEmail\nA,+12125550123,,no,no\nB,,bea@example.com,no,no\nC,1,,no,no\n"
BEGUN = {"event": "run.started", "time": "2026-03-01T08:00:00Z", "run": "r", "command": "import", "versions": {}}
FLAGS = ("--max-rejected", "100%", "--batch-contacts", "1")


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    with SandboxServer(Settings(rate_limit=None)) as sandbox:
        yield Tenant(sandbox, sandbox.add_list("Spring"), tmp_path)


def test_a_run_writes_its_metrics_and_its_log(tenant: Tenant) -> None:
    metrics, log = tenant.folder / "dialfeed.prom", tenant.folder / "dialfeed.log"
    outcome = tenant.import_file(tenant.write(FILE), *FLAGS, "--metrics-file", metrics, "--log-file", log, "--json")
    assert outcome.code == 4
    assert 'dialfeed_rows{bucket="delivered"} 2.0' in metrics.read_text()
    assert 'dialfeed_requests_total{kind="contacts",outcome="ok"} 2.0' in metrics.read_text()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["run"] for line in lines} == {outcome.json["run"]}
    assert {line["batch"] for line in lines if line["event"] == "batch.answered"} == {1, 2}
    assert [line["event"] for line in lines][-1] == "run.finished"


def test_with_a_log_for_machines_every_line_of_stderr_is_json(tenant: Tenant) -> None:
    outcome = tenant.import_file(tenant.write(FILE), *FLAGS, "--log-format", "json")
    assert [json.loads(line)["event"] for line in outcome.err.splitlines()][-1] == "run.finished"
    failed = tenant.run("resume", "nothing", DIALFEED_LOG_FORMAT="json")
    (told,) = map(json.loads, failed.err.splitlines())
    assert (told["event"], told["exit_code"], failed.code) == ("command.failed", 1, 1)
    assert list(unfit("command.failed", {"error": told["error"], "exit_code": 1})) == []


def test_a_collector_gets_the_spans_and_the_figures_of_a_run(tenant: Tenant) -> None:
    tenant.sandbox.set_faults(FaultPlan(1, (Fault("rate_limited", at=(1,), retry_after="decimals", seconds=0.1),)))
    with collecting() as collector:
        outcome = tenant.import_file(tenant.write(FILE), *FLAGS, "--otel-endpoint", collector.url, "--json")
    spans = [span for body in collector.bodies("/v1/traces") for span in spans_of(body)]
    root = next(span for span in spans if not span.parent_span_id)
    assert root.name == "dialfeed import"
    assert {span.name for span in spans} == {"dialfeed import", "read", "deliver", "batch"}
    assert {span.trace_id for span in spans} == {root.trace_id}
    deliver = next(span for span in spans if span.name == "deliver")
    batches = [span for span in spans if span.name == "batch"]
    assert {span.parent_span_id for span in batches} == {deliver.span_id}
    assert len(batches) == 3, "two batches, one of them sent again after the 429"
    assert {event.name for event in deliver.events} >= {"delivery.paused", "count.verified"}
    attributes = {each.key: each.value for each in root.attributes}
    assert attributes["run"].string_value == outcome.json["run"]
    assert attributes["rows.delivered"].int_value == 2
    names = {name for body in collector.bodies("/v1/metrics") for name in metrics_of(body)}
    assert names >= {"dialfeed.rows", "dialfeed.requests", "dialfeed.request.duration", "dialfeed.contacts.speed"}


def spans_of(body: bytes) -> list[Span]:
    request = ExportTraceServiceRequest.FromString(body)
    return [span for each in request.resource_spans for scope in each.scope_spans for span in scope.spans]


def metrics_of(body: bytes) -> list[str]:
    request = ExportMetricsServiceRequest.FromString(body)
    return [
        metric.name for each in request.resource_metrics for scope in each.scope_metrics for metric in scope.metrics
    ]


# --- what is down -------------------------------------------------------------------------------------------------


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.mark.parametrize("which", ["silent_port", "closed_port"])
def test_an_endpoint_that_is_down_harms_nothing(tenant: Tenant, which: str, request: pytest.FixtureRequest) -> None:
    url = f"http://127.0.0.1:{request.getfixturevalue(which)}"
    outcome = tenant.import_file(tenant.write(FILE), *FLAGS, "--otel-endpoint", url, "--pushgateway", url, "--json")
    assert outcome.code == 4
    assert outcome.rows["delivered"] == 2
    assert outcome.json["findings"] == []
    assert "Traceback" not in outcome.err


def test_what_does_not_answer_is_left_after_the_last_words(silent_port: int) -> None:
    url = f"http://127.0.0.1:{silent_port}"
    telemetry = open_telemetry(Wanted(pushgateway=url, otel_endpoint=url))
    telemetry.hear(BEGUN)
    began = time.monotonic()
    telemetry.close()
    assert time.monotonic() - began < LAST_WORDS + 10, "a bound, not a measurement: both patient for 5 s and more"


def test_what_cannot_be_opened_is_a_finding_and_the_run_goes_on(tenant: Tenant) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        outcome = tenant.import_file(
            tenant.write(FILE), *FLAGS, "--json", "--metrics-port", str(taken.getsockname()[1]), "--log-file",
            tenant.folder / "nowhere" / "log", "--metrics-file", tenant.folder / "nowhere" / "prom",
        )  # fmt: skip
    assert outcome.code == 4
    told = [finding for finding in outcome.json["findings"] if finding["code"] == "telemetry.not_told"]
    assert len(told) == 3


def test_a_library_that_is_not_installed_is_told_with_how_to_install_it() -> None:
    names = ("prometheus_client", "opentelemetry.sdk.resources", "opentelemetry.sdk", "opentelemetry")
    with mock.patch.dict(sys.modules, dict.fromkeys(names)):
        telemetry = open_telemetry(Wanted(metrics_port=1, otel_endpoint="http://127.0.0.1:1"))
    telemetry.close()
    assert ["dialfeed[metrics]" in telemetry.troubles[0], "dialfeed[otel]" in telemetry.troubles[1]] == [True, True]


def test_a_port_answers_with_the_figures_while_a_run_goes_on(closed_port: int) -> None:
    telemetry = open_telemetry(Wanted(metrics_port=closed_port))
    telemetry.hear(BEGUN)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{closed_port}/metrics", timeout=10) as answer:
            assert b'dialfeed_run_info{command="import"' in answer.read()
    finally:
        telemetry.close()


def test_a_listener_that_fails_is_told_once_and_the_others_go_on() -> None:
    telemetry = Telemetry()
    heard: list[object] = []

    def fails(_: object) -> None:
        raise ValueError("+12125550123")

    telemetry._hearing += [fails, heard.append]
    for number in range(3):
        telemetry.hear({"event": "batch.sent", "batch": number})
    assert len(heard) == 3
    assert telemetry.troubles == ["ValueError while an event was told"]
