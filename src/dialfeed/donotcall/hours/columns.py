"""Calling hours of whole columns: where each contact may be, and when it may be called on a day.

Every law that may hold is read by every clock that may be the contact's, and what all of them allow is left
(`compliance.md` section 6). Contacts with the same evidence have the same hours, so each combination of what the
sources tell is worked out once.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Final

import polars as pl

from dialfeed.donotcall.hours.clocks import as_text
from dialfeed.donotcall.hours.placecolumns import evidence_of_key, keys_of
from dialfeed.donotcall.hours.rules import HourRules
from dialfeed.donotcall.hours.windows import Day, day_of
from dialfeed.donotcall.hours.zones import Evidence, Whereabouts, locate

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


def calling_windows(contacts: pl.DataFrame, *, day: date, rules: HourRules) -> pl.DataFrame:
    """When contacts may be called on a day.

    Args:
        contacts: Any of these columns: `phone` (E.164, as text with a plus or as an integer without), `zip`, `state`,
            `timeZone`, `country` (ISO 3166-1), and `landline` (whether the line is verified not to be mobile). Text is
            clean and checked (`contacts/places.py`). A row without a phone has no hours.
        day: The calendar day, where the contact is.
        rules: What the laws are.

    Returns:
        A frame with a row for each contact (`WINDOW_SCHEMA`); the last minute is the one before `callableUntil`. Where
        a day has several stretches, it is the longest.
    """
    keys = pl.Series("key", keys_of(contacts))
    distinct = keys.unique()
    told = [_told(key, day, rules) for key in distinct.to_list()]
    table = pl.DataFrame(told, schema=WINDOW_SCHEMA, orient="row").insert_column(0, distinct)
    windows = keys.to_frame().join(table, on="key", how="left", maintain_order="left").drop("key")
    if "phone" not in contacts.columns or not contacts["phone"].null_count():
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
    return evidence_of_key(int(keys_of(contact)[0]))


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


@lru_cache(maxsize=1 << 18)
def _told(key: int, day: date, rules: HourRules) -> tuple[str | None, ...]:
    where, hours = hours_on(evidence_of_key(key), day, rules)
    longest = hours.longest()
    first, last = map(as_text, longest) if longest else (None, None)
    doubts = " ".join(doubts_of(where, hours)) or None
    return where.zone, first, last, doubts, " ".join(sorted(where.jurisdictions))
