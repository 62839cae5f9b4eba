"""Records of JSON read many at once, column by column.

What an ordinary record looks like is said by regular expressions: a flat object as in RFC 8259, with fields that are
columns, none of them twice, and without half characters. What they match is read by them, digit by digit as it stands
there; whatever they do not match is left to `dialfeed.sources.jsonvalues`, which alone decides what a strange record
means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Final

import polars as pl

from dialfeed.sources.base import ROW
from dialfeed.sources.jsonvalues import DECODER
from dialfeed.sources.tables import nothing_is_null

_FEW: Final = 16
"""So many groups the engine fills in one pass; with more of them, one search for each field is faster."""

_WORTH_IT: Final = 3
"""So many texts cost less together than one by one: the engine compiles an expression each time."""

_BLANK: Final = r"[ \t\r\n]*"
_ESCAPE: Final = r'\\(?:["\\/bfnrt]|u(?:[0-9a-cA-CefEF][0-9a-fA-F]|[dD][0-7])[0-9a-fA-F]{2})'
_TEXT: Final = rf'"[^"\\]*(?:{_ESCAPE}[^"\\]*)*"'
_NUMBER: Final = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_VALUE: Final = f"{_TEXT}|{_NUMBER}|true|false|null"
_UNUSUAL: Final = re.compile(r'[":,\\]|\A\Z')
"""A name that could be taken for something between two names, or is written with an escape."""


class Shapes:
    """What the ordinary records of a source look like.

    Args:
        names: Their fields, in the order of the columns.
        order: The fields of the first record, in the order in which they stand there; empty for unusual ones.
    """

    def __init__(self, names: Sequence[str], order: Sequence[str]) -> None:
        self._names = tuple(names)
        self._usual = bool(names) and not any(map(_UNUSUAL.search, names))
        self._columns = list(map(str, range(len(self._names))))
        self._order = tuple(order) if len(order) <= _FEW else ()

    def read(self, texts: pl.Series) -> pl.DataFrame:
        """Read those of some texts that are ordinary records.

        Args:
            texts: The text of each record; null for none.

        Returns:
            A row for each ordinary record, in order: `ROW`, its place among the texts from 0 on, and a String column
            for each name, called ``"0"``, ``"1"``, …; an empty cell is null.
        """
        if len(texts) < _WORTH_IT or not self._usual:
            return self._nothing
        left = pl.DataFrame({ROW: pl.int_range(len(texts), dtype=pl.Int64, eager=True), "text": texts})
        found = [self._nothing]
        if self._order:
            found.append(self._in_order(left))
            left = without(left, found[-1])
        if left.height:
            found.append(self._in_any_order(left))
        return found[1] if len(found) == 2 else pl.concat(found).sort(ROW)

    @cached_property
    def _nothing(self) -> pl.DataFrame:
        return pl.DataFrame(schema={ROW: pl.Int64, **dict.fromkeys(self._columns, pl.String)})

    # --- the fields of the first record, and in its order

    def _in_order(self, left: pl.DataFrame) -> pl.DataFrame:
        groups = left.select(ROW, pl.col("text").str.extract_groups(self._ordered)).unnest("text").drop_nulls()
        column = {name: index for index, name in enumerate(self._names)}
        at = {column[name]: str(group) for group, name in enumerate(self._order, start=1)}
        return self._as_cells(groups, {index: pl.col(group) for index, group in at.items()})

    @cached_property
    def _ordered(self) -> str:
        fields = ",".join(f"{_BLANK}{_name(name)}({_VALUE}){_BLANK}" for name in self._order)
        return rf"\A{_BLANK}\{{{fields}\}}{_BLANK}\z"

    # --- any of the fields, in any order

    def _in_any_order(self, left: pl.DataFrame) -> pl.DataFrame:
        """Look first whether a text is a record at all; if so, a name with a colon behind it can be nothing else."""
        records = left.filter(pl.col("text").str.contains(self._record))
        found = {
            str(index): pl.col("text").str.extract(f"{_name(name)}({_VALUE})") for index, name in enumerate(self._names)
        }
        groups = records.select(ROW, pl.col("text").str.count_matches(self._any_name).alias("fields"), **found)
        once = pl.sum_horizontal(pl.col(self._columns).is_not_null()) == pl.col("fields")
        return self._as_cells(groups.filter(once), {index: pl.col(str(index)) for index in range(len(self._names))})

    @cached_property
    def _any_name(self) -> str:
        return f'"(?:{"|".join(map(_spelling, self._names))})"{_BLANK}:'

    @cached_property
    def _record(self) -> str:
        field = f"{self._any_name}{_BLANK}(?:{_VALUE}){_BLANK}"
        return rf"\A{_BLANK}\{{{_BLANK}{field}(?:,{_BLANK}{field})*\}}{_BLANK}\z"

    # --- both

    def _as_cells(self, groups: pl.DataFrame, values: dict[int, pl.Expr]) -> pl.DataFrame:
        """Values as text, each in its column."""
        nothing = pl.lit(None, dtype=pl.String)
        frame = groups.select(ROW, **{name: values.get(int(name), nothing) for name in self._columns})
        escaped = [name for name in self._columns if frame[name].str.contains("\\", literal=True).any()]
        frame = frame.with_columns(_unescaped(frame[name]) for name in escaped)
        bare = [_bare(pl.col(name)) for name in self._columns if name not in escaped]
        return frame.with_columns(bare).with_columns(nothing_is_null(len(self._columns)))


def without(texts: pl.DataFrame, read: pl.DataFrame) -> pl.DataFrame:
    """Those of some texts that were not read."""
    if len(texts) == len(read):
        return texts.clear()
    return texts.join(read, on=ROW, how="anti", maintain_order="left") if len(read) else texts


def _name(name: str) -> str:
    return f'"{_spelling(name)}"{_BLANK}:{_BLANK}'


def _spelling(name: str) -> str:
    """A name as it is usually written: with its letters, or with escapes for those beyond ASCII."""
    ways = dict.fromkeys((name, json.dumps(name)[1:-1]))
    return "|".join(map(pl.escape_regex, ways)) if len(ways) == 1 else f"(?:{'|'.join(map(pl.escape_regex, ways))})"


def _bare(value: pl.Expr) -> pl.Expr:
    """A value without quotes."""
    return pl.when(value != "null").then(value.str.strip_prefix('"').str.strip_suffix('"'))


def _unescaped(values: pl.Series) -> pl.Series:
    """Values without quotes, where some hold escapes."""
    distinct = values.filter(values.str.contains("\\", literal=True)).unique()
    meant = pl.Series([DECODER.decode(value) for value in distinct.to_list()], dtype=pl.String)
    plain = values.to_frame("value").select(_bare(pl.col("value")).alias(values.name))
    return values.replace_strict(distinct, meant, default=plain.to_series(), return_dtype=pl.String).alias(values.name)
