"""A few rows for each reason, for people who look into a report: row numbers, fields, and of a phone what may be shown.

A log or a message shows at most the country code and the last two digits (`compliance.md` section 5); so does a
report. All else about a row is in the row files, which only their owner can read.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from dialfeed.reports.people import read_records

MOST: Final = 3
"""Examples of a reason, at most."""

LOOKED_AT: Final = 20_000
"""Rows of a file that are looked through, at most; a reason that only comes later has no example."""

FILES: Final = ("rejected.csv", "suppressed.csv", "refused.csv", "failed.csv", "unknown.csv", "duplicates.csv")

_SHOWN_FROM: Final = 7
"""Digits that a number must have for two of them to be shown."""

_PHONE_LIKE: Final = re.compile(r"""['="]*[\s()+]*\d[\d\s().\-]*["]?""")


@dataclass(frozen=True, slots=True)
class Example:
    """One row.

    Attributes:
        row: Its number in the source.
        field: The field that the reason is about; empty for the whole row.
        shown: What may be shown of its phone; empty for other fields.
        survivor: For a duplicate, the row that stays.
    """

    row: int
    field: str = ""
    shown: str = ""
    survivor: int | None = None


def masked(cell: str) -> str:
    """What may be shown of a phone as it was written: country code and last two digits, or nothing."""
    digits = re.sub(r"\D", "", cell)
    if len(digits) < _SHOWN_FROM or not _PHONE_LIKE.fullmatch(cell):
        return ""
    return f"{_country_code(cell, digits)}… {digits[-2:]}"


def _country_code(cell: str, digits: str) -> str:
    if not cell.lstrip("'= \"").startswith("+"):
        return ""
    code = next((digits[:size] for size in (1, 2, 3) if int(digits[:size]) in COUNTRY_CODE_TO_REGION_CODE), "")
    return f"+{code} " if code else ""


def examples(folder: Path, fields: Mapping[str, str], counts: Mapping[str, int]) -> dict[str, list[Example]]:
    """A few rows for each reason, from the row files that are there; read no further than needed.

    Args:
        folder: The run's folder.
        fields: Contact fields with the columns they were read from.
        counts: How many rows there are for each reason.
    """
    found: dict[str, list[Example]] = defaultdict(list)
    missing = sum(min(count, MOST) for count in counts.values())
    for name in FILES:
        for code, example in _told_in(folder / name, fields.get("phone", "")):
            if len(found[code]) < MOST and missing:
                found[code].append(example)
                missing -= 1
            if not missing:
                return dict(found)
    return dict(found)


def _told_in(path: Path, phone: str) -> Iterator[tuple[str, Example]]:
    """The reasons in a row file, with their rows."""
    if not path.is_file():
        return
    with closing(read_records(path)) as lines:
        header = next(lines, [])
        places = {name: header.index(name) for name in (*_OURS, phone) if name in header}
        for cells in islice(lines, LOOKED_AT):
            yield from _told({name: cells[place] for name, place in places.items()}, phone)


_OURS: Final = ("_row", "_field", "_code", "_survivor_row")


def _told(cells: Mapping[str, str], phone: str) -> Iterator[tuple[str, Example]]:
    codes, fields = cells["_code"].split("; "), cells.get("_field", "").split("; ")
    survivor = int(cells["_survivor_row"]) if "_survivor_row" in cells else None
    for code, field in zip(codes, fields if len(fields) == len(codes) else [""] * len(codes), strict=True):
        shown = masked(cells.get(phone, "")) if field == "phone" else ""
        yield code, Example(int(cells["_row"]), field, shown, survivor)
