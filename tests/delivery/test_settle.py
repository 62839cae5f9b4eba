"""What a count proves about lost batches, and from when on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dialfeed.delivery.settle import Patience, Question, Reading, Settling, judge

PATIENCE = Patience(grace=3.0, quiet=1.0, lag=60.0)
LOST = Question(base=5000, sizes=(1000, 999), at_rest_since=100.0)
WITH_CANARY = Question(base=5000, sizes=(1000, 999), at_rest_since=100.0, canary=998)

CASES = [
    # question, count, read since, now, lag seen → found
    (LOST, 6999, 100.0, 100.0, None, {0, 1}),  # everything landed: proved at once
    (LOST, 5999, 100.0, 130.0, None, None),  # the other may still be hidden by the lag
    (LOST, 5999, 100.0, 160.0, None, {1}),  # a minute at rest: what is not there did not land
    (LOST, 5000, 100.0, 103.0, 0.2, set()),  # this run has seen how short the lag is
    (LOST, 5000, 102.9, 103.0, 0.2, None),  # but the count has only just changed
    (LOST, 5000, 100.0, 110.0, 3.0, None),  # ten times a lag of 3 s are not over
    (LOST, 5001, 100.0, 999.0, None, None),  # somebody else writes: nothing is proved, ever
    (LOST, 4999, 100.0, 999.0, None, None),
    (WITH_CANARY, 5998, 101.0, 102.0, None, set()),  # the canary is seen, the others are not
    (WITH_CANARY, 5998, 101.5, 102.0, None, None),  # not steady yet
    (WITH_CANARY, 6998, 101.0, 102.0, None, {0}),
    (WITH_CANARY, 7997, 102.0, 102.0, None, {0, 1}),  # everything and the canary: at once
    (WITH_CANARY, 6000, 100.0, 999.0, None, None),  # the canary is not seen: the count has not caught up
]


@pytest.mark.parametrize("case", CASES)
def test_a_verdict_needs_evidence(
    case: tuple[Question, int, float, float, float | None, set[int] | None],
) -> None:
    question, count, since, now, lag_seen, found = case
    assert judge(question, Reading(count, since), now, PATIENCE, lag_seen) == found


def test_a_reading_stands_since_it_last_changed() -> None:
    reading = Reading(5, 1.0).next(5, 2.0)
    assert (reading.count, reading.since) == (5, 1.0)
    assert reading.next(6, 3.0).since == 3.0


def test_what_is_not_on_the_list_is_not_believed_before_the_grace_is_over() -> None:
    settling = Settling.start(WITH_CANARY, Patience(grace=10.0, quiet=1.0), 100.0, 600.0)
    assert settling.found(100.0, None) is None, "nothing is read yet"
    settling = settling.read(5998, 101.0).read(5998, 105.0)
    assert settling.found(105.0, None) is None
    assert settling.found(110.0, None) == set()
    assert settling.read(5998, 110.0).found(110.0, None) == set(), "the same count, read again, stays steady"
    assert settling.read(5998, 110.0).read(5999, 110.0).found(110.0, None) is None
    assert settling.read(7997, 106.0).found(106.0, None) == {0, 1}, "nothing is missing"


def test_a_canary_is_sent_after_the_grace_and_only_one() -> None:
    settling = Settling.start(LOST, PATIENCE, 100.0, 600.0)
    assert [settling.wants_canary(now) for now in (102.9, 103.0)] == [False, True]
    assert settling.with_canary(0).wants_canary(103.0), "it was not stored: another one may be"
    assert not settling.with_canary(998).wants_canary(103.0)


def test_a_count_is_given_up_after_twice_the_longest_lag() -> None:
    settling = Settling.start(LOST, PATIENCE, 100.0, 600.0)
    assert [settling.is_over(now) for now in (222.9, 223.0)] == [False, True]
    assert Settling.start(LOST, PATIENCE, 40.0, 600.0).until == 223.0, "not before a slow platform is at rest"


def test_the_time_in_which_a_count_cannot_be_asked_for_does_not_count_within_a_bound() -> None:
    settling = Settling.start(LOST, PATIENCE, 100.0, 600.0)
    assert settling.postponed(50.0).until == 273.0
    assert settling.postponed(50.0).postponed(2000.0).until == 700.0
    assert Settling.start(LOST, PATIENCE, 100.0, 60.0).postponed(50.0).until == 223.0, "never earlier than else"


@pytest.mark.parametrize("question", [LOST, WITH_CANARY])
def test_a_count_above_everything_together_is_somebody_elses_and_ends_the_settling(question: Question) -> None:
    settling = Settling.start(question, PATIENCE, 100.0, 600.0).read(question.most + 1, 101.0)
    assert settling.is_over(101.0)
    assert settling.found(101.0, None) is None
    assert not Settling.start(question, PATIENCE, 100.0, 600.0).read(question.most, 101.0).is_over(101.0)


def test_a_count_that_is_not_told_ends_the_settling_and_what_was_read_before_is_not_believed() -> None:
    settling = Settling.start(LOST, PATIENCE, 100.0, 600.0).read(6999, 101.0).untold()
    assert settling.is_over(101.0)
    assert settling.found(101.0, None) is None


IN_PART = replace(LOST, in_part=True)


@pytest.mark.parametrize(("count", "found"), [(6999, {0, 1}), (5000, set()), (5999, None), (6000, None)])
def test_where_a_part_of_a_batch_may_be_stored_only_all_or_none_can_be_told(count: int, found: set[int] | None) -> None:
    """999 more may be the second batch, or the first one without a contact that the platform did not take."""
    assert judge(IN_PART, Reading(count, 100.0), 999.0, PATIENCE, None) == found
    settling = Settling.start(IN_PART, PATIENCE, 100.0, 600.0)
    assert not settling.wants_canary(999.0), "nor does one of 999 prove anything"
