"""The corridor that every contact walks.

Read, map, normalise, validate, scrub, deduplicate, batch, deliver, settle, verify, record.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from dialfeed.assembly import (
    Connection,
    can_connect,
    connect,
    find_list,
    home_folder,
    keys_folder,
    open_source,
    shown,
    telemetry_wanted,
)
from dialfeed.audit.signing import open_signer
from dialfeed.audit.sinks.addresses import read_addresses
from dialfeed.audit.trail import Trail, utc_now
from dialfeed.columns import Settled, remember_columns, settle_columns
from dialfeed.config import Plan
from dialfeed.contacts.drift import as_sentences
from dialfeed.coordination.locks import ListLock
from dialfeed.deliver import deliver
from dialfeed.drawing import drawn
from dialfeed.errors import CheckFile, DialfeedError, FixSettings, FixSource, ResumeRun
from dialfeed.ledger.folder import SUMMARY, RunFolder, create, held, new_run_id
from dialfeed.ledger.ledger import Ledger
from dialfeed.ledger.stage import Stage
from dialfeed.order import Opened, Order, Target
from dialfeed.platforms.base import ContactList
from dialfeed.preflight import foresee, preflight
from dialfeed.prepare import prepare, rule_set
from dialfeed.record import record
from dialfeed.reports.reading import hidden_sentences
from dialfeed.reports.retention import check_not_purged, rows_in
from dialfeed.reports.rowfiles import ContactRows
from dialfeed.reports.summary import Rows, Summary, read_summary
from dialfeed.retries import (
    OPEN,
    RETRIES,
    OnTheList,
    check_can_be_retried,
    close_rows,
    passed_over_sentences,
    standing,
)
from dialfeed.returned import Picked, exact
from dialfeed.run import Progress, Result, Run, found, judged, running, silent
from dialfeed.scrubbing import NO_LIST, check_still_valid, hour_columns, keep_evidence, open_lists, tell_scrub
from dialfeed.shipping import ship_later_events, shipping_to, sinks_of
from dialfeed.sources.base import Source
from dialfeed.stopping import Stopper
from dialfeed.telemetry.observing import open_telemetry
from dialfeed.verify import verify

PlanOf = Callable[[Mapping[str, Any]], Plan]
"""Makes a plan from the settings that a run remembers."""


def import_file(order: Order, *, stopper: Stopper | None = None, progress: Progress = silent) -> Result:
    """Import a source into a contact list, or rehearse that.

    Raises:
        FixSettings: The run's folder cannot be made. Everything later is told in the result.
    """
    run = _new_run("import", order, stopper or Stopper(), progress)
    with held(run.folder.path), running(run), _ledger(run) as ledger:
        _remember_order(ledger, run, order)
        asyncio.run(_import(run, order, ledger))
    return run.result()


async def _import(run: Run, order: Order, ledger: Ledger) -> None:
    """The corridor."""
    opened = None if ledger.fact("prepared") else _read_and_map(run, order)
    if order.rehearse and not can_connect(order.plan):
        await _prepare(run, order, ledger, opened)
        foresee(run, order, ledger)
        _guard(run, order)
        return
    async with connect(order.plan, run.observe) as connection:
        target = Target(connection, await _find_list(run, order, connection))
        ledger.remember(list=target.contact_list.id)
        with _locked(run, order, target):
            stage = await _prepare(run, order, ledger, opened)
            if order.retry_of is None:  # rows known by their numbers are not the wrong file
                await preflight(run, order, ledger, target)
                _guard(run, order)
            if order.sends:
                check_still_valid(run.summary, utc_now())
                await deliver(run, order, ledger, stage, target)
                if opened is not None and stage.size:
                    remember_columns(opened.settled, order.plan, (target.contact_list.id, target.contact_list.name))
                await verify(run, order, ledger, stage, target)


def validate_file(order: Order, *, stopper: Stopper | None = None, progress: Progress = silent) -> Result:
    """Do everything that needs no platform, and write `ready.csv`: contacts ready to load.

    Raises:
        FixSettings: The run's folder cannot be made. Everything later is told in the result.
    """
    run = _new_run("validate", order, stopper or Stopper(), progress)
    with held(run.folder.path), running(run):
        opened = _read_and_map(run, order)
        stage = asyncio.run(_prepare(run, order, None, opened))
        passed = [*opened.mapping.beside, *hour_columns(order.plan, opened.mapping)]
        with ContactRows(run.folder.path / "ready.csv", passed) as ready:
            for chunk in stage.chunks():
                ready.write(chunk.contacts)
        _guard(run, order)
    return run.result()


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
    if not (path / "ledger.sqlite").is_file():
        raise FixSettings(f"{path} holds no run that can be resumed.", advice="Import the file again.")
    with held(path):
        return _go_on(path, plan_of, command, stopper or Stopper(), progress)


def _go_on(path: Path, plan_of: PlanOf, command: str, stopper: Stopper, progress: Progress) -> Result:
    if (path / "summary.json").is_file() and not (path / "stage").is_dir():
        ended = Result(read_summary(path / "summary.json"))  # it came to its end
        if path.parent.name == RETRIES and any(rows_in(path)):
            parent = path.parent.parent
            close_rows(
                parent, judged, open_signer(keys_folder(plan_of({})))
            )  # unless its process died just before that
            drawn(parent)
        return ended
    check_not_purged(path)
    silent_for = time.time() - max(file.stat().st_mtime for file in path.glob("ledger.sqlite*"))
    with Ledger(path / "ledger.sqlite") as ledger:
        remembered = ledger.fact("plan", {})
        run_id, source, wanted = ledger.fact("run"), ledger.fact("source"), ledger.fact("list")
        retried = ledger.fact("retry_of")
    if run_id is None:
        raise FixSettings(
            f"The run in {path} ended before it began; nothing was sent.", advice="Import the file again."
        )
    retry_of = path.parent.parent if retried else None
    order = Order(tuple(source), plan_of(remembered), wanted, run_dir=path, retry_of=retry_of)
    run = _run(command, RunFolder(run_id, path), order, stopper, progress)
    with running(run), _ledger(run) as ledger:
        if command == "resume":
            ledger.reopen_failed()
        ledger.remember(dead_for=max(0.0, silent_for - order.plan.request_timeout))
        asyncio.run(_import(run, order, ledger))
    _close_rows(run, retry_of or path, order.plan)
    return run.result()


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
    with Ledger(path / "ledger.sqlite") as ledger:
        plan, wanted = plan_of(ledger.fact("plan", {})), ledger.fact("list")
    run_id = new_run_id(utc_now())
    order = Order((str(file),), plan, wanted, run_dir=path / RETRIES / run_id, retry_of=path)
    run = _new_run("retry", order, stopper or Stopper(), progress, run_id)
    with held(run.folder.path), running(run), _ledger(run) as ledger:
        _remember_order(ledger, run, order)
        asyncio.run(_import(run, order, ledger))
    _close_rows(run, path, plan)
    return run.result()


def _remember_order(ledger: Ledger, run: Run, order: Order) -> None:
    """Keep what resuming needs, in one step, before anything else is done."""
    retry_of = read_summary(order.retry_of / SUMMARY).run if order.retry_of else None
    ledger.remember(
        run=run.folder.id,
        source=order.lasting_source,
        plan=order.plan.portable(),
        list=order.contact_list,
        retry_of=retry_of,
    )


def _close_rows(run: Run, folder: Path, plan: Plan) -> None:
    """Bring the report of a run with retries up to date; a retry that is under way is told when it is resumed."""
    if not (folder / RETRIES).is_dir():
        return
    try:
        close_rows(folder, judged, run.signer)
        drawn(folder)
        ship_later_events(folder, plan)
    except DialfeedError as error:
        run.error = run.error or error
    except OSError:
        told = "The retry is done, and the report of the run whose rows it loaded could not be brought up to date."
        run.error = run.error or ResumeRun(told, advice=f"`dialfeed resume {run.folder.id}` does it.")


# --- the steps ----------------------------------------------------------------------------------------------------


def _read_and_map(run: Run, order: Order) -> Opened:
    """Open the source and settle which column is which field."""
    plan = order.plan
    if order.source == ("-",) and run.summary.command == "resume":
        raise FixSource("The run ended before its standard input was read.", advice="Import it again.")
    if run.summary.command == "resume" and any("://" in each and each[-1] == "?" for each in order.source):
        told = "The run ended before its address was read, and the parameters of an address are not kept."
        raise FixSource(told, advice="Import it again.")
    source = exact(open_source(order.source, plan, ours=order.retry_of is not None))
    if order.retry_of is not None:
        source = Picked(source, partial(standing, order.retry_of), OPEN)
    header = source.describe().header
    settled = settle_columns(order.source, header, plan, order.contact_list)
    mapping = settled.mapping
    run.summary.source = {"path": shown(order.source)}
    run.trail.append(
        "source.mapped",
        path=shown(order.source),
        fingerprint=mapping.fingerprint,
        columns=len(header),
        fields=dict(mapping.fields),
    )
    for name, value in plan.set:
        run.trail.append("field.stated", field=name, value=value, by="the user; not read from the file")
    _judge_drift(run, settled, accepted=plan.accept_drift)
    for problem in mapping.problems:
        if problem.severity == "error":
            raise FixSource(problem.sentence, advice=problem.remedy)
        run.summary.findings.append(found(problem.code, "warning", problem.sentence, problem.remedy))
    return Opened(source, settled)


def _judge_drift(run: Run, settled: Settled, *, accepted: bool) -> None:
    """Stop a file that is not what the list was loaded from before, unless the user accepts it."""
    differences = settled.differences
    if settled.reused:
        sentence = f"The mapping of {settled.reused[:10]} for a file like this one was used again."
        run.summary.findings.append(found("mapping.reused", "info", sentence, "`dialfeed map FILE` shows it."))
    if not differences:
        return
    told = as_sentences(differences)
    run.trail.append("drift.judged", differences=len(differences), stopped=settled.drifted and not accepted)
    if settled.drifted and not accepted:
        raise CheckFile(
            f"The file has changed since this list was last loaded. {told} Nothing was sent.",
            advice="`dialfeed map FILE --list LIST` shows both. If the file is right, say --accept-drift.",
        )
    run.summary.findings.append(found("mapping.drift", "warning" if settled.drifted else "info", told))


async def _find_list(run: Run, order: Order, connection: Connection) -> ContactList:
    """Sign in and find the list, before any work is spent on the file."""
    run.progress("sign in")
    contact_list = await run.stopper.unless(find_list(connection.platform, order.contact_list or ""))
    run.summary.list_id, run.summary.list_name = contact_list.id, contact_list.name
    run.trail.append("list.found", list=contact_list.id, name=contact_list.name)
    return contact_list


def _locked(run: Run, order: Order, target: Target) -> AbstractContextManager[object]:
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


async def _prepare(run: Run, order: Order, ledger: Ledger | None, opened: Opened | None) -> Stage:
    """Read, normalise, validate, scrub, deduplicate: the whole source, unless an earlier process has done so."""
    if opened is None:
        _take_over(run, ledger.fact("prepared") if ledger else {})
        return Stage(run.folder.stage)
    source, mapping = opened.source, opened.mapping
    scrubbing = open_lists(run, order, opened)
    began = time.monotonic()
    for leftover in run.folder.stage.iterdir():
        leftover.unlink()

    def told(rows: int) -> None:
        run.stopper.check()
        run.progress("read", rows)

    prepared, stage = await asyncio.to_thread(
        prepare,
        source,
        rule_set(
            mapping,
            default_country=order.plan.default_country,
            cell_limit=order.plan.max_cell,
            stated=dict(order.plan.set),
            unwanted_kinds=order.plan.reject_kinds,
        ),
        scrubbing.scrubber,
        folder=run.folder.path,
        stage=run.folder.stage,
        progress=told,
        already=OnTheList(order.retry_of) if order.retry_of else None,
        already_objected=order.retry_of,
    )
    prepared_in = time.monotonic() - began
    scrub = await asyncio.to_thread(keep_evidence, run, order, opened, scrubbing)
    description = source.describe()
    facts = {
        "prepared": prepared.as_dict(),
        "source": {"path": shown(order.source), "sha256": source.sha256(), **description.facts},
        "header": list(description.header),
        "passed": [*mapping.beside, *hour_columns(order.plan, mapping)],
        "fields": {name: description.header[position] for name, position in mapping.fields.items()},
        "fingerprint": mapping.fingerprint,
        "columns": len(mapping.fields) + len(mapping.passed_through) + len(hour_columns(order.plan, mapping)),
        "scrub": scrub,
        "seconds": prepared_in,
        "evidence_seconds": time.monotonic() - began - prepared_in,
        "retry": _told_of_retry(order, source),
    }
    if ledger:
        ledger.remember(prepared=facts)
    _take_over(run, facts)
    read = {"rows": prepared.read, "ready": prepared.ready, "facts": description.facts}
    run.trail.append("source.read", sha256=source.sha256(), **read)
    return stage


def _told_of_retry(order: Order, source: Source) -> list[str]:
    """What is to be said of a mended file's rows that are not loaded."""
    if order.retry_of is None or not isinstance(source, Picked):
        return []
    return list(passed_over_sentences(source.counts, read_summary(order.retry_of / SUMMARY).run))


