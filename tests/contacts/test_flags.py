"""Flags are read in five languages, required, and never guessed."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.contacts.flags import FLAG_SCHEMA, normalise_flags
from dialfeed.contacts.reasons import BY_CODE

YES = "true True TRUE t yes Yes Y y on 1 1.0 1,00 sí SÍ si s oui Ja J sim verdadero verdadeiro vrai wahr"
NO = "false False FALSE f no No N n off 0 0.0 0,00 non nein NEIN não NÃO nao falso faux falsch"
NEITHER = ["-", "x", "X", "?", "unknown", "n/a", "null", "2", "-1", "10", "1.5", "01", "yes?", "yes no", "o", "v", "✓"]


def read(*values: str | None) -> list[tuple[bool | None, str | None]]:
    return normalise_flags(pl.Series(values, dtype=pl.String)).rows()


@pytest.mark.parametrize("word", YES.split())
def test_a_yes_is_true(word: str) -> None:
    assert read(word, f" {word}\u00a0") == [(True, None)] * 2


@pytest.mark.parametrize("word", NO.split())
def test_a_no_is_false(word: str) -> None:
    assert read(word, f"\t{word} ") == [(False, None)] * 2


@pytest.mark.parametrize("word", NEITHER)
def test_what_is_neither_is_unreadable(word: str) -> None:
    assert read(word) == [(None, "flag.unreadable")]


@pytest.mark.parametrize("nothing", [None, "", " ", "\u200b"])
def test_an_absent_flag_is_missing_not_false(nothing: str | None) -> None:
    assert read(nothing) == [(None, "flag.missing")]


def test_an_accent_may_be_typed_in_two_parts() -> None:
    assert read("na\u0303o", "si\u0301") == [(False, None), (True, None)]


def test_an_empty_column_gives_an_empty_frame() -> None:
    assert normalise_flags(pl.Series([], dtype=pl.String)).schema == FLAG_SCHEMA


def test_the_codes_are_in_the_catalogue() -> None:
    assert {"flag.missing", "flag.unreadable"} <= BY_CODE.keys()


@given(st.lists(st.none() | st.sampled_from([*YES.split(), *NO.split(), *NEITHER]) | st.text(max_size=5)))
def test_a_flag_is_null_exactly_where_there_is_a_code(values: list[str | None]) -> None:
    frame = normalise_flags(pl.Series(values, dtype=pl.String))
    assert frame.schema == FLAG_SCHEMA
    assert frame["flag"].is_null().to_list() == frame["code"].is_not_null().to_list()
    assert len(frame) == len(values)
