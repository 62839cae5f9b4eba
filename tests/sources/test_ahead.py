"""A generator that runs ahead in a thread."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from dialfeed.sources.ahead import read_ahead


class Numbers:
    """Counts from 0, says when it is closed and in which threads it ran."""

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self.count, self.error = count, error
        self.closed = False
        self.threads: set[threading.Thread] = set()

    def __iter__(self) -> Generator[int]:
        try:
            for number in range(self.count):
                self.threads.add(threading.current_thread())
                yield number
            if self.error:
                raise self.error
        finally:
            self.closed = True


@pytest.mark.parametrize("count", [0, 1, 2, 10])
def test_all_items_come_in_order_from_another_thread(count: int) -> None:
    numbers = Numbers(count)
    assert list(read_ahead(iter_of(numbers))) == list(range(count))
    assert threading.current_thread() not in numbers.threads
    assert numbers.closed


def test_an_error_comes_after_the_items_before_it() -> None:
    numbers = Numbers(3, KeyError("made up"))
    ahead = read_ahead(iter_of(numbers))
    assert [next(ahead), next(ahead), next(ahead)] == [0, 1, 2]
    with pytest.raises(KeyError, match="made up"):
        next(ahead)
    assert numbers.closed


def test_stopping_early_closes_the_generator_and_ends_the_thread() -> None:
    numbers = Numbers(100)
    ahead = read_ahead(iter_of(numbers))
    next(ahead)
    ahead.close()
    assert numbers.closed
    assert not [thread for thread in numbers.threads if thread.is_alive()]


def test_one_reader_can_run_ahead_of_another() -> None:
    numbers = Numbers(50)
    assert list(read_ahead(read_ahead(iter_of(numbers)))) == list(range(50))
    assert not [thread for thread in numbers.threads if thread.is_alive()]


def iter_of(numbers: Numbers) -> Generator[int]:
    return numbers.__iter__()
