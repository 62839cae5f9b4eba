"""The batches whose answer was lost, and what the run has learned of the count that is to settle them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dialfeed.delivery.settle import Question, Settling
from dialfeed.delivery.sizes import distinguishable
from dialfeed.delivery.work import Work


@dataclass(slots=True)
class Lost:
    """The batches whose answer was lost and not settled yet. Times are seconds on the caller's clock.

    Attributes:
        settleable: Whether a count can settle them: it can be read, and nobody else writes to the list.
        works: The batches, in the order in which their answers were lost.
        stored_at: When the platform last said that it had stored contacts; 0 for never.
        slowest: The longest that the platform has taken to store a batch: one whose answer is lost may take as long.
        lag_seen: The shortest time in which the count has followed what was stored; None where that was never seen.
    """

    settleable: bool
    works: list[Work] = field(default_factory=list)
    stored_at: float = 0.0
    slowest: float = 0.0
    lag_seen: float | None = None

    def leaves_apart(self, sizes: Sequence[int]) -> bool:
        """Whether a count could tell batches of these sizes from the lost ones and from one another, or need not."""
        return not self.settleable or distinguishable([*(work.size for work in self.works), *sizes])

    def are_due(self, enough: int, grace: float, now: float) -> bool:
        """Whether so many answers are lost that they are settled before anything else is sent.

        Not before the last of them can't be about to be stored any more, since until then settling would only wait.
        """
        last = max((work.lost_at for work in self.works), default=0.0)
        return self.settleable and len(self.works) >= enough and now - last >= grace

    def question(self, base: int, *, in_part: bool) -> Question:
        """What is to be settled.

        Args:
            base: What the count would be if none of the batches were on the list.
            in_part: Whether the platform stores a part of a batch.
        """
        at_rest_since = max([self.stored_at, *(work.lost_at for work in self.works)])
        return Question(base, tuple(work.size for work in self.works), at_rest_since, in_part=in_part)

    def learn_lag(self, settling: Settling, now: float) -> None:
        """The first time that a count agrees with what was stored tells how far it lags at most."""
        if self.stored_at and settling.has_just_agreed(now):
            lag = now - self.stored_at
            self.lag_seen = lag if self.lag_seen is None else min(self.lag_seen, lag)
