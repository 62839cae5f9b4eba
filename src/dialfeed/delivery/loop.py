"""The delivery loop: the one place that sleeps.

It keeps a few batches under way, hands every answer to its consequence, and brings delivery to rest when lost answers
must be settled. What it remembers is in the journal, written before a body leaves and after its outcome is known. Its
parts do not wait, and are told the time:

    waiting         which batch goes next
    health          whether one may start
    consequences    what becomes of a batch after its answer
    lost, settle    which lost batches a count proves to be on the list
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dialfeed.delivery.answers import Answer, Unknown, pause_asked
from dialfeed.delivery.consequences import Consequences
from dialfeed.delivery.health import Health
from dialfeed.delivery.lost import Lost
from dialfeed.delivery.policy import Policy
from dialfeed.delivery.ports import Carrier, Clock, Contacts, Journal, Observer, Pace, Supply
from dialfeed.delivery.settle import Settling
from dialfeed.delivery.waiting import Waiting
from dialfeed.delivery.work import Work
from dialfeed.errors import DialfeedError, FixConnection, ResumeRun

_FIRST_LOOK, _GROWTH, _LONGEST_LOOK = 0.05, 1.5, 1.0
"""Between two readings of a count: seconds at first, what multiplies them each time, and seconds at most."""

_STOPPED = "stopped while the answer was awaited"

Made = TypeVar("Made")


@dataclass(slots=True)
class Delivery:
    """One run's delivery to one contact list; it begins when this is made.

    Args:
        carrier: Sends a batch, reads the count.
        journal: The ledger.
        supply: Cuts and loads batches.
        pace: The budget of requests, told of every 429.
        clock: Time.
        policy: How to behave.
        baseline: The list's count before the first batch; None if the platform does not tell, and then nothing
            can be settled.
        observe: Hears of every event.
        stop: Set from outside to stop taking new batches.
        chance: Gives numbers in [0, 1) for the jitter of back-offs.
        dead_for: When going on after an earlier process: seconds since anything of it can have been under way.
    """

    carrier: Carrier
    journal: Journal
    supply: Supply
    pace: Pace
    clock: Clock
    policy: Policy
    baseline: int | None
    observe: Observer
    stop: asyncio.Event
    chance: Callable[[], float]
    dead_for: float = 0.0

    _began_at: float = field(init=False)
    _lost: Lost = field(init=False)
    _waiting: Waiting = field(init=False)
    _health: Health = field(init=False)
    _consequences: Consequences = field(init=False)
    _tasks: dict[asyncio.Task[Answer], Work] = field(default_factory=dict)
    _patient_until: float | None = None

    def __post_init__(self) -> None:
        self._began_at = self.clock.now()
        self._lost = Lost(settleable=self.baseline is not None)
        self._waiting = Waiting(self.supply, self.journal, self._lost)
        self._health = Health(self.observe, succeeded_at=self._began_at)
        self._consequences = Consequences(
            self.journal,
            self._waiting,
            self._lost,
            self._health,
            self.clock,
            self._began_at,
            self.policy,
            self.observe,
            self.chance,
        )

    @property
    def fatal(self) -> DialfeedError | None:
        """Why delivery ended before all contacts were sent, if it did."""
        return self._consequences.fatal

    async def run(self) -> None:
        """Deliver until nothing is left, `stop` is set, or the platform takes nothing any more (`fatal`)."""
        self._adopt()
        while True:
            self._watch_deadline()
            if self._ended:
                await self._recall()
            wait = self._start_batches()
            if self._tasks:
                await self._await_some(wait)
            elif self._lost.works and self._lost.settleable and not self._ended:
                await self._settle()
            elif wait is not None and not self._ended:
                await self._unless_ended(self.clock.sleep(wait))
            else:
                break
        self._consequences.of_the_end()

    def _adopt(self) -> None:
        """Go on from an earlier process: what may have been sent is unknown, what waits is sent first."""
        lost, waiting = self.journal.unfinished()
        since = self.clock.now() - self.dead_for
        self._lost.works.extend(Work(batch, lost_at=since, cause="the process ended") for batch in lost)
        self._waiting.add_last(Work(batch) for batch in waiting)

    def _watch_deadline(self) -> None:
        if self.policy.deadline is not None and self.clock.now() - self._began_at >= self.policy.deadline:
            self._consequences.end(ResumeRun("The time set for this run is over before all contacts were sent."))

    @property
    def _ended(self) -> bool:
        return self.stop.is_set() or self.fatal is not None

    # --- starting batches ---------------------------------------------------------------------------------------

    def _start_batches(self) -> float | None:
        """Start what may start. Returns the seconds until more may, or None if only an answer can change that."""
        if self.policy.settle_only:
            return None
        while not self._ended and len(self._tasks) < self.policy.in_flight:
            now = self.clock.now()
            if self._lost.are_due(self.policy.open_lost, self.policy.patience.grace, now):
                break
            opens_at = self._health.opens_at(now)
            if opens_at is not None:
                return max(opens_at - now, 0.01) if self._waiting.are_left() else None
            work, wait = self._take(self.policy.aside, now)
            if work is None:
                return wait
            self._start(work, now)
        return None

    def _take(self, aside: int, now: float) -> tuple[Work | None, float | None]:
        """The next batch, without those who must not be sent any more, and else the seconds until there is one."""
        under_way = [work.size for work in self._tasks.values()]
        try:
            while True:
                work, wait = self._waiting.take(under_way, aside, now)
                found = self.supply.suppressed(work.batch) if work else ()
                if work is None or not found:
                    return work, wait
                self._consequences.suppress(work, found)
        except DialfeedError as error:
            self._consequences.end(error)
            return None, None

    def _start(self, work: Work, now: float) -> None:
        self._health.on_start(now)
        if work.contacts is None:
            work.contacts = self.supply.load(work.batch)
        work.batch = self.journal.opened(work.batch)
        work.sent_at, work.left_at = self.clock.now(), None
        self.observe("batch.sent", batch=work.batch.id, contacts=work.size, attempt=work.batch.attempts)
        self._tasks[asyncio.ensure_future(self._send(work, work.contacts))] = work

    async def _send(self, work: Work, contacts: Contacts) -> Answer:
        def leaving() -> None:
            work.left_at = self.clock.now()

        await self.journal.synced()
        answer = await self.carrier.send(contacts, leaving)
        pause = pause_asked(answer)
        if pause is not None:
            await self.pace.penalise(pause)
        return answer

    # --- waiting ------------------------------------------------------------------------------------------------

    async def _await_some(self, wait: float | None) -> None:
        """Wait for an answer, the stop signal, or the moment when another batch may start."""
        stopping = asyncio.ensure_future(self.stop.wait())
        ended = self._ended
        timeout = self._patience_left() if ended else self._until_deadline(wait)
        try:
            waiting = self._tasks.keys() if self.stop.is_set() else {*self._tasks, stopping}
            done, _ = await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
        for task in [task for task in self._tasks if task in done]:
            self._finish(self._tasks.pop(task), task)
        if ended and not done:
            await self._abandon()

    def _finish(self, work: Work, task: asyncio.Task[Answer]) -> None:
        """Give an answer its consequence."""
        error = task.exception()
        if error is None:
            self._consequences.of_answer(work, task.result())
        elif isinstance(error, DialfeedError):
            self._consequences.of_error(work, error)
        else:
            self._consequences.lose(work, Unknown("internal error"))
            raise error

    def _patience_left(self) -> float:
        """Seconds that answers are still waited for when delivery has ended: one bound for all of them together."""
        now = self.clock.now()
        self._patient_until = self._patient_until or now + self.policy.stop_within
        return max(0.0, self._patient_until - now)

    def _until_deadline(self, wait: float | None) -> float | None:
        """Seconds to wait, no longer than until the deadline."""
        if self.policy.deadline is None:
            return wait
        left = max(0.0, self._began_at + self.policy.deadline - self.clock.now())
        return left if wait is None else min(wait, left)

    async def _recall(self) -> None:
        """Take back what waits for its turn: it has not left, so there is nothing to settle."""
        waiting = [task for task, work in self._tasks.items() if work.left_at is None]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for task in waiting:
            work = self._tasks.pop(task)
            if not task.cancelled():
                self._finish(work, task)
            elif work.left_at is not None:
                self._consequences.lose(work, Unknown(_STOPPED))
            else:
                self._consequences.recall(work)

    async def _abandon(self) -> None:
        """Give up waiting: what is under way stays open in the journal, and is settled when the run is resumed."""
        for task, work in self._tasks.items():
            task.cancel()
            self._consequences.lose(work, Unknown(_STOPPED))
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _unless_ended(self, work: Coroutine[Any, Any, Made]) -> Made | None:
        """The result of `work`; None where the run is to stop, or its time is over, before there is one."""
        working = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self.stop.wait())
        try:
            await asyncio.wait(
                {working, stopping}, timeout=self._until_deadline(None), return_when=asyncio.FIRST_COMPLETED
            )
            return working.result() if working.done() else None
        finally:
            working.cancel()
            stopping.cancel()
            await asyncio.gather(working, stopping, return_exceptions=True)
            self._watch_deadline()

    # --- settling -----------------------------------------------------------------------------------------------

    async def _settle(self) -> None:
        """At rest: find out by the list's count which lost batches are on it."""
        works = tuple(self._lost.works)
        self.observe("settling.started", batches=[work.batch.id for work in works])
        settling = self._question()
        for pause in _between_looks():
            settling = await self._look(settling)
            now = self.clock.now()
            if self._ended:
                return
            found = settling.found(now, self._lost.lag_seen)
            if found is not None:
                self._consequences.of_settling(works, found)
                return
            if settling.is_over(now):
                self._consequences.of_no_settling()
                return
            if settling.wants_canary(now):
                settling = settling.with_canary(await self._send_canary())
                if tuple(self._lost.works) != works or self.journal.stores_in_part() != settling.question.in_part:
                    return  # the canary's answer has changed the question: it is asked anew
            await self._unless_ended(self.clock.sleep(pause))

    def _question(self) -> Settling:
        """What is to be found out now, and until when."""
        base = (self.baseline or 0) + self.journal.stored()
        question = self._lost.question(base, in_part=self.journal.stores_in_part())
        return Settling.start(question, self.policy.patience, self.clock.now(), self.policy.give_up_after)

    async def _look(self, settling: Settling) -> Settling:
        """Read the count once more; where it cannot be asked for, wait a while."""
        asked_at = self.clock.now()
        try:
            count = await self._unless_ended(self.carrier.count())
        except FixConnection:
            await self._unless_ended(self.clock.sleep(self.policy.patience.unreachable))
            could_send = not self._health.failing_for(asked_at)
            return settling if could_send else settling.postponed(self.clock.now() - asked_at)
        except DialfeedError as error:
            self._consequences.end(error)
            return settling
        if count is None:
            return settling.untold()
        settling = settling.read(count, self.clock.now())
        self._lost.learn_lag(settling, self.clock.now())
        return settling

    async def _send_canary(self) -> int:
        """Send one batch after the lost ones, as proof that the count has caught up once it shows this one.

        Returns:
            How many contacts it stored; 0 where none could be sent, or the run ended while its answer was awaited.
        """
        now = self.clock.now()
        if self.policy.settle_only or self._health.opens_at(now) is not None:
            return 0
        work, _ = self._take(2 * self.policy.aside, now)
        if work is None:
            return 0
        before = self.journal.stored()
        self._start(work, now)
        await self._await_some(None)
        self._watch_deadline()
        return self.journal.stored() - before


def _between_looks() -> Iterator[float]:
    """Seconds between two readings of a count."""
    grown = (_FIRST_LOOK * _GROWTH**number for number in itertools.count())
    return (min(seconds, _LONGEST_LOOK) for seconds in grown)
