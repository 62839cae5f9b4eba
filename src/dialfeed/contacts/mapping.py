"""Which source column is which contact field.

A column is claimed by an override first, then by a field's own name, then by a name that people commonly use
for the field, then by what its values are, where no name tells. Nothing is guessed: where two columns have the same
claim, the mapping has a problem, and an override settles it. Several columns may be phones, or e-mail addresses, where
the user gives their order. Every other column passes through under its own name.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import polars as pl

from dialfeed.contacts.fields import (
    AS_IT_IS,
    CHANNEL_FIELDS,
    CONTACT_FIELDS,
    COUNTRY_CODE,
    DO_NOT_CALL,
    DO_NOT_EMAIL,
    EMAIL,
    EXTERNAL_ID,
    FIRST_NAME,
    FLAG_FIELDS,
    FULL_NAME,
    LAST_NAME,
    NAME_FIELDS,
    PHONE,
    RESERVED_COLUMNS,
)
from dialfeed.contacts.system_columns import system_columns
from dialfeed.contacts.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

Why = Literal["exact", "synonym", "override", "values", "passed through", "as it is", "ignored"]

TWO_COLUMNS: Final = "header.two_columns_for_one_field"
NO_CHANNEL: Final = "header.no_channel"
NO_FLAG: Final = "header.no_flag"
DUPLICATE_NAME: Final = "header.duplicate_name"
BLANK_NAME: Final = "header.blank_name"
TOO_LONG: Final = "header.too_long"
TOO_MANY_COLUMNS: Final = "header.too_many_columns"
UNKNOWN_COLUMN: Final = "header.unknown_column"
UNKNOWN_FIELD: Final = "header.unknown_field"
LOOKS_LIKE_DATA: Final = "header.looks_like_data"
STATED_AND_MAPPED: Final = "header.stated_and_mapped"
BY_VALUES: Final = "header.by_values"
NOT_USED: Final = "header.not_used"
UNASKED: Final = "header.unasked"
PASSES_UNASKED: Final = "header.passes_unasked"
EMPTY_FLAG: Final = "header.empty_flag"

SYNONYMS: Final[Mapping[str, str]] = {
    EXTERNAL_ID: """
        id, customer id, customer number, customer no, client id, client number, contact id, crm id, guid, lead id,
        member id, person id, record id, subscriber id, uid, unique id, user id, uuid,
        id cliente, id de cliente, id contacto, id de contacto, número de cliente, código cliente, código de cliente,
        identifiant, identifiant client, id client, id contact, numéro client, numéro de client,
        kundennummer, kundennr, kunden id, kontakt id, kontaktnummer, mitgliedsnummer,
        id do cliente, id do contato, id do contacto, número do cliente, código do cliente""",
    FIRST_NAME: """
        first, fname, given name, given names, forename, christian name,
        nombre, nombres, nombre de pila, primer nombre, prénom, prénoms, vorname, vornamen,
        nome, primeiro nome, nome próprio""",
    LAST_NAME: """
        last, lname, surname, family name, apellido, apellidos, primer apellido, nom, nom de famille,
        nachname, familienname, zuname, sobrenome, último nome""",
    PHONE: """
        phone number, phone no, phone num, phonenr, primary phone, home phone, work phone, business phone,
        contact number, contact phone, contact phone number, msisdn,
        telephone, telephone number, telephone no, tel, tel no, tel number,
        mobile, mobile number, mobile no, mobile phone, mobile phone number, cell, cell number, cell phone,
        cell phone number,
        teléfono, número de teléfono, número teléfono, número telefónico, nº teléfono, nº de teléfono, teléfono móvil,
        móvil, número de móvil, celular, número celular, número de celular, teléfono celular,
        numéro de téléphone, numéro téléphone, n téléphone, n de téléphone, téléphone portable,
        téléphone mobile, portable, numéro de portable, numéro portable,
        telefon mobil, telefon privat, telefon festnetz, telefon geschäftlich, festnetz, festnetznummer,
        telefon, telefonnummer, telefonnr, tel nr, rufnummer, handy, handynummer, handynr, mobil, mobilnummer, mobilnr,
        mobiltelefon, mobilfunknummer,
        telefone, número de telefone, número do telefone, telefone celular, telefone móvel, telemóvel,
        número de telemóvel""",
    EMAIL: """
        email address, email id, mail, mail address, primary email, work email, contact email,
        correo, correo electrónico, correo e, dirección de correo, dirección de correo electrónico, dirección de email,
        courriel, adresse email, adresse mail, adresse courriel, adresse électronique, adresse de courriel,
        email adresse, mail adresse, endereço de email, endereço email, correio eletrónico""",
    COUNTRY_CODE: """
        country, country iso, country iso code, iso country, iso country code, iso2, nation,
        land, ländercode, länderkennung, länderkennzeichen, ländercode iso, staat,
        país, código país, código de país, código del país, pays, code pays, code du pays, código do país""",
    DO_NOT_CALL: """
        dnc, do not phone, dont call, no call, no calls, do not call flag, dnc flag,
        opt out phone, opt out call, opt out calls, phone opt out, call opt out, opted out of calls,
        no llamar, no llame, ne pas appeler, ne pas téléphoner, nicht anrufen, keine anrufe, anrufsperre, telefonsperre,
        não ligar, não chamar, não telefonar""",
    DO_NOT_EMAIL: """
        dne, dont email, no email, no emails, do not email flag, do not send email,
        opt out email, opt out emails, email opt out, opted out of email, has opted out of email,
        unsubscribe, unsubscribed, unsubscribed from all email, email unsubscribed,
        no enviar correo, no enviar correos, no enviar email, no enviar correo electrónico,
        ne pas envoyer de mail, ne pas envoyer de courriel, désabonné, désinscrit,
        keine email, keine emails, keine mail, keine mails, nicht anmailen, abgemeldet,
        não enviar email, não enviar emails, não enviar correio eletrónico, descadastrado""",
}
"""Names in common use for each contact field, in English, Spanish, French, German and Portuguese.

