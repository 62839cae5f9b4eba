"""How a run begins and how every ending of it is told.

Whatever ends a run, its summary and its audit entry are written, and the caller gets a result with the exit code
and the command that goes on.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial

from dialfeed.errors import NameList, ResumeRun
from dialfeed.files import sha256_of, write_json
from dialfeed.ledger.folder import clear_stage, discard
from dialfeed.moments import utc_now
from dialfeed.reports.findings import found
from dialfeed.reports.people import has_rows, write_people_csv, write_workbook
from dialfeed.reports.retention import keep, rows_in
from dialfeed.reports.summary import Finding
from dialfeed.running.drawing import try_to_draw
from dialfeed.running.endings import audit_entry, exit_code, next_step, status
from dialfeed.running.faults import translated
from dialfeed.running.provenance import operator_name, versions
from dialfeed.running.run import Run
from dialfeed.running.shipping import findings as sink_findings


@contextmanager
def running(run: Run) -> Iterator[Run]:
    """Run a command's steps; whatever happens, the run is finished and no exception leaves.

    What is expected to go wrong is a `DialfeedError` and becomes the run's error. What is not is a fault of this
    program: its place is kept in `fault.txt`, without any value, and the user is told to resume.
    """
    try:
        _begin(run)
        yield run
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - no traceback ever reaches a user
        run.error = translated(error, run.folder.path, run.stopper.signal_number)
    finally:
        try:
            _finish(run)
        except OSError as error:
            run.error = run.error or translated(error, run.folder.path, run.stopper.signal_number)
            run.summary.exit_code = run.error.exit_code
            run.summary.status = "FAILED"
            run.summary.error = str(run.error)
        finally:
            run.telemetry.close()
        with suppress(OSError):
            _end_shipping(run)  # where the run could not be finished
        if run.is_false_start:
            with suppress(OSError):
                discard(run.folder, run.home)
                run.summary.folder = ""


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


def _finish(run: Run) -> None:
    """Count, judge, and write summary and audit entry."""
    run.recorded = _guarded(run, run.settle_rows)
    _guarded(run, run.remember_end)
    _guarded(run, partial(_write_people_files, run))
    summary = run.summary
    summary.findings += [_not_told(trouble) for trouble in run.telemetry.troubles]
    if not summary.rows.adds_up:
        run.error = run.error or ResumeRun("The rows do not add up; this run's counts cannot be trusted.")
    summary.exit_code = exit_code(summary, run.error, sends=run.sends)
    summary.status = status(summary.exit_code, summary.rows.delivered)
    summary.error = str(run.error) if run.error else ""
    summary.next = "" if isinstance(run.error, NameList) else next_step(summary)
    summary.total_seconds = time.monotonic() - run.began_at
    _guarded(run, partial(_keep_rows, run))
    run.trail.append("run.finished", **audit_entry(summary))
    summary.audit_hash = run.trail.last_hash
    run.trail.close(run.signer)
    write_json(run.folder.summary, summary.as_dict())
    _end_shipping(run)
    _draw(run)
    if not run.can_go_on:
        clear_stage(run.folder)


def _keep_rows(run: Run) -> None:
    """Write down until when the files with rows are kept; the prepared contacts go when nothing is left to do."""
    kept = keep(run.folder.path, run.folder.id, run.keep_rows, utc_now(), staged=run.can_go_on)
    run.summary.retention = {
        "keep_rows": str(run.keep_rows),
        "keep_rows_until": kept.keep_until or None,
        "files": [each["name"] for each in kept.files],
    }
    run.summary.files = {path.name: sha256_of(path) for path in rows_in(run.folder.path) if path.is_file()}


def _draw(run: Run) -> None:
    """Draw the report; that it cannot be drawn is told, and harms the run no more."""
    fault = try_to_draw(run.folder.path)
    if fault:
        sentence = f"report.html could not be drawn ({fault})."
        remedy = f"`dialfeed report {run.summary.run}` draws it again."
        run.summary.findings.append(found("report.not_drawn", sentence, remedy))
        write_json(run.folder.summary, run.summary.as_dict())


def _end_shipping(run: Run) -> None:
    """Give the sinks their time, and tell what is left to send; the run has ended as it has."""
    shipping, run.shipping = run.shipping, None
    if shipping is None:
        return
    standings = shipping.finish()
    run.summary.sinks = [asdict(standing) for standing in standings]
    run.summary.findings += sink_findings(run.summary.run, standings)
    write_json(run.folder.summary, run.summary.as_dict())


def _write_people_files(run: Run) -> None:
    if run.people_files == "none":
        return
    for name in ("rejected", "refused"):
        rows = run.folder.path / f"{name}.csv"
        if not has_rows(rows):
            continue
        if run.people_files == "xlsx" and write_workbook(rows, rows.with_suffix(".xlsx")):
            continue
        write_people_csv(rows, rows.with_suffix(".people.csv"))
        if run.people_files == "xlsx":
            sentence = f"{name}.csv is too large for a workbook; {name}.people.csv was written instead."
            run.summary.findings.append(found("people.too_large", sentence))


def _guarded(run: Run, step: Callable[[], None] | None) -> bool:
    """Do a step of a run's end, and tell whether it was done; what goes wrong becomes the run's error."""
    try:
        if step is not None:
            step()
    except Exception as error:  # noqa: BLE001 - the summary must be written all the same
        run.error = run.error or translated(error, run.folder.path, run.stopper.signal_number)
        return False
    return True


def _not_told(trouble: str) -> Finding:
    sentence = f"Something that was to be told of the run could not be: {trouble}"
    return found("telemetry.not_told", sentence, "The run itself is not touched by it.")
