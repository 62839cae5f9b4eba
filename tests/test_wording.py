"""Numbers with their nouns."""

from __future__ import annotations

import pytest

from dialfeed.wording import counted


def test_a_plural_of_its_own_is_named() -> None:
    assert [counted(number, "batch", "batches") for number in (1, 2)] == ["1 batch", "2 batches"]


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1000, "1,000 rows"), (-1, "-1 rows")]
)
def test_a_noun_stands_in_the_number_that_goes_with_it(number: int, told: str) -> None:
    assert counted(number, "row") == told