A name stands here only if it has one meaning: not "name" (which?), "do not contact" (by which channel?), "account id"
(shared by the people of a company) or "opt in" (the opposite of our flags).
"""

FULL_NAMES: Final = """
    full name, contact name, customer name, name and surname, first and last name, first name last name, complete name,
    nombre completo, nombre y apellidos, nom complet, nom et prénom, prénom et nom,
    vollständiger name, vor und nachname, vorname und nachname, vorname nachname, ganzer name,
    nome completo, nome e sobrenome, nome e apelido"""
"""Names of a column that holds first and last name together, in the same languages."""

_IGNORE: Final = ("", "-")
_NTH_COLUMN: Final = re.compile(r"#([1-9][0-9]{0,4})")
_NEUTRALISED: Final = re.compile("^'(?=[-=+@\uff0d\uff1d\uff0b\uff20])")
_LIKE_A_NUMBER: Final = re.compile(r"\+?(?:[\s().-]*[0-9]){7,15}")
_LIKE_AN_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True, slots=True)
class MappingProblem:
    """Something about the header, or about the overrides, that the user should know.

    Attributes:
        code: A code of the catalogue of reasons (``header.…``).
        sentence: What is wrong in this header; names columns, never a value of a row.
        remedy: What to do about it.
        severity: ``error`` stops the run before its first batch; ``warning`` is told.
    """

    code: str
    sentence: str
    remedy: str
    severity: Literal["error", "warning"] = "error"


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One source column and where it goes.

    Attributes:
        position: Place in the source, from 0; ``str(position)`` is its name in a chunk.
        name: The name in the header, cleaned; may be empty.
        target: A contact field, or the column's own name when it passes through; None when it is ignored.
        why: How that was decided.
        rank: Place in the order in which the columns of one channel are tried, from 0.
    """

    position: int
    name: str
    target: str | None
    why: Why
    rank: int = 0

    @property
    def carried_name(self) -> str:
        """The name under which a phone or an address is sent that is not the one chosen for the contact."""
        if not self.name:
            return f"column {self.position + 1}"
        return f"other {self.target}" if match_key(self.name) in _FIELD_BY_KEY else self.name


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """The way from source columns to contact fields.

    Attributes:
        columns: One entry for each source column, in order.
        problems: What is wrong, errors first.
        fingerprint: SHA-256 in hex over the cleaned names in their order: equal headers, equal fingerprints.
    """

    columns: tuple[MappedColumn, ...]
    problems: tuple[MappingProblem, ...]
    fingerprint: str

    @property
    def usable(self) -> bool:
        """Whether rows can be read by it: no problem is an error."""
        return all(problem.severity != "error" for problem in self.problems)

    @property
    def fields(self) -> dict[str, int]:
        """Contact fields with the positions of their (first) columns, in the order of `CONTACT_FIELDS`."""
        positions = {column.target: column.position for column in self._claiming if not column.rank}
        return {field: positions[field] for field in CONTACT_FIELDS if field in positions}

    @property
    def others(self) -> dict[str, dict[str, int]]:
        """Channels with more columns than one: the names and positions of those behind the first, in their order."""
        behind = sorted((column for column in self._claiming if column.rank), key=lambda column: column.rank)
        return {
            field: {column.carried_name: column.position for column in behind if column.target == field}
            for field in CHANNEL_FIELDS
            if any(column.target == field for column in behind)
        }

    @property
    def full_name(self) -> int | None:
        """The position of the column that holds first and last name together."""
        return next((column.position for column in self._claiming if column.target == FULL_NAME), None)

    @property
    def beside(self) -> list[str]:
        """Names of all columns that are sent beside the contact fields, in the order of the source."""
        named = {column.position: column.carried_name for column in self._claiming if column.rank}
        named |= {position: name for name, position in self.passed_through.items()}
        return [named[position] for position in sorted(named)]

    @property
    def _claiming(self) -> list[MappedColumn]:
        return [column for column in self.columns if column.why in CLAIMS]

    @property
    def passed_through(self) -> dict[str, int]:
        """Names of the columns that pass through, with their positions, in the order of the source."""
        return {column.name: column.position for column in self.columns if column.why in PASSES}

    def describe(self) -> list[tuple[str, str, str]]:
        """Rows for display: the column, what it becomes (empty when ignored), and why."""
        return [(column.name, column.target or "", column.why) for column in self.columns]


