"""One observer for everything that is told about a run: figures, files, pages, traces, logs.

It hears the lines of the trail and the requests. Nothing of it can harm the run or hold it up: a listener that fails is
told once and the others go on; what talks to a network does so in a thread of its own; and at the end at most
`LAST_WORDS` seconds are given to what does not answer.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dialfeed.errors import DialfeedError
from dialfeed.masking import Mask
from dialfeed.telemetry.figures import Counting
from dialfeed.telemetry.logs import Log, LogFile
from dialfeed.telemetry.otel import open_tracing
from dialfeed.telemetry.prometheus import Prometheus, check_gateway

Hear = Callable[[Mapping[str, Any]], None]
Step = Callable[[], None]

EVERY: Final = 15.0
"""Seconds between two tellings of the figures while a run goes on."""

LAST_WORDS: Final = 2.0
"""Seconds that are given to all endpoints together when the run has ended."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be told, and where to.

    Attributes:
        metrics_file: A file for the node exporter's textfile collector.
        metrics_port: A port of this machine to answer Prometheus on.
        pushgateway: The address of a Pushgateway.
        otel_endpoint: The address of an OpenTelemetry collector (OTLP over HTTP).
        log_file: A file for the log.
        log_to_stderr: Whether the log goes to the standard error.
        secrets: What no log may hold; no part of the text form.
    """

    metrics_file: Path | None = None
    metrics_port: int | None = None
    pushgateway: str | None = None
    otel_endpoint: str | None = None
    log_file: Path | None = None
    log_to_stderr: bool = False
    secrets: tuple[str | None, ...] = field(default=(), repr=False)


class Telemetry:
    """Hears a run and tells of it, from `open_telemetry` to `close`."""

    def __init__(self) -> None:
        self.troubles: list[str] = []
        self._hearing: list[Hear] = []
        self._local: list[Step] = []
        self._remote: list[Step] = []
        self._closing: list[Step] = []
        self._last: list[Step] = []
        self._ended = threading.Event()
        self._ticking: threading.Thread | None = None

    def hear(self, line: Mapping[str, Any]) -> None:
        """One event of the run, as a line of the trail."""
        for each in tuple(self._hearing):
            try:
                each(line)
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not harm the run
                self._hearing.remove(each)
                self.troubles.append(f"{type(error).__name__} while an event was told")

    def add(self, what: str, make: Callable[[Telemetry], None]) -> None:
        """Open one of the things that tell; that it cannot be opened is remembered and harms nothing."""
        try:
            make(self)
        except DialfeedError as error:
            self.troubles.append(f"{what}: {error}")
        except OSError as error:
            self.troubles.append(f"{what}: {error.strerror or type(error).__name__}")

    def start(self) -> None:
        """Tell the figures every `EVERY` seconds from now on."""
        if self._local or self._remote:
            self._ticking = threading.Thread(target=self._tick, name="telemetry", daemon=True)
            self._ticking.start()

    def close(self) -> None:
        """Tell the last of it; endpoints that do not answer are left after `LAST_WORDS` seconds."""
        self._ended.set()
        for step in (*self._local, *self._closing):
            with suppress(Exception):
                step()
        last = threading.Thread(target=self._say_last_words, name="telemetry-end", daemon=True)
        if self._remote or self._last:
            last.start()
            last.join(LAST_WORDS)
        self._hearing.clear()

    def _tick(self) -> None:
        while not self._ended.wait(EVERY):
            for step in (*self._local, *self._remote):
                with suppress(Exception):
                    step()

    def _say_last_words(self) -> None:
        for step in (*self._last, *self._remote):
            with suppress(Exception):
                step()

    # --- what can be opened -----------------------------------------------------------------------------------------

    def log_to_file(self, path: Path, mask: Mask) -> None:
        """Write the log to a file."""
        file = LogFile(path)
        self._hearing.append(Log(file.write, mask).hear)
        self._closing.append(file.close)

    def log_to_stderr(self, mask: Mask) -> None:
        """Write the log to the standard error."""
        self._hearing.append(Log(lambda line: sys.stderr.write(line.decode()), mask).hear)

    def show_metrics(self, wanted: Wanted) -> None:
        """Count, and show the figures wherever they are wanted."""
        counting = Counting()
        prometheus = Prometheus(counting)
        self._hearing.append(counting.hear)
        if (path := wanted.metrics_file) is not None:
            self.add(f"metrics file {path}", lambda _: prometheus.write(path))
            self._local.append(lambda: prometheus.write(path))
        if (url := wanted.pushgateway) is not None:
            check_gateway(url)
            self._remote.append(lambda: prometheus.push(url))
        if (port := wanted.metrics_port) is not None:
            self.add(f"metrics on port {port}", lambda _: prometheus.serve(port))
        self._closing.append(prometheus.close)

    def trace(self, endpoint: str) -> None:
        """Send traces and metrics to an OpenTelemetry collector."""
        tracing = open_tracing(endpoint)
        self._hearing.append(tracing.hear)
        self._last.append(tracing.close)


def open_telemetry(wanted: Wanted) -> Telemetry:
    """Begin to tell of a run; what cannot be told is in `troubles`."""
    telemetry, mask = Telemetry(), Mask(wanted.secrets)
    if (path := wanted.log_file) is not None:
        telemetry.add(f"log file {path}", lambda each: each.log_to_file(path, mask))
    if wanted.log_to_stderr:
        telemetry.add("log", lambda each: each.log_to_stderr(mask))
    if wanted.metrics_file or wanted.metrics_port is not None or wanted.pushgateway:
        telemetry.add("metrics", lambda each: each.show_metrics(wanted))
    if (endpoint := wanted.otel_endpoint) is not None:
        telemetry.add("OpenTelemetry", lambda each: each.trace(endpoint))
    telemetry.start()
    return telemetry