def _take_over(run: Run, facts: Mapping[str, Any]) -> None:
    """Put what came of the source into the summary."""
    summary, prepared = run.summary, facts["prepared"]
    summary.source, summary.fields = facts["source"], facts.get("fields", {})
    summary.ready = prepared["ready"]
    summary.reasons, summary.warnings = dict(prepared["reasons"]), dict(prepared["warnings"])
    summary.prepare_seconds, summary.evidence_seconds = facts["seconds"], facts["evidence_seconds"]
    tell_scrub(run, facts.get("scrub", {}))
    summary.rows = Rows(
        read=prepared["read"],
        duplicate=prepared["duplicate"],
        invalid=prepared["invalid"],
        suppressed=prepared["suppressed"],
        failed=prepared["ready"],
    )
    if prepared["blank"]:
        sentence = f"{prepared['blank']:,} blank lines were passed over; they count in the row numbers."
        summary.findings.append(found("source.blank_lines", "info", sentence))
    run.summary.findings += [found(*told) for told in hidden_sentences(summary.source)]
    run.summary.findings += [found("retry.passed_over", "warning", told) for told in facts.get("retry", ())]
    if run.sends:
        run.settle_rows = partial(_settle_rows, run, facts)


def _settle_rows(run: Run, facts: Mapping[str, Any]) -> None:
    """Record: every contact's outcome, from the ledger and the stage, into files and counts."""
    run.progress("record")
    with Ledger(run.folder.ledger) as ledger:
        stage = Stage(run.folder.stage)
        recorded = record(run.folder.path, facts["header"], facts["passed"], stage, ledger)
        run.summary.batches, run.summary.settled = ledger.batches_sent(), ledger.settled_by()
    outcomes = {name: recorded.rows[name] for name in ("delivered", "refused", "unknown", "failed")}
    run.summary.rows = replace(run.summary.rows, **outcomes)
    run.summary.reasons = dict(Counter(facts["prepared"]["reasons"]) + recorded.reasons)