CLAIMS: Final = ("override", "exact", "synonym", "values")
PASSES: Final = ("passed through", "as it is")


def map_headers(
    header: Sequence[str],
    *,
    overrides: Mapping[str, str] | None = None,
    orders: Mapping[str, Sequence[str]] | None = None,
    stated: Collection[str] = (),
    evidence: Mapping[int, str] | None = None,
    most_columns: int | None = 50,
    longest_name: int | None = 128,
) -> ColumnMapping:
    """Decide for each column of a header what it is.

    Names match regardless of case, accents, blanks and punctuation. A field's own name wins over other names for it, so
    with both ``phone`` and ``mobile``, ``mobile`` passes through.

    Args:
        header: Column names as they stand in the source.
        overrides: Column to contact field; an empty field or ``-`` ignores the column. A column is named as in the
            header, or by its place from 1: ``#3``. Several columns may be ``phone``, and several ``email``: they are
            tried in the order in which they stand here. ``fullName`` is first and last name together, and ``asIs`` lets
            a column pass whatever is in it.
        orders: ``phone`` and ``email``, each with its columns in the order in which they are tried; wins over
            overrides.
        stated: Contact fields that the user has stated for all rows; they need no column and may have none.
        evidence: Positions of columns that, by their values, are phones or addresses; believed where no name tells.
        most_columns: The most columns the platform takes, None for any number (CXone: 50; seen, not given:
            `cxone-v2-dialect.md` section 3).
        longest_name: The most characters the platform takes in a name, None for any number (CXone: 128; seen).

    Returns:
        The mapping, with its problems as values. With an error among them it must not be used to send rows.
    """
    names = _clean_names(header)
    decided, unknown = _read_overrides(names, overrides or {}, orders or {})
    columns = tuple(_decide(names, decided, stated, evidence or {}))
    found = _find_problems(columns, stated, most_columns=most_columns, longest_name=longest_name)
    problems = [*unknown, *found]
    if _lacks_channel(columns) and any(map(_looks_like_data, names)):
        problems = [_looks_like_data_problem()]
    problems.sort(key=lambda problem: problem.severity)  # "error" before "warning"
    return ColumnMapping(columns, tuple(problems), header_fingerprint(header))


