"""Time and latencies in a bounded number of places, however long a run takes."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import Final

BUCKETS: Final = 48
"""Buckets of the timeline, at most."""

WIDTHS: Final = (0.1, 0.2, 1.0, 2.0, 10.0, 20.0, 60.0, 120.0, 600.0, 1200.0, 3600.0, 7200.0, 14400.0, 43200.0)
"""Widths of a bucket in seconds, each a multiple of the one before; beyond them the width doubles."""

BOUNDS: Final = tuple(0.001 * 10 ** (step / 8) for step in range(57))
"""Upper bounds of the bins in which latencies are counted: eight to a power of ten, from 1 ms to 10,000 s."""


@dataclass(slots=True)
class Moment:
    """One bucket of the timeline: how many contacts, answers and seconds fell into it."""

    delivered: int = 0
    refused: int = 0
    lost: int = 0
    throttled: int = 0
    not_sent: int = 0
    paused: float = 0.0

    def add(self, other: Moment) -> None:
        """Take in a neighbour."""
        for name in ("delivered", "refused", "lost", "throttled", "not_sent", "paused"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class Timeline:
    """Counts over the time in which the run was at work, in at most `BUCKETS` buckets."""

    width: float = WIDTHS[0]
    moments: list[Moment] = field(default_factory=list)

    def at(self, offset: float) -> Moment:
        """The bucket of a moment, in seconds from the beginning; all buckets widen when it lies beyond the last."""
        while offset >= self.width * BUCKETS:
            self._widen()
        index = int(max(offset, 0.0) / self.width)
        while len(self.moments) <= index:
            self.moments.append(Moment())
        return self.moments[index]

    def _widen(self) -> None:
        place = bisect_right(WIDTHS, self.width)
        wider = WIDTHS[place] if place < len(WIDTHS) else self.width * 2
        together = round(wider / self.width)
        merged: list[Moment] = []
        for index, moment in enumerate(self.moments):
            if index % together == 0:
                merged.append(moment)
            else:
                merged[-1].add(moment)
        self.width, self.moments = wider, merged


@dataclass(slots=True)
class Latencies:
    """Seconds from sending a batch to its answer, in bins; quantiles are exact to the width of a bin (a third)."""

    bins: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    count: int = 0
    longest: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.bins[bisect_left(BOUNDS, seconds)] += 1
        self.count += 1
        self.longest = max(self.longest, seconds)

    def quantile(self, share: float) -> float | None:
        """A bound under which this share of the latencies is; None where there are none."""
        wanted, seen = math.ceil(share * self.count), 0
        for index, number in enumerate(self.bins):
            seen += number
            if number and seen >= wanted:
                return min(BOUNDS[index], self.longest) if index < len(BOUNDS) else self.longest
        return None


def elapsed(seconds: float, step: float = 1.0) -> str:
    """A span of time, as exact as steps of `step` seconds need it."""
    if seconds < 60 and step < 1:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
