"""Building an index from numbers in any order, and changing one without building it anew.

Numbers that come in order are written straight away. Where they do not, what came so far is a *run*, and the next run
begins; in the end the runs are merged block by block. So memory stays the same for any amount of numbers.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from dialfeed.donotcall.blocks import BLOCK_SIZE, Digits, Numbers, decode, distinct, join, split, union
from dialfeed.donotcall.index import Index
from dialfeed.donotcall.writing import Built, IndexWriter

_BATCH: Final = 1 << 22  # numbers that are sorted at once: 32 MB


def build(path: Path, numbers: Iterable[Numbers], *, facts: Mapping[str, Any], batch: int = _BATCH) -> Built:
    """Build an index and put it in its place, whole or not at all.

    Args:
        path: The index; one that is there is replaced, and whoever has it open keeps it.
        numbers: E.164 numbers as integers without the plus; in any order, any number of times. Sorted ones are faster.
        facts: Which list this is: what JSON can say. They can be read as `Index.facts`.
        batch: How many numbers to hold in memory at once.

    Raises:
        FixSettings: The disk is full or refuses; what was there before stays.
    """
    with ExitStack() as runs:
        written = [_Run(runs.enter_context(IndexWriter(path)))]
        for sorted_numbers in _batches(numbers, batch):
            if not written[-1].follows(sorted_numbers):
                written[-1].end()
                written.append(_Run(runs.enter_context(IndexWriter(path))))
            written[-1].add(sorted_numbers)
        written[-1].end()
        if len(written) == 1:
            return written[0].writer.publish(facts)
        with IndexWriter(path) as writer:
            _merge([run.writer for run in written], writer)
            return writer.publish(facts)


def change(
    old: Path,
    new: Path,
    *,
    replaced: Mapping[int, Numbers] | None = None,
    added: Numbers | None = None,
    removed: Numbers | None = None,
    facts: Mapping[str, Any],
) -> Built:
    """Make a new index out of an old one; blocks that nothing touches are copied byte for byte.

    The result is the same, to the byte, as that of `build` with all its numbers.

    Args:
        old: The index to start from.
        new: The index to make; it may be the same.
        replaced: All numbers that a block (``number // 10**7``) is to hold instead of what it held; may be none.
        added: Numbers to add.
        removed: Numbers to remove before the others are added: what is in both is listed.
        facts: Which list this is now.

    Raises:
        DamagedIndex: A block of the old index that is still needed is damaged.
        ValueError: A replaced block is given a number of another one.
        FixSettings: The disk is full or refuses; what was there before stays.
    """
    index = Index.open(old)
    fresh = {block: _digits_of(block, numbers) for block, numbers in (replaced or {}).items()}
    added, removed = _sorted(added), _sorted(removed)
    already_absent = 0
    touched = {*fresh, *distinct(split(added)[0]).tolist(), *distinct(split(removed)[0]).tolist()}
    with IndexWriter(new) as writer:
        for block in sorted({*index.blocks.tolist(), *touched}):
            if block not in touched:
                writer.copy(block, index.encoded(block))
                continue
            before = fresh[block] if block in fresh else index.digits(block)
            out, into = _part(removed, block), _part(added, block)
            kept = np.setdiff1d(before, out, assume_unique=True)
            already_absent += len(out) - (len(before) - len(kept))
            writer.add(block, union([kept, into]))
        built = writer.publish(facts)
    return replace(built, already_absent=already_absent)


class _Run:
    """Numbers that came in order, on their way to a file."""

    def __init__(self, writer: IndexWriter) -> None:
        self.writer = writer
        self._block = -1
        self._pending: list[Digits] = []

    def follows(self, numbers: Numbers) -> bool:
        """Whether these numbers come after the blocks that are written already, and in order with what is pending."""
        if not self._pending:
            return True
        return bool(join(self._block, self._pending[-1][-1:])[0] <= numbers[0])

    def add(self, numbers: Numbers) -> None:
        blocks, digits = split(numbers)
        starts = [0, *(np.flatnonzero(blocks[1:] != blocks[:-1]) + 1).tolist()]
        for start, end in zip(starts, [*starts[1:], len(numbers)], strict=True):
            self._extend(int(blocks[start]), digits[start:end])

    def end(self) -> None:
        if self._pending:
            self.writer.add(self._block, union([distinct(np.concatenate(self._pending))]))
        self._pending = []

    def _extend(self, block: int, digits: Digits) -> None:
        if block != self._block:
            self.end()
            self._block = block
        self._pending.append(distinct(digits))


def _batches(numbers: Iterable[Numbers], size: int) -> Generator[Numbers]:
    """Join arrays to sorted batches of at least `size` numbers; only the last may have fewer."""
    waiting: list[Numbers] = []
    count = 0
    for each in numbers:
        waiting.append(each.astype(np.uint64, copy=False))
        count += len(each)
        if count >= size:
            yield _in_order(np.concatenate(waiting))
            waiting, count = [], 0
    if count:
        yield _in_order(np.concatenate(waiting))


def _in_order(numbers: Numbers) -> Numbers:
    return numbers if (numbers[1:] >= numbers[:-1]).all() else np.sort(numbers)


def _merge(runs: list[IndexWriter], writer: IndexWriter) -> None:
    """Write the blocks of several runs, in order."""
    found: dict[int, list[tuple[IndexWriter, np.void]]] = {}
    for run in runs:
        for entry in run.entries():
            found.setdefault(int(entry["block"]), []).append((run, entry))
    for block in sorted(found):
        parts = [run.read(entry) for run, entry in found[block]]
        if len(parts) == 1:
            writer.copy(block, parts[0])
        else:
            writer.add(block, union([decode(part) for part in parts]))


def _sorted(numbers: Numbers | None) -> Numbers:
    return np.zeros(0, np.uint64) if numbers is None else distinct(np.sort(numbers))


def _part(numbers: Numbers, block: int) -> Digits:
    """The digits of those of sorted numbers that are in a block."""
    start, end = np.searchsorted(numbers, np.array([block * BLOCK_SIZE, (block + 1) * BLOCK_SIZE], np.uint64))
    return split(numbers[start:end])[1]


def _digits_of(block: int, numbers: Numbers) -> Digits:
    blocks, digits = split(_sorted(numbers))
    if (blocks != block).any():
        raise ValueError(f"numbers of other blocks are to replace block {block}")
    return digits
