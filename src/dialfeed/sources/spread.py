"""A source of which some rows are kept in passing, from its first to its last."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from dialfeed.sources.base import ROW, Chunk, Description, Source


class Spread:
    """A source that keeps rows at even distances while it is read: which ones does not depend on the size of a chunk.

    Args:
        source: Read by nobody else.
        most: So many rows are kept at most; all where there are no more, else at least half as many.
    """

    def __init__(self, source: Source, most: int) -> None:
        self._source = source
        self._most = most
        self._distance = 1
        self._kept: pl.DataFrame | None = None

    def describe(self) -> Description:
        """As the source's own."""
        return self._source.describe()

    def chunks(self) -> Iterator[Chunk]:
        """The chunks of the source.

        Raises:
            FixSource: As the source.
        """
        self._distance, self._kept = 1, None
        for chunk in self._source.chunks():
            if len(chunk.rows):
                self._keep(chunk.rows)
            yield chunk

    def sha256(self) -> str:
        """As the source's own."""
        return self._source.sha256()

    def rows(self) -> pl.DataFrame | None:
        """The rows that were kept; None where there were none."""
        return self._kept

    def _keep(self, rows: pl.DataFrame) -> None:
        """Keep the rows with a number that the distance divides: the least power of two that leaves few enough."""
        needed = 1 << (int(rows[ROW][-1]) // self._most).bit_length()
        self._distance = max(self._distance, needed)
        kept = rows.filter(_divided_by(self._distance))
        # Through Python, since cells that the engine copies keep the text of their whole chunk in memory.
        copied = pl.DataFrame(kept.rows(), kept.schema, orient="row")
        known = copied.clear() if self._kept is None else self._kept.filter(_divided_by(self._distance))
        self._kept = pl.concat([known, copied])


def _divided_by(distance: int) -> pl.Expr:
    return pl.col(ROW) % distance == 0
