"""Who opts out while a run delivers does not leave any more, and everybody else leaves once, whatever happens."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from delivery_world import Faults, World, killing
from hypothesis import given, settings
from hypothesis import strategies as st

from dialfeed.delivery.policy import Policy
from dialfeed.delivery.retry import RetryPolicy
from dialfeed.delivery.settle import Patience
from dialfeed.errors import CheckFile

Make = Callable[..., World]

TOTAL = 10_000


def drawn(seed: int, until: float, share: float = 0.05) -> dict[int, float]:
    """Some who opt out at some moment of a delivery that takes so long, or before it."""
    chance = random.Random(f"opt-outs:{seed}")
    return {place: chance.uniform(-until / 4, until) for place in chance.sample(range(TOTAL), int(TOTAL * share))}


@pytest.mark.parametrize(
    "faults",
    [
        Faults(),
        Faults(throttled=0.3),
        Faults(not_sent=0.2),
        Faults(lost_before=0.2, lost_after=0.1),
        Faults(lost_late=0.2, lag=2.0),
        Faults(largest=300, throttled=0.1),
        Faults(poison=frozenset({0, 999, 5000}), names_poison=False),
        Faults(down=(0.3, 40.0)),
    ],
    ids=lambda faults: str({k: v for k, v in vars(faults).items() if v != getattr(Faults(), k)})[:60],
)
@pytest.mark.parametrize("seed", range(3))
def test_who_has_opted_out_does_not_leave_and_all_others_do_once(make_world: Make, faults: Faults, seed: int) -> None:
    calm = make_world(TOTAL, faults, seed + 100, policy=Policy(patience=Patience(lag=60.0)))
    calm.run()
    world = make_world(TOTAL, faults, seed, policy=Policy(patience=Patience(lag=60.0)))
    world.opt_outs = drawn(seed, calm.ended_at)
    world.run()
    world.check()
    found = world.outcomes()
    assert found["suppressed"]
    assert not found["failed"]
    assert set(found["delivered"]) & world.opt_outs.keys(), "some opted out when they had been sent"
    told = sum(facts["contacts"] for event, facts in world.events if event == "contacts.suppressed")
    assert told == len(found["suppressed"])


def test_a_batch_that_waits_for_its_turn_is_held_back_when_somebody_in_it_opts_out(make_world: Make) -> None:
    """A 429 makes the batches wait that are under way: they are looked at again when the pause is over.

    That costs them no attempt.
    """
    world = make_world(TOTAL, Faults(throttled=0.5), 4, policy=Policy(retry=RetryPolicy(max_retries=0)))
    world.opt_outs = dict.fromkeys(range(0, TOTAL, 7), 1.5)
    world.run()
    world.check()
    assert {facts["answer"] for event, facts in world.events if event == "batch.answered"} >= {"HeldBack"}
    assert not world.outcomes()["failed"]


def test_where_all_of_a_batch_have_opted_out_nothing_of_it_is_sent(make_world: Make) -> None:
    world = make_world(TOTAL, Faults())
    world.opt_outs = dict.fromkeys(range(2000, TOTAL), 0.0)
    world.run()
    world.check()
    assert world.outcomes()["suppressed"] == list(range(2000, TOTAL))
    assert world.platform.requests == 3


def test_without_opt_outs_the_batches_are_what_they_were(make_world: Make) -> None:
    asked = []
    for seed, opt_outs in ((1, {}), (1, {5: 1e9})):
        world = make_world(TOTAL, Faults(lost_after=0.1), seed, opt_outs=opt_outs)
        world.run()
        asked.append(world.platform.asked)
        shutil.rmtree(world.folder)
    assert asked[0] == asked[1]


@pytest.mark.parametrize(
    "faults", [Faults(), Faults(throttled=0.5), Faults(lost_after=0.1)], ids=["calm", "throttled", "lost"]
)
def test_a_list_that_cannot_be_read_any_more_stops_the_delivery_with_everybody_accounted_for(
    make_world: Make, faults: Faults
) -> None:
    world = make_world(100_000, faults, 2)
    world.unreadable_at = 1.0
    world.run()
    world.check(settled=False)
    assert world.delivery is not None
    assert isinstance(world.delivery.fatal, CheckFile)
    assert 0 < len(world.platform.stored()) < 100_000
    assert max(when for when, _ in world.platform.asked) < 1.0, "nothing is sent after that"


@pytest.mark.parametrize("power_fails", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_a_process_killed_at_any_write_sends_nobody_who_has_opted_out(
    make_world: Make, seed: int, power_fails: bool
) -> None:
    """The fourth process may live. With the power goes all that is not synced."""
    chance = random.Random(seed)
    faults = Faults(lost_before=0.05, lost_after=0.05, throttled=0.1, lag=1.0, poison=frozenset({4000}))
    world = make_world(TOTAL, faults, seed, power_fails=power_fails, opt_outs=drawn(seed, 4.0))
    world.kill_at = killing(world, [chance.randrange(1, 12) for _ in range(3)])
    world.run()
    world.check()
    assert world.processes == 4


@pytest.mark.parametrize("power_fails", [False, True])
@pytest.mark.parametrize("point", ["before suppressed", "after suppressed"])
def test_a_process_killed_between_a_suppression_and_the_batch_of_the_others_loses_nobody(
    make_world: Make, point: str, power_fails: bool
) -> None:
    world = make_world(TOTAL, Faults(throttled=0.2), power_fails=power_fails, opt_outs=drawn(1, 1.0))
    left = [True, False, True, False, False, True]
    world.kill_at = lambda reached: reached == point and bool(left) and left.pop()
    world.run()
    world.check()
    assert world.processes == 4
    assert not world.outcomes()["failed"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whoever_opts_out_whenever_nobody_is_lost_or_doubled(data: st.DataObject) -> None:
    total = data.draw(st.integers(1, 400))
    places = st.integers(0, total - 1)
    opt_outs = data.draw(st.dictionaries(places, st.floats(-1.0, 6.0), max_size=total))
    shares = [data.draw(st.sampled_from((0.0, 0.0, 0.2))) for _ in range(4)]
    faults = Faults(throttled=shares[0], not_sent=shares[1], lost_before=shares[2], lost_after=shares[3])
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), total, faults, data.draw(st.integers(0, 99)), data.draw(st.integers(1, 60)))
        world.opt_outs = opt_outs
        world.run()
        world.check()
