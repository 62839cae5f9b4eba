"""Bit maps over bytes: one bit for each byte of a window, 64 of them in a word.

A question about 16 MiB of text ("which delimiters are outside quotes?") becomes a few operations on
256 Ki words. Bit *i* of a map belongs to byte *i* of the window: word ``i // 64``, bit ``i % 64``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Positions = NDArray[np.int64]

_ONE = np.uint64(1)
_TOP = np.uint64(63)
_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
SLICE = 1 << 17
"""How many bytes are compared at once: few enough to stay in the second-level cache from one comparison to the next."""


def find(window: NDArray[np.uint8], values: tuple[int, ...]) -> tuple[Words, ...]:
    """Map where each of several byte values stands.

    Args:
        window: The bytes.
        values: The byte values to look for.

    Returns:
        One map for each value, long enough for one bit more than there are bytes (that bit is 0).
    """
    count = len(window) // 64 + 1
    maps = [np.zeros(count, dtype="<u8") for _ in values]
    packed = [words.view(np.uint8) for words in maps]
    for start in range(0, len(window), SLICE):
        piece = window[start : start + SLICE]
        for value, target in zip(values, packed, strict=True):
            bits = np.packbits(piece == value, bitorder="little")
            target[start // 8 : start // 8 + len(bits)] = bits
    return tuple(maps)


def running_parity(words: Words) -> Words:
    """For each bit: whether the number of set bits up to and including it is odd."""
    parity = words.copy()
    for step in (1, 2, 4, 8, 16, 32):
        parity ^= parity << np.uint64(step)
    carried = np.bitwise_xor.accumulate(parity >> _TOP)
    parity[1:] ^= carried[:-1] * _ALL
    return parity


def at_previous(words: Words, *, first: bool) -> Words:
    """For each bit: the bit before it; `first` for the very first."""
    shifted = words << _ONE
    shifted[1:] |= words[:-1] >> _TOP
    shifted[0] |= np.uint64(first)
    return shifted


def at_next(words: Words) -> Words:
    """For each bit: the bit after it; 0 for the very last."""
    shifted = words >> _ONE
    shifted[:-1] |= words[1:] << _TOP
    return shifted


def set_bit(words: Words, position: int) -> None:
    """Set one bit, in place."""
    words[position // 64] |= _ONE << np.uint64(position % 64)


def positions(words: Words) -> Positions:
    """Where the bits are set, ascending."""
    octets = words.view(np.uint8)
    used = np.flatnonzero(octets)
    index, bit = np.divmod(np.flatnonzero(np.unpackbits(octets[used], bitorder="little")), 8)
    return used[index] * 8 + bit


class Spans:
    """Counts set bits within spans that follow each other.

    Args:
        bounds: Where each span starts, and at last where the last one ends.
    """

    def __init__(self, bounds: Positions) -> None:
        self._word = bounds >> 6
        self._below = (_ONE << (bounds & 63).view(np.uint64)) - _ONE

    def before(self, words: Words) -> Positions:
        """For each bound: how many bits are set before it."""
        if not words.any():
            return np.zeros(len(self._word), dtype=np.int64)
        total = np.zeros(len(words) + 1, dtype=np.int64)
        np.cumsum(np.bitwise_count(words), out=total[1:])
        counts: Positions = total[self._word] + np.bitwise_count(words[self._word] & self._below)
        return counts

    def within(self, words: Words) -> Positions:
        """For each span: how many bits are set in it."""
        return np.diff(self.before(words))


def total(words: Words) -> int:
    """How many bits are set."""
    return int(np.bitwise_count(words).sum(dtype=np.int64))
