"""Opt-outs that come in after the scrub are decided as the scrub would decide, and cost a look while there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from unittest import mock

import polars as pl
import pytest
from list_world import DAY, START, Lists, asked_out, us

from dialfeed.contacts.findings import ROW
from dialfeed.donotcall.decisions import Channel, Policy
from dialfeed.donotcall.entries import ENTRIES
from dialfeed.donotcall.exemptions import Exemptions
from dialfeed.donotcall.lateoptouts import LateOptOuts, Standing, asked_columns, own_lists
from dialfeed.donotcall.manifest import MANIFEST
from dialfeed.donotcall.scrub import Flagged, Scrubber
from dialfeed.errors import CheckFile

A, B, C, OTHER = us(212), us(212, 101), us(212, 102), us(646)
MAIL = "someone@example.com"
ENDPOINTS: Mapping[Channel, Sequence[str]] = {"phone": ["phone", "phone2"], "email": ["email"]}


def contacts(*lines: tuple[int | None, str | None, int | None], withheld: int | None = None) -> pl.DataFrame:
    """Contacts with phone, e-mail and second phone; the withheld phone is that of the first."""
    return pl.DataFrame(
        {
            ROW: [line + 2 for line in range(len(lines))],
            "phone": [number and f"+{number}" for number, _, _ in lines],
            "email": [mail for _, mail, _ in lines],
            "phone2": [number and f"+{number}" for _, _, number in lines],
            "withheld.phone": [f"+{withheld}" if withheld and not line else None for line in range(len(lines))],
        },
        schema_overrides=dict.fromkeys(("phone", "email", "phone2", "withheld.phone"), pl.String),
    )


def late(lists: Lists, *, at_scrub: Standing | None = None, consents: bool = False, **asked: Any) -> LateOptOuts:
    opened = lists.store.open(["internal"], now=asked.pop("now", START + DAY), **asked)
    evidence = Exemptions({"consent": "0", "consent_id": "1"}, START.date() + timedelta(days=9))
    columns = asked_columns(ENDPOINTS)
    scrubber = Scrubber(opened, Flagged.KEEP, Policy(consent_overrides=consents), evidence, columns)
    return LateOptOuts(scrubber, own_lists(opened, ["internal"]), at_scrub)


def found(asked: LateOptOuts, people: pl.DataFrame, consented: str | None = None) -> list[tuple[int, str, str]]:
    rows = pl.DataFrame(
        {"0": [consented] * len(people), "1": ["form 7"] * len(people)}, schema_overrides={"0": pl.String}
    )
    return asked.among(people, rows).rows()


LISTED, SCOPED, NOTHING = (
    "suppressed.internal_dnc:internal",
    "suppressed.internal_dnc_scope:internal",
    "suppressed.wants_nothing",
)


def test_numbers_and_addresses_are_found_in_whatever_column_they_are(lists: Lists) -> None:
    lists.opt_out(asked_out(A), asked_out(email=MAIL))
    people = contacts((A, None, None), (B, MAIL.upper(), C), (B, None, A), (None, "b@example.com", None))
    assert found(late(lists), people) == [(0, "phone", LISTED), (1, "email", LISTED), (2, "phone2", LISTED)]


def test_who_wants_nothing_any_more_is_not_reached_on_another_channel_either(lists: Lists) -> None:
    lists.opt_out(asked_out(A, channel="all"))
    people = contacts((A, MAIL, None), (B, MAIL, A), (B, MAIL, None))
    assert found(late(lists), people) == [
        (0, "phone", f"{NOTHING} {LISTED}"),
        (0, "email", NOTHING),
        (1, "phone", NOTHING),
        (1, "phone2", f"{NOTHING} {LISTED}"),
        (1, "email", NOTHING),
    ]


def test_an_objection_to_everything_counts_by_a_number_that_the_scrub_withheld_and_no_other_does(lists: Lists) -> None:
    lists.opt_out(asked_out(A))
    people = contacts((None, MAIL, None), withheld=A)
    assert found(late(lists), people) == [], "it is not called anyway"
    lists.opt_out(asked_out(A, channel="all"))
    assert found(late(lists), people) == [(0, "email", NOTHING)]


@pytest.mark.parametrize(
    ("topic", "now", "reasons"),
    [
        (None, START + DAY, [SCOPED]),
        ("Solar", START + DAY, [SCOPED]),
        ("wind", START + DAY, []),
        ("wind", START + 100 * DAY, [SCOPED]),
    ],
)
def test_an_opt_out_for_a_topic_counts_as_at_the_scrub(
    lists: Lists, topic: str | None, now: Any, reasons: list[str]
) -> None:
    lists.opt_out(asked_out(A, topic="solar"))
    asked = late(lists, topic=topic, now=now, widening=date(2027, 1, 31))
    assert [each for _, _, each in found(asked, contacts((A, None, None)))] == reasons


@pytest.mark.parametrize(
    ("overrides", "consented", "blocked"),
    [(True, "2026-11-03", False), (True, "2026-11-01", True), (True, None, True), (False, "2026-11-03", True)],
)
def test_only_a_later_proven_consent_lifts_it_and_only_by_policy(
    lists: Lists, overrides: bool, consented: str | None, blocked: bool
) -> None:
    lists.opt_out(asked_out(A))
    asked = late(lists, consents=overrides)
    assert bool(found(asked, contacts((A, None, None)), consented)) is blocked


def test_the_standing_changes_with_each_opt_out_and_only_then(lists: Lists) -> None:
    lists.opt_out(asked_out(A))
    asked = late(lists)
    first = asked.standing()
    (facts,) = lists.store.open(["internal"], now=START).facts
    assert first == (("internal", facts.version, facts.sha256),), "it is what the scrub has told of the list"
    with mock.patch("dialfeed.donotcall.internal.read_manifest", side_effect=AssertionError("nothing is read again")):
        assert asked.standing() == first
    lists.opt_out(asked_out(B))
    assert asked.standing() != first
    assert [column for _, column, _ in found(asked, contacts((B, None, None)))] == ["phone"]


@pytest.mark.parametrize("harm", ["gone", "removed", "cut", "description"])
def test_a_list_that_cannot_be_used_any_more_clears_nobody(lists: Lists, harm: str) -> None:
    lists.opt_out(asked_out(A), asked_out(B))
    asked = late(lists)
    asked.standing()
    folder = lists.store.folder("internal")
    if harm == "gone":
        for each in folder.iterdir():
            each.unlink()
    elif harm == "removed":
        lists.store.remove("internal", START, by="tester", because="test")
    elif harm == "cut":
        lists.opt_out(asked_out(C))
        (folder / ENTRIES).write_bytes(b"")
    else:
        (folder / MANIFEST).write_bytes(b"{}")
    for ask in (asked.standing, lambda: found(asked, contacts((OTHER, None, None))), late(lists).standing):
        with pytest.raises(CheckFile, match="nothing more is sent"):
            ask()
