"""Chunks are worked on side by side: they come out in order, and few of them are held at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from dialfeed.steps.buckets import _SIDE_BY_SIDE, _in_order


def test_what_is_worked_on_side_by_side_comes_out_in_order() -> None:
    """The first is not done before all others that may be begun with it are."""
    begun = threading.Semaphore(0)

    def work(item: int) -> int:
        if item:
            begun.release()
        else:
            for _ in range(_SIDE_BY_SIDE - 1):
                assert begun.acquire(timeout=30)
        return item

    assert list(_in_order(work, range(50))) == list(range(50))


def test_a_file_of_any_size_has_few_chunks_in_memory() -> None:
    taken = 0

    def chunks() -> Iterator[int]:
        nonlocal taken
        while taken < 1000:
            taken += 1
            yield taken

    for made in _in_order(lambda item: item, chunks()):
        assert taken - made <= _SIDE_BY_SIDE
    assert taken == 1000


def test_a_chunk_that_cannot_be_worked_on_ends_it_there() -> None:
    def work(item: int) -> int:
        if item == 3:
            raise ValueError(item)
        return item

    made = _in_order(work, range(1000))
    assert [next(made) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="3"):
        next(made)
    assert list(made) == []
