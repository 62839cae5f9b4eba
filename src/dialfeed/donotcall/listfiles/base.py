"""What comes out of a list file: numbers, and the lines that are none.

A malformed line in a suppression list is a number that will be called (`compliance.md` section 0, item 6): each one is
counted, and the first are shown, by line and shape, without the digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np

from dialfeed.donotcall.blocks import Numbers

MOST_SHOWN: Final = 100
"""So many malformed lines are described; all are counted."""
_SHAPE_LENGTH: Final = 32


class ListFormat(StrEnum):
    """How a list of phone numbers is written."""

    AREA_TEXT = "area-text"
    """US and Canadian full lists: one ``AAA,NNNNNNN`` or ``AAANNNNNNN`` a line (`compliance.md` 1.2)."""
    AREA_XML = "area-xml"
    """The same as tagged text (`compliance.md` 1.2)."""
    PLAIN = "plain"
    """One number a line, in international form or in that of the authority's country."""
    TABLE = "table"
    """A column of a table: CSV, a workbook or whatever else a source can be."""


class Fault(StrEnum):
    """What is wrong with a malformed line."""

    NOT_A_NUMBER = "not_a_number"
    """It is no phone number in a form that is known here."""
    AREA_CODE = "no_such_area_code"
    """The area code begins with 0 or 1."""
    NO_AREA_CODE = "no_area_code"
    """A number outside every area code."""
    NOT_A_TAG = "not_a_tag"
    """Text between tags, a tag that is not known, or one that does not end."""
    NOT_A_ROW = "not_a_row"
    """The row cannot be cut into cells."""
    EMPTY = "empty"
    """There is nothing in the cell."""
    UNKNOWN_ANSWER = "unknown_answer"
    """An answer that the register is not known to give."""
    NOT_A_DATE = "not_a_date"
    """No date where one has to be."""
    NOT_AN_EMAIL = "not_an_email"
    """It is no e-mail address."""
    NOT_TEXT = "not_text"
    """Bytes that mean nothing in UTF-8."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A line that is no entry.

    Attributes:
        line: Its number in the file, from 1.
        fault: What is wrong with it.
        shape: What it looks like: digits are 9, letters A.
        member: The file in an archive that it is in; empty where there is only one.
    """

    line: int
    fault: Fault
    shape: str
    member: str = ""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Accounted:
    """A part of a list, with every line accounted for.

    Attributes:
        lines: How many lines there were that are not blank: entries and malformed ones.
        malformed: Some of those that are no entries.
        malformed_count: How many there are of them.
    """

    lines: int
    malformed: list[Malformed] = field(default_factory=list)
    malformed_count: int = 0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ListChunk(Accounted):
    """A part of a list of phone numbers.

    Attributes:
        numbers: E.164 numbers as integers, in file order.
    """

    numbers: Numbers


@dataclass(slots=True)
class Totals:
    """What was counted so far.

    Attributes:
        lines: Lines that are not blank.
        records: Numbers, with repetitions.
        malformed: Lines that are neither.
        shown: The first malformed ones.
        blocks: The blocks (``number // 10**7``) of the numbers.
    """

    lines: int = 0
    records: int = 0
    malformed: int = 0
    shown: list[Malformed] = field(default_factory=list)
    blocks: set[int] = field(default_factory=set)

    def add(self, chunk: ListChunk) -> None:
        """Count a chunk."""
        self.lines += chunk.lines
        self.records += len(chunk.numbers)
        self.malformed += chunk.malformed_count
        self.shown += chunk.malformed[: MOST_SHOWN - len(self.shown)]
        blocks = chunk.numbers // np.uint64(10**7)
        edges = np.flatnonzero(blocks[1:] != blocks[:-1])
        self.blocks.update(blocks[edges].tolist(), blocks[-1:].tolist())


def shape(text: bytes | str) -> str:
    """What a line looks like, without what it says."""
    line = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    cut = line[: _SHAPE_LENGTH + 1]
    letters = "".join("A" if letter.isalpha() else letter if letter.isprintable() else "?" for letter in cut)
    told = re.sub(r"\d", "9", letters)
    return told if len(told) <= _SHAPE_LENGTH else told[:_SHAPE_LENGTH] + "…"


def describe(rows: Iterable[tuple[int, Fault, bytes | str]], member: str = "") -> list[Malformed]:
    """Describe malformed lines, given as line number, fault and text."""
    return [Malformed(line, fault, shape(text), member) for line, fault, text in rows]
