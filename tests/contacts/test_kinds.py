"""Kinds of phone numbers: told, and rejected where the user does not want them."""

from __future__ import annotations

from typing import Any

import phonenumbers
import polars as pl
import pytest

from dialfeed.contacts.kinds import CALLED, KINDS, unwanted_code
from dialfeed.contacts.phone import normalise_phones, phone_kinds
from dialfeed.contacts.reasons import BY_CODE
from dialfeed.contacts.rules import RuleSet, check

FLAGS = {"doNotCall": "false", "doNotEmail": "false"}


def example(kind: str) -> str:
    """The library's own example of a kind."""
    number = phonenumbers.example_number_for_type(
        REGIONS.get(kind, "GB"), getattr(phonenumbers.PhoneNumberType, kind.upper())
    )
    assert number is not None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


REGIONS = {"fixed_line_or_mobile": "US", "shared_cost": "DE", "voicemail": "CH"}
EXAMPLES = {kind: example(kind) for kind in CALLED}


def test_every_kind_has_its_name_and_its_reason() -> None:
    assert {kind for kind in KINDS if kind} == CALLED.keys()
    assert {unwanted_code(kind) for kind in CALLED} <= BY_CODE.keys()


@pytest.mark.parametrize(("kind", "number"), EXAMPLES.items())
def test_the_kind_of_a_number_is_told(kind: str, number: str) -> None:
    assert phone_kinds(pl.Series([None, number, "+12"])).to_list() == [None, kind, None]


def test_the_kind_is_the_one_that_normalising_tells() -> None:
    numbers = pl.Series(list(EXAMPLES.values()))
    found = normalise_phones(numbers, pl.Series([None] * len(numbers), dtype=pl.String))
    assert phone_kinds(found["e164"]).to_list() == found["kind"].to_list()


def checked(rows: dict[str, list[str | None]], **rules: object) -> tuple[list[Any], list[Any]]:
    size = len(next(iter(rows.values())))
    frame = pl.DataFrame({"_row": pl.Series(range(2, 2 + size), dtype=pl.Int64), **rows})
    found = check(frame, RuleSet(stated=FLAGS, **rules))  # type: ignore[arg-type]
    return found.contacts["phone"].to_list(), found.faults.select("_row", "field", "code").rows()


def test_numbers_of_unwanted_kinds_are_rejected_each_with_its_reason() -> None:
    phones = [EXAMPLES["premium_rate"], EXAMPLES["mobile"], EXAMPLES["pager"], "oops", None]
    rows: dict[str, list[str | None]] = {"0": phones, "1": [None, None, None, None, "a@example.com"]}
    kinds = frozenset({"premium_rate", "pager"})
    told = checked(rows, fields={"phone": "0", "email": "1"}, unwanted_kinds=kinds)
    assert told == (
        [EXAMPLES["mobile"], None],
        [(2, "phone", "phone.unwanted_premium_rate"), (4, "phone", "phone.unwanted_pager"),
         (5, "phone", "phone.not_a_number")],
    )  # fmt: skip


def test_another_number_of_the_row_is_taken_for_an_unwanted_one() -> None:
    rows: dict[str, list[str | None]] = {"0": [EXAMPLES["premium_rate"]], "1": [EXAMPLES["mobile"]]}
    told = checked(
        rows, fields={"phone": "0"}, others={"phone": {"work": "1"}}, unwanted_kinds=frozenset({"premium_rate"})
    )
    assert told == ([EXAMPLES["mobile"]], [])


@pytest.mark.parametrize(
    ("typed", "region"),
    [("911", "US"), ("40404", "US"), ("116117", "DE"), ("112", "DE"), ("999", "GB"), ("118500", "GB")],
)
def test_short_codes_and_emergency_numbers_are_always_rejected(typed: str, region: str) -> None:
    found = normalise_phones(pl.Series([typed]), pl.Series([region]))
    assert found["e164"].to_list() == [None]
    assert found["code"].item() in BY_CODE
