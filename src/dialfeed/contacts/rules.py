"""Normalise and validate: a chunk of rows becomes contacts and findings.

Every rule looks at every row, so that all faults of a row are told at once. A row with any fault is invalid; one
bad row never harms another. What a rule repaired or only remarks on is a warning, and the row goes on.
Sources: `cxone-v2-dialect.md` section 3 for the fields, `compliance.md` sections 8 and 9 for damage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from dialfeed.contacts.channels import OTHER_UNUSABLE, Verdict, choose
from dialfeed.contacts.country import normalise_countries
from dialfeed.contacts.email import normalise_emails
from dialfeed.contacts.fields import CHANNEL_FIELDS, CONTACT_FIELDS, FLAG_FIELDS
from dialfeed.contacts.findings import FINDINGS_SCHEMA, ROW, findings
from dialfeed.contacts.flags import normalise_flags
from dialfeed.contacts.kinds import unwanted_code
from dialfeed.contacts.mapping import match_key
from dialfeed.contacts.names import split_full_names
from dialfeed.contacts.phone import normalise_phones
from dialfeed.contacts.places import Place, check_place, place_of
from dialfeed.contacts.text import clean_text, too_long

_TEXT_FIELDS = {"externalId", "firstName", "lastName"}


@dataclass(frozen=True, slots=True)
class RuleSet:
    """What the rules go by.

    Attributes:
        fields: Contact field → name of its column in the chunk.
        passed: Name of a passed-through column on the platform → name of its column in the chunk.
        default_country: The region of phones in national form whose row names no country; None to assume none.
        cell_limit: The most characters of a cell.
        others: `phone` and `email`, each with the further columns that are tried behind that of `fields`, in their
            order: the name under which a value not chosen is carried → name of its column in the chunk.
        stated: Contact fields that have one value for all rows → that value.
        full_name: Name of the column in the chunk that holds first and last name together.
        unwanted_kinds: Kinds of phone numbers (`dialfeed.contacts.kinds`) that are rejected.
        if_empty: Flags that the user has stated for rows whose cell is empty → that value.
    """

    fields: Mapping[str, str]
    passed: Mapping[str, str] = field(default_factory=dict)
    default_country: str | None = None
    cell_limit: int = 512
    others: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    stated: Mapping[str, str] = field(default_factory=dict)
    full_name: str | None = None
    unwanted_kinds: frozenset[str] = frozenset()
    if_empty: Mapping[str, str] = field(default_factory=dict)

    @property
    def beside(self) -> list[str]:
        """Names of all columns beside the contact fields."""
        return [*self.passed, *(name for names in self.others.values() for name in names)]


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of the rules over one chunk.

    Attributes:
        contacts: `ROW`, the contact fields in their order, then the passed-through and carried columns, of the valid
            rows.
        faults: Why rows are invalid (`FINDINGS_SCHEMA`), in row order.
        warnings: Repairs and remarks about rows, valid or not (`FINDINGS_SCHEMA`).
        objections: `phone` and `email`, each with the numbers or addresses of rows, valid or not, whose flag forbids
            the channel; a channel that no row forbids is absent.
    """

    contacts: pl.DataFrame
    faults: pl.DataFrame
    warnings: pl.DataFrame
    objections: Mapping[str, pl.Series] = field(default_factory=dict)


@dataclass(slots=True)
class _Bench:
    """Where the columns of one chunk are worked on."""

    rows: pl.Series
    columns: dict[str, pl.Series] = field(default_factory=dict)
    faults: list[pl.DataFrame] = field(default_factory=list)
    warnings: list[pl.DataFrame] = field(default_factory=list)

    def fault(self, name: str, codes: pl.Series) -> None:
        self.faults.append(findings(self.rows, name, codes))

    def warn(self, name: str, codes: pl.Series) -> None:
        self.warnings.append(findings(self.rows, name, codes))


