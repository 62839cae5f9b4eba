"""Packed words: whatever is found about an endpoint comes out of them as it went in, however many lists there are."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.donotcall.decisions import Situation
from dialfeed.donotcall.facts import Verdict
from dialfeed.donotcall.packedwords import Fact, columns_of, packed, packed_facts, situation

GRANTS = ("consent", "ebr", "b2b")


@st.composite
def situations(draw: st.DrawFn) -> list[Situation]:
    lists = draw(st.integers(0, 40))
    verdicts = st.tuples(*[st.sampled_from(Verdict)] * lists)
    facts: Any = {fact.name.lower(): st.booleans() for fact in Fact}
    one = st.builds(Situation, verdicts, exemptions=st.frozensets(st.sampled_from(GRANTS)), **facts)
    return draw(st.lists(one, min_size=1, max_size=5))


@given(situations())
def test_a_situation_survives_being_packed(found: list[Situation]) -> None:
    lists = len(found[0].verdicts)
    verdicts = [np.array([each.verdicts[at] for each in found], np.uint8) for at in range(lists)]
    facts = {fact: pl.Series([getattr(each, fact.name.lower()) for each in found]) for fact in Fact}
    grants = [pl.Series([name in each.exemptions for each in found]) for name in GRANTS]
    words = [*packed(verdicts), packed_facts(len(found), facts, grants)]
    assert len(words) == len(columns_of(lists))
    rows = zip(*(word.tolist() for word in words), strict=True)
    assert [situation(row, lists, GRANTS) for row in rows] == found


def test_what_is_true_nowhere_leaves_no_bit() -> None:
    nothing = packed_facts(2, dict.fromkeys(Fact, None), [None])
    assert nothing.tolist() == [0, 0]
