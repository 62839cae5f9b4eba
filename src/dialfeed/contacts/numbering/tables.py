"""The intervals of the calling codes that occur as one sorted table: a verdict on a number is one binary search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Final, NamedTuple

import numpy as np
import phonenumbers
import polars as pl

from dialfeed.contacts.numbering.plans import Block, blocks_of, uniform_block
from dialfeed.contacts.numbering.verdicts import MOST_DIGITS, TOO_SHORT, UNKNOWN_COUNTRY_CODE, UNSEEN, Classes, Integers


class _Table(NamedTuple):
    """Calling codes, sorted first numbers of their intervals, the class of each, and a short cut for North America.

    Most numbers of most columns begin with +1. ``american`` holds one class for each block of 10,000 numbers (area code
    and exchange), `_MIXED` where a block holds more than one: an index in place of a search, five times as fast.
    """

    codes: frozenset[int]
    starts: Integers
    classes: Classes
    american: Classes

    def look_up(self, numbers: Integers) -> Classes:
        # What is below the first block wraps around, and ends up far above the last one.
        blocks = numbers // _BLOCK - _FIRST_BLOCK
        american = blocks < np.uint64(len(self.american))
        if not american.all():
            classes = np.full(len(numbers), _MIXED, np.uint32)
            classes[american] = self.american[blocks[american]]
        else:
            classes = self.american[blocks]
        rest = np.flatnonzero(classes == _MIXED)
        if rest.size:
            classes[rest] = self._search(numbers[rest])
        return classes

    def _search(self, numbers: Integers) -> Classes:
        return self.classes[np.searchsorted(self.starts, numbers, side="right") - 1]


_BLOCK: Final = np.uint64(10**4)
_FIRST_BLOCK: Final = np.uint64(10**6)
_MIXED: Final = 13


def _table(calling_codes: frozenset[int]) -> _Table:
    """The table of some calling codes; all others are `UNSEEN`, and what is no calling code is unknown."""
    blocks: list[Block] = []
    for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        lengths = range(MOST_DIGITS + 1 - len(str(code)))
        blocks += (
            blocks_of(code) if code in calling_codes else [uniform_block(code, length, UNSEEN) for length in lengths]
        )
    starts, classes = zip(*_merged(_spread(sorted(blocks))), strict=True)
    american = _american() if 1 in calling_codes else np.zeros(0, np.uint32)
    return _Table(calling_codes, np.array(starts, np.uint64), np.array(classes, np.uint32), american)


@cache
def _american() -> Classes:
    """The class of each block of 10,000 numbers from +1 000 000 0000 on."""
    runs = next(runs for _, width, runs in blocks_of(1) if width == 10**10)
    ends = (*(start for start, _ in runs[1:]), 10**10)
    classes = np.full(10**6, _MIXED, np.uint32)
    for (start, kind), end in zip(runs, ends, strict=True):
        classes[-(-start // 10**4) : end // 10**4] = kind  # whole blocks only
    return classes


def first_numbers(calling_codes: frozenset[int]) -> Integers:
    """Where the verdict changes among the numbers of some calling codes, in ascending order, for comparisons."""
    starts = (first + offset for code in calling_codes for first, _, runs in blocks_of(code) for offset, _ in runs)
    return np.array(sorted(starts), np.uint64)


def _spread(blocks: Iterable[Block]) -> Iterator[tuple[int, int]]:
    """Runs over all numbers: the blocks' own, and the gaps between them."""
    yield 0, TOO_SHORT
    end = 100  # below, the library does not even look for a calling code
    for first, width, runs in blocks:
        if first > end:
            yield end, UNKNOWN_COUNTRY_CODE
        if first >= 100:
            yield from ((first + offset, kind) for offset, kind in runs)
            end = first + width
    yield end, UNKNOWN_COUNTRY_CODE


def _merged(runs: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    previous = -1
    for start, kind in runs:
        if kind != previous:
            yield start, kind
        previous = kind


class World:
    """The table of the calling codes met so far. It grows; an answer never depends on what it has met before."""

    def __init__(self) -> None:
        self._table = _table(frozenset())

    def classify(self, numbers: Integers) -> Classes:
        """The class of numbers in international form, none of them longer than `MOST_DIGITS` digits."""
        table = self._table  # one table from here on, whatever other threads put in its place
        classes = table.look_up(numbers)
        unseen = classes == UNSEEN
        if unseen.any():
            table = self._table = _table(table.codes | _calling_codes(numbers[unseen]))
            classes = table.look_up(numbers)
        return classes


@lru_cache(maxsize=1)
def world() -> World:
    """The one table of this process."""
    return World()


def _calling_codes(numbers: Integers) -> frozenset[int]:
    """The calling codes of numbers that have one."""
    starts = pl.Series(numbers, dtype=pl.UInt64).cast(pl.String).str.slice(0, 3).unique()
    return frozenset(calling_code_of(start) for start in starts)


@cache
def calling_code_of(start: str) -> int:
    """The calling code with which digits begin; 0 for none."""
    codes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    return next((int(start[:size]) for size in (1, 2, 3) if int(start[:size]) in codes), 0)
