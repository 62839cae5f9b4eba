"""Rules of lists are dated data with a source; what is certain may only be made stricter."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from list_world import numbers, us

from dialfeed.donotcall.areas import (
    Territory,
    area_codes_of,
    code_of,
    in_nation,
    lives_in,
    regions_of,
    states_of_area_codes,
)
from dialfeed.donotcall.incoming import _FAULTS
from dialfeed.donotcall.listfiles.answers import answer_forms
from dialfeed.donotcall.listfiles.base import Fault
from dialfeed.donotcall.regimes import authorities, must_apply_by, regime_of, rule_pack, widens_from
from dialfeed.errors import FixSettings
from dialfeed.moments import end_of, moment_of, span_of

STATES = ("CO", "FL", "IN", "LA", "MA", "MO", "OK", "PA", "TN", "TX", "WY")
KNOWN = [name for name in authorities() if name != "state:XX"] + [f"state:{state}" for state in STATES]


@pytest.mark.parametrize("authority", KNOWN)
def test_every_rule_has_a_source_a_mark_and_a_day_of_review(authority: str) -> None:
    regime = regime_of(authority)
    assert regime.source
    assert regime.mark in {"H", "M", "L"}
    assert date(2026, 11, 1) <= regime.reviewed
    assert regime.territory
    assert (regime.model == "result") == (regime.answers in answer_forms())


@pytest.mark.parametrize("name", ["answers", "exemptions", "holidays", "hours", "platform_hours", "regimes"])
def test_a_source_is_named_so_that_whoever_reads_it_can_look_it_up(name: str) -> None:
    rules = resources.files("dialfeed.donotcall").joinpath(f"data/{name}.toml").read_text("utf-8")
    sources = re.findall(r'^source = "(.*)"$', rules, re.MULTILINE)
    assert sources
    assert [
        each for each in sources if re.search(r"\bS[0-9]+\b|compliance\.md|^[0-9.]+( |:|$)(?!CFR|P\.S\.)", each)
    ] == []


@pytest.mark.parametrize(
    ("authority", "days"),
    [("us", 31), ("ca", 31), ("au", 30), ("uk", 28), ("it", 15), ("fr", 30), ("reassigned", 30), ("internal", None),
     ("litigator", None), ("custom", None)],
)  # fmt: skip
def test_lists_may_be_so_old(authority: str, days: int | None) -> None:
    assert regime_of(authority).age_of(None) == (None if days is None else timedelta(days=days))


def test_what_is_not_certain_may_be_overruled_and_what_is_only_to_be_stricter() -> None:
    assert regime_of("it").age_of(timedelta(days=20)) == timedelta(days=20)
    assert regime_of("uk").age_of(timedelta(days=20)) == timedelta(days=20)
    with pytest.raises(FixSettings, match="28 days old at most"):
        regime_of("uk").age_of(timedelta(days=29))


def test_the_rules_have_a_name_and_a_hash() -> None:
    assert set(rule_pack()) == {"id", "sha256"}
    assert widens_from() == date(2027, 1, 31)


# --- by when an opt-out must be in force ------------------------------------------------------------------------------

FRIDAY = datetime(2026, 11, 20, 20, 0, tzinfo=ZoneInfo("America/New_York"))


def test_business_days_are_counted_where_the_request_was_received() -> None:
    by = must_apply_by(FRIDAY, "US", "phone")
    assert by == datetime(2026, 12, 4, 20, 0, tzinfo=ZoneInfo("America/New_York"))


def test_a_request_on_a_saturday_is_due_two_weeks_after_the_day_before() -> None:
    assert must_apply_by(FRIDAY + timedelta(days=1), "US", "phone").date() == date(2026, 12, 4)


def test_canada_counts_calendar_days_and_others_do_not_wait() -> None:
    assert must_apply_by(FRIDAY, "CA", "phone") == FRIDAY + timedelta(days=14)
    assert must_apply_by(FRIDAY, "GB", "phone") == FRIDAY
    assert must_apply_by(FRIDAY, None, "phone") == FRIDAY
    assert must_apply_by(FRIDAY, None, "email").date() == date(2026, 12, 4)


# --- places -----------------------------------------------------------------------------------------------------------


def test_every_area_code_belongs_to_one_state() -> None:
    states = states_of_area_codes()
    assert len(states) > 350
    assert sum(len(area_codes_of(state)) for state in set(states.values())) == len(states)
    known = {"212": "NY", "305": "FL", "206": "WA", "202": "DC", "787": "PR", "907": "AK"}
    assert {code: states[code] for code in known} == known
    assert "416" not in states
    assert "800" not in states


def test_a_region_is_that_of_the_number() -> None:
    found = regions_of(numbers(us(212), us(416), 442079460123, us(787), 1))
    assert found == ["US", "CA", "GB", "PR", None]
    assert in_nation(["212", "787"], ("US", "PR"))
    assert not in_nation(["212", "416"], ("US", "PR"))
    assert not in_nation(["21"], ("US",))
    assert (code_of(1212), code_of(4420)) == ("212", None)


def test_a_territory_of_everywhere_holds_every_number() -> None:
    assert Territory(("*",)).inside(numbers(us(212), 1), None).all()


def test_a_state_is_told_by_code_or_name() -> None:
    told = pl.Series(["TX", "texas", " Texas ", "tx", "TN", None, ""])
    assert lives_in(told, "TX").tolist() == [True, True, True, True, False, False, False]
    assert np.array_equal(lives_in(pl.Series([None], dtype=pl.String), "TX"), [False])


# --- what people write ------------------------------------------------------------------------------------------------


def test_a_date_is_its_beginning_for_a_list_and_its_end_for_what_expires() -> None:
    assert moment_of("2026-11-20", "x") == datetime(2026, 11, 20, tzinfo=UTC)
    assert end_of("2026-11-20", "x") == datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert end_of("2026-11-20T10:00Z", "x") == moment_of("2026-11-20T11:00+01:00", "x")


@pytest.mark.parametrize("text", ["", "20.11.2026", "2026-11-20T10:00", "2026-13-01", "now"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(FixSettings, match="--obtained"):
        moment_of(text, "--obtained")


def test_spans_are_days_or_hours() -> None:
    assert [span_of(text, "x") for text in ("31d", "36h", " 7 ", "0d")] == [
        timedelta(days=31), timedelta(hours=36), timedelta(days=7), timedelta(0),
    ]  # fmt: skip
    for wrong in ("", "-1d", "1w", "1.5d", "999999d", "d"):
        with pytest.raises(FixSettings, match="no span"):
            span_of(wrong, "x")


def test_every_fault_of_a_line_has_its_words() -> None:
    assert set(_FAULTS) == set(Fault)