def header_fingerprint(header: Sequence[str]) -> str:
    """Compute the SHA-256 in hex over the cleaned names, kept apart from one another and in their order."""
    return hashlib.sha256(json.dumps(_clean_names(header)).encode()).hexdigest()


def match_key(name: str) -> str:
    """Reduce a name to what counts when two names are compared: its letters and digits, without case and accents."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return "".join(filter(str.isalnum, letters))


def _clean_names(header: Sequence[str]) -> list[str]:
    """Clean names like any text; "" where nothing is left.

    The quote that a people's file puts before a formula character (`compliance.md` section 8) comes off again.
    """
    cleaned = clean_text(pl.Series(header, dtype=pl.String)).fill_null("")
    return [_NEUTRALISED.sub("", name) for name in cleaned]


_FIELD_BY_KEY: Final = {match_key(field): field for field in CONTACT_FIELDS}
_TARGET_BY_KEY: Final = {**_FIELD_BY_KEY, match_key(FULL_NAME): FULL_NAME, match_key(AS_IT_IS): AS_IT_IS}
_FULL_NAME_KEYS: Final = frozenset(match_key(name) for name in FULL_NAMES.split(","))
_FIELD_BY_SYNONYM: Final = {
    match_key(synonym): field for field, synonyms in SYNONYMS.items() for synonym in synonyms.split(",")
}


# --- overrides ----------------------------------------------------------------------------------------------------


def _read_overrides(
    names: Sequence[str], overrides: Mapping[str, str], orders: Mapping[str, Sequence[str]]
) -> tuple[dict[int, str | None], list[MappingProblem]]:
    """Turn overrides and orders into decisions by position, in order: a contact field, or None to ignore."""
    decided: dict[int, str | None] = {}
    problems = []
    ordered = [(column, field) for field, columns in orders.items() for column in columns]
    for column, target in [*ordered, *overrides.items()]:
        positions = _named(names, column)
        field = _TARGET_BY_KEY.get(match_key(target))
        if not positions:
            problems.append(_unknown_column(column))
        elif field is None and target.strip() not in _IGNORE:
            problems.append(_unknown_field(target))
        elif field in CHANNEL_FIELDS and len(positions) > 1:
            like = [MappedColumn(position, names[position], field, "override") for position in positions]
            problems.append(_two_columns(like, field))
        for position in positions:
            decided.setdefault(position, field)
    return decided, problems


def _named(names: Sequence[str], wanted: str) -> list[int]:
    """Find the positions that an override means: by the very name, by a like name, by ``#`` and place."""
    cleaned = _clean_names([wanted])[0]
    same = [position for position, name in enumerate(names) if name and name == cleaned]
    if same:
        return same
    if nth := _NTH_COLUMN.fullmatch(cleaned):
        place = int(nth[1])
        return [place - 1] if place <= len(names) else []
    key = match_key(cleaned)
    return [position for position, name in enumerate(names) if key and match_key(name) == key]


# --- decisions ----------------------------------------------------------------------------------------------------


