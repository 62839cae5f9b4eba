"""The course of a run while it goes on, and after it has ended, from its ledger and its trail alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from dialfeed.ledger.folder import AUDIT, LEDGER
from dialfeed.ledger.reading import Glance, glance
from dialfeed.moments import utc_now
from dialfeed.reports.story import Story
from dialfeed.reports.timeline import elapsed
from dialfeed.runs.seen import RUNNING, Seen, see
from dialfeed.wording import counted

_STAGES: Final = {
    "run.started": "begun",
    "source.mapped": "reading and checking",
    "list.found": "reading and checking",
    "source.read": "checked",
    "delivery.started": "delivering",
    "settling.started": "settling lost answers",
    "batch.sent": "delivering",
    "batch.settled": "delivering",
    "delivery.paused": "paused: the platform asks for it",
    "count.verified": "writing the row files",
    "run.finished": "ended",
}
"""What a run is at from an event on, until the next of these."""


@dataclass(slots=True)
class Follower:
    """Reads a trail as it grows; each line is read once.

    Args:
        folder: The run's folder.
    """

    folder: Path
    story: Story = field(default_factory=Story)
    stage: str = ""
    _offset: int = 0

    def read(self) -> None:
        """Take in what has been written since; a line that is only half there waits."""
        try:
            with (self.folder / AUDIT).open("rb") as file:
                file.seek(self._offset)
                for line in file:
                    if not line.endswith(b"\n"):
                        return
                    self._offset += len(line)
                    self._take(line)
        except FileNotFoundError:
            return

    def _take(self, line: bytes) -> None:
        try:
            event = orjson.loads(line)
            self.story.take(event)
            self.stage = _STAGES.get(event["event"], self.stage)
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            return


@dataclass(frozen=True, slots=True)
class Status:
    """How far a run is.

    Attributes:
        seen: The run.
        stage: What it is at; ``ended`` or ``died`` when nothing goes on.
        contacts: Contacts fit to send, and how many are in which state; ``open`` ones are on their way.
        rate: Contacts a second since the delivery began, pauses included; None before.
        left: Seconds until the delivery ends at that rate; None where nobody can say.
        batches: Batches sent, repetitions included.
        pauses: How often the platform asked to wait.
        lost: Answers lost.
    """

    seen: Seen
    stage: str
    contacts: dict[str, int]
    rate: float | None
    left: float | None
    batches: int
    pauses: int
    lost: int

    @property
    def running(self) -> bool:
        """Whether a process works on it."""
        return self.seen.status == RUNNING

    def as_dict(self, now: datetime) -> dict[str, Any]:
        """What `--json` prints."""
        return self.seen.as_dict(now) | {
            "stage": self.stage,
            "contacts": self.contacts,
            "per_second": None if self.rate is None else round(self.rate, 1),
            "seconds_left": None if self.left is None else round(self.left, 1),
            "batches_sent": self.batches,
            "pauses": self.pauses,
            "answers_lost": self.lost,
        }


def status(follower: Follower) -> Status:
    """How far a run is now.

    Raises:
        FixSettings: Its ledger is none.
    """
    follower.read()
    seen, looked = see(follower.folder), glance(follower.folder / LEDGER)
    story, contacts = follower.story, _contacts(looked)
    settled = contacts.get("delivered", 0) + contacts.get("refused", 0)
    rate = settled / story.delivery_seconds if settled and story.delivery_seconds else None
    left = None
    if seen.status == RUNNING and rate and contacts.get("ready"):
        left = max(0.0, contacts["ready"] - settled - contacts["suppressed"]) / rate
    stage = follower.stage if seen.status == RUNNING else "died" if seen.status == "DIED" else "ended"
    return Status(seen, stage, contacts, rate, left, story.sent, story.pauses.total(), story.lost)


def _contacts(looked: Glance) -> dict[str, int]:
    """Contacts fit to send, by what has become of them so far."""
    prepared = (looked.facts.get("prepared") or {}).get("prepared")
    if prepared is None:
        return {}
    states = ("delivered", "refused", "suppressed", "open", "waiting", "unknown", "failed")
    told = {state: looked.contacts.get(state, 0) for state in states}
    return {"ready": int(prepared["ready"]), **told, "uncut": max(0, int(prepared["ready"]) - looked.cut)}


def follow(
    folder: Path, *, every: float, sleep: Callable[[float], None] = time.sleep, patience: float = 0.0
) -> Iterator[Status]:
    """The status of a run, again and again until no process works on it; the last one tells how it ended.

    Args:
        folder: The run's folder.
        every: Seconds between two looks.
        sleep: Waits.
        patience: Seconds for which a run that nobody works on yet is waited for.
    """
    follower = Follower(folder)
    began = time.monotonic()
    while True:
        now = status(follower)
        yield now
        if not now.running and time.monotonic() - began >= patience:
            return
        sleep(every)


def as_text(told: Status) -> str:
    """The status for people."""
    return "\n".join(_lines(told))


def _lines(told: Status) -> Iterator[str]:
    seen = told.seen
    where = f" into {seen.list}" if seen.list else ""
    yield f"Run {seen.run}: {seen.status} ({seen.told_command}{where}, {_since(seen)})"
    yield f"  {_stage(told)}"
    if told.contacts.get("ready"):
        shown = {name: count for name, count in told.contacts.items() if count and name not in {"ready", *_NOT_YET}}
        yield f"  of {counted(told.contacts['ready'], 'contact')}: {_counted({**shown, **_not_yet(told)})}"
    elif any(seen.rows.values()):
        yield f"  {_counted({name: count for name, count in seen.rows.items() if count})}"
    if told.batches:
        batches = counted(told.batches, "batch", "batches")
        lost = "1 answer lost" if told.lost == 1 else f"{told.lost:,} answers lost"
        yield f"  {batches} sent, {counted(told.pauses, 'pause')}, {lost}"
    if seen.error:
        yield f"Stopped: {seen.error}"
    if seen.next:
        yield f"Next: {seen.next}"


_NOT_YET: Final = ("waiting", "uncut")
"""Contacts that no batch is under way with, whether they are in one or not."""


def _not_yet(told: Status) -> dict[str, int]:
    number = sum(told.contacts.get(name, 0) for name in _NOT_YET)
    return {"not sent yet" if told.running else "not sent": number} if number else {}


def _stage(told: Status) -> str:
    rate = f", {told.rate:,.0f} contacts a second" if told.rate else ""
    left = f", about {elapsed(told.left)} left" if told.left else ""
    return f"{told.stage or 'begun'}{rate}{left}"


def _since(seen: Seen) -> str:
    if seen.began is None:
        return "no trail"
    age = (utc_now() - seen.began).total_seconds()
    return f"began {seen.began:%Y-%m-%d %H:%M:%S} UTC, {ago(age)} ago"


def ago(seconds: float) -> str:
    """A span of time in its largest unit."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())
