"""What each law allows on each day, by the clock, and what several of them leave."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from dialfeed.donotcall.hours.clocks import as_datetime, as_text, zone
from dialfeed.donotcall.hours.rules import HourRules
from dialfeed.donotcall.hours.windows import common, day_of

RULES = HourRules.load()
MONDAY = date(2026, 9, 14)  # a week without a holiday anywhere
NY, CHI, LA = "America/New_York", "America/Chicago", "America/Los_Angeles"


def told(jurisdictions: set[str], day: date, clock: str = NY) -> str:
    """The day's stretches, as the clock on the wall has them."""
    spans = day_of(frozenset({clock}), frozenset(jurisdictions), day, RULES).spans
    local = [[as_datetime(moment).astimezone(zone(clock)) for moment in span] for span in spans]
    assert all(moment.date() == day or moment.time() == datetime.min.time() for span in local for moment in span)
    return " ".join(f"{first:%H:%M}-{last:%H:%M}" for first, last in local) or "none"


# `compliance.md` sections 1.6 and 2, and the rules that the pack adds: Monday to Friday, Saturday, Sunday
WEEKS = {
    "US": ("08:00-21:00", "08:00-21:00", "08:00-21:00"),
    "US-AL": ("08:00-20:00", "08:00-20:00", "none"),
    "US-CA": ("08:00-21:00", "08:00-21:00", "08:00-21:00"),
    "US-CT": ("09:00-20:00", "09:00-20:00", "09:00-20:00"),
    "US-FL": ("08:00-20:00", "08:00-20:00", "08:00-20:00"),
    "US-KY": ("10:00-21:00", "10:00-21:00", "10:00-21:00"),
    "US-LA": ("08:00-20:00", "08:00-20:00", "none"),
    "US-MA": ("08:00-20:00", "08:00-20:00", "08:00-20:00"),
    "US-MD": ("08:00-20:00", "08:00-20:00", "08:00-20:00"),
    "US-MI": ("09:00-21:00", "09:00-21:00", "09:00-21:00"),
    "US-MN": ("09:00-21:00", "09:00-21:00", "09:00-21:00"),
    "US-MS": ("09:00-21:00", "09:00-21:00", "none"),  # 8 to 20 Central, read in New York
    "US-NM": ("09:00-21:00", "09:00-21:00", "09:00-21:00"),
    "US-NV": ("09:00-20:00", "09:00-20:00", "09:00-20:00"),
    "US-OK": ("08:00-20:00", "08:00-20:00", "08:00-20:00"),
    "US-PA": ("08:00-21:00", "08:00-21:00", "08:00-21:00"),
    "US-RI": ("09:00-18:00", "10:00-17:00", "none"),
    "US-TX": ("09:00-21:00", "09:00-21:00", "12:00-21:00"),
    "US-UT": ("08:00-21:00", "08:00-21:00", "none"),
    "US-WA": ("08:00-20:00", "08:00-20:00", "08:00-20:00"),
    "CA": ("09:00-21:30", "10:00-18:00", "10:00-18:00"),
    "GB": ("08:00-21:00", "08:00-21:00", "08:00-21:00"),
    "AU": ("09:00-20:00", "09:00-17:00", "none"),
    "FR": ("10:00-13:00 14:00-20:00", "none", "none"),
    "ES": ("09:00-21:00", "none", "none"),
    "IT": ("09:00-20:00", "10:00-19:00", "none"),
    "DE": ("09:00-20:00", "09:00-20:00", "none"),
    "unknown": ("14:00-20:00", "14:00-20:00", "none"),
}


@pytest.mark.parametrize("jurisdiction", WEEKS)
def test_each_jurisdiction_allows_its_hours_on_each_day_of_the_week(jurisdiction: str) -> None:
    mon_fri, sat, sun = WEEKS[jurisdiction]
    week = [told({jurisdiction}, MONDAY + timedelta(days=count)) for count in range(7)]
    assert week == [*[mon_fri] * 5, sat, sun]


@pytest.mark.parametrize(
    ("jurisdiction", "day"),
    [
        ("US-AL", date(2026, 4, 27)),  # Confederate Memorial Day
        ("US-AL", date(2026, 7, 3)),  # Independence Day on a Saturday
        ("US-LA", date(2027, 2, 9)),  # Mardi Gras
        ("US-MS", date(2026, 5, 25)),
        ("US-PA", date(2026, 12, 25)),
        ("US-RI", date(2026, 8, 10)),  # Victory Day
        ("US-RI", date(2026, 7, 6)),  # Independence Day on a Saturday, kept on Monday
        ("US-UT", date(2026, 7, 24)),  # Pioneer Day
        ("AU", date(2027, 12, 28)),  # Boxing Day on a Sunday, Christmas Day on the Saturday before it
        ("FR", date(2026, 5, 14)),  # Ascension
        ("ES", date(2026, 10, 12)),
        ("IT", date(2026, 10, 4)),
    ],
)
def test_a_holiday_closes_the_day(jurisdiction: str, day: date) -> None:
    assert told({jurisdiction}, day) == "none"
    assert day_of(frozenset({NY}), frozenset({jurisdiction}), day, RULES).closed
    assert told({"US-CA"}, day) == "08:00-21:00"


