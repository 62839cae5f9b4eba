"""All evidence of a place together: what agrees narrows, what disagrees widens, the number always joins."""

from __future__ import annotations

import pytest

from dialfeed.donotcall.hours.columns import evidence_of
from dialfeed.donotcall.hours.rules import HourRules
from dialfeed.donotcall.hours.zones import Whereabouts, locate

NY, CHI, LA, DEN = "America/New_York", "America/Chicago", "America/Los_Angeles", "America/Denver"
NEW_YORK, KENTUCKY, FLORIDA, TOLL_FREE, LONDON = 12125550100, 12705550100, 13055550100, 18005550199, 442079460000
RULES = HourRules.load()


def where(
    number: int | None = None,
    zip_code: str | None = None,
    state: str | None = None,
    zone: str | None = None,
    *,
    country: str | None = None,
    rules: HourRules = RULES,
) -> Whereabouts:
    return locate(evidence_of(number, zip_code, state, zone, country), 2027, rules)


Told = tuple[int | None, str | None, str | None, str | None]


@pytest.mark.parametrize(
    ("told", "zones", "jurisdictions", "doubts"),
    [
        # number, ZIP, state, zone
        ((NEW_YORK, None, None, None), {NY}, {"US-NY"}, ()),
        ((KENTUCKY, None, None, None), {NY, CHI}, {"US-KY"}, ("multiple",)),
        # the number joins, even where the ZIP code knows better
        ((KENTUCKY, "42101", "KY", None), {NY, CHI}, {"US-KY"}, ("multiple",)),
        # a ZIP code narrows its state, a zone narrows both
        ((None, "42101", "KY", None), {CHI}, {"US-KY"}, ()),
        ((None, None, "KY", None), {NY, CHI}, {"US-KY"}, ("multiple",)),
        ((None, None, "KY", CHI), {CHI}, {"US-KY"}, ()),
        ((None, "42101", "TN", None), {CHI}, {"US-KY", "US-TN"}, ()),
        # parts of an address that contradict one another all count
        ((None, "90210", "NY", None), {LA, NY}, {"US-CA", "US-NY"}, ("place_conflict", "multiple")),
        ((None, "10001", None, LA), {LA, NY}, {"US-NY", "US"}, ("place_conflict", "multiple")),
        # people keep their numbers when they move
        ((FLORIDA, "90210", "CA", None), {NY, LA}, {"US-FL", "US-CA"}, ("zip_phone_conflict", "multiple")),
        ((FLORIDA, "10001", "NY", None), {NY}, {"US-FL", "US-NY"}, ()),
        # a number without a place leaves it to the address
        ((TOLL_FREE, "10001", None, None), {NY}, {"US-NY"}, ()),
        ((TOLL_FREE, None, None, None), set(), {"unknown"}, ("unknown",)),
        ((None, None, None, None), set(), {"unknown"}, ("unknown",)),
        # what is not understood tells nothing
        ((NEW_YORK, "ABCDE", "Atlantis", "Mars/Olympus"), {NY}, {"US-NY"}, ()),
        ((NEW_YORK, None, None, "UTC"), {NY}, {"US-NY"}, ()),
        # ZIP codes and states of America are not read for numbers abroad
        ((LONDON, "10001", "NY", None), {"Europe/London"}, {"GB"}, ()),
    ],
)
def test_evidence_is_taken_together(
    told: Told, zones: set[str], jurisdictions: set[str], doubts: tuple[str, ...]
) -> None:
    found = where(*told)
    assert (set(found.zones), set(found.jurisdictions)) == (zones, jurisdictions)
    names = {"multiple": "zone_multiple", "unknown": "zone_unknown"}
    assert found.doubts == tuple(f"hours.{names.get(doubt, doubt)}" for doubt in doubts)
    assert (found.zone is not None) is (len(zones) == 1)


@pytest.mark.parametrize(
    ("told", "zone"),
    [
        ((None, None, None, "America/Indiana/Indianapolis"), "America/Indiana/Indianapolis"),
        ((NEW_YORK, None, None, "america/detroit"), "America/Detroit"),
        ((NEW_YORK, None, None, "US/Eastern"), NY),  # an old name for it
        ((None, "46060", None, None), NY),
        ((None, "86503", None, None), DEN),
        ((None, None, "HI", None), "Pacific/Honolulu"),
    ],
)
def test_a_certain_zone_has_the_name_that_the_contact_s_own_record_gives_it(told: Told, zone: str) -> None:
    assert where(*told).zone == zone


def test_a_zone_that_nothing_else_shows_brings_its_country_s_laws() -> None:
    assert where(NEW_YORK, zone="Europe/Paris").jurisdictions == {"US-NY", "FR"}
    assert where(442079460000, zone="Europe/Lisbon").jurisdictions == {"GB"}  # the same clock, loosely told


def test_a_country_joins_where_the_number_is_of_another() -> None:
    assert where(NEW_YORK, country="US").jurisdictions == {"US-NY"}
    found = where(TOLL_FREE, country="FR")
    assert (set(found.zones), set(found.jurisdictions)) == ({"Europe/Paris"}, {"FR"})
    assert where(NEW_YORK, country="FR").jurisdictions == {"US-NY", "FR"}


def test_a_country_of_many_clocks_tells_its_laws_but_no_place() -> None:
    found = where(TOLL_FREE, country="US")
    assert (set(found.zones), set(found.jurisdictions)) == (set(), {"US", "unknown"})


def test_the_area_code_s_state_may_count_only_where_its_law_presumes_it() -> None:
    text = '[pack]\nversion = "1"\n[policy]\narea_code_states = "presuming"\n'
    rules = RULES.with_counsel(text.encode(), "counsel.toml")
    alabama = 12055550100
    assert where(alabama, "10001", rules=RULES).jurisdictions == {"US-NY", "US-AL"}
    assert where(alabama, "10001", rules=rules).jurisdictions == {"US-NY", "US"}
    assert where(FLORIDA, "10001", rules=rules).jurisdictions == {"US-NY", "US-FL"}
    assert where(alabama, rules=rules).jurisdictions == {"US-AL"}  # it is all that is known
