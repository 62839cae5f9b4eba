"""US and Canadian full lists as text: an area code and seven digits a line (`compliance.md` 1.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from dialfeed.donotcall.blocks import BLOCK_SIZE, Numbers
from dialfeed.donotcall.listfiles.base import MOST_SHOWN, Fault, ListChunk, describe
from dialfeed.donotcall.listfiles.lines import Lines, integers, lines_of
from dialfeed.errors import FixSource

_COUNTRY: Final = np.uint64(10**10)  # +1
_IN_NAME: Final = re.compile(r"(?<![0-9])[2-9][0-9]{2}(?![0-9])")
_SPLIT, _JOINED = 11, 10


def area_text(blocks: Iterable[bytes], name: str, member: str = "") -> Iterator[ListChunk]:
    """Read lines ``AAA,NNNNNNN`` and ``AAANNNNNNN``.

    Raises:
        FixSource: A line is so long that this is no list.
    """
    for lines in lines_of(blocks, name):
        yield _chunk(lines, member)


def _chunk(lines: Lines, member: str) -> ListChunk:
    sizes = lines.sizes
    split = (sizes == _SPLIT) & (lines.at(3) == ord(","))
    area_ends = lines.starts + 3
    area, area_sound = integers(lines.text, lines.starts, area_ends)
    rest, rest_sound = integers(lines.text, area_ends + split, lines.ends)
    written = (split | (sizes == _JOINED)) & area_sound & rest_sound
    sound = written & (area >= 200)
    blank = sizes == 0
    faulty = np.flatnonzero(~sound & ~blank)
    shown = [
        (lines.first + row, Fault.AREA_CODE if written[row] else Fault.NOT_A_NUMBER, lines.line(row))
        for row in faulty[:MOST_SHOWN].tolist()
    ]
    numbers = _COUNTRY + area * np.uint64(BLOCK_SIZE) + rest
    kept = numbers if sound.all() else numbers[sound]
    return ListChunk(
        numbers=kept,
        lines=len(lines) - int(blank.sum()),
        malformed=describe(shown, member),
        malformed_count=len(faulty),
    )


def area_code_in_name(name: str) -> int | None:
    """The area code that a file name tells: the only three digits that stand alone; None where it tells none."""
    found = set(_IN_NAME.findall(name))
    return int(found.pop()) if len(found) == 1 else None


def check_area_code(numbers: Numbers, expected: int | None, name: str) -> None:
    """Stop on numbers of another area code than the one in the file's name or head (`compliance.md` 1.2).

    Raises:
        FixSource: There are some.
    """
    if expected is None:
        return
    other = numbers // np.uint64(BLOCK_SIZE) != 1000 + expected
    if other.any():
        found = int(numbers[other][0]) // BLOCK_SIZE - 1000
        raise FixSource(
            f"'{name}' is the list of area code {expected}, and holds numbers of {found}.",
            advice="Check that it is the right file; if its name does not tell an area code, rename it.",
        )
