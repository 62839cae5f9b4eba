"""Calling hours of whole columns: where each contact may be, and when it may be called on a day.

Every law that may hold is read by every clock that may be the contact's, and what all of them allow is left
(`compliance.md` section 6). Contacts with the same evidence have the same hours, so each combination of what the
sources tell is worked out once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dialfeed.donotcall.clocks import as_text
from dialfeed.donotcall.facts import Numbers
from dialfeed.donotcall.hourrules import HourRules
from dialfeed.donotcall.numberzones import number_places
from dialfeed.donotcall.places import (
    NORTH_AMERICA,
    NOWHERE,
    Place,
    place_of_country,
    place_of_postal_code,
    place_of_state,
    place_of_zone,
)
from dialfeed.donotcall.windows import Day, day_of
from dialfeed.donotcall.zones import Evidence, Whereabouts, locate

CLOSED_DAY: Final = "hours.closed_day"
NO_COMMON_WINDOW: Final = "hours.no_common_window"
SPLIT_WINDOW: Final = "hours.split_window"

WINDOW_SCHEMA: Final = pl.Schema(
    {
        "timeZone": pl.String,
        "callableFrom": pl.String,
        "callableUntil": pl.String,
        "callingDoubts": pl.String,
        "jurisdictions": pl.String,
    }
)
"""The columns of a result: the one zone where it is certain, the hours of the day (UTC, `yyyy-MM-ddTHH:mmZ`; null on a
day without any), reason codes, and the laws that were read; the last two with blanks between."""

_Ids = NDArray[np.int64]


def calling_windows(contacts: pl.DataFrame, *, day: date, rules: HourRules) -> pl.DataFrame:
    """When contacts may be called on a day.

    Args:
        contacts: Any of these columns: `phone` (E.164, as text with a plus or as an integer without), `zip`, `state`,
            `timeZone`, `country` (ISO 3166-1), and `landline` (whether the line is verified not to be mobile). Text is
            clean and checked (`contacts/places.py`). A row without a phone has no hours.
        day: The calendar day, where the contact is.
        rules: What the laws are.

    Returns:
        A frame with a row for each contact (`WINDOW_SCHEMA`). Where a day has several stretches, it is the longest.
    """
    sources = _sources(contacts)
    keys = pl.Series("key", _packed(sources), dtype=pl.Int64)
    distinct = keys.unique()
    told = [_told(evidence, day, rules) for evidence in _evidence(distinct.to_numpy(), sources)]
    table = pl.DataFrame(told, schema=WINDOW_SCHEMA, orient="row").insert_column(0, distinct)
    windows = keys.to_frame().join(table, on="key", how="left", maintain_order="left").drop("key")
    if "phone" not in contacts.columns:
        return windows
    there = contacts["phone"].is_not_null()
    return windows.with_columns(pl.when(there).then(pl.col(name)) for name in WINDOW_SCHEMA if name != "timeZone")


def evidence_of(
    number: int | None,
    zip_code: str | None,
    state: str | None,
    zone_name: str | None,
    country: str | None = None,
    *,
    landline: bool = False,
) -> Evidence:
    """What is known of one contact: what `calling_windows` makes of the same values in columns."""
    values = {"phone": number, "zip": zip_code, "state": state, "timeZone": zone_name, "country": country}
    schema = {name: pl.UInt64 if name == "phone" else pl.String for name in values}
    contact = pl.DataFrame([values], schema=schema).with_columns(landline=pl.lit(landline))
    sources = _sources(contact)
    return next(iter(_evidence(_packed(sources), sources)))


def hours_on(evidence: Evidence, day: date, rules: HourRules) -> tuple[Whereabouts, Day]:
    """Where a contact may be, and what a day holds for it."""
    where = locate(evidence, day.year, rules)
    if not where.zones and rules.pack.unknown == "block":
        return where, Day((), closed=False)
    return where, day_of(where.zones, where.jurisdictions, day, rules)


def doubts_of(where: Whereabouts, day: Day) -> tuple[str, ...]:
    """The reason codes of a contact's day."""
    if day.closed:
        return (*where.doubts, CLOSED_DAY)
    if not day.spans:
        return (*where.doubts, NO_COMMON_WINDOW) if where.zones else where.doubts
    return (*where.doubts, SPLIT_WINDOW) if len(day.spans) > 1 else where.doubts


@lru_cache(maxsize=65536)
def _told(evidence: Evidence, day: date, rules: HourRules) -> tuple[str | None, ...]:
    where, hours = hours_on(evidence, day, rules)
    longest = hours.longest()
    first, last = map(as_text, longest) if longest else (None, None)
    doubts = " ".join(doubts_of(where, hours)) or None
    return where.zone, first, last, doubts, " ".join(sorted(where.jurisdictions))


# --- from columns to classes ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Source:
    """What one kind of evidence tells of each row: an index into its distinct places."""

    ids: _Ids
    places: tuple[Place, ...]


def _sources(contacts: pl.DataFrame) -> tuple[_Source, ...]:
    """In the order of the fields of `Evidence`."""
    number = _by_number(contacts)
    country = _by_text(contacts, "country", place_of_country)
    nations = _nations(contacts, number)
    return (
        _by_text(contacts, "timeZone", place_of_zone),
        _by_nation(contacts, "zip", place_of_postal_code, nations, _postal_head),
        _by_nation(contacts, "state", place_of_state, nations),
        country,
        number,
    )


