"""Budgets of one process: without a limit, and with one."""

from __future__ import annotations

import asyncio
import time
from typing import Unpack

from dialfeed.coordination.gate import Budget, BudgetStatus, Gate, Mark, Now, Sleep, Wait, Waits, start_or_wait
from dialfeed.delivery.pace import Limit, Pace, left_late, penalise
from dialfeed.delivery.ports import Permit
from dialfeed.delivery.retry import LONGEST_WAIT


class UnlimitedBudget(Budget):
    """No limit: a take costs nothing. A 429 still makes all takers of this process wait.

    Args:
        now: Tells the time.
        sleep: Waits.
        longest_pause: Seconds; no pause lasts longer.
    """

    def __init__(
        self, *, now: Now = time.monotonic, sleep: Sleep = asyncio.sleep, longest_pause: float = LONGEST_WAIT
    ) -> None:
        self._now = now
        self._sleep = sleep
        self._longest_pause = longest_pause
        self._paused_until: float | None = None

    async def take(self) -> Permit:
        """Return at once, or after a pause that a 429 asked for."""
        while self._paused_until is not None:
            wait = self._paused_until - self._now()
            if wait > 0:
                await self._sleep(wait)
            else:
                self._paused_until = None
        return Permit(self._now())

    async def leave(self, permit: Permit) -> None:
        """Nothing is counted."""

    async def penalise(self, seconds: float) -> None:
        """Let no taker pass for so long."""
        if seconds > 0:
            until = self._now() + min(seconds, self._longest_pause)
            self._paused_until = until if self._paused_until is None else max(self._paused_until, until)

    async def status(self) -> BudgetStatus:
        """See `Budget.status`."""
        return BudgetStatus(self._paused_for())

    async def finish_estimate(self, requests_left: int) -> float:
        """Only the pause under way: what the platform takes is not known."""
        return self._paused_for() if requests_left > 0 else 0.0

    def _paused_for(self) -> float:
        """Seconds left of a pause."""
        return 0.0 if self._paused_until is None else max(0.0, self._paused_until - self._now())


class LocalBudget(Gate):
    """A limit that all takers of one process share.

    Args:
        limit: What the platform allows.
        waits: How it waits.
    """

    def __init__(self, limit: Limit, **waits: Unpack[Waits]) -> None:
        super().__init__(limit, **waits)
        self._pace = Pace(limit)

    async def _start(self) -> Mark | Wait:
        now = self._now()
        self._pace, wait = start_or_wait(self._pace, now)
        return Wait(wait) if wait > 0 else now

    async def _left_late(self, start: Mark) -> None:
        self._pace = left_late(self._pace, float(start), self._now())

    async def _penalise(self, seconds: float) -> None:
        self._pace = penalise(self._pace, self._now(), seconds)

    async def _look(self) -> tuple[Pace, float]:
        return self._pace, self._now()
