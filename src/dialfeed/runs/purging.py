"""Removing what has been kept long enough: files with rows after days, evidence after years and only when told.

A run is looked at together with its lock, its hold and what can still be done with it. What is removed is first told in
the run's trail, so that no removal goes unrecorded; one that is interrupted is finished by the next.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from dialfeed.audit.records import RECORDS, read_records, shared_trail
from dialfeed.audit.signing import SIGNATURE, Signer, open_signer
from dialfeed.audit.sinks.cursor import SHIPPED
from dialfeed.config import Plan
from dialfeed.errors import DialfeedError, FixSettings
from dialfeed.files import write_json
from dialfeed.ledger.erasing import erase_contacts
from dialfeed.ledger.folder import AUDIT, LEDGER, RETRIES, SUMMARY, every_run, forget_run, held
from dialfeed.ledger.reading import glance
from dialfeed.moments import stamp, utc_now
from dialfeed.reports.retention import HOLD, RETENTION, Purged, Retention, read_retention, rows_in
from dialfeed.reports.spans import Span
from dialfeed.running.assembly import home_folder, keys_folder
from dialfeed.running.drawing import REPORT, try_to_draw
from dialfeed.running.provenance import operator_name
from dialfeed.running.shipping import ship_later_events
from dialfeed.runs.afterwards import record
from dialfeed.runs.seen import RUNNING, Seen, see
from dialfeed.wording import counted

Action = Literal["removed", "would be removed", "kept"]

EVIDENCE: Final = (
    SUMMARY, AUDIT, SIGNATURE, REPORT, RETENTION, LEDGER, f"{LEDGER}-wal", f"{LEDGER}-shm", "fault.txt",
    "decisions.csv", "optouts.csv", "evidence.json", "compare-*.html", SHIPPED,
)  # fmt: skip
"""What goes with the evidence, beside files with rows; patterns."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is to be removed.

    Attributes:
        older_than: Rows of runs that ended longer ago than this; None for each run's own date.
        evidence_older_than: Everything of runs that ended longer ago than this; None for nothing.
        even_open: Also of runs that can still go on, or be retried.
        dry: Only tell.
        kept_for: For runs without a date of their own.
    """

    older_than: timedelta | None
    evidence_older_than: timedelta | None
    even_open: bool
    dry: bool
    kept_for: Span


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one run.

    Attributes:
        run: Its id.
        folder: Its folder.
        action: What was done.
        why: Why it was kept, or what was removed: ``rows`` or ``everything``.
        files: What was, or would be, removed.
        bytes: How much that is.
    """

    run: str
    folder: str
    action: Action
    why: str
    files: Sequence[str] = ()
    bytes: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Its JSON form."""
        return asdict(self)


def purge(plan: Plan, runs: Sequence[Path], rules: Rules, now: datetime | None = None) -> list[Outcome]:
    """Remove what is due.

    Args:
        plan: Where runs are.
        runs: The folders to look at; all known runs and their retries where none is given.
        rules: What is due.
        now: The time in UTC.

    Returns:
        What became of each run that has something to remove or to say.
    """
    moment, signer = now or utc_now(), open_signer(keys_folder(plan))
    home, outcomes = home_folder(plan), []
    for folder in _with_retries(runs or every_run(Path(plan.runs_dir), home)):
        try:
            outcome = _purged(folder, rules, moment, signer, home)
        except (DialfeedError, OSError) as error:
            outcome = Outcome(folder.name, str(folder), "kept", f"it cannot be purged: {error}")
        if outcome is not None:
            outcomes.append(outcome)
        if outcome is not None and (outcome.action, outcome.why) == ("removed", "rows"):
            ship_later_events(folder, plan)
    return outcomes


def _with_retries(folders: Sequence[Path] | Iterator[Path]) -> Iterator[Path]:
    """Each run, its retries before it."""
    seen: dict[Path, None] = {}
    for folder in folders:
        for each in (*sorted(folder.glob(f"{RETRIES}/*/")), folder):
            seen.setdefault(each.resolve())
    yield from (folder for folder in seen if folder.is_dir())


def _purged(folder: Path, rules: Rules, now: datetime, signer: Signer | None, home: Path) -> Outcome | None:
    """Remove what is due of one run, and tell what became of it; None where nothing is due."""
    seen, retention = see(folder), read_retention(folder)
    what = _what_is_due(folder, seen, retention, rules, now)
    if not what:
        return None
    why = _kept_because(seen, retention, rules, now) or _kept_for_retry(folder, rules)
    if why:
        return Outcome(seen.run, str(folder), "kept", why)
    paths = _rows_of(folder) if what == "rows" else _everything_in(folder)
    names, size = [path.name for path in paths], sum(map(_size, paths))
    if rules.dry:
        return Outcome(seen.run, str(folder), "would be removed", what, names, size)
    told = Outcome(seen.run, str(folder), "removed", what, names, size)
    with held(folder):
        if what == "rows":
            _remove_rows(folder, told, retention or Retention(seen.run, ""), signer, now)
        else:
            _remove_everything(folder, paths, home, seen.run)
    return told


def _what_is_due(
    folder: Path, seen: Seen, retention: Retention | None, rules: Rules, now: datetime
) -> Literal["rows", "everything", ""]:
    age = now - seen.touched if seen.touched else None
    if rules.evidence_older_than is not None and age is not None and age > rules.evidence_older_than:
        return "everything"
    return "rows" if _due(age, retention, rules, now) and _holds_rows(folder, retention) else ""


def _due(age: timedelta | None, retention: Retention | None, rules: Rules, now: datetime) -> bool:
    """Whether the rows have been kept long enough."""
    if rules.older_than is not None:
        return age is not None and age > rules.older_than
    if retention is not None:
        return bool(retention.keep_until) and datetime.fromisoformat(retention.keep_until) < now
    return age is not None and rules.kept_for.length is not None and age > rules.kept_for.length


def _holds_rows(folder: Path, retention: Retention | None) -> bool:
    ledger_tells = (folder / LEDGER).is_file() and not (retention and retention.purged)
    return ledger_tells or any(rows_in(folder))


def _kept_because(seen: Seen, retention: Retention | None, rules: Rules, now: datetime) -> str:
    """Why a run is left alone; empty where it is not."""
    if seen.status == RUNNING:
        return "a process is working on it"
    if seen.hold:
        return "a legal hold keeps it"
    if rules.even_open:
        return ""
    if seen.can in {"resume", "settle"}:
        return f"it can still go on ({seen.next}); --even-open removes its rows all the same"
    until = datetime.fromisoformat(retention.keep_until) if retention and retention.keep_until else None
    if seen.can == "retry" and until is not None and until > now:
        return f"its rejected rows can be retried until {stamp(until)}; --even-open removes them all the same"
    return ""


def _kept_for_retry(folder: Path, rules: Rules) -> str:
    """A retry that can still go on needs the rows of the run that it belongs to; one on hold lies in its folder."""
    retries = [see(each) for each in folder.glob(f"{RETRIES}/*/")]
    if any(each.hold for each in retries):
        return "a legal hold keeps a retry of it"
    if any(each.status == RUNNING for each in retries):
        return "a process is working on a retry of it"
    under_way = next((each for each in retries if each.can in {"resume", "settle"}), None)
    if under_way is None or rules.even_open:
        return ""
    return f"a retry of it can still go on ({under_way.next}); --even-open removes its rows all the same"


def _remove_rows(folder: Path, told: Outcome, retention: Retention, signer: Signer | None, now: datetime) -> None:
    """Tell the trail, remove the rows, and bring what is told of the run up to date."""
    files = list(told.files)
    facts = {"files": files, "bytes": told.bytes, "kept_until": retention.keep_until, "operator": operator_name()}
    record(folder, told.run, signer, lambda trail: trail.append("rows.purged", **facts))
    write_json(
        folder / RETENTION, retention.with_purge(Purged(stamp(now), files, told.bytes, operator_name())).as_dict()
    )
    for path in _rows_of(folder):
        _remove(path)
    if (folder / LEDGER).is_file():
        erase_contacts(folder / LEDGER)
    if (folder / SUMMARY).is_file():
        try_to_draw(folder)


def _rows_of(folder: Path) -> list[Path]:
    """Files and folders with rows. A ledger that cannot be read is one: nobody can take the contacts out of it."""
    try:
        glance(folder / LEDGER)
    except FixSettings:
        return [*rows_in(folder), *folder.glob(f"{LEDGER}*")]
    return list(rows_in(folder))


def _everything_in(folder: Path) -> list[Path]:
    found = [path for pattern in EVIDENCE for path in folder.glob(pattern)]
    return [*rows_in(folder), *found, *folder.glob(RETRIES), *folder.glob(HOLD)]


def _remove_everything(folder: Path, paths: Sequence[Path], home: Path, run: str) -> None:
    """Remove what dialfeed made; the folder too, unless something of the user's is in it."""
    gone = {run, *(path.name for path in folder.glob(f"{RETRIES}/*/"))} & read_records(home).kept.keys()
    for each in sorted(gone):
        with shared_trail(home / RECORDS) as records:
            records.append("record.removed", of=each, operator=operator_name())
    for path in paths:
        _remove(path)
    if not any(folder.iterdir()):
        folder.rmdir()
    forget_run(home, run)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _size(path: Path) -> int:
    if not path.is_dir():
        return path.stat().st_size
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())


def as_text(outcomes: Sequence[Outcome]) -> str:
    """What became of runs, for a terminal."""
    if not outcomes:
        return "Nothing is due: no files with rows are kept beyond their time."
    lines = [f"{each.run}: {_words(each)}" for each in outcomes]
    done = [each for each in outcomes if each.action != "kept"]
    freed = sum(each.bytes for each in done)
    verb = "would be" if any(each.action == "would be removed" for each in done) else "were"
    return "\n".join(
        [*lines, f"{len(done):,} of {counted(len(outcomes), 'run')}: {freed / 1e6:,.1f} MB {verb} removed."]
    )


def _words(outcome: Outcome) -> str:
    if outcome.action == "kept":
        return f"kept, {outcome.why}"
    what = "rows" if outcome.why == "rows" else "rows and evidence"
    return f"{what} {outcome.action}: {', '.join(outcome.files) or 'what the ledger tells of contacts'}"