def _decide(
    names: Sequence[str], decided: Mapping[int, str | None], stated: Collection[str], evidence: Mapping[int, str]
) -> Iterator[MappedColumn]:
    """Decide on every column, in order."""
    system = system_columns(names)
    as_they_are = {position for position, target in decided.items() if target == AS_IT_IS and names[position]}
    decided = {position: None if target == AS_IT_IS else target for position, target in decided.items()}
    claims = _settle_claims(names, {**dict.fromkeys(system), **decided}, evidence)
    claims |= _full_name(names, decided, system, {field for field, _ in claims.values()}.union(stated))
    ranks = _ranks(decided)
    for position, name in enumerate(names):
        if position in claims:
            yield MappedColumn(position, name, *claims[position], ranks.get(position, 0))
        elif position in as_they_are:
            yield MappedColumn(position, name, name, "as it is")
        elif position in decided or position in system or not _may_pass(name):
            yield MappedColumn(position, name, None, "ignored")
        else:
            yield MappedColumn(position, name, name, "passed through")


def _ranks(decided: Mapping[int, str | None]) -> dict[int, int]:
    """The places of the columns that the user gave one channel, in the order in which they were given."""
    return {
        position: rank
        for field in CHANNEL_FIELDS
        for rank, position in enumerate(position for position, target in decided.items() if target == field)
    }


def _full_name(
    names: Sequence[str], decided: Mapping[int, str | None], system: Collection[int], taken: Collection[str]
) -> dict[int, tuple[str, Why]]:
    """The only column with first and last name together, by its name; none where either has a column of its own."""
    if not {FULL_NAME, *NAME_FIELDS}.isdisjoint(taken):
        return {}
    free = [position for position in range(len(names)) if position not in decided and position not in system]
    named = [position for position in free if match_key(names[position]) in _FULL_NAME_KEYS]
    return {named[0]: (FULL_NAME, "synonym")} if len(named) == 1 else {}


def _settle_claims(
    names: Sequence[str], decided: Mapping[int, str | None], evidence: Mapping[int, str]
) -> dict[int, tuple[str, Why]]:
    """Give each field to the columns with its strongest claim: one, or several where that is a problem."""
    keys = {
        position: match_key(name) for position, name in enumerate(names) if position not in decided and _may_pass(name)
    }
    claims: tuple[tuple[Why, Mapping[int, str | None]], ...] = (
        ("override", decided),
        ("exact", {position: _FIELD_BY_KEY.get(key) for position, key in keys.items()}),
        ("synonym", {position: _FIELD_BY_SYNONYM.get(key) for position, key in keys.items()}),
        ("values", evidence),
    )
    settled: dict[int, tuple[str, Why]] = {}
    taken: set[str] = set()
    for why, claimed in claims:
        won = {position: (field, why) for position, field in claimed.items() if field and field not in taken}
        settled |= won
        taken |= {field for field, _ in won.values()}
    return settled


def _may_pass(name: str) -> bool:
    """Tell whether a column has a name, and one that is not ours."""
    return name != "" and name.casefold() not in RESERVED_COLUMNS


# --- problems -----------------------------------------------------------------------------------------------------


def _find_problems(
    columns: Sequence[MappedColumn],
    stated: Collection[str],
    *,
    most_columns: int | None,
    longest_name: int | None,
) -> Iterator[MappingProblem]:
    """Look at the finished mapping for everything that is wrong with it."""
    yield from _contested_fields(columns)
    yield from _contested_names(columns)
    yield from (_stated_and_mapped(column) for column in columns if column.target in stated and column.why in CLAIMS)
    yield from map(_by_values, (column for column in columns if column.why == "values"))
    if _lacks_channel(columns):
        yield _no_channel()
    lacking = [flag for flag in FLAG_FIELDS if flag not in {*_claimed(columns), *stated}]
    if lacking:
        yield _no_flags(lacking)
    passing = [column for column in columns if column.why in PASSES]
    yield from _shared_names([*passing, *(column for column in columns if column.rank)])
    yield from (
        _too_long(column, longest_name) for column in passing if longest_name and len(column.name) > longest_name
    )
    fields = {field for name in _claimed(columns) for field in (NAME_FIELDS if name == FULL_NAME else (name,))}
    sent = len(passing) + sum(column.rank > 0 for column in columns) + len(fields.union(stated))
    if most_columns is not None and sent > most_columns:
        yield _too_many(sent, most_columns)
    if nameless := [column for column in columns if column.why == "ignored" and not column.name]:
        yield _blank_name(nameless)


