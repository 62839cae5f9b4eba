"""A few rows for each reason, for people who look into a report: row numbers, fields, and of a phone what may be shown.

A log or a message shows at most the country code and the last two digits (`compliance.md` section 5); so does a
report. All else about a row is in the row files, which only their owner can read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from dialfeed.contacts.reasons import BY_CODE
from dialfeed.reports.people import read_records

MOST: Final = 3
"""Examples of a reason, at most."""

LOOKED_AT: Final = 20_000
"""Rows of a file that are looked through, at most; a reason that only comes later has no example."""

FILES: Final = {
    "rejected.csv": "invalid",
    "suppressed.csv": "suppressed",
    "refused.csv": "refused",
    "failed.csv": "failed",
    "unknown.csv": "unknown",
    "duplicates.csv": "duplicate",
}
"""Row files, and the bucket of the rows in each."""

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
    found: dict[str, list[Example]] = {}
    for name, bucket in FILES.items():
        missing = {
            code: left
            for code, count in counts.items()
            if _may_be_in(bucket, code) and (left := min(count, MOST) - len(found.get(code, ()))) > 0
        }
        for code, example in _told_in(folder / name, fields.get("phone", ""), missing):
            found.setdefault(code, []).append(example)
    return found


def _may_be_in(bucket: str, code: str) -> bool:
    """Whether a row of this bucket may have the reason; one that this version does not know may be anywhere."""
    return code not in BY_CODE or BY_CODE[code].bucket == bucket


def _told_in(path: Path, phone: str, missing: dict[str, int]) -> Iterator[tuple[str, Example]]:
    """Rows of a row file for the reasons that lack some; `missing` is counted down."""
    if not missing or not path.is_file():
        return
    with closing(read_records(path)) as lines:
        header = next(lines, [])
        places = {name: header.index(name) for name in (*_OURS, phone) if name in header}
        for cells in islice(lines, LOOKED_AT):
            yield from _told({name: cells[place] for name, place in places.items()}, phone, missing)
            if not missing:
                return


_OURS: Final = ("_row", "_field", "_code", "_survivor_row")


def _told(cells: Mapping[str, str], phone: str, missing: dict[str, int]) -> Iterator[tuple[str, Example]]:
    codes, fields = cells["_code"].split("; "), cells.get("_field", "").split("; ")
    survivor = int(cells["_survivor_row"]) if "_survivor_row" in cells else None
    for code, field in zip(codes, fields if len(fields) == len(codes) else [""] * len(codes), strict=True):
        if code not in missing:
            continue
        shown = masked(cells.get(phone, "")) if field == "phone" else ""
        yield code, Example(int(cells["_row"]), field, shown, survivor)
        missing[code] -= 1
        if not missing[code]:
            del missing[code]
