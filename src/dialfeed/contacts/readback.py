"""Contacts that were delivered against contacts that a list holds, by identity. Columns in, numbers out.

Identities are compared by their 64-bit hashes, so that a million contacts take 12 MB. The chance that any two of a
million different contacts have the same hash, and one could be taken for the other, is 1 in 37 million.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import exp, inf, lgamma

import numpy as np
import numpy.typing as npt
import polars as pl

from dialfeed.contacts.duplicates import Hashes, hash_identity
from dialfeed.contacts.fields import WITHHELD


@dataclass(frozen=True, slots=True)
class Compared:
    """What reading contacts back has shown.

    Attributes:
        sent: Contacts that the run delivered.
        looked_up: How many of them were looked for.
        missing: How many of these are not there.
        twice: How many of these are there more than once.
        surplus: Contacts that are there and were not delivered by the run; None where only a sample was looked for.
    """

    sent: int
    looked_up: int
    missing: int
    twice: int
    surplus: int | None = None

    def at_most(self, confidence: float) -> float:
        """The share of all delivered contacts that is missing at most, with this confidence (0 to 1)."""
        return most_missing(self.missing, self.looked_up, self.sent, confidence) / self.sent if self.sent else 0.0


class ReadBack:
    """Compares what was sent with what is there, page by page.

    Args:
        sent: The delivered contacts that are looked for, in frames with `externalId`, `phone` and `email`.
        of: How many were delivered in all, where these are a sample of them.
    """

    def __init__(self, sent: Iterable[pl.DataFrame], *, of: int | None = None) -> None:
        self._sent = np.sort(_hashes(sent))
        self._seen: npt.NDArray[np.int32] = np.zeros(len(self._sent), dtype=np.int32)
        self._surplus = 0
        self._of = of

    def add(self, there: pl.DataFrame) -> None:
        """Contacts that the list holds: one row for each time that it holds one."""
        hashes = _hashes([there])
        places = np.searchsorted(self._sent, hashes)
        inside = np.minimum(places, max(0, len(self._sent) - 1))
        ours = self._sent[inside] == hashes if len(self._sent) else np.zeros(len(hashes), dtype=bool)
        np.add.at(self._seen, inside[ours], 1)
        self._surplus += int(np.count_nonzero(~ours))

    def result(self) -> Compared:
        """What has come of it, when all that is there has been added."""
        return Compared(
            sent=len(self._sent) if self._of is None else self._of,
            looked_up=len(self._sent),
            missing=int(np.count_nonzero(self._seen == 0)),
            twice=int(np.count_nonzero(self._seen > 1)),
            surplus=self._surplus if self._of is None else None,
        )


def sample(contacts: Iterable[pl.DataFrame], total: int, size: int, seed: str) -> Iterator[pl.DataFrame]:
    """An even sample of so many contacts; the same for the same seed, however they are cut into frames.

    Args:
        contacts: All of them, in order.
        total: How many they are.
        size: How many to draw, at most.
        seed: What the draw depends on.
    """
    drawn = np.sort(np.array(random.Random(seed).sample(range(total), min(size, total)), dtype=np.int64))  # noqa: S311 - a sample that can be drawn again, no secret
    begin = 0
    for frame in contacts:
        first, last = np.searchsorted(drawn, [begin, begin + len(frame)])
        yield frame[drawn[first:last] - begin]
        begin += len(frame)


def _hashes(frames: Iterable[pl.DataFrame]) -> Hashes:
    """The identities of contacts as they were sent: what was withheld was not."""
    parts = [hash_identity(frame.select(pl.exclude(f"^{WITHHELD}.*$"))) for frame in frames]
    return np.concatenate([np.empty(0, dtype=np.uint64), *parts])


# --- what a sample says of the whole ------------------------------------------------------------------------------


def most_missing(missing: int, looked_up: int, sent: int, confidence: float) -> int:
    """How many of all are missing at most, by an exact one-sided bound of the hypergeometric distribution.

    It is the largest number for which a sample as good as this one would still come up in more than 1 - `confidence`
    of all cases. Where none of a small sample is missing this is close to the rule of three, 3 / `looked_up`; and
    where everything was looked for, it is what was found.

    Args:
        missing: Contacts of the sample that are missing.
        looked_up: Size of the sample, drawn evenly and without putting back.
        sent: All contacts.
        confidence: From 0 to below 1.
    """
    low, high = missing, sent - (looked_up - missing)
    while low < high:
        middle = (low + high + 1) // 2
        if _at_most_so_many(missing, looked_up, middle, sent) > 1 - confidence:
            low = middle
        else:
            high = middle - 1
    return low


def _at_most_so_many(seen: int, drawn: int, missing: int, total: int) -> float:
    """The chance that a sample holds at most `seen` of the `missing` ones."""
    whole = _log_choose(total, drawn)
    ways = (_log_choose(missing, each) + _log_choose(total - missing, drawn - each) - whole for each in range(seen + 1))
    return sum(map(exp, ways))


def _log_choose(total: int, part: int) -> float:
    """The logarithm of the number of ways to choose `part` of `total`."""
    if not 0 <= part <= total:
        return -inf
    return lgamma(total + 1) - lgamma(part + 1) - lgamma(total - part + 1)
