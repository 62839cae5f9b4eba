"""A budget that several machines share, through Redis.

Each start is decided by one script inside Redis (`redis_budget.lua`), in one step and on Redis' own clock, so that
the machines' clocks need not agree. Redis 5 or newer is needed.

It fails closed: when Redis cannot be reached, after `TRIES` attempts the run stops with a sentence that says so. To
go on with a budget of one's own would mean that each machine uses the whole rate.

A process that is alone starts one request per round trip at most: with Redis 20 ms away that is 50 a second.
"""

from __future__ import annotations

import math
from collections import deque
from importlib.resources import files
from typing import Any, Unpack
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import AuthenticationError, AuthorizationError, NoPermissionError, RedisError

from dialfeed.coordination.gate import Gate, Mark, Now, Wait, Waits
from dialfeed.delivery.pace import ALIKE, CATCH_UP, CLIMB, HUSH, REMEMBERED, SLOWER, Limit, Pace
from dialfeed.errors import FixConnection, FixSettings

TRIES = 4
"""How often Redis is asked before it counts as unreachable: some two seconds."""

ANSWER_WITHIN = 5.0
"""Seconds for a connection, and for an answer."""

KEPT = 3600
"""Seconds for which Redis keeps a state that nobody uses: longer than any pause and any climb back."""

_SOON = 0.0005


class RedisBudget(Gate):
    """A limit shared by everybody who uses the same Redis and the same organisation.

    Args:
        url: Where Redis is: ``redis://``, ``rediss://`` or ``unix://``, with user and password if it wants them.
        organisation: What tells organisations apart, from `organisation_key`.
        limit: What the platform allows.
        redis_now: Replaces Redis' clock, for tests.
        waits: How it waits; the state has the clock of Redis.

    Raises:
        FixSettings: The URL is not one.
    """

    def __init__(
        self,
        url: str,
        organisation: str,
        limit: Limit,
        *,
        redis_now: Now | None = None,
        **waits: Unpack[Waits],
    ) -> None:
        super().__init__(limit, **waits)
        self._redis, self._place = _connect(url)
        self._script = self._redis.register_script(_SCRIPT)
        key = f"dialfeed:budget:{{{organisation}}}"
        self._keys = [key, f"{key}:starts"]
        self._redis_now = redis_now
        self._ready_at = -math.inf
        self._trips: deque[float] = deque(maxlen=16)
        self._handed_back = False
        self._unused = ""

    async def close(self) -> None:
        """Close the connection."""
        await self._redis.aclose()

    async def _start(self) -> Mark | Wait:
        if self._ready_at > self._now():
            return Wait(self._ready_at - self._now())
        asked_at = self._now()
        started, wait, start = await self._ask("start")
        # Counted from the asking: the next question then reaches Redis when its time has come, not a trip later.
        self._ready_at = asked_at + float(wait)
        in_time = started and self._came_in_time(self._now() - asked_at)
        self._unused = "" if in_time else start.decode()
        return str(start.decode()) if in_time else Wait(max(_SOON, self._ready_at - self._now()))

    async def _left_late(self, start: Mark) -> None:
        await self._ask("left_late", start=str(start))

    def _came_in_time(self, trip: float) -> bool:
        """Whether a permit to start is fresh enough to be used.

        Redis has counted the start at the moment it answered. If the answer was held up on its way by more than half
        of the margin, to start now could put one too many into a later window: the permit is handed back with the
        next question. Never two in a row, or a line that became slow would let nobody start.
        """
        usual = min(self._trips, default=trip)
        self._trips.append(trip)
        self._handed_back = not self._handed_back and trip - usual > self._limit.period * self._limit.margin / 2
        return not self._handed_back

    async def _penalise(self, seconds: float) -> None:
        await self._ask("penalise", seconds)

    async def _look(self) -> tuple[Pace, float]:
        now, *rates, starts, pressures = await self._ask("look")
        due, paused_until, share, climbs_from, slowed_at = (float(told) for told in rates)
        times = tuple(float(start) for start in reversed(starts))
        pace = Pace(self._limit, times, due, paused_until, share, climbs_from, slowed_at, tuple(pressures))
        return pace, float(now)

    async def _ask(self, what: str, seconds: float = 0.0, start: str = "") -> Any:
        """Run the script.

        Args:
            what: What it is to do.
            seconds: How long a penalty is.
            start: Which start is meant, as it was told.

        Raises:
            FixConnection: Redis does not answer, or refuses.
        """
        limit = self._limit
        time_now = "" if self._redis_now is None else repr(self._redis_now())
        shape = [limit.count, limit.window, limit.gap, limit.shortest_gap, limit.lowest]
        rules = [CLIMB, CATCH_UP, SLOWER, HUSH, KEPT, REMEMBERED, ALIKE]
        arguments: list[str | float] = [
            what,
            seconds,
            time_now,
            self._longest_pause,
            *shape,
            *rules,
            start or self._unused,
        ]
        try:
            return await self._script(keys=self._keys, args=arguments)
        except (RedisError, OSError) as fault:
            raise self._unreachable(fault) from fault

    def _unreachable(self, fault: Exception) -> FixConnection:
        """The sentence for a Redis that does not do its part. The fault's own text may hold what is private."""
        if isinstance(fault, AuthenticationError | AuthorizationError | NoPermissionError):
            return FixConnection(
                f"Redis at {self._place}, which holds the shared budget of requests, refuses the user or password.",
                advice="Correct the budget's URL; the user needs the commands of a script, hashes and lists.",
            )
        return FixConnection(
            f"Redis at {self._place}, which holds the shared budget of requests, cannot be used "
            f"({type(fault).__name__}).",
            advice="Bring it back and resume, or leave out the budget's URL if no other machine is loading.",
        )


_SCRIPT = files("dialfeed.coordination").joinpath("redis_budget.lua").read_text("utf-8")


def _connect(url: str) -> tuple[Redis, str]:
    """A client that connects at its first question, and what may be shown of where it goes.

    Raises:
        FixSettings: The URL is not one.
    """
    retry = Retry(ExponentialWithJitterBackoff(cap=1.0, base=0.1), TRIES - 1)
    try:
        client = Redis.from_url(url, socket_timeout=ANSWER_WITHIN, socket_connect_timeout=ANSWER_WITHIN, retry=retry)
        parts = urlsplit(url)
        place = parts.path if parts.scheme == "unix" else f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
    except ValueError:
        # Not chained: the fault may quote the URL, and that may hold a password.
        raise FixSettings(
            "The budget's URL cannot be read.", advice="Write it as redis://host:6379/0, or leave it out."
        ) from None
    return client, place
