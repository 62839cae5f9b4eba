"""Clocks: one pinned database, zones compared by what they show, and times that come twice or not at all."""

from __future__ import annotations

from datetime import UTC, date, datetime
from importlib import metadata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.donotcall.hours import clocks
from dialfeed.donotcall.hours.clocks import as_text, clock_of, country_of, known_zone, moments, one_name_a_clock


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("America/Chicago", "America/Chicago"),
        (" america/CHICAGO ", "America/Chicago"),
        ("us/eastern", "US/Eastern"),
        ("Chicago", None),
        ("America/Springfield", None),
        ("../../etc/passwd", None),
        ("", None),
    ],
)
def test_zones_are_known_by_their_name_in_any_case(written: str, known: str | None) -> None:
    assert known_zone(written) == known


def test_the_database_is_the_pinned_one_and_not_the_machine_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONTZPATH", "/nowhere")
    clocks.zone.cache_clear()
    assert clocks.zone("America/New_York").key == "America/New_York"
    assert metadata.version("tzdata") == clocks.TZDATA_VERSION


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("America/New_York", "America/Detroit", True),
        ("America/New_York", "America/Indiana/Indianapolis", True),
        ("America/Chicago", "America/North_Dakota/Center", True),
        ("America/Denver", "America/Phoenix", False),  # alike in winter only
        ("America/Denver", "America/Boise", True),
        ("America/Halifax", "America/Puerto_Rico", False),
        ("Europe/London", "Europe/Guernsey", True),
    ],
)
def test_zones_that_show_the_same_time_through_the_year_have_one_clock(one: str, other: str, *, same: bool) -> None:
    assert (clock_of(one, 2027) == clock_of(other, 2027)) is same


def test_a_clock_is_named_by_the_preferred_zone() -> None:
    zones = frozenset({"America/Detroit", "America/Kentucky/Louisville", "America/Boise"})
    named = one_name_a_clock(zones, 2027, ("America/New_York", "America/Denver"))
    assert sorted(named.values()) == ["America/Denver", "America/New_York"]


def test_a_time_that_comes_twice_or_never_has_two_readings() -> None:
    before, after = moments("America/New_York", date(2026, 11, 1), 90)
    assert (as_text(before), as_text(after)) == ("2026-11-01T05:30Z", "2026-11-01T06:30Z")
    before, after = moments("America/New_York", date(2026, 3, 8), 150)
    assert after - before == 60


@given(
    st.sampled_from(["America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo"]),
    st.dates(date(2025, 1, 1), date(2028, 12, 31)),
    st.integers(0, 1440),
)
def test_the_readings_of_a_time_enclose_it(name: str, day: date, minute: int) -> None:
    early, late = moments(name, day, minute)
    told = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() // 60 + minute
    assert early <= late <= early + 120
    shown = [clocks.as_datetime(moment).astimezone(clocks.zone(name)).replace(tzinfo=UTC) for moment in (early, late)]
    assert any(abs(one.timestamp() / 60 - told) <= 120 for one in shown)


def test_a_zone_has_a_country_and_a_link_or_utc_has_none() -> None:
    assert [country_of(name) for name in ("America/Toronto", "Europe/Paris", "US/Eastern", "Etc/UTC")] == [
        "CA",
        "FR",
        None,
        None,
    ]
