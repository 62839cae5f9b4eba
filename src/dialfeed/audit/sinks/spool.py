"""A run's `audit.jsonl` as the place where events wait for a sink: read from where the sink has them, as it grows."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from dialfeed.audit.sinks.base import Event, read_event
from dialfeed.audit.trail import FIRST

_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class Position:
    """The last event that a sink has.

    Attributes:
        n: Its number; 0 for none.
        hash: Its hash.
        end: Where its line ends in the file, in bytes.
    """

    n: int = 0
    hash: str = FIRST
    end: int = 0


class TrailChanged(Exception):
    """The file does not go on from what the sink has: lines were changed, removed or replaced."""


class Spool:
    """The events after a position.

    Args:
        path: `audit.jsonl`; it need not be there yet.
        position: The last event that the sink has.
    """

    def __init__(self, path: Path, position: Position) -> None:
        self._path = path
        self._checked = False
        self.position = position

    def take(self, most: int) -> list[Event]:
        """The next events, at most so many; a line that is not whole yet is left for later.

        What is taken is on the disk: a sink never knows more than the run remembers after a power failure.

        Raises:
            TrailChanged: They do not follow the position.
        """
        taken: list[Event] = []
        with self._opened() as file:
            before = self.position
            for line, end in _whole_lines(file, before.end):
                event = read_event(line, end)
                if event is None or event.n != before.n + 1 or event.previous != before.hash:
                    raise TrailChanged
                before = after(event)
                taken.append(event)
                if len(taken) == most:
                    break
            if taken:
                os.fsync(file.fileno())
        return taken

    def find(self, numbers: Collection[int]) -> list[Event]:
        """The events with these numbers that the sink was told already."""
        with self._opened() as file:
            events = (read_event(line, end) for line, end in _whole_lines(file, 0) if end <= self.position.end)
            return [event for event in events if event is not None and event.n in numbers]

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        """The file, with the position in it.

        Raises:
            TrailChanged: The position is not in it.
        """
        try:
            file: BinaryIO = self._path.open("rb")
        except FileNotFoundError:
            file = BytesIO()
        with file:
            if self.position.n and not self._checked:
                event = read_event(_line_that_ends(file, self.position.end))
                if event is None or (event.n, event.hash) != (self.position.n, self.position.hash):
                    raise TrailChanged
                self._checked = True
            yield file


def after(event: Event) -> Position:
    """The position behind an event."""
    return Position(event.n, event.hash, event.end)


def _whole_lines(file: BinaryIO, start: int) -> Iterator[tuple[bytes, int]]:
    """Lines from a place on, without their ends, and where they end."""
    file.seek(start)
    end = start
    for line in file:
        if not line.endswith(b"\n"):
            return
        end += len(line)
        yield line[:-1], end


def _line_that_ends(file: BinaryIO, end: int) -> bytes:
    """The line that ends at a place; empty if none does."""
    start = end
    tail = b""
    while start > 0 and b"\n" not in tail[:-1]:
        start = max(0, start - _PIECE)
        file.seek(start)
        tail = file.read(end - start)
    return tail[:-1].rpartition(b"\n")[2] if len(tail) == end - start and tail.endswith(b"\n") else b""


def count_events(path: Path) -> int:
    """How many whole lines a trail has."""
    try:
        with path.open("rb") as file:
            return sum(1 for _ in _whole_lines(file, 0))
    except FileNotFoundError:
        return 0
