"""Duplicates: exactly those with the same identity, whatever the hashes do."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.contacts.duplicates import candidates, confirm, hash_identity, identity
from dialfeed.contacts.fields import IDENTITY_FIELDS

VALUES = st.sampled_from([None, "", "a", "b", "null", "ab", "a,b"])
PEOPLE = st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=40)


def frame(people: list[tuple[str | None, ...]]) -> pl.DataFrame:
    return pl.DataFrame(people, schema=dict.fromkeys(IDENTITY_FIELDS, pl.String), orient="row")


@given(PEOPLE)
def test_duplicates_are_those_that_a_dictionary_finds(people: list[tuple[str | None, ...]]) -> None:
    """Absent differs from any text, and no two different contacts join to the same text."""
    contacts = frame(people)
    found = candidates(hash_identity(contacts))
    told = identity(contacts[found.tolist()]).insert_column(0, pl.Series("place", found, dtype=pl.Int64))
    first: dict[tuple[str | None, ...], int] = {}
    expected = [(place, first[who]) for place, who in enumerate(people) if first.setdefault(who, place) != place]
    assert confirm([told]).rows() == expected


@given(st.lists(st.integers(0, 30), max_size=200), st.integers(1, 50))
def test_candidates_do_not_depend_on_how_many_are_looked_at_together(values: list[int], at_once: int) -> None:
    hashes = np.array(values, dtype=np.uint64)
    expected = [place for place, value in enumerate(values) if values.count(value) > 1]
    assert candidates(hashes, at_once).tolist() == expected


def test_a_collision_of_hashes_costs_a_look_and_no_contact() -> None:
    collided = frame([("a", None, None), ("b", None, None)]).insert_column(0, pl.Series("place", [0, 1]))
    assert confirm([collided]).is_empty()


@pytest.mark.parametrize("held", ["externalId", "phone", "email"])
def test_a_column_that_the_file_has_not_is_absent_throughout(held: str) -> None:
    told = identity(pl.DataFrame({held: ["a", None]}))
    assert told.schema == dict.fromkeys(IDENTITY_FIELDS, pl.String)
    assert told.rows() == [tuple(value if name == held else None for name in IDENTITY_FIELDS) for value in ("a", None)]


def test_what_the_scrub_withheld_counts_and_not_what_took_its_place() -> None:
    told = identity(frame([("1", "b", None), ("2", "b", None)]).with_columns(pl.Series("withheld.phone", ["a", None])))
    assert told["phone"].to_list() == ["a", "b"]
    assert told.columns == list(IDENTITY_FIELDS)


def test_where_nobody_may_have_a_twin_there_are_no_duplicates() -> None:
    assert candidates(np.empty(0, dtype=np.uint64)).tolist() == []
    assert confirm([]).rows() == []


@pytest.mark.parametrize(("one", "other", "same"), [("A@x.io", "a@X.io", True), ("a@x.io", "b@x.io", False)])
def test_the_case_of_an_email_does_not_make_two_people(one: str, other: str, same: bool) -> None:
    people = identity(frame([("1", None, one), ("1", None, other)]))
    assert (people.row(0) == people.row(1)) == same
