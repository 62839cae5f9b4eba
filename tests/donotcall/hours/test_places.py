"""What ZIP codes, states, zones and countries tell of a place."""

from __future__ import annotations

import pytest

from dialfeed.donotcall.hours.clocks import clock_of, known_zone
from dialfeed.donotcall.hours.places import (
    NOWHERE,
    place_of_country,
    place_of_postal_code,
    place_of_state,
    place_of_zone,
    tables,
    zip_is_listed,
)

YEAR = 2027


@pytest.mark.parametrize(
    ("code", "country", "zones", "jurisdictions"),
    [
        ("42101", None, {"America/Chicago"}, {"US-KY"}),  # Bowling Green
        ("40202", None, {"America/New_York"}, {"US-KY"}),  # Louisville
        ("32401", None, {"America/Chicago"}, {"US-FL"}),  # Panama City
        ("02139-4307", None, {"America/New_York"}, {"US-MA"}),
        ("021394307", "US", {"America/New_York"}, {"US-MA"}),
        ("85001", None, {"America/Phoenix"}, {"US-AZ"}),
        ("86503", None, {"America/Denver"}, {"US-AZ"}),  # Chinle, in the Navajo Nation
        ("36867", None, {"America/Chicago", "America/New_York"}, {"US-AL"}),  # Phenix City: the sources disagree
        ("96910", None, {"Pacific/Guam"}, {"US-GU", "US-MP", "FM", "MH", "PW"}),
        ("32499", None, {"America/Chicago", "America/New_York"}, {"US-FL"}),  # none like it, in a split prefix
        ("09012", None, set(), set()),  # armed forces
        ("00000", None, set(), set()),
        ("12345", "DE", set(), set()),
        ("1234", None, set(), set()),
        ("M5V 3L9", None, {"America/Toronto", "America/Winnipeg", "America/Atikokan"}, {"CA-ON"}),
        ("h2y1c6", "CA", {"America/Toronto", "America/Halifax", "America/Blanc-Sablon"}, {"CA-QC"}),
        ("M5V 3L9", "US", set(), set()),
        ("6000", "AU", {"Australia/Perth", "Australia/Eucla"}, {"AU-WA"}),
        ("SW1A 1AA", "GB", set(), set()),
    ],
)
def test_a_postal_code_tells_its_zones_and_state(
    code: str, country: str | None, zones: set[str], jurisdictions: set[str]
) -> None:
    place = place_of_postal_code(code, country)
    assert (set(place.zones), set(place.jurisdictions)) == (zones, jurisdictions)


@pytest.mark.parametrize(
    ("text", "country", "jurisdictions"),
    [
        ("KY", None, {"US-KY"}),
        ("kentucky", "US", {"US-KY"}),
        ("Ont.", None, set()),
        ("ON", None, {"CA-ON"}),
        ("Québec", "CA", {"CA-QC"}),
        ("WA", None, {"US-WA"}),
        ("WA", "AU", {"AU-WA"}),
        ("Bayern", "DE", set()),
        ("AE", None, set()),
        ("ZZ", None, set()),
    ],
)
def test_a_state_is_read_in_its_country(text: str, country: str | None, jurisdictions: set[str]) -> None:
    assert set(place_of_state(text, country).jurisdictions) == jurisdictions


SPLIT_STATES = "AZ FL ID IN KS KY MI ND NE NV OR SD TN TX AK OK"  # Oklahoma has Kenton, in the panhandle


def test_exactly_the_split_states_have_several_clocks() -> None:
    states = tables()["states"]["US"]
    split = {code for code, zones in states.items() if len({clock_of(zone, YEAR) for zone in zones}) > 1}
    assert split == set(SPLIT_STATES.split())


def test_every_zone_in_the_tables_is_one_of_the_database() -> None:
    nations = tables()["states"]
    named = [zone for nation in ("US", "CA", "AU") for zones in nations[nation].values() for zone in zones]
    named += tables("zips.toml")["zips"]["clocks"].values()
    named += tables()["places"]["names"]
    assert [zone for zone in named if known_zone(zone) != zone] == []


@pytest.mark.parametrize("text", ["UTC", "Etc/GMT+5", "GMT", "Central", "America/Springfield", ""])
def test_a_clock_without_a_place_tells_none(text: str) -> None:
    assert place_of_zone(text) == NOWHERE


def test_a_zone_tells_itself_and_its_country() -> None:
    assert place_of_zone("america/toronto").zones == {"America/Toronto"}
    assert place_of_zone("america/toronto").jurisdictions == {"CA"}


def test_a_country_tells_its_zones() -> None:
    assert place_of_country("fr").zones == {"Europe/Paris"}
    assert place_of_country("XX") == NOWHERE


@pytest.mark.parametrize(
    ("code", "listed"), [("10001", True), ("10001-1234", True), ("00000", False), ("09012", False), ("10000", False)]
)
def test_a_zip_code_is_listed_where_the_tables_have_it_with_a_place(code: str, *, listed: bool) -> None:
    assert zip_is_listed(code) is listed


def test_the_zip_table_covers_every_state() -> None:
    rows = tables("zips.toml")["zips"]["table"]["rows"].strip().splitlines()
    states = {state for row in rows for state in row.split(" ")[1].split(",")}
    assert set(tables()["states"]["US"]) <= states
    assert len(rows) > 900
