"""Scrub: what the lists, the flags of the file and the exemptions say of every endpoint, over columns.

An endpoint is one phone number or e-mail address of one contact. What every list says of it (`asking`) is packed with
the other facts into words (`packedwords`). Each different word is decided once (`decisions`), and what may not be used
is taken away (`withholding`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

import numpy as np
import polars as pl

from dialfeed.contacts.findings import FINDINGS_SCHEMA, ROW
from dialfeed.donotcall.asking import AskedList, Endpoints, lists_of, numbers_in
from dialfeed.donotcall.decisions import CHANNELS, Channel, Policy, Ruling, decide
from dialfeed.donotcall.exemptions import Evidence, Exemptions
from dialfeed.donotcall.facts import Opened, Verdicts
from dialfeed.donotcall.hours.callinghours import CallingHours, as_window
from dialfeed.donotcall.internal import InternalEmails, InternalPhones
from dialfeed.donotcall.packedwords import Fact, Words, columns_of, packed, packed_facts, situation
from dialfeed.donotcall.withholding import Judged, Scrubbed, withhold

FLAGS: Final[Mapping[Channel, str]] = {"phone": "doNotCall", "email": "doNotEmail"}
"""The contact field by which a row forbids a channel."""


class Flagged(StrEnum):
    """What happens to a contact whose flags forbid a channel."""

    SUPPRESS = "suppress"
    """Withhold the forbidden channel, here and wherever else in the file its number or address stands."""
    KEEP = "keep"
    """Send everything with its flags, for a platform whose own rules read them."""


@dataclass(frozen=True)
class Scrubber:
    """Scrubs the chunks of a run; holds no state of theirs, so that they may be scrubbed side by side.

    Args:
        opened: The lists that the run is scrubbed against.
        flagged: The policy for the file's own flags.
        policy: What the user has decided about doubtful cases.
        exemptions: The exemptions that the run names.
        columns: The endpoints of a contact, in the order in which they are tried: the columns of each channel.
        state: The contacts' column that holds a US state, if there is one.
        hours: When contacts may be called, where the run asks.
    """

    opened: Opened
    flagged: Flagged
    policy: Policy
    exemptions: Exemptions
    columns: Mapping[Channel, Sequence[str]]
    state: str | None = None
    hours: CallingHours | None = None
    _asked: Mapping[Channel, tuple[AskedList, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        asked = {channel: tuple(lists_of(channel, self.opened, self.exemptions)) for channel in CHANNELS}
        object.__setattr__(self, "_asked", asked)

    @property
    def keeps_decisions(self) -> bool:
        """Whether decisions are kept: for a channel that a list speaks of there is evidence."""
        return any(self._asked.values())

    def __call__(self, contacts: pl.DataFrame, rows: pl.DataFrame) -> Scrubbed:
        """Scrub valid contacts.

        Args:
            contacts: `ROW`, the contact fields and all columns of endpoints; flags without nulls.
            rows: The rows that they came from, one beside each.
        """
        scrubbed = self._scrub(contacts, rows)
        if self.hours is None:
            return scrubbed
        told, doubts = self.hours.add(scrubbed.contacts)
        return replace(scrubbed, contacts=told, told=scrubbed.told + doubts)

    def _scrub(self, contacts: pl.DataFrame, rows: pl.DataFrame) -> Scrubbed:
        if not self.keeps_decisions and not self._any_flag(contacts):
            return Scrubbed(contacts, pl.DataFrame(schema=FINDINGS_SCHEMA), Counter())
        evidence = self.exemptions.evidence(rows)
        judged = self._judged(contacts, evidence)
        scrubbed = withhold(contacts, judged)
        if not self.keeps_decisions:
            return scrubbed
        lines = self._kept(contacts, judged, evidence)
        return Scrubbed(scrubbed.contacts, scrubbed.suppressed, scrubbed.told, lines)

    def decisions(self, contacts: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
        """What is decided about contacts where lists speak of them, without withholding anything (`Scrubbed`)."""
        evidence = self.exemptions.evidence(rows)
        return self._kept(contacts, self._judged(contacts, evidence), evidence)

    def _judged(self, contacts: pl.DataFrame, evidence: Evidence) -> list[Judged]:
        objected = self._objected(contacts)
        return [
            self._judge(channel, column, contacts, evidence, objected)
            for channel in CHANNELS
            for column in self.columns.get(channel, ())
            if column in contacts.columns
        ]

    def _kept(self, contacts: pl.DataFrame, judged: Sequence[Judged], evidence: Evidence) -> pl.DataFrame:
        kept = [each for each in judged if self._asked[each.channel]]
        return pl.concat([_lines(contacts, each, evidence) for each in kept], how="diagonal")

    def ruling(self, channel: Channel, words: Sequence[int]) -> Ruling:
        """The decision that words stand for; the last word holds what does not come from a list."""
        roles = [each.role for each in self._asked[channel]]
        return decide(channel, situation(words, len(roles), self._grant_names), roles, self.policy)

    def ruled(self, channel: Channel, lines: pl.DataFrame) -> pl.DataFrame:
        """Decision lines of a channel with what their words stand for: `decision`, `code` and `reasons`, or null."""
        distinct = lines.select(self.words_of(channel)).unique()
        rulings = [self.ruling(channel, row) for row in distinct.iter_rows()]
        table = distinct.with_columns(
            pl.Series("decision", [str(ruling.decision) for ruling in rulings], dtype=pl.String),
            pl.Series("code", [ruling.code for ruling in rulings], dtype=pl.String),
            pl.Series("reasons", [" ".join(ruling.reasons) or None for ruling in rulings], dtype=pl.String),
        )
        return lines.join(table, on=distinct.columns, how="left", maintain_order="left")

    def words_of(self, channel: Channel) -> list[str]:
        """The columns that hold the words of a channel's endpoints."""
        return columns_of(len(self._asked[channel]))

    # --- what the words are made of -----------------------------------------------------------------------------

    @property
    def _grant_names(self) -> list[str]:
        return sorted({grant for asked in self._asked.values() for each in asked for grant in each.role.exemptions})

    def _any_flag(self, contacts: pl.DataFrame) -> bool:
        return self.flagged is not Flagged.KEEP and any(bool(contacts[flag].any()) for flag in FLAGS.values())

    def _objected(self, contacts: pl.DataFrame) -> pl.Series | None:
        """Whether the person of each row wants to hear nothing any more, said of any of its endpoints.

        None where no list can tell. An objection to everything is the one that crosses channels (`compliance.md` 4.4).
        """
        columns = {
            channel: [name for name in self.columns.get(channel, ()) if name in contacts.columns]
            for channel in CHANNELS
        }
        phones = [one for one in self.opened.phone if isinstance(one, InternalPhones)]
        emails = [one for one in self.opened.email if isinstance(one, InternalEmails)]
        said = [one.everything(numbers_in(contacts[column])) for one in phones for column in columns["phone"]]
        said += [one.everything(contacts[column]) for one in emails for column in columns["email"]]
        return pl.Series(np.logical_or.reduce(said)) if said else None

    def _judge(
        self, channel: Channel, column: str, contacts: pl.DataFrame, evidence: Evidence, objected: pl.Series | None
    ) -> Judged:
        """Decide about one column of endpoints."""
        endpoints, verdicts = self._answers(channel, column, contacts, evidence)
        values, later = endpoints.values, self._consented_later(channel, endpoints, evidence)
        windows = self.hours.of(contacts, values) if self.hours and channel == "phone" else None
        doubtful = None if windows is None else windows["callingDoubts"].is_not_null()
        facts = self._facts(
            channel, contacts, evidence, {Fact.CONSENT_LATER: later, Fact.HOURS: doubtful, Fact.OBJECTED: objected}
        )
        words = [*packed(verdicts), facts]
        frame = pl.DataFrame(dict(zip(self.words_of(channel), words, strict=True)))
        goes, code, codes = self._rule(channel, frame)
        absent = values.is_null()
        if absent.any():
            goes, nothing = goes | absent, pl.repeat(None, len(values), dtype=pl.String, eager=True)
            code, codes = code.zip_with(~absent, nothing), codes.zip_with(~absent, nothing)
        return Judged(channel, column, goes, code, codes, frame, None if windows is None else as_window(windows))

    def _rule(self, channel: Channel, words: pl.DataFrame) -> tuple[pl.Series, pl.Series, pl.Series]:
        """Whether each endpoint goes, the code that decided (null for none), and all codes of catalogue reasons."""
        distinct = words.unique(maintain_order=False)
        rulings = [self.ruling(channel, row) for row in distinct.iter_rows()]
        goes = [ruling.decision.goes for ruling in rulings]
        if len(rulings) == 1:
            told = [pl.repeat(value, len(words), dtype=pl.String, eager=True) for value in _codes(rulings[0])]
            return pl.repeat(goes[0], len(words), dtype=pl.Boolean, eager=True), told[0], told[1]
        table = distinct.with_columns(
            pl.Series("goes", goes, dtype=pl.Boolean),
            pl.Series("code", [_codes(ruling)[0] for ruling in rulings], dtype=pl.String),
            pl.Series("codes", [_codes(ruling)[1] for ruling in rulings], dtype=pl.String),
        )
        found = words.join(table, on=words.columns, how="left", maintain_order="left")
        return found["goes"], found["code"], found["codes"]

    def _answers(
        self, channel: Channel, column: str, contacts: pl.DataFrame, evidence: Evidence
    ) -> tuple[Endpoints, list[Verdicts]]:
        """What each list says of each value of a column."""
        endpoints = Endpoints.of(channel, contacts[column], contacts, self.state, evidence)
        return endpoints, [each.ask(endpoints) for each in self._asked[channel]]

    def _consented_later(self, channel: Channel, endpoints: Endpoints, evidence: Evidence) -> pl.Series | None:
        """Whether each row's consent is later than every opt-out on the company's own lists; None if nobody asks."""
        if not self.policy.consent_overrides:
            return None
        later = [
            evidence.consent_after(each.since(endpoints))
            for each in self._asked[channel]
            if each.role.hit == "suppressed.internal_dnc"
        ]
        return pl.select(pl.all_horizontal(*later)).to_series() if later else None

    def _facts(
        self, channel: Channel, contacts: pl.DataFrame, evidence: Evidence, known: Mapping[Fact, pl.Series | None]
    ) -> Words:
        """The word of what does not come from a list."""
        flagged = None if self.flagged is Flagged.KEEP else contacts[FLAGS[channel]]
        grants = map(evidence.grants.get, self._grant_names)
        return packed_facts(len(contacts), {Fact.FLAGGED: flagged, **known}, grants)


def _codes(ruling: Ruling) -> tuple[str | None, str | None]:
    """The code that decided, and all catalogue codes that stand against the endpoint, space between them."""
    if not ruling.reasons:
        return None, None
    told = dict.fromkeys(reason.partition(":")[0] for reason in ruling.reasons)
    against = [code for code in told if code.startswith("suppressed.")]
    return ruling.code or None, " ".join(against) or None


def _lines(contacts: pl.DataFrame, judged: Judged, evidence: Evidence) -> pl.DataFrame:
    """The decisions about one column, as they are kept."""
    lines = contacts.select(
        ROW,
        column=pl.lit(judged.column),
        value=pl.col(judged.column),
        evidence=pl.lit(evidence.told),
        window=pl.lit(judged.window, dtype=pl.String),
    )
    return pl.concat([lines, judged.words], how="horizontal").filter(lines["value"].is_not_null())
