"""Batch sizes that a count can tell apart.

Where a platform tells nothing about a lost batch but the list's count, several batches can be settled by one
count only if every subset of them adds up to a different number. So batches are cut with sizes of which that
holds, and a batch is opened only while it holds. See `docs/decisions/0004-settling-by-count.md`.
"""

from __future__ import annotations

from collections.abc import Sequence

_LESS = (0, 1, 2, 4, 7, 13, 24, 44)
"""Eight numbers of which any two different subsets of equally many have different sums; none have a smaller total."""

CLASSES = len(_LESS)
"""How many batches may be open at once with sizes from `size_limit`, all of whose subset sums differ."""


def size_limit(number: int, most: int) -> int:
    """The most contacts that batch `number` may hold, below the platform's own limit `most`.

    The sizes repeat in a cycle of `CLASSES`: the limit less 0, 1, 2, 4, 7, 13, 24 and 44 (J. H. Conway and R. K. Guy,
    "Sets of natural numbers with distinct subset sums", 1967). Two different subsets of one cycle have different
    sums: how many members there are shows in the multiples of `most`, and which, in what is missing. The loss is
    1.2 % of the requests. A small `most` (a test, an odd platform) is used as it is, and `distinguishable` then keeps
    batches apart.
    """
    return most if most <= 1 << CLASSES else most - _LESS[number % CLASSES]


def distinguishable(sizes: Sequence[int]) -> bool:
    """Whether every subset of `sizes` has a sum of its own."""
    sums = {0}
    for size in sizes:
        shifted = {total + size for total in sums}
        if size <= 0 or shifted & sums:
            return False
        sums |= shifted
    return True


def landed(sizes: Sequence[int], stored: int) -> tuple[int, ...] | None:
    """Which of the open batches account for `stored` contacts.

    Time and memory grow with the number of batches times the contacts, not with the number of subsets: after a day on
    which nothing could be settled there may be hundreds of open batches.

    Returns:
        The indices into `sizes`, or None where no subset or more than one adds up to `stored`.
    """
    missing = sum(sizes) - stored
    if missing < 0 or stored < 0:
        return None
    if missing < stored:  # the shorter way: who is not there
        gone = _only_subset(sizes, missing)
        return None if gone is None else tuple(index for index in range(len(sizes)) if index not in gone)
    there = _only_subset(sizes, stored)
    return None if there is None else tuple(sorted(there))


def _only_subset(sizes: Sequence[int], wanted: int) -> set[int] | None:
    """The only subset with the sum `wanted`. Sums are sets of bits: bit n stands for the sum n."""
    upto = (2 << wanted) - 1
    sums, ambiguous = 1, 0
    for size in sizes:
        shifted = sums << size & upto
        ambiguous |= ambiguous << size & upto | sums & shifted
        sums |= shifted
    if ambiguous >> wanted & 1 or not sums >> wanted & 1:
        return None
    return _walk_back(sizes, wanted)


def _walk_back(sizes: Sequence[int], wanted: int) -> set[int]:
    """The subset with the sum `wanted`, which is known to be there and to be the only one."""
    upto = (2 << wanted) - 1
    sums = [1]
    for size in sizes:
        sums.append((sums[-1] | sums[-1] << size) & upto)
    subset: set[int] = set()
    for index in reversed(range(len(sizes))):
        if not sums[index] >> wanted & 1:
            subset.add(index)
            wanted -= sizes[index]
    return subset
