"""Where a phone number is, for whole columns: one sorted table of the world's prefixes, one binary search.

North America is read by the area code, whose zones are the union of all that the library shows for its exchanges, of
those of its overlays, and of what `data/zones.toml` adds: the library's own answer for an area code is wrong or
incomplete in 18 of them, and overlays inherit nothing from it (`compliance.md` section 6). The exchange narrows only
where the line is known to be a landline. An area code without a place (toll-free, 500, one that is newer than the
data) tells none. Elsewhere the longest prefix that the library knows counts, and the whole country where it knows none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumberType
from phonenumbers.phonenumberutil import is_number_type_geographical
from phonenumbers.tzdata import TIMEZONE_DATA

from dialfeed.contacts.numbering import KINDS, REGIONS, resolve_international
from dialfeed.contacts.numbering.verdicts import WORLD
from dialfeed.donotcall.areas import states_of_area_codes
from dialfeed.donotcall.facts import Numbers
from dialfeed.donotcall.hours.clocks import known_zone, zones_of
from dialfeed.donotcall.hours.places import NOWHERE, Place, tables

_DIGITS: Final = 15  # E.164 has no longer numbers
_POWERS: Final = np.array([10**power for power in range(_DIGITS + 1)], np.uint64)
_NANP: Final = "1"
_NANP_ALL: Final = np.uint64(10**10)  # numbers // this is 1 in North America
_BLOCK: Final = np.uint64(10**7)
_KAZAKHSTAN: Final = ("76", "77")
_FIXED: Final = (KINDS.index("fixed_line"), KINDS.index("fixed_line_or_mobile"))
_MOBILE: Final = KINDS.index("mobile")

Classes: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Intervals:
    """Classes by intervals of numbers, written with zeros behind them up to 15 digits."""

    starts: NDArray[np.uint64]
    classes: Classes

    def look_up(self, numbers: Numbers) -> Classes:
        digits = np.searchsorted(_POWERS, numbers, side="right")
        padded = numbers * _POWERS[np.clip(_DIGITS - digits, 0, _DIGITS)]
        return self.classes[np.searchsorted(self.starts, padded, side="right") - 1]


@dataclass(frozen=True, slots=True, eq=False)
class NumberPlaces:
    """Where all numbers are.

    Attributes:
        places: The distinct places; a class is an index into them, and the first is `NOWHERE`.
        prefixes: By area code in North America, by the longest prefix that is known elsewhere.
        exchanges: The same, by exchange in North America where the library knows it.
        countries: By calling code.
        area_codes: The class of each area code of North America, 0 to 999.
        local_mobiles: The classes of countries whose mobile numbers tell a place.
    """

    places: tuple[Place, ...]
    prefixes: _Intervals
    exchanges: _Intervals
    countries: _Intervals
    area_codes: Classes
    local_mobiles: Classes

    def look_up(self, numbers: Numbers, landlines: NDArray[np.bool_] | None = None) -> Classes:
        """The class of each number; 0 for what is no number.

        Args:
            numbers: E.164 as integers without the plus.
            landlines: Which lines are verified not to be mobile; None for none of them.
        """
        american = numbers // _NANP_ALL == 1
        classes = self.area_codes[(numbers // _BLOCK % np.uint64(1000)).astype(np.intp)]
        abroad = np.flatnonzero(~american)
        if abroad.size:
            classes[abroad] = self._abroad(numbers[abroad])
        if landlines is not None and landlines.any():
            fixed = np.flatnonzero(american & landlines)
            classes[fixed] = self.exchanges.look_up(numbers[fixed])
        return classes

    def _abroad(self, numbers: Numbers) -> Classes:
        """By prefix, but for mobiles and other numbers without a place: those are somewhere in their country."""
        classes, countries = self.prefixes.look_up(numbers), self.countries.look_up(numbers)
        doubtful = np.flatnonzero(classes != countries)
        if doubtful.size:
            kinds = resolve_international(numbers[doubtful]).kinds()
            local = np.isin(kinds, _FIXED) | ((kinds == _MOBILE) & np.isin(countries[doubtful], self.local_mobiles))
            anywhere = doubtful[~local]
            classes[anywhere] = countries[anywhere]
        return classes


def place_of_number(number: int, *, landline: bool = False) -> Place:
    """Where one number is: E.164 as an integer without its plus."""
    found = number_places()
    return found.places[int(found.look_up(np.array([number], np.uint64), np.array([landline]))[0])]


@cache
def number_places() -> NumberPlaces:
    """The places of all numbers."""
    countries = dict(_countries())
    prefixes = {
        **countries,
        **dict(_prefixes_abroad()),
        **{_NANP + code: place_of_area_code(code) for code in area_codes()},
    }
    exchanges = {**prefixes, **dict(_exchanges())}
    places = tuple(dict.fromkeys([NOWHERE, *countries.values(), *exchanges.values()]))
    numbered = {place: number for number, place in enumerate(places)}
    by_code = [numbered[prefixes.get(f"{_NANP}{code:03}", NOWHERE)] for code in range(1000)]
    local = [code for code in countries if is_number_type_geographical(PhoneNumberType.MOBILE, int(code))]
    return NumberPlaces(
        places=places,
        prefixes=_flattened(prefixes, numbered),
        exchanges=_flattened(exchanges, numbered),
        countries=_flattened(countries, numbered),
        area_codes=np.array(by_code, np.int64),
        local_mobiles=np.array([numbered[countries[code]] for code in local], np.int64),
    )


@cache
def area_codes() -> tuple[str, ...]:
    """The area codes of North America that have a place."""
    return tuple(sorted(code for code in {*_own_zones(), *_overlaid()} if country_of_area_code(code)))


@cache
def place_of_area_code(code: str) -> Place:
    """Where an area code is: its own zones and those of the one that it overlays."""
    family = [each for each in (code, _overlaid().get(code)) if each]
    zones = frozenset(zone for each in family for zone in _own_zones().get(each, ()))
    state = next((_states()[each] for each in family if each in _states()), None)
    return Place(zones, frozenset({f"US-{state}" if state else country_of_area_code(code) or ""}))


def country_of_area_code(code: str) -> str | None:
    """The country of an area code; None where it has none, or is not known."""
    known = _countries_of_area_codes()
    return known.get(code) or known.get(_overlaid().get(code, ""))


@cache
def _states() -> dict[str, str]:
    return states_of_area_codes()


@cache
def _overlaid() -> dict[str, str]:
    """The older area code under each overlay."""
    pairs = (pair for table in tables()["overlay"] for pair in table["over"].items())
    return {code: older for older, codes in pairs for code in codes.split()}


@cache
def _own_zones() -> defaultdict[str, set[str]]:
    """The zones of area codes: of all of their exchanges, and what the data adds; overlays not yet counted in."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for prefix, zones in TIMEZONE_DATA.items():
        if prefix.startswith(_NANP) and len(prefix) >= 4:
            found[prefix[1:4]].update(zones)
    for added in tables()["area_code"]:
        for code in added["codes"].split():
            found[code].update(added["zones"])
    return found


