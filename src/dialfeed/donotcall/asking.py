"""How each list of a run is asked about a column of endpoints, and what it is to the decision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dialfeed.donotcall.decisions import Channel, Role
from dialfeed.donotcall.exemptions import Evidence, Exemptions
from dialfeed.donotcall.facts import ListFacts, Moments, Numbers, Opened, PhoneList, TextList, Verdict, Verdicts, never
from dialfeed.donotcall.results import ResultList


@dataclass(frozen=True, slots=True)
class Endpoints:
    """One column of endpoints, in the forms in which lists are asked about them; one line a contact.

    Attributes:
        values: E.164 numbers or addresses, null where there is none.
        numbers: The numbers without their plus; 0 where there is none, and for addresses.
        states: The contacts' states, where the source has them.
        accounts: The contacts' `externalId`.
        consents: The dates of their proven consents (`datetime64[D]`), NaT where there is none.
    """

    values: pl.Series
    numbers: Numbers
    states: pl.Series | None
    accounts: pl.Series
    consents: NDArray[np.datetime64]

    @classmethod
    def of(
        cls, channel: Channel, values: pl.Series, contacts: pl.DataFrame, state: str | None, evidence: Evidence
    ) -> Endpoints:
        """The endpoints in a column of contacts, of which `state` names the one with their states."""
        nothing = pl.repeat(None, len(values), dtype=pl.String, eager=True)
        return cls(
            values,
            numbers_in(values) if channel == "phone" else np.zeros(0, dtype=np.uint64),
            contacts[state] if state in contacts.columns else None,
            contacts["externalId"] if "externalId" in contacts.columns else nothing,
            evidence.consent.to_numpy().astype("datetime64[D]"),
        )


@dataclass(frozen=True, slots=True)
class AskedList:
    """A list, and how it is asked about endpoints of a channel."""

    role: Role
    ask: Callable[[Endpoints], Verdicts]
    since: Callable[[Endpoints], Moments]


def lists_of(channel: Channel, opened: Opened, exemptions: Exemptions) -> Iterator[AskedList]:
    """The lists that speak of a channel, its own and those of accounts; one that is missing is among both.

    Where lists are named and none speaks of numbers, numbers are outside of every list (`_NOBODY`).
    """
    if channel == "phone" and not opened.phone and (opened.email or opened.account):
        yield _NOBODY
    for phones in opened.phone if channel == "phone" else ():
        role = _phone_role(phones.facts, exemptions, clears=phones.clears)
        yield AskedList(role, partial(_ask_numbers, phones), partial(_since_numbers, phones))
    for addresses in opened.email if channel == "email" else ():
        hit = "suppressed.internal_dnc" if addresses.facts.authority == "internal" else "suppressed.email_suppressed"
        role = Role(addresses.facts.id, "company", clears=False, hit=hit)
        yield AskedList(role, partial(_ask_values, addresses), partial(_since_values, addresses))
    own = {each.facts.id for each in (opened.phone if channel == "phone" else opened.email)}
    for accounts in opened.account:
        if accounts.facts.id not in own:
            role = Role(accounts.facts.id, "account", clears=False, hit="suppressed.account_excluded")
            yield AskedList(role, partial(_ask_accounts, accounts), _never)


_COMPANY: Final = {"internal": "suppressed.internal_dnc", "litigator": "suppressed.litigator"}


def _phone_role(facts: ListFacts, exemptions: Exemptions, *, clears: bool) -> Role:
    """What a list of numbers is to the decision, by its authority."""
    name = facts.authority.partition(":")[0]
    if name in {*_COMPANY, "custom", ""}:
        return Role(facts.id, "company", clears=clears, hit=_COMPANY.get(name, "suppressed.custom_list"))
    if name == "reassigned":
        return Role(facts.id, "reassigned", clears=clears, hit="suppressed.reassigned")
    grants = exemptions.grants_for(facts.authority)
    if name == "state":
        return Role(facts.id, "state", clears=clears, hit="suppressed.state_dnc", exemptions=grants)
    return Role(facts.id, "registry", clears=clears, hit="suppressed.national_dnc", exemptions=grants)


def _ask_numbers(asked: PhoneList, endpoints: Endpoints) -> Verdicts:
    verdicts = asked.look_up(endpoints.numbers, endpoints.states)
    if isinstance(asked, ResultList):
        # "No" for a day after the consent says nothing of the days between (`compliance.md` 1.8).
        late = asked.asked_for(endpoints.numbers) > endpoints.consents
        verdicts[late & (verdicts == Verdict.CLEAR)] = Verdict.NO_DATA
    return verdicts


def _since_numbers(asked: PhoneList, endpoints: Endpoints) -> Moments:
    return asked.since(endpoints.numbers)


def _ask_values(asked: TextList, endpoints: Endpoints) -> Verdicts:
    return asked.look_up(endpoints.values)


def _since_values(asked: TextList, endpoints: Endpoints) -> Moments:
    return asked.since(endpoints.values)


def _ask_accounts(asked: TextList, endpoints: Endpoints) -> Verdicts:
    return asked.look_up(endpoints.accounts)


def _never(endpoints: Endpoints) -> Moments:
    return never(len(endpoints.values))


def _ask_nobody(endpoints: Endpoints) -> Verdicts:
    return np.full(len(endpoints.values), Verdict.OUTSIDE, np.uint8)


_NOBODY: Final = AskedList(Role("", "registry", clears=True, hit=""), _ask_nobody, _never)
"""The list that a run lacks when it names lists of addresses or accounts alone: no number is cleared by those."""


def numbers_in(values: pl.Series) -> Numbers:
    """E.164 text as integers without the plus; 0 where there is none."""
    return values.str.slice(1).cast(pl.UInt64).fill_null(0).to_numpy()
