"""Verify: what a list holds against what was delivered, by its count and, where it can be read back, by contact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import polars as pl

from dialfeed.config import Plan
from dialfeed.contacts.readback import Compared, ReadBack, sample
from dialfeed.delivery.agreement import Counted
from dialfeed.delivery.ports import Observer
from dialfeed.errors import FixAccess, FixConnection
from dialfeed.ledger.ledger import Ledger
from dialfeed.ledger.stage import Stage
from dialfeed.platforms.base import ReadsBack
from dialfeed.reports.findings import found
from dialfeed.reports.summary import Finding
from dialfeed.running.order import Order, Target
from dialfeed.running.otherruns import others_since
from dialfeed.running.run import Run
from dialfeed.running.stopping import Stopper
from dialfeed.steps.record import contacts_in
from dialfeed.wording import counted as told_with_noun

CONFIDENCE = 0.95
"""Of what a sample says of all contacts."""


async def verify(run: Run, order: Order, ledger: Ledger, stage: Stage, target: Target) -> None:
    """Compare the list with what this run has delivered."""
    run.progress("verify")
    states = ledger.contacts_by_state()
    others = others_since(order.plan, target.contact_list.id, run.folder.id)
    counted = Counted(
        run.summary.before,
        None,
        ledger.stored(),
        states.get("unknown", 0),
        sum(each.delivered for each in others),
        sum(each.perhaps for each in others),
    )
    teller = Teller(run.folder.id, "run", run.observe, run.stopper)
    counted = await teller.count(counted, target, order.plan.lag)
    if (counted.difference or 0) > 0:
        counted = _doubted(run, ledger, counted)
    run.summary.after, run.summary.later, run.summary.perhaps = counted.after, counted.later, counted.perhaps
    teller.judge(counted)
    contacts = contacts_in(stage, ledger, "delivered")
    await teller.read_back(contacts, counted, target, order.plan)
    run.summary.findings += teller.findings


def _doubted(run: Run, ledger: Ledger, counted: Counted) -> Counted:
    """Nobody can explain the count, so nothing that a count has told of lost answers is known for certain.

    Somebody else has written to the list, perhaps what was taken for a lost batch; or the platform has stored one late
    that was sent again.
    """
    batches = ledger.doubt()
    if not batches:
        return counted
    doubted = sum(batch.size for batch in batches)
    run.observe("settling.doubted", batches=[batch.id for batch in batches], contacts=doubted)
    sentence = (
        f"The list has contacts that nobody can explain, so {told_with_noun(doubted, 'contact')} whose answers were "
        f"lost and that its count had seemed to settle {_are(doubted)} unknown: there once, twice or not at all."
    )
    remedy = "Look for them on the platform (unknown.csv) before they are imported again."
    run.summary.findings.append(found("settle.doubted", sentence, remedy))
    return replace(counted, delivered=counted.delivered - doubted, unknown=counted.unknown + doubted)


@dataclass(slots=True)
class Teller:
    """Looks at a list, tells the trail, and finds what does not agree.

    Attributes:
        run: The run whose contacts are verified.
        by: `run`, or `verify` where it is repeated later.
        observe: Hears what was compared.
        stopper: Whether to stop.
        findings: What does not agree.
    """

    run: str
    by: str
    observe: Observer
    stopper: Stopper
    findings: list[Finding] = field(default_factory=list)

    async def count(self, counted: Counted, target: Target, lag: float) -> Counted:
        """Read the count, again and again while it is smaller than it must be and may still lag."""
        clock = target.connection.clock
        until, pause = clock.now() + lag, 0.05
        while True:
            counted = replace(counted, after=await self._read_count(target))
            if (counted.difference or 0) >= 0 or clock.now() >= until:
                return counted
            await self.stopper.unless(clock.sleep(pause))
            pause = min(pause * 1.5, 2.0)

    async def _read_count(self, target: Target) -> int | None:
        try:
            return await self.stopper.unless(target.carrier.count())
        except FixConnection:
            return None

    def judge(self, counted: Counted) -> None:
        """Tell what came of the count, and what does not agree with the likely causes."""
        self.observe(
            "count.verified",
            before=counted.before,
            after=counted.after,
            delivered=counted.delivered,
            unknown=counted.unknown,
            later=counted.later,
            difference=counted.difference,
            by=self.by,
        )
        self.findings += count_findings(self.run, counted)

    async def read_back(self, contacts: Iterable[pl.DataFrame], counted: Counted, target: Target, plan: Plan) -> None:
        """Look for the delivered contacts one by one, all of them or a sample, where the platform lets us."""
        platform, most, sent = target.connection.platform, plan.read_back, counted.delivered
        if not isinstance(platform, ReadsBack) or most == 0 or not sent:
            return
        try:
            if most is None or most >= sent:
                compared = await self._all(platform, contacts, target.contact_list.id)
            else:
                drawn = pl.concat(sample(contacts, sent, most, self.run))
                compared = await self._some(platform, drawn, sent, target.contact_list.id)
        except (FixAccess, FixConnection):
            sentence = "The platform did not let us read the contacts back, so they were not compared one by one."
            self.findings.append(found("verify.not_read_back", sentence))
            return
        self._tell_compared(compared, counted)

    async def _some(self, platform: ReadsBack, drawn: pl.DataFrame, sent: int, list_id: str) -> Compared:
        comparing = ReadBack([drawn], of=sent)
        comparing.add(await self.stopper.unless(platform.look_up(list_id, drawn)))
        return comparing.result()

    async def _all(self, platform: ReadsBack, contacts: Iterable[pl.DataFrame], list_id: str) -> Compared:
        comparing = ReadBack(contacts)
        async for page in platform.stored(list_id):
            self.stopper.check()
            comparing.add(page)
        return comparing.result()

    def _tell_compared(self, compared: Compared, counted: Counted) -> None:
        whole = compared.looked_up == compared.sent
        self.observe(
            "contacts.verified",
            sent=compared.sent,
            looked_up=compared.looked_up,
            missing=compared.missing,
            surplus=compared.surplus,
            twice=compared.twice,
            at_most=round(compared.at_most(CONFIDENCE), 6),
            confidence=1.0 if whole else CONFIDENCE,
            by=self.by,
        )
        self.findings += compared_findings(self.run, compared, counted)


def count_findings(run: str, counted: Counted) -> Iterator[Finding]:
    """What a person should know of the count."""
    difference = counted.difference
    if difference is None:
        sentence = "The platform did not tell how many contacts the list has, so nothing could be compared."
        yield found("verify.no_count", sentence)
    elif difference > 0:
        sentence = f"The list has {told_with_noun(difference, 'contact')} more than before and delivered together."
        remedy = "Somebody else has probably written to the list meanwhile; if it was nobody, look into unknown.csv."
        yield found("verify.surplus", sentence, f"{remedy} `dialfeed verify {run}` looks again.")
    elif difference < 0:
        sentence = f"The list has {told_with_noun(-difference, 'contact')} fewer than before and delivered together."
        yield found("verify.missing", sentence, f"{_why_fewer(counted)} `dialfeed verify {run}` looks again.")


def _why_fewer(counted: Counted) -> str:
    """The likely causes, the likeliest first, by what the numbers say."""
    if counted.before is not None and counted.after is not None and counted.after < counted.before:
        return "It has fewer than before the run, so somebody has probably removed contacts or emptied it."
    lag = "its count may lag longer than it was waited for (--count-lag)"
    silent = "the platform may have dropped contacts after accepting them, as duplicates for example"
    return f"Likely causes: {lag}; {silent}; or somebody has removed contacts."


def compared_findings(run: str, compared: Compared, counted: Counted) -> Iterator[Finding]:
    """What a person should know of the contacts that were read back."""
    whole = compared.looked_up == compared.sent
    of = f"{told_with_noun(compared.looked_up, 'delivered contact')} that {_were(compared.looked_up)} looked for"
    again = f"`dialfeed verify {run}` looks again."
    if compared.missing:
        sentence = f"{compared.missing:,} of {of} {_are(compared.missing)} not on the list."
        remedy = (
            "The platform may still be storing them, may have dropped them in silence, or somebody has removed them."
        )
        yield found("verify.not_there", sentence, f"{remedy} {again}")
    if compared.twice:
        sentence = f"{compared.twice:,} of {of} {_are(compared.twice)} on the list more than once."
        remedy = "They were there before, or somebody else has loaded them as well."
        yield found("verify.twice", sentence, f"{remedy} {again}")
    others = (compared.surplus or 0) - counted.others
    if others > 0 and counted.before is not None:
        many = f"{told_with_noun(others, 'contact')} on the list {_were(others)}"
        sentence = f"{many} neither there before nor delivered by this run."
        yield found("verify.not_ours", sentence, "Somebody else has written to the list meanwhile.")
    if not whole:
        share = compared.at_most(CONFIDENCE)
        sentence = f"A sample of {of}: with {CONFIDENCE:.0%} confidence at most {share:.2%} of all are missing."
        yield found("verify.sample", sentence, "--read-back all looks for every one.")


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
