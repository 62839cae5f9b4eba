"""When a contact may be called: the stretches of time that every plausible law allows by every plausible clock.

Each rule is read by the clock of each plausible zone (or by its own), and what all of them allow on the same calendar
day is left (`compliance.md` section 6: "compute each zone's legal window in UTC for that date, and use the
intersection"). An empty rest means that the contact is not called that day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final, TypeAlias

from dialfeed.donotcall.hours.clocks import moments
from dialfeed.donotcall.hours.rules import HourRules
from dialfeed.donotcall.hours.rulesfile import Rule, Stretch

Span: TypeAlias = tuple[int, int]
"""From and until, in minutes since the epoch (UTC); until is not in it."""
Spans: TypeAlias = tuple[Span, ...]
"""Sorted, and apart from one another."""

ALWAYS: Final[Spans] = ((-(2**60), 2**60),)


@dataclass(frozen=True, slots=True)
class Day:
    """What one day holds for a contact.

    Attributes:
        spans: When calls are allowed.
        closed: Whether a law allows no calls on the whole day (a Sunday, a holiday).
    """

    spans: Spans
    closed: bool

    def longest(self) -> Span | None:
        """The longest span, the first of those that are equal; None on a day without one."""
        return max(self.spans, key=lambda span: (span[1] - span[0], -span[0]), default=None)


@lru_cache(maxsize=16384)
def day_of(zones: frozenset[str], jurisdictions: frozenset[str], day: date, rules: HourRules) -> Day:
    """What a day holds under some laws, by some clocks.

    Args:
        zones: The zones the contact may be in.
        jurisdictions: The countries and states whose laws may hold.
        day: The calendar day, in each of the zones.
        rules: What the laws are.
    """
    applying = rules.applying(jurisdictions, day)
    each = [spans_of(rule, clock, day, rules) for rule in applying for clock in clocks_of(rule, zones)]
    closed = any(not rules.stretches(rule, day) for rule in applying)
    return Day(common(each) if each and not closed else (), closed=closed)


def clocks_of(rule: Rule, zones: Iterable[str]) -> tuple[str, ...]:
    """The clocks that a rule is read by: its own, else that of each zone."""
    return (rule.clock,) if rule.clock else tuple(sorted(zones))


@lru_cache(maxsize=65536)
def spans_of(rule: Rule, clock: str, day: date, rules: HourRules) -> Spans:
    """When a rule allows calls on a day, by one clock."""
    return spans_by_clock(rules.stretches(rule, day), clock, day)


def spans_by_clock(stretches: Iterable[Stretch], clock: str, day: date) -> Spans:
    """Stretches of a day by one clock, in UTC."""
    return tuple(span for stretch in stretches if (span := _span(clock, day, stretch)) is not None)


def _span(clock: str, day: date, stretch: Stretch) -> Span | None:
    """A stretch of a day in UTC; where the clock is changed, the shorter reading."""
    first = moments(clock, day, stretch[0])[1]
    last = moments(clock, day, stretch[1])[0]
    return (first, last) if first < last else None


def common(several: Iterable[Spans]) -> Spans:
    """What several rules allow together."""
    left = ALWAYS
    for spans in several:
        left = tuple(
            (max(one[0], other[0]), min(one[1], other[1]))
            for one in left
            for other in spans
            if max(one[0], other[0]) < min(one[1], other[1])
        )
    return left
