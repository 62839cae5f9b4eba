"""The figures of a run for Prometheus: as a file for the node exporter, on a port of this machine, and pushed.

The names follow Prometheus' own rules (base units, `_total`, `_seconds`). Everything a run has is told as of now;
the age of a do-not-call list is `time() - dialfeed_dnc_list_obtained_timestamp_seconds`, so that it also grows
while no run looks at it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from dialfeed.errors import FixSettings
from dialfeed.optional import needed
from dialfeed.telemetry.figures import BOUNDS, Counting, Figures, Latencies

Values = Sequence[tuple[tuple[str, ...], float]]
"""Values by their labels."""

_JOB: Final = "dialfeed"
_PUSH_TIMEOUT: Final = 2.0


@dataclass(frozen=True, slots=True)
class Collector:
    """Makes metrics of the figures whenever Prometheus asks (`prometheus_client`'s interface of a collector)."""

    counting: Counting
    core: Any = field(repr=False)

    def collect(self) -> Iterator[Any]:
        """All metrics as of now."""
        figures = self.counting.snapshot()
        yield from self._about_the_run(figures)
        yield from self._about_rows(figures)
        yield from self._about_delivery(figures)
        yield from self._about_requests(figures)

    def _about_the_run(self, figures: Figures) -> Iterator[Any]:
        about = {"run": figures.run, "command": figures.command, "version": figures.version, "list": figures.list}
        yield self._gauge("run_info", "The run that these metrics are of.", [(tuple(about.values()), 1)], *about)
        yield self._plain("run_started_timestamp_seconds", "When the run began.", figures.started_at)
        if figures.finished_at is not None:
            yield self._plain("run_finished_timestamp_seconds", "When the run ended.", figures.finished_at)
            yield self._plain("run_exit_code", "How the run ended.", figures.exit_code or 0)
        ages = [((name,), obtained) for name, obtained in figures.lists.items()]
        yield self._gauge("dnc_list_obtained_timestamp_seconds", "When a do-not-call list was obtained.", ages, "list")

    def _about_rows(self, figures: Figures) -> Iterator[Any]:
        yield self._plain("rows_read", "Rows of the source.", figures.read)
        by_bucket = [((name,), count) for name, count in figures.rows.items()]
        yield self._gauge(
            "rows",
            "Rows by bucket, once the run has ended; those that a rehearsal has not sent are ready.",
            by_bucket,
            "bucket",
        )
        by_reason = [((name,), count) for name, count in figures.reasons.items()]
        yield self._gauge("reason_rows", "Rows by reason code, once the run has ended.", by_reason, "reason")

    def _about_delivery(self, figures: Figures) -> Iterator[Any]:
        yield self._plain("contacts_ready", "Contacts fit to send.", figures.ready)
        yield self._counter("contacts_delivered", "Contacts known to be on the list.", [((), figures.delivered)])
        yield self._plain("contacts_per_second", "Contacts delivered a second so far.", figures.speed)
        answers = [((answer,), count) for answer, count in figures.batches.items()]
        yield self._counter("batches", "Answers to batches.", answers, "answer")
        yield self._counter("batch_retries", "Batches sent again.", [((), figures.retries)])
        yield self._counter("batches_unknown", "Batches whose answer was lost.", [((), figures.unknown)])
        settled = [((verdict,), count) for verdict, count in figures.settled.items()]
        yield self._counter("batches_settled", "Lost answers that became known.", settled, "verdict")
        pauses = [((cause,), count) for cause, count in figures.pauses.items()]
        yield self._counter("pauses", "Spells in which nothing was sent.", pauses, "cause")
        paused = [((cause,), seconds) for cause, seconds in figures.paused.items()]
        yield self._counter("paused_seconds", "Their length, all together.", paused, "cause")

    def _about_requests(self, figures: Figures) -> Iterator[Any]:
        yield self._counter("requests", "Requests to the platform.", list(figures.requests.items()), "kind", "outcome")
        yield self._counter("request_wait_seconds", "Time that requests waited for their turn.", [((), figures.waited)])
        histogram = self.core.HistogramMetricFamily(
            "dialfeed_request_seconds", "From a request's start to its answer's end.", labels=["kind"]
        )
        for kind, latencies in figures.latencies.items():
            histogram.add_metric([kind], buckets=_cumulated(latencies), sum_value=latencies.total)
        yield histogram

    def _plain(self, name: str, told: str, value: float) -> Any:
        return self._gauge(name, told, [((), value)])

    def _gauge(self, name: str, told: str, values: Values, *labels: str) -> Any:
        return _filled(self.core.GaugeMetricFamily(f"dialfeed_{name}", told, labels=labels), values)

    def _counter(self, name: str, told: str, values: Values, *labels: str) -> Any:
        return _filled(self.core.CounterMetricFamily(f"dialfeed_{name}", told, labels=labels), values)


def _filled(family: Any, values: Values) -> Any:
    for labels, value in values:
        family.add_metric(labels, value)
    return family


def _cumulated(latencies: Latencies) -> list[tuple[str, float]]:
    """Prometheus' form: how many took at most so long."""
    counts = [sum(latencies.classes[: place + 1]) for place in range(len(latencies.classes))]
    return list(zip([*map(str, BOUNDS), "+Inf"], counts, strict=True))


class Prometheus:
    """Shows the figures of one run.

    Args:
        counting: Where they are counted.

    Raises:
        FixSettings: The library is not installed.
    """

    def __init__(self, counting: Counting) -> None:
        self._client = needed("prometheus_client", extra="metrics", purpose="show metrics")
        self._counting = counting
        self._server: Any = None
        self.registry = self._client.CollectorRegistry(auto_describe=False)
        self.registry.register(Collector(counting, needed("prometheus_client.core", extra="metrics", purpose="show")))

    def write(self, path: Path) -> None:
        """Write a file that others (the node exporter) may read, so that a reader sees the old one or the new one.

        Raises:
            OSError: It cannot be written.
        """
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            part.write_bytes(self._client.generate_latest(self.registry))
            part.replace(path)
        except OSError:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise

    def serve(self, port: int) -> None:
        """Answer on a port of this machine, until `close`.

        Raises:
            OSError: The port is taken.
        """
        self._server, _ = self._client.start_http_server(port, addr="127.0.0.1", registry=self.registry)

    def push(self, url: str) -> None:
        """Push to a Pushgateway; what an earlier run of the same command into the same list left is replaced.

        Raises:
            OSError: It cannot be reached, or refuses.
        """
        figures = self._counting.snapshot()
        group = {"command": figures.command or "none", "list": figures.list or "none"}
        self._client.push_to_gateway(url, job=_JOB, registry=self.registry, grouping_key=group, timeout=_PUSH_TIMEOUT)

    def close(self) -> None:
        """Stop answering."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def metric_table() -> list[tuple[str, str, list[str], str]]:
    """Every metric, for the documentation: name, type, labels and meaning.

    Raises:
        FixSettings: The library is not installed.
    """
    core = needed("prometheus_client.core", extra="metrics", purpose="tell its metrics")
    ended = Figures(finished_at=0.0, exit_code=0)
    families = Collector(Counting(ended), core).collect()
    suffix = {"counter": "_total"}
    return [
        (each.name + suffix.get(each.type, ""), each.type, list(each._labelnames), each.documentation)  # noqa: SLF001 - the library tells labels nowhere else
        for each in families
    ]


def check_gateway(url: str) -> str:
    """The address of a Pushgateway.

    Raises:
        FixSettings: It is no http(s) address, or holds a password, which would stand in logs of others.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise FixSettings("The address of a gateway must look like https://HOST:PORT, without credentials.")
    return url
