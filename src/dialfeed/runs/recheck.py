"""Verify a run once more, however long ago it was: its list as it is now against what its summary says.

What later runs put into the same list, as far as this machine's history knows of them, is accounted for. What the
run delivered is not changed by it: only its audit trail grows by what was seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
import polars as pl

from dialfeed.audit.signing import open_signer
from dialfeed.audit.trail import Trail
from dialfeed.config import Plan
from dialfeed.contacts.fields import IDENTITY_FIELDS
from dialfeed.coordination.history import History
from dialfeed.delivery.agreement import Counted
from dialfeed.errors import CheckFile, FixSettings
from dialfeed.files import write_json
from dialfeed.ledger.folder import LEDGER, SUMMARY, RunFolder, held, is_held
from dialfeed.ledger.ledger import Ledger
from dialfeed.platforms.base import ContactList
from dialfeed.reports.summary import OPEN, Finding, Summary, read_summary, take_up
from dialfeed.running.assembly import connect, home_folder, keys_folder
from dialfeed.running.drawing import try_to_draw
from dialfeed.running.endings import MISSING
from dialfeed.running.order import Target
from dialfeed.running.otherruns import Later, later_runs, summaries
from dialfeed.running.retries import finished_retries
from dialfeed.running.shipping import ship_later_events
from dialfeed.running.stopping import Stopper
from dialfeed.steps.verify import Teller
from dialfeed.wording import counted as in_words

DELIVERED: Final = "delivered.csv"
_AT_ONCE: Final = 100_000


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What came of it.

    Attributes:
        summary: The run's summary, as it was.
        counted: The list's count and what explains it.
        later: Other runs into the list since.
        findings: What does not agree.
    """

    summary: Summary
    counted: Counted
    later: list[Later]
    findings: list[Finding] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """5 where contacts are missing, else 0."""
        return 5 if MISSING & {finding.code for finding in self.findings} else 0

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "run": self.summary.run,
            "list": {"id": self.summary.list_id, "name": self.summary.list_name},
            **asdict(self.counted),
            "difference": self.counted.difference,
            "later_runs": [
                {"run": each.run, "delivered": each.delivered, "perhaps": each.perhaps} for each in self.later
            ],
            "findings": [asdict(finding) for finding in self.findings],
            "exit_code": self.exit_code,
        }

    def as_text(self) -> str:
        """For people."""
        return "\n".join(self._told())

    def _told(self) -> Iterator[str]:
        counted = self.counted
        now = "an unknown number of contacts" if counted.after is None else in_words(counted.after, "contact")
        yield f"The list {self.summary.list_name or self.summary.list_id} has {now}."
        before = "an unknown number" if counted.before is None else f"{counted.before:,}"
        yield f"  {before} before run {self.summary.run}, {counted.delivered:,} delivered by it"
        if counted.unknown:
            yield f"  {counted.unknown:,} of it may be there"
        for each in self.later:
            perhaps = f", and perhaps {each.perhaps:,} more" if each.perhaps else ""
            yield f"  {each.delivered:,} delivered by run {each.run}{perhaps}"
        if counted.difference == 0:
            yield "They agree."
        for finding in self.findings:
            yield f"{finding.sentence} {finding.remedy}".strip()


def verify_again(path: Path, plan_of: Callable[[Mapping[str, Any]], Plan], stopper: Stopper) -> Rechecked:
    """Verify a run that has ended.

    Args:
        path: The run's folder.
        plan_of: Makes the plan from the settings that the run remembers, and what the user says now.
        stopper: Whether to stop.

    Raises:
        FixSettings: The run has not come to its end, or has sent nothing.
        CheckFile: Another process is working on it.
        DialfeedError: The platform cannot be asked.
    """
    if is_held(path):
        raise CheckFile(
            f"Run {path.name} is going on, and verifies itself at its end.",
            advice=f"`dialfeed status {path.name} --watch` follows it.",
        )
    if not (path / SUMMARY).is_file() or not (path / LEDGER).is_file():
        raise FixSettings(
            f"The run in {path} has not come to its end, or has loaded nothing into a list.",
            advice="Resume it if it was an import; it verifies itself then.",
        )
    with held(path):
        summary = read_summary(path / SUMMARY)
        with Ledger(path / LEDGER) as ledger:
            plan = plan_of(ledger.fact("plan", {}))
            sent = ledger.fact("list") is not None and ledger.fact("baseline") is not None
        if not sent:
            raise FixSettings("This run sent nothing, so there is nothing to verify.", advice="Import the file.")
        try:
            return asyncio.run(_verify_again(RunFolder(summary.run, path), summary, plan, stopper))
        finally:
            try_to_draw(path)
            ship_later_events(path, plan)


async def _verify_again(folder: RunFolder, summary: Summary, plan: Plan, stopper: Stopper) -> Rechecked:
    home, url = home_folder(plan), plan.base_url or ""
    past = History(home, url, summary.list_id).runs()
    # its own retries are in its summary already
    later = list(later_runs([each for each in past if each.retry_of != summary.run], summary.run, summaries(plan)))
    rows = summary.rows
    counted = Counted(
        summary.before,
        None,
        rows.delivered,
        rows.unknown,
        sum(each.delivered for each in later),
        sum(each.perhaps for each in later),
    )
    signer = open_signer(keys_folder(plan))
    take_up(folder.summary)
    trail = Trail(folder.audit, summary.run)
    try:
        teller = Teller(summary.run, "verify", trail.append, stopper)
        async with connect(plan) as connection:
            target = Target(connection, ContactList(summary.list_id, summary.list_name, None))
            counted = await teller.count(counted, target, plan.lag)
            teller.judge(counted)
            if (folder.path / DELIVERED).is_file():  # else it was purged
                await teller.read_back(_delivered(folder.path), counted, target, plan)
    finally:
        _keep_end(folder, trail.last_hash)
        trail.close(signer)
    return Rechecked(summary, counted, later, teller.findings)


def _keep_end(folder: RunFolder, last_hash: str) -> None:
    """Let the summary know the new end of the trail, and change nothing else of it."""
    told = orjson.loads(folder.summary.read_bytes())
    told.pop(OPEN, None)
    write_json(folder.summary, {**told, "audit_hash": last_hash})


def _delivered(folder: Path) -> Iterator[pl.DataFrame]:
    """The contacts that a run and its retries delivered, as their row files have them."""
    for each in (folder, *finished_retries(folder)):
        rows = pl.scan_csv(each / DELIVERED, infer_schema=False).select(IDENTITY_FIELDS)
        yield from rows.collect_batches(chunk_size=_AT_ONCE)