def _guard(run: Run, order: Order) -> None:
    """Stop a wrong file before the first batch."""
    rows, limit = run.summary.rows, order.plan.max_rejected
    if not rows.read and not order.plan.insists("empty"):
        raise FixSource("The file has a header and no rows.", advice="Check that the export ran to its end.")
    exceeded = limit.exceeded(rows.invalid, rows.read)
    run.trail.append("guard.judged", guard="max_rejected", limit=str(limit), rejected=rows.invalid, stopped=exceeded)
    if exceeded:
        worst = ", ".join(code for code, _ in Counter(run.summary.reasons).most_common(3))
        raise CheckFile(
            f"{rows.invalid:,} of {rows.read:,} rows are rejected ({worst} …), more than {limit}. Nothing was sent.",
            advice="Look into rejected.csv. If the file is right after all, raise --max-rejected.",
        )


# --- a run's beginning --------------------------------------------------------------------------------------------


def _new_run(command: str, order: Order, stopper: Stopper, progress: Progress, run_id: str | None = None) -> Run:
    now = utc_now()
    home = home_folder(order.plan) if order.sends else None
    if order.contact_list is not None:
        sinks_of(order.plan)  # a wrong one is told before there is a run, also in a rehearsal
    folder = create(run_id or new_run_id(now), runs_dir=Path(order.plan.runs_dir), run_dir=order.run_dir, home=home)
    return _run(command, folder, order, stopper, progress)


