"""The batches still to be sent: which of them goes next.

Only such batches are open together as a count can tell apart (`sizes`): one that could not be told from an open one
waits, and others go before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dialfeed.delivery.lost import Lost
from dialfeed.delivery.ports import Journal, Supply
from dialfeed.delivery.work import Work


@dataclass(slots=True)
class Waiting:
    """The batches that wait, in their order, and after them the contacts that are in no batch yet.

    Args:
        supply: Cuts batches.
        journal: Hears of each new one.
        lost: The batches whose answer was lost; they are open.
    """

    supply: Supply
    journal: Journal
    lost: Lost

    _queue: deque[Work] = field(default_factory=deque)
    _next: Work | None = None

    def add_first(self, works: Sequence[Work]) -> None:
        """These go before all others, in this order."""
        self._queue.extendleft(reversed(works))

    def add_last(self, works: Iterable[Work]) -> None:
        """These go after all others that wait."""
        self._queue.extend(works)

    def are_left(self) -> bool:
        """Whether anything is still to be sent."""
        return bool(self._queue) or self._next is not None or self.supply.remaining() > 0

    def take(self, under_way: Sequence[int], aside: int, now: float) -> tuple[Work | None, float | None]:
        """The next batch that may be open together with those that are.

        Args:
            under_way: The sizes of the batches that are under way.
            aside: How many may wait at most because a count could not tell them from a lost one.
            now: The time now.

        Returns:
            The batch, or None and the seconds until one is ready, None where only an answer can change anything.
        """
        soonest: float | None = None
        for work in self._queue:
            if work.ready_at > now:
                soonest = min(soonest or work.ready_at, work.ready_at)
            elif self.lost.leaves_apart([*under_way, work.size]):
                self._queue.remove(work)
                return work, None
        new = self._cut(under_way, aside)
        return new, None if new is not None or soonest is None else soonest - now

    def _cut(self, under_way: Sequence[int], aside: int) -> Work | None:
        """The next new batch, if it may be open together with those that are.

        One that a count could not tell from a lost one would hold up all behind it: it waits in the queue until those
        are settled, and the next is cut. At most `aside` wait.
        """
        while (work := self._peek()) is not None:
            if self.lost.leaves_apart([*under_way, work.size]):
                self._next = None
                return work
            if self.lost.leaves_apart([work.size]) or len(self._queue) >= aside:
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
