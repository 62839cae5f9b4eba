"""What a count says about open batches, also about hundreds of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.delivery.sizes import landed

sizes_of_batches = st.lists(st.integers(1, 60), max_size=9)


def by_trying_all(sizes: Sequence[int], stored: int) -> tuple[int, ...] | None:
    subsets = (subset for length in range(len(sizes) + 1) for subset in combinations(range(len(sizes)), length))
    found = [subset for subset in subsets if sum(sizes[index] for index in subset) == stored]
    return found[0] if len(found) == 1 else None


@given(sizes_of_batches, st.integers(-3, 600))
def test_it_is_the_only_subset_that_adds_up(sizes: list[int], stored: int) -> None:
    assert landed(sizes, stored) == by_trying_all(sizes, stored)


@given(sizes_of_batches, st.data())
def test_a_subset_with_a_sum_of_its_own_is_found(sizes: list[int], data: st.DataObject) -> None:
    subset = data.draw(st.sets(st.sampled_from(range(len(sizes))))) if sizes else set()
    found = landed(sizes, sum(sizes[index] for index in subset))
    assert found is None or set(found) == subset


@pytest.mark.parametrize("stored", [0, 400_000, 399_000, 1000, 200_000, 17, 399_999])
def test_hundreds_of_open_batches_are_judged_at_once(stored: int) -> None:
    """The subsets of 400 batches cannot be tried one by one; the run would hang in its own arithmetic."""
    found = landed([1000] * 400, stored)
    assert found == {0: (), 400_000: tuple(range(400))}.get(stored)
