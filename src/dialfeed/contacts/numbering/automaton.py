"""Patterns of digits as one finite automaton.

The metadata use nothing but digits, digit classes, groups, alternatives and counts: regular expressions in the narrow
sense.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple


class UnsupportedPatternError(ValueError):
    """The metadata hold a pattern of a kind that the tables cannot say."""


class Part(NamedTuple):
    """A piece of a pattern inside the automaton.

    Attributes:
        empty: Whether it matches the empty text.
        first: The positions it may begin with, as bits.
        last: The positions it may end with, as bits.
    """

    empty: bool
    first: int
    last: int


_NOTHING: Final = Part(empty=True, first=0, last=0)
_ANY_DIGIT: Final = frozenset(range(10))
_CLASS: Final = re.compile(r"(?:[0-9](?:-[0-9])?)+")
_CLASS_RANGE: Final = re.compile(r"([0-9])(?:-([0-9]))?")


class Automaton:
    """Glushkov's automaton: each digit of a pattern is a position, and a state is the set of positions reached.

    Sets of positions are the bits of an int. All patterns of a calling code live in one automaton.
    """

    def __init__(self) -> None:
        self._follow: list[int] = []
        self._reads = [0] * 10
        self._after: dict[int, int] = {}

    def add(self, pattern: str) -> Part:
        """Add a pattern of the metadata.

        Raises:
            UnsupportedPatternError: It holds more than digits, classes, groups, alternatives and counts.
        """
        part, end = self._alternatives(pattern, 0)
        if end != len(pattern):
            raise UnsupportedPatternError(pattern[end:])
        return part

    def add_prefix(self, pattern: str) -> Part:
        """Add a pattern that is met as soon as the number begins with it (and not with the empty text)."""
        part = self.add(pattern)
        rest = self._position(_ANY_DIGIT)
        self._link(part.last | rest, rest)
        return Part(empty=False, first=part.first, last=part.last | rest)

    def after(self, state: int) -> int:
        """The positions that may follow a state, whatever the next digit is."""
        known = self._after.get(state)
        if known is None:
            known = self._after[state] = self._followers(state)
        return known

    def reading(self, positions: int, digit: int) -> int:
        """The state reached when ``digit`` is read at one of the ``positions``."""
        return positions & self._reads[digit]

    def _followers(self, state: int) -> int:
        union = 0
        for position in _bits(state):
            union |= self._follow[position]
        return union

    def _alternatives(self, pattern: str, at: int) -> tuple[Part, int]:
        part, at = self._sequence(pattern, at)
        while pattern[at : at + 1] == "|":
            other, at = self._sequence(pattern, at + 1)
            part = Part(part.empty or other.empty, part.first | other.first, part.last | other.last)
        return part, at

    def _sequence(self, pattern: str, at: int) -> tuple[Part, int]:
        whole = _NOTHING
        while at < len(pattern) and pattern[at] not in "|)":
            part, at = self._counted(pattern, at)
            whole = self._join(whole, part)
        return whole, at

    def _counted(self, pattern: str, at: int) -> tuple[Part, int]:
        part, end = self._atom(pattern, at)
        least, most, after = _count(pattern, end)
        whole = _NOTHING
        for copy in range(most):
            if copy:  # each repetition needs positions of its own
                part, _ = self._atom(pattern, at)
            whole = self._join(whole, part if copy < least else part._replace(empty=True))
        return whole, after

    def _atom(self, pattern: str, at: int) -> tuple[Part, int]:
        if pattern[at] == "(":
            part, end = self._alternatives(pattern, at + 3 if pattern.startswith("(?:", at) else at + 1)
            if pattern[end : end + 1] != ")":
                raise UnsupportedPatternError(pattern[at:])
            return part, end + 1
        digits, end = _digit_class(pattern, at)
        bit = self._position(digits)
        return Part(empty=False, first=bit, last=bit), end

    def _join(self, left: Part, right: Part) -> Part:
        self._link(left.last, right.first)
        return Part(
            left.empty and right.empty,
            left.first | right.first if left.empty else left.first,
            right.last | left.last if right.empty else right.last,
        )

    def _link(self, last: int, first: int) -> None:
        for position in _bits(last):
            self._follow[position] |= first

    def _position(self, digits: Iterable[int]) -> int:
        bit = 1 << len(self._follow)
        self._follow.append(0)
        for digit in digits:
            self._reads[digit] |= bit
        return bit


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


def _count(pattern: str, at: int) -> tuple[int, int, int]:
    """Read ``?``, ``{n}`` or ``{n,m}``: least, most and where the pattern goes on."""
    if pattern[at : at + 1] == "?":
        return 0, 1, at + 1
    if pattern[at : at + 1] != "{":
        return 1, 1, at
    end = pattern.index("}", at)
    least, _, most = pattern[at + 1 : end].partition(",")
    return int(least), int(most or least), end + 1


def _digit_class(pattern: str, at: int) -> tuple[Iterable[int], int]:
    if pattern.startswith("\\d", at):
        return _ANY_DIGIT, at + 2
    if pattern[at] == "[":
        end = pattern.index("]", at)
        return _class_members(pattern[at + 1 : end]), end + 1
    if pattern[at] in "0123456789":
        return (int(pattern[at]),), at + 1
    raise UnsupportedPatternError(pattern[at:])


def _class_members(inside: str) -> set[int]:
    if not _CLASS.fullmatch(inside):
        raise UnsupportedPatternError(inside)
    members: set[int] = set()
    for first, last in _CLASS_RANGE.findall(inside):
        members.update(range(int(first), int(last or first) + 1))
    return members
