"""Duplicates: contacts with the same normalised identity, found over a whole file in bounded memory.

Identity is `externalId`, `phone`, `email` in that order (`cxone-v2-dialect.md` section 4), after normalising, with
"absent" different from any text. The e-mail is compared without regard to case: providers treat the part before
the @ so, and the same person twice is worse than a rare pair told apart by case only.

Two steps keep it exact and cheap. A 64-bit hash of each identity finds the few contacts that may have a twin
(polars' own hash). Then the identities themselves of those few are compared. So a collision of hashes costs a look,
and never a contact.

The sum of the hashes of all contacts but the duplicates stands for the whole of them, whatever their order: a set of
contacts that comes back in another file is known by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from dialfeed.contacts.fields import IDENTITY_FIELDS, WITHHELD

Hashes = npt.NDArray[np.uint64]

_AT_ONCE = 1 << 23
"""Hashes looked at together: 64 MiB and as much again while sorting, whatever the size of the file."""


def identity(contacts: pl.DataFrame) -> pl.DataFrame:
    """The identity columns of contacts, in order.

    A column that the file does not have is absent throughout; what the scrub withheld counts, and not what took its
    place.
    """
    return contacts.select(_known(contacts, name) for name in IDENTITY_FIELDS).with_columns(
        pl.col("email").str.to_lowercase()
    )


def _known(contacts: pl.DataFrame, name: str) -> pl.Expr:
    columns = [column for column in (WITHHELD + name, name) if column in contacts.columns]
    return pl.coalesce(*columns).alias(name) if columns else pl.lit(None, dtype=pl.String).alias(name)


def hash_identity(contacts: pl.DataFrame) -> Hashes:
    """A 64-bit hash of each contact's identity, good for one version of polars."""
    return identity(contacts).hash_rows(seed=0).to_numpy()


def candidates(hashes: Hashes, at_once: int = _AT_ONCE) -> npt.NDArray[np.int64]:
    """The places, ascending, of all hashes that occur more than once.

    Args:
        hashes: One per contact; may be a memory map larger than memory.
        at_once: How many hashes may be sorted together. Above it the hashes are taken in ranges of their values.
    """
    ranges = max(1, -(-len(hashes) // at_once))
    found = [_repeated(hashes, places) for places in _by_value(hashes, ranges, at_once)]
    return np.sort(np.concatenate(found))


def _by_value(hashes: Hashes, ranges: int, at_once: int) -> Iterator[npt.NDArray[np.int64]]:
    """The places of the hashes, split by value into so many ranges."""
    if ranges == 1:
        yield np.arange(len(hashes))
        return
    for number in range(ranges):
        parts = [
            start + np.flatnonzero(hashes[start : start + at_once] % np.uint64(ranges) == number)
            for start in range(0, len(hashes), at_once)
        ]
        yield np.concatenate(parts)


def _repeated(hashes: Hashes, places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    values = hashes[places]
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    same = ordered[1:] == ordered[:-1]
    twins = np.zeros(len(ordered), dtype=bool)
    twins[1:] |= same
    twins[:-1] |= same
    return places[order[twins]]


def sum_of(hashes: Hashes, duplicates: npt.NDArray[np.int64]) -> int:
    """The sum of the hashes, modulo 2**64, but for those at the places of duplicates.

    Two sets of contacts of one size have the same sum by a chance of 1 in 2**64.
    """
    return (int(hashes.sum()) - int(hashes[duplicates].sum())) % (1 << 64)


DUPLICATES_SCHEMA = pl.Schema({"place": pl.Int64, "survivor": pl.Int64})
"""Place of a duplicate, and of the contact that survives it: the first acceptable row."""


def confirm(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Which candidates really are duplicates.

    Args:
        parts: `place` (ascending over all parts) and the identity columns of the candidates.

    Returns:
        `DUPLICATES_SCHEMA`, by place.
    """
    looked_at = pl.concat(
        [pl.DataFrame(schema={"place": pl.Int64, **dict.fromkeys(IDENTITY_FIELDS, pl.String)}), *parts]
    )
    return (
        looked_at.with_columns(survivor=pl.col("place").min().over(*IDENTITY_FIELDS))
        .filter(pl.col("place") != pl.col("survivor"))
        .select("place", "survivor")
        .sort("place")
    )
