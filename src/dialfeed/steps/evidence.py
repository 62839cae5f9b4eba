"""What is kept of a run's scrub: each decision, under a pseudonym, and the run record (`compliance.md` section 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from dialfeed.audit.records import RECORDS, shared_trail
from dialfeed.contacts.findings import ROW
from dialfeed.donotcall import exemptions, regimes
from dialfeed.donotcall.evidence import EVIDENCE, LATE_SCHEMA, OPTOUTS, Evidenced, write_decisions, write_late_decisions
from dialfeed.donotcall.facts import iso
from dialfeed.donotcall.keys import KeyRing
from dialfeed.donotcall.objections import Objections
from dialfeed.errors import FixSettings
from dialfeed.files import sha256_of, write_json
from dialfeed.ledger.ledger import Ledger
from dialfeed.ledger.stage import Stage
from dialfeed.reports.findings import found
from dialfeed.running.assembly import home_folder
from dialfeed.running.order import Order
from dialfeed.running.run import Run
from dialfeed.steps.callinghours import hours_told
from dialfeed.steps.columns import Opened
from dialfeed.steps.scrubbing import Scrubbing, scrub_policy


def keep_evidence(run: Run, order: Order, opened: Opened, scrubbing: Scrubbing) -> dict[str, Any]:
    """Write the decisions and the run record, and return what the ledger remembers of the scrub."""
    hours = hours_told(scrubbing.scrubber.hours)
    if scrubbing.key is None:
        return {"lists": [], "valid_until": None, "hours": hours}
    objections = Objections(scrubbing.scrubber.columns)
    objections.load(run.folder.path)
    written = write_decisions(run.folder.path, run.folder.stage, scrubbing.scrubber, objections, scrubbing.key)
    digest = _keep_record(run, order, _run_record(run, order, opened, scrubbing, written))
    told = {
        "lists": [each.as_dict() for each in scrubbing.lists],
        "opened_at": iso(scrubbing.at),
        "valid_until": iso(scrubbing.valid_until),
        "key_id": scrubbing.key.id,
        "hours": hours,
        **written.as_dict(),
    }
    counted = {name: told[name] for name in ("valid_until", "key_id", "lines", "decisions", "reasons")}
    run.trail.append("scrub.done", evidence_sha256=digest, decisions_sha256=written.sha256, **counted)
    return told


def _keep_record(run: Run, order: Order, record: Mapping[str, Any]) -> str:
    """Write the run record, and chain it to those of other runs where this one is to send something; its SHA-256."""
    path = run.folder.path / EVIDENCE
    if not order.sends:
        write_json(path, record)
        return sha256_of(path)
    with shared_trail(home_folder(order.plan) / RECORDS) as records:
        write_json(path, {**record, "previous_record": records.last_hash})
        digest = sha256_of(path)
        records.append("record.kept", of=run.folder.id, evidence_sha256=digest)
    return digest


def keep_late_evidence(run: Run, order: Order, stage: Stage, ledger: Ledger) -> None:
    """Write the decisions about those who opted out after the scrub; made again, they come out the same."""
    try:
        key = KeyRing(home_folder(order.plan)).find(run.summary.scrub["key_id"])
    except FixSettings as error:
        sentence = f"Who opted out while the run went on could not be written into {OPTOUTS}. {error.sentence}"
        run.summary.findings.append(found("scrub.key_lost", sentence, error.advice))
        return
    written = write_late_decisions(run.folder.path, _late_decisions(stage, ledger), key)
    told = written.as_dict()
    run.trail.append("optouts.recorded", sha256=told["sha256"], lines=told["lines"], reasons=told["reasons"])


def _late_decisions(stage: Stage, ledger: Ledger) -> Iterator[pl.DataFrame]:
    """What the ledger holds of those who opted out, chunk by chunk, with their numbers and addresses."""
    for chunk in stage.chunks():
        found = ledger.suppressions(chunk.start, chunk.stop)
        if found:
            people = chunk.contacts[[each.place - chunk.start for each in found]]
            lines = [
                (person[ROW], each.field, person[each.field], each.reasons, each.at)
                for person, each in zip(people.iter_rows(named=True), found, strict=True)
            ]
            yield pl.DataFrame(lines, schema=LATE_SCHEMA, orient="row")


def _run_record(run: Run, order: Order, opened: Opened, scrubbing: Scrubbing, written: Evidenced) -> dict[str, Any]:
    """The run record of `compliance.md` section 5, as far as it is known before the first batch leaves.

    What became of the contacts afterwards is in `summary.json` and at the end of the audit trail, which also holds
    the SHA-256 of this record.
    """
    facts = opened.source.describe().facts
    return {
        "run": run.folder.id,
        "rehearsal": order.rehearse,
        "started_at": iso(scrubbing.at),
        "versions": run.summary.versions,
        "rule_packs": [regimes.rule_pack(), exemptions.rule_pack()],
        "hours": hours_told(scrubbing.scrubber.hours),
        "operator": run.operator,
        "host": run.host,
        "list": {"id": run.summary.list_id, "name": run.summary.list_name},
        "topic": order.plan.topic,
        **dict(order.plan.record),
        "input": {
            "path": run.summary.source.get("path"),
            "sha256": opened.source.sha256(),
            **facts,
            "columns": {column: field for column, field, _ in opened.mapping.describe()},
        },
        "policy": dict(scrub_policy(order.plan)),
        "lists": [each.as_dict() for each in scrubbing.lists],
        "valid_until": iso(scrubbing.valid_until),
        "key_id": scrubbing.key.id if scrubbing.key else None,
        "decisions": written.as_dict(),
    }
