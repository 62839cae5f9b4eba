"""Batch sizes that a count can tell apart.

Where a platform tells nothing about a lost batch but the list's count, several batches can be settled by one
count only if every subset of them adds up to a different number. So batches are cut with sizes of which that
holds, and a batch is opened only while it holds. See `docs/decisions/0004-settling-by-count.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

CLASSES = 8
"""How many batches may be open at once with sizes from `size_limit`, all of whose subset sums differ."""


def size_limit(number: int, most: int) -> int:
    """The most contacts that batch `number` may hold, below the platform's own limit `most`.

    The sizes repeat in a cycle of `CLASSES`: the limit less 0, 1, 2, 4 … 64. Two different subsets of one cycle
    have different sums as long as `most` is larger than 128: the number of members shows in the multiples of
    `most`, and the members themselves in the binary digits of what is missing. The loss is 1.6 % of the requests.
    A small `most` (a test, an odd platform) is used as it is, and `distinguishable` then keeps batches apart.
    """
    step = number % CLASSES
    return most if step == 0 or most <= 1 << CLASSES else most - (1 << (step - 1))


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

    Returns:
        The indices into `sizes`, or None where no subset or more than one adds up to `stored`.
    """
    found = [subset for subset in _subsets(len(sizes)) if sum(sizes[i] for i in subset) == stored]
    return found[0] if len(found) == 1 else None


def _subsets(count: int) -> Iterable[tuple[int, ...]]:
    for length in range(count + 1):
        yield from combinations(range(count), length)
