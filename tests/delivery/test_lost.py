"""When lost answers are settled, what is asked of the count then, and what it teaches about its lag."""

from __future__ import annotations

import pytest

from dialfeed.delivery.batches import Batch
from dialfeed.delivery.lost import Lost
from dialfeed.delivery.settle import Patience, Settling
from dialfeed.delivery.work import Work

PATIENCE = Patience(grace=3.0, quiet=1.0, lag=60.0)


def lost(*, settleable: bool = True, stored_at: float = 0.0) -> Lost:
    works = [Work(Batch(size, ((0, size),), root=size), lost_at=100.0 + size / 1000) for size in (1000, 999)]
    return Lost(settleable, works, stored_at)


@pytest.mark.parametrize(
    ("settleable", "enough", "now", "due"),
    [
        (True, 2, 104.0, True),
        (True, 2, 103.9, False),  # the last of them may still be about to be stored
        (True, 3, 104.0, False),
        (False, 2, 104.0, False),
    ],
)
def test_so_many_lost_answers_are_due_when_the_last_one_is_old_enough(
    settleable: bool, enough: int, now: float, due: bool
) -> None:
    assert lost(settleable=settleable).are_due(enough, PATIENCE.grace, now) is due


def test_a_question_is_about_every_lost_batch_since_anything_was_stored_last() -> None:
    question = lost().question(5000, in_part=False)
    assert (question.base, question.sizes, question.at_rest_since) == (5000, (1000, 999), 101.0)
    assert lost(stored_at=150.0).question(5000, in_part=False).at_rest_since == 150.0


def test_the_shortest_lag_that_was_seen_is_kept() -> None:
    known = lost(stored_at=101.0)
    settling = Settling.start(known.question(5000, in_part=False), PATIENCE, 101.0, 600.0)
    for count, now, seen in ((4999, 102.0, None), (5000, 104.0, 3.0), (5000, 105.0, 3.0), (5999, 103.0, 2.0)):
        settling = settling.read(count, now)
        known.learn_lag(settling, now)
        assert known.lag_seen == seen


def test_what_was_stored_before_this_process_teaches_nothing() -> None:
    known = lost()
    known.learn_lag(
        Settling.start(known.question(5000, in_part=False), PATIENCE, 101.0, 600.0).read(5000, 104.0), 104.0
    )
    assert known.lag_seen is None