def test_the_clock_of_mississippi_is_central_wherever_the_person_is() -> None:
    assert told({"US-MS"}, MONDAY, CHI) == "08:00-20:00"
    assert told({"US-MS"}, MONDAY, LA) == "08:00-18:00"  # and the federal hours by the own clock


def test_two_states_at_once_leave_what_both_allow() -> None:
    assert told({"US-FL", "US-KY"}, MONDAY) == "10:00-20:00"
    assert told({"US-RI", "US-TX"}, MONDAY) == "09:00-18:00"
    assert told({"US-TX", "US-AL"}, MONDAY + timedelta(days=6)) == "none"
    assert told({"CA", "FR"}, MONDAY) == "10:00-13:00 14:00-20:00"


def test_several_clocks_leave_what_all_of_them_allow() -> None:
    found = day_of(frozenset({NY, LA}), frozenset({"US"}), MONDAY, RULES)
    assert [tuple(map(as_text, span)) for span in found.spans] == [("2026-09-14T15:00Z", "2026-09-15T01:00Z")]


def test_clocks_too_far_apart_leave_nothing_and_that_is_no_closed_day() -> None:
    found = day_of(frozenset({NY, "Pacific/Guam"}), frozenset({"US"}), MONDAY, RULES)
    assert (found.spans, found.closed, found.longest()) == ((), False, None)


@pytest.mark.parametrize(
    ("day", "first"),
    [
        (date(2027, 3, 13), "2027-03-13T13:00Z"),
        (date(2027, 3, 14), "2027-03-14T12:00Z"),  # the clock was set forward that night
        (date(2027, 11, 6), "2027-11-06T12:00Z"),
        (date(2027, 11, 7), "2027-11-07T13:00Z"),
    ],
)
def test_the_window_moves_with_the_clock(day: date, first: str) -> None:
    found = day_of(frozenset({NY}), frozenset({"US"}), day, RULES)
    assert as_text(found.spans[0][0]) == first
    assert found.spans[0][1] - found.spans[0][0] == 13 * 60


def test_hours_at_the_change_of_the_clock_take_the_shorter_reading() -> None:
    text = """
[pack]
version = "night owls"
[[rule]]
jurisdiction = "US"
mon_fri = []
sat = []
sun = ["01:30-02:30"]
source = "made up"
mark = "L"
reviewed = 2026-11-26
"""
    rules = RULES.with_counsel(text.encode(), "counsel.toml")

    def spans(day: date) -> list[tuple[str, ...]]:
        return [tuple(map(as_text, span)) for span in day_of(frozenset({NY}), frozenset({"US"}), day, rules).spans]

    # 01:30 comes twice: the second one counts
    assert spans(date(2027, 11, 7)) == [("2027-11-07T06:30Z", "2027-11-07T07:30Z")]
    # 02:30 does not come at all: what is left would be before 01:30 or after the gap
    assert spans(date(2027, 3, 14)) == []
    assert spans(date(2027, 3, 21)) == [("2027-03-21T05:30Z", "2027-03-21T06:30Z")]


def test_what_is_common_is_in_all() -> None:
    assert common([((0, 10), (20, 30)), ((5, 25),)]) == ((5, 10), (20, 25))
    assert common([((0, 10),), ((10, 20),)]) == ()
    assert common([((0, 10),), ()]) == ()


def test_an_unknown_place_has_the_narrow_hours_by_the_eastern_clock() -> None:
    found = day_of(frozenset(), frozenset({"unknown"}), MONDAY, RULES)
    assert [tuple(map(as_text, span)) for span in found.spans] == [("2026-09-14T18:00Z", "2026-09-15T00:00Z")]


def test_a_law_without_a_clock_to_read_it_by_still_closes_its_days() -> None:
    memorial_day_of_alabama = date(2026, 4, 27)
    found = day_of(frozenset(), frozenset({"US-AL", "unknown"}), memorial_day_of_alabama, RULES)
    assert (found.spans, found.closed) == ((), True)
    assert day_of(frozenset(), frozenset({"US", "unknown"}), memorial_day_of_alabama, RULES).spans
