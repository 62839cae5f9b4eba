"""The figures of a run, counted from its events (`dialfeed.audit.events`). Pure but for a lock.

Whoever shows them (a page for Prometheus, a file, OpenTelemetry) takes a snapshot, from whatever thread it likes.
"""

from __future__ import annotations

import copy
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from dialfeed.reports.summary import READY, sends

BOUNDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the classes of latencies, in seconds."""


@dataclass(slots=True)
class Latencies:
    """How long requests took.

    Attributes:
        classes: Requests by class: as many as there are `BOUNDS`, and one for all that took longer.
        total: Seconds, all together.
    """

    classes: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """One more request."""
        place = next((place for place, bound in enumerate(BOUNDS) if seconds <= bound), len(BOUNDS))
        self.classes[place] += 1
        self.total += seconds


@dataclass(slots=True)
class Figures:
    """What a run has come to so far.

    Attributes:
        run: Its id.
        command: What it does.
        rehearsal: Whether it is to send nothing.
        version: Of dialfeed.
        list: The contact list's id.
        started_at: When it began, in seconds since 1970.
        finished_at: When it ended; None while it runs.
        exit_code: How it ended.
        read: Rows read.
        rows: Rows by bucket, once it has ended; what a rehearsal has not sent has not failed, and is `ready`.
        reasons: Rows by reason code, once it has ended.
        ready: Contacts fit to send.
        delivered: Contacts known to be on the list.
        batches: Answers, by what they were.
        retries: Batches that were sent again.
        settled: Batches settled, by whether they are on the list.
        unknown: Batches whose answer was lost.
        requests: Requests by kind and outcome.
        latencies: How long they took, by kind.
        waited: Seconds that requests waited for their turn, all together.
        pauses: Pauses by cause.
        paused: Seconds of pauses, by cause; of pauses at the same time the first counts.
        lists: When the do-not-call lists were obtained, by list, in seconds since 1970.
    """

    run: str = ""
    command: str = ""
    rehearsal: bool = False
    version: str = ""
    list: str = ""
    started_at: float = 0.0
    finished_at: float | None = None
    exit_code: int | None = None
    read: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    ready: int = 0
    delivered: int = 0
    batches: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    settled: Counter[str] = field(default_factory=Counter)
    unknown: int = 0
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    latencies: defaultdict[str, Latencies] = field(default_factory=lambda: defaultdict(Latencies))
    waited: float = 0.0
    pauses: Counter[str] = field(default_factory=Counter)
    paused: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    lists: dict[str, float] = field(default_factory=dict)
    delivering_since: float | None = None
    told_at: float = 0.0
    paused_until: float = 0.0

    @property
    def speed(self) -> float:
        """Contacts delivered a second, from the first batch to the last event."""
        elapsed = self.told_at - self.delivering_since if self.delivering_since is not None else 0.0
        return self.delivered / elapsed if elapsed > 0 else 0.0


class Counting:
    """Hears the events of one run and counts.

    Args:
        figures: What to go on from.
    """

    def __init__(self, figures: Figures | None = None) -> None:
        self._figures = figures or Figures()
        self._lock = threading.Lock()

    def hear(self, line: Mapping[str, Any]) -> None:
        """One event, as a line of the trail."""
        step = _STEPS.get(line["event"])
        with self._lock:
            self._figures.told_at = max(self._figures.told_at, seconds_of(line["time"]))
            if step is not None:
                step(self._figures, line)

    def snapshot(self) -> Figures:
        """The figures now; a copy."""
        with self._lock:
            return copy.deepcopy(self._figures)


def seconds_of(time: object) -> float:
    """A time of a line, or of a list, in seconds since 1970; 0 where it is none."""
    try:
        return (time if isinstance(time, datetime) else datetime.fromisoformat(str(time))).timestamp()
    except ValueError:
        return 0.0


# --- one step for each event that counts --------------------------------------------------------------------------


def _started(figures: Figures, line: Mapping[str, Any]) -> None:
    figures.run, figures.command = line["run"], line["command"]
    figures.rehearsal = not sends(line["command"], line.get("policy", {}))
    figures.version = line["versions"].get("dialfeed", "")
    figures.started_at = figures.told_at


def _found(figures: Figures, line: Mapping[str, Any]) -> None:
    figures.list = line["list"]


def _read(figures: Figures, line: Mapping[str, Any]) -> None:
    figures.read, figures.ready = line["rows"], line["ready"]


def _lists(figures: Figures, line: Mapping[str, Any]) -> None:
    for each in line["lists"]:
        if each.get("obtained_at"):
            figures.lists[str(each["list_id"])] = seconds_of(each["obtained_at"])


def _delivering(figures: Figures, line: Mapping[str, Any]) -> None:
    del line
    figures.delivering_since = figures.told_at


def _sent(figures: Figures, line: Mapping[str, Any]) -> None:
    figures.retries += line["attempt"] > 1


def _answered(figures: Figures, line: Mapping[str, Any]) -> None:
    figures.batches[line["answer"]] += 1
    figures.delivered += line["delivered"]


def _unknown(figures: Figures, line: Mapping[str, Any]) -> None:
    del line
    figures.unknown += 1


def _settled(figures: Figures, line: Mapping[str, Any]) -> None:
    figures.settled["on_list" if line["on_list"] else "absent"] += 1
    figures.delivered += line["contacts"] if line["on_list"] else 0


def _paused(figures: Figures, line: Mapping[str, Any]) -> None:
    now, until = figures.told_at, figures.told_at + line["seconds"]
    figures.pauses[line["cause"]] += 1
    figures.paused[line["cause"]] += max(0.0, until - max(now, figures.paused_until))
    figures.paused_until = max(figures.paused_until, until)


def _requested(figures: Figures, line: Mapping[str, Any]) -> None:
    figures.requests[line["kind"], line["outcome"]] += 1
    figures.latencies[line["kind"]].add(line["seconds"])
    figures.waited += line["waited"]


def _finished(figures: Figures, line: Mapping[str, Any]) -> None:
    named = {"failed": READY} if figures.rehearsal else {}
    figures.rows = {named.get(name, name): count for name, count in line["rows"].items() if name != "read"}
    figures.read, figures.reasons = line["processed"], dict(line["reasons"])
    figures.finished_at, figures.exit_code = figures.told_at, line["exit_code"]


_STEPS: Final = {
    "run.started": _started,
    "list.found": _found,
    "source.read": _read,
    "lists.opened": _lists,
    "delivery.started": _delivering,
    "batch.sent": _sent,
    "batch.answered": _answered,
    "batch.unknown": _unknown,
    "batch.settled": _settled,
    "delivery.paused": _paused,
    "request.done": _requested,
    "run.finished": _finished,
}
