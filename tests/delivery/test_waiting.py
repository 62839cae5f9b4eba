"""Which batch goes next, and which wait because a count could not tell them apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from delivery_world import NumberSupply

from dialfeed.delivery.batches import Batch
from dialfeed.delivery.lost import Lost
from dialfeed.delivery.waiting import Waiting
from dialfeed.delivery.work import Work
from dialfeed.ledger.ledger import Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


def work(size: int, ready_at: float = 0.0) -> Work:
    return Work(Batch(900 + size, ((0, size),), root=1), ready_at=ready_at)


def waiting(ledger: Ledger, contacts: int, lost: Lost | None = None) -> Waiting:
    return Waiting(NumberSupply(contacts, most=100), ledger, lost or Lost(settleable=True))


def size_taken(batches: Waiting, under_way: list[int], aside: int = 16, now: float = 0.0) -> int | float | None:
    """The size of the batch that goes next, else minus the seconds to wait, else None."""
    taken, wait = batches.take(under_way, aside, now)
    if taken is not None:
        return taken.size
    return None if wait is None else -wait


def test_what_waits_goes_before_new_batches_and_what_is_put_first_before_that(ledger: Ledger) -> None:
    batches = waiting(ledger, contacts=100)
    batches.add_last([work(7)])
    batches.add_first([work(5), work(6)])
    assert [size_taken(batches, []) for _ in range(5)] == [5, 6, 7, 100, None]
    assert not batches.are_left()


def test_a_batch_that_is_not_ready_lets_others_go_and_tells_when_it_is(ledger: Ledger) -> None:
    batches = waiting(ledger, contacts=100)
    batches.add_last([work(7, ready_at=10.0), work(6, ready_at=8.0)])
    assert size_taken(batches, [], now=3.0) == 100
    assert size_taken(batches, [], now=3.0) == -5.0
    assert size_taken(batches, [], now=10.0) == 7


def test_a_batch_like_one_under_way_waits_for_its_answer(ledger: Ledger) -> None:
    batches = waiting(ledger, contacts=200)
    assert size_taken(batches, []) == 100
    assert size_taken(batches, [100]) is None
    assert batches.are_left()
    assert size_taken(batches, []) == 100


def test_batches_like_a_lost_one_are_put_aside_within_a_bound_and_the_next_goes(ledger: Ledger) -> None:
    batches = waiting(ledger, contacts=250, lost=Lost(settleable=True, works=[work(100)]))
    assert size_taken(batches, [], aside=1) is None, "the second would be one too many"
    assert size_taken(batches, [], aside=2) == 50
    batches.lost.works.clear()
    assert size_taken(batches, []) == 100


def test_where_no_count_can_settle_anything_no_batch_waits(ledger: Ledger) -> None:
    batches = waiting(ledger, contacts=250, lost=Lost(settleable=False, works=[work(100)]))
    assert [size_taken(batches, [100]) for _ in range(4)] == [100, 100, 50, None]
