"""ZIP codes, states and time zones are carried, and checked where they are known to matter."""

from __future__ import annotations

import polars as pl
import pytest

from dialfeed.contacts.findings import ROW
from dialfeed.contacts.places import PLACES, STATES, check_place, check_postal_codes, check_states, check_zips, place_of
from dialfeed.contacts.rules import Checked, RuleSet, check


@pytest.mark.parametrize(
    ("cell", "value", "code"),
    [
        ("10001", "10001", None), ("10001-1234", "10001-1234", None), ("2134", "02134", "zip.repaired"),
        ("2134-1234", "02134-1234", "zip.repaired"), ("10001.0", "10001", "zip.repaired"),
        ("2134.0", "02134", "zip.repaired"), ("213", None, "zip.blanked"), ("123456", None, "zip.blanked"),
        ("SW1A 1AA", None, "zip.blanked"), ("00000", None, "zip.blanked"), ("0000", None, "zip.blanked"),
        (None, None, None),
    ],
)  # fmt: skip
def test_a_zip_is_right_or_repaired_or_blanked(cell: str | None, value: str | None, code: str | None) -> None:
    assert check_zips(pl.Series([cell], dtype=pl.String)).rows() == [(value, code)]


def checked(country: str | None, **cells: str) -> Checked:
    fields = {"phone": "+12125550100", "doNotCall": "no", "doNotEmail": "no"}
    rules = RuleSet({name: name for name in fields}, {name: name for name in cells}, country)
    return check(pl.DataFrame({ROW: [2], **fields, **cells}), rules)


def test_what_is_not_known_is_told_and_the_row_goes_on() -> None:
    made = checked("US", zip="1", state="ZZ", timeZone="Mars/Base")
    assert made.contacts.select("zip", "state", "timeZone").rows() == [(None, "ZZ", "Mars/Base")]
    assert made.warnings["code"].to_list() == ["zip.blanked", "state.unknown", "zone.unknown"]


def test_what_is_known_stays_as_it_is() -> None:
    made = checked("US", zip="10001", state="new york", timeZone="america/new_york", city="1")
    assert made.contacts.select("zip", "state", "timeZone").rows() == [("10001", "new york", "america/new_york")]
    assert made.warnings.is_empty()


@pytest.mark.parametrize("country", ["DE", None])
def test_zip_and_state_are_looked_at_in_north_america_only(country: str | None) -> None:
    made = checked(country, plz="1067", state="SN")
    assert made.contacts.select("plz", "state").rows() == [("1067", "SN")]
    assert made.warnings.is_empty()


def test_no_name_stands_for_two_kinds_of_places() -> None:
    names = [name for place in PLACES for name in place.names]
    assert len(names) == len(set(names))
    assert place_of("city") is None


def test_every_code_of_the_postal_service_is_known() -> None:
    """Publication 28, appendix B: 50 states, the District, eight possessions and associated states, the military."""
    codes = """
        AL AK AS AZ AR CA CO CT DE DC FM FL GA GU HI ID IL IN IA KS KY LA ME MH MD MA MI MN MS MO MT NE NV NH NJ NM NY
        NC ND MP OH OK OR PW PA PR RI SC SD TN TX UT VT VI VA WA WV WI WY AE AP AA"""
    assert {state.strip()[:2] for state in STATES.split(",")} == set(codes.split())
    assert check_states(pl.Series([*codes.split(), "Palau", "virgin islands", "Guam"]))["code"].null_count() == 65


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("K1A 0B1", None), ("k1a0b1", None), ("V6B-4Y8", None), ("D1A 0B1", "postal.unknown"),
        ("W1A 0B1", "postal.unknown"), ("K1A 0O1", "postal.unknown"), ("K1A 0B", "postal.unknown"),
        ("10001", "postal.unknown"), (None, None),
    ],
)  # fmt: skip
def test_a_canadian_postal_code_is_right_or_told(cell: str | None, code: str | None) -> None:
    assert check_postal_codes(pl.Series([cell], dtype=pl.String)).rows() == [(cell, code)]


def test_a_row_of_canada_is_held_against_canada() -> None:
    made = checked("CA", postalCode="K1A 0B1", province="Québec")
    assert made.warnings.is_empty()
    made = checked("CA", zip="10001", state="NY")
    assert made.contacts.select("zip", "state").rows() == [("10001", "NY")]
    assert made.warnings["code"].to_list() == ["postal.unknown", "province.unknown"]


def test_rows_of_two_countries_are_each_held_against_their_own() -> None:
    place = place_of("zip")
    assert place is not None
    values, countries = pl.Series(["2134", "K1A 0B1", "1067", "1067"]), pl.Series(["US", "CA", "DE", None])
    assert check_place(place, values, countries).rows() == [
        ("02134", "zip.repaired"), ("K1A 0B1", None), ("1067", None), ("1067", None),
    ]  # fmt: skip
