"""The count that a list would have without what others have put there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from dialfeed.delivery.answers import Answer, Unknown
from dialfeed.delivery.ports import Leaving
from dialfeed.errors import Interrupted
from dialfeed.moments import utc_now
from dialfeed.running.otherruns import Later, OwnCount
from dialfeed.running.stopping import Stopper


class Platform:
    """A list with 100 contacts."""

    async def send(self, contacts: Any, leaving: Leaving) -> Answer:
        leaving()
        return Unknown(f"{contacts} lost")

    async def count(self) -> int | None:
        return 100


class Clock:
    """Remembers for how long it was waited."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0.01)


def ended(seconds_ago: float, delivered: int = 7, perhaps: int = 0) -> Later:
    return Later("other", delivered, perhaps, (utc_now() - timedelta(seconds=seconds_ago)).isoformat())


def count(told: list[list[Later]], *, alone: bool = True, stopper: Stopper | None = None) -> tuple[int | None, Clock]:
    """The count where one after the other is told of others, and how long it was waited for."""
    clock, looks = Clock(), iter(told)

    def others(looks: Iterator[list[Later]] = looks) -> list[Later]:
        return next(looks, told[-1])

    own = OwnCount(Platform(), others, alone, 60.0, clock, stopper or Stopper())
    return asyncio.run(own.count()), clock


def test_without_others_it_is_the_count() -> None:
    assert count([[]])[0] == 100


def test_what_others_have_put_there_is_not_counted() -> None:
    assert count([[ended(3600), ended(3600, 3)]])[0] == 90


def test_nothing_can_be_said_while_another_may_have_put_something_there() -> None:
    assert count([[ended(3600, 0, 5)]])[0] is None
    assert count([[]], alone=False)[0] is None


def test_one_that_ended_a_moment_ago_is_waited_for_as_long_as_the_count_may_lag() -> None:
    told, clock = count([[ended(20)]])
    assert told == 93
    assert clock.slept == [pytest.approx(40, abs=5)]


def test_a_clock_that_was_set_back_makes_nobody_wait_longer_than_that() -> None:
    assert count([[ended(-7200)]])[1].slept == [60.0]


def test_the_wait_ends_when_the_run_is_to_stop() -> None:
    stopper = Stopper()
    stopper.stop()
    with pytest.raises(Interrupted):
        count([[ended(0)]], stopper=stopper)


def test_one_that_ends_between_two_looks_is_looked_at_again() -> None:
    assert count([[], [ended(3600)], [ended(3600)]])[0] == 93