def _claimed(columns: Iterable[MappedColumn]) -> set[str]:
    """Collect the contact fields that have a column."""
    return {column.target for column in columns if column.target and column.why in CLAIMS}


def _lacks_channel(columns: Iterable[MappedColumn]) -> bool:
    """Tell whether there is no column for any way to reach a person."""
    return _claimed(columns).isdisjoint(CHANNEL_FIELDS)


def _contested_fields(columns: Sequence[MappedColumn]) -> Iterator[MappingProblem]:
    """Find the fields that several columns claim with the same right."""
    for field in CONTACT_FIELDS:
        rivals = [column for column in columns if column.target == field and column.why in CLAIMS and not column.rank]
        if len(rivals) > 1:
            yield _two_columns(rivals, field)


def _two_columns(rivals: Sequence[MappedColumn], field: str) -> MappingProblem:
    return MappingProblem(
        TWO_COLUMNS,
        f"{_list(rivals)} could each be {field}, and a contact has only one.",
        f"Choose one with {_map_flag(rivals[0], field)}; leave another out with {_map_flag(rivals[-1], '-')}."
        + _order_advice(rivals, field),
    )


def _order_advice(rivals: Sequence[MappedColumn], field: str) -> str:
    """How to keep all of them, for a channel."""
    if field not in CHANNEL_FIELDS:
        return ""
    places = ",".join(f"#{column.position + 1}" for column in rivals)
    return f' Or say in which order they are tried, and the others are carried: --{field}-order "{places}".'


def _contested_names(columns: Sequence[MappedColumn]) -> Iterator[MappingProblem]:
    """Find a full name beside a first or last name: whichever were taken, the other would be lost."""
    whole = [column for column in columns if column.target == FULL_NAME and column.why in CLAIMS]
    parts = [column for column in columns if column.target in NAME_FIELDS and column.why in CLAIMS]
    if len(whole) > 1 or (whole and parts):
        yield MappingProblem(
            TWO_COLUMNS,
            f"{_list([*whole, *parts])} hold a contact's name more than once.",
            f"Leave out the full name with {_map_flag(whole[-1], '-')}, or rename it to let it pass through.",
        )


def _shared_names(passing: Sequence[MappedColumn]) -> Iterator[MappingProblem]:
    """Find columns that would be sent under one name, or under the name of a contact field.

    The second happens when an override gives the field to another column.
    """
    by_name: dict[str, list[MappedColumn]] = {}
    for column in passing:
        name = column.carried_name if column.rank else column.name
        by_name.setdefault(name.casefold(), []).append(column)
    for name, same in by_name.items():
        if len(same) > 1 or match_key(name) in _FIELD_BY_KEY:
            yield MappingProblem(
                DUPLICATE_NAME,
                f"{_list(same)} would be sent under a name that is already taken.",
                f"Rename the column in the source, or leave it out with {_map_flag(same[-1], '-')}.",
            )


def _no_channel() -> MappingProblem:
    return MappingProblem(
        NO_CHANNEL,
        "No column is a phone or an e-mail address, so nobody in this file could be reached.",
        "Name the column with --map COLUMN=phone or --map COLUMN=email. Where the names of the columns stand in another"
        " row, say in which: --header-row N.",
    )


_MAY_BE: Final = {DO_NOT_CALL: "may be called", DO_NOT_EMAIL: "may be written to"}


