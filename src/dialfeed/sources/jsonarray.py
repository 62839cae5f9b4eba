"""A JSON array of objects: cut into elements, of which at most one window is held."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Generator, Iterable, Iterator
from typing import Any, Final

import numpy as np
import polars as pl

from dialfeed.sources.base import ROW
from dialfeed.sources.jsonshapes import Shapes
from dialfeed.sources.jsonvalues import DECODER, Found, Stretch, fields_of

_BEGIN: Final = re.compile(r"[ \t\r\n]*\[[ \t\r\n]*")
_BETWEEN: Final = re.compile(r"[ \t\r\n]*([,\]])[ \t\r\n]*")
_BLANKS: Final = re.compile(r"[ \t\r\n]*")
_SEAM: Final = re.compile(r"\}[ \t\r\n]*,[ \t\r\n]*(?=\{)")


class ArrayError(Exception):
    """An array that is not well-formed.

    Args:
        number: How many of its elements are.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def stretches(text: Iterable[bytes], shapes: Shapes, *, limit: int, most: int) -> Generator[Stretch]:
    """Read elements.

    Args:
        text: UTF-8 in blocks of whole characters.
        shapes: What ordinary records look like.
        limit: The most bytes of an element.
        most: How many records to hand on at once.

    Yields:
        Records, in order; the number of a record is its place in the array, from 1 on.

    Raises:
        ArrayError: The array is not well-formed, or an element is too large.
    """
    window = _Window(iter(text), limit)
    more = window.begin()
    number = 0
    while more:
        walk = _Walk(window, shapes, number, most)
        more = walk.go()
        yield walk.stretch()
        number = walk.number
    window.expect_end(number)


class _Walk:
    """One walk over elements that are known to begin in the window.

    The text is cut wherever an object seems to end and another one to begin. That may be within a text; but a piece
    that begins where an element does, and is a record, ends where the element does. So from a certain beginning the
    walk goes from piece to piece, and where one is no ordinary record, one element is decoded, to know for certain
    where the next one begins.
    """

    def __init__(self, window: _Window, shapes: Shapes, number: int, most: int) -> None:
        self.number = number
        self._window = window
        self._most = most
        self._starts, pieces = window.pieces(most)
        self._read = shapes.read(pl.Series(pieces, dtype=pl.String))
        self._ordinary = frozenset(self._read[ROW].to_list())
        self._taken: list[int] = []
        self._numbers: list[int] = []
        self._others: list[tuple[int, Found]] = []

    def go(self) -> bool:
        """Walk to the end of the pieces, or one element at least; False when the array ends."""
        piece = 0
        while len(self._numbers) + len(self._others) < self._most:
            if piece in self._ordinary:
                self._take(piece)
                piece += 1
                continue
            if not self._decode():
                return False
            piece = bisect_left(self._starts, self._window.at)
            if piece >= len(self._starts) - 1 or self._starts[piece] != self._window.at:
                break
        return True

    def stretch(self) -> Stretch:
        """What was met."""
        if len(self._taken) == len(self._read):
            rows = self._read
        else:
            rows = self._read.filter(pl.Series(np.isin(self._read[ROW].to_numpy(), self._taken)))
        return Stretch(rows.with_columns(pl.Series(ROW, self._numbers, dtype=pl.Int64)), self._others)

    def _take(self, piece: int) -> None:
        self.number += 1
        self._taken.append(piece)
        self._numbers.append(self.number)
        self._window.go(self._starts[piece + 1])

    def _decode(self) -> bool:
        value, raw = self._window.value(self.number)
        self.number += 1
        self._others.append((self.number, fields_of(raw, self.number, value)))
        return self._window.separator(self.number) == ","


class _Window:
    """Text that grows as it is read, and is forgotten behind the place that was reached.

    Places are counted in characters from the beginning of the whole text.
    """

    def __init__(self, blocks: Iterator[bytes], limit: int) -> None:
        self._blocks = blocks
        self._limit = limit
        self._text = ""
        self._before = 0
        self._here = 0
        self._ended = False

    def begin(self) -> bool:
        """Go to the first element; False, and behind the array, where there is none.

        Raises:
            ArrayError: It is no array.
        """
        if not self.match(_BEGIN):
            raise ArrayError(0)
        empty = self._text.startswith("]", self._here)
        self._here += empty
        return not empty

    @property
    def at(self) -> int:
        """The place that was reached."""
        return self._before + self._here

    def go(self, place: int) -> None:
        """Go to a place in the window."""
        self._here = place - self._before

    def pieces(self, most: int) -> tuple[list[int], list[str | None]]:
        """Where elements seem to begin from here on, and the text of each that seems to end; None if too large."""
        starts, pieces = [self._here], list[str | None]()
        for seam in _SEAM.finditer(self._text, self._here):
            piece = self._text[starts[-1] : seam.start() + 1]
            pieces.append(None if _is_larger(piece, self._limit) else piece)
            starts.append(seam.end())
            if len(pieces) == most:
                break
        return [self._before + start for start in starts], pieces

    def grow(self) -> bool:
        """Read on, at least as much as there is; False at the end."""
        parts = [self._text[self._here :]]
        wanted = size = len(parts[0])
        while size <= 2 * wanted and not self._ended:
            block = next(self._blocks, None)
            self._ended = block is None
            parts.append((block or b"").decode())
            size += len(parts[-1])
        self._text, self._before, self._here = "".join(parts), self.at, 0
        return size > wanted

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Match here, and go behind it; reads on while the text ends before the match is certain."""
        while True:
            match = pattern.match(self._text, self._here)
            if (match is None or match.end() == len(self._text)) and self._room() and self.grow():
                continue
            if match is None or match.end() - self._here > self._limit:
                return None
            self._here = match.end()
            return match

    def value(self, number: int) -> tuple[Any, str]:
        """Decode a value, and go behind it.

        Raises:
            ArrayError: There is none, or it is too large.
        """
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._here)
            except (ValueError, RecursionError):
                end = len(self._text)
            if end < len(self._text):
                raw = self._text[self._here : end]
                if _is_larger(raw, self._limit):
                    raise ArrayError(number)
                self._here = end
                return value, raw
            if not self._room() or not self.grow():
                raise ArrayError(number)

    def separator(self, number: int) -> str:
        """Go behind what stands between two values, or behind the last one.

        Raises:
            ArrayError: It is neither a comma nor the end.
        """
        match = self.match(_BETWEEN)
        if not match:
            raise ArrayError(number)
        if match[1] == ",":
            self.match(_BLANKS)
        return match[1]

    def expect_end(self, number: int) -> None:
        """Nothing but blanks may follow.

        Raises:
            ArrayError: Something does.
        """
        while True:
            if self._text[self._here :].strip(" \t\r\n"):
                raise ArrayError(number)
            self._here = len(self._text)
            if not self.grow():
                return

    def _room(self) -> bool:
        return len(self._text) - self._here <= self._limit


def _is_larger(text: str, limit: int) -> bool:
    """Whether a text has more bytes than the limit."""
    return len(text) > limit or (4 * len(text) > limit and len(text.encode(errors="replace")) > limit)
