"""What other runs have put into a run's list since it began, as far as this machine's history knows of them.

A list's count settles a run's lost answers, and verifies it, only beside what others have put there meanwhile: the run
of the next day, or a retry of this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from dialfeed.config import Plan
from dialfeed.coordination.history import History, PastRun
from dialfeed.delivery.answers import Answer
from dialfeed.delivery.ports import Carrier, Clock, Contacts, Leaving
from dialfeed.errors import FixSettings
from dialfeed.ledger.folder import SUMMARY
from dialfeed.moments import utc_now
from dialfeed.reports.summary import Summary, read_summary
from dialfeed.running.assembly import home_folder, run_folder
from dialfeed.running.stopping import Stopper


@dataclass(frozen=True, slots=True)
class Later:
    """A run into the same list that had not ended when this one did.

    Attributes:
        run: Its id.
        delivered: Contacts that it certainly put there since.
        perhaps: Contacts that it may have put there.
        told_at: When it last told anything, UTC, ISO 8601.
    """

    run: str
    delivered: int
    perhaps: int = 0
    told_at: str = field(default="", compare=False)


def others_since(plan: Plan, list_id: str, run: str) -> list[Later]:
    """Other runs into a list, retries among them, since a run began; they are looked up anew at each call."""
    history = History(home_folder(plan), plan.base_url or "", list_id)
    return list(later_runs(history.runs(), run, summaries(plan)))


def summaries(plan: Plan) -> Callable[[str], Summary | None]:
    """Reads the summary of a run by its id; None where it is purged, elsewhere, or not there yet."""

    def read(run: str) -> Summary | None:
        try:
            return read_summary(run_folder(plan, run) / SUMMARY)
        except (FixSettings, OSError):
            return None  # the history must do

    return read


def later_runs(past: list[PastRun], run: str, read: Callable[[str], Summary | None]) -> Iterator[Later]:
    """What other runs have put into the list since a run ended.

    A run that began later counts with what it delivered; one that began earlier and ended later (it was resumed) may
    have delivered any part of it since; and one that has not ended may have delivered anything.

    Args:
        past: The list's history, oldest first: the order of runs that began in one second.
        run: The run that is verified or settled.
        read: Reads another run's summary, where it is on this machine.
    """
    own_place, own = next(((n, each.time) for n, each in enumerate(past) if each.run == run), (len(past), ""))
    for place, each in enumerate(past):
        if each.run == run:
            continue
        told = read(each.run)
        delivered, unknown = _itself(told) if told else (each.delivered, 0)
        if (_second(each.run), place) > (_second(run), own_place):
            yield Later(each.run, delivered, unknown if told or each.finished else each.ready, each.time)
        elif own and each.time > own:
            yield Later(each.run, 0, delivered + unknown, each.time)


def _itself(told: Summary) -> tuple[int, int]:
    """What a run delivered, and what of it is unknown, without its retries: those have places of their own."""
    rows = told.first_rows
    return (rows["delivered"], rows["unknown"]) if rows else (told.rows.delivered, told.rows.unknown)


def _second(run: str) -> str:
    """The second in which a run began, by its id; what follows in it is chance."""
    return run.rpartition("-")[0]


@dataclass(frozen=True, slots=True)
class OwnCount:
    """Carries batches, and reads the count without what others have put into the list since this run began.

    Args:
        carrier: Carries batches, and reads the count as it is.
        others: Who else has put something into the list, and how much.
        alone: Whether nobody else is at the list now.
        lag: Seconds by which the count may lag behind writes, also behind those of others.
        clock: Time.
        stopper: Whether to stop.
    """

    carrier: Carrier
    others: Callable[[], list[Later]]
    alone: bool
    lag: float
    clock: Clock
    stopper: Stopper

    async def send(self, contacts: Contacts, leaving: Leaving) -> Answer:
        """Send one batch once."""
        return await self.carrier.send(contacts, leaving)

    async def count(self) -> int | None:
        """The count that the list would have; None where nobody can say, or the platform does not tell."""
        while self.alone:
            others = self.others()
            if any(each.perhaps for each in others):
                return None
            await self._wait_for(others)
            count = await self.carrier.count()
            if self.others() == others:  # else one of them has ended between the two
                return None if count is None else count - sum(each.delivered for each in others)
        return None

    async def _wait_for(self, others: list[Later]) -> None:
        """Wait until the count must show what others have put there."""
        since = max((datetime.fromisoformat(each.told_at) for each in others if each.delivered), default=None)
        left = self.lag - (utc_now() - since).total_seconds() if since else 0.0
        if left > 0:
            await self.stopper.unless(self.clock.sleep(min(left, self.lag)))
