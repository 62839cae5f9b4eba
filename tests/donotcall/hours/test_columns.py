"""Calling hours of columns, and the law of this room: nobody is called when it may be illegal where they may be."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers.tzdata import TIMEZONE_DATA

from dialfeed.contacts.reasons import BY_CODE
from dialfeed.donotcall.hours.columns import WINDOW_SCHEMA, calling_windows, doubts_of, evidence_of, hours_on
from dialfeed.donotcall.hours.rules import HourRules

RULES = HourRules.load()
WEDNESDAY = date(2026, 9, 16)

# --- an independent judge: the charts of `compliance.md` section 1.6, plain zones, plain arithmetic -------------------

STRICTER = {  # weekdays, Saturday, Sunday: first and last hour by the own clock
    "AL": ((8, 20), (8, 20), None),
    "CT": ((9, 20), (9, 20), (9, 20)),
    "FL": ((8, 20), (8, 20), (8, 20)),
    "KY": ((10, 21), (10, 21), (10, 21)),
    "LA": ((8, 20), (8, 20), None),
    "MI": ((9, 21), (9, 21), (9, 21)),
    "MN": ((9, 21), (9, 21), (9, 21)),
    "NV": ((9, 20), (9, 20), (9, 20)),
    "OK": ((8, 20), (8, 20), (8, 20)),
    "RI": ((9, 18), (10, 17), None),
    "TX": ((9, 21), (9, 21), (12, 21)),
    "UT": ((8, 21), (8, 21), None),
    "WA": ((8, 20), (8, 20), (8, 20)),
}
CODES_OF = {
    "AL": "205 251 256 334 659 938",
    "CT": "203 475 860 959",
    "FL": "239 305 321 352 386 407 448 561 689 727 754 772 786 813 850 863 904 941 954",
    "KY": "270 364 502 606 859",
    "LA": "225 318 337 504 985",
    "MI": "231 248 269 313 517 586 616 734 810 906 947 989",
    "MN": "218 320 507 612 651 763 952",
    "NV": "702 725 775",
    "OK": "405 539 580 918",
    "RI": "401",
    "TX": "210 214 254 281 325 361 409 430 432 512 713 806 817 830 903 915 936 940 956 972 979",
    "UT": "385 435 801",
    "WA": "206 253 360 425 509 564",
}
STATE_OF = {code: state for state, codes in CODES_OF.items() for code in codes.split()}
FEDERAL = ((8, 21), (8, 21), (8, 21))
MISSISSIPPI = ("228", "601", "662", "769")
CANADA = """
    204 226 236 249 250 257 263 273 289 306 343 354 365 367 368 382 403 416 418 428 431 437 438 450 468 474 506 514 519
    548 579 581 584 587 604 613 639 647 672 683 705 709 742 753 778 780 782 807 819 825 867 873 879 902 905 942"""
CANADIAN = ((9, 21.5), (10, 18), (10, 18))


@cache
def plain_zone(name: str) -> ZoneInfo:
    with (resources.files("tzdata") / "zoneinfo" / name).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@cache
def plausible() -> dict[str, frozenset[str]]:
    """Area codes of the United States and their zones, straight from the library's prefixes."""
    zones: defaultdict[str, set[str]] = defaultdict(set)
    for prefix, names in TIMEZONE_DATA.items():
        if prefix.startswith("1") and len(prefix) >= 4:
            zones[prefix[1:4]].update(names)
    for newer, older in (("364", "270"), ("448", "850"), ("930", "812"), ("986", "208")):
        zones[newer] |= zones[older]
    return {code: frozenset(names) for code, names in zones.items()}


def is_legal(code: str, moment: datetime, zones: frozenset[str]) -> bool:
    """Whether a call at a moment breaks no chart by any clock."""
    hours = CANADIAN if code in CANADA else STRICTER.get(STATE_OF.get(code, ""), FEDERAL)
    for name in zones:
        local = moment.astimezone(plain_zone(name))
        allowed = hours[max(local.weekday() - 4, 0)]
        clock = local.hour + local.minute / 60
        if allowed is None or not allowed[0] <= clock < allowed[1]:
            return False
    if code in MISSISSIPPI:
        central = moment.astimezone(plain_zone("America/Chicago"))
        return central.weekday() < 6 and 8 <= central.hour < 20
    return True


