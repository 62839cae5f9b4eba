"""Pauses: spells in which nothing is sent, because the platform asked for it or fails again and again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Cause = Literal["throttled", "breaker"]

SAME = 1.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A spell in which nothing is sent. Times are seconds on the caller's clock.

    Attributes:
        cause: `throttled` where the platform asked for it, `breaker` where it failed too often in a row.
        since: When it began.
        until: When it ends.
    """

    cause: Cause
    since: float
    until: float


def begin(held: Pause | None, cause: Cause, now: float, until: float) -> Pause | None:
    """The pause after a reason for one has come up.

    Answers that come back together ask for the same pause, a moment apart: one that lasts no more than `SAME` longer
    than the pause under way is that one. One that lasts longer goes on from where it began.

    Returns:
        The new or longer pause; None where the one that is held stays as it is.
    """
    if held is None or now >= held.until:
        return Pause(cause, now, until)
    return None if until <= held.until + SAME else Pause(cause, held.since, until)


def over(held: Pause | None, now: float) -> bool:
    """Whether there is a pause that has ended."""
    return held is not None and now >= held.until
