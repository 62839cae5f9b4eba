"""Exemptions: evidence in a row that lifts a hit on a registry's list, or a later consent that lifts an opt-out.

Each is an explicit policy of the run, with the column that holds its evidence; a hit that is lifted stays recorded,
with the evidence. How long a relationship counts is dated data (`data/exemptions.toml`).
Sources: `compliance.md` sections 0 (items 11 and 13), 1.1, 1.5, 2 and 4.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl

from dialfeed.donotcall import packs
from dialfeed.donotcall.facts import Moments

KINDS: Final = ("ebr_purchase", "ebr_inquiry", "consent", "b2b")
"""What may lift a hit."""

_PROOF: Final = {"ebr_purchase": "ebr_id", "ebr_inquiry": "ebr_id", "consent": "consent_id", "b2b": "b2b_id"}
_YES: Final = ("true", "yes", "y", "1")
_NO_PROOF: Final = ("", "-", "0", "n/a", "na", "no", "none", "null", "false", "unknown")
"""What stands in a cell where there is no record of a consent."""
_DATE: Final = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ][0-9:.]*(?:Z|[+-][0-9:]+)?)?$"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the rows of a chunk have to show.

    Attributes:
        grants: Name of a grant (a kind, with its months where it has any) → whether each row has it.
        consent: The date of each row's proven consent, else null.
        told: What is recorded of it: kind, date and id; null where a row has nothing.
    """

    grants: Mapping[str, pl.Series]
    consent: pl.Series
    told: pl.Series

    def consent_after(self, since: Moments) -> pl.Series:
        """Whether each row's consent is later than a moment: of a later day, as its hour is not known."""
        days = pl.Series(since.astype("datetime64[ms]")).dt.date()
        return (self.consent > days).fill_null(value=False)


@dataclass(frozen=True, slots=True)
class Exemptions:
    """The exemptions of a run.

    Attributes:
        columns: What is evidence (`contacts.fields.EXEMPTION_EVIDENCE`) → its column in a chunk of rows.
        today: The day of the run.
    """

    columns: Mapping[str, str]
    today: date

    @property
    def kinds(self) -> list[str]:
        """The exemptions that the run names."""
        return [kind for kind in KINDS if kind in self.columns]

    def grants_for(self, authority: str) -> frozenset[str]:
        """The grants that lift a hit on an authority's list."""
        return frozenset(
            _grant(rule["kind"], rule.get("months"))
            for rule in _rules()["rule"]
            if rule["authority"] == authority.partition(":")[0] and rule["kind"] in self.columns
        )

    def evidence(self, rows: pl.DataFrame) -> Evidence:
        """What rows have to show, by the columns that the run names."""
        if not self.columns:
            nothing = pl.repeat(None, len(rows), dtype=pl.String, eager=True)
            return Evidence({}, nothing.cast(pl.Date), nothing)
        grants = {name: self._holds(rows, kind, months) for kind, months, name in self._named_grants()}
        told: list[pl.Expr] = [
            pl.when(held).then(pl.concat_str(pl.lit(f"{name.partition(' ')[0]} "), self._proof(rows, name)))
            for name, held in grants.items()
        ]
        shown = pl.select(
            pl.concat_list(*told, pl.lit(None, dtype=pl.String)).list.drop_nulls().list.unique(maintain_order=True)
        )
        joined = shown.to_series().list.join("; ")
        return Evidence(grants, self._consents(rows), pl.select(pl.when(joined != "").then(joined)).to_series())

    def _named_grants(self) -> list[tuple[str, int | None, str]]:
        named = {
            _grant(rule["kind"], rule.get("months")): (rule["kind"], rule.get("months"))
            for rule in _rules()["rule"]
            if rule["kind"] in self.columns
        }
        return [(kind, months, name) for name, (kind, months) in sorted(named.items())]

    def _holds(self, rows: pl.DataFrame, kind: str, months: int | None) -> pl.Series:
        if kind == "consent":
            return self._consents(rows).is_not_null()
        if months is None:
            return rows[self.columns[kind]].str.strip_chars().str.to_lowercase().is_in(_YES).fill_null(value=False)
        began = _dates(rows[self.columns[kind]])
        ends = began.dt.offset_by(f"{months}mo")
        return ((began <= self.today) & (ends >= self.today)).fill_null(value=False)

    def _consents(self, rows: pl.DataFrame) -> pl.Series:
        """Dates of consents that are proven (they have an id), not in the future and not expired."""
        if "consent" not in self.columns or "consent_id" not in self.columns:
            return pl.repeat(None, len(rows), dtype=pl.Date, eager=True)
        given = _dates(rows[self.columns["consent"]])
        proof = rows[self.columns["consent_id"]].str.strip_chars().str.to_lowercase()
        proven = ~proof.fill_null("").is_in(_NO_PROOF)
        holds = proven & (given <= self.today).fill_null(value=False)
        if "consent_expires" in self.columns:
            told = rows[self.columns["consent_expires"]]
            holds &= told.is_null() | (_dates(told) >= self.today).fill_null(value=False)
        return pl.select(pl.when(holds).then(given)).to_series()

    def _proof(self, rows: pl.DataFrame, grant: str) -> pl.Expr:
        kind = grant.partition(" ")[0]
        shown = [rows[self.columns[name]] for name in (kind, _PROOF[kind]) if name in self.columns]
        return pl.concat_str(*(pl.lit(each) for each in shown), separator=" ", ignore_nulls=True)


def rule_pack() -> dict[str, str]:
    """Id and SHA-256 of the rules, for the evidence."""
    return packs.rule_pack("exemptions").told()


def _grant(kind: str, months: int | None) -> str:
    return kind if months is None else f"{kind} {months}"


def _dates(values: pl.Series) -> pl.Series:
    """Days in ISO 8601, with or without a time; anything else is no evidence, since it could be read in two ways."""
    return values.str.strip_chars().str.extract(_DATE).str.to_date("%Y-%m-%d", strict=False)


def _rules() -> dict[str, Any]:
    return packs.rule_pack("exemptions").rules
