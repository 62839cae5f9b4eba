"""What values say about a column, and how a source has changed: in counts and shapes, never in values."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.contacts.drift import Shape, compare, shape_of
from dialfeed.contacts.evidence import KINDS, channel_evidence, content, main_kind, shapes, written_as_phones
from dialfeed.contacts.mapping import map_headers

PHONES = [f"(212) 555-01{n:02}" for n in range(10)]
EMAILS = [f"a{n}@example.com" for n in range(10)]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (PHONES, "number"), (["+12125550100"] * 3, "number"), (EMAILS, "email"), (["yes", "NO", "0"], "flag"),
        (["2026-11-23", "23.11.2026", "11/23/26"], "date"), (["Ada", "Bo", "C 3"], "text"), (["Ada", "1", "x@y.z"], ""),
        (["yes", "no"], ""), ([None, None, None], ""),
    ],
)  # fmt: skip
def test_the_kind_of_nearly_all_values_is_the_columns(values: list[str | None], kind: str) -> None:
    assert main_kind(content(pl.Series(values, dtype=pl.String))) == kind


@given(st.lists(st.none() | st.text(max_size=6), max_size=20))
def test_every_value_is_of_one_kind_or_empty(values: list[str | None]) -> None:
    counted = content(pl.Series(values, dtype=pl.String))
    assert counted["rows"] == len(values) == counted["empty"] + sum(counted[kind] for kind in KINDS)


@pytest.mark.parametrize(
    ("values", "region", "channel"),
    [
        (PHONES, "US", "phone"), (PHONES, None, ""), (PHONES[:2], "US", ""), (EMAILS, None, "email"),
        ([*PHONES[:9], "x"], "US", "phone"), ([*PHONES[:8], "x", "y"], "US", ""),
        ([str(n) for n in range(9)], "US", ""),
    ],
)  # fmt: skip
def test_nine_of_ten_values_make_a_channel(values: list[str], region: str | None, channel: str) -> None:
    found = channel_evidence(pl.DataFrame({"3": values}), [3], region)
    assert found == ({3: channel} if channel else {})


@pytest.mark.parametrize(
    ("values", "written"),
    [
        (PHONES, True), (["+12125550100"], True), (["030 23125000", "03023125001"], True), (["212.555.0100"], True),
        (["tel:2125550100"], True), (["212-555-0100"] * 9 + ["2125550101"], True),
        (["2125550100", "2125550101"], False), (["2125550100.0"], False), (["30231250.00"], False),
        (["12125550100"], False),
    ],
)  # fmt: skip
def test_nothing_but_digits_is_not_written_as_only_phones_are(values: list[str], written: bool) -> None:
    assert written_as_phones(pl.Series(values)) is written


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=8))
def test_a_shape_shows_no_letter_and_no_digit(values: list[str]) -> None:
    for shape in shapes(pl.Series(values)):
        assert {sign for sign in shape if sign.isalpha() or sign.isdecimal()} <= {"a", "9"}


def shape(*header: str, **contents: list[str]) -> Shape:
    counted = {header.index(name): content(pl.Series(values)) for name, values in contents.items()}
    return shape_of(map_headers(header), counted)


FLAGS = ("doNotCall", "doNotEmail")


def test_a_shape_survives_being_remembered() -> None:
    one = shape("phone", "City", *FLAGS, phone=PHONES)
    assert Shape.from_dict(one.as_dict()) == one
    assert compare(one, one) == []


def test_a_field_that_another_column_would_fill_stops_unless_the_user_says_so() -> None:
    before, now = shape("mobile", *FLAGS), shape("mobile", "phone", *FLAGS)
    assert [each.stops for each in compare(before, now)] == [True, False]
    assert [each.stops for each in compare(before, replace(now, decided={"phone": "phone"}))] == [False]


def test_ids_may_change_their_form_and_phones_may_not_become_addresses() -> None:
    header = ("externalId", "phone", *FLAGS)
    before = shape(*header, externalId=["11", "12", "13", "14", "15"], phone=PHONES)
    assert compare(before, shape(*header, externalId=["A-1", "B-2", "C-3", "D-4", "E-5"], phone=PHONES)) == []
    (difference,) = compare(before, shape(*header, externalId=["11"] * 5, phone=EMAILS))
    assert difference.stops
    (difference,) = compare(before, shape(*header, externalId=EMAILS, phone=PHONES))
    assert "externalId" in difference.sentence
