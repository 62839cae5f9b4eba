"""How long a run's files with rows are kept, and what became of them: `retention.json`.

Files with rows hold people and are kept for days; evidence (`summary.json`, `audit.jsonl`, `report.html` and what
decisions rest on) holds none and is kept for years (`compliance.md` section 5, "Retention and minimisation"). Only
files that dialfeed makes are ever named here: a run's folder may hold the user's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from dialfeed.errors import FixSettings
from dialfeed.files import write_json
from dialfeed.moments import stamp
from dialfeed.reports.spans import Span

RETENTION: Final = "retention.json"
HOLD: Final = "HOLD"
"""A file of this name in a run's folder keeps everything in it, whatever its date: a legal hold."""


def part_of(name: str) -> str:
    """What a file with rows is called while one that is there is written anew; a process that dies leaves it."""
    return f".{name}.part"


_TABLES: Final = (
    "delivered.csv",
    "rejected.csv",
    "duplicates.csv",
    "suppressed.csv",
    "refused.csv",
    "failed.csv",
    "unknown.csv",
    "ready.csv",
)

ROW_FILES: Final = (
    *_TABLES,
    *map(part_of, _TABLES),
    "objections.arrow",
    "rejected.people.csv",
    "refused.people.csv",
    "rejected.xlsx",
    "refused.xlsx",
)
"""Files with rows that a run makes."""

ROW_FOLDERS: Final = ("stage", ".stage")
"""Folders with rows."""


@dataclass(frozen=True, slots=True)
class Purged:
    """One removal.

    Attributes:
        at: When, UTC, ISO 8601.
        files: What was removed.
        bytes: How much that was.
        operator: Who did it.
    """

    at: str
    files: list[str]
    bytes: int
    operator: str


@dataclass(frozen=True, slots=True)
class Retention:
    """The retention of one run's files with rows.

    Attributes:
        run: The run.
        keep_until: Until when they are kept, UTC, ISO 8601; empty for ever.
        files: Each with name, when it was made and until when it is kept.
        purged: What has been removed of them, and when.
    """

    run: str
    keep_until: str
    files: list[dict[str, str]] = field(default_factory=list)
    purged: list[Purged] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Its JSON form."""
        return asdict(self)

    def with_purge(self, purge: Purged) -> Retention:
        """The same after a removal."""
        return replace(self, purged=[*self.purged, purge])


def rows_in(folder: Path) -> Iterator[Path]:
    """Files and folders with rows that are there; the ledger apart."""
    for name in (*ROW_FILES, *ROW_FOLDERS):
        path = folder / name
        if path.exists() and not path.is_symlink():
            yield path


def check_not_purged(folder: Path) -> None:
    """Whether a run still has its rows.

    Raises:
        FixSettings: They have been removed.
    """
    retention = read_retention(folder)
    if retention is not None and retention.purged:
        gone = f"The rows of run {retention.run} were removed on {retention.purged[-1].at}."
        raise FixSettings(gone, advice="Import the file again.")


def keep(folder: Path, run: str, kept_for: Span, now: datetime, *, staged: bool = True) -> Retention:
    """Write down until when the files with rows in this folder are kept.

    Args:
        folder: The run's folder.
        run: The run's id.
        kept_for: How long from now on.
        now: The time in UTC.
        staged: Whether the prepared contacts stay.

    Raises:
        OSError: It cannot be written.
    """
    until = stamp(now + kept_for.length) if kept_for.length is not None else ""
    before = read_retention(folder)
    there = [path for path in rows_in(folder) if staged or path.name not in ROW_FOLDERS]
    files = [{"name": path.name, "made_at": _made_at(path), "keep_until": until} for path in there]
    retention = Retention(run, until, files, before.purged if before else [])
    write_json(folder / RETENTION, retention.as_dict())
    return retention


def read_retention(folder: Path) -> Retention | None:
    """What is written down; None where nothing is, or it cannot be read."""
    try:
        told = orjson.loads((folder / RETENTION).read_bytes())
        purged = [Purged(**each) for each in told["purged"]]
        return Retention(told["run"], told["keep_until"], told["files"], purged)
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        return None


def _made_at(path: Path) -> str:
    return stamp(datetime.fromtimestamp(path.stat().st_mtime, tz=UTC))
