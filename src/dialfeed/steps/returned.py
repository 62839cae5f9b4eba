"""Rows that come back from a person: read from a file for people, they are exact again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from dialfeed.contacts.fields import NEUTRALISED
from dialfeed.errors import FixSource
from dialfeed.reports.people import restored
from dialfeed.sources.base import ROW, Chunk, Description, Source


@dataclass(frozen=True, slots=True)
class Restored:
    """A source whose cells lose the quotes that a file for people puts before formula characters.

    Attributes:
        source: The file for people.
    """

    source: Source

    def describe(self) -> Description:
        """As the source's own; the quote before a column's name is not part of it for the mapping either."""
        return self.source.describe()

    def chunks(self) -> Iterator[Chunk]:
        """The source's chunks with exact cells."""
        for chunk in self.source.chunks():
            yield replace(chunk, rows=restored(chunk.rows))

    def sha256(self) -> str:
        """As the source's own."""
        return self.source.sha256()


def exact(source: Source) -> Source:
    """A source with exact cells, whether or not it is a file for people; its column `_neutralised` says so."""
    return Restored(source) if NEUTRALISED in source.describe().header else source


@dataclass(slots=True)
class Picked:
    """Those rows of a mended file that are open in the run they come from, under the numbers they have there.

    Attributes:
        source: The mended file; its column `_row` holds the numbers.
        standing: Tells, when reading begins, where the run's rows stand: `ROW` and `bucket`.
        open_buckets: The buckets of rows that may be loaded.
        counts: Rows taken, and rows passed over by why.
    """

    source: Source
    standing: Callable[[], pl.DataFrame]
    open_buckets: Sequence[str]
    counts: Counter[str] = field(default_factory=Counter)

    def describe(self) -> Description:
        """As the source's own.

        Raises:
            FixSource: It has no column `_row`, or several.
        """
        description = self.source.describe()
        if description.header.count(ROW) != 1:
            raise FixSource(
                f"{description.path} has no column {ROW}, so it is not known which rows it holds.",
                advice="Mend rejected.csv or refused.csv itself, and leave its columns as they are.",
            )
        return description

    def chunks(self) -> Iterator[Chunk]:
        """The open rows, each once, in the order of the file's chunks and by number within each."""
        position = str(self.describe().header.index(ROW))
        self.counts.clear()
        known = self.standing()
        left = known.filter(pl.col("bucket").is_in(self.open_buckets))[ROW]
        taken = left.clear()
        for chunk in self.source.chunks():
            rows = chunk.rows.with_columns(_number(pl.col(position)).alias(ROW))
            fresh = rows.filter(rows[ROW].is_in(left.implode()) & rows[ROW].is_first_distinct())
            fresh = fresh.filter(~fresh[ROW].is_in(taken.implode())).sort(ROW)
            self._count(rows, len(fresh), known[ROW], left)
            self.counts["unreadable"] += len(chunk.malformed)
            taken = pl.concat([taken, fresh[ROW]])
            yield Chunk(fresh, chunk.malformed.clear())

    def sha256(self) -> str:
        """As the source's own."""
        return self.source.sha256()

    def _count(self, rows: pl.DataFrame, fresh: int, known: pl.Series, left: pl.Series) -> None:
        of_the_run = int(rows[ROW].is_in(known.implode()).fill_null(value=False).sum())
        still_open = int(rows[ROW].is_in(left.implode()).fill_null(value=False).sum())
        told = {"taken": fresh, "twice": still_open - fresh, "closed": of_the_run - still_open}
        self.counts.update(told | {"foreign": len(rows) - of_the_run})


def _number(cell: pl.Expr) -> pl.Expr:
    """A row's number, also where a spreadsheet or a script took it for a fraction (12.0); null for what is none."""
    return cell.str.strip_chars().str.replace(r"[.,]0+$", "").cast(pl.Int64, strict=False)
