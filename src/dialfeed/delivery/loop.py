"""The delivery loop: the one place that sleeps.

It keeps a few batches under way, gives every answer its consequence, and brings delivery to rest when a lost
answer must be settled. What it decides by are pure functions (`retry`, `breaker`, `settle`, `sizes`); what it
remembers is in the journal, written before a body leaves and after its outcome is known.

The consequences, one method each:

    accepted      delivered; named contacts refused; contacts the answer leaves out are unknown
    refused       named contacts refused, the others sent again; nobody named: halved, within a bound
    too large     halved
    throttled     everybody waits; costs no attempt
    not sent      sent again after a back-off
    unknown       stays open until the count has settled it
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dialfeed.delivery.answers import Accepted, Answer, NotSent, Refused, Throttled, TooLarge, Unknown, Words
from dialfeed.delivery.batches import Batch
from dialfeed.delivery.breaker import Breaker, WaitUntil, is_open, may_start, on_failure, on_success
from dialfeed.delivery.pauses import Cause, Pause, begin, over
from dialfeed.delivery.ports import Carrier, Clock, Contacts, Journal, Observer, Pace, Parts, Supply
from dialfeed.delivery.retry import RetryPolicy
from dialfeed.delivery.settle import Patience, Question, Reading, judge
from dialfeed.delivery.sizes import CLASSES, distinguishable
from dialfeed.errors import DialfeedError, FixAccess, FixConnection, ResumeRun


@dataclass(frozen=True, slots=True)
class Policy:
    """How delivery behaves.

    Attributes:
        in_flight: Batches under way at once; more than `sizes.CLASSES` cannot be told apart by a count.
        open_lost: With so many lost answers, delivery comes to rest and settles them.
        aside: So many batches may wait for that, where a count could not tell them from the lost ones; twice as many
            while the one is sought that can be sent as a canary.
        isolation: The most batches that one refused batch may be divided into before the rest is given up.
        stop_within: After a stop signal, seconds to wait for the batches under way.
        deadline: Seconds after which no further batch is begun; None for no end.
        settle_only: Find out about lost answers, and send nothing.
        retry: How often, and until when.
        patience: How long settling waits for the count.
    """

    in_flight: int = CLASSES
    open_lost: int = 3
    aside: int = 16
    isolation: int = 64
    stop_within: float = 30.0
    deadline: float | None = None
    settle_only: bool = False
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    patience: Patience = field(default_factory=Patience)


@dataclass(slots=True)
class Work:
    """A batch on its way: its body while it is needed, and when it may go."""

    batch: Batch
    contacts: Contacts | None = None
    ready_at: float = 0.0
    sent_at: float = 0.0
    lost_at: float = 0.0
    cause: str = ""
    status: int | None = None
    pause: float | None = None

    @property
    def size(self) -> int:
        """How many contacts."""
        return self.batch.size


@dataclass(slots=True)
class Delivery:
    """One run's delivery to one contact list.

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

    fatal: DialfeedError | None = None
    """Why delivery ended before all contacts were sent, if it did."""

    _queue: deque[Work] = field(default_factory=deque)
    _next: Work | None = None
    _lost: list[Work] = field(default_factory=list)
    _tasks: dict[asyncio.Task[Answer], Work] = field(default_factory=dict)
    _breaker: Breaker = field(default_factory=Breaker)
    _held: Pause | None = None
    _settleable: bool = True
    _lag_seen: float | None = None
    _refused_whole: int = 0
    _patient_until: float | None = None
    _started_at: float = 0.0
    _succeeded_at: float = 0.0
    _stored_at: float = 0.0

    async def run(self) -> None:
        """Deliver until nothing is left, `stop` is set, or the platform takes nothing any more (`fatal`)."""
        self._started_at = self._succeeded_at = self.clock.now()
        self._settleable = self.baseline is not None
        self._adopt()
        while True:
            self._watch_deadline()
            wait = self._start_batches()
            if self._tasks:
                await self._await_some(wait)
            elif self._lost and self._settleable and not self._ended:
                await self._settle()
            elif wait is not None and not self._ended:
                await self._pause(wait)
            else:
                break
        self._leave_the_rest_unknown()

    def _adopt(self) -> None:
        """Go on from an earlier process: what may have been sent is unknown, what waits is sent first."""
        lost, waiting = self.journal.unfinished()
        since = self.clock.now() - self.dead_for
        self._lost = [Work(batch, lost_at=since, cause="the process ended") for batch in lost]
        self._queue.extend(Work(batch) for batch in waiting)

    def _watch_deadline(self) -> None:
        if self.policy.deadline is not None and self.clock.now() - self._started_at >= self.policy.deadline:
            self.fatal = self.fatal or ResumeRun("The time set for this run is over before all contacts were sent.")

    @property
    def _ended(self) -> bool:
        return self.stop.is_set() or self.fatal is not None

    # --- starting batches ---------------------------------------------------------------------------------------

    def _start_batches(self) -> float | None:
        """Start what may start. Returns the seconds until more may, or None if only an answer can change that."""
        if self.policy.settle_only:
            return None
        while not self._ended and len(self._tasks) < self.policy.in_flight and not self._resting:
            now = self.clock.now()
            state, verdict = may_start(self._breaker, now)
            if isinstance(verdict, WaitUntil):
                return max(verdict.at - now, 0.01) if self._has_work else None
            work, wait = self._take(self.policy.aside)
            if work is None:
                return wait
            self._breaker = state
            self._start(work)
        return None

    @property
    def _has_work(self) -> bool:
        return bool(self._queue) or self._next is not None or self.supply.remaining() > 0

    @property
    def _resting(self) -> bool:
        """Whether so many answers are lost that they are settled first.

        Not before the last of them can't be about to be stored any more, since until then settling would only wait.
        """
        enough = self._settleable and len(self._lost) >= self.policy.open_lost
        last = max((work.lost_at for work in self._lost), default=0.0)
        return enough and self.clock.now() - last >= self.policy.patience.grace

    def _take(self, aside: int) -> tuple[Work | None, float | None]:
        """The next batch that may be open together with those that are; else how long until one is ready."""
        now = self.clock.now()
        open_sizes = [work.size for work in (*self._tasks.values(), *self._lost)]
        soonest: float | None = None
        for work in self._queue:
            if work.ready_at > now:
                soonest = min(soonest or work.ready_at, work.ready_at)
            elif self._may_join(open_sizes, work):
                self._queue.remove(work)
                return work, None
        new = self._cut(open_sizes, aside)
        return new, None if new is not None or soonest is None else soonest - now

    def _cut(self, open_sizes: list[int], aside: int) -> Work | None:
        """The next new batch, if it may be open together with those that are.

        One that a count could not tell from a lost one would hold up all behind it: it waits in the queue until those
        are settled, and the next is cut. At most `aside` wait.
        """
        lost_sizes = [work.size for work in self._lost]
        while (work := self._peek()) is not None:
            if self._may_join(open_sizes, work):
                self._next = None
                return work
            if self._may_join(lost_sizes, work) or len(self._queue) >= aside:
                return None
            self.journal.waits(work.batch)
            self._queue.append(work)
            self._next = None
        return None

    def _peek(self) -> Work | None:
        """The next new batch, left where it is."""
        if self._next is None:
            spans = self.supply.cut()
            self._next = Work(self.journal.create(spans)) if spans else None
        return self._next

    def _may_join(self, open_sizes: list[int], work: Work) -> bool:
        return not self._settleable or distinguishable([*open_sizes, work.size])

    def _start(self, work: Work) -> None:
        if work.contacts is None:
            work.contacts = self.supply.load(work.batch)
        work.batch = self.journal.opened(work.batch)
        work.sent_at = self.clock.now()
        self.observe("batch.sent", batch=work.batch.id, contacts=work.size, attempt=work.batch.attempts)
        self._tasks[asyncio.ensure_future(self._send(work.contacts))] = work

    async def _send(self, contacts: Contacts) -> Answer:
        answer = await self.carrier.send(contacts)
        if isinstance(answer, Throttled):
            await self.pace.penalise(answer.pause)
        return answer

    # --- waiting ------------------------------------------------------------------------------------------------

    async def _await_some(self, wait: float | None) -> None:
        """Wait for an answer, the stop signal, or the moment when another batch may start."""
        stopping = asyncio.ensure_future(self.stop.wait())
        timeout = self._patience_left() if self._ended else wait
        try:
            waiting = self._tasks.keys() if self.stop.is_set() else {*self._tasks, stopping}
            done, _ = await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
        for task in [task for task in self._tasks if task in done]:
            self._finish(self._tasks.pop(task), task)
        if self.stop.is_set() and not done:
            await self._abandon()

    def _patience_left(self) -> float:
        """Seconds that answers are still waited for after a stop signal: one bound for all of them together."""
        if not self.stop.is_set():
            return self.policy.stop_within
        now = self.clock.now()
        self._patient_until = self._patient_until or now + self.policy.stop_within
        return max(0.0, self._patient_until - now)

    async def _abandon(self) -> None:
        """Give up waiting: what is under way stays open in the journal, and is settled when the run is resumed."""
        for task, work in self._tasks.items():
            task.cancel()
            self._lose(work, Unknown("stopped while the answer was awaited"))
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _pause(self, seconds: float) -> None:
        """Sleep, but wake when asked to stop."""
        sleeping = asyncio.ensure_future(self.clock.sleep(seconds))
        stopping = asyncio.ensure_future(self.stop.wait())
        await asyncio.wait({sleeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
        sleeping.cancel()
        stopping.cancel()

    # --- consequences -------------------------------------------------------------------------------------------

    def _finish(self, work: Work, task: asyncio.Task[Answer]) -> None:
        """Give an answer its consequence."""
        error = task.exception()
        if error is None:
            self._consequence(work, task.result())
        elif isinstance(error, DialfeedError):
            self.fatal = self.fatal or error
            self.journal.absent(work.batch, cause=error.sentence)
        else:
            self._lose(work, Unknown("internal error"))
            raise error

    def _consequence(self, work: Work, answer: Answer) -> None:
        now = self.clock.now()
        self._tell_answer(work, answer, now)
        match answer:
            case Accepted():
                self._breaker = on_success(self._breaker, now)
                self._succeeded_at = self._stored_at = now
                self._accepted(work, answer)
            case Refused():
                self._breaker = on_success(self._breaker, now)
                self._succeeded_at = now
                self._refused(work, answer)
            case TooLarge():
                self._breaker = on_success(self._breaker, now)
                self._halve(work, Words("refused.too_large", "HTTP 413", ""), answer.status)
            case Throttled():
                self._breaker = on_success(self._breaker, now)
                self._throttled(work, answer)
            case NotSent():
                self._failed(now)
                self._again(work, answer.cause)
            case Unknown():
                self._failed(now)
                self._lose(work, answer)
        self._tell_resumed(answer, now)

    def _tell_answer(self, work: Work, answer: Answer, now: float) -> None:
        stored = work.size - len({*answer.refused, *answer.unaccounted}) if isinstance(answer, Accepted) else 0
        self.observe(
            "batch.answered",
            batch=work.batch.id,
            contacts=work.size,
            answer=type(answer).__name__,
            status=answer.status,
            seconds=round(now - work.sent_at, 3),
            delivered=stored,
        )

    def _failed(self, now: float) -> None:
        """A request came to nothing: that may be once too often."""
        self._breaker = on_failure(self._breaker, now)
        if self._breaker.open_until is not None:
            self._hold("breaker", now, self._breaker.open_until)

    def _hold(self, cause: Cause, now: float, until: float) -> None:
        """Nothing is sent before `until`; told once, however many answers ask for it."""
        held = begin(self._held, cause, now, until)
        if held is not None:
            self._held = held
            self.observe("delivery.paused", cause=cause, seconds=round(until - now, 3))

    def _tell_resumed(self, answer: Answer, now: float) -> None:
        """Something came back after a pause, and asks for no other."""
        if self._held is None or not over(self._held, now) or isinstance(answer, Throttled) or is_open(self._breaker):
            return
        self.observe("delivery.resumed", cause=self._held.cause, seconds=round(now - self._held.since, 3))
        self._held = None

    def _accepted(self, work: Work, answer: Accepted) -> None:
        if not answer.refused and not answer.unaccounted:
            self.journal.delivered(work.batch, status=answer.status, ids=answer.ids)
            return
        gone = {*answer.refused, *answer.unaccounted}
        delivered = tuple(position for position in range(work.size) if position not in gone)
        cause = "the answer does not account for all contacts" if answer.unaccounted else "contacts refused"
        parts = Parts(
            answer.status,
            cause,
            delivered=delivered,
            refused=answer.refused,
            unknown=answer.unaccounted,
            unknown_stored=answer.stored_unnamed,
            ids=answer.ids,
        )
        left = self.journal.divided(work.batch, parts).unknown
        self._report_refused(work, answer.refused)
        if left is not None and not answer.stored_unnamed:
            left = replace(left, attempts=work.batch.attempts)  # or it would be sent again for ever
            self._lost.append(Work(left, lost_at=self.clock.now(), cause=cause, status=answer.status))

    def _refused(self, work: Work, answer: Refused) -> None:
        if not answer.contacts:
            self._halve(work, answer.words, answer.status)
            return
        rest = tuple(position for position in range(work.size) if position not in answer.contacts)
        self._divide(work, Parts(answer.status, "contacts refused", refused=answer.contacts, resend=(rest,)))

    def _halve(self, work: Work, words: Words, status: int) -> None:
        """Nobody is named: divide, so that the others get through; one contact alone, or too many parts, ends it."""
        if work.size == 1 or self.journal.requests(work.batch.root) >= self.policy.isolation:
            everyone = dict.fromkeys(range(work.size), words)
            self._divide(work, Parts(status, "refused", refused=everyone))
            self._doubt_the_form(work, status)
            return
        middle = work.size // 2
        parts = (tuple(range(middle)), tuple(range(middle, work.size)))
        self._divide(work, Parts(status, "refused without naming contacts", resend=parts))

    def _doubt_the_form(self, work: Work, status: int) -> None:
        """Where batch after batch is refused whole and nothing is ever taken, it is not the contacts that are wrong."""
        self._refused_whole += work.size > 1
        if self._refused_whole >= self.policy.open_lost and not self.journal.stored():
            self.fatal = self.fatal or FixAccess(
                f"The platform refuses whole batches without naming a contact, and has taken none (HTTP {status}).",
                advice="Its words are in refused.csv. Check the list's columns and the body's form (--wrapped-body).",
            )

    def _divide(self, work: Work, parts: Parts) -> None:
        division = self.journal.divided(work.batch, parts)
        self._report_refused(work, parts.refused or {})
        self._queue.extendleft(Work(batch) for batch in reversed(division.resend))

    def _report_refused(self, work: Work, refused: Mapping[int, Words]) -> None:
        if refused:
            codes = sorted({words.code for words in refused.values()})
            self.observe("contacts.refused", batch=work.batch.id, contacts=len(refused), codes=codes)

    def _throttled(self, work: Work, answer: Throttled) -> None:
        """A 429 stores nothing and costs no attempt; the pace makes everybody wait."""
        now = self.clock.now()
        self._hold("throttled", now, now + answer.pause)
        work.batch = replace(work.batch, attempts=work.batch.attempts - 1)
        self.journal.absent(work.batch, cause="HTTP 429")
        work.ready_at = now
        self._queue.appendleft(work)

    def _again(self, work: Work, cause: str, settled: str = "", pause: float | None = None) -> None:
        """Send it again after a back-off, or give it up."""
        now = self.clock.now()
        retries = max(0, work.batch.attempts - 1)
        wait = max(self.policy.retry.wait(retries, self.chance()), pause or 0.0)
        if not self.policy.retry.allows(retries, now - self._started_at, wait):
            self.journal.failed(work.batch, cause=cause)
            self.observe("batch.failed", batch=work.batch.id, contacts=work.size, cause=cause)
            self._give_up_if_all_fails(cause)
            return
        self.journal.absent(work.batch, cause=cause, settled=settled)
        work.ready_at = now + wait
        self._queue.append(work)

    def _give_up_if_all_fails(self, cause: str) -> None:
        """One batch may fail alone; when nothing has succeeded for as long as its attempts took, it is the platform."""
        retry = self.policy.retry
        tried_for = sum(retry.wait(number, 0.0) for number in range(retry.max_retries))
        if self.clock.now() - self._succeeded_at >= min(tried_for, retry.deadline or tried_for):
            self.fatal = self.fatal or ResumeRun(f"The platform does not take contacts any more ({cause}).")

    def _lose(self, work: Work, answer: Unknown) -> None:
        work.lost_at, work.cause, work.status = self.clock.now(), answer.cause, answer.status
        work.pause = answer.pause
        self.journal.unknown(work.batch, cause=answer.cause, status=answer.status)
        self.observe("batch.unknown", batch=work.batch.id, contacts=work.size, cause=answer.cause)
        self._lost.append(work)

    # --- settling -----------------------------------------------------------------------------------------------

    async def _settle(self) -> None:
        """At rest: find out by the list's count which lost batches are on it."""
        patience = self.policy.patience
        lost = tuple(self._lost)
        rest = max([self._stored_at, *(work.lost_at for work in lost)])
        question = Question((self.baseline or 0) + self.journal.stored(), tuple(work.size for work in lost), rest)
        self.observe("settling.started", batches=[work.batch.id for work in lost])
        reading: Reading | None = None
        give_up_at = self.clock.now() + patience.grace + 2 * patience.lag
        interval = 0.05
        while not self._ended and self.clock.now() < give_up_at:
            try:
                count = await self.carrier.count()
            except FixConnection:
                await self._pause(patience.unreachable)
                continue
            except DialfeedError as error:
                self.fatal = error
                return
            now = self.clock.now()
            if count is None:
                break
            reading = reading.next(count, now) if reading else Reading(count, now)
            self._learn_lag(question, reading, now)
            found = judge(question, reading, now, patience, self._lag_seen)
            if found is not None and (now >= rest + patience.grace or len(found) == len(lost)):
                self._settled(lost, found)
                return
            if not question.canary and now >= rest + patience.grace:
                question = await self._with_canary(question)
                if tuple(self._lost) != lost:
                    return  # the canary's own answer was lost: it is settled together with the others
            await self._pause(interval)
            interval = min(interval * 1.5, 1.0)
        if not self._ended:
            self._unsettleable()

    async def _with_canary(self, question: Question) -> Question:
        """Send one batch after the lost ones, as proof that the count has caught up once it shows this one."""
        state, verdict = may_start(self._breaker, self.clock.now())
        held_back = self.policy.settle_only or isinstance(verdict, WaitUntil)
        work, _ = (None, None) if held_back else self._take(2 * self.policy.aside)
        if work is None:
            return question
        self._breaker = state
        before = self.journal.stored()
        self._start(work)
        await self._await_some(None)
        stored = self.journal.stored() - before
        self._stored_at = self.clock.now() if stored else self._stored_at
        return replace(question, canary=stored)

    def _learn_lag(self, question: Question, reading: Reading, now: float) -> None:
        """The first time that a count agrees with what was stored tells how far it lags at most."""
        if not self._stored_at or reading.since != now:
            return
        found = question.explained_by(reading.count)
        if found is not None and question.shows_canary(found):
            lag = now - self._stored_at
            self._lag_seen = lag if self._lag_seen is None else min(self._lag_seen, lag)

    def _settled(self, lost: Sequence[Work], found: set[int]) -> None:
        self._lost.clear()
        for index, work in enumerate(lost):
            on_list = index in found
            self.observe("batch.settled", batch=work.batch.id, contacts=work.size, on_list=on_list, by="count")
            if on_list:
                self.journal.delivered(work.batch, status=work.status, ids={}, settled="count")
                self._succeeded_at = self.clock.now()
            else:
                self._again(work, work.cause, settled="count", pause=work.pause)

    def _unsettleable(self) -> None:
        """The count explains nothing: somebody else writes to the list, or it cannot be read at all."""
        self._settleable = False
        self.observe("settling.failed", batches=[work.batch.id for work in self._lost])

    def _leave_the_rest_unknown(self) -> None:
        for work in self._lost:
            self.journal.unknown(work.batch, cause=work.cause, status=work.status)
