"""A source whose first rows are looked at before anything is settled, in the one passage through it."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator

import polars as pl

from dialfeed.sources.base import ROW, Chunk, Description, Source


class Begun:
    """A source that may be begun with a look at its first rows: they come again with the others.

    So a query runs once, and a stream needs to come once only. What was read for the look is kept until it is asked
    for: no more than the chunks that hold the first records.

    Args:
        source: Read by nobody else.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._looked_at: deque[Chunk] = deque()
        self._coming: Iterator[Chunk] | None = None

    def describe(self) -> Description:
        """As the source's own."""
        return self._source.describe()

    def first_rows(self, records: int) -> pl.DataFrame | None:
        """The rows among so many first records, whatever the size of a chunk; None where there are none.

        Args:
            records: Rows and malformed records, at least one.

        Raises:
            FixSource: The source cannot be read.
        """
        self._coming = self._coming or self._source.chunks()
        held = sum(len(chunk.rows) + len(chunk.malformed) for chunk in self._looked_at)
        while held < records and (chunk := next(self._coming, None)) is not None:
            self._looked_at.append(chunk)
            held += len(chunk.rows) + len(chunk.malformed)
        if not held:
            return None
        numbers = pl.concat([frame[ROW] for chunk in self._looked_at for frame in (chunk.rows, chunk.malformed)])
        last = numbers.bottom_k(records).max()
        rows = pl.concat([chunk.rows for chunk in self._looked_at]).filter(pl.col(ROW) <= last)
        return rows if len(rows) else None

    def chunks(self) -> Iterator[Chunk]:
        """All chunks of the source, those that were looked at among them.

        Raises:
            FixSource: As the source.
        """
        coming, self._coming = self._coming or self._source.chunks(), None
        while self._looked_at:
            yield self._looked_at.popleft()
        yield from coming

    def sha256(self) -> str:
        """As the source's own."""
        return self._source.sha256()

    def close(self) -> None:
        """End a passage that was begun, and let go of what it holds open."""
        coming, self._coming = self._coming, None
        self._looked_at.clear()
        if isinstance(coming, Generator):
            coming.close()
