"""The audit trail: one JSON object a line, chained by hashes, synced to disk.

A line holds `n` (from 1), `time` (UTC, ISO 8601), `run`, `event`, the event's facts, `previous` (the hash of the
line before) and `hash`: the SHA-256 of the line without its own hash, as compact JSON with sorted keys. A line that
is changed, removed, added or moved breaks the chain; the last hash is also in `summary.json`, so that a cut-off
tail shows. Facts hold no phone, e-mail, name or secret: numbers, codes, list names and paths only.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

FIRST = "0" * 64
"""What the first line names as the hash before it."""

_UNSYNCED = {"batch.sent", "batch.answered", "batch.settled", "batch.unknown"}
"""Events of single batches: the ledger syncs these facts itself, the trail with the next event that is not one."""


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


class Trail:
    """Appends events to a run's audit trail, continuing one that is there.

    Args:
        path: `audit.jsonl` in the run folder.
        run: The run's id.
        now: Gives the time in UTC.
    """

    def __init__(self, path: Path, run: str, now: Callable[[], datetime] = utc_now) -> None:
        self._run = run
        self._now = now
        self._number, self.last_hash, torn = _tail(path)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        if torn:
            os.ftruncate(self._file, path.stat().st_size - torn)
            self.append("trail.recovered", torn_bytes=torn)

    def append(self, event: str, /, **facts: Any) -> None:
        """Add one event."""
        self._number += 1
        line = {
            "n": self._number,
            "time": self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "run": self._run,
            "event": event,
            **facts,
            "previous": self.last_hash,
        }
        self.last_hash = _hash(line)
        os.write(self._file, orjson.dumps({**line, "hash": self.last_hash}) + b"\n")
        if event not in _UNSYNCED:
            os.fsync(self._file)

    def close(self) -> None:
        """Sync and close."""
        os.fsync(self._file)
        os.close(self._file)


def verify(lines: Iterable[bytes], *, last_hash: str | None = None) -> list[str]:
    """What is wrong with a trail; empty when it is whole.

    Args:
        lines: The lines of `audit.jsonl`.
        last_hash: The hash that the last line must have, from `summary.json` or elsewhere.
    """
    problems: list[str] = []
    previous, number = FIRST, 0
    for place, raw in enumerate(lines, 1):
        number += 1
        try:
            line = orjson.loads(raw)
            claimed = line.pop("hash")
        except (orjson.JSONDecodeError, KeyError, AttributeError):
            problems.append(f"line {place} is not an audit line")
            continue
        if claimed != _hash(line):
            problems.append(f"line {place} was changed")
        if line.get("previous") != previous or line.get("n") != number:
            problems.append(f"line {place} does not follow the line before it")
        previous, number = claimed, line.get("n") if isinstance(line.get("n"), int) else number
    if last_hash is not None and previous != last_hash:
        problems.append("the end of the trail is not the end that was recorded")
    return problems


def _hash(line: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(line, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _tail(path: Path) -> tuple[int, str, int]:
    """Number and hash of the last whole line, and how many bytes of a torn line follow it."""
    if not path.exists():
        return 0, FIRST, 0
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    lines = content[:whole].splitlines()
    if not lines:
        return 0, FIRST, len(content)
    last = orjson.loads(lines[-1])
    return last["n"], last["hash"], len(content) - whole
