"""What every budget of requests does, wherever its state is kept: takers pass one by one, in the order they came.

A start is decided and recorded in one step at the moment it happens, never ahead. So a taker that is cancelled while
it waits has used nothing, a pause holds at once for everybody who has not started, and a process that dies
takes nothing with it.
"""

from __future__ import annotations

import asyncio
import math
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypedDict, Unpack

from dialfeed.delivery.pace import Limit, Pace, earliest, finish_estimate, reserve
from dialfeed.delivery.ports import Permit
from dialfeed.delivery.retry import LONGEST_WAIT

Now = Callable[[], float]
"""Tells the time in seconds, on a clock that never runs backwards."""

Sleep = Callable[[float], Awaitable[None]]
"""Waits so many seconds."""


Mark = str | float
"""What a state calls a start, so that it can be told again which one is meant."""

PUNCTUAL = 0.25
"""The share of the margin by which a request may leave late without being told to the state."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet."""

    seconds: float


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """How a budget stands.

    Attributes:
        paused_for: Seconds until anybody may start.
        recent: Starts in the window that ends now, by everybody who shares the budget.
        own: How many of these are ours.
    """

    paused_for: float
    recent: int = 0
    own: int = 0

    @property
    def share(self) -> float:
        """Our share of the budget as it is used now; half of it where others use it and we have not begun."""
        if not self.recent:
            return 1.0
        return self.own / self.recent if self.own else 0.5


class Budget(ABC):
    """A budget of requests. One object serves one event loop."""

    @abstractmethod
    async def take(self) -> Permit:
        """Return when a request may start, and count it as started.

        Raises:
            FixConnection: The shared state cannot be reached.
            ResumeRun: Somebody holds the shared state and does not let go, or the disk is full.
        """

    @abstractmethod
    async def leave(self, permit: Permit) -> None:
        """The request is about to be written. If it is late, it counts as started now; if very late, wait anew.

        Raises:
            FixConnection, ResumeRun: As `take`.
        """

    @abstractmethod
    async def penalise(self, seconds: float) -> None:
        """A 429 came in: nobody who shares the budget starts for so long, and all go slower after.

        Args:
            seconds: How long; what is not above 0 counts as nothing.
        """

    @abstractmethod
    async def status(self) -> BudgetStatus:
        """How the budget stands; for people, and out of date when it arrives."""

    @abstractmethod
    async def finish_estimate(self, requests_left: int) -> float:
        """Seconds until the last of `requests_left` may start, if the others who share the budget go on as they do."""

    async def close(self) -> None:  # noqa: B027 - most budgets hold nothing that needs closing
        """Let go of files and connections."""


class Waits(TypedDict, total=False):
    """How a budget waits; only tests have cause to say so.

    Attributes:
        now: Tells the time.
        sleep: Waits.
        longest_pause: Seconds; no pause lasts longer.
    """

    now: Now
    sleep: Sleep
    longest_pause: float


class Gate(Budget):
    """A limited budget: the part that does not depend on where the state is kept.

    Args:
        limit: What the platform allows.
        waits: How it waits.
    """

    def __init__(self, limit: Limit, **waits: Unpack[Waits]) -> None:
        self._limit = limit
        self._now = waits.get("now", time.monotonic)
        self._sleep = waits.get("sleep", asyncio.sleep)
        self._longest_pause = waits.get("longest_pause", LONGEST_WAIT)
        self._turn = asyncio.Lock()
        self._own: deque[float] = deque(maxlen=limit.count)

    async def take(self) -> Permit:
        """See `Budget.take`. Only the first of those who wait asks for the state."""
        async with self._turn:
            while isinstance(start := await self._start(), Wait):
                await self._sleep(start.seconds)
            permit = Permit(self._now(), start)
            self._own.append(permit.taken_at)
            return permit

    async def leave(self, permit: Permit) -> None:
        """See `Budget.leave`. A period after it was let go, a request has no place in the window any more."""
        late = self._now() - permit.taken_at
        if late >= self._limit.period:
            await self.take()
        elif late > self._limit.period * self._limit.margin * PUNCTUAL:
            await self._left_late(permit.mark)

    async def penalise(self, seconds: float) -> None:
        """See `Budget.penalise`."""
        await self._penalise(min(seconds, self._longest_pause) if seconds > 0 else 0.0)

    async def status(self) -> BudgetStatus:
        """See `Budget.status`."""
        pace, now = await self._look()
        recent = sum(start > now - self._limit.period for start in pace.starts)
        ours_since = self._now() - self._limit.period
        own = sum(start > ours_since for start in self._own)
        paused_for = max(0.0, pace.paused_until - now)
        return BudgetStatus(paused_for, recent, min(own, recent))

    async def finish_estimate(self, requests_left: int) -> float:
        """See `Budget.finish_estimate`."""
        status = await self.status()
        pace, now = await self._look()
        return finish_estimate(pace, now, math.ceil(requests_left / status.share))

    @abstractmethod
    async def _start(self) -> Mark | Wait:
        """Let a request start now and return what the state calls this start, or return how long is still to wait."""

    @abstractmethod
    async def _left_late(self, start: Mark) -> None:
        """Count this start as one that is made now."""

    @abstractmethod
    async def _penalise(self, seconds: float) -> None:
        """Slow down and pause, for everybody."""

    @abstractmethod
    async def _look(self) -> tuple[Pace, float]:
        """The state, and the time now on its clock."""


def start_or_wait(pace: Pace, now: float) -> tuple[Pace, float]:
    """Let a request start now if it may.

    Returns:
        The state after it and 0.0; or the state as it was and the seconds still to wait.
    """
    wait = earliest(pace, now) - now
    return (pace, wait) if wait > 0 else (reserve(pace, now)[0], 0.0)
