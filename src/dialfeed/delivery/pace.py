"""The pace: when the next request may start. Pure arithmetic; time is an argument, in seconds.

A platform allows so many requests a second for the whole organisation (`cxone-v2-dialect.md` section 3). "So many a
second" is read strictly: *no* one-second window holds more starts than that, wherever it begins. A bucket with a
burst does not keep this (measured: 99 to 100 requests in the worst second at "50 a second", `dependencies.md`
section G). Three rules keep it:

    window     start ≥ the start `count` places before + period · (1 + margin)
    schedule   starts are due every (1 + margin) / rate seconds, so that they come spread and not in bursts
    catch-up   a schedule less than `CATCH_UP` seconds behind is caught up, with gaps no shorter than half of its
               own; one further behind begins anew

The margin is what a request may be late on its way: the server sees our starts with the network's jitter, and while
that stays below `margin · period` (20 ms at 50 a second) its own windows hold no more than `count` either. What holds
a request up before it is written (a connection to be made, a busy machine) is not left to the margin: the request
then counts from when it left (`left_late`). See `docs/decisions/0016-pace-at-the-door.md`.

A 429 slows the schedule to `SLOWER` of what it was (once for all answers that come back together), from where it climbs
back by `CLIMB` of the profile's rate a second, beginning when requests may start again. The window rule stays. Where
the platform took clearly more requests in a window before one of the last 429s, the rate is not what it minds: then
the pause that it asks for is kept, and the schedule stays (`docs/decisions/0021-which-429s-slow.md`).

All of it is one frozen value, `Pace`, that goes through `to_bytes` and `from_bytes` between processes.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass, replace
from functools import lru_cache

MARGIN = 0.02
"""The share that a window is longer, and a schedule slower, than the platform asks for."""

SLOWER = 0.7
"""What a 429 leaves of the rate."""

CLIMB = 0.02
"""The share of the profile's rate that comes back each second without a 429."""

CATCH_UP = 0.1
"""Seconds by which a schedule may be behind and still be caught up: a late wake-up then costs the starts that it held
up, each as late again `count` places later, and not all that follow; a spell without requests earns nothing."""

HUSH = 1.0
"""After a 429 has slowed the pace, further ones within so many seconds tell of the same excess."""

REMEMBERED = 8
"""So many 429s back it is remembered how many starts the platform had been given in a window."""

ALIKE = 0.85
"""From this share of the most starts that a remembered 429 came after, a 429 speaks of the rate: answers take a while,
so that the same limit shows itself a few starts earlier or later."""

LONGEST_PERIOD = 60
"""Seconds: the longest window used to give a fractional rate a whole number of starts."""

FRACTIONS_BELOW = 20
"""From this rate on, the fraction of a rate is dropped: it is worth less than 5 %."""

_NEVER = -math.inf


@dataclass(frozen=True, slots=True)
class Limit:
    """What the platform allows: at most `count` starts in any window of `period` seconds.

    Attributes:
        count: Starts in a window; at least 1.
        period: Length of the window, in seconds.
        margin: The share by which to stay below.
    """

    count: int
    period: float = 1.0
    margin: float = MARGIN

    def __post_init__(self) -> None:
        """Refuse what has no meaning.

        Raises:
            ValueError: `count` or `period` is not positive, or `margin` is negative.
        """
        if self.count < 1 or not 0 < self.period < math.inf or not 0 <= self.margin < math.inf:
            raise ValueError(f"no such limit: {self.count} in {self.period} s with a margin of {self.margin}")

    @classmethod
    def per_second(cls, rate: float, *, margin: float = MARGIN) -> Limit:
        """The limit that a profile's rate means.

        A whole rate is that many in any second. A fractional one gets the shortest window of whole seconds that
        holds a whole number of starts: 2.5 is 5 in 2 s, 0.5 is 1 in 2 s. Where there is none up to a minute, the
        rate is rounded down to the nearest that has one; from `FRACTIONS_BELOW` on, to a whole rate.

        Args:
            rate: Requests a second, above 0.
            margin: The share by which to stay below.

        Raises:
            ValueError: `rate` is not a positive number.
        """
        if not 0 < rate < math.inf:
            raise ValueError(f"a rate is a positive number of requests a second, not {rate}")
        count, period = _whole_window(rate)
        return cls(count, period, margin)

    @property
    def rate(self) -> float:
        """Requests a second, without the margin."""
        return self.count / self.period

    @property
    def window(self) -> float:
        """Seconds between a start and the one `count` places after it, at least."""
        return self.period * (1 + self.margin)

    @property
    def gap(self) -> float:
        """Seconds between two starts on schedule, at full rate."""
        return self.window / self.count

    @property
    def shortest_gap(self) -> float:
        """Seconds between two starts, at least: half of `gap` while catching up.

        In a window longer than a second nothing is caught up, so that each second within it keeps the rate too.
        """
        return self.gap / 2 if self.period <= 1 else self.gap

    @property
    def lowest(self) -> float:
        """The smallest share of the rate that 429s can bring about: one request a second, or the whole of less."""
        return min(1.0, 1 / self.rate)


