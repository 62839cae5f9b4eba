"""Time and latencies keep their sums in a bounded number of places."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialfeed.reports.timeline import BUCKETS, Latencies, Timeline, elapsed


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200))
def test_a_timeline_counts_everything_in_a_bounded_number_of_buckets(offsets: list[float]) -> None:
    timeline = Timeline()
    for offset in offsets:
        timeline.at(offset).delivered += 1
    assert len(timeline.moments) <= BUCKETS
    assert sum(moment.delivered for moment in timeline.moments) == len(offsets)
    assert max(offsets) < timeline.width * len(timeline.moments)


@settings(deadline=None)
@given(st.lists(st.floats(0, 5000), min_size=1, max_size=50))
def test_the_width_of_a_bucket_does_not_depend_on_the_order_of_what_it_counts(offsets: list[float]) -> None:
    timelines = [Timeline(), Timeline()]
    for timeline, ordered in zip(timelines, (sorted(offsets), sorted(offsets, reverse=True)), strict=True):
        for offset in ordered:
            timeline.at(offset).lost += 1
    assert timelines[0] == timelines[1]


@settings(deadline=None)
@given(st.lists(st.floats(0.001, 9000), min_size=1, max_size=300), st.floats(0.01, 1))
def test_a_quantile_is_over_the_true_one_by_less_than_the_width_of_a_bin(seconds: list[float], share: float) -> None:
    latencies = Latencies()
    for each in seconds:
        latencies.add(each)
    true = sorted(seconds)[math.ceil(share * len(seconds)) - 1]
    found = latencies.quantile(share)
    assert found is not None
    assert true <= found * 1.0001
    assert found <= true * 10 ** (1 / 8) * 1.0001


def test_there_is_no_quantile_of_nothing() -> None:
    assert Latencies().quantile(0.5) is None


@pytest.mark.parametrize(
    ("seconds", "step", "told"),
    [(0.0, 0.1, "0.0 s"), (4.2, 0.2, "4.2 s"), (61, 1, "1:01"), (3600, 60, "1:00:00"), (59, 1, "0:59")],
)
def test_a_span_of_time_is_told_as_exactly_as_it_is_needed(seconds: float, step: float, told: str) -> None:
    assert elapsed(seconds, step) == told
