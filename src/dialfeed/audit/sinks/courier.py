"""Brings the events of one run to one sink, a batch at a time; decides, and never sleeps.

An answer is either an acknowledgement (the cursor moves), a refusal or "later". A batch that is refused is made
smaller until the one event is found that the sink will not take; that one is laid aside with its reason, and the
events behind it go on. "Later" repeats the same events: without end where the sink is away or busy, a bounded number
of times where the answer points at the event itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dialfeed.audit.sinks.addresses import SinkAddress
from dialfeed.audit.sinks.base import Acknowledged, Answer, Event, Later, Refused, Sink
from dialfeed.audit.sinks.cursor import Cursor, CursorFile
from dialfeed.audit.sinks.spool import Spool, TrailChanged, after, count_events
from dialfeed.delivery.retry import backoff

_BASE = 0.5
LONGEST_OWN_WAIT = 60.0
_LONGEST_WAIT = 600.0


@dataclass(frozen=True, slots=True)
class Destination:
    """A sink with its address."""

    address: SinkAddress
    sink: Sink


@dataclass(frozen=True, slots=True)
class Standing:
    """How a sink is with a run.

    Attributes:
        name: The sink's name.
        address: Where it is, without secrets.
        acknowledged: The number of the last event that it has.
        hash: That event's hash.
        waiting: How many events wait for it.
        dead: How many it refused.
        reason: Why some wait, in a few words; empty if none does.
    """

    name: str
    address: str
    acknowledged: int
    hash: str
    waiting: int
    dead: int
    reason: str


@dataclass(frozen=True, slots=True)
class Moment:
    """Time and chance, from outside.

    Attributes:
        now: The time in UTC.
        chance: Numbers in [0, 1).
    """

    now: Callable[[], datetime]
    chance: Callable[[], float]


class Courier:
    """Carries events; made and used under the sink's lock.

    Args:
        trail: `audit.jsonl`.
        to: The sink.
        file: Where its cursor is kept.
        attempts: How often one event may be answered with a failure that points at it.
        moment: Time and chance.

    Attributes:
        reason: Why the last send failed; empty if it did not.
        failures: How many sends failed in a row.
        finished: Whether this trail cannot be sent any further.
        more: Whether the last batch was as large as it may be, so that more may wait behind it.
    """

    def __init__(self, trail: Path, to: Destination, file: CursorFile, attempts: int, moment: Moment) -> None:
        self._trail = trail
        self._to = to
        self._file = file
        self._attempts = attempts
        self._moment = moment
        self._cursor: Cursor = file.read(to.address.text)
        self._spool = Spool(trail, self._cursor.position)
        self._size = to.sink.most
        self._cap = LONGEST_OWN_WAIT
        self.reason = ""
        self.failures = 0
        self.finished = False
        self.more = False

    @property
    def acknowledged(self) -> int:
        """The number of the last event that the sink has."""
        return self._cursor.position.n

    def step(self, cap: float = LONGEST_OWN_WAIT) -> float | None:
        """Send the next events once.

        Args:
            cap: Seconds to wait at most after a failure, unless the sink asks for more.

        Returns:
            Seconds until the next step: 0 to go on at once, None when nothing waits.
        """
        try:
            events = [] if self.finished else self._spool.take(self._size)
        except TrailChanged:
            self.finished = True
            self.reason = "the trail no longer goes on from what was acknowledged"
            events = []
        if not events:
            return None
        self.more = len(events) == self._size
        self._cap = cap
        return self._judge(events, _sent(self._to.sink, events))

    def again(self) -> None:
        """Send the events that the sink refused before once more; those that it takes now are no longer kept."""
        dead = {each["n"]: each for each in self._file.dead()}
        for event in self._spool.find(dead) if dead else ():
            answer = _sent(self._to.sink, [event])
            if isinstance(answer, Acknowledged):
                del dead[event.n]
                continue
            self.reason = answer.reason
            if isinstance(answer, Later):
                break
        if self._cursor.dead != len(dead):
            self._file.keep_dead(list(dead.values()))
            self._cursor.dead = len(dead)
            self._file.write(self._cursor)

    def _judge(self, events: list[Event], answer: Answer) -> float:
        if isinstance(answer, Acknowledged):
            return self._acknowledge([event for event in events if event.n <= answer.n])
        self.reason = answer.reason
        if isinstance(answer, Later) and not (answer.suspect and self._suspected(events)):
            self.failures += 1
            return self._wait(answer)
        if len(events) > 1 and not (isinstance(answer, Refused) and answer.whole):
            self._size = len(events) // 2
            return 0.0
        now = self._moment.now().isoformat(timespec="seconds")
        self._file.bury(events, answer.reason, now)
        self._cursor.dead += len(events)
        return self._acknowledge(events)

    def _acknowledge(self, events: list[Event]) -> float:
        if not events:
            self.failures += 1
            return self._wait(Later(""))
        self.failures, self.reason = 0, ""
        self._spool.position = self._cursor.position = after(events[-1])
        self._cursor.attempts = 0
        self._file.write(self._cursor)
        self._size = min(self._to.sink.most, self._size * 2)
        return 0.0

    def _suspected(self, events: list[Event]) -> bool:
        """Whether enough is enough; for a single event tries are counted, also over processes."""
        if len(events) > 1:
            return True  # find the one first
        self._cursor.attempts += 1
        self._file.write(self._cursor)
        return self._cursor.attempts >= self._attempts

    def _wait(self, answer: Later) -> float:
        """Seconds; exponential with jitter, or what the sink asks for."""
        if answer.after is not None:
            return min(answer.after, _LONGEST_WAIT)
        return backoff(self.failures - 1, jitter=self._moment.chance(), base=_BASE, cap=self._cap)

    def standing(self) -> Standing:
        """How the sink is with the run now; also while another thread steps."""
        return standing_of(self._trail, self._to.address, self._cursor, self.reason, changed=self.finished)


def standing_of(trail: Path, address: SinkAddress, cursor: Cursor, reason: str, *, changed: bool = False) -> Standing:
    """How a sink is with a run, by its cursor."""
    position = cursor.position
    waiting = max(count_events(trail) - position.n, int(changed))
    return Standing(address.name, address.plain, position.n, position.hash, waiting, cursor.dead, reason)


def _sent(sink: Sink, events: list[Event]) -> Answer:
    """A sink's answer; a fault of ours in it is one as well, so that nothing is lost and no run is disturbed."""
    try:
        return sink.send(events)
    except Exception as error:  # noqa: BLE001 - see above; its words may hold an address, its kind does not
        return Later(f"dialfeed itself failed ({type(error).__name__})")
