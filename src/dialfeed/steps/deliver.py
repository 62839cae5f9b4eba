"""Batch, deliver and settle: the loop with everything it needs, and what people hear of it meanwhile."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from dialfeed.config import Plan
from dialfeed.delivery.finish import Course, on_look, on_pause, seconds_left
from dialfeed.delivery.loop import Delivery
from dialfeed.delivery.policy import Policy
from dialfeed.delivery.ports import Clock
from dialfeed.ledger.ledger import Ledger
from dialfeed.ledger.stage import Stage
from dialfeed.moments import utc_now
from dialfeed.reports.findings import found
from dialfeed.reports.summary import Finding
from dialfeed.running.assembly import limits, policy
from dialfeed.running.order import Order, Target
from dialfeed.running.otherruns import OwnCount, others_since
from dialfeed.running.run import Run
from dialfeed.steps.scrubbing import check_still_valid, expiry, late_optouts
from dialfeed.steps.supply import StageSupply
from dialfeed.wording import counted


async def deliver(run: Run, order: Order, ledger: Ledger, stage: Stage, target: Target) -> None:
    """Batch, deliver and settle."""
    began = time.monotonic()
    connection, carrier = target.connection, target.carrier
    if ledger.fact("baseline") is None:
        ledger.remember(baseline={"count": await run.stopper.unless(carrier.count())})
    run.summary.before = ledger.fact("baseline")["count"]
    batches, place = ledger.cut_up_to()
    optouts = late_optouts(run, order.plan, ledger.fact("prepared"))
    supply = StageSupply(
        stage, connection.platform.codec, limits(order.plan), batches=batches, place=place, optouts=optouts
    )
    own = OwnCount(
        carrier,
        partial(others_since, order.plan, target.contact_list.id, run.folder.id),
        target.alone,
        order.plan.lag,
        connection.clock,
        run.stopper,
    )
    watch = Watch(run, ledger, supply, target, order.plan)
    await watch.begin()
    beside = asyncio.gather(watch.keep_telling(), _record_settled(run, connection.clock))
    with supply, run.stopper.event() as stop:
        delivery = Delivery(
            own,
            ledger,
            supply,
            connection.pace,
            connection.clock,
            _policy(run, order.plan),
            run.summary.before,
            watch.observe,
            stop,
            random.SystemRandom().random,
            dead_for=ledger.fact("dead_for", 0.0),
        )
        try:
            await delivery.run()
        finally:
            beside.cancel()
            await asyncio.gather(beside, return_exceptions=True)
    if ledger.contacts_by_state().get("unknown"):
        run.summary.findings += _who_else(run, own)
    run.summary.deliver_seconds = time.monotonic() - began
    if delivery.fatal is not None:
        check_still_valid(run.summary, utc_now())
        raise delivery.fatal
    run.stopper.check()


def _who_else(run: Run, own: OwnCount) -> Iterator[Finding]:
    """Why the list's count could not settle everything, where that is because of other runs."""
    if not own.alone:
        sentence = "Another run was loading the list at the same time, so its count could not settle lost answers."
        yield found("settle.not_alone", sentence, f"`dialfeed settle {run.folder.id}` when that has ended.")
    for each in own.others():
        if each.perhaps:
            told = f"Run {each.run} may have put {counted(each.perhaps, 'contact')} into the list since this run began"
            sentence = f"{told}, so the list's count could not settle lost answers."
            remedy = (
                f"Bring that run to its end (`dialfeed status {each.run}`), then `dialfeed settle {run.folder.id}`."
            )
            yield found("settle.other_run", sentence, remedy)


async def _record_settled(run: Run, clock: Clock) -> None:
    """Write rows into their files while others are on their way, until cancelled; the end writes what is left."""
    while run.record_settled is not None:
        if not await asyncio.to_thread(run.record_settled):
            await clock.sleep(1.0)


def _policy(run: Run, plan: Plan) -> Policy:
    """How this run delivers: by the plan, until its deadline, and what its command is for."""
    return replace(policy(plan), settle_only=run.summary.command == "settle", deadline=_deadline(run, plan))


def _deadline(run: Run, plan: Plan) -> float | None:
    """Seconds until no further batch is begun: as the user says, and not after the scrub has expired."""
    until = expiry(run.summary)
    limits = [plan.deadline, (until - utc_now()).total_seconds() if until else None]
    return min((limit for limit in limits if limit is not None), default=None)


@dataclass(slots=True)
class Watch:
    """Tells how far a delivery is, and when it ends.

    The end is reckoned by `dialfeed.delivery.finish`.
    """

    run: Run
    ledger: Ledger
    supply: StageSupply
    target: Target
    plan: Plan
    settling: bool = False
    _before: int = 0
    _course: Course = field(default_factory=lambda: Course.start(0.0, 0))

    async def begin(self) -> None:
        """Say before the first batch how many requests there will be at which rate, and when that ends."""
        self._before = self.ledger.stored()
        in_question, waiting = self.ledger.unfinished()  # of a run that goes on
        contacts = self.supply.remaining() + sum(batch.size for batch in [*in_question, *waiting])
        self._course = Course.start(self.target.connection.clock.now(), contacts)
        requests, rate = self._requests_left() + len(waiting), self.plan.rate
        left = await self._left()
        ends = f"{datetime.now().astimezone() + timedelta(seconds=left):%H:%M:%S}"
        note = counted(requests, "request") + (f" at {rate:g} a second, until about {ends}" if rate else "")
        if requests and self.run.summary.command != "settle":
            self.run.progress("deliver", 0, self._course.total, note, left)
        facts = {"contacts": self._course.total, "requests": requests, "rate": rate, "seconds": round(left, 1)}
        self.run.trail.append("delivery.started", **facts)

    async def keep_telling(self) -> None:
        """Every second, until cancelled."""
        while True:
            await self.target.connection.clock.sleep(1.0)
            if not self.settling:
                self.run.progress("deliver", self._done(), self._course.total, "", await self._left())

    def observe(self, event: str, /, **facts: Any) -> None:
        """Hear of an event of the delivery (`dialfeed.delivery.ports.Observer`)."""
        self.run.observe(event, **facts)
        if event == "settling.started":
            self.settling = True
            self.run.progress(
                "settle", self._done(), self._course.total, f"batches in question: {len(facts['batches']):,}"
            )
        elif event in {"batch.sent", "batch.settled", "settling.failed"}:
            self.settling = False
        elif event == "delivery.paused":
            self._course = on_pause(self._course, self.target.connection.clock.now(), facts["seconds"])
            why = "asks for" if facts["cause"] == "throttled" else "fails, and is given"
            self.run.progress(
                "deliver", self._done(), self._course.total, f"the platform {why} {facts['seconds']:.0f} s"
            )

    def _done(self) -> int:
        return self.ledger.stored() - self._before

    def _requests_left(self) -> int:
        return -(-self.supply.remaining() // self.plan.batch_contacts)

    async def _left(self) -> float:
        by_budget = await self.target.connection.pace.finish_estimate(self._requests_left())
        now, done = self.target.connection.clock.now(), self._done()
        self._course = on_look(self._course, now, done)
        return seconds_left(self._course, now, done, by_budget)
