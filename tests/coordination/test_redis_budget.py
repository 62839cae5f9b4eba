"""The budget in Redis: its script reckons as `pace` does, and a Redis that fails stops the run with advice."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from dialfeed.coordination.gate import Wait, start_or_wait
from dialfeed.coordination.redis_budget import RedisBudget
from dialfeed.delivery.pace import REMEMBERED, Limit, Pace, clock_went_back, left_late, penalise, reserve
from dialfeed.errors import FixConnection

LONGEST = 300.0
Moment = tuple[str, float, float]


def history(chance: random.Random) -> list[Moment]:
    """What happens to a budget, and when: bursts, spells of rest, 429s, a clock set back."""
    now, moments = 1_790_000_000.0, []
    for _ in range(chance.randrange(20, 200)):
        now += chance.choice(
            [0.0, 0.001, 0.02, chance.uniform(0, 0.1), chance.uniform(0.1, 0.15), chance.uniform(0, 3)]
        )
        now -= chance.choice([0.0] * 60 + [chance.uniform(0, 5000)])
        seconds = chance.choice([0.0, 0.1, 0.5, 2.0, 2.0, chance.uniform(0, 400)])
        moments.append((chance.choice(["start"] * 30 + ["left late"] * 3 + ["penalise"]), now, seconds))
    return moments


def by_the_arithmetic(limit: Limit, moments: list[Moment]) -> tuple[list[float], Pace]:
    """The waits of a history, and the state after it, from `pace`."""
    pace, waits = Pace(limit), []
    for what, now, seconds in moments:
        pace = clock_went_back(pace, now, LONGEST)
        if what == "start":
            pace, wait = start_or_wait(pace, now)
            waits.append(wait)
        elif what == "left late":
            pace = left_late(pace, pace.starts[0], now) if pace.starts else pace
        else:
            pace = penalise(pace, now, min(seconds, LONGEST))
    return waits, pace


async def leave_late(budget: RedisBudget) -> None:
    """Let the oldest start that Redis still knows leave now."""
    *_, starts, _ = await budget._ask("look")
    if starts:
        await budget._left_late(starts[-1].decode())


async def by_the_script(budget: RedisBudget, clock: Any, moments: list[Moment]) -> tuple[list[float], Pace]:
    """The same from the script in Redis."""
    waits = []
    for what, now, seconds in moments:
        clock.time = now
        if what == "start":
            started, wait, _ = await budget._ask("start")
            waits.append(0.0 if started else float(wait))
        elif what == "left late":
            await leave_late(budget)
        else:
            await budget.penalise(seconds)
    pace, _ = await budget._look()
    await budget.close()
    return waits, pace


@pytest.mark.parametrize("seed", range(30))
def test_the_script_reckons_exactly_as_the_arithmetic(seed: int, redis_url: str, organisation: str, clock: Any) -> None:
    chance = random.Random(seed)
    limit = Limit.per_second(chance.choice([50, 50, 10, 3, 1, 0.5, 2.5]))
    moments = history(chance)
    budget = RedisBudget(redis_url, organisation, limit, redis_now=clock.now, longest_pause=LONGEST)
    waits, pace = asyncio.run(by_the_script(budget, clock, moments))
    assert (waits, pace) == by_the_arithmetic(limit, moments)
    assert len(pace.pressures) <= REMEMBERED


def test_redis_own_clock_is_the_one_that_counts(redis_url: str, organisation: str) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(seconds)

    async def scenario() -> float:
        budget = RedisBudget(redis_url, organisation, Limit.per_second(10), sleep=sleep)
        began = time.monotonic()
        for _ in range(4):
            await budget.take()
        await budget.close()
        return time.monotonic() - began

    assert asyncio.run(scenario()) > 3 * 0.102 - 0.01
    assert sum(waits) < 0.6


def test_an_unused_state_does_not_stay_in_redis_for_ever(redis_url: str, organisation: str) -> None:
    async def scenario() -> None:
        budget = RedisBudget(redis_url, organisation, Limit.per_second(10))
        await budget.take()
        await budget.penalise(1.0)
        await budget.close()

    asyncio.run(scenario())
    with redis.Redis.from_url(redis_url) as client:
        keys = list(client.scan_iter(f"*{organisation}*"))
        assert len(keys) == 2
        assert all(3000 < client.ttl(key) <= 3600 for key in keys)


def test_a_permit_that_was_held_up_on_its_way_is_not_used(
    redis_url: str, organisation: str, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held up by 5 ms it is used; by 15 ms handed back; and never two in a row, or a slow line would never start."""
    trips = {"first": 0.002, "slower": 0.007, "held up": 0.017, "again": 0.017, "after": 0.002, "once more": 0.017}
    used: dict[str, bool] = {}

    async def scenario() -> None:
        budget = RedisBudget(redis_url, organisation, Limit.per_second(50), now=clock.now)
        coming = iter(trips.values())

        async def ask(*_: object) -> tuple[int, bytes, bytes]:
            clock.time += next(coming)
            return 1, b"0.0", b"5.0"

        monkeypatch.setattr(budget, "_ask", ask)
        for name in trips:
            used[name] = not isinstance(await budget._start(), Wait)
            assert budget._unused == ("" if used[name] else "5.0")
        await budget.close()

    asyncio.run(scenario())
    assert [name for name, was_used in used.items() if not was_used] == ["held up", "once more"]


