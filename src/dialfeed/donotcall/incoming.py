"""List files as they are taken into the home folder: what was read of them, and what could not be read, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl

from dialfeed.donotcall.changing import Changes, Incoming
from dialfeed.donotcall.facts import Channel, Numbers
from dialfeed.donotcall.intake import BadLine, Piece, Tally
from dialfeed.donotcall.listfiles.answers import AnswerColumns, read_answers
from dialfeed.donotcall.listfiles.base import Fault, ListFormat, Malformed
from dialfeed.donotcall.listfiles.changes import change_layout, read_changes
from dialfeed.donotcall.listfiles.reading import read_list, region_of_authority
from dialfeed.donotcall.listfiles.texts import TextKind, read_texts
from dialfeed.donotcall.regimes import regime_of
from dialfeed.donotcall.results import RESULT_SCHEMA
from dialfeed.errors import FixSettings, FixSource
from dialfeed.files import sha256_of
from dialfeed.moments import moment_of
from dialfeed.sources.files import reasons_of

_FAULTS: Final[dict[Fault, str]] = {
    Fault.NOT_A_NUMBER: "no phone number",
    Fault.AREA_CODE: "no area code",
    Fault.NO_AREA_CODE: "a number outside every area code",
    Fault.NOT_A_TAG: "no tag that is known",
    Fault.NOT_A_ROW: "no row",
    Fault.EMPTY: "an empty cell",
    Fault.UNKNOWN_ANSWER: "an answer that is not known",
    Fault.NOT_A_DATE: "no date",
    Fault.NOT_AN_EMAIL: "no e-mail address",
    Fault.NOT_TEXT: "no text",
}


class PhoneFile:
    """A file of everybody on a list of numbers (`changing.Incoming`); it is hashed as it is read.

    Args:
        path: The file.
        authority: Whose list it is.
        reading: How it is read, by the names of the command line.
    """

    def __init__(self, path: Path, authority: str, reading: Mapping[str, Any]) -> None:
        self.reading = remembered(reading)
        form, column = _format(self.reading.get("format")), self.reading.get("column")
        self._read = read_list(path, form, authority=authority, column=column)

    def pieces(self) -> Iterator[Piece[Numbers]]:
        """Read it, once."""
        for chunk in self._read:
            yield Piece(chunk.numbers, bad_lines(chunk.malformed), chunk.malformed_count)

    @property
    def sha256(self) -> str:
        """Of the file that was read."""
        return self._read.sha256


class _Table:
    """A list file that is hashed before it is read.

    Args:
        path: The file.
        reading: How it is read, by the names of the command line.
    """

    def __init__(self, path: Path, reading: Mapping[str, Any]) -> None:
        self._path = path
        self._how = reading
        self.reading = remembered(reading)
        self._before = _look(path)
        self.sha256 = sha256_of(path)

    def _told(self, name: str) -> str | None:
        told = self._how.get(name)
        return None if told is None else str(told)

    def _unchanged(self) -> None:
        if _look(self._path) != self._before:
            raise FixSource(f"'{self._path}' was changed while it was read.", advice="Try again when it is whole.")


class TextsFile(_Table):
    """A file of e-mail addresses or accounts."""

    def __init__(self, path: Path, kind: TextKind, reading: Mapping[str, Any]) -> None:
        super().__init__(path, reading)
        self._kind = kind

    def pieces(self) -> Iterator[Piece[pl.Series]]:
        """Read it."""
        for chunk in read_texts(self._path, self._kind, column=self._told("column")):
            yield Piece(chunk.values, bad_lines(chunk.malformed), chunk.malformed_count)
        self._unchanged()


class ResultFile(_Table):
    """A file of a register's answers."""

    def __init__(self, path: Path, authority: str, reading: Mapping[str, Any]) -> None:
        super().__init__(path, reading)
        self._authority = authority

    def pieces(self) -> Iterator[Piece[pl.DataFrame]]:
        """Read it."""
        columns = AnswerColumns(
            number=self._told("column"), answer=self._told("answer_column"), date=self._told("date_column")
        )
        form = self._told("format") or regime_of(self._authority).answers
        day = self._told("query_date")
        asked_for = None if day is None else moment_of(day, "--query-date").date()
        region = region_of_authority(self._authority)
        for chunk in read_answers(self._path, form, region=region, columns=columns, asked_for=asked_for):
            answers = chunk.answers.select(RESULT_SCHEMA.names())
            yield Piece(answers, bad_lines(chunk.malformed), chunk.malformed_count)
        self._unchanged()


def list_file(path: Path, authority: str, channel: Channel, reading: Mapping[str, Any]) -> Incoming:
    """A list file, by whose it is and what it holds.

    Args:
        path: The file.
        authority: Whose list it is.
        channel: What it holds.
        reading: `format`, `column`, `answer_column`, `date_column` and `query_date`, where the user tells them.

    Raises:
        FixSource: It cannot be read.
        FixSettings: There is no such authority.
    """
    if regime_of(authority).model == "result":
        return ResultFile(path, authority, reading)
    if channel in {"email", "account"}:
        return TextsFile(path, "email" if channel == "email" else "account", reading)
    return PhoneFile(path, authority, reading)


def remembered(reading: Mapping[str, Any]) -> dict[str, Any]:
    """How the next file of a list is read, unless the user says it anew; a date is of one file only."""
    return {name: value for name, value in reading.items() if value is not None and name != "query_date"}


def _look(path: Path) -> tuple[int, int, int]:
    with reasons_of(str(path)):
        told = path.stat()
    return told.st_ino, told.st_mtime_ns, told.st_size


def read_change_list(path: Path) -> Changes:
    """Read a change list by the layout that it shows.

    Raises:
        FixSource: It cannot be read, has no layout of a change list, or an action that is not known.
    """
    layout = change_layout(path)
    read = read_changes(path, layout)
    tally = Tally()
    tally.count(bad_lines(read.malformed), read.malformed_count)
    until = "" if read.last is None else str(read.last)
    return Changes(read.sha256, read.added, read.removed, str(layout), until, tally)


def bad_lines(malformed: Iterable[Malformed]) -> list[BadLine]:
    """Malformed lines in words that hold none of their digits."""
    return [
        BadLine(f"line {bad.line:,}{f' of {bad.member}' if bad.member else ''}", f"{_FAULTS[bad.fault]} ({bad.shape})")
        for bad in malformed
    ]


def _format(name: str | None) -> ListFormat | None:
    try:
        return None if name is None else ListFormat(name)
    except ValueError:
        known = ", ".join(ListFormat)
        raise FixSettings(f"There is no list format {name!r}.", advice=f"It is one of {known}.") from None
