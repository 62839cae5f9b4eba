"""How the numbers of one block are kept: as a bit array over the range in use, or as sorted low digits with a guide.

A block is ten million consecutive E.164 numbers (``number // 10**7``): an area code in North America, and elsewhere
all numbers that agree but in their last seven digits. Whichever form is smaller is taken, so that what a block looks
like depends on its numbers alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

BLOCK_SIZE: Final = 10**7
DENSE, SPARSE = 0, 1
_WORD: Final = 8  # bytes: each block begins at a multiple, so that its words can be read where they lie
_A_BUCKET: Final = 8  # digits that share a place in the guide, if they are spread evenly
_FEW: Final = 1 << 18  # numbers that are faster sorted than marked in an array of all ten million

Numbers: TypeAlias = NDArray[np.uint64]
"""E.164 numbers as integers, without the plus."""

Digits: TypeAlias = NDArray[np.uint32]
"""The last seven digits of numbers of one block, as integers, increasing."""


_Counts: TypeAlias = "NDArray[np.int64] | np.int64"
_Integer = TypeVar("_Integer", np.uint32, np.uint64)


class Encoded(NamedTuple):
    """A block as it is kept.

    Attributes:
        kind: `DENSE` or `SPARSE`.
        first: The first digits in use; in a bit array those of the first bit.
        span: How many numbers there are from the first to the last in use.
        records: How many numbers the block holds.
        data: The bit array (the first number is the lowest bit of the first byte), or the guide and the digits as
            little-endian words of 32 bits; filled up with zeros to a multiple of 8 bytes. The guide tells for each
            bucket (`buckets`) how many digits are in those before it, and ends with how many there are.
    """

    kind: int
    first: int
    span: int
    records: int
    data: bytes


def split(numbers: Numbers) -> tuple[Numbers, Digits]:
    """The block of each number, and its last seven digits."""
    size = np.uint64(BLOCK_SIZE)
    blocks = numbers // size
    return blocks, (numbers - blocks * size).astype(np.uint32)


def join(block: int, digits: Digits) -> Numbers:
    """The numbers of a block from their last seven digits."""
    return digits + np.uint64(block * BLOCK_SIZE)


def buckets(records: _Counts, span: _Counts) -> tuple[_Counts, _Counts]:
    """How the guide of a sparse block divides its span, so that only few digits are left to search in.

    Args:
        records: How many numbers each block holds.
        span: How many there are from its first to its last.

    Returns:
        By how many bits to shift the distance to the first number for its bucket, and how many buckets there are.
    """
    size = (span - 1) // (records // _A_BUCKET + 1)
    shift = np.frexp(size)[1].astype(np.int64)  # as many bits as the size has
    return shift, ((span - 1) >> shift) + 1


def encode(digits: Digits) -> Encoded:
    """Bring a block into its smaller form.

    Args:
        digits: At least one; strictly increasing.
    """
    first = int(digits[0])
    span = int(digits[-1]) - first + 1
    shift, count = buckets(np.int64(len(digits)), np.int64(span))
    if 4 * (len(digits) + count + 1) < (span + 7) // 8:
        starts = np.arange(int(count) + 1) << shift
        guide = np.searchsorted(digits, np.minimum(starts + first, BLOCK_SIZE).astype(np.uint32))
        words = np.concatenate([guide, digits]).astype("<u4")
        return Encoded(SPARSE, first, span, len(digits), _padded(words.tobytes()))
    marked = np.zeros(span, bool)
    marked[digits - np.uint32(first)] = True
    return Encoded(DENSE, first, span, len(digits), _padded(np.packbits(marked, bitorder="little").tobytes()))


def decode(block: Encoded) -> Digits:
    """The digits of a block."""
    if block.kind == SPARSE:
        _, count = buckets(np.int64(block.records), np.int64(block.span))
        return np.frombuffer(block.data, "<u4", block.records, 4 * (int(count) + 1)).astype(np.uint32, copy=False)
    bits = np.frombuffer(block.data, np.uint8)
    marked = np.unpackbits(bits, count=block.span, bitorder="little").view(bool)
    return np.flatnonzero(marked).astype(np.uint32) + np.uint32(block.first)


def union(parts: Sequence[Digits]) -> Digits:
    """All digits of several increasing arrays of one block, each once; memory does not grow with the parts."""
    if len(parts) == 1:
        return distinct(parts[0])
    if sum(map(len, parts)) < _FEW:
        return distinct(np.sort(np.concatenate(parts)))
    marked = np.zeros(BLOCK_SIZE, bool)
    for part in parts:
        marked[part] = True
    return np.flatnonzero(marked).astype(np.uint32)


def distinct(integers: NDArray[_Integer]) -> NDArray[_Integer]:
    """Each integer once, where equal ones stand side by side.

    (`numpy.unique` goes through a hash table, which takes many times as long.)
    """
    new = integers[1:] != integers[:-1]
    return integers if new.all() else integers[np.concatenate(([True], new))]


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % _WORD)
