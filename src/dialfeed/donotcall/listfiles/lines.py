"""Lines of a text as columns of places in it, and digits to integers, a whole column at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dialfeed.donotcall.blocks import Numbers
from dialfeed.errors import FixSource

Places: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

PAD: Final = 16
"""Bytes on both sides of the text of `Lines`, so that a window may reach beyond the first and the last line."""
_LONGEST: Final = 1 << 16
_BLANKS: Final = 64  # blanks at the end of a line that are taken away
_SLICE: Final = 1 << 15  # lines at once: what is computed of them stays in the processor's cache

_ZEROS: Final = np.uint64(0x3030303030303030)
_HIGH: Final = np.uint64(0xF0F0F0F0F0F0F0F0)
_SIXES: Final = np.uint64(0x0606060606060606)
_KEPT: Final = np.array(
    [0, *((0xFFFFFFFFFFFFFFFF << 8 * (8 - size)) & 0xFFFFFFFFFFFFFFFF for size in range(1, 9))], np.uint64
)
"""By the number of digits in a window of eight bytes: which of its bytes they are (the last ones)."""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Some lines of a text.

    Attributes:
        text: The lines between `PAD` bytes on either side.
        starts: Where each line begins in the text.
        ends: Where it ends, without line end and blanks.
        first: The number of the first line.
    """

    text: bytes
    starts: Places
    ends: Places
    first: int

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def sizes(self) -> Places:
        """How many bytes each line has."""
        return self.ends - self.starts

    def at(self, offset: int) -> NDArray[np.uint8]:
        """The byte of each line at an offset below `PAD`; some byte behind its end where it is shorter."""
        return np.frombuffer(self.text, np.uint8)[self.starts + offset]

    def line(self, row: int) -> bytes:
        """The text of a line."""
        return self.text[self.starts[row] : self.ends[row]]


def lines_of(blocks: Iterable[bytes], name: str) -> Iterator[Lines]:
    """Cut a text into lines; blank ones too have a number.

    Args:
        blocks: The text.
        name: The file as the user named it.

    Raises:
        FixSource: A line is so long that this is no list.
    """
    rest, number = b"", 1
    for block in blocks:
        text = rest + block
        end = text.rfind(b"\n") + 1
        if len(text) - end > _LONGEST:
            raise FixSource(f"'{name}' has lines as no list has them.", advice="Check that this is the list's file.")
        rest = text[end:]
        if end:
            found = _cut(text[:end], number)
            number += len(found)
            yield found
    if rest:
        yield _cut(rest + b"\n", number)


def _cut(text: bytes, number: int) -> Lines:
    padded = text.join([b"\0" * PAD] * 2)
    data = np.frombuffer(padded, np.uint8)
    ends = np.flatnonzero(data == ord("\n"))
    starts = np.concatenate(([PAD], ends[:-1] + 1))
    return Lines(padded, starts, _trimmed(data, starts, ends), number)


def _trimmed(data: NDArray[np.uint8], starts: Places, ends: Places) -> Places:
    """Leave out carriage returns and blanks at the ends of lines."""
    rows = np.flatnonzero(np.isin(data[ends - 1], _BLANK) & (ends > starts))
    for _ in range(_BLANKS):
        if not rows.size:
            break
        ends[rows] -= 1
        rows = rows[np.isin(data[ends[rows] - 1], _BLANK) & (ends[rows] > starts[rows])]
    return ends


_BLANK: Final = np.frombuffer(b" \t\r", np.uint8)


def integers(text: bytes, starts: Places, ends: Places) -> tuple[Numbers, Mask]:
    """Read runs of digits.

    Args:
        text: Has `PAD` more bytes on either side.
        starts: Where each begins.
        ends: Where each ends.

    Returns:
        The integers, and which of them are 1 to 16 digits and nothing else; an integer means nothing where not.
    """
    numbers, sound = np.empty(len(starts), np.uint64), np.empty(len(starts), bool)
    for at in range(0, len(starts), _SLICE):
        rows = slice(at, at + _SLICE)
        numbers[rows], sound[rows] = _integers(text, starts[rows], ends[rows])
    return numbers, sound


def _integers(text: bytes, starts: Places, ends: Places) -> tuple[Numbers, Mask]:
    sizes = ends - starts
    numbers, sound = _eight(text, ends, np.clip(sizes, 0, 8))
    sound &= (sizes > 0) & (sizes <= 16)
    if (sizes > 8).any():
        high, high_sound = _eight(text, np.maximum(ends - 8, 8), np.clip(sizes - 8, 0, 8))
        numbers += high * np.uint64(10**8)
        sound &= high_sound
    return numbers, sound


def _eight(text: bytes, ends: Places, sizes: Places) -> tuple[Numbers, Mask]:
    """Read up to eight digits before each end: eight bytes at once as an integer, whose last byte is the last digit."""
    windows = np.ndarray(len(text) - 7, "<u8", text, strides=(1,))
    kept = _KEPT[sizes]
    read = (windows[ends - 8] & kept) | (_ZEROS & ~kept)
    sound = ((read & _HIGH) == _ZEROS) & (((read + _SIXES) & _HIGH) == _ZEROS)
    value = read - _ZEROS
    value = value * np.uint64(10) + (value >> np.uint64(8))
    low, high = value & np.uint64(0x000000FF000000FF), (value >> np.uint64(16)) & np.uint64(0x000000FF000000FF)
    return (low * np.uint64(0x000F424000000064) + high * np.uint64(0x0000271000000001)) >> np.uint64(32), sound
