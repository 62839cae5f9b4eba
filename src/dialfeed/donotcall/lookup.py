"""Lists that are open: a full list on its index, and lists that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dialfeed.donotcall.areas import Mask, Territory, in_area_codes
from dialfeed.donotcall.facts import ListFacts, Moments, Numbers, Verdict, Verdicts, never
from dialfeed.donotcall.index import DAMAGED, PRESENT


class PhoneIndex(Protocol):
    """An exact index of numbers."""

    def look_up(self, numbers: Numbers) -> NDArray[np.uint8]:
        """ABSENT, PRESENT, or DAMAGED where its block cannot be trusted."""
        ...

    def verify(self) -> list[int]:
        """The damaged blocks of the whole file."""
        ...

    def numbers(self) -> Iterator[Numbers]:
        """All numbers, in order, block by block."""
        ...


@dataclass(frozen=True, slots=True)
class FullList:
    """A list of everybody who is on it.

    A number that is on the list is LISTED wherever it is at home: a list is never believed less than what it says.
    """

    facts: ListFacts
    clears: bool
    index: PhoneIndex

    def look_up(self, numbers: Numbers, states: pl.Series | None = None) -> Verdicts:
        """The verdict on each number (`dialfeed.donotcall.facts.PhoneList`)."""
        inside = Territory(self.facts.territory).inside(numbers, states)
        answers = self.index.look_up(numbers)
        verdicts = absent_verdicts(self.facts, inside, covered(self.facts, numbers))
        verdicts[(answers == PRESENT) & (verdicts != Verdict.STALE)] = Verdict.LISTED
        verdicts[answers == DAMAGED] = Verdict.DAMAGED
        return verdicts

    def since(self, numbers: Numbers) -> Moments:
        """Not known: such a list has no dates."""
        return never(len(numbers))


def absent_verdicts(facts: ListFacts, inside: Mask, known: Mask) -> Verdicts:
    """The verdicts on numbers that are not on a list.

    Args:
        facts: The list.
        inside: Whether each number is in its territory.
        known: Whether each number is in what was obtained of it.
    """
    if facts.state == "stale":
        return np.where(inside, Verdict.STALE, Verdict.OUTSIDE).astype(np.uint8)
    checked = np.where(known, Verdict.CLEAR, Verdict.NOT_COVERED)
    return np.where(inside, checked, Verdict.OUTSIDE).astype(np.uint8)


def covered(facts: ListFacts, numbers: Numbers) -> Mask:
    """Whether each number is in an area code that was obtained."""
    if facts.coverage is None:
        return np.ones(len(numbers), np.bool_)
    return in_area_codes(numbers, facts.coverage)


@dataclass(frozen=True, slots=True)
class UnusablePhones:
    """A list that is missing or damaged: it says so of every number in its territory, and clears none."""

    facts: ListFacts
    verdict: Verdict
    clears: bool = True

    def look_up(self, numbers: Numbers, states: pl.Series | None = None) -> Verdicts:
        """The list's verdict for its territory."""
        inside = Territory(self.facts.territory).inside(numbers, states)
        return np.where(inside, self.verdict, Verdict.OUTSIDE).astype(np.uint8)

    def since(self, numbers: Numbers) -> Moments:
        """Not known."""
        return never(len(numbers))


@dataclass(frozen=True, slots=True)
class UnusableTexts:
    """A list of e-mails or accounts that is missing or damaged: it says so of every value."""

    facts: ListFacts
    verdict: Verdict

    def look_up(self, values: pl.Series) -> Verdicts:
        """The list's verdict."""
        return np.where(values.is_null().to_numpy(), Verdict.OUTSIDE, self.verdict).astype(np.uint8)

    def since(self, values: pl.Series) -> Moments:
        """Not known."""
        return never(len(values))
