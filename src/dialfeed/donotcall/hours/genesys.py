"""What Genesys Cloud's automatic time zone mapping would make of a contact's ZIP code and phone columns.

A ZIP code that it cannot map shrinks the hours to 2pm to 8pm Eastern, where a blank one leaves them to the phones: so a
wrong ZIP code is worse than none (`compliance.md` section 0, item 8, and section 3; the platform's own table of
examples). Its data is not public: where ours knows several clocks for an area code, the prediction is the shortest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias

from dialfeed.donotcall.hours.clocks import one_name_a_clock
from dialfeed.donotcall.hours.numberzones import place_of_number
from dialfeed.donotcall.hours.places import NOWHERE, Place, tables, zip_is_listed, zip_place
from dialfeed.donotcall.hours.rulesfile import Stretch, as_stretch
from dialfeed.donotcall.hours.windows import Span, common, spans_by_clock
from dialfeed.donotcall.hours.zones import preferred_names

ZIP_TRAP: Final = "hours.genesys_zip_trap"

Case: TypeAlias = Literal["mapped", "zip_not_mapped", "no_phone_mapped"]
_Clocks: TypeAlias = frozenset[str]
"""One zone for each clock."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The hours that the platform would dial a contact in.

    Attributes:
        case: Whether it maps the contact, or why it takes its default.
        clocks: One zone for each clock that it goes by.
        span: From and until in minutes since the epoch, until not in it; None where nothing is left.
        trap: Whether a blank ZIP code would give more hours.
    """

    case: Case
    clocks: tuple[str, ...]
    span: Span | None
    trap: bool


def predict(zip_code: str | None, numbers: Sequence[int | None], day: date) -> Prediction:
    """Predict the hours of a contact.

    Args:
        zip_code: The cell of the ZIP code column as it would be sent; None or blank where there is none.
        numbers: The phone columns: E.164 as integers without the plus, None where a cell is blank.
        day: The calendar day.
    """
    phones = [_clocks(_mapped_phone(place_of_number(number)), day.year) for number in numbers if number]
    return _predict(_clocks_of_zip((zip_code or "").strip(), day.year), frozenset().union(*phones), day)


@lru_cache(maxsize=65536)
def _predict(zip_clocks: _Clocks | None, phones: _Clocks, day: date) -> Prediction:
    case: Case = "zip_not_mapped" if zip_clocks is None else "mapped" if phones else "no_phone_mapped"
    clocks = (zip_clocks or frozenset()) | phones if case == "mapped" else {_rules()["default_clock"]}
    span = _span(case, clocks, day)
    blank = zip_clocks == frozenset()
    trap = not blank and _length(span) < _length(_predict(frozenset(), phones, day).span)
    return Prediction(case, tuple(sorted(clocks)), span, trap=trap)


def _span(case: Case, clocks: Iterable[str], day: date) -> Span | None:
    stretches = _stretches("mapped" if case == "mapped" else "default")
    left = common(spans_by_clock(stretches, clock, day) for clock in clocks)
    early = _rules()["stops_early"]
    return next(((first, last - early) for first, last in left if first < last - early), None)


def _length(span: Span | None) -> int:
    return span[1] - span[0] if span else 0


@lru_cache(maxsize=65536)
def _clocks_of_zip(zip_code: str, year: int) -> _Clocks | None:
    """The clocks of a ZIP code; empty for a blank one, None for one that cannot be mapped."""
    if not zip_code:
        return frozenset()
    return _clocks(zip_place(zip_code[:3], int(zip_code[3:5])), year) if zip_is_listed(zip_code) else None


def _mapped_phone(place: Place) -> Place:
    """The place of a number in the United States or Canada; nowhere for others."""
    return place if {one[:2] for one in place.jurisdictions} & set(_rules()["countries"]) else NOWHERE


def _clocks(place: Place, year: int) -> _Clocks:
    return frozenset(one_name_a_clock(place.zones, year, preferred_names()).values())


def _rules() -> dict[str, Any]:
    rules: dict[str, Any] = tables("platform_hours.toml")["genesys"]
    return rules


def _stretches(which: str) -> tuple[Stretch, ...]:
    return tuple(as_stretch(which, text) for text in _rules()[which])
