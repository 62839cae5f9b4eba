"""The breaker: opens after failures in a row, cools down for longer each time, and lets exactly one probe out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.delivery.breaker import (
    Allowed,
    Breaker,
    BreakerRule,
    Probe,
    WaitUntil,
    is_open,
    may_start,
    on_failure,
    on_success,
)

RULE = BreakerRule(failures=3, cool_down=5.0, growth=2.0, longest=15.0, probe_patience=30.0, recheck=0.25)


def opened(at: float = 100.0) -> Breaker:
    """A breaker that has just opened."""
    state = Breaker(RULE)
    for _ in range(RULE.failures):
        state = on_failure(state, at)
    return state


def probing(at: float = 105.0) -> Breaker:
    """A breaker that has just let its probe out."""
    state, verdict = may_start(opened(), at)
    assert verdict == Probe()
    return state


def test_a_closed_breaker_lets_everybody_pass() -> None:
    state = on_failure(on_failure(Breaker(RULE), 1.0), 2.0)
    assert may_start(state, 3.0) == (state, Allowed())


def test_it_opens_after_failures_in_a_row() -> None:
    assert may_start(opened(), 100.0)[1] == WaitUntil(105.0)


def test_a_success_between_failures_keeps_it_closed() -> None:
    state = on_success(on_failure(on_failure(Breaker(RULE), 1.0), 2.0), 3.0)
    state = on_failure(on_failure(state, 4.0), 5.0)
    assert not is_open(state)


def test_after_the_cool_down_exactly_one_probe_is_let_out() -> None:
    state, first = may_start(opened(), 105.0)
    assert first == Probe()
    for later in (105.0, 105.1, 110.0):
        state, verdict = may_start(state, later)
        assert verdict == WaitUntil(later + 0.25)


def test_it_closes_when_the_probe_succeeds() -> None:
    state = on_success(probing(), 106.0)
    assert may_start(state, 106.0)[1] == Allowed()
    assert state == Breaker(RULE)


def test_it_opens_for_twice_as_long_when_the_probe_fails_up_to_the_longest() -> None:
    state, now, cool_downs = opened(), 100.0, []
    for _ in range(4):
        verdict = may_start(state, now)[1]
        assert isinstance(verdict, WaitUntil)
        cool_downs.append(verdict.at - now)
        now = verdict.at
        state = on_failure(may_start(state, now)[0], now)
    assert cool_downs == [5.0, 10.0, 15.0, 15.0]


def test_a_success_makes_the_next_cool_down_short_again() -> None:
    state = on_success(may_start(on_failure(probing(), 105.0), 115.0)[0], 116.0)
    for _ in range(3):
        state = on_failure(state, 120.0)
    assert may_start(state, 120.0)[1] == WaitUntil(125.0)


@pytest.mark.parametrize("outcome", [on_failure, on_success])
def test_an_answer_to_what_was_sent_before_it_opened_changes_nothing(outcome: object) -> None:
    assert callable(outcome)
    assert outcome(opened(), 102.0) == opened()


def test_a_late_success_after_the_cool_down_closes_it() -> None:
    assert not is_open(on_success(opened(), 105.0))


def test_a_late_failure_after_the_cool_down_does_not_open_it_again() -> None:
    assert on_failure(opened(), 107.0) == opened()


def test_a_probe_that_never_reports_is_given_up() -> None:
    state = probing()
    assert may_start(state, 134.9)[1] == WaitUntil(135.0)
    assert may_start(state, 135.0)[1] == Probe()


def test_ten_thousand_openings_overflow_nothing() -> None:
    assert may_start(Breaker(RULE, openings=10_000, open_until=1.0), 1.0)[1] == Probe()
    assert on_failure(Breaker(RULE, openings=10_000, open_until=1.0, probed_at=1.0), 2.0).open_until == 17.0


@given(st.lists(st.tuples(st.sampled_from("afs"), st.floats(0, 20)), max_size=60))
def test_there_is_never_a_second_probe_nor_an_end_to_hope(history: list[tuple[str, float]]) -> None:
    """Between two probes there is an outcome or the probe's patience, and no wait lasts longer than the bounds."""
    state, now, probed_at = Breaker(RULE), 0.0, None
    for what, gap in history:
        now += gap
        if what == "a":
            state, verdict = may_start(state, now)
            if isinstance(verdict, Probe):
                assert probed_at is None or now - probed_at >= RULE.probe_patience
                probed_at = now
            if isinstance(verdict, WaitUntil):
                assert now < verdict.at <= now + RULE.longest
        else:
            state = (on_failure if what == "f" else on_success)(state, now)
            probed_at = None
