"""Laws of lists, held against brute force: no number on a list is ever clear, and nothing unchecked is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from list_world import DAY, START, WHOLE, Lists, asked_out, phones, us

from dialfeed.donotcall.optouts import OptOut

CODES = ("212", "213", "415")
OTHERS = (us(416), us(416, 101), 442079460123, 61491570006, us(787))
AMERICAN = st.builds(us, st.sampled_from([212, 213, 415, 646]), st.integers(100, 105))
ANY = AMERICAN | st.sampled_from(OTHERS)
HOME = {us(787)}  # Puerto Rico is a part of the registry of the United States


@settings(max_examples=40, deadline=None)
@given(
    listed=st.sets(st.builds(us, st.sampled_from([212, 213, 415]), st.integers(100, 105)), min_size=1),
    sought=st.lists(ANY, min_size=1, max_size=12),
    age=st.integers(0, 40),
    partly=st.booleans(),
)
def test_what_a_register_says_is_what_brute_force_says(
    listed: set[int], sought: list[int], age: int, *, partly: bool
) -> None:
    held = sorted({str(number)[1:4] for number in listed})
    with TemporaryDirectory() as home:
        lists = Lists(Path(home))
        lists.add("us", "us", phones(*listed), coverage=tuple(held) if partly else None, accepts=WHOLE)
        said = lists.ask("us", *sought, now=START + age * DAY)
    for number, verdict in zip(sought, said, strict=True):
        inside = number not in OTHERS or number in HOME
        covered = not partly or str(number)[1:4] in held
        if not inside:
            expected = "OUTSIDE"
        elif age > 31:
            expected = "STALE"
        elif number in listed:
            expected = "LISTED"
        else:
            expected = "CLEAR" if covered else "NOT_COVERED"
        assert verdict == expected


TOPICS = st.sampled_from([None, "solar", "wind"])
ENDS = st.none() | st.integers(-2, 2).map(lambda days: START + timedelta(days=days))
OPT_OUTS = st.lists(
    st.builds(
        lambda line, topic, ends: asked_out(us(212, line), topic=topic, expires_at=ends),
        st.integers(100, 104),
        TOPICS,
        ENDS,
    ),
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(optouts=OPT_OUTS, run=TOPICS, pieces=st.integers(1, 4))
def test_what_a_company_list_says_is_what_brute_force_says(optouts: list[OptOut], run: str | None, pieces: int) -> None:
    sought = [us(212, line) for line in range(100, 106)]
    with TemporaryDirectory() as home:
        lists = Lists(Path(home))
        lists.opt_out(asked_out(us(999)))
        for start in range(pieces):
            lists.opt_out(*optouts[start::pieces])
        said = lists.ask("internal", *sought, now=START, topic=run)
    for number, verdict in zip(sought, said, strict=True):
        mine = [one for one in optouts if one.phone == number and (one.expires_at is None or one.expires_at > START)]
        meant = [one for one in mine if one.topic is None or run is None or one.topic == run]
        whole = any(one.topic is None for one in meant)
        assert verdict == ("LISTED" if whole else "SCOPED" if meant else "CLEAR")
