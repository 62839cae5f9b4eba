"""Delivery under simulated faults: each contact once, whatever happens; hours of platform time in seconds."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Callable

import pytest
from delivery_world import Faults, World, killing

from dialfeed.delivery.answers import Answer, Throttled, Unknown
from dialfeed.delivery.policy import Policy
from dialfeed.delivery.ports import Contacts, Leaving, unwatched
from dialfeed.delivery.settle import Patience
from dialfeed.delivery.sizes import CLASSES, size_limit
from dialfeed.errors import FixAccess, ResumeRun

Make = Callable[..., World]


@pytest.mark.parametrize(
    "faults",
    [
        Faults(),
        Faults(throttled=0.2),
        Faults(not_sent=0.2),
        Faults(lost_before=0.2),
        Faults(lost_after=0.2),
        Faults(lost_late=0.2),
        Faults(lost_before=0.5),
        Faults(lost_before=0.1, lost_after=0.1, lag=4.0),
        Faults(lost_before=0.1, lost_after=0.1, lag=1.0, lag_jitter=0.5),
        Faults(throttled=0.1, not_sent=0.1, lost_before=0.1, lost_after=0.1, lost_late=0.1, lag=2.0),
        Faults(largest=300),
        Faults(poison=frozenset({0, 999, 1000, 5000, 9999})),
        Faults(poison=frozenset({17, 8123}), names_poison=False),
        Faults(poison=frozenset({17, 8123}), lost_before=0.1, lost_after=0.1),
        Faults(down=(0.3, 40.0)),
    ],
    ids=lambda faults: str({k: v for k, v in vars(faults).items() if v != getattr(Faults(), k)})[:60],
)
@pytest.mark.parametrize("seed", range(4))
def test_every_contact_is_delivered_once(make_world: Make, faults: Faults, seed: int) -> None:
    world = make_world(10_000, faults, seed, policy=Policy(patience=Patience(lag=60.0)))
    world.run()
    world.check()
    assert sorted(world.outcomes()["refused"]) == sorted(faults.poison)


@pytest.mark.parametrize("seed", range(3))
def test_a_batch_that_is_stored_long_after_its_answer_was_lost_is_waited_for(make_world: Make, seed: int) -> None:
    """A count that follows at once proves nothing before the grace is over."""
    patience = Patience(grace=8.0, quiet=0.2)
    world = make_world(10_000, Faults(lost_late=0.2, late=7.5), seed, policy=Policy(patience=patience))
    world.run()
    world.check()


def test_a_lost_batch_may_be_stored_as_late_as_the_slowest_was(
    make_world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A platform took ten seconds for one batch; the connection of another is cut at once, and it takes as long."""
    world = make_world(10_000, Faults(), policy=Policy(in_flight=1, open_lost=1, patience=Patience(grace=3.0)))
    send, numbers = world.platform.send, itertools.count(1)

    async def now_and_then_slow(contacts: Contacts, leaving: Leaving) -> Answer:
        number = next(numbers)
        leaving()
        await world.clock.sleep(10.0 if number == 2 else 0.0)
        if number != 4:
            return await send(contacts, unwatched)
        places = tuple(int(identity[0] or 0) for identity in contacts.identities())
        world.platform.writes.append((world.clock.now() + 9.0, places))
        return Unknown("the connection was cut")

    monkeypatch.setattr(world.platform, "send", now_and_then_slow)
    world.run()
    world.check()


