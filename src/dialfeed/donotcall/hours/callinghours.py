"""When the contacts of a run may be called: the hours of `columns.py` over the columns that a source has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from dialfeed.donotcall.hours.columns import calling_windows
from dialfeed.donotcall.hours.rules import HourRules

SENT: Final = ("timeZone", "callableFrom", "callableUntil", "callingDoubts")
"""The columns in which a platform is told the hours."""


@dataclass(frozen=True)
class CallingHours:
    """The calling hours of a run.

    Args:
        rules: What the laws are.
        day: The day that is looked at, where the contact is.
        places: What tells a place (`zip`, `state`, `timeZone`, `country`) → the contacts' column that holds it.
        sent: The columns that are added to what the platform is sent; none to report only.
    """

    rules: HourRules
    day: date
    places: Mapping[str, str]
    sent: tuple[str, ...] = ()

    def of(self, contacts: pl.DataFrame, phones: pl.Series) -> pl.DataFrame:
        """The windows of one column of numbers (`dialfeed.donotcall.hours.columns.WINDOW_SCHEMA`)."""
        known = {name: contacts[column] for name, column in self.places.items() if column in contacts.columns}
        return calling_windows(pl.DataFrame({"phone": phones, **known}), day=self.day, rules=self.rules)

    def add(self, contacts: pl.DataFrame) -> tuple[pl.DataFrame, Counter[str]]:
        """Contacts with the columns that are sent, and how many of them there is a doubt about, by its code."""
        windows = self.of(contacts, contacts["phone"])
        doubts = windows["callingDoubts"].drop_nulls().str.split(" ").explode()
        counted = Counter(dict(doubts.value_counts(name="n").iter_rows()))
        return contacts.with_columns(windows.select(self.sent)) if self.sent else contacts, counted


def as_window(windows: pl.DataFrame) -> pl.Series:
    """The hours as the evidence has them: from and until, with a slash between; `never` on a day without any."""
    told = pl.concat_str("callableFrom", "callableUntil", separator="/")
    return windows.select(pl.when(pl.col("jurisdictions").is_not_null()).then(told.fill_null("never"))).to_series()
