"""Batch sizes that one count can tell apart."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from dialfeed.delivery.sizes import CLASSES, distinguishable, landed, size_limit

SIZES = st.lists(st.integers(1, 1000), max_size=8)


@given(st.integers(257, 5000), st.integers(0, 1000))
def test_any_cycle_of_batches_is_told_apart_by_one_count(most: int, first: int) -> None:
    assert distinguishable([size_limit(first + number, most) for number in range(CLASSES)])


@given(st.integers(1, 5000), st.integers(0, 100))
def test_a_batch_is_never_larger_than_the_platform_takes(most: int, number: int) -> None:
    assert 1 <= size_limit(number, most) <= most


@given(SIZES)
def test_distinguishable_means_that_no_two_subsets_have_one_sum(sizes: list[int]) -> None:
    sums = [sum(part) for length in range(len(sizes) + 1) for part in combinations(sizes, length)]
    assert distinguishable(sizes) == (len(sums) == len(set(sums)))


@given(SIZES.filter(distinguishable), st.data())
def test_what_landed_is_found_from_its_sum(sizes: list[int], data: st.DataObject) -> None:
    stored = data.draw(st.sets(st.sampled_from(range(len(sizes))))) if sizes else set()
    assert landed(sizes, sum(sizes[i] for i in stored)) == tuple(sorted(stored))


def test_a_count_that_no_subset_or_more_than_one_explains_tells_nothing() -> None:
    assert landed([3, 5], 4) is None
    assert landed([3, 3], 3) is None
    assert landed([3, 5], -1) is None
