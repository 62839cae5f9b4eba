"""Quotes other than the usual ones, by exchanging characters one for one before a text is cut and after."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Final

import polars as pl

from dialfeed.sources.base import ROW, Chunk

QUOTE: Final = '"'
_UNUSED: Final = "\x1e"
"""The record separator: stands for a quote where quotes are text. Nobody types it."""


def requoted(text: bytes, quote: str) -> bytes:
    """Exchange the quote of a text for the usual one, and the other way round; done twice, nothing has changed.

    Args:
        text: UTF-8.
        quote: The quote: ``"``, ``'``, or empty where quotes are text.
    """
    return text if quote == QUOTE else text.translate(_table(quote))


def requoted_blocks(blocks: Iterable[bytes], quote: str) -> Generator[bytes]:
    """`requoted` for a stream."""
    for block in blocks:
        yield requoted(block, quote)


def requoted_name(name: str, quote: str) -> str:
    """`requoted` for a column name."""
    return requoted(name.encode(), quote).decode()


def requoted_chunk(chunk: Chunk, quote: str) -> Chunk:
    """`requoted` for the cells of a chunk."""
    if quote == QUOTE:
        return chunk
    cells = pl.all().exclude(ROW)
    raw = _exchanged(pl.col("raw"), quote)
    return Chunk(
        chunk.rows.with_columns(_exchanged(cells, quote)) if chunk.rows.width > 1 else chunk.rows,
        chunk.malformed.with_columns(raw),
        chunk.blank,
    )


def _exchanged(text: pl.Expr, quote: str) -> pl.Expr:
    other = quote or _UNUSED
    return text.str.replace_many([QUOTE, other], [other, QUOTE])


def _table(quote: str) -> bytes:
    other = quote or _UNUSED
    return bytes.maketrans((QUOTE + other).encode(), (other + QUOTE).encode())
