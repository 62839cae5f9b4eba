"""Rows of Parquet and Arrow files."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Literal

import polars as pl

from dialfeed.errors import FixSource
from dialfeed.sources.base import MALFORMED_SCHEMA, ROW, Chunk, Description, Hashed
from dialfeed.sources.cellvalues import SINGLE_EXACT
from dialfeed.sources.content import FileContent
from dialfeed.sources.files import changed
from dialfeed.sources.tables import nothing_is_null
from dialfeed.streams import without_native_lines

PARQUET_MAGIC: Final = b"PAR1"
ARROW_MAGIC: Final = b"ARROW1"
ARROW_STREAM_MAGIC: Final = b"\xff\xff\xff\xff"
_MOST_STREAM_BYTES: Final = 512 << 20


class ColumnarSource(Hashed):
    """A Parquet file, or an Arrow file or stream. Its first row is row 1.

    Cells become text as a person would type them: whole numbers without a decimal point, dates and times in ISO form.
    A number with a fraction of zero is whole as far as its type keeps every digit: up to 15 in 64 bits, up to 2^24 in
    32. Beyond that a floating-point number has lost digits, and is told with its exponent, so that nobody takes it for
    a number to dial.

    Args:
        file: The file.
        kind: What it is.
        chunk_rows: How many rows to hand on at once.
        facts: What else to tell in the description.
    """

    def __init__(
        self,
        file: FileContent,
        kind: Literal["parquet", "arrow"],
        *,
        chunk_rows: int,
        facts: dict[str, Any] | None = None,
    ) -> None:
        self._file = file
        self._kind = kind
        self._chunk_rows = chunk_rows
        self._facts = dict(facts or {})

    def describe(self) -> Description:
        """Read the schema.

        Raises:
            FixSource: The file is damaged, empty, or has a column that is no text, number, date or truth value.
        """
        schema = self._schema()
        return Description(
            self._file.name, tuple(name.strip() for name in schema), {"format": self._kind, **self._facts}
        )

    def chunks(self) -> Iterator[Chunk]:
        """Stream the rows.

        Raises:
            FixSource: As `describe`; or the file turns out to be damaged, or was changed while it was read.
        """
        self._sha256 = None
        stamp = self._file.stamp()
        schema = self._schema()
        columns = [as_text(pl.col(name), kind).alias(str(index)) for index, (name, kind) in enumerate(schema.items())]
        frames = self._scan().select(columns).with_columns(nothing_is_null(len(columns)))
        row = 1
        with self._damage_told():
            for frame in frames.collect_batches(chunk_size=self._chunk_rows, maintain_order=True):
                numbers = pl.int_range(row, row + frame.height, dtype=pl.Int64, eager=True).alias(ROW)
                row += frame.height
                yield Chunk(frame.insert_column(0, numbers), pl.DataFrame(schema=MALFORMED_SCHEMA))
            # A thread of the engine that panics may end the batches as if there were no more rows.
            if row - 1 != self._scan().select(pl.len()).collect().item():
                raise self._damaged()
        self._sha256 = self._file.digest()
        if self._file.stamp() != stamp:
            raise changed(self._file.name)

    def _schema(self) -> pl.Schema:
        with self._damage_told():
            schema = self._scan().collect_schema()
        if not schema:
            raise FixSource(f"'{self._file.name}' has no columns.", advice="Export the contacts again.")
        for name, kind in schema.items():
            if not is_plain(kind):
                raise FixSource(
                    f"The column '{name}' of '{self._file.name}' holds {_called(kind)}, not single values.",
                    advice="Export it as text, or leave it out.",
                )
        return schema

    def _scan(self) -> pl.LazyFrame:
        path = self._file.path
        self._file.stamp()
        if self._kind == "parquet":
            return pl.scan_parquet(path, glob=False)
        with path.open("rb") as file:
            if file.read(4) != ARROW_STREAM_MAGIC:
                return pl.scan_ipc(path, glob=False)
        if path.stat().st_size > _MOST_STREAM_BYTES:
            raise FixSource(
                f"'{self._file.name}' is an Arrow stream, too large to be held.",
                advice="Write it as an Arrow file (with a footer) or as Parquet.",
            )
        with self._damage_told():
            return pl.read_ipc_stream(path).lazy()

    @contextmanager
    def _damage_told(self) -> Generator[None]:
        try:
            with without_native_lines():
                yield
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError):
            raise self._damaged() from None

    def _damaged(self) -> FixSource:
        return FixSource(
            f"The {self._kind.capitalize()} file '{self._file.name}' is damaged, or uses what cannot be read.",
            advice="Copy or export it again.",
        )


def is_plain(kind: pl.DataType) -> bool:
    """Whether the values of a column can be told as text."""
    return (
        kind.is_numeric()
        or (kind.is_temporal() and kind != pl.Duration)
        or isinstance(kind, pl.String | pl.Boolean | pl.Categorical | pl.Enum | pl.Null)
    )


def as_text(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """The values of a column as a person would type them."""
    if kind.is_float():
        return _float_text(column, _EXACT_BELOW.get(kind, 1e15))
    if isinstance(kind, pl.Datetime):
        text = column.dt.to_string("%Y-%m-%d %H:%M:%S%.f" + ("%:z" if kind.time_zone else ""))
        return text.str.replace(r"\.0+(\D|$)", "$1")
    if kind == pl.Time:
        return column.dt.to_string("%H:%M:%S%.f").str.replace(r"\.0+$", "")
    return column.cast(pl.String)


_EXACT_BELOW: Final[Mapping[pl.DataType, float]] = {pl.Float32(): SINGLE_EXACT, pl.Float16(): 2.0**11}
"""From where on a type of floating-point numbers does not keep every whole number."""


def _float_text(column: pl.Expr, exact_below: float) -> pl.Expr:
    value = column.cast(pl.Float64)
    size = value.abs()
    power = size.log10().floor()
    rounded = (value / pl.lit(10.0).pow(power)).round(6).cast(pl.String) + "e+" + power.cast(pl.Int32).cast(pl.String)
    whole = (value == value.round(0)) & (size < exact_below)
    return (
        pl.when(whole)
        .then(value.cast(pl.Int64, strict=False).cast(pl.String))
        .when(size.is_between(exact_below, 1e15))
        .then(rounded)
        .otherwise(column.cast(pl.String))
    )


def _called(kind: pl.DataType) -> str:
    return "lists or records" if kind.is_nested() else "bytes" if kind == pl.Binary else f"values of type {kind}"
