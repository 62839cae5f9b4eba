"""One run from its first moment to its last: its folder, its trail, its summary, and how every ending is told.

Whatever ends a run, its summary and its audit entry are written, and the caller gets a result with the exit code
and the command that goes on.
"""

from __future__ import annotations

import getpass
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from dialfeed._version import __version__
from dialfeed.audit.events import BY_NAME
from dialfeed.audit.signing import Signer
from dialfeed.audit.sinks.shipping import Shipping
from dialfeed.audit.trail import Trail
from dialfeed.contacts.phone import METADATA_VERSION
from dialfeed.errors import DialfeedError, FixSettings, FixSource, NameList, ResumeRun
from dialfeed.files import sha256_of, write_json
from dialfeed.ledger.folder import RunFolder, clear_stage, discard
from dialfeed.moments import timestamp, utc_now
from dialfeed.reports.findings import found
from dialfeed.reports.people import has_rows, write_people_csv, write_workbook
from dialfeed.reports.retention import keep, rows_in
from dialfeed.reports.spans import Span
from dialfeed.reports.summary import Finding, Rows, Summary
from dialfeed.running.drawing import drawn
from dialfeed.running.endings import audit_entry, exit_code, next_step, status
from dialfeed.running.faults import translated
from dialfeed.running.shipping import findings as sink_findings
from dialfeed.running.stopping import Stopper
from dialfeed.telemetry.observing import Telemetry


class Progress(Protocol):
    """Hears how far a run is."""

    def __call__(
        self, stage: str, done: int = 0, total: int | None = None, note: str = "", left: float | None = None
    ) -> None:
        """One step.

        Args:
            stage: ``read``, ``sign in``, ``deliver``, ``settle``, ``verify`` or ``record``.
            done: Rows, or contacts, so far.
            total: How many there will be, where that is known.
            note: A few words more.
            left: Seconds until the stage ends, where that can be said.
        """
        ...


def silent(stage: str, done: int = 0, total: int | None = None, note: str = "", left: float | None = None) -> None:
    """Progress that nobody looks at."""
    del stage, done, total, note, left


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended.

    Attributes:
        summary: What `summary.json` holds.
        error: What stopped the run before its end, if anything did.
        had_ended: Whether it had come to its end before it was to go on, so that nothing was done now.
    """

    summary: Summary
    error: DialfeedError | None = None
    had_ended: bool = False

    @property
    def run(self) -> str:
        """The run's id."""
        return self.summary.run

    @property
    def folder(self) -> str:
        """The run's folder."""
        return self.summary.folder

    @property
    def status(self) -> str:
        """SUCCESS, PARTIAL_FAILURE, FAILED, STOPPED (by a guard) or INTERRUPTED."""
        return self.summary.status

    @property
    def exit_code(self) -> int:
        """As the command would exit (`needs.md`, "Conventions users expect")."""
        return self.summary.exit_code

    @property
    def rows(self) -> Rows:
        """How many rows ended where."""
        return self.summary.rows

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        return self.summary.as_dict()