@cache
def _countries_of_area_codes() -> dict[str, str]:
    """The country of each area code, by its valid numbers."""
    numbers = np.arange(12_000, 20_000, dtype=np.uint64)[:, None] * np.uint64(10**6)
    tried = (numbers + np.arange(2000, 10_000, 500, dtype=np.uint64) * np.uint64(100)).ravel()
    regions = resolve_international(tried).regions()
    codes = (tried // np.uint64(10**7) - np.uint64(1000)).tolist()
    found = zip(codes, regions.tolist(), strict=True)
    return {f"{code:03}": str(REGIONS[region]) for code, region in found if region}


def _exchanges() -> Iterable[tuple[str, Place]]:
    """Exchanges whose zones the library knows, within area codes that have a place."""
    for prefix, zones in TIMEZONE_DATA.items():
        if prefix.startswith(_NANP) and len(prefix) > 4 and prefix[1:4] in area_codes():
            yield prefix, Place(frozenset(zones), place_of_area_code(prefix[1:4]).jurisdictions)


def _countries() -> Iterator[tuple[str, Place]]:
    for code, regions in COUNTRY_CODE_TO_REGION_CODE.items():
        if str(code) != _NANP:
            yield str(code), _country(regions[0], TIMEZONE_DATA.get(str(code), ()))
    for prefix in _KAZAKHSTAN:
        yield prefix, _country("KZ", ())


def _prefixes_abroad() -> Iterator[tuple[str, Place]]:
    for prefix, zones in TIMEZONE_DATA.items():
        if not prefix.startswith(_NANP):
            yield prefix, _country(_region(prefix), zones)


def _region(prefix: str) -> str:
    if prefix.startswith(_KAZAKHSTAN):
        return "KZ"
    return next(
        COUNTRY_CODE_TO_REGION_CODE[int(prefix[:size])][0]
        for size in (1, 2, 3)
        if int(prefix[:size]) in COUNTRY_CODE_TO_REGION_CODE
    )


def _country(region: str, zones: tuple[str, ...]) -> Place:
    """A country's place: zones that are told and known, else all of its own."""
    if region == WORLD:
        return NOWHERE
    known = frozenset(zone for zone in zones if known_zone(zone)) or zones_of(region)
    return Place(known, frozenset({region}))


def _flattened(prefixes: Mapping[str, Place], numbered: Mapping[Place, int]) -> _Intervals:
    """Intervals in which the longest prefix is the same."""
    starts = sorted({0, *(edge for prefix in prefixes for edge in _span(prefix))})
    longest = max(map(len, prefixes))
    found = [numbered[_longest(f"{start:0{_DIGITS}}", prefixes, longest)] for start in starts]
    return _Intervals(np.array(starts, np.uint64), np.array(found, np.int64))


def _span(prefix: str) -> tuple[int, int]:
    """The padded numbers that begin with a prefix: the first, and the first behind them."""
    step = 10 ** (_DIGITS - len(prefix))
    return int(prefix) * step, (int(prefix) + 1) * step


def _longest(start: str, prefixes: Mapping[str, Place], longest: int) -> Place:
    return next((prefixes[start[:size]] for size in range(longest, 0, -1) if start[:size] in prefixes), NOWHERE)
