"""The pace: no window ever holds too many starts, pauses hold, and 429s slow it down and let it climb back."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from heapq import heappop, heappush
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dialfeed.delivery import pace as pace_module
from dialfeed.delivery.pace import (
    Limit,
    Pace,
    clock_went_back,
    earliest,
    finish_estimate,
    from_bytes,
    left_late,
    pause,
    penalise,
    reserve,
    share_at,
    shut,
    slow_down,
    to_bytes,
)

FIFTY = Limit.per_second(50)
ROUNDING = 1e-9

limits = st.one_of(
    st.builds(Limit, st.integers(1, 60), margin=st.sampled_from([0.0, 0.02, 0.1])),
    st.floats(0.05, 60).map(Limit.per_second),
)
spells = st.tuples(st.one_of(st.just(0.0), st.floats(0, 0.05), st.floats(0, 3)), st.integers(1, 70))
gaps = st.lists(spells, max_size=4).map(lambda spells: [gap for gap, times in spells for _ in range(times)])


def rate_at(pace: Pace, now: float) -> float:
    """Requests a second in use, without the margin."""
    return pace.limit.rate * share_at(pace, now)


def starts_after(limit: Limit, gaps: list[float], *, penalties: frozenset[int] = frozenset()) -> list[float]:
    """The starts of requests that ask one after another, each so long after the last; some come back as 429."""
    pace, now, starts = Pace(limit), 1000.0, []
    for number, gap in enumerate(gaps):
        now += gap
        if number in penalties:
            pace = slow_down(pace, now)
        pace, start = reserve(pace, now)
        assert start >= now
        starts.append(start)
    return starts


def most_within(starts: list[float], seconds: float) -> int:
    """The most starts in any half-open window of so many seconds (one always begins at a start)."""
    edge = seconds - ROUNDING
    return max((sum(first <= start < first + edge for start in starts) for first in starts), default=0)


def steps(starts: list[float]) -> list[float]:
    """The gaps between starts."""
    return [later - earlier for earlier, later in pairwise(starts)]


@given(limits, gaps, st.frozensets(st.integers(0, 149), max_size=5))
@example(Limit(50, margin=0.0), [0.0] * 60 + [5.0] + [0.0] * 60, frozenset())
@example(Limit(50, margin=0.0), [0.0] * 30 + [0.65] + [0.0] * 90, frozenset())
def test_no_window_ever_holds_more_starts_than_the_limit(
    limit: Limit, gaps: list[float], penalties: frozenset[int]
) -> None:
    starts = starts_after(limit, gaps, penalties=penalties)
    assert starts == sorted(starts)
    assert most_within(starts, limit.period) <= limit.count


def departures_after(limit: Limit, gaps: list[float], held_up: list[float]) -> list[float]:
    """When requests leave that are held up for so long after they were let go, as `Gate.leave` has it."""
    pace, now = Pace(limit), 1000.0
    under_way: list[tuple[float, float]] = []
    left: list[float] = []
    for number, gap in enumerate(gaps):
        now += gap
        pace = leave(pace, under_way, left, now)
        while earliest(pace, now) > now:
            now = earliest(pace, now)
            pace = leave(pace, under_way, left, now)
        pace, start = reserve(pace, now)
        heappush(under_way, (start + held_up[number % len(held_up)], start))
    leave(pace, under_way, left, math.inf)
    return left


def leave(pace: Pace, under_way: list[tuple[float, float]], left: list[float], now: float) -> Pace:
    """Let those leave whose time has come."""
    while under_way and under_way[0][0] <= now:
        moment, start = heappop(under_way)
        pace = left_late(pace, start, moment)
        left.append(moment)
    return pace


@given(limits, gaps, st.lists(st.floats(0, 0.9), min_size=1, max_size=7))
@example(FIFTY, [0.0] * 120, [0.0] * 6 + [0.3])
@example(FIFTY, [0.0] * 150, [0.9, 0.0, 0.4])
def test_no_window_ever_holds_more_departures_than_the_limit(
    limit: Limit, gaps: list[float], held_up: list[float]
) -> None:
    """Whatever holds requests up between being let go and leaving, for less than a period."""
    departures = departures_after(limit, gaps, [late * limit.period for late in held_up])
    assert most_within(departures, limit.period) <= limit.count


@given(limits, gaps)
@example(Limit.per_second(19.9), [0.0] * 5 + [5 * 1.02 / 19.9 + 0.09] + [0.0] * 60)
def test_no_second_holds_more_starts_than_the_rate_rounded_up(limit: Limit, gaps: list[float]) -> None:
    assert most_within(starts_after(limit, gaps), 1.0) <= math.ceil(limit.rate - ROUNDING)


@pytest.mark.parametrize("rate", [50, 10, 1, 0.5, 2.5, 7])
def test_takers_that_are_always_ready_get_nearly_the_whole_rate_evenly(rate: float) -> None:
    starts = starts_after(Limit.per_second(rate), [0.0] * 200)
    in_use = (len(starts) - 1) / (starts[-1] - starts[0])
    assert rate * 0.97 < in_use <= rate * 1.01
    assert steps(starts) == pytest.approx([1.02 / rate] * 199)


@pytest.mark.parametrize(
    ("rate", "count", "period"),
    [
        (50, 50, 1),
        (1, 1, 1),
        (0.5, 1, 2),
        (30 / 60, 1, 2),
        (2.5, 5, 2),
        (100 / 60, 5, 3),
        (0.7, 7, 10),
        (0.01, 1, 100),
        (0.0165, 1, 1 / 0.0165),  # less than one in a minute
        (0.03, 1, 34),
        (19.5, 39, 2),
        (20.5, 20, 1),
        (49.9, 49, 1),
        (1000.0, 1000, 1),
    ],
)
def test_a_rate_means_the_shortest_window_of_whole_seconds_with_a_whole_count(
    rate: float, count: int, period: float
) -> None:
    limit = Limit.per_second(rate)
    assert (limit.count, limit.period) == (count, period)


@given(st.floats(0.001, 5000))
def test_a_rate_is_never_rounded_up_and_loses_at_most_five_in_a_hundred(rate: float) -> None:
    assert rate * 0.95 <= Limit.per_second(rate).rate <= rate * (1 + 1e-8)


@pytest.mark.parametrize("rate", [0, -1, math.nan, math.inf])
def test_a_rate_that_is_no_positive_number_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        Limit.per_second(rate)


def test_a_limit_is_for_a_second_unless_told_otherwise() -> None:
    assert Limit(50) == FIFTY


@pytest.mark.parametrize(("rate", "share"), [(50, 0.5), (1, 0.5), (0.5, 1.0), (2.5, 1.0)])
def test_only_within_a_second_is_a_late_start_caught_up(rate: float, share: float) -> None:
    limit = Limit.per_second(rate)
    assert limit.shortest_gap == pytest.approx(share * limit.gap)


@pytest.mark.parametrize(
    "broken",
    [
        {"count": 0},
        {"count": 1, "period": 0.0},
        {"count": 1, "period": math.inf},
        {"count": 1, "margin": -0.1},
        {"count": 1, "margin": math.inf},
    ],
)
def test_a_limit_without_meaning_is_refused(broken: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="no such limit"):
        Limit(**broken)  # type: ignore[arg-type]  # the table mixes the fields' types


def test_an_idle_spell_earns_no_burst() -> None:
    assert min(steps(starts_after(FIFTY, [0.0, 60.0, *[0.0] * 60]))) == pytest.approx(FIFTY.gap)


def test_a_stall_is_caught_up_with_gaps_no_shorter_than_half() -> None:
    starts = starts_after(FIFTY, [0.0] * 20 + [20 * FIFTY.gap + 0.08] + [0.0] * 20)
    assert min(steps(starts)) == pytest.approx(FIFTY.gap / 2)
    assert starts[-1] == pytest.approx(40 * FIFTY.gap + 1000.0)


def test_a_schedule_that_fell_a_little_behind_is_caught_up() -> None:
    """Wake-ups that come 2 ms late cost no throughput: a rule of gaps alone would lose a tenth."""
    pace, now, starts = Pace(FIFTY), 0.0, []
    for _ in range(100):
        now = earliest(pace, now) + 0.002
        pace, start = reserve(pace, now)
        starts.append(start)
    assert (len(starts) - 1) / (starts[-1] - starts[0]) > 48.5


@given(limits, gaps, st.floats(0.001, 100), st.integers(0, 149))
def test_nobody_starts_within_a_pause(limit: Limit, gaps: list[float], length: float, after: int) -> None:
    pace, now = Pace(limit), 0.0
    for gap in gaps[:after]:
        now += gap
        pace, _ = reserve(pace, now)
    pace = pause(pace, now + length)
    for gap in gaps[after:]:
        pace, start = reserve(pace, now)
        assert start >= now + length
        now = start + gap
        length = -math.inf


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    pace = pause(pause(Pace(FIFTY), 30.0), 5.0)
    assert earliest(pace, 1.0) == 30.0


def test_a_429_takes_away_three_tenths_of_the_rate_which_come_back_in_a_quarter_minute() -> None:
    pace = slow_down(Pace(FIFTY), 100.0)
    assert rate_at(pace, 100.0) == pytest.approx(35)
    assert rate_at(pace, 101.0) == pytest.approx(36)
    assert rate_at(pace, 114.9) < 50
    assert rate_at(pace, 115.1) == 50


def test_429s_that_come_back_together_count_once() -> None:
    pace = Pace(FIFTY)
    for late in (0.0, 0.1, 0.5, 0.9):
        pace = slow_down(pace, 100.0 + late)
    assert rate_at(pace, 100.9) == pytest.approx(35, rel=0.03)
    assert rate_at(slow_down(pace, 101.1), 101.1) < 26


def test_429s_of_requests_that_were_under_way_when_a_pause_began_count_nothing() -> None:
    pace = penalise(Pace(FIFTY), 100.0, 10.0)
    pace = penalise(pace, 105.0, 5.0)
    assert share_at(pace, 110.0) == pytest.approx(0.7)
    assert rate_at(penalise(pace, 110.2, 1.0), 110.2) < 26


def test_the_rate_does_not_climb_during_a_pause() -> None:
    pace = penalise(Pace(FIFTY), 100.0, 30.0)
    assert rate_at(pace, 130.0) == pytest.approx(35)
    assert rate_at(pace, 131.0) == pytest.approx(36)


def throttled_after(pace: Pace, now: float, starts: int) -> tuple[Pace, float]:
    """So many starts, one 20 ms after the other, then a 429 that asks for a second."""
    for _ in range(starts):
        pace, now = reserve(pace, now)
    return penalise(pace, now, 1.0), now + 1.0 + FIFTY.window


@pytest.mark.parametrize(
    ("starts", "slowed"),
    [
        ([30], [True]),
        ([30, 30, 30], [True, True, True]),
        ([30, 27], [True, True]),  # the same limit, a few answers earlier
        ([30, 20], [True, False]),  # 30 were taken: 20 cannot be what the platform minds
        ([30, 20, 31], [True, False, True]),
        ([40, *[3] * 9], [True, *[False] * 8, True]),  # what was taken long ago is forgotten
    ],
)
def test_a_429_slows_only_where_no_more_was_taken_before_one_of_the_last(starts: list[int], slowed: list[bool]) -> None:
    pace, now, told = Pace(FIFTY), 100.0, []
    for count in starts:
        before = replace(pace, share=1.0, climbs_from=now)
        pace, now = throttled_after(before, now, count)
        told.append(share_at(pace, pace.paused_until) < 1.0)
    assert told == slowed


def test_a_429_that_does_not_slow_is_waited_for_all_the_same() -> None:
    pace, now = throttled_after(Pace(FIFTY), 100.0, 30)
    pace, _ = throttled_after(pace, now, 5)
    assert pace.pressures == (30, 5)
    assert earliest(pace, now) == pytest.approx(now + 4 * FIFTY.gap / share_at(pace, now) + 1.0, abs=0.05)


def goodput(limit: int | None, chance: float, seconds: float) -> float:
    """Requests a second that a platform takes, which allows so many or refuses at random; each 429 asks for 1 s."""
    pace, now, dice = Pace(FIFTY), 0.0, random.Random(7)
    taken: list[float] = []
    while now < seconds:
        pace, now = reserve(pace, now)
        full = limit is not None and len([start for start in taken[-limit:] if start > now - 1.0]) >= limit
        if full or dice.random() < chance:
            pace = penalise(pace, now, 1.0)
        else:
            taken.append(now)
    return len(taken) / seconds


@pytest.mark.parametrize(
    ("limit", "chance", "at_least"), [(30, 0.0, 22), (10, 0.0, 6.5), (45, 0.0, 34), (None, 0.05, 6.5), (None, 0.01, 18)]
)
def test_most_of_what_a_platform_takes_is_used(limit: int | None, chance: float, at_least: float) -> None:
    assert goodput(limit, chance, 300.0) > at_least


@pytest.mark.parametrize(("rate", "lowest"), [(50, 1.0), (2.0, 1.0), (1.0, 1.0), (0.5, 0.5)])
def test_the_rate_never_falls_below_one_a_second_or_the_profiles_own(rate: float, lowest: float) -> None:
    pace, now = Pace(Limit.per_second(rate)), 0.0
    for _ in range(50):
        now += 10.0
        pace = penalise(pace, now, 10.0)
    assert rate_at(pace, now) == pytest.approx(lowest)


def test_a_slowed_pace_starts_at_the_slowed_rate() -> None:
    pace = slow_down(Pace(FIFTY), 0.0)
    starts = []
    for _ in range(20):
        pace, start = reserve(pace, 0.0)
        starts.append(start)
    assert (starts[-1] - starts[5]) / 14 == pytest.approx(1.02 / 35, rel=0.02)


@given(limits, st.integers(1, 400), st.floats(0, 20), st.integers(0, 6))
def test_the_finish_estimate_is_when_the_last_request_starts(
    limit: Limit, left: int, paused: float, slowed: int
) -> None:
    pace, now = Pace(limit), 50.0
    for _ in range(slowed):
        now += 1.1
        pace = slow_down(pace, now)
    pace, _ = reserve(pause(pace, now + paused), now)
    estimate = finish_estimate(pace, now, left)
    start = now
    for _ in range(left):
        pace, start = reserve(pace, now)
    assert start - now == pytest.approx(estimate, rel=0.05, abs=2 * limit.gap / limit.lowest * 0.2 + 3 * limit.gap)


def test_nothing_left_takes_no_time() -> None:
    assert finish_estimate(pause(Pace(FIFTY), 100.0), 0.0, 0) == 0.0


@given(limits, gaps, st.floats(0, 100), st.booleans())
def test_a_state_comes_back_from_its_stored_form_as_it_was(
    limit: Limit, gaps: list[float], length: float, slow: bool
) -> None:
    pace, now = Pace(limit), 0.0
    for gap in gaps:
        now += gap
        pace, _ = reserve(pace, now)
    pace = penalise(pace, now, length) if slow else pace
    assert from_bytes(limit, to_bytes(pace)) == pace
    assert from_bytes(limit, to_bytes(pace) + b"what stood there before") == pace


@given(st.data())
def test_any_damage_to_the_stored_form_is_noticed(data: st.DataObject) -> None:
    pace = penalise(reserve(Pace(FIFTY), 1.0)[0], 2.0, 3.0)
    stored = bytearray(to_bytes(pace))
    place = data.draw(st.integers(0, len(stored) - 1))
    if data.draw(st.booleans()):
        stored[place] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del stored[place:]
    with pytest.raises(ValueError, match="stored pace"):
        from_bytes(FIFTY, bytes(stored))


def test_a_shut_pace_lets_nobody_start_before_everything_unknown_has_left_the_window() -> None:
    assert earliest(shut(FIFTY, 10.0), 10.0) == 10.0 + FIFTY.window


@given(limits, gaps, st.floats(0, 1e9), st.booleans())
def test_a_clock_set_back_holds_starts_for_a_window_at_most_and_opens_nothing(
    limit: Limit, gaps: list[float], back: float, slow: bool
) -> None:
    pace, now = Pace(limit), 2e9
    for gap in gaps:
        now = max(now + gap, earliest(pace, now))
        pace, _ = reserve(pace, now)
    pace = slow_down(pace, now) if slow else pace
    recent = [start for start in pace.starts if start > now - limit.period]
    now -= back
    repaired = clock_went_back(pace, now, 300.0)
    assert earliest(repaired, now) - now <= limit.window / limit.lowest + ROUNDING * 1e3
    assert len([start for start in repaired.starts if start > now - limit.period]) >= (len(recent) if back > 0 else 0)
    assert clock_went_back(repaired, now, 300.0) is repaired


def test_a_clock_set_back_leaves_a_pause_no_longer_than_the_longest() -> None:
    pace = clock_went_back(pause(Pace(FIFTY), 1e9), 5.0, 300.0)
    assert earliest(pace, 5.0) == 305.0
    assert share_at(replace(pace, share=0.5), 305.0) == 0.5


def test_the_figures_are_the_documented_ones() -> None:
    assert (pace_module.MARGIN, pace_module.SLOWER, pace_module.CLIMB) == (0.02, 0.7, 0.02)
    assert (pace_module.REMEMBERED, pace_module.ALIKE) == (8, 0.85)


@given(limits)
def test_no_more_starts_are_kept_than_a_window_holds(limit: Limit) -> None:
    """The state is written anew at every start: it must not grow with the run."""
    pace, now = Pace(limit), 1000.0
    for _ in range(3 * limit.count):
        pace, now = reserve(pace, now)
    assert len(pace.starts) <= limit.count + 1


def test_a_share_that_another_profile_has_left_is_no_less_than_one_a_second() -> None:
    assert rate_at(Pace(Limit.per_second(2), share=0.02, climbs_from=1000.0), 1000.0) == 1.0
