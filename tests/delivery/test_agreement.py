"""A list's count against what was delivered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.delivery.agreement import Counted

numbers = st.integers(0, 1000)


@pytest.mark.parametrize(
    ("counted", "difference"),
    [
        (Counted(10, 15, 5), 0),
        (Counted(10, 14, 5), -1),
        (Counted(10, 17, 5), 2),
        (Counted(10, 17, 5, unknown=2), 0),
        (Counted(10, 18, 5, unknown=2), 1),
        (Counted(10, 25, 5, later=10), 0),
        (Counted(10, 24, 5, later=10), -1),
        (Counted(10, 30, 5, later=10, perhaps=5), 0),
        (Counted(10, 31, 5, later=10, perhaps=5), 1),
        (Counted(None, 15, 5), None),
        (Counted(10, None, 5), None),
    ],
)
def test_what_cannot_be_explained_is_the_difference(counted: Counted, difference: int | None) -> None:
    assert counted.difference == difference


@given(st.builds(Counted, numbers, numbers, numbers, numbers, numbers, numbers))
def test_a_count_agrees_exactly_where_everything_that_may_be_there_explains_it(counted: Counted) -> None:
    assert counted.before is not None
    assert counted.after is not None
    least = counted.before + counted.delivered + counted.later
    assert (counted.difference == 0) == (least <= counted.after <= least + counted.unknown + counted.perhaps)
