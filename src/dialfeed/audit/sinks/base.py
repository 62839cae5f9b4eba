"""What a sink is: it takes events in their order, and says up to which one it has them.

A sink is told every event at least once. What it has to keep apart is the key of an event: its run, its number and
its hash. Failures are answers, not exceptions: nothing that a sink does may disturb a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import orjson

ENVELOPE = ("n", "time", "run", "event", "previous", "hash")
"""What every line of a trail holds (`dialfeed.audit.trail`); the rest are the event's facts."""


@dataclass(frozen=True)
class Event:
    """One event of an audit trail.

    Attributes:
        run: The run's id.
        n: Its number, from 1.
        time: When, ISO 8601 in UTC.
        name: What kind.
        previous: The hash of the event before.
        hash: Its own.
        line: The line of `audit.jsonl`, without its end.
        end: Where the line ends in the file, in bytes.
    """

    run: str
    n: int
    time: str
    name: str
    previous: str
    hash: str
    line: bytes
    end: int = 0

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What is told of it."""
        return {name: value for name, value in orjson.loads(self.line).items() if name not in ENVELOPE}

    @property
    def key(self) -> str:
        """By what a receiver knows a repeat."""
        return f"{self.run}:{self.n}:{self.hash}"


def read_event(line: bytes, end: int = 0) -> Event | None:
    """The event of a line; None if it holds none.

    Args:
        line: A line of `audit.jsonl`, without its end.
        end: Where it ends in the file.
    """
    try:
        told = orjson.loads(line)
        envelope = [told[name] for name in ENVELOPE]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    n, time, run, name, previous, digest = envelope
    if not isinstance(n, int) or not all(isinstance(text, str) for text in envelope[1:]):
        return None
    return Event(run, n, time, name, previous, digest, line, end)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The sink has all events up to and including number `n`, and will not lose them."""

    n: int


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing was taken, and it may be taken later.

    Attributes:
        reason: Why, in a few words, without address or secret.
        after: Seconds that the sink asks to be left alone; None if it does not say.
        suspect: The events themselves may be the cause: an answer came, and it was no answer to be waited out.
    """

    reason: str
    after: float | None = None
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The sink will never take these events as they are.

    Attributes:
        reason: Why, in a few words, without address or secret.
        whole: Each of them, so that there is no use in looking for the one.
    """

    reason: str
    whole: bool = False


Answer = Acknowledged | Later | Refused


@dataclass(frozen=True, slots=True)
class Reached:
    """The sink could be reached, and nothing was sent.

    Attributes:
        told: What is certain of it, and what is not, in a few words.
    """

    told: str


class Sink(Protocol):
    """Where events go. It is made without touching the network, and used by one thread.

    Attributes:
        most: Events in one `send`, at most.
        linger: Seconds to let events gather while a run goes on.
    """

    most: int
    linger: float

    def send(self, events: Sequence[Event]) -> Answer:
        """Give it events of one run, in their order; it connects when it must, and takes no longer than its timeout.

        Returns:
            Up to where it has them. After `Later` or `Refused` it may have some: they are told again.
        """
        ...

    def probe(self) -> Reached | Later:
        """Reach it and sign in, and send nothing; it takes no longer than its timeout."""
        ...

    def close(self) -> None:
        """Let the connection go."""
        ...
