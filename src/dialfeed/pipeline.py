"""The corridor that every contact walks.

Read, map, normalise, validate, scrub, deduplicate, batch, deliver, settle, verify, record.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from dialfeed.contacts.reasons import BY_CODE
from dialfeed.coordination.locks import ListLock
from dialfeed.errors import CheckFile, FixSource
from dialfeed.ledger.folder import held
from dialfeed.ledger.ledger import Ledger
from dialfeed.moments import utc_now
from dialfeed.platforms.base import ContactList
from dialfeed.reports.rowfiles import ContactRows
from dialfeed.running.assembly import Connection, can_connect, connect, find_list, home_folder
from dialfeed.running.beginning import new_run, remember_order
from dialfeed.running.lifecycle import running
from dialfeed.running.order import Order, Target
from dialfeed.running.run import Progress, Result, Run, silent
from dialfeed.running.stopping import Stopper
from dialfeed.steps.callinghours import hour_columns
from dialfeed.steps.columns import remember_columns
from dialfeed.steps.deliver import deliver
from dialfeed.steps.preflight import enter_retry, foresee, preflight
from dialfeed.steps.preparing import prepare_source
from dialfeed.steps.reading import read_and_map
from dialfeed.steps.scrubbing import check_own_files, check_still_valid
from dialfeed.steps.verify import verify
from dialfeed.wording import counted


def import_file(
    order: Order, *, command: str = "import", stopper: Stopper | None = None, progress: Progress = silent
) -> Result:
    """Import a source into a contact list, or rehearse that.

    Args:
        order: What to import.
        command: What the user called: `import` or `demo`.
        stopper: Lets another thread stop the run.
        progress: Hears how far the run is.

    Raises:
        FixSettings: The run's folder cannot be made. Everything later is told in the result.
    """
    run = new_run(command, order, stopper or Stopper(), progress)
    with held(run.folder.path), running(run), Ledger(run.folder.ledger) as ledger:
        remember_order(ledger, run, order)
        asyncio.run(walk(run, order, ledger))
    return run.result()


async def walk(run: Run, order: Order, ledger: Ledger) -> None:
    """Walk the corridor: from the source to the verified list, or as far as a rehearsal goes.

    What an earlier process of the run has prepared is not read again, and what it has sent is settled first. What would
    let a file through that a guard stops is remembered.
    """
    try:
        await _walk(run, order, ledger)
    except CheckFile as stopped:
        ledger.remember(let_through=stopped.let_through)
        raise


async def _walk(run: Run, order: Order, ledger: Ledger) -> None:
    opened = None if ledger.fact("prepared") else read_and_map(run, order)
    if order.rehearse and not can_connect(order.plan):
        await prepare_source(run, order, ledger, opened)
        foresee(run, order, ledger)
        _guard(run, order)
        return
    async with connect(order.plan, run.observe) as connection:
        target = Target(connection, await _find_list(run, order, connection))
        ledger.remember(list=target.contact_list.id)
        with _locked(run, order, target) as lock:
            target = replace(target, alone=lock is None or lock.overridden is None)
            stage = await prepare_source(run, order, ledger, opened)
            if order.retry_of is None:  # rows known by their numbers are not the wrong file
                await preflight(run, order, ledger, target)
                _guard(run, order)
            elif order.sends:
                enter_retry(run, order, ledger, target)
            if order.sends:
                check_still_valid(run.summary, utc_now())
                if opened is None:
                    check_own_files(run.summary, order.plan)
                await deliver(run, order, ledger, stage, target)
                if opened is not None and stage.size:
                    remember_columns(opened.settled, order.plan, (target.contact_list.id, target.contact_list.name))
                await verify(run, order, ledger, stage, target)


def validate_file(order: Order, *, stopper: Stopper | None = None, progress: Progress = silent) -> Result:
    """Do everything that needs no platform, and write `ready.csv`: contacts ready to load.

    Raises:
        FixSettings: The run's folder cannot be made. Everything later is told in the result.
    """
    run = new_run("validate", order, stopper or Stopper(), progress)
    with held(run.folder.path), running(run):
        opened = read_and_map(run, order)
        stage = asyncio.run(prepare_source(run, order, None, opened))
        passed = [*opened.mapping.beside, *hour_columns(order.plan, opened.mapping)]
        with ContactRows(run.folder.path / "ready.csv", passed) as ready:
            for chunk in stage.chunks():
                ready.write(chunk.contacts)
        _guard(run, order)
    return run.result()


# --- steps of the corridor ----------------------------------------------------------------------------------------


async def _find_list(run: Run, order: Order, connection: Connection) -> ContactList:
    """Sign in and find the list, before any work is spent on the file."""
    run.progress("sign in")
    contact_list = await run.stopper.unless(find_list(connection.platform, order.contact_list or ""))
    run.summary.list_id, run.summary.list_name = contact_list.id, contact_list.name
    run.trail.append("list.found", list=contact_list.id, name=contact_list.name)
    return contact_list


def _locked(run: Run, order: Order, target: Target) -> AbstractContextManager[ListLock | None]:
    """One run at a time for each list."""
    if not order.sends:
        return nullcontext()
    plan = order.plan
    return ListLock(
        home_folder(plan),
        plan.base_url or "",
        target.contact_list.id,
        run_id=run.folder.id,
        run_folder=run.folder.path,
        insist=plan.even_if_locked,
    )


def _guard(run: Run, order: Order) -> None:
    """Stop a wrong file before the first batch."""
    rows, limit = run.summary.rows, order.plan.max_rejected
    if not rows.read and not order.plan.insists("empty"):
        raise FixSource("The file has a header and no rows.", advice="Check that the export ran to its end.")
    exceeded = limit.exceeded(rows.invalid, rows.read)
    run.trail.append("guard.judged", guard="max_rejected", limit=str(limit), rejected=rows.invalid, stopped=exceeded)
    if exceeded:
        rejecting = {code: count for code, count in run.summary.reasons.items() if BY_CODE[code].bucket == "invalid"}
        most = [code for code, _ in Counter(rejecting).most_common(3)]
        worst = ", ".join(most) + (" …" if len(rejecting) > 3 else "")
        are = "is" if rows.invalid == 1 else "are"
        raise CheckFile(
            f"{rows.invalid:,} of {counted(rows.read, 'row')} {are} rejected ({worst}), more than {limit}. "
            "Nothing was sent.",
            advice=f"Look into rejected.csv. For {most[0]}: {BY_CODE[most[0]].remedy} "
            f"If the file is right after all, give the same command with --max-rejected {rows.invalid}.",
            let_through={"max_rejected": rows.invalid},
        )