def test_the_wait_for_a_turn_is_not_the_platforms_slowness(make_world: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute's pause before a batch leaves does not make every lost answer wait for a minute."""
    world = make_world(10_000, Faults(), policy=Policy(in_flight=1, open_lost=1))
    send, numbers = world.platform.send, itertools.count(1)

    async def held_up(contacts: Contacts, leaving: Leaving) -> Answer:
        number = next(numbers)
        await world.clock.sleep(60.0 if number == 2 else 0.0)
        if number != 4:
            return await send(contacts, leaving)
        leaving()
        return Unknown("HTTP 503", 503)

    monkeypatch.setattr(world.platform, "send", held_up)
    world.run()
    world.check()
    assert world.ended_at < 60.0 + 30.0


@pytest.mark.parametrize("seed", range(2))
def test_one_lost_answer_does_not_stop_those_behind_it(make_world: Make, seed: int) -> None:
    """Batches that a count could not tell from a lost one wait, and others go on: three are settled at a time."""
    world = make_world(300 * 300, Faults(lost_before=0.02, lost_after=0.02, lag=1.0), seed, most=300)
    world.run()
    world.check()
    lost = sum(event == "batch.unknown" for event, _ in world.events)
    settlings = sum(event == "settling.started" for event, _ in world.events)
    assert lost >= 6
    assert settlings <= 0.75 * lost


def test_a_batch_refused_without_names_is_isolated_within_a_bound(make_world: Make) -> None:
    """One bad contact among 1,000 costs about two requests for each halving."""
    world = make_world(1000, Faults(poison=frozenset({321}), names_poison=False))
    world.run()
    world.check()
    assert world.platform.requests <= 21


def test_bad_contacts_that_are_not_named_cost_no_good_one_its_place(make_world: Make) -> None:
    """One in a hundred is bad, and the platform says of none which."""
    bad = frozenset(range(7, 2000, 100))
    world = make_world(2000, Faults(poison=bad, names_poison=False))
    world.run()
    world.check()
    assert set(world.outcomes()["refused"]) == bad


def test_too_many_bad_contacts_end_isolation_instead_of_the_day(make_world: Make) -> None:
    world = make_world(1000, Faults(poison=frozenset(range(0, 1000, 3)), names_poison=False))
    world.run()
    world.check()
    assert world.platform.requests <= 2 * world.policy.isolation
    assert set(world.outcomes()["refused"]) >= set(range(0, 1000, 3))


def test_a_platform_that_refuses_everything_is_not_asked_about_every_contact(make_world: Make) -> None:
    """It is the form of the request that it does not take; no half of a batch is any better."""
    world = make_world(100_000, Faults(poison=frozenset(range(100_000)), names_poison=False))
    world.run()
    world.check()
    assert world.delivery is not None
    assert isinstance(world.delivery.fatal, FixAccess)
    assert world.platform.requests < 1000


def test_after_the_deadline_no_batch_begins_and_those_under_way_are_waited_for(make_world: Make) -> None:
    world = make_world(100_000, Faults(latency=1.0), policy=Policy(deadline=5.0))
    world.run()
    world.check()
    assert world.delivery is not None
    assert isinstance(world.delivery.fatal, ResumeRun)
    assert 0 < len(world.platform.stored()) < 100_000
    assert 5.0 <= world.ended_at < 8.0


def test_throttling_costs_no_attempt(make_world: Make) -> None:
    """Nine in ten requests are answered with 429, far more often than a batch may be retried; some fail as well."""
    world = make_world(20_000, Faults(throttled=0.9, not_sent=0.02))
    world.run()
    world.check()
    assert not world.outcomes()["failed"]


def test_without_a_count_nothing_is_guessed(make_world: Make) -> None:
    world = make_world(20_000, Faults(lost_before=0.1, lost_after=0.1, tells_count=False))
    world.run()
    world.check(settled=False)
    lost = sum(1 for event, _ in world.events if event == "batch.unknown")
    assert lost
    assert world.outcomes()["unknown"]


def test_another_writer_makes_lost_answers_unknown_and_nothing_double(make_world: Make) -> None:
    foreign = [(0.05 * step, 7) for step in range(1, 4000)]
    world = make_world(10_000, Faults(lost_before=0.1, lost_after=0.1, foreign=foreign))
    world.run()
    world.check(settled=False)


def test_a_short_answer_leaves_only_the_unaccounted_unknown_until_the_count_settles_them(make_world: Make) -> None:
    world = make_world(10_000, Faults(short=0.3))
    world.run()
    world.check()


@pytest.mark.parametrize("seed", range(3))
def test_contacts_that_are_stored_without_a_name_stay_unknown_and_mislead_no_settling(
    make_world: Make, seed: int
) -> None:
    """The platform says how many of a batch it stored, and not who: no count will ever tell, and none is asked."""
    world = make_world(10_000, Faults(unnamed=0.1, lost_before=0.1, lost_after=0.1), seed)
    world.run()
    world.check(settled=False)
    settled = Counter(facts["contacts"] for event, facts in world.events if event == "batch.settled")
    lost = Counter(facts["contacts"] for event, facts in world.events if event == "batch.unknown")
    assert settled <= lost, "no count is asked about them"
    assert world.outcomes()["unknown"]


def test_a_platform_that_stays_down_ends_the_run_with_everything_accounted_for(make_world: Make) -> None:
    world = make_world(50_000, Faults(down=(0.2, 1e9)))
    world.run()
    world.check(settled=False)
    assert world.delivery is not None
    assert isinstance(world.delivery.fatal, ResumeRun), "no batch is begun that would fail like all before it"
    assert 600 < world.ended_at < 800, "a probe every two minutes at most, for ten minutes"
    assert 0 < len(world.platform.stored()) < 50_000


def test_a_platform_that_is_back_after_eight_minutes_takes_everything(make_world: Make) -> None:
    world = make_world(50_000, Faults(down=(0.2, 480.0)))
    world.run()
    world.check()
    assert len(world.platform.stored()) == 50_000


def test_probes_that_a_count_shows_to_have_arrived_are_no_silence_and_the_last_one_is_settled(make_world: Make) -> None:
    """Most probes fail here, or seem to: one whose answer was lost had been stored."""
    world = make_world(142, Faults(not_sent=0.2, lost_before=0.2, lost_after=0.2), 0, most=1)
    world.run()
    world.check()


@pytest.mark.parametrize("power_fails", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_a_process_killed_at_any_write_loses_and_doubles_nothing(
    make_world: Make, seed: int, power_fails: bool
) -> None:
    """Each is killed some writes after it began; the fourth may live. With the power goes all that is not synced."""
    chance = random.Random(seed)
    faults = Faults(lost_before=0.05, lost_after=0.05, throttled=0.05, lag=1.0, poison=frozenset({4000}))
    world = make_world(8000, faults, seed, power_fails=power_fails)
    world.kill_at = killing(world, [chance.randrange(1, 12) for _ in range(3)])
    world.run()
    world.check()
    assert world.processes == 4


def shut(world: World, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """From its `at`-th request on the platform asks for a pause of five minutes."""
    send = world.platform.send

    async def closed(contacts: Contacts, leaving: Leaving) -> Answer:
        if world.platform.requests < at:
            return await send(contacts, leaving)
        leaving()
        return Throttled(300.0)

    monkeypatch.setattr(world.platform, "send", closed)


def test_what_waits_for_the_end_of_a_pause_is_taken_back_when_the_run_is_stopped(
    make_world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has not left, so nothing of it is unknown, and nobody waits for it."""
    world = make_world(100_000, Faults(), policy=Policy(stop_within=30.0))
    world.stops_at = 20.0
    shut(world, monkeypatch, 20)
    world.run()
    world.check()
    assert world.outcomes()["unknown"] == []
    assert world.outcomes()["failed"]
    assert world.ended_at < 21.0


def test_nothing_that_waits_for_the_end_of_a_pause_is_sent_after_the_deadline(
    make_world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(100_000, Faults(), policy=Policy(deadline=20.0))
    shut(world, monkeypatch, 20)
    world.run()
    world.check()
    assert world.outcomes()["unknown"] == []
    assert 20.0 <= world.ended_at < 21.0


@pytest.mark.parametrize("seconds", [7.0, 30.0, 300.0])
def test_a_server_error_that_asks_for_a_pause_is_heeded_by_all(
    make_world: Make, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """As after a 429: whoever else asked meanwhile would be told the same."""
    world = make_world(40_000, Faults())
    send = world.platform.send
    left: list[float] = []

    async def busy(contacts: Contacts, leaving: Leaving) -> Answer:
        if len(left) == 10:
            leaving()
            left.append(world.clock.now())
            return Unknown("HTTP 503", 503, seconds)
        left.append(world.clock.now())
        return await send(contacts, leaving)

    monkeypatch.setattr(world.platform, "send", busy)
    world.run()
    world.check()
    asked = left[10]
    assert [each for each in left if asked + 1.0 < each < asked + seconds] == []
    assert max(left) >= asked + seconds
    told = [each for name, each in world.events if name == "delivery.paused"]
    assert [(each["cause"], each["seconds"]) for each in told] == [("throttled", seconds)]


def test_an_answer_that_takes_an_hour_is_not_waited_for_when_the_time_of_the_run_is_over(
    make_world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a job of the platform's own may take (202); what became of the batch is for the next process to settle."""
    world = make_world(100_000, Faults(), policy=Policy(deadline=20.0, stop_within=30.0))
    send = world.platform.send

    async def slow(contacts: Contacts, leaving: Leaving) -> Answer:
        if world.platform.requests == 20:
            leaving()
            world.platform.requests += 1
            await world.clock.sleep(3600.0)
        return await send(contacts, leaving)

    monkeypatch.setattr(world.platform, "send", slow)
    world.run()
    world.check(settled=False)
    assert world.outcomes()["unknown"]
    assert 50.0 <= world.ended_at < 51.0


def lose(world: World, monkeypatch: pytest.MonkeyPatch, *numbers: int, slow: float = 0.0) -> None:
    """The answers to these requests are lost, and nothing of them is stored; the others take `slow` seconds more."""
    send = world.platform.send
    sent = itertools.count(1)

    async def losing(contacts: Contacts, leaving: Leaving) -> Answer:
        number = next(sent)
        if number in numbers:
            leaving()
            return Unknown("HTTP 504", 504)
        await asyncio.sleep(slow)
        return await send(contacts, leaving)

    monkeypatch.setattr(world.platform, "send", losing)


@pytest.mark.parametrize("deadline", [7.003, 9.003, 15.003])
def test_no_batch_leaves_after_the_deadline_not_even_one_that_is_to_prove_something(
    make_world: Make, monkeypatch: pytest.MonkeyPatch, deadline: float
) -> None:
    """The count lags, so that the lost batches are still being settled when the time is over."""
    policy = Policy(deadline=deadline, in_flight=2, patience=Patience(lag=60.0))
    world = make_world(100_000, Faults(lag=20.0), policy=policy)
    lose(world, monkeypatch, 4, 5, 6, slow=0.5)
    world.run()
    world.check(settled=False)
    assert any(event == "settling.started" for event, _ in world.events)
    assert max(when for when, _ in world.platform.asked) < deadline
    assert world.ended_at < deadline + 2.0, "nor is it settled any longer"


@pytest.mark.parametrize("ends", ["stop", "deadline"])
def test_a_count_that_does_not_come_does_not_hold_up_the_end(
    make_world: Make, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    """A platform may take minutes to say nothing; who stops a run does not wait for that."""
    world = make_world(10_000, Faults(), policy=Policy(in_flight=2, deadline=12.003 if ends == "deadline" else None))
    world.stops_at = 12.0 if ends == "stop" else None
    lose(world, monkeypatch, 4, 5, 6)
    count = world.platform.count

    async def stalled() -> int | None:
        await asyncio.sleep(300.0 if world.platform.counts else 0.0)
        return await count()

    monkeypatch.setattr(world.platform, "count", stalled)
    world.run()
    world.check(settled=False)
    assert world.outcomes()["unknown"]
    assert world.ended_at < 13.0


@pytest.mark.parametrize("seed", range(12))
def test_where_a_part_of_a_batch_may_be_stored_none_is_taken_for_another(make_world: Make, seed: int) -> None:
    """1,000 contacts of which one is refused are as many as the batch of 999: the count cannot tell these apart."""
    poison = frozenset(random.Random(seed).sample(range(20_000), 20))
    faults = Faults(lost_before=0.08, lost_after=0.08, poison=poison, in_part=True)
    world = make_world(20_000, faults, seed + 31)
    world.run()
    world.check(settled=False)


def test_a_batch_that_was_to_prove_something_and_shrank_to_the_size_of_a_lost_one_leaves_nothing_unknown(
    make_world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The smallest batch of a cycle is lost, and of the 1,000 after it as many are refused as it is smaller."""
    after = sum(size_limit(number, 1000) for number in range(CLASSES))
    poison = frozenset(range(after, after + 1000 - size_limit(CLASSES - 1, 1000)))
    policy = Policy(in_flight=1, open_lost=1, patience=Patience(grace=0.0))
    world = make_world(20_000, Faults(poison=poison, in_part=True), policy=policy)
    lose(world, monkeypatch, CLASSES)
    world.run()
    world.check()
    assert set(world.outcomes()["refused"]) == poison


def test_a_count_that_shows_somebody_else_is_not_waited_for(make_world: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(10_000, Faults(foreign=[(0.2, 50_000)]), policy=Policy(in_flight=1))
    lose(world, monkeypatch, 4, 5, 6)
    world.run()
    world.check(settled=False)
    assert len(world.outcomes()["unknown"]) == sum(size_limit(number, 1000) for number in (3, 4, 5))
    assert world.ended_at < 10.0
