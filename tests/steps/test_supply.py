"""Batches depend on the contacts and the limits, on nothing else; what is staged comes back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from client_world import body_of
from hypothesis import given, settings
from hypothesis import strategies as st
from staged_contacts import contacts, stage_of
from waiting import wait_for

from dialfeed.contacts.findings import ROW
from dialfeed.delivery.batches import Batch, Span, to_spans
from dialfeed.ledger.stage import Stage
from dialfeed.platforms.base import Limits
from dialfeed.platforms.cxone.codec import JsonCodec
from dialfeed.steps.supply import StageSupply

TEXT = st.one_of(st.none(), st.text(max_size=12))


def all_batches(stage: Stage, limits: Limits) -> list[tuple[tuple[Span, ...], bytes]]:
    supply = StageSupply(stage, JsonCodec(), limits)
    made: list[tuple[tuple[Span, ...], bytes]] = []
    while (spans := supply.cut()) is not None:
        made.append((spans, supply.load(Batch(len(made) + 1, spans, 1)).body))
    return made


LIMITS = Limits(1000, 1 << 20, 50, 128, 512)


@pytest.mark.parametrize("limits", [LIMITS, Limits(300, 5000, 50, 128, 512), Limits(7, 1 << 20, 50, 128, 512)])
def test_batches_are_the_same_whatever_the_chunk(tmp_path: Path, limits: Limits) -> None:
    whole = contacts(2500)
    made = [all_batches(stage_of(tmp_path / "s", whole, chunk), limits) for chunk in (2500, 999, 64)]
    assert made[0] == made[1] == made[2]
    assert [place for spans, _ in made[0] for start, stop in spans for place in range(start, stop)] == list(range(2500))
    for spans, body in made[0]:
        assert sum(stop - start for start, stop in spans) <= limits.batch_contacts
        assert len(body) <= limits.batch_bytes


def test_cutting_goes_on_where_the_ledger_says_and_comes_to_the_same_batches(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, contacts(5000), 700)
    whole = all_batches(stage, LIMITS)
    supply = StageSupply(stage, JsonCodec(), LIMITS, batches=2, place=whole[1][0][-1][1])
    assert supply.cut() == whole[2][0]


@dataclass(frozen=True, slots=True)
class Counting(JsonCodec):
    """A codec that knows how many contacts it was given each time."""

    given: list[int] = field(default_factory=list)

    def encode(self, contacts: pl.DataFrame) -> pl.Series:
        self.given.append(len(contacts))
        return JsonCodec.encode(self, contacts)


def test_what_comes_next_is_encoded_before_anybody_asks_for_it_and_nothing_behind_it(tmp_path: Path) -> None:
    """A batch that is to leave waits for neither the disk nor the encoding, and memory does not grow."""
    codec = Counting()
    with StageSupply(stage_of(tmp_path, contacts(30_000), 10_000), codec, LIMITS) as supply:
        supply.cut()
        wait_for(lambda: len(codec.given) == 2)
        supply.cut()
    assert codec.given == [8192, 1808]


def test_a_contact_larger_than_a_body_goes_alone(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, contacts(9, text="long" * 10), 4)
    made = all_batches(stage, Limits(1000, 90, 50, 128, 512))
    assert {sum(stop - start for start, stop in spans) for spans, _ in made} == {1}


@settings(max_examples=60)
@given(st.lists(st.tuples(TEXT, TEXT, st.booleans()), min_size=1, max_size=20))
def test_bodies_are_json_that_says_what_the_contacts_say(rows: list[tuple[str | None, str | None, bool]]) -> None:
    """Whatever characters a cell holds; absent fields are left out, flags are always there."""
    frame = pl.DataFrame(
        rows, schema={"phone": pl.String, 'odd "name"\\': pl.String, "doNotCall": pl.Boolean}, orient="row"
    )
    expected: list[dict[str, Any]] = [
        {name: value for name, value in row.items() if value is not None} for row in frame.to_dicts()
    ]
    assert json.loads(body_of(frame, JsonCodec())) == expected
    assert json.loads(body_of(frame, JsonCodec(wrapped=True))) == {"contacts": expected}


@given(st.sets(st.integers(0, 60)))
def test_spans_hold_exactly_their_places(places: set[int]) -> None:
    spans = to_spans(sorted(places))
    assert [place for start, stop in spans for place in range(start, stop)] == sorted(places)
    assert all(left[1] < right[0] for left, right in pairwise(spans))


def test_what_is_staged_comes_back_without_the_duplicates(tmp_path: Path) -> None:
    whole = contacts(100)
    twins = pl.concat(
        [whole, whole[10:20].with_columns(pl.col(ROW) + 500), contacts(5).with_columns(pl.col(ROW) + 900)]
    )
    stage = stage_of(tmp_path, twins, 33)
    back = pl.concat(chunk.contacts for chunk in stage.chunks())
    assert back.equals(whole)
    told = pl.concat(stage.duplicate_rows())
    assert told.select(ROW, "_survivor_row").rows() == [
        *((row + 500, row) for row in range(12, 22)),
        *((row + 900, row) for row in range(2, 7)),
    ]