def _no_flags(flags: Sequence[str]) -> MappingProblem:
    named = " ".join(f"--map COLUMN={flag}" for flag in flags)
    stated = " ".join(f"--set {flag}=false" for flag in flags)
    return MappingProblem(
        NO_FLAG,
        f"No column says whether a contact {' or '.join(_MAY_BE[flag] for flag in flags)}, and that is never guessed.",
        f"Add {' and '.join(flags)} as {'a column' if len(flags) == 1 else 'columns'} with true or false in each row,"
        f" or name what is there: {named}. If you know that everybody in the file may be, state it: {stated}.",
    )


def _stated_and_mapped(column: MappedColumn) -> MappingProblem:
    return MappingProblem(
        STATED_AND_MAPPED,
        f"{_list([column])} is {column.target}, and --set states {column.target} for all rows.",
        f"Leave out --set {column.target}, or the column with {_map_flag(column, '-')}.",
    )


def _by_values(column: MappedColumn) -> MappingProblem:
    what = "phone numbers" if column.target == PHONE else "e-mail addresses"
    return MappingProblem(
        BY_VALUES,
        f"{_list([column])} is taken as {column.target}, because its values are {what}.",
        f"If that is right, say so with {_map_flag(column, column.target or '')}; else {_map_flag(column, '-')}.",
        severity="warning",
    )


def not_used(mapping: ColumnMapping, evidence: Mapping[int, str]) -> list[MappingProblem]:
    """What to say of columns that hold phones or addresses by their values, where nothing is mapped to that field.

    Args:
        mapping: The mapping.
        evidence: Position → `phone` or `email`.
    """
    columns = [each for each in mapping.columns if evidence.get(each.position, each.target) not in mapping.fields]
    return [_not_used(column, evidence[column.position]) for column in columns if column.position in evidence]


def _not_used(column: MappedColumn, field: str) -> MappingProblem:
    what, whom = ("phone numbers", "called") if field == PHONE else ("e-mail addresses", "written to")
    return MappingProblem(
        NOT_USED,
        f"{_list([column])} holds {what}, but no column is {field}: nobody in this file will be {whom}.",
        f"If that is wrong, say so with {_map_flag(column, field)}.",
        severity="warning",
    )


def named_channels(mapping: ColumnMapping) -> dict[int, str]:
    """Columns that pass through and are, by their names, phones or addresses: position → `phone` or `email`.

    With a field ``phone``, that is what ``mobile`` and ``phone 2`` are.
    """
    passing = {column.position: column.name for column in mapping.columns if column.why == "passed through"}
    keys = {position: match_key(name).rstrip("0123456789") for position, name in passing.items()}
    fields = {position: _FIELD_BY_KEY.get(key) or _FIELD_BY_SYNONYM.get(key) for position, key in keys.items()}
    return {position: field for position, field in fields.items() if field in CHANNEL_FIELDS}


def unasked(mapping: ColumnMapping, found: Mapping[int, str], *, stops: bool) -> Iterator[MappingProblem]:
    """What to say of phones and addresses that would leave beside the contact's own, and that no list is asked about.

    Args:
        mapping: The mapping.
        found: Position → `phone` or `email`, of columns that pass through.
        stops: Whether the run names do-not-call lists: then nothing leaves that they were not asked about.
    """
    for column in mapping.columns:
        if (field := found.get(column.position)) in mapping.fields:
            yield _unasked(column, field, mapping.fields[field] + 1, stops=stops)


def _unasked(column: MappedColumn, field: str, own: int, *, stops: bool) -> MappingProblem:
    what = "phone numbers" if field == PHONE else "e-mail addresses"
    told = "would be sent, and no do-not-call list is" if stops else "pass through, and no do-not-call flag or list is"
    return MappingProblem(
        UNASKED if stops else PASSES_UNASKED,
        f"{_list([column])} holds {what} that {told} asked about them: the column is not {field}.",
        f"If they are the contact's own, say in which order they are tried: --{field}-order \"#{own},"
        f'#{column.position + 1}". Else leave the column out with {_map_flag(column, "-")}, or let it pass with '
        f"{_map_flag(column, AS_IT_IS)}.",
        severity="error" if stops else "warning",
    )


