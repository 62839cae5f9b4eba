"""What becomes of a batch after its answer, and after a settling. Nothing here waits.

accepted      delivered; named contacts refused; contacts the answer leaves out are unknown
refused       named contacts refused, the others sent again; nobody named: halved, within a bound
too large     halved
throttled     everybody waits; costs no attempt
not sent      sent again after a back-off
held back     sent again at once, without those who have opted out; costs no attempt
unknown       stays open until the count has settled it
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from dialfeed.delivery.answers import Accepted, Answer, HeldBack, NotSent, Refused, Throttled, TooLarge, Unknown, Words
from dialfeed.delivery.health import Health
from dialfeed.delivery.lost import Lost
from dialfeed.delivery.policy import Policy
from dialfeed.delivery.ports import Clock, Journal, Observer, Parts, Suppression
from dialfeed.delivery.waiting import Waiting
from dialfeed.delivery.work import Work
from dialfeed.errors import DialfeedError, FixAccess, ResumeRun


@dataclass(slots=True)
class Consequences:
    """Gives every answer its consequence: in the journal, among the batches that wait, or among the lost ones.

    Args:
        journal: The ledger.
        waiting: Where batches go that are sent again.
        lost: Where batches go whose answer was lost.
        health: Hears of every answer.
        clock: Time.
        began_at: When delivery began.
        policy: How to behave.
        observe: Hears of every event.
        chance: Gives numbers in [0, 1) for the jitter of back-offs.
    """

    journal: Journal
    waiting: Waiting
    lost: Lost
    health: Health
    clock: Clock
    began_at: float
    policy: Policy
    observe: Observer
    chance: Callable[[], float]

    fatal: DialfeedError | None = None
    """Why delivery ends before all contacts are sent, if it does."""

    _refused_whole: int = 0

    def end(self, error: DialfeedError) -> None:
        """No further batch is begun; the first reason counts."""
        self.fatal = self.fatal or error

    # --- of an answer -------------------------------------------------------------------------------------------

    def of_answer(self, work: Work, answer: Answer) -> None:
        """The platform has answered, or has not."""
        now = self.clock.now()
        self._tell_answer(work, answer, now)
        self.health.on_answer(answer, now)
        match answer:
            case Accepted():
                self._accepted(work, answer, now)
            case Refused():
                self._refused(work, answer)
            case TooLarge():
                self._halve(work, Words("refused.too_large", "HTTP 413", ""), answer.status)
            case Throttled():
                self._at_once(work, now, "HTTP 429")
            case HeldBack():
                self._at_once(work, now, "held back")
            case NotSent():
                self._again(work, answer.cause)
            case Unknown():
                self.lose(work, answer)
        self.health.tell_resumed(answer, now)
        self._give_up_on_silence()

    def recall(self, work: Work) -> None:
        """It was waiting for its turn when nothing more was to be sent: it has not left, and costs no attempt."""
        cause = "stopped before it was sent"
        self._tell_answer(work, NotSent(cause), self.clock.now())
        work.batch = replace(work.batch, attempts=work.batch.attempts - 1)
        self.journal.absent(work.batch, cause=cause)

    def of_error(self, work: Work, error: DialfeedError) -> None:
        """The platform will not take anything any more; this batch was not stored."""
        self.end(error)
        self.journal.absent(work.batch, cause=error.sentence)

    def lose(self, work: Work, answer: Unknown) -> None:
        """It may be on the list: it stays open until the count has settled it."""
        work.lost_at = max(self.clock.now(), (work.left_at or 0.0) + self.lost.slowest)
        work.cause, work.status = answer.cause, answer.status
        work.pause = answer.pause
        self.journal.unknown(work.batch, cause=answer.cause, status=answer.status)
        self.observe("batch.unknown", batch=work.batch.id, contacts=work.size, cause=answer.cause)
        self.lost.works.append(work)
        if answer.ends is not None:
            self.end(answer.ends)

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

    def _accepted(self, work: Work, answer: Accepted, now: float) -> None:
        self.lost.stored_at = now
        self.lost.slowest = max(self.lost.slowest, now - (work.left_at or now))
        if not answer.refused and not answer.unaccounted:
            self.journal.delivered(work.batch, status=answer.status, ids=answer.ids)
            return
        parts = _parts_of(answer, work.size)
        left = self.journal.divided(work.batch, parts).unknown
        self._report_refused(work, answer.refused)
        if left is not None and not answer.stored_unnamed:
            left = replace(left, attempts=work.batch.attempts)  # or it would be sent again for ever
            self.lost.works.append(Work(left, lost_at=self.clock.now(), cause=parts.cause, status=answer.status))

    def _refused(self, work: Work, answer: Refused) -> None:
        if not answer.contacts:
            self._halve(work, answer.words, answer.status)
            return
        rest = tuple(position for position in range(work.size) if position not in answer.contacts)
        self._divide(work, Parts(answer.status, "contacts refused", refused=answer.contacts, resend=(rest,)))

    def _halve(self, work: Work, words: Words, status: int) -> None:
        """Nobody is named: divide, so that the others get through; one contact alone, or too many parts, ends it."""
        bound = self.policy.isolation if self.journal.stored() else self.policy.isolation_in_doubt
        if work.size == 1 or self.journal.requests(work.batch.root) >= bound:
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
        if self._refused_whole < self.policy.open_lost or self.journal.stored():
            return
        self.end(
            FixAccess(
                f"The platform refuses whole batches without naming a contact, and has taken none (HTTP {status}).",
                advice="Its words are in refused.csv. Check the list's columns and the body's form (--wrapped-body).",
            )
        )

    def _divide(self, work: Work, parts: Parts) -> None:
        division = self.journal.divided(work.batch, parts)
        self._report_refused(work, parts.refused or {})
        self.waiting.add_first([Work(batch) for batch in division.resend])

    def _report_refused(self, work: Work, refused: Mapping[int, Words]) -> None:
        if refused:
            codes = sorted({words.code for words in refused.values()})
            self.observe("contacts.refused", batch=work.batch.id, contacts=len(refused), codes=codes)

    def _at_once(self, work: Work, now: float, cause: str) -> None:
        """Nothing is stored, which costs no attempt: it goes next. After a 429 the pace makes everybody wait."""
        work.batch = replace(work.batch, attempts=work.batch.attempts - 1)
        self.journal.absent(work.batch, cause=cause)
        work.ready_at = now
        self.waiting.add_first([work])

    def _again(self, work: Work, cause: str, settled: str = "", pause: float | None = None) -> None:
        """Send it again after a back-off, or give it up."""
        now = self.clock.now()
        retries = max(0, work.batch.attempts - 1)
        wait = max(self.policy.retry.wait(retries, self.chance()), pause or 0.0)
        if not self.policy.retry.allows(retries, now - self.began_at, wait):
            self.journal.failed(work.batch, cause=cause)
            self.observe("batch.failed", batch=work.batch.id, contacts=work.size, cause=cause)
            self._give_up_if_all_fails(cause)
            return
        self.journal.absent(work.batch, cause=cause, settled=settled)
        work.ready_at = now + wait
        self.waiting.add_last([work])

    def _give_up_if_all_fails(self, cause: str) -> None:
        """One batch may fail alone; when nothing has succeeded for as long as its attempts took, it is the platform."""
        retry = self.policy.retry
        tried_for = sum(retry.wait(number, 0.0) for number in range(retry.max_retries))
        if self.clock.now() - self.health.succeeded_at >= min(tried_for, retry.deadline or tried_for):
            self.end(ResumeRun(f"The platform does not take contacts any more ({cause})."))

    # --- of an opt-out --------------------------------------------------------------------------------------------

    def suppress(self, work: Work, found: Sequence[Suppression]) -> None:
        """Some of a batch that is not on its way must not be sent any more: the others go next."""
        rest = self.journal.suppressed(work.batch, found)
        gone = {each.position for each in found}
        codes = sorted({reason.partition(":")[0] for each in found for reason in each.reasons.split()})
        self.observe("contacts.suppressed", batch=work.batch.id, contacts=len(gone), codes=codes)
        if rest is not None:
            self.waiting.add_first([Work(rest)])

    def _give_up_on_silence(self) -> None:
        """Where every probe has failed for long enough, and nothing is left that a count could settle first."""
        silent_for = self.health.failing_for(self.clock.now())
        to_settle = self.lost.settleable and self.lost.works
        if silent_for >= self.policy.give_up_after and not to_settle:
            self.end(ResumeRun(f"The platform has taken nothing for {silent_for / 60:.0f} minutes."))

    # --- of a settling ------------------------------------------------------------------------------------------

    def of_settling(self, works: Sequence[Work], found: set[int]) -> None:
        """The count has told which of the lost batches are on the list."""
        self.lost.works.clear()
        for index, work in enumerate(works):
            on_list = index in found
            self.observe("batch.settled", batch=work.batch.id, contacts=work.size, on_list=on_list, by="count")
            if on_list:
                self.journal.delivered(work.batch, status=work.status, ids={}, settled="count")
                self.health.succeeded_at = self.clock.now()
            else:
                self._again(work, work.cause, settled="count", pause=work.pause)
        self._give_up_on_silence()

    def of_no_settling(self) -> None:
        """The count explains nothing: somebody else writes to the list, or it cannot be read at all."""
        self.lost.settleable = False
        self.observe("settling.failed", batches=[work.batch.id for work in self.lost.works])
        self._give_up_on_silence()

    def of_the_end(self) -> None:
        """What is not settled stays unknown."""
        for work in self.lost.works:
            self.journal.unknown(work.batch, cause=work.cause, status=work.status)


def _parts_of(answer: Accepted, size: int) -> Parts:
    """What becomes of the contacts of a batch that was not taken whole."""
    gone = {*answer.refused, *answer.unaccounted}
    return Parts(
        answer.status,
        "the answer does not account for all contacts" if answer.unaccounted else "contacts refused",
        delivered=tuple(position for position in range(size) if position not in gone),
        refused=answer.refused,
        unknown=answer.unaccounted,
        unknown_stored=answer.stored_unnamed,
        ids=answer.ids,
    )
