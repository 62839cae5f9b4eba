"""Who has opted out since the scrub is found in every batch, and looking costs nothing while nobody has."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from unittest import mock

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from list_world import START, Lists, asked_out
from staged_contacts import contacts, stage_of

from dialfeed.delivery.batches import Batch
from dialfeed.donotcall.decisions import Channel, Policy
from dialfeed.donotcall.exemptions import Exemptions
from dialfeed.donotcall.lateoptouts import LateOptOuts, asked_columns, own_lists
from dialfeed.donotcall.scrub import Flagged, Scrubber
from dialfeed.ledger.ledger import Ledger
from dialfeed.ledger.stage import Stage
from dialfeed.platforms.base import Limits
from dialfeed.platforms.cxone.codec import JsonCodec
from dialfeed.steps.supply import StageSupply

ENDPOINTS: Mapping[Channel, Sequence[str]] = {"phone": ["phone"], "email": ["email"]}
TOTAL = 300


def number(place: int) -> int:
    """The number of the contact at a place (`staged_contacts.contacts`)."""
    return int(f"1{place}")


def supply_of(stage: Stage, lists: Lists, most: int) -> StageSupply:
    """A supply of contacts that have just been scrubbed."""
    opened = lists.store.open(["internal"], now=START)
    (facts,) = opened.facts
    scrubber = Scrubber(opened, Flagged.KEEP, Policy(), Exemptions({}, START.date()), asked_columns(ENDPOINTS))
    optouts = LateOptOuts(scrubber, own_lists(opened, ["internal"]), (("internal", facts.version, facts.sha256),))
    limits = Limits(most, 1 << 20, 50, 128, 512)
    return StageSupply(stage, JsonCodec(), limits, optouts=optouts, now=lambda: START)


def batches_of(supply: StageSupply) -> list[Batch]:
    made: list[Batch] = []
    while (spans := supply.cut()) is not None:
        made.append(Batch(len(made) + 1, spans, len(made) + 1))
    return made


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(0, TOTAL - 1)), st.integers(1, 120), st.sampled_from((16, 64, 8192)))
def test_whoever_opts_out_the_others_of_each_batch_are_left_and_nobody_is_lost(
    gone: set[int], most: int, piece: int
) -> None:
    """Over borders of chunks and pieces, by number or by address."""
    with tempfile.TemporaryDirectory() as name, mock.patch("dialfeed.steps.supply._AT_ONCE", piece):
        folder = Path(name)
        lists = Lists(folder / "home")
        lists.opt_out(asked_out(99_999))
        supply = supply_of(stage_of(folder / "stage", contacts(TOTAL), 70), lists, most)
        spans = [batch.spans for batch in batches_of(supply)]
        lists.opt_out(
            *(
                asked_out(number(place)) if place % 3 or place % 2 else asked_out(email=f"x{place}@example.com")
                for place in sorted(gone)
            )
        )
        with Ledger(folder / "ledger.sqlite") as ledger:
            left: list[int] = []
            for each in spans:
                batch = ledger.create(each)
                found = supply.suppressed(batch)
                assert supply.load(batch).may_leave() is (not found)
                rest = ledger.suppressed(batch, found) if found else batch
                if rest is not None:
                    left += rest.places()
                    assert supply.load(rest).may_leave()
            assert sorted(left) == sorted(set(range(TOTAL)) - gone)
            assert [suppressed.place for suppressed in ledger.suppressions()] == sorted(gone)
            assert ledger.cut_up_to()[1] <= TOTAL


def test_as_long_as_nobody_opts_out_no_contact_is_looked_at(tmp_path: Path) -> None:
    lists = Lists(tmp_path / "home")
    lists.opt_out(asked_out(99_999))
    supply = supply_of(stage_of(tmp_path / "stage", contacts(TOTAL), 70), lists, 50)
    with mock.patch.object(LateOptOuts, "among", side_effect=AssertionError("nothing has changed")):
        for batch in batches_of(supply):
            assert supply.suppressed(batch) == ()
            assert supply.load(batch).may_leave()


def test_a_batch_that_was_looked_at_is_looked_at_again_only_when_another_opts_out(tmp_path: Path) -> None:
    lists = Lists(tmp_path / "home")
    lists.opt_out(asked_out(99_999))
    supply = supply_of(stage_of(tmp_path / "stage", contacts(TOTAL), 70), lists, 50)
    first, second, *_ = batches_of(supply)
    lists.opt_out(asked_out(number(70)))
    assert not supply.suppressed(first)
    with mock.patch.object(LateOptOuts, "among", side_effect=AssertionError("it was looked at")):
        assert supply.load(first).may_leave()
    assert [each.position for each in supply.suppressed(second)] == [20]
    assert [each.position for each in supply.suppressed(second)] == [20], "until it is divided"
    lists.opt_out(asked_out(number(7)))
    assert not supply.load(first).may_leave()


def test_a_contact_that_was_withheld_in_part_is_asked_about_as_a_whole(tmp_path: Path) -> None:
    """What the scrub withheld is kept beside the contact, and is never sent."""
    lists = Lists(tmp_path / "home")
    lists.opt_out(asked_out(99_999))
    withheld = pl.DataFrame({"withheld.phone": ["+12125550100", None]})
    people = contacts(2).with_columns(withheld["withheld.phone"], email=pl.lit("a@example.com"))
    supply = supply_of(stage_of(tmp_path / "stage", people, 70), lists, 50)
    (batch,) = batches_of(supply)
    assert b"12125550100" not in supply.load(batch).body
    lists.opt_out(asked_out(12_125_550_100, channel="all"))
    found = [(each.position, each.field, each.reasons) for each in supply.suppressed(batch)]
    assert found == [(0, "phone", "suppressed.wants_nothing"), (0, "email", "suppressed.wants_nothing")]
