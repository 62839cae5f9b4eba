"""What a run's audit trail tells of its course: throughput over time, pauses and errors, batches and latencies.

The trail is read once, event by event, and folded into a story whose size does not grow with it: time is kept in a
bounded number of buckets whose width grows with the run, latencies in a histogram. A run that was resumed has several
sessions; the time between them is left out of the timeline.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from dialfeed.reports.timeline import Latencies, Moment, Timeline, elapsed

SESSIONS: Final = 50
"""Sessions that are told one by one, at most."""

RECHECKS: Final = 20
"""Verifications after the run that are told, at most: the last ones."""

_TROUBLES: Final = {"NotSent": "not_sent", "Throttled": "throttled"}


@dataclass(slots=True)
class Session:
    """One process that worked on the run.

    Attributes:
        command: What it was called for.
        began: When, UTC.
        ended: When its last event was, UTC.
        status: How it ended; empty where it died.
    """

    command: str
    began: datetime
    ended: datetime
    status: str = ""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.ended - self.began).total_seconds()


@dataclass(slots=True)
class Story:
    """The course of a run, folded from its events."""

    sessions: list[Session] = field(default_factory=list)
    sessions_left_out: int = 0
    timeline: Timeline = field(default_factory=Timeline)
    latencies: Latencies = field(default_factory=Latencies)
    answers: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    sent: int = 0
    smallest: int = 0
    largest: int = 0
    repeated: int = 0
    pauses: Counter[str] = field(default_factory=Counter)
    paused: float = 0.0
    lost: int = 0
    settled: int = 0
    settled_on_list: int = 0
    failed: int = 0
    promised: float | None = None
    delivery_began: datetime | None = None
    delivery_seconds: float = 0.0
    guards: list[dict[str, Any]] = field(default_factory=list)
    read_back: Mapping[str, Any] = field(default_factory=dict)
    rechecks: list[Mapping[str, Any]] = field(default_factory=list)
    drawn_from: int = 0

    _open: dict[int, tuple[float, int]] = field(default_factory=dict)
    _offset: float = 0.0
    _origin: float | None = None
    _accepted: int | None = None

    def take(self, event: Mapping[str, Any]) -> None:
        """Take in one event of the trail; kinds that are not known count for nothing but their time."""
        told = event.get("time")
        if not isinstance(told, str):
            return
        self.drawn_from += 1
        self._clock(str(event["event"]), event, datetime.fromisoformat(told))
        meaning = getattr(self, f"_on_{str(event['event']).replace('.', '_')}", None)
        if meaning is not None:
            meaning(event, self._offset + self._session.seconds)

    def _clock(self, name: str, event: Mapping[str, Any], time: datetime) -> None:
        """Move on in the session that is under way, or begin one; what is told after a run's end is of no session."""
        if name == "run.started" or not self.sessions:
            self._begin(Session(str(event.get("command", "")), time, time))
        elif not self._session.status:
            self._session.ended = time

    def _begin(self, session: Session) -> None:
        if self.sessions:
            self._offset += self._session.seconds
        if len(self.sessions) == SESSIONS:
            self.sessions.pop()
            self.sessions_left_out += 1
        self.sessions.append(session)
        self._open.clear()

    @property
    def _session(self) -> Session:
        return self.sessions[-1]

    def _moment(self, now: float) -> Moment:
        """The bucket of the timeline, which begins with the delivery."""
        self._origin = now if self._origin is None else self._origin
        return self.timeline.at(now - self._origin)

    # --- what single events mean: `_on_` and the event's name --------------------------------------------------------

    def _on_delivery_started(self, event: Mapping[str, Any], now: float) -> None:
        self.delivery_began = self.delivery_began or self._session.ended
        self.promised = self.promised if self.promised is not None else event.get("seconds")
        self._origin = now if self._origin is None else self._origin

    def _on_batch_sent(self, event: Mapping[str, Any], now: float) -> None:
        size = int(event["contacts"])
        self.sent += 1
        self.smallest = min(self.smallest or size, size)
        self.largest = max(self.largest, size)
        self.repeated += int(event.get("attempt", 1)) > 1
        self._open[event["batch"]] = (now, size)

    def _on_batch_answered(self, event: Mapping[str, Any], now: float) -> None:
        answer, batch = str(event["answer"]), event["batch"]
        self.answers[answer] += 1
        self._moment(now)
        self.delivery_seconds = now - (self._origin or 0.0)
        if event.get("status"):
            self.statuses[int(event["status"])] += 1
        began, size = self._open.get(batch, (now, 0))
        if answer not in {"NotSent", "HeldBack", "Unknown"}:
            self.latencies.add(now - began)
        moment = self._moment(now)
        if answer == "Accepted":
            moment.delivered += int(event.get("delivered") or size)
            # what it refused is told right behind it, where the answer itself does not tell how many it took
            self._accepted = batch if event.get("delivered") is None else None
        trouble = _TROUBLES.get(answer)
        if trouble:
            setattr(moment, trouble, getattr(moment, trouble) + 1)
        if answer != "Unknown":
            self._open.pop(batch, None)

    def _on_contacts_refused(self, event: Mapping[str, Any], now: float) -> None:
        number = int(event["contacts"])
        moment = self._moment(now)
        moment.refused += number
        if event["batch"] == self._accepted:
            moment.delivered -= number

    def _on_batch_unknown(self, event: Mapping[str, Any], now: float) -> None:
        self.lost += 1
        self._moment(now).lost += 1
        self._open.pop(event["batch"], None)

    def _on_batch_settled(self, event: Mapping[str, Any], now: float) -> None:
        self.settled += 1
        self._moment(now)
        self.delivery_seconds = now - (self._origin or 0.0)
        if event.get("on_list"):
            self.settled_on_list += 1
            self._moment(now).delivered += int(event["contacts"])

    def _on_batch_failed(self, event: Mapping[str, Any], now: float) -> None:
        del event, now
        self.failed += 1

    def _on_delivery_paused(self, event: Mapping[str, Any], now: float) -> None:
        seconds = float(event.get("seconds") or 0.0)
        self.pauses[str(event.get("cause", "throttled"))] += 1
        self.paused += seconds
        self._moment(now).paused += seconds

    def _on_guard_judged(self, event: Mapping[str, Any], now: float) -> None:
        del now
        self.guards = [each for each in self.guards if each["guard"] != event["guard"]]
        self.guards.append({name: event.get(name, False) for name in ("guard", "stopped", "insisted")})

    def _on_count_verified(self, event: Mapping[str, Any], now: float) -> None:
        del now
        if event.get("by") == "verify":
            self.rechecks = [*self.rechecks, event][-RECHECKS:]

    def _on_contacts_verified(self, event: Mapping[str, Any], now: float) -> None:
        del now
        self.read_back = event

    def _on_run_finished(self, event: Mapping[str, Any], now: float) -> None:
        del now
        self._session.status = str(event.get("status"))

    @property
    def per_second(self) -> float | None:
        """Contacts accepted in a second of the delivery, pauses included; None before anything is."""
        accepted = sum(moment.delivered for moment in self.timeline.moments)
        return accepted / self.delivery_seconds if self.delivery_seconds else None

    @property
    def labels(self) -> list[str]:
        """The time since delivery began at which each bucket begins, as minutes and seconds or as seconds."""
        return [
            elapsed(index * self.timeline.width, self.timeline.width) for index in range(len(self.timeline.moments))
        ]


def story_of(events: Iterable[Mapping[str, Any]]) -> Story:
    """Fold the events of a trail, in their order."""
    story = Story()
    for event in events:
        story.take(event)
    return story