def check(chunk: pl.DataFrame, rules: RuleSet) -> Checked:
    """Normalise and validate one chunk.

    Args:
        chunk: `ROW` and String columns, cells as typed, empty cells null.
        rules: The mapping and the limits.
    """
    bench = _Bench(chunk[ROW])
    given = {name: _cell(bench, name, chunk[column], rules) for name, column in rules.fields.items()}
    for name, value in rules.stated.items():
        given[name] = pl.repeat(value, len(chunk), dtype=pl.String, eager=True)
    for name in _TEXT_FIELDS & given.keys():
        bench.columns[name] = given[name]
    if rules.full_name is not None:
        _names(bench, _cell(bench, "fullName", chunk[rules.full_name], rules))
    countries = _country(bench, given.get("countryCode"), rules)
    others = {
        channel: {name: _cell(bench, name, chunk[column], rules) for name, column in columns.items()}
        for channel, columns in rules.others.items()
    }
    _phone(bench, given.get("phone"), others.get("phone", {}), countries, rules.unwanted_kinds)
    _email(bench, given.get("email"), others.get("email", {}))
    for name in FLAG_FIELDS:
        _flag(bench, name, given.get(name), rules.if_empty.get(name))
    _some_channel(bench, given, others)
    for name, column in rules.passed.items():
        bench.columns[name] = _cell(bench, name, chunk[column], rules)
        if place := place_of(match_key(name)):
            _place(bench, name, place, countries)
    return _finish(bench, rules)


def _cell(bench: _Bench, name: str, raw: pl.Series, rules: RuleSet) -> pl.Series:
    """A column of clean text; cells over the limit become a fault and are not looked at any further."""
    values = clean_text(raw)
    long = too_long(values, rules.cell_limit)
    if not long.any():
        return values
    bench.fault(name, _code_where(long, "cell.too_long"))
    return values.zip_with(~long, pl.repeat(None, len(values), dtype=pl.String, eager=True))


def _country(bench: _Bench, values: pl.Series | None, rules: RuleSet) -> pl.Series:
    """The region that phones of each row are read by."""
    absent = pl.repeat(rules.default_country, len(bench.rows), dtype=pl.String, eager=True)
    if values is None:
        return absent
    found = normalise_countries(values)
    bench.fault("countryCode", found["code"])
    bench.columns["countryCode"] = found["country"]
    return found["country"].zip_with(found["country"].is_not_null(), absent)


def _names(bench: _Bench, values: pl.Series) -> None:
    found = split_full_names(values)
    bench.warn("lastName", found["code"])
    bench.columns |= {"firstName": found["firstName"], "lastName": found["lastName"]}


def _phone(
    bench: _Bench,
    values: pl.Series | None,
    others: Mapping[str, pl.Series],
    regions: pl.Series,
    unwanted: frozenset[str],
) -> None:
    verdicts = {}
    for name, column in _columns("phone", values, others).items():
        found = normalise_phones(column, regions, details=bool(unwanted))
        bench.warn(name, found["repair"])
        verdicts[name] = _without_unwanted(found, unwanted) if unwanted else Verdict(found["e164"], found["code"])
    _take(bench, "phone", verdicts)


def _without_unwanted(found: pl.DataFrame, unwanted: frozenset[str]) -> Verdict:
    """The verdict on numbers, where those of some kinds are rejected."""
    refused = pl.col("kind").is_in(sorted(unwanted))
    told = found.select(
        values=pl.when(refused.fill_null(value=False)).then(None).otherwise(pl.col("e164")),
        codes=pl.when(refused).then(pl.lit(unwanted_code("")) + pl.col("kind")).otherwise(pl.col("code")),
    )
    return Verdict(told["values"], told["codes"])