def empty_flags(mapping: ColumnMapping, empty: Mapping[int, int], rows: int) -> Iterator[MappingProblem]:
    """What to say of flags whose cells are often empty.

    Args:
        mapping: The mapping.
        empty: Position → in how many of the first rows it is empty.
        rows: How many rows were looked at.
    """
    for column in mapping.columns:
        count = empty.get(column.position, 0)
        if column.target in FLAG_FIELDS and column.why in CLAIMS and count >= OFTEN * rows > 0:
            yield MappingProblem(
                EMPTY_FLAG,
                f"{_list([column])} is {column.target}, and is empty in {count:,} of the first {rows:,} rows: they are "
                "rejected, since an empty cell may mean either.",
                f"Where an empty cell means no, state it: --if-empty {column.target}=false. It is recorded.",
                severity="warning",
            )


OFTEN: Final = 0.2
"""The share of empty cells of a flag from which on they are told before."""


def _too_long(column: MappedColumn, longest: int | None) -> MappingProblem:
    return MappingProblem(
        TOO_LONG,
        f"The name of {_list([column])} has {len(column.name)} characters; the platform takes {longest}.",
        f"Shorten the name in the source, or leave the column out with {_map_flag(column, '-')}.",
    )


def _too_many(sent: int, most: int) -> MappingProblem:
    return MappingProblem(
        TOO_MANY_COLUMNS,
        f"{sent} columns would be sent; a contact list of the platform has at most {most}.",
        "Leave out columns that the campaign does not need with --map COLUMN=- for each.",
    )


def _blank_name(nameless: Sequence[MappedColumn]) -> MappingProblem:
    return MappingProblem(
        BLANK_NAME,
        f"{_list(nameless)} {'has' if len(nameless) == 1 else 'have'} no name and will not be sent.",
        "Give the column a name in the source if it holds something that the campaign needs.",
        severity="warning",
    )


def _unknown_column(column: str) -> MappingProblem:
    return MappingProblem(
        UNKNOWN_COLUMN,
        f'The mapping names a column "{_short(column)}", which the source does not have.',
        'Compare the name with the source\'s header; a column can also be named by its place, as in --map "#3=phone".',
    )


def _unknown_field(target: str) -> MappingProblem:
    return MappingProblem(
        UNKNOWN_FIELD,
        f'The mapping names a contact field "{_short(target)}", which does not exist.',
        f"Use one of {', '.join(CONTACT_FIELDS)}, {FULL_NAME}, {AS_IT_IS}, or - to leave the column out.",
    )


def _looks_like_data(name: str) -> bool:
    """Tell whether a column name is rather a phone number or an e-mail address."""
    return bool(_LIKE_A_NUMBER.fullmatch(name) or _LIKE_AN_ADDRESS.fullmatch(name))


def _looks_like_data_problem() -> MappingProblem:
    # The only problem told: any other sentence would quote the "names", which are a person's data here.
    return MappingProblem(
        LOOKS_LIKE_DATA,
        "The first row looks like a contact rather than a header, so it is not known what the columns are.",
        "Put a row with the names of the columns above the first contact.",
    )


def _list(columns: Sequence[MappedColumn]) -> str:
    """Name columns for the beginning of a sentence, by name and by place from 1; the first few, if there are many."""
    named = [_call(column) for column in columns[:4]]
    if more := len(columns) - len(named):
        named.append(f"{more} more")
    listed = f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else named[0]
    return listed[:1].upper() + listed[1:]


def _call(column: MappedColumn) -> str:
    """Name one column."""
    place = f"column {column.position + 1}"
    return f'"{_short(column.name)}" ({place})' if column.name else place


def _map_flag(column: MappedColumn, target: str) -> str:
    """Write the override for a column by its place, so that it works whatever the name is."""
    return f'--map "#{column.position + 1}={target}"'  # quoted: a bare # begins a comment in a shell


def _short(name: str) -> str:
    """Keep a sentence readable whatever a name holds."""
    return name if len(name) <= 60 else f"{name[:57]}…"
