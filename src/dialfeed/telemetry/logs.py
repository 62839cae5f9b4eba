"""Logs: every event of a run as one JSON object a line, with the run's and the batch's number.

Only facts that the table of events knows, of a kind that can hold nothing of a row, are written; a fact of another
kind, or a value that does not fit its kind, is left out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from dialfeed.audit.events import BY_NAME, Kind, fits
from dialfeed.masking import Mask

Write = Callable[[bytes], object]
"""Takes one line, with its end."""

_LOGGED: Final[frozenset[Kind]] = frozenset(
    {"number", "flag", "code", "hash", "id", "name", "time", "words", "counts", "numbers", "codes"}
)
_WARNINGS: Final = frozenset(
    {
        "batch.unknown",
        "batch.failed",
        "contacts.refused",
        "delivery.paused",
        "settling.failed",
        "settling.doubted",
        "trail.recovered",
    }
)


class Log:
    """Writes the log of one run.

    Args:
        write: Takes the lines.
        mask: Masks texts.
    """

    def __init__(self, write: Write, mask: Mask) -> None:
        self._write = write
        self._mask = mask

    def hear(self, line: Mapping[str, Any]) -> None:
        """One event, as a line of the trail.

        Raises:
            OSError: It cannot be written.
        """
        event = BY_NAME.get(line["event"])
        if event is None:
            return
        told = {"time": line["time"], "level": level_of(line), "event": event.name, "run": line["run"]}
        for fact in event.facts:
            value = line.get(fact.name)
            if value is not None and fact.kind in _LOGGED and fits(fact.kind, value):
                told[fact.name] = self._masked(value)
        self._write(orjson.dumps(told) + b"\n")

    def _masked(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._mask(value)
        return list(value) if isinstance(value, tuple) else value


def level_of(line: Mapping[str, Any]) -> str:
    """`error`, `warning` or `info`."""
    if line["event"] == "run.finished":
        return {0: "info", 4: "warning"}.get(line["exit_code"], "error")
    if line["event"] == "request.done":
        return "info" if line["outcome"] == "ok" else "warning"
    stopped = line["event"] == "guard.judged" and line.get("stopped")
    return "warning" if stopped or line["event"] in _WARNINGS else "info"


class LogFile:
    """A file that is only appended to, for its owner alone.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.open(path, flags, 0o600)

    def write(self, line: bytes) -> None:
        """Append a line, whole: other runs may write to the same file."""
        os.write(self._file, line)

    def close(self) -> None:
        """Close it."""
        os.close(self._file)
