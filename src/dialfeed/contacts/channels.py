"""Several columns for one channel: home, mobile and work numbers, or several addresses.

The first that is usable in its row, in the order that the user sets, is the contact's; the others that are valid are
carried beside it, normalised, each once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

OTHER_UNUSABLE: Final = {"phone": "phone.other_unusable", "email": "email.other_unusable"}
"""What is told of a number or address that is not valid, where another one is."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of one column of a channel.

    Attributes:
        values: The normalised values; null where absent or not valid.
        codes: Reasons, null where there is none.
    """

    values: pl.Series
    codes: pl.Series


@dataclass(frozen=True, slots=True)
class Choice:
    """The outcome for one channel.

    Attributes:
        chosen: The first usable value of each row.
        carried: For each column but the first, its value where that is valid and not sent already.
        faults: For each column, its reasons in rows where no column is usable.
        passed_over: For each column, true where it is not valid and another one is.
    """

    chosen: pl.Series
    carried: list[pl.Series]
    faults: list[pl.Series]
    passed_over: list[pl.Series]


def choose(verdicts: Sequence[Verdict]) -> Choice:
    """Take the first usable value of each row.

    Args:
        verdicts: The columns of the channel in their order, all of one length.
    """
    chosen = pl.select(pl.coalesce(*(verdict.values for verdict in verdicts))).to_series()
    usable = chosen.is_not_null()
    sent = [chosen.str.to_lowercase()]
    carried = []
    for verdict in verdicts[1:]:
        again = verdict.values.str.to_lowercase()
        known = pl.select(pl.any_horizontal(*(again == each for each in sent))).to_series().fill_null(value=False)
        carried.append(pl.select(pl.when(~known).then(verdict.values)).to_series())
        sent.append(again)
    faults = [pl.select(pl.when(~usable).then(verdict.codes)).to_series() for verdict in verdicts]
    passed_over = [usable & verdict.codes.is_not_null() for verdict in verdicts]
    return Choice(chosen, carried, faults, passed_over)
