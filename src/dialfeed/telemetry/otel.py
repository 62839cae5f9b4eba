"""Traces and metrics of a run for an OpenTelemetry collector, over OTLP and HTTP.

    dialfeed import            the command
    ├── read                   the source, until it is checked
    └── deliver                batches, until the count is verified
        ├── batch              one attempt each, from sent to answered
        └── settle             while lost answers are looked into

The SDK's own variables (`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_RESOURCE_ATTRIBUTES` …) hold. Spans and figures carry the
facts of the table of events that are numbers, flags, codes and ids: no name, no words.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dialfeed._version import __version__
from dialfeed.audit.events import BY_NAME, Kind, fits
from dialfeed.optional import needed
from dialfeed.telemetry.figures import BOUNDS, Counting, seconds_of

_TOLD: Final[frozenset[Kind]] = frozenset({"number", "flag", "code", "hash", "id"})
_INTERVAL: Final = 15_000
_PATIENCE: Final = 5.0
_REMARKED: Final = frozenset(
    {"token.obtained", "guard.judged", "drift.judged", "delivery.paused", "delivery.resumed", "batch.unknown",
     "batch.settled", "batch.failed", "contacts.refused", "settling.failed", "count.verified", "contacts.verified"}
)  # fmt: skip
"""Events that are remarks on the span that is open."""


_OPENS: Final = {"source.mapped": "read", "delivery.started": "deliver", "settling.started": "settle"}
_CLOSES: Final = {"source.read": "read", "batch.settled": "settle", "settling.failed": "settle"}


def open_tracing(endpoint: str) -> Tracing:
    """Traces and metrics to the collector at this address.

    Raises:
        FixSettings: The libraries are not installed.
    """
    sdk = _library("opentelemetry.sdk.resources")
    resource = sdk.Resource.create({"service.name": "dialfeed", "service.version": __version__})
    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
    logging.getLogger("opentelemetry").propagate = False  # that a collector is down is no news to a user of dialfeed
    counting = Counting()
    return Tracing(_tracer_provider(endpoint, resource), _meter_provider(endpoint, resource, counting), counting)


def _tracer_provider(endpoint: str, resource: Any) -> Any:
    trace, export = _library("opentelemetry.sdk.trace"), _library("opentelemetry.sdk.trace.export")
    otlp = _library("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    provider = trace.TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = otlp.OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=_PATIENCE)
    provider.add_span_processor(export.BatchSpanProcessor(exporter))
    return provider


def _meter_provider(endpoint: str, resource: Any, counting: Counting) -> Any:
    metrics, export = _library("opentelemetry.sdk.metrics"), _library("opentelemetry.sdk.metrics.export")
    otlp = _library("opentelemetry.exporter.otlp.proto.http.metric_exporter")
    exporter = otlp.OTLPMetricExporter(endpoint=f"{endpoint.rstrip('/')}/v1/metrics", timeout=_PATIENCE)
    reader = export.PeriodicExportingMetricReader(exporter, export_interval_millis=_INTERVAL)
    provider = metrics.MeterProvider([reader], resource=resource, shutdown_on_exit=False)
    _observe_figures(provider.get_meter("dialfeed", __version__), counting)
    return provider


def _observe_figures(meter: Any, counting: Counting) -> None:
    """Instruments that read the figures whenever they are exported."""
    observation = _library("opentelemetry.metrics").Observation
    gauges = {
        "dialfeed.rows": ("{row}", lambda each: _by("bucket", each.rows)),
        "dialfeed.reasons": ("{row}", lambda each: _by("reason", each.reasons)),
        "dialfeed.contacts.speed": ("{contact}/s", lambda each: [(each.speed, {})]),
        "dialfeed.dnc_list.age": ("s", lambda each: _by("list", {
            name: each.told_at - obtained for name, obtained in each.lists.items()})),
    }  # fmt: skip
    counters = {
        "dialfeed.contacts.delivered": ("{contact}", lambda each: [(each.delivered, {})]),
        "dialfeed.batches": ("{batch}", lambda each: _by("answer", each.batches)),
        "dialfeed.batch.retries": ("{batch}", lambda each: [(each.retries, {})]),
        "dialfeed.requests": ("{request}", lambda each: [
            (count, {"kind": kind, "outcome": outcome}) for (kind, outcome), count in each.requests.items()]),
        "dialfeed.pauses": ("{pause}", lambda each: _by("cause", each.pauses)),
        "dialfeed.paused": ("s", lambda each: _by("cause", each.paused)),
    }  # fmt: skip
    for table, make in ((gauges, meter.create_observable_gauge), (counters, meter.create_observable_counter)):
        for name, (unit, told) in table.items():
            make(name, [_reader(counting, told, observation)], unit=unit)


def _reader(counting: Counting, told: Any, observation: Any) -> Any:
    def read(_: Any) -> Iterable[Any]:
        return [observation(value, attributes) for value, attributes in told(counting.snapshot())]

    return read


def _by(label: str, counts: Mapping[str, float]) -> list[tuple[float, dict[str, str]]]:
    return [(count, {label: name}) for name, count in counts.items()]


@dataclass(slots=True)
class Tracing:
    """Turns the events of one run into spans, and counts."""

    tracers: Any
    meters: Any
    counting: Counting
    _root: Any = None
    _phases: list[tuple[str, Any]] = field(default_factory=list)
    _batches: dict[int, Any] = field(default_factory=dict)
    _latency: Any = None

    def hear(self, line: Mapping[str, Any]) -> None:
        """One event, as a line of the trail."""
        self.counting.hear(line)
        event = line["event"]
        if event in _REMARKED and self._root is not None:
            self._open.add_event(event, _attributes(line), timestamp=_nanoseconds(line))
        if event in _OPENS:
            self._phases.append((_OPENS[event], self._span(_OPENS[event], line)))
        elif self._phases and self._phases[-1][0] == _CLOSES.get(event):
            self._end(self._phases.pop()[1], line)
        match event:
            case "run.started":
                self._begin(line)
            case "batch.sent":
                self._batches[line["batch"]] = self._span("batch", line)
            case "batch.answered":
                self._end(self._batches.pop(line["batch"], None), line)
            case "request.done":
                self._latency.record(line["seconds"], {"kind": line["kind"], "outcome": line["outcome"]})
            case "run.finished":
                self._finish(line)

    def close(self) -> None:
        """Send what is left; may wait for the network."""
        self.tracers.shutdown()
        self.meters.shutdown()

    @property
    def _open(self) -> Any:
        return self._phases[-1][1] if self._phases else self._root

    def _begin(self, line: Mapping[str, Any]) -> None:
        meter = self.meters.get_meter("dialfeed", __version__)
        self._latency = meter.create_histogram(
            "dialfeed.request.duration", unit="s", explicit_bucket_boundaries_advisory=list(BOUNDS)
        )
        self._root = self._span(f"dialfeed {line['command']}", line)

    def _finish(self, line: Mapping[str, Any]) -> None:
        for span in (*self._batches.values(), *(span for _, span in reversed(self._phases))):
            span.end(_nanoseconds(line))
        self._batches.clear()
        self._phases.clear()
        trace = _library("opentelemetry.trace")
        good = line["exit_code"] in {0, 4}
        self._root.set_status(trace.Status(trace.StatusCode.OK if good else trace.StatusCode.ERROR))
        self._root.set_attributes({f"rows.{name}": count for name, count in line["rows"].items()})
        self._end(self._root, line)

    def _span(self, name: str, line: Mapping[str, Any]) -> Any:
        trace = _library("opentelemetry.trace")
        parent = None if self._root is None else trace.set_span_in_context(self._open)
        tracer = self.tracers.get_tracer("dialfeed", __version__)
        return tracer.start_span(name, parent, attributes=_attributes(line), start_time=_nanoseconds(line))

    def _end(self, span: Any, line: Mapping[str, Any]) -> None:
        if span is not None:
            span.set_attributes(_attributes(line))
            span.end(_nanoseconds(line))


def _attributes(line: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of an event that a span may carry."""
    facts = [fact for fact in BY_NAME[line["event"]].facts if fact.kind in _TOLD and line.get(fact.name) is not None]
    return {"run": line["run"]} | {fact.name: line[fact.name] for fact in facts if fits(fact.kind, line[fact.name])}


def _nanoseconds(line: Mapping[str, Any]) -> int:
    return int(seconds_of(line["time"]) * 1e9)


def _library(name: str) -> Any:
    return needed(name, extra="otel", purpose="tell OpenTelemetry")
