"""Full names are cut only where there is one way to cut them."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.contacts.names import NOT_SPLIT, split_full_names


@pytest.mark.parametrize(
    ("whole", "first", "last"),
    [
        ("Ada Lovelace", "Ada", "Lovelace"), ("Lovelace, Ada", "Ada", "Lovelace"), ("Lovelace,Ada", "Ada", "Lovelace"),
        ("De la Cruz, María José", "María José", "De la Cruz"), ("Anne-Marie O'Neil", "Anne-Marie", "O'Neil"),
        ("van Gogh, Vincent", "Vincent", "van Gogh"), ("Jörg  Müller", "Jörg", "Müller"),
    ],
)  # fmt: skip
def test_one_reading_is_split(whole: str, first: str, last: str) -> None:
    assert split_full_names(pl.Series([whole])).rows() == [(first, last, None)]


@pytest.mark.parametrize(
    "whole",
    [
        "Ada", "Ada King Lovelace", "Dr. Lovelace", "Mr Lovelace", "Frau Müller", "Smith, Jr.", "John Smith, MD",
        "Acme, Inc.", "Acme GmbH", "A & B", "Smith, John, Paul", "Ada, ", "Agent 7", "de Gaulle", "Ada and",
    ],
)  # fmt: skip
def test_everything_else_stays_whole_and_is_told(whole: str) -> None:
    assert split_full_names(pl.Series([whole])).rows() == [(None, whole, NOT_SPLIT)]


def test_an_absent_name_is_nothing_to_tell() -> None:
    assert split_full_names(pl.Series([None], dtype=pl.String)).rows() == [(None, None, None)]


@given(st.lists(st.text(alphabet="abÄé ,.-'&7", min_size=1, max_size=12), min_size=1, max_size=20))
def test_no_letter_is_lost(names: list[str]) -> None:
    split = split_full_names(pl.Series(names))
    for whole, (first, last, _) in zip(names, split.rows(), strict=True):
        assert sorted(filter(str.isalpha, whole)) == sorted(filter(str.isalpha, (first or "") + last))