@cache
def every_code() -> pl.DataFrame:
    codes = sorted(plausible())
    return pl.DataFrame({"code": codes, "phone": [f"+1{code}5550100" for code in codes]})


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)


def open_hours(day: date) -> list[tuple[str, datetime, datetime]]:
    windows = calling_windows(every_code().select("phone"), day=day, rules=RULES)
    columns = (every_code()["code"], windows["callableFrom"], windows["callableUntil"])
    return [(code, at(first), at(last)) for code, first, last in zip(*columns, strict=True) if first is not None]


YEAR = [date(2027, 1, 1) + timedelta(days=count) for count in range(365)]
CHANGES = [date(2027, 3, 13), date(2027, 3, 14), date(2027, 3, 15), date(2027, 11, 6), date(2027, 11, 7)]


def test_through_a_year_no_area_code_is_callable_at_an_edge_that_is_illegal_in_a_plausible_zone() -> None:
    callable_days = 0
    for day in YEAR[::4] + CHANGES:  # four and seven have no common factor: every weekday comes
        for code, first, last in open_hours(day):
            callable_days += 1
            for moment in (first, last - timedelta(minutes=1)):
                assert is_legal(code, moment, plausible()[code]), (code, moment)
    assert callable_days > 25_000


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(YEAR + CHANGES * 10), st.floats(0, 1, exclude_max=True))
def test_no_area_code_is_callable_at_a_moment_that_is_illegal_in_a_plausible_zone(day: date, share: float) -> None:
    for code, first, last in open_hours(day):
        moment = first + timedelta(minutes=int((last - first).total_seconds() // 60 * share))
        assert is_legal(code, moment, plausible()[code]), (code, moment)


ZONES = [None, "America/New_York", "America/Chicago", "America/Phoenix", "Pacific/Honolulu", "Europe/Paris", "UTC"]
ZIPS = [None, "10001", "42101", "79901", "86503", "96813", "99501", "00000", "36867", "M5V 3L9"]
STATES = [None, "KY", "TX", "AZ", "AK", "Tennessee", "ON", "??"]


@settings(max_examples=150, deadline=None)
@given(
    code=st.sampled_from([*sorted(plausible()), "800", "500"]),
    zone=st.sampled_from(ZONES),
    zip_code=st.sampled_from(ZIPS),
    state=st.sampled_from(STATES),
    day=st.sampled_from(YEAR + CHANGES * 10),
)
def test_a_call_is_legal_by_every_clock_that_the_sources_leave(
    code: str, zone: str | None, zip_code: str | None, state: str | None, day: date
) -> None:
    evidence = evidence_of(int(f"1{code}5550199"), zip_code, state, zone)
    where, hours = hours_on(evidence, day, RULES)
    for first, last in hours.spans:
        for minute in (first, (first + last) // 2, last - 1):
            moment = datetime.fromtimestamp(minute * 60, UTC)
            assert is_legal(code, moment, plausible().get(code, frozenset()) | where.zones)
    assert all(code in BY_CODE for code in doubts_of(where, hours))


# --- columns ----------------------------------------------------------------------------------------------------------


def windows(
    day: date = WEDNESDAY, rules: HourRules = RULES, **columns: list[str | None]
) -> list[dict[str, str | None]]:
    return rows_of(columns, day, rules)


def rows_of(
    columns: dict[str, list[str | None]], day: date = WEDNESDAY, rules: HourRules = RULES
) -> list[dict[str, str | None]]:
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return calling_windows(frame, day=day, rules=rules).to_dicts()


def test_a_frame_has_a_row_for_each_contact_in_order() -> None:
    told = windows(phone=["+12125550100", "+12705550100", None, "+18005550199", "+12125550100"])
    assert [row["timeZone"] for row in told] == ["America/New_York", None, None, None, "America/New_York"]
    assert [row["callableFrom"] for row in told] == [
        "2026-09-16T12:00Z",
        "2026-09-16T15:00Z",
        None,
        "2026-09-16T18:00Z",
        "2026-09-16T12:00Z",
    ]
    assert [row["callableUntil"] for row in told] == [
        "2026-09-17T01:00Z",
        "2026-09-17T01:00Z",
        None,
        "2026-09-17T00:00Z",
        "2026-09-17T01:00Z",
    ]
    assert [row["callingDoubts"] for row in told] == [
        None,
        "hours.zone_multiple",
        None,
        "hours.zone_unknown",
        None,
    ]
    assert [row["jurisdictions"] for row in told] == ["US-NY", "US-KY", None, "unknown", "US-NY"]


def test_a_frame_without_rows_or_without_columns_is_answered() -> None:
    none = pl.DataFrame(schema={"phone": pl.String, "zip": pl.String, "state": pl.String})
    assert calling_windows(none, day=WEDNESDAY, rules=RULES).schema == WINDOW_SCHEMA
    other = pl.DataFrame({"name": ["x", "y"]})
    assert calling_windows(other, day=WEDNESDAY, rules=RULES)["jurisdictions"].to_list() == ["unknown", "unknown"]
    empty = pl.DataFrame({"phone": [None, None]}, schema={"phone": pl.String})
    assert calling_windows(empty, day=WEDNESDAY, rules=RULES)["callableFrom"].to_list() == [None, None]


def test_days_without_calls_say_why() -> None:
    sunday = date(2026, 9, 20)
    told = windows(
        sunday,
        phone=["+12055550100", "+14015550100", "+12125550100", "+16715550100"],
        timeZone=[None, None, None, "America/New_York"],
    )
    assert [row["callingDoubts"] for row in told] == [
        "hours.closed_day",
        "hours.closed_day",
        None,
        "hours.zip_phone_conflict hours.zone_multiple hours.no_common_window",
    ]
    assert [row["callableFrom"] is None for row in told] == [True, True, False, True]


def test_of_several_stretches_the_longest_is_told() -> None:
    told = windows(phone=["+33199001234"])[0]
    assert (told["callableFrom"], told["callableUntil"]) == ("2026-09-16T12:00Z", "2026-09-16T18:00Z")
    assert told["callingDoubts"] == "hours.split_window"


def test_where_nothing_tells_a_place_the_policy_may_block() -> None:
    told = windows(rules=HourRules.load(unknown="block"), phone=["+18005550199", "+12125550100"])
    assert [row["callableFrom"] for row in told] == [None, "2026-09-16T12:00Z"]
    assert told[0]["callingDoubts"] == "hours.zone_unknown"


def test_zip_codes_and_states_are_read_in_the_country_of_the_contact() -> None:
    told = windows(
        phone=["+61255501234", "+61255501234", "+442079460000", "+18005550199"],
        state=["WA", "WA", "WA", "WA"],
        zip=["6000", None, "6000", None],
        country=["AU", "US", None, None],
    )
    assert [row["jurisdictions"] for row in told] == ["AU AU-WA", "AU US-WA", "GB", "US-WA"]


def test_numbers_may_come_as_integers_and_landlines_narrow() -> None:
    frame = pl.DataFrame(
        {"phone": [12704430100, 12704430100], "landline": [True, None]},
        schema={"phone": pl.UInt64, "landline": pl.Boolean},
    )
    told = calling_windows(frame, day=WEDNESDAY, rules=RULES)
    assert told["timeZone"].to_list() == ["America/Chicago", None]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_hours_do_not_depend_on_the_other_rows_and_are_those_of_one_contact(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 12))
    pick = {
        "phone": ["+12125550100", "+12705550100", "+18005550199", "+442079460000", "+61491570006", None],
        "zip": [*ZIPS, "10001-1234", "6000"],
        "state": STATES,
        "timeZone": ZONES,
        "country": [None, "US", "FR", "AU"],
    }
    columns = {
        name: data.draw(st.lists(st.sampled_from(some), min_size=size, max_size=size)) for name, some in pick.items()
    }
    alone = [rows_of({name: [values[row]] for name, values in columns.items()})[0] for row in range(size)]
    assert rows_of(columns) == alone


@pytest.mark.parametrize("day", CHANGES)
def test_arizona_keeps_its_time_and_the_navajo_nation_does_not(day: date) -> None:
    told = windows(day, phone=[None, None], zip=["85001", "86503"])
    assert [row["timeZone"] for row in told] == ["America/Phoenix", "America/Denver"]
    phones = windows(day, phone=["+16025550100", "+19285550100"])
    assert [row["timeZone"] for row in phones] == ["America/Phoenix", None]
    assert phones[0]["callableFrom"] == f"{day}T15:00Z"
