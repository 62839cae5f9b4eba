"""The exact index of phone numbers: a file mapped into memory, and look-ups over whole columns.

Nothing is hashed: a number is on the list or it is not. A block is checked against its checksum before the first answer
from it, once for each time the index is opened; what is damaged answers `DAMAGED`, never "not on the list"
(law 4, "do-not-call fails closed").
"""

from __future__ import annotations

import mmap
import os
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dialfeed.donotcall.blocks import BLOCK_SIZE, DENSE, Digits, Encoded, Numbers, buckets, decode, join
from dialfeed.donotcall.indexfile import HEADER_BYTES, DamagedIndex, Footer, Header, read_footer, read_header
from dialfeed.donotcall.writing import read_block
from dialfeed.sources.files import reasons_of

ABSENT, PRESENT, DAMAGED = 0, 1, 2
"""What an index says of a number."""

Answers: TypeAlias = NDArray[np.uint8]

_UNKNOWN, _SOUND, _BROKEN = 0, 1, 2
_SLICE: Final = 1 << 16  # numbers that are looked up at once: what is computed of them stays in the processor's cache
_TABLE: Final = 1 << 20  # blocks below this are found in a table, others by binary search


class Index:
    """An index that is open for reading; any number of threads may use it.

    Attributes:
        path: Where it was when it was opened.
        facts: Which list it is, as it was built.
        records: How many numbers it holds.
        blocks: The blocks (``number // 10**7``) that it holds, sorted.
    """

    def __init__(self, path: Path, handle: int, header: Header, footer: Footer) -> None:
        self.path = path
        self.facts: dict[str, Any] = footer.facts
        self.records = header.records
        self._handle = handle
        self._entries = footer.entries
        self.blocks: Numbers = footer.entries["block"].astype(np.uint64)
        mapped = mmap.mmap(handle, 0, access=mmap.ACCESS_READ)
        self._bytes = np.frombuffer(mapped, np.uint8)
        self._words = np.frombuffer(mapped, "<u4", len(mapped) // 4)
        self._tables()
        weakref.finalize(self, os.close, handle)

    @classmethod
    def open(cls, path: Path) -> Index:
        """Open an index; its blocks are not read yet.

        Raises:
            DamagedIndex: It is not an index, is cut off, or its header or directory is damaged.
            FixSource: It cannot be read.
        """
        with reasons_of(str(path)):
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with reasons_of(str(path)):
                size = os.fstat(handle).st_size
                header = read_header(path.name, os.pread(handle, HEADER_BYTES, 0), size)
                footer = read_footer(path.name, header, os.pread(handle, size - header.directory, header.directory))
            return cls(path, handle, header, footer)
        except BaseException:
            os.close(handle)
            raise

    def look_up(self, numbers: Numbers) -> Answers:
        """Tell of each number whether it is on the list: `PRESENT`, `ABSENT`, or `DAMAGED` where nobody can know.

        Args:
            numbers: E.164 numbers as integers without the plus; 0 stands for no number.
        """
        numbers = numbers.astype(np.uint64, copy=False)
        answers = np.empty(len(numbers), np.uint8)
        for start in range(0, len(numbers), _SLICE):
            answers[start : start + _SLICE] = self._look_up(numbers[start : start + _SLICE])
        return answers

    def verify(self) -> list[int]:
        """Read the whole file, and tell the blocks that are damaged."""
        entries = zip(self.blocks.tolist(), self._entries, strict=True)
        return [block for block, entry in entries if read_block(self._handle, entry) is None]

    def numbers(self) -> Iterator[Numbers]:
        """All numbers in order, one array for each block.

        Raises:
            DamagedIndex: A block is damaged.
        """
        for block in self.blocks.tolist():
            yield join(block, self.digits(block))

    def encoded(self, block: int) -> Encoded:
        """A block as it is kept, checked.

        Raises:
            DamagedIndex: It is damaged.
        """
        entry = self._entries[np.searchsorted(self.blocks, np.uint64(block))]
        encoded = read_block(self._handle, entry)
        if encoded is None:
            raise DamagedIndex(self.path.name, "is damaged")
        return encoded

    def digits(self, block: int) -> Digits:
        """The last seven digits of the numbers of a block, increasing; none if the index does not hold the block.

        Raises:
            DamagedIndex: It is damaged.
        """
        at = np.searchsorted(self.blocks, np.uint64(block))
        held = at < len(self.blocks) and self.blocks[at] == block
        return decode(self.encoded(block)) if held else np.zeros(0, np.uint32)

    def _tables(self) -> None:
        """The directory in columns, with one more entry at the end that holds nothing, for all other blocks."""
        entries = self._entries
        nothing, dense = len(entries), entries["kind"] == DENSE
        self._first = np.append(entries["first"], 0).astype(np.uint32)
        self._dense_span = np.append(np.where(dense, entries["span"], 0), 0).astype(np.uint32)
        self._bit = np.append(entries["offset"] * np.uint64(8), 0).astype(np.int64)
        self._word = np.append(entries["offset"] // np.uint64(4), 0).astype(np.int64)
        self._sparse_span = np.append(np.where(dense, 0, entries["span"]), 0).astype(np.uint32)
        shift, count = buckets(entries["records"].astype(np.int64), entries["span"].astype(np.int64))
        self._shift = np.append(shift, 0).astype(np.uint32)
        self._digits_word = self._word + np.append(count, 0) + 1
        self._any_sparse = not dense.all()
        self._state = np.append(np.full(nothing, _UNKNOWN, np.uint8), np.uint8(_SOUND))
        self._all_sound = False
        top = int(self.blocks[-1]) if nothing else 0
        self._at = None if top >= _TABLE else np.full(top + 2, nothing, np.intp)
        if self._at is not None:
            self._at[self.blocks] = np.arange(nothing)

    def _look_up(self, numbers: Numbers) -> Answers:
        blocks = numbers // np.uint64(BLOCK_SIZE)
        digits = (numbers - blocks * np.uint64(BLOCK_SIZE)).astype(np.uint32)
        entries = self._entries_of(blocks)
        broken = None if self._check(entries) else self._state[entries] == _BROKEN
        if broken is not None:
            entries = np.where(broken, len(self._entries), entries)  # nothing in a damaged block can be followed
        position = digits - self._first.take(entries)  # below the first number it wraps round, beyond every span
        inside = position < self._dense_span.take(entries)
        bits = (self._bit.take(entries) + position) * inside
        answers: Answers = (self._bytes.take(bits >> 3) >> (bits & 7).astype(np.uint8)) & inside
        if self._any_sparse:
            self._search(entries, position, digits, answers)
        if broken is not None:
            answers[broken] = DAMAGED
        return answers

    def _entries_of(self, blocks: Numbers) -> NDArray[np.integer]:
        """Where in the directory each block is; its last entry, which holds nothing, for those that are not."""
        if self._at is not None:
            return self._at.take(np.minimum(blocks, np.uint64(len(self._at) - 1)).view(np.int64))
        at = np.searchsorted(self.blocks, blocks)
        known = self.blocks[np.minimum(at, len(self.blocks) - 1)] == blocks
        return np.where(known, at, len(self.blocks))

    def _search(self, entries: NDArray[np.integer], position: Digits, digits: Digits, answers: Answers) -> None:
        """Search the sparse blocks, all rows at once: the guide tells where to begin and to end.

        From there places move up by halving steps while they find no more than is wanted.
        """
        rows = np.flatnonzero(position < self._sparse_span.take(entries))
        places = entries.take(rows)
        guide = self._word.take(places) + (position.take(rows) >> self._shift.take(places))
        low, high = self._words.take(guide), self._words.take(guide + 1)
        some = np.flatnonzero(low < high)
        rows, base = rows.take(some), self._digits_word.take(places.take(some))
        at, ends, wanted = base + low.take(some), base + high.take(some), digits.take(rows)
        for step in reversed(range(int((ends - at).max(initial=0)).bit_length())):
            further = at + (1 << step)
            fits = further < ends
            fits &= self._words.take(np.where(fits, further, at)) <= wanted
            at += fits << step
        answers[rows] = self._words.take(at) == wanted

    def _check(self, entries: NDArray[np.integer]) -> bool:
        """Check the blocks that are asked of for the first time; whether all of them are sound."""
        if self._all_sound:
            return True
        states = self._state[entries]
        if (states == _UNKNOWN).any():
            for entry in np.flatnonzero(np.bincount(entries[states == _UNKNOWN])):
                sound = read_block(self._handle, self._entries[entry]) is not None
                self._state[entry] = _SOUND if sound else _BROKEN
            self._all_sound = bool((self._state == _SOUND).all())
            states = self._state[entries]
        return bool((states == _SOUND).all())