@dataclass(slots=True)
class Run:
    """What every step of a run has at hand.

    Attributes:
        folder: Where its files are.
        summary: What it has to say so far.
        trail: Its audit trail.
        stopper: Whether it is to stop.
        progress: Who hears how far it is.
        sends: Whether it delivers; a rehearsal or a validation does not.
        people_files: The kind of files for people to write: `none`, `csv` or `xlsx`.
        keep_rows: How long its files with rows are kept.
        signer: Signs the end of the trail, where there is a key.
        shipping: Sends the trail to its sinks while the run goes on.
        telemetry: Tells of the run to whoever watches machines.
        record_settled: Writes some of the rows that nothing more will become of into their files, beside a delivery;
            tells whether there were any.
        settle_rows: Puts the rows into their buckets at the end, from what is on disk.
        remember_end: Writes the settled rows into the history that runs share.
        operator: Who runs it.
        host: On which machine.
        home: The folder of what runs share.
    """

    folder: RunFolder
    summary: Summary
    trail: Trail
    stopper: Stopper
    progress: Progress
    sends: bool
    people_files: str = "none"
    keep_rows: Span = field(default_factory=lambda: Span(30))
    signer: Signer | None = None
    shipping: Shipping | None = None
    telemetry: Telemetry = field(default_factory=Telemetry)
    record_settled: Callable[[], bool] | None = None
    settle_rows: Callable[[], None] | None = None
    remember_end: Callable[[], None] | None = None
    operator: str = ""
    host: str = ""
    home: Path = field(default_factory=Path)
    error: DialfeedError | None = None
    _recorded: bool = False
    _began: float = field(default_factory=time.monotonic)

    def result(self) -> Result:
        """How it ended."""
        return Result(self.summary, self.error)

    def observe(self, event: str, /, **facts: Any) -> None:
        """Hear of an event (`dialfeed.delivery.ports.Observer`)."""
        known = BY_NAME.get(event)
        if known is None or known.kept:
            self.trail.append(event, **facts)
        else:
            self.telemetry.hear({"event": event, "time": timestamp(utc_now()), "run": self.folder.id, **facts})

    def finish(self) -> None:
        """Count, judge, and write summary and audit entry."""
        self._recorded = _guarded(self, self.settle_rows)
        _guarded(self, self.remember_end)
        _guarded(self, self._write_people_files)
        summary = self.summary
        summary.findings += [_not_told(trouble) for trouble in self.telemetry.troubles]
        if not summary.rows.adds_up:
            self.error = self.error or ResumeRun("The rows do not add up; this run's counts cannot be trusted.")
        summary.exit_code = exit_code(summary, self.error, sends=self.sends)
        summary.status = status(summary.exit_code, summary.rows.delivered)
        summary.error = str(self.error) if self.error else ""
        summary.next = "" if isinstance(self.error, NameList) else next_step(summary)
        summary.total_seconds = time.monotonic() - self._began
        _guarded(self, self._keep_rows)
        self.trail.append("run.finished", **audit_entry(summary))
        summary.audit_hash = self.trail.last_hash
        self.trail.close(self.signer)
        write_json(self.folder.summary, summary.as_dict())
        self.end_shipping()
        self._draw()
        if not self.can_go_on:
            clear_stage(self.folder)

    def _keep_rows(self) -> None:
        """Write down until when the files with rows are kept; the prepared contacts go when nothing is left to do."""
        kept = keep(self.folder.path, self.folder.id, self.keep_rows, utc_now(), staged=self.can_go_on)
        self.summary.retention = {
            "keep_rows": str(self.keep_rows),
            "keep_rows_until": kept.keep_until or None,
            "files": [each["name"] for each in kept.files],
        }
        self.summary.files = {path.name: sha256_of(path) for path in rows_in(self.folder.path) if path.is_file()}

    def _draw(self) -> None:
        """Draw the report; that it cannot be drawn is told, and harms the run no more."""
        fault = drawn(self.folder.path)
        if fault:
            sentence = f"report.html could not be drawn ({fault})."
            remedy = f"`dialfeed report {self.summary.run}` draws it again."
            self.summary.findings.append(found("report.not_drawn", sentence, remedy))
            write_json(self.folder.summary, self.summary.as_dict())

    def end_shipping(self) -> None:
        """Give the sinks their time, and tell what is left to send; the run has ended as it has."""
        shipping, self.shipping = self.shipping, None
        if shipping is None:
            return
        standings = shipping.finish()
        self.summary.sinks = [asdict(standing) for standing in standings]
        self.summary.findings += sink_findings(self.summary.run, standings)
        write_json(self.folder.summary, self.summary.as_dict())

    def _write_people_files(self) -> None:
        if self.people_files == "none":
            return
        for name in ("rejected", "refused"):
            rows = self.folder.path / f"{name}.csv"
            if not has_rows(rows):
                continue
            if self.people_files == "xlsx" and write_workbook(rows, rows.with_suffix(".xlsx")):
                continue
            write_people_csv(rows, rows.with_suffix(".people.csv"))
            if self.people_files == "xlsx":
                sentence = f"{name}.csv is too large for a workbook; {name}.people.csv was written instead."
                self.summary.findings.append(found("people.too_large", sentence))

    @property
    def is_false_start(self) -> bool:
        """Whether a setting, the file or the list's name stopped it before anything was done, and no sink was told."""
        summary = self.summary
        anew = summary.command in {"import", "validate", "retry"} and self.folder.ours
        nothing = not (summary.rows.read or summary.list_id or summary.sinks)
        return anew and nothing and isinstance(self.error, FixSettings | FixSource | NameList)

    @property
    def can_go_on(self) -> bool:
        """Whether something is left that resuming could deliver or settle; the prepared contacts are kept for that."""
        rows = self.summary.rows
        recorded = self.settle_rows is not None and self._recorded
        nothing_left = recorded and not (rows.failed or rows.unknown)
        began_badly = self.summary.stopped_before_sending and self.summary.command in {"import", "retry"}
        return self.sends and not began_badly and not nothing_left


@contextmanager
def running(run: Run) -> Iterator[Run]:
    """Run a command's steps; whatever happens, the run is finished and no exception leaves.

    What is expected to go wrong is a `DialfeedError` and becomes the run's error. What is not is a fault of this
    program: its place is kept in `fault.txt`, without any value, and the user is told to resume.
    """
    try:
        _begin(run)
        _guarded(run, None)
        yield run
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - no traceback ever reaches a user
        run.error = translated(error, run.folder.path, run.stopper.signal_number)
    finally:
        try:
            run.finish()
        except OSError as error:
            run.error = run.error or translated(error, run.folder.path, run.stopper.signal_number)
            run.summary.exit_code = run.error.exit_code
            run.summary.status = "FAILED"
            run.summary.error = str(run.error)
        finally:
            run.telemetry.close()
        with suppress(OSError):
            run.end_shipping()  # where the run could not be finished
        if run.is_false_start:
            with suppress(OSError):
                discard(run.folder, run.home)
                run.summary.folder = ""


def _guarded(run: Run, step: Callable[[], None] | None) -> bool:
    """Do a step of a run's end, and tell whether it was done; what goes wrong becomes the run's error."""
    try:
        if step is not None:
            step()
    except Exception as error:  # noqa: BLE001 - the summary must be written all the same
        run.error = run.error or translated(error, run.folder.path, run.stopper.signal_number)
        return False
    return True


def _begin(run: Run) -> None:
    keep(run.folder.path, run.folder.id, run.keep_rows, utc_now())  # a run that dies has its date all the same
    if run.shipping is not None:
        run.shipping.start()
    run.summary.versions = versions()
    run.operator, run.host = operator_name(), platform.node()
    run.trail.append(
        "run.started",
        command=run.summary.command,
        policy=run.summary.policy,
        versions=run.summary.versions,
        operator=run.operator,
        host=run.host,
    )


def versions() -> dict[str, str]:
    """What made the verdicts: this program, the numbering plan, the engine."""
    return {
        "dialfeed": __version__,
        "python": platform.python_version(),
        "phone_metadata": METADATA_VERSION,
        "polars": pl.__version__,
        "email_validator": metadata.version("email-validator"),
    }


def operator_name() -> str:
    """The account that this process runs under."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _not_told(trouble: str) -> Finding:
    sentence = f"Something that was to be told of the run could not be: {trouble}"
    return found("telemetry.not_told", sentence, "The run itself is not touched by it.")