def test_a_permit_that_is_handed_back_counts_as_no_start(redis_url: str, organisation: str, clock: Any) -> None:
    async def scenario() -> tuple[Pace, Pace, object]:
        limit = Limit.per_second(1)
        budget = RedisBudget(redis_url, organisation, limit, redis_now=clock.now)
        fresh = Pace(limit)
        _, _, start = await budget._ask("start")
        budget._unused = start.decode()
        again = await budget._start()
        pace, _ = await budget._look()
        await budget.close()
        return fresh, pace, again

    fresh, pace, again = asyncio.run(scenario())
    assert not isinstance(again, Wait)
    assert pace == reserve(fresh, clock.now())[0]


def test_redis_is_asked_once_for_each_start(redis_url: str, organisation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to one start tells when the next may be, so that a process alone never asks too early."""

    async def scenario() -> int:
        budget = RedisBudget(redis_url, organisation, Limit.per_second(50))
        ask, asked = budget._ask, []

        async def count(what: str, seconds: float = 0.0) -> Any:
            asked.append(what)
            return await ask(what, seconds)

        monkeypatch.setattr(budget, "_ask", count)
        for _ in range(20):
            await budget.take()
        await budget.close()
        return len(asked)

    assert asyncio.run(scenario()) <= 30


def broken(url: str) -> Callable[[], RedisBudget]:
    """Makes a budget whose Redis does not work."""
    return lambda: RedisBudget(url, "organisation", Limit.per_second(50))


async def message(make: Callable[[], RedisBudget]) -> str:
    """What a taker and a 429 are told."""
    budget = make()
    with pytest.raises(FixConnection) as taking:
        await budget.take()
    with pytest.raises(FixConnection):
        await budget.penalise(1.0)
    await budget.close()
    return str(taking.value)


def test_a_redis_that_cannot_be_reached_stops_the_run_and_tells_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialfeed.coordination.redis_budget.TRIES", 2)
    told = asyncio.run(message(broken("redis://user:example-secret@127.0.0.1:1/0")))
    assert "127.0.0.1:1" in told
    assert "resume" in told
    assert "secret" not in told


def test_a_redis_that_refuses_the_password_is_told_apart(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialfeed.coordination.redis_budget.TRIES", 1)
    told = asyncio.run(message(broken(redis_url.replace("//", "//nobody:example-secret@"))))
    assert "refuses the user or password" in told
    assert "secret" not in told


def test_a_redis_that_answers_with_an_error_stops_the_run(redis_url: str, organisation: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set(f"dialfeed:budget:{{{organisation}}}", "somebody else's", ex=10)
    told = asyncio.run(message(lambda: RedisBudget(redis_url, organisation, Limit.per_second(50))))
    assert "ResponseError" in told
