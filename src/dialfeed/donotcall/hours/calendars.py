"""Holidays as data: when a named day is in a year, and what it does when it falls on a weekend.

The grammar is told in `data/holidays.toml`. Sources: `compliance.md` section 1.6 (holiday calendars by state with
observed-day logic), and those that each calendar names.
"""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SATURDAY, SUNDAY = 5, 6

OBSERVED: Final = ("none", "sunday", "nearest", "either", "next")
"""What a holiday on a weekend does besides; `data/holidays.toml` tells each."""

_DAY: Final = timedelta(days=1)
_LEAP_YEAR: Final = 2028
_WHEN: Final = re.compile(
    r"(?:(?P<year>\d{4})-)?(?P<date>\d\d-\d\d)"
    r"|(?P<nth>-1|[1-5]) (?P<weekday>mon|tue|wed|thu|fri|sat|sun) (?P<month>\d\d)(?: \+(?P<after>\d+))?"
    r"|easter (?P<easter>[+-]\d+)"
    r"|(?P<before>mon|tue|wed|thu|fri|sat|sun) before (?P<limit>\d\d-\d\d)"
)
_CONDITIONS: Final = re.compile(r"(?: from (?P<first>\d{4}))?(?P<even> even)?")


class NoSuchDay(ValueError):
    """The words do not say when a holiday is."""


@dataclass(frozen=True, slots=True)
class Holiday:
    """A named day.

    Attributes:
        name: For people.
        when: In the words of `data/holidays.toml`.
    """

    name: str
    when: str

    def __post_init__(self) -> None:
        _parsed(self.when)

    def in_year(self, year: int) -> date | None:
        """The day in a year; None in a year without it."""
        when, first, even = _parsed(self.when)
        if year < first or (even and year % 2):
            return None
        return _day(when, year)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days on which a jurisdiction allows no calls.

    Attributes:
        id: As `hours.toml` names it.
        observed: One of `OBSERVED`.
        holidays: The named days.
        source: Where they were read.
        mark: How far to trust them: H, M or L.
        reviewed: When they were last looked at.
    """

    id: str
    observed: str
    holidays: tuple[Holiday, ...]
    source: str
    mark: str
    reviewed: date

    def holiday_on(self, day: date) -> str | None:
        """The name of the holiday on a day, or of the one that is kept on it; None on any other day."""
        return _days(self, day.year).get(day)


@lru_cache(maxsize=1024)
def _days(calendar: Calendar, year: int) -> dict[date, str]:
    # New Year's Day of the next year may be kept on the last day of this one
    named = {
        day: holiday.name
        for around in (year - 1, year, year + 1)
        for holiday in calendar.holidays
        if (day := holiday.in_year(around)) is not None
    }
    kept = dict(named)
    for day, name in sorted(named.items()):
        for other in _observed(calendar.observed, day, kept):
            kept.setdefault(other, f"{name} (observed)")
    return kept


def _observed(rule: str, day: date, taken: dict[date, str]) -> Iterator[date]:
    """The other days on which a holiday on this day is kept."""
    weekday = day.weekday()
    if weekday < SATURDAY or rule == "none":
        return
    if weekday == SATURDAY and rule in {"nearest", "either"}:
        yield day - _DAY
    if rule == "next":
        yield _next_free(day, taken)
    elif weekday == SUNDAY or rule == "either":
        yield day + (7 - weekday) * _DAY


def _next_free(day: date, taken: dict[date, str]) -> date:
    while day.weekday() >= SATURDAY or day in taken:
        day += _DAY
    return day


@lru_cache(maxsize=1024)
def _parsed(text: str) -> tuple[re.Match[str], int, bool]:
    when = _WHEN.match(text)
    conditions = _CONDITIONS.fullmatch(text, when.end()) if when else None
    if when is None or conditions is None or not _is_date(when["date"] or when["limit"] or "01-01"):
        raise NoSuchDay(f"{text!r} does not say when a holiday is")
    return when, int(conditions["first"] or 0), conditions["even"] is not None


def _is_date(text: str) -> bool:
    try:
        return _date(_LEAP_YEAR, text) is not None
    except ValueError:
        return False


def _day(when: re.Match[str], year: int) -> date | None:
    if when["date"]:
        return _date(year, when["date"]) if when["year"] in {None, str(year)} else None
    if when["nth"]:
        nth = _nth(year, int(when["month"]), int(when["nth"]), WEEKDAYS.index(when["weekday"]))
        return nth + int(when["after"] or 0) * _DAY
    if when["easter"]:
        return easter(year) + int(when["easter"]) * _DAY
    limit = _date(year, when["limit"]) or date(year, 2, 28)
    return limit - (limit.weekday() - WEEKDAYS.index(when["before"])) % 7 * _DAY


def _date(year: int, text: str) -> date | None:
    """A date in a year; None for 29 February in a year without one."""
    if text == "02-29" and not isleap(year):
        return None
    return date(year, int(text[:2]), int(text[3:]))


def _nth(year: int, month: int, nth: int, weekday: int) -> date:
    if nth < 0:
        last = date(year + month // 12, month % 12 + 1, 1) - _DAY
        return last - (last.weekday() - weekday) % 7 * _DAY
    first = date(year, month, 1)
    return first + ((weekday - first.weekday()) % 7 + 7 * (nth - 1)) * _DAY


def easter(year: int) -> date:
    """Western Easter Sunday (the Gregorian computus in its anonymous form)."""
    golden, century, rest = year % 19, year // 100, year % 100
    moon = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * late + 114, 31)
    return date(year, month, day + 1)
