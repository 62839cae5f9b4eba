"""Exemptions: which evidence counts, on which day, against whose list; what cannot be read is no evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import polars as pl
import pytest

from dialfeed.donotcall.exemptions import Evidence, Exemptions, rule_pack

TODAY = date(2026, 11, 26)
ALL = ("ebr_purchase", "ebr_id", "ebr_inquiry", "consent", "consent_id", "consent_expires", "b2b", "b2b_id")


def evidence(values: Mapping[str, Sequence[str | None]]) -> Evidence:
    """Of rows with these columns, each named as what it is evidence of."""
    rows = pl.DataFrame(values, schema=dict.fromkeys(values, pl.String))
    return Exemptions({name: name for name in values}, TODAY).evidence(rows)


@pytest.mark.parametrize(
    ("grant", "kind", "value", "held"),
    [
        ("ebr_purchase 18", "ebr_purchase", "2025-05-26", True),  # the last day of eighteen months
        ("ebr_purchase 18", "ebr_purchase", "2025-05-25", False),
        ("ebr_purchase 18", "ebr_purchase", "2026-11-26", True),
        ("ebr_purchase 18", "ebr_purchase", "2026-11-27", False),  # not yet
        ("ebr_purchase 18", "ebr_purchase", " 2026-11-01T08:30:00Z ", True),
        ("ebr_purchase 18", "ebr_purchase", "11/01/2026", False),
        ("ebr_purchase 18", "ebr_purchase", "2026-02-30", False),
        ("ebr_purchase 18", "ebr_purchase", "", False),
        ("ebr_purchase 18", "ebr_purchase", None, False),
        ("ebr_inquiry 3", "ebr_inquiry", "2026-08-26", True),
        ("ebr_inquiry 3", "ebr_inquiry", "2026-08-25", False),
        ("ebr_inquiry 6", "ebr_inquiry", "2026-08-25", True),
        ("ebr_inquiry 6", "ebr_inquiry", "2026-05-25", False),
        *(("b2b", "b2b", value, True) for value in ("true", " YES", "y", "1")),
        *(("b2b", "b2b", value, False) for value in ("false", "no", "0", "", " ", "maybe", None)),
    ],
)
def test_a_relationship_counts_for_its_months_and_a_business_where_it_is_said(
    grant: str, kind: str, value: str | None, held: bool
) -> None:
    assert evidence({kind: [value]}).grants[grant].to_list() == [held]


@pytest.mark.parametrize(
    ("given", "proof", "expires", "holds"),
    [
        ("2026-11-26", "C-7", None, True),
        ("2026-11-27", "C-7", None, False),
        ("2026-11-01", " ", None, False),
        ("2026-11-01", None, None, False),
        ("2026-11-01", " N/A ", None, False),  # says that there is none
        ("2026-11-01", "-", None, False),
        ("2026-11-01", "none-7", None, True),
        ("yes", "C-7", None, False),
        (None, "C-7", None, False),
        ("2026-11-01", "C-7", "2026-11-26", True),
        ("2026-11-01", "C-7", "2026-11-25", False),
        ("2026-11-01", "C-7", "next year", False),  # an end that cannot be read may have passed
        ("2026-11-01", "C-7", "", False),
    ],
)
def test_a_consent_counts_with_its_proof_from_its_day_to_its_end(
    given: str | None, proof: str | None, expires: str | None, holds: bool
) -> None:
    shown = evidence({"consent": [given], "consent_id": [proof], "consent_expires": [expires]})
    assert shown.grants["consent"].to_list() == [holds]
    assert shown.consent.to_list() == [date.fromisoformat(given) if holds and given else None]


@pytest.mark.parametrize("without", ["consent", "consent_id"])
def test_a_consent_without_its_column_or_that_of_its_proof_is_none(without: str) -> None:
    values = {name: ["2026-11-01"] for name in ("consent", "consent_id", "b2b") if name != without}
    assert evidence(values).consent.to_list() == [None]


@pytest.mark.parametrize(
    ("given", "opted_out", "later"),
    [
        ("2026-11-03", "2026-11-02T23:59:59", True),
        ("2026-11-03", "2026-11-03T00:00:00", False),  # the hour of the consent is not known
        ("2026-11-03", "2026-11-04T00:00:00", False),
        ("2026-11-03", "NaT", False),
        (None, "2026-11-02T00:00:00", False),
        (None, "NaT", False),
    ],
)
def test_a_consent_is_later_than_an_opt_out_from_the_next_day_on(
    given: str | None, opted_out: str, later: bool
) -> None:
    shown = evidence({"consent": [given], "consent_id": ["C-7"]})
    assert shown.consent_after(np.array([opted_out], "datetime64[s]")).to_list() == [later]


@pytest.mark.parametrize(
    ("authority", "grants"),
    [
        ("us", {"ebr_purchase 18", "ebr_inquiry 3", "consent", "b2b"}),
        ("ca", {"ebr_purchase 18", "ebr_inquiry 6", "consent"}),
        ("state:FL", {"consent"}),
        ("uk", {"consent"}),
        ("internal", set()),
        ("reassigned", set()),
    ],
)
def test_each_authority_s_list_is_lifted_by_its_own_rules_where_the_run_names_them(
    authority: str, grants: set[str]
) -> None:
    assert Exemptions({name: name for name in ALL}, TODAY).grants_for(authority) == grants
    assert Exemptions({"consent": "c"}, TODAY).grants_for(authority) == grants & {"consent"}
    assert Exemptions({}, TODAY).grants_for(authority) == frozenset()


def test_what_lifted_a_hit_is_told_once_with_its_date_and_its_proof() -> None:
    shown = evidence(
        {
            "ebr_inquiry": ["2026-11-01", "2026-07-01", None, "2020-01-01"],
            "ebr_id": ["Q-1", None, "Q-3", "Q-4"],
            "consent": ["2026-11-02", None, "2026-11-03", None],
            "consent_id": ["C-1", "C-2", "C-3", None],
        }
    )
    assert shown.told.to_list() == [
        "consent 2026-11-02 C-1; ebr_inquiry 2026-11-01 Q-1",
        "ebr_inquiry 2026-07-01",
        "consent 2026-11-03 C-3",
        None,
    ]


def test_a_run_that_names_no_exemption_has_no_evidence() -> None:
    shown = Exemptions({}, TODAY).evidence(pl.DataFrame({"consent": ["2026-11-01", None]}))
    assert (dict(shown.grants), shown.consent.to_list(), shown.told.to_list()) == ({}, [None] * 2, [None] * 2)


def test_the_rules_are_told_by_their_id_and_their_hash() -> None:
    told = rule_pack()
    assert told["id"].startswith("exemptions-")
    assert len(told["sha256"]) == 64
