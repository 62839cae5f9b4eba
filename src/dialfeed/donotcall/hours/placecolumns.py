"""What columns tell of places: each contact's evidence as one key, so that each combination is worked out once.

Every place that a source can tell has a number, the same for the whole process; a key holds one for each source. So
chunks of a list share what was worked out for others, and a million rows cost a few look-ups in tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import cache, partial
from threading import Lock
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dialfeed.donotcall.facts import Numbers
from dialfeed.donotcall.hours.numberzones import number_places
from dialfeed.donotcall.hours.places import (
    NORTH_AMERICA,
    NOWHERE,
    Place,
    place_of_country,
    place_of_postal_code,
    place_of_state,
    place_of_zone,
    places_of_prefix,
    zip_prefixes,
)
from dialfeed.donotcall.hours.zones import Evidence

Ids = NDArray[np.int64]
Rows = NDArray[np.intp]

_BITS: Final = 12  # of a key for each source; the tables hold about a thousand places


class _Register:
    """Numbers of places; `NOWHERE` is 0."""

    def __init__(self) -> None:
        self._numbers = {NOWHERE: 0}
        self._lock = Lock()
        self.places = [NOWHERE]

    def number(self, place: Place) -> int:
        known = self._numbers.get(place)
        if known is not None:
            return known
        with self._lock:
            if place not in self._numbers:
                if len(self.places) == 1 << _BITS:
                    raise OverflowError("the tables hold more places than a key has room for")
                self.places.append(place)
                self._numbers[place] = len(self.places) - 1
            return self._numbers[place]

    def numbers(self, places: Iterable[Place]) -> Ids:
        return np.array([self.number(place) for place in places], np.int64)


_REGISTER: Final = _Register()


def keys_of(contacts: pl.DataFrame) -> Ids:
    """The key of each contact's evidence; the columns are those of `hours.calling_windows`."""
    number = _by_number(contacts)
    country = _by_text(contacts, "country", place_of_country)
    nations = _nations(number, country)
    sources = (
        _by_text(contacts, "timeZone", place_of_zone),
        _by_postal_code(contacts, nations),
        _by_nation(contacts, "state", place_of_state, nations),
        country,
        number,
    )
    keys = np.zeros(len(contacts), np.int64)
    for ids in sources:
        keys <<= _BITS
        keys |= ids
    return keys


def evidence_of_key(key: int) -> Evidence:
    """The evidence that a key stands for."""
    names = [field.name for field in fields(Evidence)]
    numbers = [key >> _BITS * place & (1 << _BITS) - 1 for place in reversed(range(len(names)))]
    return Evidence(**{name: _REGISTER.places[number] for name, number in zip(names, numbers, strict=True)})


def _by_number(contacts: pl.DataFrame) -> Ids:
    if "phone" not in contacts.columns:
        return np.zeros(len(contacts), np.int64)
    landlines = contacts["landline"].fill_null(value=False).to_numpy() if "landline" in contacts.columns else None
    return _registered_numbers()[number_places().look_up(as_numbers(contacts["phone"]), landlines)]


@cache
def _registered_numbers() -> Ids:
    return _REGISTER.numbers(number_places().places)


def as_numbers(phones: pl.Series) -> Numbers:
    """Phones as integers without the plus; 0 where there is none."""
    if phones.dtype == pl.String:
        phones = phones.str.strip_prefix("+").cast(pl.UInt64, strict=False)
    return phones.cast(pl.UInt64).fill_null(0).to_numpy()


def _by_text(contacts: pl.DataFrame, name: str, rule: Callable[[str], Place], rows: Rows | None = None) -> Ids:
    """What a column of text tells, or some of its rows: each distinct value is read once."""
    ids = np.zeros(len(contacts), np.int64)
    if name not in contacts.columns:
        return ids
    values = contacts[name] if rows is None else contacts[name].gather(rows)
    distinct = values.drop_nulls().unique()
    if distinct.is_empty():
        return ids
    read = pl.Series(_REGISTER.numbers(map(rule, distinct.to_list())))
    ids[slice(None) if rows is None else rows] = values.replace_strict(distinct, read, default=0).to_numpy()
    return ids


# --- codes that are read in their nation ------------------------------------------------------------------------------

_AMERICA, _AUSTRALIA, _ELSEWHERE = range(3)
_READ_IN: Final = {_AMERICA: None, _AUSTRALIA: "AU"}  # elsewhere, ZIP codes and states are not read
_ZIP: Final = r"^[0-9]{5}(-?[0-9]{4})?$"

Nations = NDArray[np.int8]


def _nations(number: Ids, country: Ids) -> Nations:
    """In which nation's codes each row's ZIP code and state are written: that of its country, else of its number."""
    by_place = np.array([_nation(place) for place in _REGISTER.places], np.int8)
    told: Nations = by_place[np.where(country > 0, country, number)]
    return told


@cache
def _nation(place: Place) -> int:
    countries = {one[:2] for one in place.jurisdictions}
    if not countries or countries & NORTH_AMERICA:
        return _AMERICA
    return _AUSTRALIA if "AU" in countries else _ELSEWHERE


def _by_nation(contacts: pl.DataFrame, name: str, rule: Callable[[str, str | None], Place], nations: Nations) -> Ids:
    ids = np.zeros(len(contacts), np.int64)
    for nation, code in _READ_IN.items():
        rows = np.flatnonzero(nations == nation)
        if rows.size:
            all_of_them = rows.size == len(ids)
            read = partial(_in_nation, rule, code)
            ids += _by_text(contacts, name, read, None if all_of_them else rows)
    return ids


def _in_nation(rule: Callable[[str, str | None], Place], nation: str | None, text: str) -> Place:
    return rule(text, nation)


def _by_postal_code(contacts: pl.DataFrame, nations: Nations) -> Ids:
    """ZIP codes by a table of all hundred thousand, other postal codes by their text."""
    if "zip" not in contacts.columns:
        return np.zeros(len(contacts), np.int64)
    codes = contacts["zip"]
    american = (codes.str.contains(_ZIP).fill_null(value=False)).to_numpy() & (nations == _AMERICA)
    if american.all():
        return _zip_table()[_five_digits(codes)]
    rest = contacts.select(zip=pl.when(~pl.Series(american)).then(codes))
    ids = _by_nation(rest, "zip", place_of_postal_code, nations)
    rows = np.flatnonzero(american)
    ids[rows] = _zip_table()[_five_digits(codes.gather(rows))]
    return ids


def _five_digits(codes: pl.Series) -> NDArray[np.uint32]:
    return codes.str.slice(0, 5).cast(pl.UInt32).to_numpy()


@cache
def _zip_table() -> Ids:
    """The place of every ZIP code, by its five digits."""
    table = np.zeros(100_000, np.int64)
    for prefix in zip_prefixes():
        first = int(prefix) * 100
        table[first : first + 100] = _REGISTER.numbers(places_of_prefix(prefix))
    return table
