"""Go on with a run from its folder: resume or settle it, or load its mended rows in a run of their own."""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dialfeed.audit.signing import open_signer
from dialfeed.config import Plan, flags_of
from dialfeed.errors import CheckFile, DialfeedError, FixSettings, ResumeRun
from dialfeed.ledger.folder import LEDGER, RETRIES, STAGE, SUMMARY, RunFolder, held, new_run_id
from dialfeed.ledger.ledger import Ledger
from dialfeed.moments import utc_now
from dialfeed.pipeline import walk
from dialfeed.reports.retention import check_not_purged, rows_in
from dialfeed.reports.summary import Summary, read_summary
from dialfeed.running.assembly import keys_folder
from dialfeed.running.beginning import begin, new_run, remember_order
from dialfeed.running.drawing import try_to_draw
from dialfeed.running.lifecycle import running
from dialfeed.running.order import Order
from dialfeed.running.retries import check_can_be_retried, close_rows, standing
from dialfeed.running.run import Progress, Result, Run, silent
from dialfeed.running.shipping import ship_later_events
from dialfeed.running.stopping import Stopper

PlanOf = Callable[[Mapping[str, Any]], Plan]
"""Makes a plan from the settings that a run remembers."""


def resume_run(
    path: Path, plan_of: PlanOf, *, command: str = "resume", stopper: Stopper | None = None, progress: Progress = silent
) -> Result:
    """Go on with a run that did not come to its end, from its folder alone.

    Args:
        path: The run's folder.
        plan_of: Makes the plan from the settings that the run remembers, and what the user says now.
        command: `resume`, or `settle` to find out about lost answers and send nothing.
        stopper: Whether to stop.
        progress: Who hears how far it is.

    Returns:
        How it ended; of a run that is complete, how it ended before.

    Raises:
        FixSettings: There is no such run.
    """
    if not (path / LEDGER).is_file():
        raise FixSettings(f"{path} holds no run that can be resumed.", advice="Import the file again.")
    with held(path):
        if (path / SUMMARY).is_file() and not (path / STAGE).is_dir():
            return _ended(path, plan_of)
        return _go_on(path, plan_of, command, stopper or Stopper(), progress)


def _ended(path: Path, plan_of: PlanOf) -> Result:
    """How a run that came to its end has ended; its process may have died just before its rows were closed."""
    summary = read_summary(path / SUMMARY)
    anew = _was_guarded(summary) and path.parent.name != RETRIES
    if anew:
        summary.next = _import_command(path, plan_of)
    if path.parent.name == RETRIES and any(rows_in(path)):
        parent = path.parent.parent
        close_rows(parent, open_signer(keys_folder(plan_of({}))))
        try_to_draw(parent)
    return Result(summary, had_ended=True, anew=anew)


def _was_guarded(summary: Summary) -> bool:
    """Whether a guard stopped a run before it could send anything."""
    return summary.exit_code == CheckFile.exit_code and summary.stopped_before_sending and not summary.rehearsed


def _import_command(path: Path, plan_of: PlanOf) -> str:
    """The command that imports a run's source again, with its settings and what lets the file through."""
    with Ledger(path / LEDGER) as ledger:
        source, wanted = ledger.fact("source"), ledger.fact("list")
        plan = plan_of({**ledger.fact("plan", {}), **ledger.fact("let_through", {})})
    return shlex.join(["dialfeed", "import", *source, "--list", wanted, *flags_of(plan)])


def _go_on(path: Path, plan_of: PlanOf, command: str, stopper: Stopper, progress: Progress) -> Result:
    check_not_purged(path)
    silent_for = time.time() - max(file.stat().st_mtime for file in path.glob(f"{LEDGER}*"))
    run_id, order = _remembered(path, plan_of)
    run = begin(command, RunFolder(run_id, path), order, stopper, progress)
    with running(run), Ledger(run.folder.ledger) as ledger:
        if command == "resume":
            ledger.reopen_failed()
        ledger.remember(dead_for=max(0.0, silent_for - order.plan.request_timeout))
        asyncio.run(walk(run, order, ledger))
    _close_rows(run, order.retry_of or path, order.plan)
    if (path / RETRIES).is_dir() and run.error is None:
        return Result(read_summary(path / SUMMARY))  # with the rows that its retries have closed
    return run.result()


def _remembered(path: Path, plan_of: PlanOf) -> tuple[str, Order]:
    """The id of the run in this folder, and its order as its ledger remembers it (`remember_order`).

    Raises:
        FixSettings: It ended before it began.
    """
    with Ledger(path / LEDGER) as ledger:
        run_id, source, contact_list = ledger.fact("run"), ledger.fact("source"), ledger.fact("list")
        plan, retry_of = ledger.fact("plan", {}), ledger.fact("retry_of")
    if run_id is None:
        raise FixSettings(
            f"The run in {path} ended before it began; nothing was sent.", advice="Import the file again."
        )
    retried = path.parent.parent if retry_of else None
    return run_id, Order(tuple(source), plan_of(plan), contact_list, run_dir=path, retry_of=retried)


def retry_rows(
    path: Path, file: Path, plan_of: PlanOf, *, stopper: Stopper | None = None, progress: Progress = silent
) -> Result:
    """Load the mended rows of a run into its list, in a run of their own, and close them in the run's report.

    Args:
        path: The folder of the run whose rows they are.
        file: Its `rejected.csv` or `refused.csv`, mended.
        plan_of: Makes the plan from the settings that the run remembers, and what the user says now.
        stopper: Whether to stop.
        progress: Who hears how far it is.

    Raises:
        FixSettings: The run sent nothing, has not come to its end, or has a retry that has not.
    """
    check_can_be_retried(path)
    standing(path)
    with Ledger(path / LEDGER) as ledger:
        plan, wanted = plan_of(ledger.fact("plan", {})), ledger.fact("list")
    run_id = new_run_id(utc_now())
    order = Order((str(file),), plan, wanted, run_dir=path / RETRIES / run_id, retry_of=path)
    run = new_run("retry", order, stopper or Stopper(), progress, run_id)
    with held(run.folder.path), running(run), Ledger(run.folder.ledger) as ledger:
        remember_order(ledger, run, order)
        asyncio.run(walk(run, order, ledger))
    _close_rows(run, path, plan)
    return run.result()


def _close_rows(run: Run, folder: Path, plan: Plan) -> None:
    """Bring the report of a run with retries up to date; a retry that is under way is told when it is resumed."""
    if not (folder / RETRIES).is_dir():
        return
    try:
        close_rows(folder, run.signer)
        try_to_draw(folder)
        ship_later_events(folder, plan)
    except DialfeedError as error:
        run.error = run.error or error
    except OSError:
        told = "The retry is done, and the report of the run whose rows it loaded could not be brought up to date."
        run.error = run.error or ResumeRun(told, advice=f"`dialfeed resume {run.folder.id}` does it.")
