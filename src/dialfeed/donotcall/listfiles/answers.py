"""Result files of registers that take numbers and give answers: the Australian wash, reassigned numbers, dnc.com.

What the words mean is in `data/answers.toml`, each with its source. A word that is not there makes its line malformed:
it is never taken for "not on the list".
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import polars as pl

from dialfeed.donotcall.facts import Verdict
from dialfeed.donotcall.listfiles.base import Accounted, Fault
from dialfeed.donotcall.listfiles.packed import LIST_BOUNDS
from dialfeed.donotcall.listfiles.plain import numbers_of
from dialfeed.donotcall.listfiles.tables import Table, account, open_table
from dialfeed.errors import FixSettings
from dialfeed.sources.base import Chunk
from dialfeed.sources.bounds import Bounds
from dialfeed.sources.options import SourceOptions

ANSWER_SCHEMA: Final = pl.Schema({"number": pl.UInt64, "verdict": pl.UInt8, "asked_for": pl.Date, "code": pl.String})
"""The number; CLEAR, LISTED or NO_DATA; the date that was asked about, or null; the answer as it was given."""

_VERDICTS: Final = {"clear": Verdict.CLEAR, "listed": Verdict.LISTED, "no_data": Verdict.NO_DATA}
_DATES: Final = ("%Y-%m-%d", "%Y%m%d", "%m/%d/%Y")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AnswerChunk(Accounted):
    """A part of a result file.

    Attributes:
        answers: `ANSWER_SCHEMA`, in file order.
    """

    answers: pl.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerColumns:
    """Where things are in a result file, by title or number from 1; None to find it by its title.

    Attributes:
        number: The numbers.
        answer: The answers.
        date: The dates that were asked about.
        header: Whether the first row is a header.
    """

    number: str | None = None
    answer: str | None = None
    date: str | None = None
    header: bool = True


def read_answers(
    path: Path,
    form: str,
    *,
    region: str | None,
    columns: AnswerColumns | None = None,
    asked_for: date | None = None,
    bounds: Bounds = LIST_BOUNDS,
) -> Iterator[AnswerChunk]:
    """Read a result file: CSV, a workbook or whatever else a source can be.

    Args:
        path: The file.
        form: Whose answers they are: one of `answer_forms`.
        region: The country (ISO 3166-1 alpha-2) of numbers in national form; None where there are none.
        columns: Where things are in it.
        asked_for: The date that was asked about, where the file does not tell it row by row.
        bounds: How much may come out of a compressed file.

    Raises:
        FixSettings: There is no such form, or it is not certain which column is which.
        FixSource: The file cannot be read.
    """
    words, told = _words(form), columns or AnswerColumns()
    options = SourceOptions(header_row=None if told.header else 0)
    table = open_table(path, bounds, options)
    places = _places(table, words, told)
    for chunk in table.source.chunks():
        yield _chunk(chunk, places, words, region, asked_for)


def answer_forms() -> list[str]:
    """The forms of result files that are known."""
    return list(_forms())


@dataclass(frozen=True, slots=True)
class _Places:
    number: int
    answer: int
    date: int | None


def _places(table: Table, words: dict[str, Any], told: AnswerColumns) -> _Places:
    number = table.position("the numbers", told.number, words["number"])
    answer = table.position("the answers", told.answer, words["answer"])
    if number is None:
        raise table.no_column("the numbers")
    if answer is None or answer == number:
        raise table.no_column("the answers")
    return _Places(number, answer, table.position("the dates", told.date, words["date"]))


def _chunk(
    chunk: Chunk, places: _Places, words: dict[str, Any], region: str | None, asked_for: date | None
) -> AnswerChunk:
    rows = chunk.rows
    cells, said = rows[str(places.number)], rows[str(places.answer)].str.strip_chars()
    numbers, sound = numbers_of(cells, region)
    meant = {word: int(verdict) for key, verdict in _VERDICTS.items() for word in words[key]}
    verdicts = said.str.to_uppercase().replace_strict(meant, default=None, return_dtype=pl.UInt8)
    dates = _dates(rows, places, asked_for)
    written = rows[str(places.date)] if places.date is not None else dates.cast(pl.String)
    undated = dates.is_null() if places.date is not None else pl.repeat(value=False, n=len(rows), eager=True)
    faults = [
        (cells, ~sound, Fault.NOT_A_NUMBER),
        (said, verdicts.is_null().to_numpy(), Fault.UNKNOWN_ANSWER),
        (written, undated.to_numpy(), Fault.NOT_A_DATE),
    ]
    found = {"number": pl.Series(numbers), "verdict": verdicts, "asked_for": dates, "code": said}
    good = pl.Series(sound) & verdicts.is_not_null() & ~undated
    return AnswerChunk(answers=pl.DataFrame(found, schema=ANSWER_SCHEMA).filter(good), **account(chunk, faults))


def _dates(rows: pl.DataFrame, places: _Places, asked_for: date | None) -> pl.Series:
    """The date of each row; a row's own comes before the one of all."""
    if places.date is None:
        return pl.Series([asked_for], dtype=pl.Date).new_from_index(0, len(rows))
    day = pl.col(str(places.date)).str.strip_chars().str.split("T").list.first()
    read = [day.str.to_date(form, strict=False, exact=True) for form in _DATES]
    return rows.select(pl.coalesce(read)).to_series()


def _words(form: str) -> dict[str, Any]:
    if form not in _forms():
        raise FixSettings(f"There is no form of results {form!r}.", advice=f"It is one of {', '.join(_forms())}.")
    return _forms()[form]


@cache
def _forms() -> dict[str, dict[str, Any]]:
    text = (resources.files("dialfeed.donotcall") / "data" / "answers.toml").read_text("utf-8")
    return tomllib.loads(text)
