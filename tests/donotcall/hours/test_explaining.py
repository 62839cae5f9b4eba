"""One contact's hours, explained."""

from __future__ import annotations

from datetime import UTC, date, datetime

import orjson
import pytest

from dialfeed.donotcall.hours.explaining import Explanation, explain_hours
from dialfeed.donotcall.hours.rules import HourRules

RULES = HourRules.load()


def explained(now: str, number: int | None = 12055550100, day: date | None = None, **told: str) -> Explanation:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    return explain_hours(number, told.get("zip"), told.get("state"), told.get("zone"), moment, rules=RULES, day=day)


def test_every_rule_is_told_with_its_hours_its_source_and_its_clock() -> None:
    rules = explained("2026-09-16T12:00").as_dict()["rules"]
    assert [(rule["jurisdiction"], rule["hours"], rule["clocks"]) for rule in rules] == [
        ("US", ["08:00-21:00"], ["America/Chicago"]),
        ("US-AL", ["08:00-20:00"], ["America/Chicago"]),
    ]
    assert all(rule["source"] and rule["mark"] and rule["reviewed"] for rule in rules)


@pytest.mark.parametrize(
    ("now", "callable_now", "coming"),
    [
        ("2026-09-16T12:59", False, "2026-09-16T13:00Z"),
        ("2026-09-16T13:00", True, "2026-09-16T13:00Z"),
        ("2026-09-17T00:59", True, "2026-09-16T13:00Z"),
        ("2026-09-17T01:00", False, "2026-09-17T13:00Z"),
        ("2026-09-20T15:00", False, "2026-09-21T13:00Z"),  # a Sunday
        ("2026-12-24T23:00", True, "2026-12-24T14:00Z"),
        ("2026-12-25T02:00", False, "2026-12-26T14:00Z"),  # Christmas Day
    ],
)
def test_it_says_whether_to_call_now_and_when_next(now: str, coming: str, *, callable_now: bool) -> None:
    told = explained(now).as_dict()
    assert (told["callable_now"], told["next"]["from"]) == (callable_now, coming)


def test_a_closed_day_says_for_what() -> None:
    told = explained("2026-11-20T12:00", day=date(2026, 11, 26)).as_dict()
    assert told["callable"] == []
    assert [rule["closed_for"] for rule in told["rules"]] == [None, "Thanksgiving Day"]
    assert [doubt["code"] for doubt in told["doubts"]] == ["hours.closed_day"]


def test_it_says_which_sources_tell_nothing_and_that_the_zip_code_is_a_trap() -> None:
    told = explained("2026-09-16T12:00", zip="1234", state="Atlantis").as_dict()
    assert told["telling_nothing"] == ["zip", "state"]
    assert [doubt["code"] for doubt in told["doubts"]] == ["hours.genesys_zip_trap"]
    assert explained("2026-09-16T12:00", 18005550199).as_dict()["telling_nothing"] == ["number"]


def test_a_contact_that_may_never_be_called_has_no_next() -> None:
    told = explained("2026-09-16T12:00", 12125550100, zip="96910").as_dict()
    assert (told["callable_now"], told["next"]) == (False, None)


def test_today_is_the_day_at_the_contact_s_place() -> None:
    assert explained("2026-09-17T02:00", 12125550100).day == date(2026, 9, 16)
    assert explained("2026-09-16T23:30", 61255501234).day == date(2026, 9, 17)
    assert explained("2026-09-17T02:00", 18005550199).day == date(2026, 9, 17)


def test_the_explanation_is_plain_and_repeats_neither_number_nor_address() -> None:
    told = orjson.dumps(explained("2026-09-16T12:00", zip="35203-1234", state="Alabama").as_dict()).decode()
    assert not any(secret in told for secret in ("2055550100", "35203", "Alabama"))
