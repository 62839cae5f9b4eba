"""Objections: the numbers and addresses that some row of the file forbids, wherever else in the file they stand.

An opt-out follows the number, not the row (`compliance.md` section 4.4, last lines). A row may come before the one that
forbids its number, so this is looked at when the whole file has been read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from dialfeed.donotcall.decisions import CHANNELS, Channel
from dialfeed.donotcall.withholding import Judged, Scrubbed, withhold
from dialfeed.files import written_whole

OBJECTIONS: Final = "objections.arrow"
"""Where a run keeps them; a file with personal data."""

_CODES: Mapping[Channel, str] = {
    "phone": "suppressed.do_not_call_elsewhere",
    "email": "suppressed.do_not_email_elsewhere",
}


@dataclass(slots=True)
class Objections:
    """What the rows of a file forbid; 8 bytes a number, and the addresses themselves.

    Args:
        columns: The columns of each channel, in the order in which they are tried.
    """

    columns: Mapping[Channel, Sequence[str]]
    _found: dict[Channel, list[pl.Series]] = field(default_factory=dict)

    def add(self, objections: Mapping[str, pl.Series]) -> None:
        """Take in what the rows of one chunk forbid (`dialfeed.contacts.rules.Checked.objections`)."""
        for channel in CHANNELS:
            if channel in objections:
                self._found.setdefault(channel, []).append(_key(channel, objections[channel]).unique())

    def seal(self) -> None:
        """Nothing more comes: each is kept once."""
        self._found = {channel: [pl.concat(parts).unique()] for channel, parts in self._found.items()}

    def save(self, folder: Path) -> None:
        """Keep them in the run's folder, where there are any: for its evidence, and for rows that are retried."""
        if self:
            kept = {channel: parts[0] for channel, parts in self._found.items()}
            with written_whole(folder / OBJECTIONS) as file:
                pl.DataFrame({channel: [values] for channel, values in kept.items()}).write_ipc(file)

    def load(self, folder: Path) -> None:
        """Take in those that a run has kept, if it has."""
        path = folder / OBJECTIONS
        if path.is_file():
            kept = pl.read_ipc(path)
            for channel in CHANNELS:
                if channel in kept.columns:
                    self._found.setdefault(channel, []).append(kept[channel].explode())

    def __bool__(self) -> bool:
        return bool(self._found)

    def hits(self, channel: Channel, values: pl.Series) -> pl.Series:
        """Whether each number or address is forbidden by some row of the file; false for null."""
        if channel not in self._found:
            return pl.repeat(value=False, n=len(values), dtype=pl.Boolean, eager=True)
        return _key(channel, values).is_in(self._found[channel][0].implode()).fill_null(value=False)

    def strike(self, contacts: pl.DataFrame) -> Scrubbed | None:
        """Withhold what another row forbids from contacts that have been scrubbed; None where nothing is hit."""
        judged = [
            Judged.forbidden(channel, column, self.hits(channel, contacts[column]), _CODES[channel])
            for channel in CHANNELS
            for column in self.columns.get(channel, ())
            if column in contacts.columns
        ]
        return None if all(each.goes.all() for each in judged) else withhold(contacts, judged)


def _key(channel: Channel, values: pl.Series) -> pl.Series:
    """What is compared: numbers as integers, addresses without regard to case."""
    return values.str.slice(1).cast(pl.UInt64) if channel == "phone" else values.str.to_lowercase()
