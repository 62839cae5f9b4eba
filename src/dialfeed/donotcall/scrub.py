"""Scrub: what the lists, the flags of the file and the exemptions say of every endpoint, over columns.

An endpoint is one phone number or e-mail address of one contact. What every list says of it is packed into words of
64 bits, four bits a list; there are few different words, and each is decided once (`dialfeed.donotcall.decisions`).
An endpoint that may not be used is withheld; the next one of its channel that may be used takes its place, and a
contact without any is suppressed (`compliance.md` section 4).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Final, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dialfeed.contacts.fields import WITHHELD
from dialfeed.contacts.findings import FINDINGS_SCHEMA, ROW
from dialfeed.donotcall.decisions import Channel, Policy, Role, Ruling, Situation, decide
from dialfeed.donotcall.exemptions import Evidence, Exemptions
from dialfeed.donotcall.facts import ListFacts, Moments, Numbers, Opened, PhoneList, TextList, Verdict, Verdicts, never
from dialfeed.donotcall.hours.callinghours import CallingHours, as_window
from dialfeed.donotcall.internal import InternalEmails, InternalPhones
from dialfeed.donotcall.results import ResultList

Words: TypeAlias = NDArray[np.uint64]

CHANNELS: Final[tuple[Channel, ...]] = ("phone", "email")

FLAGS: Final[Mapping[Channel, str]] = {"phone": "doNotCall", "email": "doNotEmail"}
"""The contact field by which a row forbids a channel."""

FACTS: Final = "facts"
"""The word that holds what does not come from a list."""

_FLAGGED, _ELSEWHERE, _CONSENT_LATER, _HOURS, _OBJECTED, _GRANTS = 0, 1, 2, 3, 4, 8
_LISTS_A_WORD: Final = 16


class Flagged(StrEnum):
    """What happens to a contact whose flags forbid a channel."""

    SUPPRESS = "suppress"
    """Withhold the forbidden channel, here and wherever else in the file its number or address stands."""
    KEEP = "keep"
    """Send everything with its flags, for a platform whose own rules read them."""


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """The result of a scrub.

    Attributes:
        contacts: Those that go on, without the endpoints that may not be used; where there are such endpoints, what
            `phone` and `email` were is in the columns `withheld.phone` and `withheld.email`.
        suppressed: Row numbers, fields and reasons of those that do not, in row order (`FINDINGS_SCHEMA`).
        told: Endpoints of contacts that go on by code: withheld, exempt, or taken instead of another one.
        decisions: Where the run keeps them, one line an endpoint, column by column: `ROW`, `column` (of the contact),
            `value` (the number or address itself), `evidence` for an exemption, `window`, and the words.
    """

    contacts: pl.DataFrame
    suppressed: pl.DataFrame
    told: Counter[str]
    decisions: pl.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What is decided about one column of endpoints; one line a contact.

    Attributes:
        channel: What kind of endpoints they are.
        column: The contacts' column.
        goes: Whether each may be used; true where there is none.
        code: The reason code that decided, null where nothing was found.
        codes: All reason codes that stand against it, with a space between them.
        words: What was found, packed.
        window: When each may be called, where the run asks.
    """

    channel: Channel
    column: str
    goes: pl.Series
    code: pl.Series
    codes: pl.Series
    words: pl.DataFrame
    window: pl.Series | None = None

    @classmethod
    def forbidden(cls, channel: Channel, column: str, where: pl.Series, code: str) -> Judged:
        """Endpoints of which some are forbidden, all for the same reason."""
        codes = pl.select(pl.when(where).then(pl.lit(code))).to_series()
        return cls(channel, column, ~where, codes, codes, pl.DataFrame())