@lru_cache(maxsize=64)
def _whole_window(rate: float) -> tuple[int, float]:
    """Count and period in whole seconds that come closest to a rate, and never above it; the shortest of equals."""
    if rate < 1 / LONGEST_PERIOD:
        return 1, 1 / rate
    periods = range(1, LONGEST_PERIOD + 1) if rate < FRACTIONS_BELOW else (1,)
    windows = ((math.floor(rate * period * (1 + 1e-9)), float(period)) for period in periods)
    return max((window for window in windows if window[0]), key=lambda window: (window[0] / window[1], -window[1]))


@dataclass(frozen=True, slots=True)
class Pace:
    """What is known of the starts so far. All times are seconds on one clock of the caller's choice.

    Attributes:
        limit: What the platform allows; not part of the stored form, since each run brings its own profile.
        starts: The starts that a coming one may have to keep its distance from, oldest first.
        due: When the schedule's next start is due.
        paused_until: Nobody starts before.
        share: The share of the rate in use, at `climbs_from`; 1 is the profile's rate.
        climbs_from: Since when the share climbs.
        slowed_at: When a 429 last spoke of the rate anew; those soon after it tell nothing.
        pressures: How many starts the window held when each of the last such 429s came in, oldest first.
    """

    limit: Limit
    starts: tuple[float, ...] = ()
    due: float = _NEVER
    paused_until: float = _NEVER
    share: float = 1.0
    climbs_from: float = _NEVER
    slowed_at: float = _NEVER
    pressures: tuple[int, ...] = ()


def share_at(pace: Pace, now: float) -> float:
    """The share of the profile's rate in use at `now`: more than 0, at most 1."""
    climbed = pace.share + CLIMB * max(0.0, now - pace.climbs_from)
    return max(pace.limit.lowest, min(1.0, climbed))


def earliest(pace: Pace, now: float) -> float:
    """When the next request may start: `now`, or later."""
    limit = pace.limit
    if not pace.starts:
        return max(now, pace.due, pace.paused_until)
    after_last = pace.starts[-1] + limit.shortest_gap
    full = pace.starts[-limit.count] + limit.window if len(pace.starts) >= limit.count else _NEVER
    return max(now, pace.due, pace.paused_until, after_last, full)


def reserve(pace: Pace, now: float) -> tuple[Pace, float]:
    """Let one request start.

    Args:
        pace: The state before.
        now: The time now. Never earlier than in an earlier call; else see `clock_went_back`.

    Returns:
        The state after, and when the request may start (`now` or later).
    """
    start = earliest(pace, now)
    gap = pace.limit.gap / share_at(pace, start)
    kept = tuple(earlier for earlier in pace.starts if earlier + pace.limit.window > start)
    on_schedule = pace.due if start - pace.due <= CATCH_UP else start
    return replace(pace, starts=(*kept, start), due=on_schedule + gap), start


def left_late(pace: Pace, start: float, now: float) -> Pace:
    """A request that was let go at `start` leaves only `now`, less than a period later: that is when it counts.

    No window has more than before, since one that holds `now` and all starts up to it held `start` as well.
    """
    starts = [*pace.starts, now]
    if start in pace.starts:
        starts.remove(start)
    return replace(pace, starts=tuple(starts))


def pause(pace: Pace, until: float) -> Pace:
    """Let nobody start before `until`. A longer pause that is under way stays.

    The rate in use does not climb before `until`: nothing is sent that could show that the platform takes more.
    """
    return replace(pace, paused_until=max(pace.paused_until, until), climbs_from=max(pace.climbs_from, until))


