"""ZIP codes, states and time zones are carried, and checked where they are known to matter."""

from __future__ import annotations

import polars as pl
import pytest

from dialfeed.contacts.findings import ROW
from dialfeed.contacts.places import PLACES, STATES, check_zips, place_of
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
def test_zip_and_state_are_looked_at_in_the_united_states_only(country: str | None) -> None:
    made = checked(country, plz="1067", state="SN")
    assert made.contacts.select("plz", "state").rows() == [("1067", "SN")]
    assert made.warnings.is_empty()


def test_no_name_stands_for_two_kinds_of_places() -> None:
    names = [name for place in PLACES for name in place.names]
    assert len(names) == len(set(names))
    assert place_of("city") is None
    assert len(STATES.split(",")) == 59
