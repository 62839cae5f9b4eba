"""The audit trail: one JSON object a line, chained by hashes, synced to disk.

A line holds `n` (from 1), `time` (UTC, ISO 8601), `run`, `event`, the event's facts (`dialfeed.audit.events`),
`previous` (the hash of the line before) and, last, `hash`: the SHA-256 of the line's bytes as they stand, without its
line end and without `,"hash":"…"`. A line that is changed, removed, added or moved breaks the chain
(`dialfeed.audit.check`); the last hash is also in `summary.json`, so that a cut-off tail shows. Facts hold no phone,
e-mail, name of a person or secret; what looks like one in a name that the user gave is masked before it is written.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from dialfeed.audit.events import BY_NAME
from dialfeed.audit.signing import Signer
from dialfeed.errors import CheckFile
from dialfeed.masking import Mask
from dialfeed.moments import timestamp, utc_now

FIRST = "0" * 64
"""What the first line names as the hash before it."""

Hear = Callable[[Mapping[str, Any]], None]
"""Hears every line that is written; must not fail and must not wait."""

_MASK = Mask()
_NAMING = frozenset({"name", "words", "told"})
_BLOCK = 1 << 16
_SYNC_EVERY = 1.0
"""Seconds after which lines of single batches are synced too."""


def unheard(line: Mapping[str, Any]) -> None:
    """Hears a line, and does nothing."""
    del line


class Trail:
    """Appends events to a run's audit trail, continuing one that is there.

    Args:
        path: `audit.jsonl` in the run folder.
        run: The run's id.
        now: Gives the time in UTC.

    Attributes:
        hear: Hears every line that is written, from when it is set.

    Raises:
        CheckFile: The trail that is there ends in a line that was changed.
    """

    def __init__(self, path: Path, run: str, now: Callable[[], datetime] = utc_now) -> None:
        self._path = path
        self._run = run
        self._now = now
        self.hear: Hear = unheard
        self._synced_at = time.monotonic()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self.number, self.last_hash, torn = _tail(self._file)
        except (orjson.JSONDecodeError, KeyError, TypeError):
            os.close(self._file)
            raise CheckFile(
                f"The last line of {path} was changed after it was written.",
                advice=f"`dialfeed audit verify {path}` tells more. Put the file back as it was, then go on.",
            ) from None
        if torn:
            os.ftruncate(self._file, os.fstat(self._file).st_size - torn)
            self.append("trail.recovered", torn_bytes=torn)

    def append(self, event: str, /, **facts: Any) -> None:
        """Add one event.

        Raises:
            OSError: It cannot be written; the trail is as it was before.
        """
        line = {
            "n": self.number + 1,
            "time": timestamp(self._now()),
            "run": self._run,
            "event": event,
            **_masked(event, facts),
            "previous": self.last_hash,
        }
        line["hash"] = line_hash(line)
        self._write(orjson.dumps(line) + b"\n")
        self.number, self.last_hash = line["n"], line["hash"]
        known = BY_NAME.get(event)
        if known is None or known.synced or time.monotonic() - self._synced_at >= _SYNC_EVERY:
            self._sync()
        self.hear(line)

    def close(self, signer: Signer | None = None) -> None:
        """Sync and close, and have the end signed.

        Raises:
            OSError: It cannot be synced, or its signature cannot be written.
        """
        try:
            self._sync()
            if signer is not None:
                signer.sign(self._path.parent, run=self._run, number=self.number, last_hash=self.last_hash)
        finally:
            os.close(self._file)

    def _write(self, content: bytes) -> None:
        """Write all of a line, or nothing: half a line would break the chain for every line after it."""
        size = os.fstat(self._file).st_size
        written = 0
        try:
            while written < len(content):
                written += os.write(self._file, content[written:])
        except OSError:
            os.ftruncate(self._file, size)
            raise

    def _sync(self) -> None:
        os.fsync(self._file)
        self._synced_at = time.monotonic()


def _masked(event: str, facts: dict[str, Any]) -> dict[str, Any]:
    """The facts of an event, without what a user put of a person into the name of a file or a list."""
    known = BY_NAME.get(event)
    if known is None:
        return facts
    return {name: _mask(value) if known.kind_of(name) in _NAMING else value for name, value in facts.items()}


def _mask(value: Any) -> Any:
    """A value with every text in it masked."""
    if isinstance(value, str):
        return _MASK(value)
    if isinstance(value, Mapping):
        return {name: _mask(each) for name, each in value.items()}
    return [_mask(each) for each in value] if isinstance(value, list | tuple) else value


def line_hash(line: Mapping[str, Any]) -> str:
    """The hash of a line that does not hold its own: of the compact JSON in which it is written."""
    return hashlib.sha256(orjson.dumps(line)).hexdigest()


def _tail(file: int) -> tuple[int, str, int]:
    """Number and hash of the last whole line, and how many bytes of a torn line follow it; reads backwards."""
    start = size = os.fstat(file).st_size
    tail = b""
    while start and tail.count(b"\n") < 2:
        length = min(_BLOCK, start)
        start -= length
        tail = os.pread(file, length, start) + tail
    whole = tail.rfind(b"\n") + 1
    if not whole:
        return 0, FIRST, size
    last = orjson.loads(tail[tail.rfind(b"\n", 0, whole - 1) + 1 : whole])
    claimed = last.pop("hash")
    if claimed != line_hash(last) or not isinstance(last["n"], int):
        raise TypeError("no line that was written here")
    return last["n"], claimed, len(tail) - whole
