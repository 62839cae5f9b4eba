"""A run as it is seen from outside: its state, how far it is, and what can still be done with it.

Seeing a run changes nothing of it, and does not hold up the process that works on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from dialfeed.audit.lines import told_by
from dialfeed.errors import DialfeedError
from dialfeed.ledger.folder import AUDIT, LEDGER, RETRIES, STAGE, SUMMARY, is_held
from dialfeed.ledger.reading import Glance, glance
from dialfeed.moments import stamp
from dialfeed.reports.retention import HOLD, Retention, read_retention
from dialfeed.reports.summary import stopped_before_sending

DIED: Final = "DIED"
RUNNING: Final = "RUNNING"

EXIT_CODES: Final = {RUNNING: 0, DIED: 3}
"""What `dialfeed status` exits with for a run that has not told its own exit code."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A run as it is seen from outside.

    Attributes:
        run: Its id.
        folder: Its folder.
        command: What it was last called for.
        status: As in its summary; ``RUNNING`` while a process works on it, ``DIED`` where one ended without telling.
        exit_code: Its exit code; 0 while it runs, 3 where it died.
        list: Name or id of the contact list; empty where it is not known or there is none.
        source: What it reads.
        rows: Rows by bucket, with `read`; where it is not told yet, only what is known so far.
        began: When it began, UTC; None where its trail does not tell.
        touched: When it last told anything, UTC.
        can: ``resume``, ``settle`` or ``retry`` where that is left to do; else empty.
        next: The command for that, in the run's own words where it has any.
        error: What stopped it; empty where nothing did, or it has not told.
        rehearsal: Whether it was told to send nothing.
        keep_until: Until when its files with rows are kept; empty where that is not told.
        purged: Whether they have been removed.
        hold: Whether a legal hold keeps them, on the run or on the one that it retries.
    """

    run: str
    folder: str
    command: str
    status: str
    exit_code: int
    list: str
    source: str
    rows: dict[str, int]
    began: datetime | None
    touched: datetime | None
    can: str
    next: str
    error: str
    rehearsal: bool
    keep_until: str
    purged: bool
    hold: bool

    @property
    def told_command(self) -> str:
        """The command in words."""
        return f"{self.command} (rehearsal)" if self.rehearsal else self.command

    def as_dict(self, now: datetime) -> dict[str, Any]:
        """Its JSON form; `age_seconds` is the time since it last told anything."""
        age = round((now - self.touched).total_seconds()) if self.touched else None
        times = {"began": self.began and stamp(self.began), "touched": self.touched and stamp(self.touched)}
        return asdict(self) | times | {"age_seconds": age}


def see(folder: Path) -> Seen:
    """See the run in this folder.

    Raises:
        FixSettings: Its ledger is none.
    """
    held = is_held(folder)
    told = _summary(folder)
    first, last = _ends_of(folder / AUDIT)
    retention = read_retention(folder)
    seen = _told(folder, told, retention) if told else _untold(folder, glance(folder / LEDGER), first, retention)
    seen = replace(seen, began=_time(first), touched=_time(last) or _time(first))
    if held:
        command = str(last.get("command") or first.get("command") or seen.command)
        return replace(seen, status=RUNNING, exit_code=EXIT_CODES[RUNNING], command=command, can="", next="", error="")
    return seen


def see_all(folders: Iterator[Path]) -> list[Seen]:
    """Runs that can be seen, newest first; a folder that cannot be read is passed over."""
    found = []
    for folder in folders:
        try:
            found.append(see(folder))
        except (DialfeedError, OSError):
            continue
    never = datetime.min.replace(tzinfo=UTC)
    return sorted(found, key=lambda each: (each.began or never, each.run), reverse=True)


def can_go_on(folder: Path, told: dict[str, Any], retention: Retention | None) -> str:
    """What can still be done with a run that has told its end: resume, settle, retry, or nothing."""
    if told["command"] == "demo":
        return ""  # its sandbox has ended with it
    rows = told["rows"]
    went_on = (folder / LEDGER).is_file() and not stopped_before_sending(told["exit_code"], told["batches"])
    if went_on and (folder / STAGE).is_dir():
        return "settle" if rows["unknown"] and not rows["failed"] else "resume"
    sent = went_on and not told["policy"].get("dry_run")
    purged = retention is not None and retention.purged
    if sent and (rows["invalid"] or rows["refused"]) and not purged:
        return "retry"
    return ""


def _told(folder: Path, told: dict[str, Any], retention: Retention | None) -> Seen:
    """A run that has told its end."""
    can = can_go_on(folder, told, retention)
    return Seen(
        run=told["run"],
        folder=str(folder),
        command=told["command"],
        status=told["status"],
        exit_code=told["exit_code"],
        list=told["list"]["name"] or told["list"]["id"],
        source=str(told["source"].get("path", "")),
        rows=told["rows"],
        began=None,
        touched=None,
        can=can,
        next=told["next"],
        error=told["error"],
        rehearsal=bool(told["policy"].get("dry_run")),
        **_kept(folder, retention),
    )


def _untold(folder: Path, looked: Glance, first: Mapping[str, Any], retention: Retention | None) -> Seen:
    """A run that has not told its end."""
    run = str(looked.facts.get("run") or first.get("run") or folder.name)
    can = "resume" if looked.facts.get("run") and not (retention and retention.purged) else ""
    return Seen(
        run=run,
        folder=str(folder),
        command=str(first.get("command", "")),
        status=DIED,
        exit_code=EXIT_CODES[DIED],
        list=_list_name(folder / AUDIT) or str(looked.facts.get("list") or ""),
        source=", ".join(map(str, looked.facts.get("source") or ())),
        rows=rows_so_far(looked),
        began=None,
        touched=None,
        can=can,
        next=f"dialfeed resume {run}" if can else "",
        error="",
        rehearsal=False,
        **_kept(folder, retention),
    )


def rows_so_far(looked: Glance) -> dict[str, int]:
    """Rows by bucket as far as a ledger knows them; what is on its way or waits is not in a bucket yet."""
    prepared = (looked.facts.get("prepared") or {}).get("prepared")
    if prepared is None:
        return {}
    rows = {name: prepared[name] for name in ("read", "duplicate", "invalid", "suppressed")}
    rows["suppressed"] += looked.contacts.get("suppressed", 0)
    return rows | {name: looked.contacts.get(name, 0) for name in ("delivered", "refused", "failed", "unknown")}


def _kept(folder: Path, retention: Retention | None) -> dict[str, Any]:
    whole = (folder, folder.parents[1]) if folder.parent.name == RETRIES else (folder,)
    hold = any((each / HOLD).exists() for each in whole)
    if retention is None:
        return {"keep_until": "", "purged": False, "hold": hold}
    return {"keep_until": retention.keep_until, "purged": bool(retention.purged), "hold": hold}


def _summary(folder: Path) -> dict[str, Any] | None:
    try:
        told: dict[str, Any] = orjson.loads((folder / SUMMARY).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    return told


def _ends_of(trail: Path) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The first line of a trail, and its last whole one; empty where there is none."""
    try:
        with trail.open("rb") as file:
            first = file.readline()
            file.seek(max(0, trail.stat().st_size - _TAIL))
            lines = file.read().split(b"\n")
    except OSError:
        return {}, {}
    return _line(first), next((line for line in map(_line, reversed(lines)) if line), {})


def _list_name(trail: Path) -> str:
    """The contact list's name, which a trail tells near its beginning; empty where it does not."""
    try:
        with trail.open("rb") as file:
            found = next((line for line in file.readlines(_TAIL) if b'"list.found"' in line), b"{}")
    except OSError:
        return ""
    return str(_line(found).get("name") or "")


_TAIL: Final = 1 << 16


def _line(raw: bytes) -> Mapping[str, Any]:
    told = told_by(raw)
    return told if "time" in told else {}


def _time(line: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.fromisoformat(str(line["time"]))
    except (KeyError, ValueError):
        return None
