"""What came in: arrivals, answers, how many at once, and the rate limit. Time is an argument everywhere."""

from __future__ import annotations

import math
from array import array
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

CUT = "cut"
"""Stands for the status of a request whose connection ended without a whole answer."""


def worst_window(arrivals: Iterable[float], seconds: float = 1.0) -> int:
    """The most arrivals in any half-open window ``[t, t + seconds)``.

    Args:
        arrivals: Times in seconds, ascending.
        seconds: The length of the window.
    """
    recent: deque[float] = deque()
    worst = 0
    for arrival in arrivals:
        recent.append(arrival)
        while recent[0] <= arrival - seconds:
            recent.popleft()
        worst = max(worst, len(recent))
    return worst


class RateLimiter:
    """A sliding window of one second over the requests that were let through.

    A refused request is not counted, so that a client which keeps knocking is not shut out for ever.
    """

    def __init__(self) -> None:
        self._admitted: deque[float] = deque()

    def wait_needed(self, now: float, limit: int | None) -> float:
        """Let a request through, or tell how long it has to wait.

        Args:
            now: The monotonic time of its arrival, seconds.
            limit: Requests in any second; none is no limit.

        Returns:
            0.0 when the request was let through (and counted), else the seconds until there is room.
        """
        if limit is None:
            return 0.0
        while self._admitted and self._admitted[0] <= now - 1.0:
            self._admitted.popleft()
        if len(self._admitted) >= limit:
            return max(self._admitted[-limit] + 1.0 - now, math.ulp(1.0))
        self._admitted.append(now)
        return 0.0


@dataclass(slots=True)
class Gauge:
    """How many of a kind are under way, and the most there ever were."""

    now: int = 0
    most: int = 0

    def enter(self) -> None:
        """One more is under way."""
        self.now += 1
        self.most = max(self.most, self.now)

    def leave(self) -> None:
        """One has ended."""
        self.now -= 1


@dataclass(slots=True)
class Traffic:
    """The record of all requests to the platform routes (the control plane is not counted).

    Attributes:
        arrivals: Arrival times by target, monotonic seconds, ascending; 8 bytes a request.
        answers: How often each (route, status) was answered; the status is a text, `CUT` where there was none.
        gauges: Requests under way by target; ``all`` is every request.
        limiter: The organisation's rate limit.
    """

    arrivals: dict[str, array[float]] = field(default_factory=dict)
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    gauges: dict[str, Gauge] = field(default_factory=dict)
    limiter: RateLimiter = field(default_factory=RateLimiter)

    def arrive(self, target: str, now: float) -> None:
        """A request to `target` has arrived."""
        self.arrivals.setdefault(target, array("d")).append(now)
        for name in ("all", target):
            self.gauges.setdefault(name, Gauge()).enter()

    def leave(self, target: str, route: str, status: str) -> None:
        """A request has ended with this status, or with `CUT`."""
        self.answers[route, status] += 1
        for name in ("all", target):
            self.gauges[name].leave()

    def worst_second(self, *targets: str) -> int:
        """The most requests to these targets within any second."""
        merged = sorted(when for target in targets for when in self.arrivals.get(target, ()))
        return worst_window(merged)

    def most(self, name: str) -> int:
        """The most requests to a target that were under way at once."""
        return self.gauges[name].most if name in self.gauges else 0
