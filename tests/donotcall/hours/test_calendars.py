"""Holidays: when a named day is, and what it does on a weekend."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.donotcall.hours.calendars import OBSERVED, Calendar, Holiday, NoSuchDay, easter


@pytest.mark.parametrize(
    ("when", "year", "day"),
    [
        ("12-25", 2026, date(2026, 12, 25)),
        ("2026-12-24", 2026, date(2026, 12, 24)),
        ("2026-12-24", 2027, None),
        ("3 mon 01", 2027, date(2027, 1, 18)),
        ("-1 mon 05", 2027, date(2027, 5, 31)),
        ("-1 sun 12", 2026, date(2026, 12, 27)),
        ("4 thu 11", 2026, date(2026, 11, 26)),
        ("4 thu 11 +1", 2026, date(2026, 11, 27)),
        ("1 mon 11 +1 even", 2026, date(2026, 11, 3)),
        ("1 mon 11 +1 even", 2027, None),
        ("easter -47", 2027, date(2027, 2, 9)),
        ("easter +1", 2026, date(2026, 4, 6)),
        ("mon before 06-19", 2026, date(2026, 6, 15)),
        ("mon before 06-19", 2028, date(2028, 6, 19)),
        ("06-19 from 2021", 2020, None),
        ("02-29", 2028, date(2028, 2, 29)),
        ("02-29", 2027, None),
        ("sun before 02-29", 2027, date(2027, 2, 28)),
        ("06-19 from 2021", 2021, date(2021, 6, 19)),
    ],
)
def test_the_words_for_a_day_name_that_day(when: str, year: int, day: date | None) -> None:
    assert Holiday("a day", when).in_year(year) == day


@pytest.mark.parametrize(
    "when",
    [
        "",
        "25-12x",
        "13-01",
        "02-30",
        "mon before 04-31",
        "6 mon 01",
        "third monday",
        "easter",
        "12-25 odd",
        "mon after 06-19",
    ],
)
def test_words_that_say_no_day_are_refused_at_once(when: str) -> None:
    with pytest.raises(NoSuchDay):
        Holiday("a day", when)


def calendar(observed: str, *days: str) -> Calendar:
    holidays = tuple(Holiday(f"day {number}", when) for number, when in enumerate(days))
    return Calendar("X", observed, holidays, "made up", "L", date(2026, 1, 1))


# In 2027, 4 July is a Sunday, 25 and 26 December are Saturday and Sunday; 1 January 2028 is a Saturday.
@pytest.mark.parametrize(
    ("observed", "kept"),
    [
        ("none", set()),
        ("sunday", {"07-05", "12-27"}),
        ("nearest", {"07-05", "12-24", "12-27", "12-31"}),
        ("either", {"07-05", "12-24", "12-27", "12-31"}),
        ("next", {"07-05", "12-27", "12-28"}),
    ],
)
def test_a_holiday_on_a_weekend_is_kept_as_its_calendar_says(observed: str, kept: set[str]) -> None:
    its = calendar(observed, "07-04", "12-25", "12-26", "01-01")
    year = [date(2027, 1, 1) + timedelta(days=count) for count in range(365)]
    named = {"01-01", "07-04", "12-25", "12-26"}
    assert {f"{day:%m-%d}" for day in year if its.holiday_on(day)} == named | kept


def test_either_keeps_a_saturday_on_friday_and_on_monday() -> None:
    its = calendar("either", "07-04")
    assert [day for day in range(1, 8) if its.holiday_on(date(2026, 7, day))] == [3, 4, 6]


@given(st.sampled_from(OBSERVED), st.dates(date(2020, 1, 1), date(2040, 12, 31)))
def test_a_holiday_is_never_lost_by_being_kept_on_another_day(observed: str, day: date) -> None:
    assert calendar(observed, f"{day:%m-%d}").holiday_on(day)


def test_easter_is_when_the_tables_say() -> None:
    known = ["2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2028-04-16", "2038-04-25", "2285-03-22"]
    assert [easter(int(day[:4])).isoformat() for day in known] == known
