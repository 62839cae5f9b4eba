"""Read to deduplicate, in a run: the whole source is prepared once, remembered, and put into buckets at the end."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from dialfeed.ledger.folder import SUMMARY
from dialfeed.ledger.ledger import Ledger
from dialfeed.ledger.reading import glance
from dialfeed.ledger.stage import Stage
from dialfeed.reports.findings import found
from dialfeed.reports.reading import hidden_findings
from dialfeed.reports.summary import Rows, read_summary
from dialfeed.running.assembly import shown
from dialfeed.running.order import Order
from dialfeed.running.retries import passed_over_sentences
from dialfeed.running.run import Run
from dialfeed.sources.base import Source
from dialfeed.sources.spread import Spread
from dialfeed.steps.buckets import Prepared, prepare, rule_set
from dialfeed.steps.callinghours import hour_columns
from dialfeed.steps.columns import LOOKED_AT, Opened, check_all_asked
from dialfeed.steps.evidence import keep_evidence, keep_late_evidence
from dialfeed.steps.record import Recorder, record_suppressed
from dialfeed.steps.returned import Picked
from dialfeed.steps.scrubbing import Scrubbing, endpoints_of, open_lists, pseudonym_of, tell_scrub
from dialfeed.steps.survivors import Survivors


async def prepare_source(run: Run, order: Order, ledger: Ledger | None, opened: Opened | None) -> Stage:
    """Read, normalise, validate, scrub, deduplicate: the whole source, unless an earlier process has done so."""
    if opened is None:
        _take_over(run, order, ledger.fact("prepared") if ledger else {})
        return Stage(run.folder.stage)
    scrubbing = open_lists(run, order, opened)
    began = time.monotonic()
    prepared, stage = await asyncio.to_thread(_prepare, run, order, opened, scrubbing)
    prepared_in = time.monotonic() - began
    scrub = await asyncio.to_thread(keep_evidence, run, order, opened, scrubbing)
    facts = {
        "prepared": prepared.as_dict(),
        **_facts_of_source(order, opened),
        "identities": pseudonym_of(order, stage.identities) if order.contact_list else "",
        "scrub": scrub,
        "seconds": prepared_in,
        "evidence_seconds": time.monotonic() - began - prepared_in,
    }
    if ledger:
        ledger.remember(prepared=facts)
    _take_over(run, order, facts)
    read = {"rows": prepared.read, "ready": prepared.ready, "facts": opened.source.describe().facts}
    run.trail.append("source.read", sha256=opened.source.sha256(), **read)
    return stage


def _prepare(run: Run, order: Order, opened: Opened, scrubbing: Scrubbing) -> tuple[Prepared, Stage]:
    """The whole source, into an empty stage."""
    for leftover in run.folder.stage.iterdir():
        leftover.unlink()

    def told(rows: int) -> None:
        run.stopper.check()
        run.progress("read", rows)

    rules = rule_set(
        opened.mapping,
        default_country=order.plan.default_country,
        cell_limit=order.plan.max_cell,
        stated=dict(order.plan.set),
        if_empty=dict(order.plan.if_empty),
        unwanted_kinds=order.plan.reject_kinds,
    )
    spread = Spread(opened.source, LOOKED_AT)
    prepared = prepare(
        spread,
        rules,
        scrubbing.scrubber,
        folder=run.folder.path,
        stage=run.folder.stage,
        progress=told,
        already=Survivors(order.retry_of) if order.retry_of else None,
        already_objected=order.retry_of,
    )
    check_all_asked(opened.mapping, spread.rows(), order.plan)
    return prepared


def _facts_of_source(order: Order, opened: Opened) -> dict[str, Any]:
    """What the ledger remembers of a source that has been read."""
    source, mapping = opened.source, opened.mapping
    description, added = source.describe(), hour_columns(order.plan, mapping)
    return {
        "source": {"path": shown(order.source), "sha256": source.sha256(), **description.facts},
        "header": list(description.header),
        "passed": [*mapping.beside, *added],
        "endpoints": endpoints_of(mapping),
        "fields": {name: description.header[position] for name, position in mapping.fields.items()},
        "fingerprint": mapping.fingerprint,
        "columns": len(mapping.fields) + len(mapping.passed_through) + len(added),
        "retry": _told_of_retry(order, source),
    }


def _told_of_retry(order: Order, source: Source) -> list[str]:
    """What is to be said of a mended file's rows that are not loaded."""
    if order.retry_of is None or not isinstance(source, Picked):
        return []
    return list(passed_over_sentences(source.counts, read_summary(order.retry_of / SUMMARY).run))


def _take_over(run: Run, order: Order, facts: Mapping[str, Any]) -> None:
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
        was = "line was passed over; it counts" if prepared["blank"] == 1 else "lines were passed over; they count"
        sentence = f"{prepared['blank']:,} blank {was} in the row numbers."
        summary.findings.append(found("source.blank_lines", sentence))
    summary.findings += hidden_findings(summary.source)
    summary.findings += [found("retry.passed_over", told) for told in facts.get("retry", ())]
    if run.sends:
        recorder = Recorder(run.folder, facts["header"], facts["passed"])
        run.record_settled = recorder.advance
        run.settle_rows = partial(_settle_rows, run, order, facts, recorder)


def _settle_rows(run: Run, order: Order, facts: Mapping[str, Any], recorder: Recorder) -> None:
    """Record: every contact's outcome, from the ledger and the stage, into files and counts.

    The counts come first, so that they are right also where there is no room for the files.
    """
    run.progress("record")
    run.summary.rows = replace(run.summary.rows, **_outcomes(run, facts["prepared"]))
    with Ledger(run.folder.ledger) as ledger:
        run.summary.batches, run.summary.settled = ledger.batches_sent(), ledger.settled_by()
        recorded = recorder.finish(ledger)
        outcomes = {name: recorded.rows[name] for name in ("delivered", "refused", "unknown", "failed")}
        outcomes["suppressed"] = facts["prepared"]["suppressed"] + recorded.rows["suppressed"]
        run.summary.rows = replace(run.summary.rows, **outcomes)
        run.summary.reasons = dict(Counter(facts["prepared"]["reasons"]) + recorded.reasons)
        if recorded.rows["suppressed"]:
            stage = Stage(run.folder.stage)
            record_suppressed(run.folder.path, facts["header"], facts["prepared"]["suppressed"], stage, ledger)
            keep_late_evidence(run, order, stage, ledger)


def _outcomes(run: Run, prepared: Mapping[str, int]) -> dict[str, int]:
    """How many contacts ended where, by the ledger alone; what is in no batch was not sent."""
    states = glance(run.folder.ledger).contacts
    sent = {
        "delivered": states.get("delivered", 0),
        "refused": states.get("refused", 0),
        "unknown": states.get("unknown", 0) + states.get("open", 0),
    }
    late = states.get("suppressed", 0)
    return {
        **sent,
        "suppressed": prepared["suppressed"] + late,
        "failed": prepared["ready"] - sum(sent.values()) - late,
    }
