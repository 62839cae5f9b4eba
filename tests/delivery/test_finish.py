"""The estimate of the end is honest: a clock that the test holds compares it with the true end, second by second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from delivery_world import Faults, VirtualClock, World

from dialfeed.coordination.local_budget import LocalBudget
from dialfeed.delivery.answers import Answer, Throttled
from dialfeed.delivery.finish import Course, on_look, on_pause, seconds_left
from dialfeed.delivery.pace import Limit
from dialfeed.delivery.ports import Contacts, Leaving

Make = Callable[..., World]
RATE, SIZE, REQUESTS = 10.0, 300, 400


def test_before_anything_is_delivered_the_budget_tells() -> None:
    assert seconds_left(Course.start(0.0, 1000), 0.0, 0, 20.0) == 20.0


def test_a_platform_slower_than_the_rate_tells_by_its_speed() -> None:
    assert seconds_left(Course.start(100.0, 1000), 110.0, 200, 16.0) == pytest.approx(40.0)


def test_one_pause_is_waited_for_and_not_expected_again() -> None:
    course = on_pause(Course.start(0.0, 1000), 10.0, 60.0)
    assert seconds_left(course, 10.0, 200, 100.0) == pytest.approx(60.0 + 40.0)
    assert seconds_left(course, 50.0, 200, 60.0) == pytest.approx(20.0 + 40.0)
    assert seconds_left(course, 80.0, 400, 30.0) == pytest.approx(30.0)


def test_pauses_that_came_again_will_come_again() -> None:
    course = Course.start(0.0, 1000)
    for second in (1.0, 11.0, 21.0):
        course = on_pause(course, second, 5.0)
    assert seconds_left(course, 30.0, 300, 0.0) == pytest.approx(35.0 + 2 * 7 / 3 * 5.0)


def test_a_delivery_that_became_slower_is_told_by_its_later_half() -> None:
    course = on_look(Course.start(0.0, 1000), 10.0, 200)
    course = on_look(course, 20.0, 250)
    assert seconds_left(course, 20.0, 250, 0.0) == pytest.approx(10.0 * 750 / 50)
    assert on_look(course, 39.0, 400) == course, "a mark is set each time that it has lasted twice as long"


def test_pauses_within_one_another_are_one() -> None:
    course = on_pause(on_pause(on_pause(Course.start(0.0, 10), 1.0, 5.0), 2.0, 3.0), 3.0, 10.0)
    assert (course.pauses, course.paused, course.paused_until) == (1, 12.0, 13.0)


@dataclass
class Told:
    """What would have been shown each second: when, and when the end was expected."""

    world: World
    course: Course
    budget: LocalBudget | None = None
    ends: list[tuple[float, float]] = field(default_factory=list)

    def make_budget(self, clock: VirtualClock) -> LocalBudget:
        self.budget = LocalBudget(Limit.per_second(RATE), now=clock.now, sleep=clock.sleep)
        self.ticking = asyncio.ensure_future(self._tick(clock))
        return self.budget

    async def _tick(self, clock: VirtualClock) -> None:
        while True:
            await clock.sleep(1.0)
            delivery = self.world.delivery
            assert delivery is not None
            assert self.budget is not None
            for event, facts in self._new_events():
                if event == "delivery.paused":
                    self.course = on_pause(self.course, clock.now(), facts["seconds"])
            requests = -(-delivery.supply.remaining() // SIZE)
            by_budget = await self.budget.finish_estimate(requests)
            done = delivery.journal.stored()
            self.course = on_look(self.course, clock.now(), done)
            left = seconds_left(self.course, clock.now(), done, by_budget)
            self.ends.append((clock.now(), clock.now() + left))

    def _new_events(self) -> list[tuple[str, Any]]:
        new, self.world.events[:] = list(self.world.events), []
        return new


def watched(world: World) -> Told:
    """Deliver, with an estimate every second."""
    told = Told(world, Course.start(0.0, world.total))
    world.make_pace = told.make_budget
    world.run()
    world.check()
    return told


def check_honest(told: Told, *, after: float, share: float, seconds: float) -> None:
    """From `after` on, no estimate is off by more than a share of the time left, and some seconds."""
    wrong = [
        f"at {now:.0f} s the end was told for {end:.0f} s, and was at {told.world.ended_at:.0f} s"
        for now, end in told.ends
        if after <= now < told.world.ended_at
        and abs(end - told.world.ended_at) > share * (told.world.ended_at - now) + seconds
    ]
    assert not wrong, wrong


def world_of(make_world: Make, faults: Faults) -> World:
    return make_world(SIZE * REQUESTS, faults, most=SIZE)


def test_the_end_of_a_smooth_delivery_is_known_from_the_start(make_world: Make) -> None:
    told = watched(world_of(make_world, Faults()))
    check_honest(told, after=0.0, share=0.05, seconds=2.0)


def test_the_end_at_a_slow_platform_is_known_after_a_few_answers(make_world: Make) -> None:
    """Eight at once, two seconds each: four a second, where the rate would allow ten."""
    told = watched(world_of(make_world, Faults(latency=2.0)))
    check_honest(told, after=15.0, share=0.2, seconds=3.0)


def test_the_end_after_one_long_pause_is_known_as_soon_as_it_begins(
    make_world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_of(make_world, Faults())
    send = world.platform.send

    async def shut_once(contacts: Contacts, leaving: Leaving) -> Answer:
        answer = await send(contacts, leaving) if world.platform.requests != 100 else Throttled(90.0)
        world.platform.requests += isinstance(answer, Throttled)
        return answer

    monkeypatch.setattr(world.platform, "send", shut_once)
    told = watched(world)
    check_honest(told, after=13.0, share=0.1, seconds=5.0)


def test_the_end_under_429s_all_along_is_told_honestly(make_world: Make) -> None:
    """One in twelve requests is answered with a pause, by chance: most estimates are near, and they lean to no side."""
    near, leaning = [], []
    for seed in range(8):
        told = watched(make_world(SIZE * REQUESTS, Faults(throttled=0.08), seed, most=SIZE))
        ended = told.world.ended_at
        late = [(end - ended, ended - now) for now, end in told.ends if 0.3 * ended <= now < ended]
        near += [abs(off) <= 0.4 * left + 5.0 for off, left in late]
        leaning.append(sum(off for off, _ in late) / sum(left for _, left in late))
    assert sum(near) > 0.8 * len(near)
    assert abs(sum(leaning)) < 0.15 * len(leaning)