def _email(bench: _Bench, values: pl.Series | None, others: Mapping[str, pl.Series]) -> None:
    verdicts = {}
    for name, column in _columns("email", values, others).items():
        found = normalise_emails(column)
        bench.warn(name, found["warning"])
        verdicts[name] = Verdict(found["email"], found["code"])
    _take(bench, "email", verdicts)


def _columns(channel: str, values: pl.Series | None, others: Mapping[str, pl.Series]) -> dict[str, pl.Series]:
    return {} if values is None else {channel: values, **others}


def _take(bench: _Bench, channel: str, verdicts: Mapping[str, Verdict]) -> None:
    """The contact's number or address, from one column or from the first of several that is usable."""
    if len(verdicts) < 2:
        for name, verdict in verdicts.items():
            bench.fault(name, verdict.codes)
            bench.columns[name] = verdict.values
        return
    choice = choose(list(verdicts.values()))
    bench.columns[channel] = choice.chosen
    bench.columns |= dict(zip(list(verdicts)[1:], choice.carried, strict=True))
    for name, codes, passed_over in zip(verdicts, choice.faults, choice.passed_over, strict=True):
        bench.fault(name, codes)
        bench.warn(name, _code_where(passed_over, OTHER_UNUSABLE[channel]))


def _flag(bench: _Bench, name: str, values: pl.Series | None, if_empty: str | None) -> None:
    if values is None:
        values = pl.repeat(None, len(bench.rows), dtype=pl.String, eager=True)
    elif if_empty is not None:
        values = values.fill_null(if_empty)
    found = normalise_flags(values)
    bench.fault(name, found["code"])
    bench.columns[name] = found["flag"]


def _some_channel(bench: _Bench, given: Mapping[str, pl.Series], others: Mapping[str, Mapping[str, pl.Series]]) -> None:
    """A contact needs a phone or an e-mail; a faulty one has been told already."""
    neither = pl.repeat(value=True, n=len(bench.rows), dtype=pl.Boolean, eager=True)
    for name in ("phone", "email"):
        if name in given:
            neither &= given[name].is_null()
        for other in others.get(name, {}).values():
            neither &= other.is_null()
    if neither.any():
        bench.fault("", _code_where(neither, "contact.no_channel"))


def _place(bench: _Bench, name: str, place: Place, countries: pl.Series) -> None:
    checked = check_place(place, bench.columns[name], countries)
    bench.warn(name, checked["code"])
    bench.columns[name] = checked["value"]


def _finish(bench: _Bench, rules: RuleSet) -> Checked:
    faults = _in_row_order(bench.faults)
    order = [name for name in CONTACT_FIELDS if name in bench.columns] + rules.beside
    contacts = pl.DataFrame([bench.rows, *(bench.columns[name].alias(name) for name in order)])
    for name in ("phone", "email"):
        if name not in contacts.columns:
            contacts = contacts.with_columns(pl.lit(None, dtype=pl.String).alias(name))
    objections = _objections(contacts, rules)
    if len(faults):
        contacts = contacts.filter(~bench.rows.is_in(faults[ROW].unique().implode()))
    return Checked(contacts, faults, _in_row_order(bench.warnings), objections)


def _objections(contacts: pl.DataFrame, rules: RuleSet) -> dict[str, pl.Series]:
    """What rows forbid, by channel; a fault elsewhere in such a row does not unsay it."""
    found = {}
    for channel, flag in zip(CHANNEL_FIELDS, FLAG_FIELDS, strict=True):
        forbidding = contacts.filter(pl.col(flag).fill_null(value=False))
        if len(forbidding):
            columns = [channel, *rules.others.get(channel, ())]
            found[channel] = pl.concat([forbidding[name].alias(channel) for name in columns]).drop_nulls()
    return found


def _in_row_order(frames: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(schema=FINDINGS_SCHEMA), *frames]).sort(ROW, maintain_order=True)


def _code_where(mask: pl.Series, code: str) -> pl.Series:
    return pl.select(pl.when(mask).then(pl.lit(code))).to_series()
