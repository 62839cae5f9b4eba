"""Settling: what a list's count says about batches whose answer was lost. Pure; time is an argument.

Delivery is at rest when this is asked: no request is under way. The list then holds what it held before, what
was delivered since, and a subset of the open batches; their sizes are such that every subset has a sum of its
own (`sizes`). Two things can still mislead: the count may lag behind writes by up to a minute
(`cxone-v2-dialect.md` section 2), and somebody else may write to the list.

*Landed* is quick to prove, since nothing can make the count larger than everything together. *Did not land* needs
evidence that the count has caught up: a **canary**, a batch sent and answered after the lost ones, that the
count already shows; or, where no contact is left to serve as one, time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from dialfeed.delivery.sizes import landed


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what, in seconds.

    Attributes:
        grace: After a lost answer the platform may still be storing the batch for so long.
        quiet: A count is steady when it has not changed for so long.
        unreachable: Between two attempts to read the count of a platform that cannot be reached.
        lag: The longest that a count lags behind writes: "seconds to a minute", open; a profile setting.
    """

    grace: float = 3.0
    quiet: float = 1.0
    lag: float = 60.0
    unreachable: float = 5.0

    def window(self, lag_seen: float | None) -> float:
        """How long delivery must have been at rest for the count to prove absence without a canary.

        Ten times the shortest lag that the run has seen, within three times `quiet` and `lag`; `lag` where none
        was seen.
        """
        if lag_seen is None:
            return self.lag
        return min(self.lag, max(3 * self.quiet, 10 * lag_seen))


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be settled.

    Attributes:
        base: The count if none of the open batches had landed.
        sizes: The sizes of the open batches.
        at_rest_since: When the last request that can have stored anything ended, or may end: also later than now.
        canary: The size of a batch that was delivered after all of them, not in `base`; 0 for none.
        in_part: Whether the platform stores a part of a batch: then only all of them, or none, can be told.
    """

    base: int
    sizes: tuple[int, ...]
    at_rest_since: float
    canary: int = 0
    in_part: bool = False

    @property
    def most(self) -> int:
        """The largest count that the open batches and the canary can bring about."""
        return self.base + sum(self.sizes) + self.canary

    def explained_by(self, count: int) -> tuple[int, ...] | None:
        """The only subset of the open batches (the canary last) that makes the count what it is, if there is one."""
        sizes = (*self.sizes, self.canary) if self.canary else self.sizes
        if self.in_part and count not in {self.base, self.most}:
            return None
        return landed(sizes, count - self.base)

    def shows_canary(self, found: tuple[int, ...]) -> bool:
        """Whether the count has caught up with the canary; true where there is none to wait for."""
        return not self.canary or len(self.sizes) in found


@dataclass(frozen=True, slots=True)
class Reading:
    """The count as it was last read, and since when it has been the same."""

    count: int
    since: float

    def next(self, count: int, now: float) -> Reading:
        """After one more reading."""
        return Reading(count, self.since if count == self.count else now)


def judge(
    question: Question, reading: Reading, now: float, patience: Patience, lag_seen: float | None
) -> set[int] | None:
    """Which of the open batches are on the list.

    Returns:
        The indices into `question.sizes`, or None while the count does not prove anything.
    """
    found = question.explained_by(reading.count)
    if found is None or not question.shows_canary(found):
        return None
    stored = {index for index in found if index < len(question.sizes)}
    if len(stored) == len(question.sizes):
        return stored
    if now - reading.since < patience.quiet:
        return None
    if not question.canary and now - question.at_rest_since < patience.window(lag_seen):
        return None
    return stored


@dataclass(frozen=True, slots=True)
class Settling:
    """One settling under way.

    Attributes:
        question: What is to be settled.
        patience: How long to wait for what.
        until: When the count is given up.
        latest: The same, however long it cannot be asked for.
        reading: The count as it was last read; None before the first.
    """

    question: Question
    patience: Patience
    until: float
    latest: float
    reading: Reading | None = None

    @classmethod
    def start(cls, question: Question, patience: Patience, now: float, longest: float) -> Settling:
        """A settling that begins, of a platform that may be out of reach for `longest` seconds."""
        until = max(now, question.at_rest_since) + patience.grace + 2 * patience.lag
        return cls(question, patience, until, max(until, now + longest))

    def postponed(self, seconds: float) -> Settling:
        """After so many seconds in which the count could not be asked for: they tell nothing."""
        return replace(self, until=min(self.until + seconds, self.latest))

    def untold(self) -> Settling:
        """After an answer that tells no count: none will."""
        return replace(self, reading=None, until=-math.inf)

    def read(self, count: int, now: float) -> Settling:
        """After one more reading of the count. One larger than all batches together is not of this run alone."""
        if count > self.question.most:
            return self.untold()
        return replace(self, reading=self.reading.next(count, now) if self.reading else Reading(count, now))

    def is_over(self, now: float) -> bool:
        """Whether the count is given up."""
        return now >= self.until

    def found(self, now: float, lag_seen: float | None) -> set[int] | None:
        """Which of the batches are on the list (`judge`); None while that is not certain.

        What is not on it yet may still be stored until the grace is over.
        """
        if self.reading is None:
            return None
        found = judge(self.question, self.reading, now, self.patience, lag_seen)
        complete = found is not None and len(found) == len(self.question.sizes)
        return found if complete or self._grace_is_over(now) else None

    def wants_canary(self, now: float) -> bool:
        """Whether a canary would help: there is none yet, and a batch sent now is stored after the lost ones.

        Where a part of a batch may be stored, a part of a lost one may have the canary's size.
        """
        return not self.question.canary and not self.question.in_part and self._grace_is_over(now)

    def with_canary(self, size: int) -> Settling:
        """After a canary of this size was delivered; 0 where it was not."""
        return replace(self, question=replace(self.question, canary=size))

    def has_just_agreed(self, now: float) -> bool:
        """Whether the count read now has changed to what was stored, the canary included."""
        if self.reading is None or self.reading.since != now:
            return False
        found = self.question.explained_by(self.reading.count)
        return found is not None and self.question.shows_canary(found)

    def _grace_is_over(self, now: float) -> bool:
        return now >= self.question.at_rest_since + self.patience.grace
