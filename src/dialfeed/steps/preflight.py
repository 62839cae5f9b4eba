"""What is looked at between the check of the whole file and the first batch: will it fit, and is it the right file."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from dialfeed.config import Plan
from dialfeed.coordination.guards import Load, Verdict, judge
from dialfeed.coordination.history import History, PastRun
from dialfeed.errors import CheckFile, FixSettings
from dialfeed.ledger.ledger import Ledger
from dialfeed.moments import utc_now
from dialfeed.reports.findings import found
from dialfeed.running.assembly import home_folder
from dialfeed.running.order import Order, Target
from dialfeed.running.run import Run


def foresee(run: Run, order: Order, ledger: Ledger, load: Load | None = None) -> None:
    """Put what would be sent, and what the platform takes, into the summary and the audit trail."""
    plan, ready = order.plan, run.summary.ready
    run.summary.preflight = {
        "contacts": ready,
        "requests": -(-ready // plan.batch_contacts),
        "columns": (ledger.fact("prepared") or {}).get("columns", 0),
        "columns_limit": plan.max_columns,
        "count": load.count if load else None,
        "capacity": plan.list_capacity,
        "room": load.room if load else None,
    }
    run.trail.append("preflight.done", **run.summary.preflight)


async def preflight(run: Run, order: Order, ledger: Ledger, target: Target) -> None:
    """Foresee and judge what is about to be loaded; a run that has begun to send is not judged again.

    Raises:
        CheckFile: A guard stops the run, and the user does not insist.
    """
    history = History(home_folder(order.plan), order.plan.base_url or "", target.contact_list.id)
    prepared = ledger.fact("prepared") or {}
    told = {"header": prepared.get("fingerprint", ""), "identities": prepared.get("identities", "")}
    if not (ledger.fact("judged") or ledger.cut_up_to()[0]):
        load = await _load(run, order, target, told["identities"])
        foresee(run, order, ledger, load)
        past = [each for each in history.runs() if each.run != run.folder.id and not each.retry_of]
        _stop_or_go(run, order.plan, judge(load, past))
        if order.sends:
            history.add(_past(run, finished=False, **told))
            ledger.remember(judged=True)
    if order.sends:
        run.remember_end = partial(_remember_end, run, history, **told)


def enter_retry(run: Run, order: Order, ledger: Ledger, target: Target) -> None:
    """Write a retry into the list's history: nothing judges it, but it puts contacts there as others do."""
    history = History(home_folder(order.plan), order.plan.base_url or "", target.contact_list.id)
    retry_of = str(ledger.fact("retry_of"))
    history.add(_past(run, finished=False, retry_of=retry_of))
    run.remember_end = partial(_remember_end, run, history, retry_of=retry_of)


async def _load(run: Run, order: Order, target: Target, identities: str) -> Load:
    rows, capacity = run.summary.rows, order.plan.list_capacity
    count = await run.stopper.unless(target.carrier.count())
    if count is None and capacity is not None:
        sentence = "The platform does not tell how many contacts the list has, so its room is not known."
        run.summary.findings.append(found("preflight.no_count", sentence))
    sha256 = str(run.summary.source.get("sha256", ""))
    return Load(sha256, rows.read, rows.invalid, _kept_out(run), run.summary.ready, count, capacity, identities)


def _kept_out(run: Run) -> int:
    """Rows of which something may not be used: a person who is written to and not called is kept out as well."""
    withheld = sum(count for code, count in run.summary.warnings.items() if code.startswith("withheld."))
    return min(run.summary.rows.read, run.summary.rows.suppressed + withheld)


def _stop_or_go(run: Run, plan: Plan, verdicts: list[Verdict]) -> None:
    """Tell the audit trail every verdict, and stop for those that the user does not insist against."""
    for each in verdicts:
        insisted = each.stops and plan.insists(each.guard)
        run.trail.append(
            "guard.judged", guard=each.guard, stopped=each.stops and not insisted, insisted=insisted, **each.facts
        )
    against = [each for each in verdicts if each.stops and not plan.insists(each.guard)]
    if against:
        told = " ".join(each.sentence for each in against)
        names = [each.guard for each in against]
        flag = f"--insist {','.join(names)}"
        raise CheckFile(
            f"{told} Nothing was sent.",
            advice=f"Check that this is the right file and list. If so, import it again with {flag}.",
            let_through={"insist": [*plan.insist, *names]},
        )


def _remember_end(run: Run, history: History, **told: str) -> None:
    """Write the run into the history; that it cannot be written is told, and harms the run no more."""
    try:
        past = _past(run, finished=True, **told)
        if run.summary.command == "settle":  # it has sent nothing since the run told of itself last
            before = next((each.time for each in history.runs() if each.run == past.run), past.time)
            past = replace(past, time=before)
        history.add(past)
    except (OSError, FixSettings):
        sentence = "This run could not be written into the list's history; the next one is not compared with it."
        run.summary.findings.append(found("history.not_written", sentence))


def _past(run: Run, *, finished: bool, header: str = "", identities: str = "", retry_of: str = "") -> PastRun:
    summary, rows = run.summary, run.summary.rows
    landed = rows.delivered + rows.unknown
    return PastRun(
        run=run.folder.id,
        list_id=summary.list_id,
        time=utc_now().isoformat(timespec="seconds"),
        sha256=str(summary.source.get("sha256", "")),
        header=header,
        rows=rows.read,
        rejected=rows.invalid,
        suppressed=_kept_out(run),
        ready=summary.ready,
        delivered=landed,
        finished=finished and not (landed and (rows.failed or rows.unknown)),
        retry_of=retry_of,
        identities=identities,
    )
