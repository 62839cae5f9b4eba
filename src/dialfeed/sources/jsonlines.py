"""JSON lines: one object a line."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Final

import polars as pl

from dialfeed.sources.base import ROW
from dialfeed.sources.jsonshapes import Shapes, without
from dialfeed.sources.jsonvalues import Found, Stretch, fields_of_text
from dialfeed.sources.tables import Malformed

_BLANKS: Final = " \t\r\x0b\x0c"
_FILLER: Final = b"?"
"""What stands for the end of a line that is too large: cut off anywhere, its text could end within a character."""


def stretches(text: Iterable[bytes], shapes: Shapes, *, limit: int, most: int) -> Generator[Stretch]:
    """Read lines.

    Args:
        text: UTF-8 in blocks of whole characters.
        shapes: What ordinary records look like.
        limit: The most bytes of a line; a larger one is malformed, and never held.
        most: How many records to hand on at once.

    Yields:
        Records, in order; the number of a record is that of its line.
    """
    number = 1
    for window in whole_lines(text, limit):
        lines = pl.Series([window], dtype=pl.Binary).cast(pl.String).str.split("\n").explode()
        for start in range(0, len(lines), most):
            yield _stretch(lines.slice(start, most), shapes, number, limit)
            number += min(most, len(lines) - start)


def _stretch(lines: pl.Series, shapes: Shapes, number: int, limit: int) -> Stretch:
    fitting = lines.to_frame("text").select(pl.when(pl.col("text").str.len_bytes() <= limit).then("text")).to_series()
    rows = shapes.read(fitting)
    rest = without(pl.DataFrame({ROW: pl.int_range(len(lines), dtype=pl.Int64, eager=True), "text": fitting}), rows)
    others = [(number + place, _found(number + place, line)) for place, line in rest.rows()]
    return Stretch(rows.with_columns(pl.col(ROW) + number), others)


def _found(number: int, line: str | None) -> Found:
    if line is None:
        return Malformed(number, "row.too_large", None)
    return fields_of_text(line.removesuffix("\r"), number) if line.strip(_BLANKS) else None


def whole_lines(text: Iterable[bytes], limit: int) -> Generator[bytes]:
    """Cut text behind a line end, as far back as possible.

    Args:
        text: Blocks.
        limit: The most bytes of a line; of a larger one no more is held than what shows that it is.

    Yields:
        Lines, without the line end of the last one.
    """
    parts: list[bytes] = []
    size = 0
    for block in text:
        end = block.rfind(b"\n")
        if end >= 0:
            yield b"".join((*parts, block[:end]))
            parts, size = [], 0
        tail, room = block[end + 1 :], max(0, limit + 1 - size)
        parts.append(tail if len(tail) <= room else _FILLER * room)
        size += min(len(tail), room)
    if size:
        yield b"".join(parts)
