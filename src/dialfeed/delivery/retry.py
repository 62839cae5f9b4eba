"""Retries: how long to wait before the next attempt, and how many there are. Pure; time and chance are arguments.

Every figure is in seconds. A client that took `Retry-After` for milliseconds stands in `needs.md` row 23.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

DEFAULT_WAIT = 5.0
"""Seconds to wait after a 429 that does not say how long (`cxone-v2-dialect.md` section 3: given)."""

SHORTEST_WAIT = 0.5
"""Seconds to wait after a 429 that names a moment already past."""

LONGEST_WAIT = 300.0
"""Seconds to wait at most, whatever a 429 says; a profile setting."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and until when, what may be repeated is repeated.

    Attributes:
        max_retries: Repeats after the first attempt (`cxone-v2-dialect.md` section 3: at most 5).
        deadline: Seconds from the first attempt after which no repeat begins; None for no such limit.
        base: Seconds before the first repeat, without jitter.
        cap: Seconds before any repeat, at most.
    """

    max_retries: int = 5
    deadline: float | None = None
    base: float = 1.0
    cap: float = 60.0

    def allows(self, retries: int, elapsed: float, wait: float = 0.0) -> bool:
        """Whether one more repeat may begin.

        Args:
            retries: Repeats made so far.
            elapsed: Seconds since the first attempt.
            wait: Seconds that would pass before the repeat begins.
        """
        within = self.deadline is None or elapsed + wait <= self.deadline
        return retries < self.max_retries and within

    def wait(self, attempt: int, jitter: float) -> float:
        """Seconds before repeat number `attempt`, counted from 0 (`backoff`)."""
        return backoff(attempt, jitter=jitter, base=self.base, cap=self.cap)


def backoff(attempt: int, *, jitter: float, base: float = 1.0, cap: float = 60.0) -> float:
    """Seconds to wait before a repeat: exponential, with jitter.

        wait = min(base · 2^attempt, cap / 1.5) · (1 + jitter / 2)

    With the defaults 1 to 1.5 s, then 2 to 3, 4 to 6, 8 to 12, 16 to 24: never less than 2^attempt until the cap
    nears, never more than the cap, and spread by half at every attempt, so that workers do not come back together.

    Args:
        attempt: Number of the repeat, counted from 0.
        jitter: A number in [0, 1), drawn by the caller.
        base: Seconds before the first repeat.
        cap: Seconds at most.

    Raises:
        ValueError: `attempt` is negative, or `jitter` is not in [0, 1).
    """
    if attempt < 0 or not 0 <= jitter < 1:
        raise ValueError(f"no such repeat: number {attempt} with jitter {jitter}")
    doubled = base * 2.0 ** min(attempt, 64)
    return min(min(doubled, cap / 1.5) * (1 + jitter / 2), cap)  # the cap last: a product may be rounded above it


def parse_retry_after(
    header: str | None,
    *,
    now: float,
    body_value: object = None,
    server_date: str | None = None,
    default: float = DEFAULT_WAIT,
    ceiling: float = LONGEST_WAIT,
) -> float:
    """How many seconds a 429 asks everybody to wait.

    Read are whole seconds, decimals, an HTTP date in any of its three forms, an ISO 8601 date, several of these with
    commas between (``30,120``, as two proxies make it), and `retry_after` in the body
    (`cxone-v2-dialect.md` section 3, `needs.md` row 11). Where more than one wait is named the longest counts: to
    wait too long costs seconds, to come back too early costs the next 429.

    Args:
        header: The answer's `Retry-After`.
        now: Our clock, seconds since 1970 UTC.
        body_value: What the answer's body gives as `retry_after`: a number or text.
        server_date: The answer's `Date`; a date is measured against it, so that a wrong clock here does no harm.
        default: Seconds where nothing can be read.
        ceiling: Seconds at most.

    Returns:
        Seconds, from `SHORTEST_WAIT` (a moment already past) to `ceiling`.
    """
    reference = _timestamp(server_date or "")
    clock = now if reference is None else reference
    texts = (header or "", _as_text(body_value))
    longest = max((wait for text in texts for wait in _waits(text.strip(), clock)), default=default)
    return min(ceiling, max(min(SHORTEST_WAIT, ceiling), longest))


def _as_text(value: object) -> str:
    """A body's value as a header would have it; nothing for what is neither number nor text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    # Huge integers overflow a float: infinity is what they mean here.
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    return "" if math.isnan(number) else f"{min(max(number, -1.0), 1e9):f}"


def _waits(text: str, clock: float) -> list[float]:
    """Every wait, in seconds, that a text names: its numbers, or else the date that it is."""
    numbers = [float(part) for part in text.split(",") if _NUMBER.fullmatch(part.strip())]
    moment = None if numbers else _timestamp(text)
    return numbers if moment is None else [moment - clock]


def _timestamp(text: str) -> float | None:
    """A date as seconds since 1970 UTC; None for what is no date."""
    for reader in (parsedate_to_datetime, datetime.fromisoformat):
        # The standard library's readers answer odd texts with any of these.
        with suppress(ValueError, TypeError, IndexError, OverflowError, AttributeError):
            moment = reader(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None