def _run(command: str, folder: RunFolder, order: Order, stopper: Stopper, progress: Progress) -> Run:
    plan = order.plan
    policy_told = {
        "flagged": plan.flagged,
        "reject_kinds": list(plan.reject_kinds),
        "max_rejected": str(plan.max_rejected),
        "default_country": plan.default_country,
        "dry_run": order.rehearse,
        "rate": plan.rate,
        "map": dict(plan.map),
        "orders": {channel: list(columns) for channel, columns in plan.orders.items()},
        "stated by the user, not read from the file": dict(plan.set),
        "insist": list(plan.insist),
        "sinks": [address.plain for address in read_addresses(plan.sinks)],
        "do_not_call": f"scrubbed against {', '.join(plan.dnc)}" if plan.dnc else NO_LIST,
    }
    summary = Summary(folder.id, str(folder.path), command, policy=policy_told)
    signer = open_signer(keys_folder(plan))
    trail = Trail(folder.audit, folder.id)
    telemetry = open_telemetry(telemetry_wanted(plan))
    trail.hear = telemetry.hear
    sinks = sinks_of(plan) if order.sends else []
    shipping = shipping_to(folder.path, sinks, plan) if sinks else None
    return Run(
        folder,
        summary,
        trail,
        stopper,
        progress,
        order.sends,
        plan.people_files,
        plan.keep_rows,
        signer=signer,
        shipping=shipping,
        telemetry=telemetry,
    )


def _ledger(run: Run) -> AbstractContextManager[Ledger]:
    return Ledger(run.folder.ledger)
