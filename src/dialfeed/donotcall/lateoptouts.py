"""Opt-outs that come in after the scrub: who must not be sent any more, asked anew before each batch.

A run may deliver for hours, or go on after days. The company's own lists are looked at again before a batch leaves,
which costs one `stat` a list as long as nothing has been added to them since the scrub. Where something has, the scrub
itself decides again, on these lists alone: by the topic of the run, and by consents that are later than an opt-out.

A list that cannot be read any more stops the run: nobody could say who has opted out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dialfeed.contacts.fields import WITHHELD
from dialfeed.contacts.findings import ROW
from dialfeed.donotcall.asking import numbers_in
from dialfeed.donotcall.decisions import CHANNELS, Channel, Decision
from dialfeed.donotcall.facts import Opened, Verdict, Verdicts
from dialfeed.donotcall.internal import InternalList, InternalPhones
from dialfeed.donotcall.scrub import Scrubber
from dialfeed.errors import CheckFile

Standing: TypeAlias = tuple[tuple[str, int, str], ...]
"""Of each list its id, how many entries it has had, and the SHA-256 of them."""

FOUND_SCHEMA: Final = pl.Schema({"position": pl.UInt32, "column": pl.String, "reasons": pl.String})
"""A column of a contact that may not be used any more, and why: reason codes, each with its list behind a colon."""


@dataclass(frozen=True, slots=True)
class LateOptOuts:
    """The company's own lists of a run, while it delivers.

    Args:
        scrubber: The scrub of the run on these lists alone.
        lists: The lists by id; None for one that cannot be used.
        at_scrub: How they stood when the contacts were scrubbed; None where contacts must be asked about in any case,
            since more opt-outs count by now.
    """

    scrubber: Scrubber
    lists: Mapping[str, InternalList | None]
    at_scrub: Standing | None

    def standing(self) -> Standing:
        """How the lists stand now.

        Raises:
            CheckFile: One of them cannot be used any more.
        """
        stands = [(name, None if each is None else each.stands()) for name, each in self.lists.items()]
        if any(stand is None for _, stand in stands):
            raise _unusable([name for name, stand in stands if stand is None])
        return tuple((name, *stand) for name, stand in stands if stand is not None)

    def among(self, contacts: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
        """What of some contacts may not be used any more, by the lists as they are now.

        Args:
            contacts: `ROW` and the contacts as they would be sent, with what the scrub withheld of them: an objection
                to everything counts on whatever channel it was made.
            rows: The rows that they came from, one beside each.

        Returns:
            `FOUND_SCHEMA`, by position among these contacts.

        Raises:
            CheckFile: A list cannot be used any more.
        """
        positions = np.flatnonzero(self._are_spoken_of(contacts))
        if not len(positions):
            return pl.DataFrame(schema=FOUND_SCHEMA)
        people = contacts[positions]
        lines = self.scrubber.decisions(people, rows[positions])
        found = pl.concat(self._against(channel, lines) for channel in CHANNELS)
        if found["reasons"].str.contains(_UNREADABLE).any():
            raise _unusable(list(self.lists))
        where = people.select(ROW, position=pl.Series(positions).cast(pl.UInt32))
        told = found.join(where, on=ROW, how="left", maintain_order="left")
        return told.select(FOUND_SCHEMA.names()).sort("position", maintain_order=True)

    def _are_spoken_of(self, contacts: pl.DataFrame) -> NDArray[np.bool_]:
        """Whether a list says anything of a contact, so that the scrub has to decide."""
        spoken_of = np.zeros(len(contacts), np.bool_)
        for answer in self._answers(contacts):
            spoken_of |= answer > Verdict.CLEAR
        return spoken_of

    def _answers(self, contacts: pl.DataFrame) -> Iterator[Verdicts]:
        opened, columns = self.scrubber.opened, self.scrubber.columns
        for column in columns["phone"]:
            if column in contacts.columns:
                yield from (each.look_up(numbers_in(contacts[column])) for each in opened.phone)
        for column in columns["email"]:
            if column in contacts.columns:
                yield from (each.look_up(contacts[column]) for each in opened.email)

    def _against(self, channel: Channel, lines: pl.DataFrame) -> pl.DataFrame:
        """What stands against the endpoints of a channel that would be sent."""
        sent = [name for name in self.scrubber.columns[channel] if not name.startswith(WITHHELD)]
        ruled = self.scrubber.ruled(channel, lines.filter(pl.col("column").is_in(sent)))
        return ruled.filter(~pl.col("decision").is_in(_GO)).select(ROW, "column", "reasons")


def own_lists(opened: Opened, names: Sequence[str]) -> dict[str, InternalList | None]:
    """The company's own lists that were opened; None for those that cannot be used."""
    usable = {each.facts.id: each.opened for each in opened.phone if isinstance(each, InternalPhones)}
    return {name: usable.get(name) for name in names}


def asked_columns(endpoints: Mapping[Channel, Sequence[str]]) -> dict[Channel, list[str]]:
    """The columns of each channel by which a person may have opted out: those that are sent, and what was withheld."""
    return {channel: [*endpoints[channel], WITHHELD + channel] for channel in CHANNELS}


_GO: Final = [str(each) for each in Decision if each.goes]
_UNREADABLE: Final = r"suppressed\.list_(missing|damaged)\b"


def _unusable(names: Sequence[str]) -> CheckFile:
    return CheckFile(
        f"Who has opted out cannot be told any more, as {', '.join(names)} cannot be read; nothing more is sent.",
        advice="`dialfeed dnc status` tells what to do; then import failed.csv of this run, which is scrubbed anew.",
    )