@dataclass(frozen=True, slots=True)
class _Endpoints:
    """One column of endpoints, in the forms in which lists are asked about them; one line a contact.

    Attributes:
        values: E.164 numbers or addresses, null where there is none.
        numbers: The numbers without their plus; 0 where there is none, and for addresses.
        states: The contacts' states, where the source has them.
        accounts: The contacts' `externalId`.
        consents: The dates of their proven consents (`datetime64[D]`), NaT where there is none.
    """

    values: pl.Series
    numbers: Words
    states: pl.Series | None
    accounts: pl.Series
    consents: NDArray[np.datetime64]

    @classmethod
    def of(
        cls, channel: Channel, values: pl.Series, contacts: pl.DataFrame, state: str | None, evidence: Evidence
    ) -> _Endpoints:
        nothing = pl.repeat(None, len(values), dtype=pl.String, eager=True)
        return cls(
            values,
            numbers_in(values) if channel == "phone" else np.zeros(0, dtype=np.uint64),
            contacts[state] if state in contacts.columns else None,
            contacts["externalId"] if "externalId" in contacts.columns else nothing,
            evidence.consent.to_numpy().astype("datetime64[D]"),
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A list, and how it is asked about endpoints of a channel."""

    role: Role
    ask: Callable[[_Endpoints], Verdicts]
    since: Callable[[_Endpoints], Moments]


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
    _asked: Mapping[Channel, tuple[_Asked, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        asked = {channel: tuple(_lists_of(channel, self.opened, self.exemptions)) for channel in CHANNELS}
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
        packed = [words[at // _LISTS_A_WORD] >> at % _LISTS_A_WORD * 4 & 15 for at in range(len(roles))]
        facts = words[-1]
        named = {name for at, name in enumerate(self._grant_names) if facts >> _GRANTS + at & 1}
        situation = Situation(
            tuple(map(Verdict, packed)),
            flagged=bool(facts >> _FLAGGED & 1),
            flagged_elsewhere=bool(facts >> _ELSEWHERE & 1),
            exemptions=frozenset(named),
            consent_later=bool(facts >> _CONSENT_LATER & 1),
            objected=bool(facts >> _OBJECTED & 1),
            hours=bool(facts >> _HOURS & 1),
        )
        return decide(channel, situation, roles, self.policy)

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
        return [*(f"lists{at}" for at in range(-(-len(self._asked[channel]) // _LISTS_A_WORD))), FACTS]

    # --- what the words are made of -----------------------------------------------------------------------------

    @property
    def _grant_names(self) -> list[str]:
        return sorted({grant for asked in self._asked.values() for each in asked for grant in each.role.exemptions})

    @staticmethod
    def elsewhere(facts: pl.Expr, where: pl.Expr) -> pl.Expr:
        """The last word with the fact that another row forbids the endpoint, where its own row does not."""
        own = (facts & pl.lit(1 << _FLAGGED, pl.UInt64)) != 0
        return pl.when(where & ~own).then(facts | pl.lit(1 << _ELSEWHERE, pl.UInt64)).otherwise(facts)

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
        facts = self._facts(channel, contacts, evidence, {_CONSENT_LATER: later, _HOURS: doubtful, _OBJECTED: objected})
        words = [*_packed(verdicts), facts]
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
    ) -> tuple[_Endpoints, list[Verdicts]]:
        """What each list says of each value of a column."""
        endpoints = _Endpoints.of(channel, contacts[column], contacts, self.state, evidence)
        return endpoints, [each.ask(endpoints) for each in self._asked[channel]]

    def _consented_later(self, channel: Channel, endpoints: _Endpoints, evidence: Evidence) -> pl.Series | None:
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
        self, channel: Channel, contacts: pl.DataFrame, evidence: Evidence, known: Mapping[int, pl.Series | None]
    ) -> Words:
        """The word of what does not come from a list."""
        facts = np.zeros(len(contacts), dtype=np.uint64)
        if self.flagged is not Flagged.KEEP:
            facts |= _bit(contacts[FLAGS[channel]], _FLAGGED)
        for at, where in known.items():
            if where is not None:
                facts |= _bit(where, at)
        for at, name in enumerate(self._grant_names):
            if name in evidence.grants:
                facts |= _bit(evidence.grants[name], _GRANTS + at)
        return facts


def withhold(contacts: pl.DataFrame, judged: Sequence[Judged]) -> Scrubbed:
    """Take the endpoints that may not be used, and the contacts that have no other."""
    against = [each for each in judged if not each.goes.all()]
    told = Counter({code: n for each in judged for code, n in _counted(each.code.filter(each.goes)).items()})
    if not against:
        return Scrubbed(contacts, pl.DataFrame(schema=FINDINGS_SCHEMA), told)
    changed = contacts.with_columns(
        made
        for channel in CHANNELS
        for made in _channel(channel, contacts, [e for e in judged if e.channel == channel])
    )
    usable = changed["phone"].is_not_null() | changed["email"].is_not_null()
    gone = ~usable
    found = [
        contacts.filter(where)
        .select(ROW, field=pl.lit(each.column), code=pl.lit(each.codes.filter(where)))
        .with_columns(pl.col("code").str.split(" "))
        .explode("code")
        for each in against
        if (where := gone & ~each.goes).any()
    ]
    suppressed = pl.concat([pl.DataFrame(schema=FINDINGS_SCHEMA), *found]).sort(ROW, maintain_order=True)
    told += Counter(
        {
            code.replace("suppressed.", "withheld.", 1): n
            for each in against
            for code, n in _counted(each.code.filter(usable & ~each.goes)).items()
        }
    )
    return Scrubbed(changed.filter(usable), suppressed, told)


def _channel(channel: Channel, contacts: pl.DataFrame, judged: Sequence[Judged]) -> Iterator[pl.Series]:
    """The columns of a channel without what may not be used: the first that may be takes the first place."""
    if not judged or all(each.goes.all() for each in judged):
        return
    nothing = pl.repeat(None, len(contacts), dtype=pl.String, eager=True)
    left = [contacts[each.column].zip_with(each.goes, nothing) for each in judged]
    first = pl.select(pl.coalesce(*(pl.lit(each) for each in left))).to_series()
    yield first.alias(channel)
    for each, values in zip(judged[1:], left[1:], strict=True):
        moved = (values == first).fill_null(value=False) & left[0].is_null()
        yield values.zip_with(~moved, nothing).alias(each.column)
    before = contacts[channel]
    if WITHHELD + channel in contacts.columns:
        before = contacts[WITHHELD + channel].zip_with(contacts[WITHHELD + channel].is_not_null(), before)
    yield before.zip_with((before != first).fill_null(value=True), nothing).alias(WITHHELD + channel)


def _lists_of(channel: Channel, opened: Opened, exemptions: Exemptions) -> Iterator[_Asked]:
    """The lists that speak of a channel, its own and those of accounts; one that is missing is among both."""
    for phones in opened.phone if channel == "phone" else ():
        role = _phone_role(phones.facts, exemptions, clears=phones.clears)
        yield _Asked(role, partial(_ask_numbers, phones), partial(_since_numbers, phones))
    for addresses in opened.email if channel == "email" else ():
        hit = "suppressed.internal_dnc" if addresses.facts.authority == "internal" else "suppressed.email_suppressed"
        role = Role(addresses.facts.id, "company", clears=False, hit=hit)
        yield _Asked(role, partial(_ask_values, addresses), partial(_since_values, addresses))
    own = {each.facts.id for each in (opened.phone if channel == "phone" else opened.email)}
    for accounts in opened.account:
        if accounts.facts.id not in own:
            role = Role(accounts.facts.id, "account", clears=False, hit="suppressed.account_excluded")
            yield _Asked(role, partial(_ask_accounts, accounts), _never)


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


def _ask_numbers(asked: PhoneList, endpoints: _Endpoints) -> Verdicts:
    verdicts = asked.look_up(endpoints.numbers, endpoints.states)
    if isinstance(asked, ResultList):
        # "No" for a day after the consent says nothing of the days between (`compliance.md` 1.8).
        late = asked.asked_for(endpoints.numbers) > endpoints.consents
        verdicts[late & (verdicts == Verdict.CLEAR)] = Verdict.NO_DATA
    return verdicts


def _since_numbers(asked: PhoneList, endpoints: _Endpoints) -> Moments:
    return asked.since(endpoints.numbers)


def _ask_values(asked: TextList, endpoints: _Endpoints) -> Verdicts:
    return asked.look_up(endpoints.values)


def _since_values(asked: TextList, endpoints: _Endpoints) -> Moments:
    return asked.since(endpoints.values)


def _ask_accounts(asked: TextList, endpoints: _Endpoints) -> Verdicts:
    return asked.look_up(endpoints.accounts)


def _never(endpoints: _Endpoints) -> Moments:
    return never(len(endpoints.values))


def numbers_in(values: pl.Series) -> Numbers:
    """E.164 text as integers without the plus; 0 where there is none."""
    return values.str.slice(1).cast(pl.UInt64).fill_null(0).to_numpy()


def _packed(verdicts: Sequence[Verdicts]) -> list[Words]:
    """Verdicts in words, four bits a list."""
    words: list[Words] = []
    for at, said in enumerate(verdicts):
        if at % _LISTS_A_WORD == 0:
            words.append(np.zeros(len(said), dtype=np.uint64))
        words[-1] |= said.astype(np.uint64) << np.uint64(at % _LISTS_A_WORD * 4)
    return words


def _bit(where: pl.Series, at: int) -> Words:
    return where.to_numpy().astype(np.uint64) << np.uint64(at)


def _codes(ruling: Ruling) -> tuple[str | None, str | None]:
    """The code that decided, and all catalogue codes that stand against the endpoint, space between them."""
    if not ruling.reasons:
        return None, None
    told = dict.fromkeys(reason.partition(":")[0] for reason in ruling.reasons)
    against = [code for code in told if code.startswith("suppressed.")]
    return ruling.code or None, " ".join(against) or None


def _counted(codes: pl.Series) -> dict[str, int]:
    return dict(codes.drop_nulls().value_counts(name="n").iter_rows())


def _lines(contacts: pl.DataFrame, judged: Judged, evidence: Evidence) -> pl.DataFrame:
    """The decisions about one column, as they are kept."""
    lines = contacts.select(
        ROW,
        column=pl.lit(judged.column),
        value=pl.col(judged.column),
        evidence=pl.lit(evidence.told),
        window=pl.lit(None if judged.window is None else judged.window, dtype=pl.String),
    )
    return pl.concat([lines, judged.words], how="horizontal").filter(lines["value"].is_not_null())
