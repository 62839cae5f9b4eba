"""What Genesys Cloud's automatic time zone mapping would make of a contact's ZIP code and phone columns.

A ZIP code that it cannot map shrinks the hours to 2pm to 8pm Eastern, where a blank one leaves them to the phones: so a
wrong ZIP code is worse than none (`compliance.md` section 0, item 8, and section 3; the platform's own table of
examples). Its data is not public: where ours knows several clocks for an area code, the prediction is the shortest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias

import polars as pl

from dialfeed.donotcall.clocks import one_name_a_clock
from dialfeed.donotcall.hoursfile import Stretch, as_stretch
from dialfeed.donotcall.numberzones import place_of_number
from dialfeed.donotcall.places import NOWHERE, Place, tables, zip_is_listed, zip_place
from dialfeed.donotcall.windows import Span, common, spans_by_clock
from dialfeed.donotcall.zones import preferred_names

ZIP_TRAP: Final = "hours.genesys_zip_trap"

Case: TypeAlias = Literal["mapped", "zip_not_mapped", "no_phone_mapped"]


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
    phones = frozenset(place.zones for number in numbers if number and (place := _mapped_phone(number)) is not None)
    return _predict((zip_code or "").strip(), phones, day)


def zip_traps(zips: pl.Series, phones: pl.DataFrame, day: date) -> pl.Series:
    """In which rows the ZIP code is a trap.

    Args:
        zips: The ZIP code column.
        phones: The phone columns, E.164 as text with a plus.
        day: The calendar day.

    Returns:
        A String column: `ZIP_TRAP`, or null.
    """
    heads = phones.select(pl.all().str.slice(0, _HEAD))  # an area code tells all that is asked of a number
    rows = heads.with_columns(zip_code=zips).with_row_index("row")
    keys = [name for name in rows.columns if name != "row"]
    distinct = rows.select(keys).unique()
    traps = [ZIP_TRAP if _is_trap(row, day) else None for row in distinct.iter_rows(named=True)]
    told = distinct.with_columns(code=pl.Series(traps, dtype=pl.String))
    joined = rows.join(told, on=keys, how="left", nulls_equal=True, maintain_order="left")
    return joined["code"]


_HEAD: Final = len("+1212")


def _is_trap(row: Mapping[str, str | None], day: date) -> bool:
    heads = [head for name, head in row.items() if name != "zip_code" and head]
    numbers = [int(head[1:].ljust(11, "0")) for head in heads if head[1:].isdigit()]
    return predict(row["zip_code"], numbers, day).trap


@lru_cache(maxsize=65536)
def _predict(zip_code: str, phones: frozenset[frozenset[str]], day: date) -> Prediction:
    case, clocks = _case(zip_code, phones, day.year)
    span = _span(case, clocks, day)
    trap = bool(zip_code) and _length(span) < _length(_predict("", phones, day).span)
    return Prediction(case, clocks, span, trap=trap)


def _case(zip_code: str, phones: frozenset[frozenset[str]], year: int) -> tuple[Case, tuple[str, ...]]:
    place = _mapped_zip(zip_code)
    if place is None:
        return "zip_not_mapped", (_rules()["default_clock"],)
    if not phones:
        return "no_phone_mapped", (_rules()["default_clock"],)
    zones = place.zones.union(*phones)
    return "mapped", tuple(sorted(one_name_a_clock(zones, year, preferred_names()).values()))


def _span(case: Case, clocks: tuple[str, ...], day: date) -> Span | None:
    stretches = _stretches("mapped" if case == "mapped" else "default")
    left = common(spans_by_clock(stretches, clock, day) for clock in clocks)
    early = _rules()["stops_early"]
    return next(((first, last - early) for first, last in left if first < last - early), None)


def _length(span: Span | None) -> int:
    return span[1] - span[0] if span else 0


def _mapped_zip(zip_code: str) -> Place | None:
    """The place of a ZIP code; nowhere for a blank one, None for one that cannot be mapped."""
    if not zip_code:
        return NOWHERE
    return zip_place(zip_code[:3], int(zip_code[3:5])) if zip_is_listed(zip_code) else None


def _mapped_phone(number: int) -> Place | None:
    """The place of a number in the United States or Canada; None for others, and for those without a place."""
    place = place_of_number(number)
    return place if {one[:2] for one in place.jurisdictions} & set(_rules()["countries"]) else None


def _rules() -> dict[str, Any]:
    rules: dict[str, Any] = tables("platform_hours.toml")["genesys"]
    return rules


def _stretches(which: str) -> tuple[Stretch, ...]:
    return tuple(as_stretch(which, text) for text in _rules()[which])
