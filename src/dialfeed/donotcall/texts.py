"""Lists of e-mail addresses and of accounts: exact, and looked up a column at a time.

A value is found by its 64-bit hash among the sorted hashes of the list, then compared in full, so a collision changes
nothing. E-mails are compared in lower case, accounts as they are.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dialfeed.donotcall.facts import ListFacts, Moments, Numbers, Verdict, Verdicts, never
from dialfeed.donotcall.manifest import DamagedList

_COLUMN = "value"


class ExactTexts:
    """A set of texts.

    Args:
        values: Distinct texts without nulls.
    """

    def __init__(self, values: pl.Series) -> None:
        hashes = _hashes(values)
        self._values = values
        self._order = np.argsort(hashes, kind="stable")
        self._hashes = hashes[self._order]
        twice = np.isin(hashes, self._hashes[1:][self._hashes[1:] == self._hashes[:-1]])
        self._collided = {str(values[int(at)]): int(at) for at in np.flatnonzero(twice)}

    def __len__(self) -> int:
        return len(self._values)

    def positions(self, sought: pl.Series) -> NDArray[np.intp]:
        """Where each text is among the values, or -1; nulls are nowhere."""
        found = np.full(len(sought), -1, np.intp)
        if not len(self):
            return found
        hashes = _hashes(sought)
        at = np.minimum(np.searchsorted(self._hashes, hashes), len(self) - 1)
        likely = np.flatnonzero((self._hashes[at] == hashes) & sought.is_not_null().to_numpy())
        places, wanted = self._order[at[likely]], sought.gather(likely)
        same = (self._values.gather(places) == wanted).to_numpy()
        found[likely] = np.where(same, places, -1)
        for row in np.flatnonzero(~same) if self._collided else ():
            found[likely[row]] = self._collided.get(str(wanted[int(row)]), -1)
        return found


def _hashes(values: pl.Series) -> Numbers:
    return values.hash(seed=0).to_numpy()


@dataclass(frozen=True, slots=True)
class TextFile:
    """A list of texts that was read from a file (`dialfeed.donotcall.facts.TextList`)."""

    facts: ListFacts
    texts: ExactTexts

    def look_up(self, values: pl.Series) -> Verdicts:
        """The verdict on each value."""
        sought = lowered(values) if self.facts.channel == "email" else values
        absent = Verdict.STALE if self.facts.state == "stale" else Verdict.CLEAR
        found = self.texts.positions(sought) >= 0
        verdicts = np.where(found & (absent == Verdict.CLEAR), Verdict.LISTED, absent)
        return np.where(values.is_null().to_numpy(), Verdict.OUTSIDE, verdicts).astype(np.uint8)

    def since(self, values: pl.Series) -> Moments:
        """Not known: such a list has no dates."""
        return never(len(values))


def lowered(values: pl.Series) -> pl.Series:
    """E-mails as they are compared."""
    return values.str.strip_chars().str.to_lowercase()


def write_texts(file: BinaryIO, values: pl.Series) -> None:
    """Write distinct texts in order."""
    values.unique().sort().to_frame(_COLUMN).write_ipc(file, compat_level=pl.CompatLevel.oldest())


def read_texts(path: Path, sha256: str) -> ExactTexts:
    """Read what `write_texts` wrote.

    Raises:
        DamagedList: It is not the file that was written.
        FileNotFoundError: It is not there.
    """
    return ExactTexts(read_checked(path, sha256)[_COLUMN])


def read_checked(path: Path, sha256: str) -> pl.DataFrame:
    """An Arrow file of this room, after its hash was compared.

    Raises:
        DamagedList: It is not the file that was written.
        FileNotFoundError: It is not there.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as fault:
        raise DamagedList from fault
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DamagedList
    return pl.read_ipc(content)
