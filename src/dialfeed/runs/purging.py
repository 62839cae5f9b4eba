"""Removing what has been kept long enough: files with rows after days, evidence after years and only when told.

A run is looked at together with its lock, its hold and what can still be done with it. What is removed is first told in
the run's trail, so that no removal goes unrecorded; one that is interrupted is finished by the next.
"""

from __future__ import annotations

import getpass
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from dialfeed.assembly import home_folder, keys_folder
from dialfeed.audit.signing import SIGNATURE, Signer, open_signer
from dialfeed.audit.trail import Trail, utc_now
from dialfeed.config import Plan
from dialfeed.drawing import REPORT, drawn
from dialfeed.errors import DialfeedError
from dialfeed.files import write_json
from dialfeed.ledger.folder import AUDIT, LEDGER, SUMMARY, every_run, forget_run, held
from dialfeed.ledger.ledger import Ledger
from dialfeed.reports.retention import HOLD, RETENTION, Purged, Retention, read_retention, rows_in, stamp
from dialfeed.reports.spans import Span
from dialfeed.reports.summary import read_summary
from dialfeed.retries import RETRIES
from dialfeed.runs.seen import RUNNING, Seen, see

Action = Literal["removed", "would be removed", "kept"]

EVIDENCE: Final = (
    SUMMARY, AUDIT, SIGNATURE, REPORT, RETENTION, LEDGER, f"{LEDGER}-wal", f"{LEDGER}-shm", "fault.txt",
    "decisions.csv", "evidence.json", "compare-*.html", "sinks",
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
    return outcomes


def _with_retries(folders: Sequence[Path] | Iterator[Path]) -> Iterator[Path]:
    """Each run, its retries before it."""
    seen: dict[Path, None] = {}
    for folder in folders:
        for each in (*sorted(folder.glob(f"{RETRIES}/*/")), folder):
            seen.setdefault(each.resolve())
    yield from (folder for folder in seen if folder.is_dir())


def _purged(folder: Path, rules: Rules, now: datetime, signer: Signer | None, home: Path) -> Outcome | None:
    seen, retention = see(folder), read_retention(folder)
    age = now - seen.touched if seen.touched else None
    everything = rules.evidence_older_than is not None and age is not None and age > rules.evidence_older_than
    if not everything and not (_due(age, retention, rules, now) and _holds_rows(folder, retention)):
        return None
    why = _kept_because(seen, retention, rules, now) or _kept_for_retry(folder, rules)
    if why:
        return Outcome(seen.run, str(folder), "kept", why)
    paths = _everything_in(folder) if everything else list(rows_in(folder))
    what = "everything" if everything else "rows"
    told = Outcome(seen.run, str(folder), "removed", what, [path.name for path in paths], sum(map(_size, paths)))
    if rules.dry:
        return Outcome(**told.as_dict() | {"action": "would be removed"})
    with held(folder):
        if everything:
            _remove_everything(folder, paths, home, seen.run)
        else:
            _remove_rows(folder, told, retention or Retention(seen.run, ""), signer, now)
    return told


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
    """A retry that can still go on needs the rows of the run that it belongs to."""
    retries = [see(each) for each in folder.glob(f"{RETRIES}/*/")]
    if any(each.status == RUNNING for each in retries):
        return "a process is working on a retry of it"
    under_way = next((each for each in retries if each.can in {"resume", "settle"}), None)
    if under_way is None or rules.even_open:
        return ""
    return f"a retry of it can still go on ({under_way.next}); --even-open removes its rows all the same"


def _remove_rows(folder: Path, told: Outcome, retention: Retention, signer: Signer | None, now: datetime) -> None:
    """Tell the trail, remove the rows, and bring what is told of the run up to date."""
    files = list(told.files)
    facts = {"files": files, "bytes": told.bytes, "kept_until": retention.keep_until, "operator": operator()}
    record(folder, told.run, signer, lambda trail: trail.append("rows.purged", **facts))
    write_json(folder / RETENTION, retention.with_purge(Purged(stamp(now), files, told.bytes, operator())).as_dict())
    for path in rows_in(folder):
        _remove(path)
    if (folder / LEDGER).is_file():
        with Ledger(folder / LEDGER) as ledger:
            ledger.forget_rows()
    if (folder / SUMMARY).is_file():
        drawn(folder)


def _everything_in(folder: Path) -> list[Path]:
    found = [path for pattern in EVIDENCE for path in folder.glob(pattern)]
    return [*rows_in(folder), *found, *folder.glob(RETRIES), *folder.glob(HOLD)]


def _remove_everything(folder: Path, paths: Sequence[Path], home: Path, run: str) -> None:
    """Remove what dialfeed made; the folder too, unless something of the user's is in it."""
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


# --- holds, and what is written into a trail afterwards -----------------------------------------------------------


def hold(folder: Path, plan: Plan, *, release: bool = False) -> None:
    """Set or end a legal hold on a run.

    Raises:
        CheckFile: A process is working on it.
        OSError: The hold cannot be written.
    """
    with held(folder):
        if release:
            (folder / HOLD).unlink(missing_ok=True)
        else:
            (folder / HOLD).touch(mode=0o600)
        name = "hold.released" if release else "hold.set"
        signer = open_signer(keys_folder(plan))
        record(folder, see_id(folder), signer, lambda trail: trail.append(name, operator=operator()))


def see_id(folder: Path) -> str:
    """The id of the run in a folder."""
    return see(folder).run


def record(folder: Path, run: str, signer: Signer | None, tell: Callable[[Trail], None]) -> None:
    """Write into the trail of a run that has ended, and into its summary where that trail ends now."""
    trail = Trail(folder / AUDIT, run)
    try:
        tell(trail)
    finally:
        trail.close(signer)
    if (folder / SUMMARY).is_file():
        summary = read_summary(folder / SUMMARY)
        summary.audit_hash = trail.last_hash
        write_json(folder / SUMMARY, summary.as_dict())


def operator() -> str:
    """The account that does this."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def as_text(outcomes: Sequence[Outcome]) -> str:
    """What became of runs, for a terminal."""
    if not outcomes:
        return "Nothing is due."
    lines = [f"{each.run}: {_words(each)}" for each in outcomes]
    done = [each for each in outcomes if each.action != "kept"]
    freed = sum(each.bytes for each in done)
    verb = "would be" if any(each.action == "would be removed" for each in done) else "were"
    return "\n".join([*lines, f"{len(done)} of {len(outcomes)} runs: {freed / 1e6:,.1f} MB {verb} removed."])


def _words(outcome: Outcome) -> str:
    if outcome.action == "kept":
        return f"kept, {outcome.why}"
    what = "rows" if outcome.why == "rows" else "rows and evidence"
    return f"{what} {outcome.action}: {', '.join(outcome.files) or 'what the ledger tells of contacts'}"
