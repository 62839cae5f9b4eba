"""Trails to ship, and a sink in memory that can be told how to behave."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dialfeed.audit.sinks.addresses import read_address
from dialfeed.audit.sinks.base import Acknowledged, Answer, Event, Later, Reached, Refused
from dialfeed.audit.sinks.courier import Destination
from dialfeed.audit.trail import Trail

RUN = "20260101T000000Z-abc123"


def write_events(folder: Path, count: int, run: str = RUN, start: int = 1) -> Trail:
    """A trail of so many events, still open."""
    trail = Trail(folder / "audit.jsonl", run)
    for number in range(start, start + count):
        trail.append("batch.sent", batch=number, contacts=1000, attempt=1)
    return trail


@dataclass
class MemorySink:
    """Keeps what it is told; `answer` may put something else in place of an acknowledgement."""

    most: int = 10
    linger: float = 0.01
    answer: Callable[[Sequence[Event]], Answer | None] = lambda _: None
    told: list[list[int]] = field(default_factory=list)
    kept: list[Event] = field(default_factory=list)
    closed: bool = False
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def probe(self) -> Reached | Later:
        return Reached("as it should be")

    def send(self, events: Sequence[Event]) -> Answer:
        self.gate.wait()
        self.told.append([event.n for event in events])
        answer = self.answer(events) or Acknowledged(events[-1].n)
        if isinstance(answer, Acknowledged):
            self.kept += [event for event in events if event.n <= answer.n]
        return answer

    def close(self) -> None:
        self.closed = True

    @property
    def numbers(self) -> list[int]:
        return [event.n for event in self.kept]


def destination(sink: MemorySink, address: str = "https://sink.example/audit#memory") -> Destination:
    return Destination(read_address(address), sink)


def refuses(*numbers: int) -> Callable[[Sequence[Event]], Answer | None]:
    """Does not take any batch that holds one of these."""
    return lambda events: Refused("too strange") if {event.n for event in events} & set(numbers) else None


class Away:
    """Is away until told otherwise."""

    def __init__(self) -> None:
        self.away = True

    def __call__(self, events: Sequence[Event]) -> Answer | None:
        del events
        return Later("the connection is refused") if self.away else None