def _packed(sources: tuple[_Source, ...]) -> _Ids:
    keys = np.zeros_like(sources[0].ids)
    for source in sources:
        keys = keys * len(source.places) + source.ids
    return keys


def _evidence(keys: _Ids, sources: tuple[_Source, ...]) -> Iterable[Evidence]:
    columns = []
    for source in reversed(sources):
        keys, ids = np.divmod(keys, len(source.places))
        columns.append([source.places[number] for number in ids])
    return (Evidence(*places) for places in zip(*reversed(columns), strict=True))


def _nothing(rows: int) -> _Source:
    return _Source(np.zeros(rows, np.int64), (NOWHERE,))


def _by_number(contacts: pl.DataFrame) -> _Source:
    if "phone" not in contacts.columns:
        return _nothing(len(contacts))
    found = number_places()
    landlines = contacts["landline"].fill_null(value=False).to_numpy() if "landline" in contacts.columns else None
    return _Source(found.look_up(_numbers(contacts["phone"]), landlines), found.places)


def _numbers(phones: pl.Series) -> Numbers:
    if phones.dtype == pl.String:
        phones = phones.str.strip_prefix("+").cast(pl.UInt64, strict=False)
    return phones.cast(pl.UInt64).fill_null(0).to_numpy()


def _by_text(
    contacts: pl.DataFrame,
    name: str,
    rule: Callable[[str], Place],
    shorten: Callable[[pl.Expr], pl.Expr] = lambda text: text,
) -> _Source:
    """What a column of text tells: ``rule`` reads each distinct value, once it is shortened to what tells a place."""
    if name not in contacts.columns:
        return _nothing(len(contacts))
    distinct = contacts.select(pl.col(name).drop_nulls().unique()).with_columns(head=shorten(pl.col(name)))
    heads = distinct["head"].unique()
    if heads.is_empty():
        return _nothing(len(contacts))
    read = [rule(head) for head in heads.to_list()]
    numbered = {place: number for number, place in enumerate(dict.fromkeys([NOWHERE, *read]))}
    ids = distinct["head"].replace_strict(heads, pl.Series([numbered[place] for place in read], dtype=pl.Int64))
    return _Source(contacts[name].replace_strict(distinct[name], ids, default=0).to_numpy(), tuple(numbered))


_AMERICA, _AUSTRALIA, _ELSEWHERE = range(3)
_NATION_NAMES: Final = (None, "AU")  # what codes and states are read in; elsewhere they are not


def _nations(contacts: pl.DataFrame, number: _Source) -> NDArray[np.int8]:
    """In which nation's codes each row's ZIP and state are written: that of its country, else of its number."""
    by_class = np.array([_nation(place.jurisdictions) for place in number.places], np.int8)
    nations: NDArray[np.int8] = by_class[number.ids]
    if "country" not in contacts.columns:
        return nations
    told = _by_text(contacts, "country", place_of_country)
    by_country = np.array([_nation(place.jurisdictions) for place in told.places], np.int8)
    return np.where(told.ids > 0, by_country[told.ids], nations)


def _nation(jurisdictions: frozenset[str]) -> int:
    countries = {one[:2] for one in jurisdictions}
    if not countries or countries & NORTH_AMERICA:
        return _AMERICA
    return _AUSTRALIA if "AU" in countries else _ELSEWHERE


def _by_nation(
    contacts: pl.DataFrame,
    name: str,
    rule: Callable[[str, str | None], Place],
    nations: NDArray[np.int8],
    shorten: Callable[[pl.Expr], pl.Expr] = lambda text: text,
) -> _Source:
    ids, places = np.zeros(len(contacts), np.int64), [NOWHERE]
    for nation, code in enumerate(_NATION_NAMES):
        rows = nations == nation
        if name in contacts.columns and rows.any():
            read = _by_text(contacts, name, partial(_in_nation, rule, code), shorten)
            ids = np.where(rows, read.ids + len(places), ids)
            places += read.places
    return _merged(ids, places)


def _in_nation(rule: Callable[[str, str | None], Place], nation: str | None, text: str) -> Place:
    return rule(text, nation)


def _merged(ids: _Ids, places: list[Place]) -> _Source:
    """Give equal places one number."""
    numbered = {place: number for number, place in enumerate(dict.fromkeys(places))}
    return _Source(np.array([numbered[place] for place in places], np.int64)[ids], tuple(numbered))


def _postal_head(text: pl.Expr) -> pl.Expr:
    """The part of a postal code that tells a place: five digits of a ZIP+4, three signs of a Canadian code."""
    code = text.str.strip_chars()
    plus_four = code.str.contains(r"^[0-9]{5}-?[0-9]{4}$")
    canadian = code.str.contains(r"^[A-Za-z][0-9][A-Za-z] ?[0-9][A-Za-z][0-9]$")
    return pl.when(plus_four).then(code.str.slice(0, 5)).when(canadian).then(code.str.slice(0, 3)).otherwise(code)
