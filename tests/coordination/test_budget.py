"""What every budget does: first come first served, nothing lost by cancelling, one pause for all."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dialfeed.coordination.budget import (
    LOCAL,
    Budget,
    FileBudget,
    LocalBudget,
    UnlimitedBudget,
    open_budget,
    organisation_key,
)
from dialfeed.delivery.pace import Limit
from dialfeed.errors import FixSettings

TEN = Limit.per_second(10)
Make = Callable[..., Budget]


@pytest.fixture(params=["local", "file", "redis"])
def make(request: pytest.FixtureRequest, tmp_path: Path, organisation: str, clock: Any) -> Make:
    """Makes budgets of each kind that share one state, all on the held clock."""
    if request.param == "local":
        only = LocalBudget(TEN, now=clock.now, sleep=clock.sleep)
        return lambda: only
    if request.param == "file":
        return lambda: FileBudget(tmp_path / "state", TEN, now=clock.now, sleep=clock.sleep)
    url = request.getfixturevalue("redis_url")
    redis_budget = pytest.importorskip("dialfeed.coordination.redis_budget")
    times = {"now": clock.now, "sleep": clock.sleep, "redis_now": clock.now}
    return lambda: redis_budget.RedisBudget(url, organisation, TEN, **times)


def test_takers_pass_in_the_order_they_came(make: Make, clock: Any) -> None:
    async def scenario() -> list[tuple[int, float]]:
        budget, passed = make(), []

        async def taker(number: int) -> None:
            await budget.take()
            passed.append((number, clock.now()))

        await asyncio.gather(*(taker(number) for number in range(25)))
        await budget.close()
        return passed

    passed = asyncio.run(scenario())
    assert [number for number, _ in passed] == list(range(25))
    assert passed[-1][1] - passed[0][1] == pytest.approx(24 * TEN.gap, rel=0.01)


def test_a_cancelled_taker_uses_nothing(make: Make, clock: Any) -> None:
    async def scenario() -> float:
        budget = make()
        await budget.take()
        waiting = [asyncio.create_task(budget.take()) for _ in range(5)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        began = clock.now()
        await budget.take()
        await budget.close()
        return float(clock.now() - began)

    assert asyncio.run(scenario()) <= TEN.gap + 0.001


def test_a_request_that_leaves_late_counts_from_when_it_left(make: Make, clock: Any) -> None:
    """Five of ten are held up for half a second: the eleventh keeps its distance from when they left."""

    async def scenario() -> tuple[float, float]:
        budget = make()
        permits = [await budget.take() for _ in range(5)]
        clock.time += 0.5
        for permit in permits:
            await budget.leave(permit)
        left = clock.now()
        for _ in range(6):
            await budget.leave(await budget.take())
        await budget.close()
        return left, clock.now()

    left, eleventh = asyncio.run(scenario())
    assert eleventh - left == pytest.approx(TEN.window, abs=0.002)


def test_a_request_that_leaves_in_time_is_not_told(make: Make, clock: Any) -> None:
    """As long as it is a small part of the margin: nobody waits, and no shared state is asked a second time."""

    async def scenario() -> list[float]:
        budget = make()
        times = []
        for _ in range(12):
            permit = await budget.take()
            clock.time += TEN.margin * 0.2
            before = clock.now()
            await budget.leave(permit)
            times.append(clock.now() - before)
        await budget.close()
        return times

    assert asyncio.run(scenario()) == [0.0] * 12


def test_a_request_held_up_for_longer_than_the_window_waits_for_a_place_in_it(make: Make, clock: Any) -> None:
    async def scenario() -> float:
        budget = make()
        held_up = await budget.take()
        clock.time += 5.0
        for _ in range(10):
            await budget.leave(await budget.take())
        tenth = clock.now()
        await budget.leave(held_up)
        await budget.close()
        return float(clock.now() - tenth)

    assert asyncio.run(scenario()) == pytest.approx(TEN.gap, abs=0.002)


def test_a_429_makes_everybody_wait_and_go_slower_after(make: Make, clock: Any) -> None:
    async def scenario() -> list[float]:
        told, untold = make(), make()
        await untold.take()
        await told.penalise(7.0)
        began = clock.now()
        starts = []
        for _ in range(3):
            await untold.take()
            starts.append(clock.now() - began)
        await told.close()
        await untold.close()
        return starts

    starts = asyncio.run(scenario())
    assert starts == pytest.approx([7.0, 7.0 + TEN.gap / 0.7, 7.0 + 2 * TEN.gap / 0.7], rel=0.01)


@pytest.mark.parametrize(("asked", "paused"), [(1e9, 300.0), (-5.0, 0.0), (float("nan"), 0.0), (float("inf"), 300.0)])
def test_a_pause_has_bounds(make: Make, asked: float, paused: float) -> None:
    async def scenario() -> float:
        budget = make()
        await budget.penalise(asked)
        status = await budget.status()
        await budget.close()
        return status.paused_for

    assert asyncio.run(scenario()) == pytest.approx(paused, abs=0.001)


@pytest.mark.parametrize("url", [None, LOCAL, "redis"])
def test_no_pause_is_longer_than_the_user_wants(url: str | None, tmp_path: Path, request: Any) -> None:
    address = request.getfixturevalue("redis_url") if url == "redis" else url
    organisation = request.getfixturevalue("organisation")

    async def scenario() -> float:
        budget = open_budget(address, tmp_path, organisation, 10, longest_pause=20.0)
        await budget.penalise(1e9)
        status = await budget.status()
        await budget.close()
        return status.paused_for

    assert 0 < asyncio.run(scenario()) <= 20.0


def test_the_status_tells_the_pause_and_whose_the_starts_are(make: Make) -> None:
    async def scenario() -> tuple[Any, ...]:
        ours, theirs = make(), make()
        for budget in (ours, ours, theirs, ours):
            await budget.take()
        await theirs.penalise(2.0)
        status = await ours.status()
        await ours.close()
        await theirs.close()
        return status.paused_for, status.recent, status.own, ours is theirs

    paused_for, recent, own, same = asyncio.run(scenario())
    assert paused_for == pytest.approx(2.0, abs=0.001)
    assert (recent, own) == (4, 4 if same else 3)


def test_the_finish_estimate_counts_what_others_take(make: Make) -> None:
    async def scenario() -> tuple[float, bool]:
        ours, theirs = make(), make()
        for _ in range(10):
            await ours.take()
            await theirs.take()
        estimate = await ours.finish_estimate(100)
        await ours.close()
        await theirs.close()
        return estimate, ours is theirs

    estimate, same = asyncio.run(scenario())
    assert estimate == pytest.approx(100 * TEN.gap * (1 if same else 2), rel=0.02)


async def must_not_wait(seconds: float) -> None:
    """Stands for sleep where nobody has anything to wait for."""
    pytest.fail(f"somebody waits for {seconds} s")


def test_an_unlimited_budget_costs_no_time_and_touches_no_disk(tmp_path: Path) -> None:
    async def scenario() -> float:
        budget = open_budget(None, tmp_path / "home", "organisation", None)
        assert isinstance(budget, UnlimitedBudget)
        budget._sleep = must_not_wait
        began = time.thread_time()
        for _ in range(1000):
            await budget.take()
        await budget.close()
        return time.thread_time() - began

    assert asyncio.run(scenario()) < 0.1
    assert list(tmp_path.iterdir()) == []


def test_an_unlimited_budget_still_pauses_all_its_takers_after_a_429(clock: Any) -> None:
    async def scenario() -> tuple[float, ...]:
        budget = UnlimitedBudget(now=clock.now, sleep=clock.sleep)
        began = clock.now()
        await budget.take()
        await budget.penalise(0.0)
        assert await budget.finish_estimate(10) == 0.0
        await budget.penalise(3.0)
        await budget.penalise(1.0)
        estimate, status = await budget.finish_estimate(10), await budget.status()
        await asyncio.gather(budget.take(), budget.take())
        return estimate, status.paused_for, clock.now() - began, await budget.finish_estimate(0)

    estimate, paused_for, waited, nothing = asyncio.run(scenario())
    assert (estimate, paused_for, nothing) == (3.0, 3.0, 0.0)
    assert 3.0 <= waited <= 6.0


def test_a_take_costs_less_than_a_millisecond(tmp_path: Path) -> None:
    """At 100,000 a second nothing but the work itself is waited for."""

    async def scenario() -> float:
        limit = Limit(1000, period=0.01)
        budget = FileBudget(tmp_path / "state", limit, longest_pause=1.0, sleep=must_not_wait)
        costs = []
        for _ in range(300):
            began = time.thread_time()
            await budget.take()
            costs.append(time.thread_time() - began)
        await budget.close()
        return sorted(costs)[len(costs) // 2]

    assert asyncio.run(scenario()) < 0.001


def test_two_organisations_do_not_share_a_budget(tmp_path: Path) -> None:
    async def scenario() -> None:
        for client in ("one", "two", "three"):
            budget = open_budget(None, tmp_path, organisation_key("https://example.com", client), 0.001)
            assert isinstance(budget, FileBudget)
            budget._sleep = must_not_wait
            await budget.take()
            await budget.close()

    asyncio.run(scenario())


def test_one_organisation_has_one_budget_however_its_url_is_written(tmp_path: Path) -> None:
    for url in ("https://example.com/", "https://EXAMPLE.com"):
        asyncio.run(open_budget(None, tmp_path, organisation_key(url, "id-of-a-client"), 50).close())
    (file,) = (tmp_path / "budget").iterdir()
    assert "client" not in file.name


@pytest.mark.parametrize(
    ("url", "kind"), [(None, "FileBudget"), (LOCAL, "LocalBudget"), ("redis://127.0.0.1:1/0", "RedisBudget")]
)
def test_the_url_chooses_the_kind(url: str | None, kind: str, tmp_path: Path) -> None:
    async def scenario() -> str:
        budget = open_budget(url, tmp_path, "organisation", 50)
        await budget.close()
        return type(budget).__name__

    assert asyncio.run(scenario()) == kind


@pytest.mark.parametrize(
    "url", ["", "http://example.com", "redis:/oops", "redis://h:port/0", "redis://h:99999/0", "memcached://x"]
)
def test_a_url_that_means_nothing_is_told_without_showing_it(url: str, tmp_path: Path) -> None:
    with pytest.raises(FixSettings) as refused:
        open_budget(url, tmp_path, "organisation", 50)
    assert "URL" in str(refused.value)
    assert refused.value.advice


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_means_nothing_is_a_fault_of_the_settings(rate: float, tmp_path: Path) -> None:
    with pytest.raises(FixSettings, match="rate"):
        open_budget(None, tmp_path, "organisation", rate)


def test_without_the_redis_library_the_advice_is_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    monkeypatch.delitem(sys.modules, "dialfeed.coordination.redis_budget", raising=False)
    with pytest.raises(FixSettings, match="pip install"):
        open_budget("redis://127.0.0.1/0", tmp_path, "organisation", 50)
