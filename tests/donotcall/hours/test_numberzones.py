"""Where numbers are: split area codes, overlays, toll-free numbers, mobiles abroad."""

from __future__ import annotations

import numpy as np
import phonenumbers
import pytest
from phonenumbers import timezone
from phonenumbers.tzdata import TIMEZONE_DATA

from dialfeed.donotcall.hours.clocks import clock_of, known_zone
from dialfeed.donotcall.hours.numberzones import area_codes, number_places, place_of_area_code, place_of_number
from dialfeed.donotcall.hours.places import NOWHERE

# `compliance.md` section 6, "Measured with phonenumbers 9.0.43"
SPLIT = "208 219 250 270 308 418 423 541 574 605 606 620 701 709 775 785 807 812 850 867 879 906 907 928 986"
YEAR = 2027


def clocks(code: str) -> set[object]:
    return {clock_of(zone, YEAR) for zone in place_of_area_code(code).zones}


def exchanges(code: str) -> set[str]:
    return {zone for prefix, zones in TIMEZONE_DATA.items() if prefix.startswith(f"1{code}") for zone in zones}


@pytest.mark.parametrize("code", SPLIT.split())
def test_a_split_area_code_has_every_zone_that_its_exchanges_show(code: str) -> None:
    assert place_of_area_code(code).zones >= exchanges(code)
    assert len(clocks(code)) > 1


def test_exactly_the_known_area_codes_are_split_by_the_library_s_own_data() -> None:
    year = 2026
    split = {code for code in area_codes() if len({clock_of(zone, year) for zone in exchanges(code)}) > 1}
    assert split == set(SPLIT.split())


def test_eighteen_area_codes_whose_default_misses_a_zone_have_it_here() -> None:
    wrong = set()
    for code in SPLIT.split():
        default = {clock_of(zone, YEAR) for zone in TIMEZONE_DATA.get(f"1{code}", ())}
        shown = {clock_of(zone, YEAR) for zone in exchanges(code)}
        if default and default < shown:
            wrong.add(code)
        assert shown <= clocks(code)
    assert {"219", "270", "423", "850"} <= wrong
    assert len(wrong) == 18


@pytest.mark.parametrize(
    ("overlay", "older", "state"),
    [
        ("364", "270", "US-KY"),
        ("448", "850", "US-FL"),
        ("930", "812", "US-IN"),
        ("986", "208", "US-ID"),
        ("458", "541", "US-OR"),
        ("729", "423", "US-TN"),  # newer than the library's data
        ("879", "709", "CA"),
    ],
)
def test_an_overlay_inherits_the_zones_and_the_state_of_the_older_code(overlay: str, older: str, state: str) -> None:
    assert place_of_area_code(overlay).zones >= place_of_area_code(older).zones
    assert place_of_area_code(overlay).jurisdictions == place_of_area_code(older).jurisdictions == {state}


@pytest.mark.parametrize(
    "number",
    [18005550199, 18885550199, 15005550100, 17005550100, 19005550100, 12115550100, 80012345678, 882123456789, 0],
)
def test_a_number_without_a_place_tells_none(number: int) -> None:
    assert place_of_number(number) == NOWHERE


def test_every_area_code_has_one_jurisdiction_and_zones_of_the_database() -> None:
    assert len(area_codes()) > 430
    for code in area_codes():
        place = place_of_area_code(code)
        assert len(place.jurisdictions) == 1
        assert "" not in place.jurisdictions
        assert all(known_zone(zone) for zone in place.zones)


@pytest.mark.parametrize(
    ("number", "jurisdiction"),
    [
        (14165550100, "CA"),
        (12125550100, "US-NY"),
        (17875550100, "US-PR"),
        (18765550100, "JM"),
        (16715550100, "US-GU"),
        (442079460000, "GB"),
        (77012345678, "KZ"),
        (79161234567, "RU"),
        (33199001234, "FR"),
        (61255501234, "AU"),
    ],
)
def test_a_number_names_its_country_and_in_the_united_states_its_state(number: int, jurisdiction: str) -> None:
    assert place_of_number(number).jurisdictions == {jurisdiction}


def test_an_exchange_narrows_only_a_verified_landline() -> None:
    known = next(prefix for prefix, zones in TIMEZONE_DATA.items() if prefix.startswith("1270") and len(prefix) == 7)
    number = int(known) * 10**4 + 100
    assert place_of_number(number).zones == place_of_area_code("270").zones
    assert place_of_number(number, landline=True).zones == set(TIMEZONE_DATA[known])
    assert place_of_number(12705550100, landline=True).zones == place_of_area_code("270").zones


def test_a_mobile_abroad_is_somewhere_in_its_country_and_a_landline_where_its_prefix_says() -> None:
    assert len(place_of_number(61491570006).zones) > 5
    assert place_of_number(61255501234).zones < place_of_number(61491570006).zones
    assert "Europe/Kaliningrad" in place_of_number(79161234567).zones or len(place_of_number(79161234567).zones) > 10


def test_abroad_the_zones_hold_all_that_the_library_tells_for_valid_numbers() -> None:
    told = 0
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in (0, 1):
            number = phonenumbers.example_number_for_type(region, kind)
            if number is None or number.country_code == 1 or region == "KZ":  # to the library, all of Russia's
                continue
            e164 = int(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:])
            zones = {zone for zone in timezone.time_zones_for_number(number) if known_zone(zone)}
            ours = {clock_of(zone, YEAR) for zone in place_of_number(e164).zones}
            assert {clock_of(zone, YEAR) for zone in zones} <= ours, (region, kind)
            told += 1
    assert told > 300


def test_a_column_is_read_as_its_numbers_one_by_one() -> None:
    chance = np.random.default_rng(20261126)
    american = chance.integers(12_000_000_000, 19_999_999_999, 300)
    abroad = chance.integers(20 * 10**9, 99 * 10**9, 300)
    numbers = np.concatenate([american, abroad]).astype(np.uint64)
    landlines = chance.random(600) < 0.5
    found = number_places()
    column = [found.places[number] for number in found.look_up(numbers, landlines)]
    singly = [place_of_number(int(one), landline=bool(two)) for one, two in zip(numbers, landlines, strict=True)]
    assert column == singly
