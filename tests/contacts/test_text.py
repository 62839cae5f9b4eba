"""Text is cleaned of what cannot be seen, and of nothing else."""

from __future__ import annotations

import unicodedata

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.contacts.text import clean_text, for_distinct, too_long

# Without surrogates, which no column can hold, and unassigned code points, on which two Unicode versions may differ.
TEXTS = st.lists(
    st.none()
    | st.text(st.characters(exclude_categories=("Cs", "Cn")) | st.sampled_from("\t\n\r \u00a0\u200b\ufeffe\u0301"))
)


def clean(*values: str | None) -> list[str | None]:
    return clean_text(pl.Series("cells", values, dtype=pl.String)).to_list()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Anna", "Anna"),
        ("Anna Maria", "Anna Maria"),
        ("  Anna ", "Anna"),
        ("\u00a0Anna\u202f", "Anna"),
        ("\ufeffAnna\u200b", "Anna"),
        ("\u3000Anna\u2003\u200d", "Anna"),
        ("An\u200bna", "Anna"),
        ("\u202aAnna\u202c", "Anna"),
        ("\u2066Anna\u2069\u200e", "Anna"),
        ("An\u00adna", "Anna"),
        ("An\x00na\x7f\x9f", "Anna"),
        ("Anna\tMaria", "Anna Maria"),
        ("Anna \r\n\r\n Maria", "Anna Maria"),
        ("Anna\u2028Maria", "Anna Maria"),
        ("Anna\x85Maria", "Anna Maria"),
        ("Rene\u0301", "Ren\u00e9"),
        ("e\u200b\u0301", "\u00e9"),
        ("\u212b", "\u00c5"),
        ("a  b", "a  b"),
        ("a\u00a0b", "a\u00a0b"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("'+1 212 555 0100", "'+1 212 555 0100"),
        ("", None),
        (" \u00a0\t", None),
        ("\ufeff", None),
        (None, None),
    ],
)
def test_a_cell_is_read_as_it_was_meant(typed: str | None, meant: str | None) -> None:
    assert clean(typed) == [meant]


def test_a_clean_value_beside_a_soiled_one_stays() -> None:
    assert clean("plain", " soiled ", None, "") == ["plain", "soiled", None, None]


def test_the_column_of_the_caller_is_left_alone() -> None:
    typed = pl.Series("cells", [" a ", "b"])
    assert clean_text(typed).name == "cells"
    assert typed.to_list() == [" a ", "b"]


@pytest.mark.parametrize("values", [[], [None, None]])
def test_a_column_without_values_stays_as_it_is(values: list[None]) -> None:
    column = pl.Series("cells", values, dtype=pl.String)
    assert clean_text(column).equals(column)
    assert too_long(column, 3).to_list() == [False] * len(values)


@given(TEXTS)
def test_cleaning_twice_changes_nothing_more(values: list[str | None]) -> None:
    once = clean(*values)
    assert clean(*once) == once


@given(TEXTS)
def test_cleaned_text_is_composed_trimmed_and_free_of_control_characters(values: list[str | None]) -> None:
    for value in filter(None, clean(*values)):
        assert unicodedata.is_normalized("NFC", value)
        assert value == value.strip()
        assert not any(unicodedata.category(character) == "Cc" for character in value)


@given(TEXTS)
def test_letters_and_digits_are_never_lost(values: list[str | None]) -> None:
    for typed, cleaned in zip(values, clean(*values), strict=True):
        composed = unicodedata.normalize("NFC", "".join(filter(_is_kept, typed or "")))
        assert [c for c in cleaned or "" if c.isalnum()] == [c for c in composed if c.isalnum()]


def _is_kept(character: str) -> bool:
    """Tell whether a character may stay: what is taken out between a letter and its accent lets the two meet."""
    return unicodedata.category(character) not in {"Cc", "Cf"} or character in "\t\n\v\f\r\x85\u200c\u200d"


@pytest.mark.parametrize(
    ("value", "limit", "expected"),
    [("abc", 3, False), ("abcd", 3, True), ("äöü", 3, False), ("äöüß", 3, True), (None, 3, False), ("😀😀", 2, False)],
)
def test_length_is_counted_in_characters(value: str | None, limit: int, *, expected: bool) -> None:
    lengths = too_long(pl.Series("cells", [value, "a"], dtype=pl.String), limit)
    assert lengths.to_list() == [expected, False]
    assert lengths.name == "cells"


def test_a_rule_is_asked_once_for_each_distinct_value() -> None:
    asked: list[str | None] = []

    def upper(values: pl.Series) -> pl.DataFrame:
        asked.extend(values)
        return pl.DataFrame({"upper": values.str.to_uppercase(), "missing": values.is_null()})

    said = for_distinct(pl.Series(["a", "b", "a", None, "b"]), upper)
    assert said.rows() == [("A", False), ("B", False), ("A", False), (None, True), ("B", False)]
    assert sorted(asked, key=str) == [None, "a", "b"]