def slow_down(pace: Pace, now: float) -> Pace:
    """A 429 came in: use `SLOWER` of the rate in use, down to one request a second.

    Not where clearly more starts than now were in the window at one of the last 429s. What comes in within `HUSH`
    seconds, or while everybody waits, was sent at the earlier rate and tells nothing new: then the rate only stops
    climbing until `now`. To be called before `pause`.
    """
    stopped = replace(pace, share=share_at(pace, now), climbs_from=max(pace.climbs_from, now))
    if now < max(pace.slowed_at + HUSH, pace.paused_until):
        return stopped
    pressure = sum(start > now - pace.limit.window for start in pace.starts)
    slower = SLOWER if pressure >= ALIKE * max(pace.pressures, default=0) else 1.0
    return replace(
        stopped,
        share=max(pace.limit.lowest, stopped.share * slower),
        slowed_at=now,
        pressures=(*pace.pressures, pressure)[-REMEMBERED:],
    )


def penalise(pace: Pace, now: float, seconds: float) -> Pace:
    """A 429 came in that asks for `seconds` of silence: slow down, and pause."""
    return pause(slow_down(pace, now), now + seconds)


def shut(limit: Limit, now: float) -> Pace:
    """The pace when the past is lost: nobody starts before everything unknown has left the window."""
    return Pace(limit, paused_until=now + limit.window)


def clock_went_back(pace: Pace, now: float, longest_pause: float) -> Pace:
    """Repair a state that lies in the future, because the clock was set back or began anew.

    What seems to lie ahead of `now` is taken to happen now: that holds starts back by one window at most, and a
    pause by `longest_pause`, but it opens nothing. For states whose starts are never reserved ahead.
    """
    last = pace.starts[-1] if pace.starts else _NEVER
    longest = now + max(longest_pause, pace.limit.window)
    if max(last, pace.slowed_at) <= now and pace.paused_until <= longest:
        return pace
    return replace(
        pace,
        starts=tuple(min(start, now) for start in pace.starts),
        due=min(pace.due, now + pace.limit.gap / pace.limit.lowest),
        paused_until=min(pace.paused_until, longest),
        climbs_from=min(pace.climbs_from, longest),
        slowed_at=min(pace.slowed_at, now),
    )


def finish_estimate(pace: Pace, now: float, requests_left: int) -> float:
    """Seconds until the last of `requests_left` requests may start, if no 429 comes and nobody else uses the budget.

    Counts the pause under way, the gap to the next start and the climb back to the full rate.
    """
    if requests_left <= 0:
        return 0.0
    first = earliest(pace, now)
    gaps = float(requests_left - 1)
    share = share_at(pace, first)
    wait = first - now
    if share >= 1.0:
        return wait + gaps * pace.limit.gap
    top = pace.limit.rate / (1 + pace.limit.margin)
    climbing = (1.0 - share) / CLIMB
    gaps_climbing = top * climbing * (share + 1.0) / 2
    if gaps >= gaps_climbing:
        return wait + climbing + (gaps - gaps_climbing) / top
    # The climb is linear, so that the starts made after t seconds are top · (share · t + CLIMB · t² / 2).
    return wait + (math.sqrt(share * share + 2 * CLIMB * gaps / top) - share) / CLIMB


_HEAD = struct.Struct("<4sII5d")
_CHECK = struct.Struct("<I")
_MARK = b"DFP2"


def to_bytes(pace: Pace) -> bytes:
    """The state in its stored form: mark, two counts, five times and shares, the starts, the pressures, a CRC-32."""
    starts, pressures = pace.starts, pace.pressures
    times = (pace.due, pace.paused_until, pace.share, pace.climbs_from, pace.slowed_at)
    head = _HEAD.pack(_MARK, len(starts), len(pressures), *times)
    body = head + struct.pack(f"<{len(starts)}d{len(pressures)}I", *starts, *pressures)
    return body + _CHECK.pack(zlib.crc32(body))


def from_bytes(limit: Limit, stored: bytes) -> Pace:
    """The state out of its stored form; bytes after it are ignored, since a longer one may have stood there before.

    Raises:
        ValueError: The bytes are not a whole stored state.
    """
    try:
        mark, count, told, due, paused_until, share, climbs_from, slowed_at = _HEAD.unpack_from(stored)
        body = struct.Struct(f"<{count}d{told}I")
        end = _HEAD.size + body.size
        (check,) = _CHECK.unpack_from(stored, end)
        values = body.unpack_from(stored, _HEAD.size)
    except struct.error as fault:
        raise ValueError("the stored pace is cut short") from fault
    if mark != _MARK or check != zlib.crc32(memoryview(stored)[:end]):
        raise ValueError("the stored pace is damaged")
    return Pace(limit, values[:count], due, paused_until, share, climbs_from, slowed_at, values[count:])
