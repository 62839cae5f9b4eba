"""Numbers with their nouns."""

from __future__ import annotations

import pytest

from dialfeed.wording import counted


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1000, "1,000 rows"), (-1, "-1 rows")]
)
def test_a_noun_stands_in_the_number_that_goes_with_it(number: int, told: str) -> None:
    assert counted(number, "row") == told
