"""How far a sink is with a run, kept in the run's folder: a cursor, a lock, and what the sink would not take.

RUN/shipped/NAME.json         the last event acknowledged, and the address it went to
RUN/shipped/NAME.lock         locked by the one process that sends
RUN/shipped/NAME.dead.jsonl   events that the sink refused, each with the reason
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from dialfeed.audit.sinks.base import Event
from dialfeed.audit.sinks.spool import Position
from dialfeed.files import open_private, private_folder, try_lock, write_json, written_whole

SHIPPED = "shipped"


@dataclass(slots=True)
class Cursor:
    """A sink's place in a run's trail.

    Attributes:
        address: Where the sink is, without secrets.
        position: The last event that it has.
        attempts: How often it answered that it cannot take the next event.
        dead: How many events it refused.
    """

    address: str
    position: Position = field(default_factory=Position)
    attempts: int = 0
    dead: int = 0


_KINDS: Final = {"address": str, "n": int, "hash": str, "end": int, "attempts": int, "dead": int}
"""What a cursor's file holds."""


class CursorFile:
    """A cursor on the disk.

    Args:
        folder: The run's folder.
        name: The sink's name.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder / SHIPPED
        self._path = self._folder / f"{name}.json"
        self._dead = self._folder / f"{name}.dead.jsonl"
        self._lock = self._folder / f"{name}.lock"

    def read(self, address: str) -> Cursor:
        """The cursor; a new one for a sink that is new to the run or has moved, and where it cannot be read."""
        try:
            told = orjson.loads(self._path.read_bytes())
            kinds = {name: type(told[name]) for name in _KINDS}
        except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
            return Cursor(address)
        if kinds != _KINDS:
            return Cursor(address)
        position = Position(told["n"], told["hash"], told["end"])
        cursor = Cursor(told["address"], position, told["attempts"], told["dead"])
        return cursor if cursor.address == address else Cursor(address, dead=cursor.dead)

    def write(self, cursor: Cursor) -> None:
        """Keep a cursor, so that a power failure leaves the old one or this one."""
        told = {
            "address": cursor.address,
            **asdict(cursor.position),
            "attempts": cursor.attempts,
            "dead": cursor.dead,
        }
        write_json(self._path, told)

    def begin(self, address: str) -> None:
        """Write down that the run's events are for this sink, before there is one.

        Only who holds the lock may write; a process that sends already has written it down itself.
        """
        with self.locked() as ours:
            if ours:
                self.write(self.read(address))

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """Hold the sink for this run, if no other process does; the lock ends with the process."""
        private_folder(self._folder)
        handle = open_private(self._lock)
        try:
            yield try_lock(handle, self._lock)
        finally:
            os.close(handle)

    def bury(self, events: Sequence[Event], reason: str, time: str) -> None:
        """Keep events that the sink refuses, with the reason."""
        told = [{"n": each.n, "hash": each.hash, "event": each.name, "reason": reason, "time": time} for each in events]
        handle = os.open(self._dead, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, b"".join(orjson.dumps(each) + b"\n" for each in told))
            os.fsync(handle)
        finally:
            os.close(handle)

    def dead(self) -> list[dict[str, Any]]:
        """The events that the sink refused: `n`, `hash`, `event`, `reason`, `time`; each once, the last reason."""
        try:
            lines = self._dead.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        told = (orjson.loads(line) for line in lines if line.endswith(b"}"))
        return list({each["n"]: each for each in told}.values())

    def keep_dead(self, left: Sequence[dict[str, Any]]) -> None:
        """Keep only these of the events that the sink refused."""
        with written_whole(self._dead) as file:
            file.writelines(orjson.dumps(each) + b"\n" for each in left)


def remembered(folder: Path) -> dict[str, str]:
    """The sinks that a run's events are for: names with addresses."""
    found: dict[str, str] = {}
    for path in sorted((folder / SHIPPED).glob("*.json")):
        try:
            address = orjson.loads(path.read_bytes())["address"]
        except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
            continue
        if isinstance(address, str):
            found[path.stem] = address
    return found


def acknowledged_hashes(folder: Path) -> list[str]:
    """The hash of the last event that each sink of a run has: lines that its trail must hold."""
    cursors = [CursorFile(folder, name).read(address) for name, address in remembered(folder).items()]
    return [cursor.position.hash for cursor in cursors if cursor.position.n]
