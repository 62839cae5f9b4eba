"""A run: what every step of it has at hand, and what it comes to."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from dialfeed.audit.events import BY_NAME
from dialfeed.audit.signing import Signer
from dialfeed.audit.sinks.shipping import Shipping
from dialfeed.audit.trail import Trail
from dialfeed.errors import DialfeedError, FixSettings, FixSource, NameList
from dialfeed.ledger.folder import RunFolder
from dialfeed.moments import timestamp, utc_now
from dialfeed.reports.spans import Span
from dialfeed.reports.summary import Rows, Summary
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
        anew: Whether a guard had stopped it, so that its source is imported again: by the command in `summary.next`.
    """

    summary: Summary
    error: DialfeedError | None = None
    had_ended: bool = False
    anew: bool = False

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
        error: What stopped it, if anything did.
        recorded: Whether its rows have been put into their buckets.
        began_at: When it began, in seconds that never run backwards.
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
    recorded: bool = False
    began_at: float = field(default_factory=time.monotonic)

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
        recorded = self.settle_rows is not None and self.recorded
        nothing_left = recorded and not (rows.failed or rows.unknown)
        began_badly = self.summary.stopped_before_sending and self.summary.command in {"import", "retry"}
        return self.sends and not began_badly and not nothing_left
