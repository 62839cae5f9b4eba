"""Results of registers that take numbers and give answers: the Australian wash, reassigned numbers and their likes.

Such a register's list is never held, only its answers. A number that is not among them was not checked (`compliance.md`
section 0, item 3; 1.8; 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dialfeed.donotcall.areas import Territory
from dialfeed.donotcall.facts import ListFacts, Moments, Numbers, Verdict, Verdicts, never
from dialfeed.donotcall.lookup import absent_verdicts
from dialfeed.donotcall.texts import read_checked

RESULT_SCHEMA: Final = pl.Schema({"number": pl.UInt64, "verdict": pl.UInt8, "asked_for": pl.Date})
"""A register's answers: the number, CLEAR, LISTED or NO_DATA, and the date that was asked about, or null."""

_STRICTEST: Final = (Verdict.CLEAR, Verdict.NO_DATA, Verdict.LISTED)


@dataclass(frozen=True, slots=True, eq=False)
class ResultList:
    """Answers of a register (`dialfeed.donotcall.facts.PhoneList`).

    Attributes:
        facts: The list.
        clears: Whether CLEAR counts as checked.
        numbers: The numbers that were submitted, sorted.
        verdicts: The answer to each.
        dates: The date that each was asked about (`datetime64[D]`).
    """

    facts: ListFacts
    clears: bool
    numbers: Numbers
    verdicts: Verdicts
    dates: NDArray[np.datetime64]

    def look_up(self, numbers: Numbers, states: pl.Series | None = None) -> Verdicts:
        """The verdict on each number; NOT_COVERED for one that was not submitted."""
        inside = Territory(self.facts.territory).inside(numbers, states)
        at, known = self._find(numbers)
        verdicts = absent_verdicts(self.facts, inside, known)
        answered = known & (verdicts != Verdict.STALE)
        verdicts[answered] = self.verdicts[at[answered]]
        return verdicts

    def since(self, numbers: Numbers) -> Moments:
        """Not known: such a list has no dates of requests."""
        return never(len(numbers))

    def asked_for(self, numbers: Numbers) -> NDArray[np.datetime64]:
        """The date that each number was asked about (`datetime64[D]`), NaT where there is none.

        The answer "no" speaks for a consent of that date or later, and for no earlier one (`compliance.md` 1.8).
        """
        at, known = self._find(numbers)
        dates = np.full(len(numbers), np.datetime64("NaT", "D"))
        dates[known] = self.dates[at[known]]
        return dates

    def _find(self, numbers: Numbers) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        if not len(self.numbers):
            return np.zeros(len(numbers), np.intp), np.zeros(len(numbers), np.bool_)
        at = np.minimum(np.searchsorted(self.numbers, numbers), len(self.numbers) - 1)
        return at, self.numbers[at] == numbers


def settled(answers: pl.DataFrame) -> pl.DataFrame:
    """One answer a number, sorted: the strictest; of equal ones that for the earliest date.

    Args:
        answers: `RESULT_SCHEMA`, in any order.
    """
    rank = pl.col("verdict").replace_strict(list(map(int, _STRICTEST)), [0, 1, 2], return_dtype=pl.Int8)
    ordered = answers.sort("number", rank, "asked_for", descending=[False, True, False], nulls_last=False)
    return ordered.unique("number", keep="first", maintain_order=True)


def write_results(file: BinaryIO, answers: pl.DataFrame) -> None:
    """Write settled answers."""
    answers.select(RESULT_SCHEMA.names()).write_ipc(file, compat_level=pl.CompatLevel.oldest())


def read_results(path: Path, sha256: str, facts: ListFacts, *, clears: bool) -> ResultList:
    """Read what `write_results` wrote.

    Raises:
        DamagedList: It is not the file that was written.
        FileNotFoundError: It is not there.
    """
    frame = read_checked(path, sha256)
    dates = frame["asked_for"].to_numpy().astype("datetime64[D]")
    return ResultList(facts, clears, frame["number"].to_numpy(), frame["verdict"].to_numpy(), dates)
