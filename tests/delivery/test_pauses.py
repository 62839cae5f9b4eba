"""Pauses and answers as they are told: when nothing is sent, why, for how long, and what came back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from delivery_world import Faults, World
from event_table import unfit

from dialfeed.delivery.pauses import SAME, Pause, begin, over

Make = Callable[..., World]


def told(world: World, name: str) -> list[dict[str, Any]]:
    return [dict(facts) for event, facts in world.events if event == name]


def test_a_pause_is_told_once_and_a_longer_one_goes_on_from_where_it_began() -> None:
    first = begin(None, "throttled", 10.0, 15.0)
    assert first == Pause("throttled", 10.0, 15.0)
    assert begin(first, "throttled", 10.1, 15.1) is None
    assert begin(first, "throttled", 11.0, 15.0 + SAME + 0.1) == Pause("throttled", 10.0, 16.1)
    assert begin(first, "breaker", 15.0, 15.2) == Pause("breaker", 15.0, 15.2), "the first one is over"
    assert not over(None, 20.0)
    assert not over(first, 14.9)
    assert over(first, 15.0)


def test_a_platform_that_asks_for_a_pause_and_goes_on_is_told_as_such(make_world: Make) -> None:
    world = make_world(20_000, Faults(throttled=0.2), 1)
    world.run()
    paused, resumed = told(world, "delivery.paused"), told(world, "delivery.resumed")
    throttled = [each for each in told(world, "batch.answered") if each["answer"] == "Throttled"]
    assert 0 < len(resumed) <= len(paused) <= len(throttled)
    assert {each["cause"] for each in (*paused, *resumed)} == {"throttled"}
    assert all(each["seconds"] > 0 for each in (*paused, *resumed))


def test_a_platform_that_fails_again_and_again_is_told_as_a_pause_of_the_breaker(make_world: Make) -> None:
    world = make_world(20_000, Faults(not_sent=0.7), 1)
    world.run()
    paused, resumed = told(world, "delivery.paused"), told(world, "delivery.resumed")
    assert paused
    assert resumed
    assert {each["cause"] for each in (*paused, *resumed)} == {"breaker"}
    assert min(each["seconds"] for each in resumed) >= 5, "the breaker's shortest cool-down"


@pytest.mark.parametrize(
    "faults",
    [
        Faults(throttled=0.1, not_sent=0.1, lost_before=0.1, lost_after=0.1, lost_late=0.1, lag=2.0),
        Faults(poison=frozenset({17, 8123}), names_poison=False, lost_before=0.1),
        Faults(down=(0.3, 40.0)),
    ],
)
def test_whatever_is_told_is_in_the_table_of_events(make_world: Make, faults: Faults) -> None:
    world = make_world(10_000, faults, 3)
    world.run()
    assert not [problem for event, facts in world.events for problem in unfit(event, facts)]


def test_the_answers_tell_what_was_delivered(make_world: Make) -> None:
    world = make_world(10_000, Faults(poison=frozenset({0, 999, 5000}), not_sent=0.1), 2)
    world.run()
    answered = told(world, "batch.answered")
    assert sum(each["delivered"] for each in answered) == len(world.outcomes()["delivered"]) == 9997
    assert all(0 <= each["delivered"] <= each["contacts"] and each["seconds"] >= 0 for each in answered)
