"""The first steps of the corridor: open the source, and settle which column is which field."""

from __future__ import annotations

import shlex
from functools import partial

from dialfeed.contacts.drift import as_sentences
from dialfeed.errors import CheckFile, FixSource
from dialfeed.reports.findings import found
from dialfeed.reports.summary import Finding
from dialfeed.running.assembly import open_source, shown
from dialfeed.running.order import Order
from dialfeed.running.retries import OPEN, standing
from dialfeed.running.run import Run
from dialfeed.sources.base import Source
from dialfeed.sources.begun import Begun
from dialfeed.steps.columns import Opened, Settled, settle_columns
from dialfeed.steps.returned import Picked, exact


def read_and_map(run: Run, order: Order) -> Opened:
    """Open the source and settle which column is which field."""
    plan = order.plan
    if order.source == ("-",) and run.summary.command == "resume":
        raise FixSource("The run ended before its standard input was read.", advice="Import it again.")
    if run.summary.command == "resume" and any("://" in each and each[-1] == "?" for each in order.source):
        told = "The run ended before its address was read, and the parameters of an address are not kept."
        raise FixSource(told, advice="Import it again.")
    begun = Begun(exact(open_source(order.source, plan)))
    source: Source = begun
    if order.retry_of is not None:
        source = Picked(begun, partial(standing, order.retry_of), OPEN)
    header = source.describe().header
    settled = settle_columns(begun, plan, order.contact_list)
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
    for name, value in plan.if_empty:
        run.trail.append("field.stated", field=name, value=value, by="the user; of rows whose cell is empty")
    _judge_drift(run, order, settled)
    for problem in mapping.problems:
        if problem.severity == "error":
            raise FixSource(problem.sentence, advice=problem.remedy)
        run.summary.findings.append(Finding(problem.code, "warning", problem.sentence, problem.remedy))
    return Opened(source, settled)


def _judge_drift(run: Run, order: Order, settled: Settled) -> None:
    """Stop a file that is not what the list was loaded from before, unless the user accepts it."""
    differences, accepted = settled.differences, order.plan.accept_drift
    if settled.reused:
        sentence = f"The mapping of {settled.reused[:10]} for a file like this one was used again."
        run.summary.findings.append(found("mapping.reused", sentence, "`dialfeed map FILE` shows it."))
    if not differences:
        return
    told = as_sentences(differences)
    run.trail.append("drift.judged", differences=len(differences), stopped=settled.drifted and not accepted)
    if settled.drifted and not accepted:
        raise CheckFile(
            f"The file has changed since this list was last loaded. {told} Nothing was sent.",
            advice=f"`{_map_command(order)}` shows both. If the file is right, import it again with --accept-drift."
            if order.retry_of is None
            else "Give its columns the names that they had in rejected.csv or refused.csv, and retry it again.",
            let_through={"accept_drift": True},
        )
    run.summary.findings.append(found("mapping.drift", told, severity="warning" if settled.drifted else "info"))


def _map_command(order: Order) -> str:
    """The command that compares a file with what its list was last loaded from."""
    names = [order.contact_list or "", *(shown([each]) for each in order.source)]
    contact_list, *files = map(shlex.quote, names)
    return f"dialfeed map {' '.join(files)} --list {contact_list}"
