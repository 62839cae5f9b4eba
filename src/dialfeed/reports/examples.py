"""A few rows for each reason, for people who look into a report: row numbers, fields, and of a phone what may be shown.

A log or a message shows at most the country code and the last two digits (`compliance.md` section 5); so does a
report. All else about a row is in the row files, which only their owner can read.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

MOST: Final = 3
"""Examples of a reason, at most."""

REASONED_FILES: Final = ("rejected.csv", "suppressed.csv", "refused.csv", "failed.csv", "unknown.csv")

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


def examples(folder: Path, fields: Mapping[str, str]) -> dict[str, list[Example]]:
    """A few rows for each reason, from the row files that are there.

    Args:
        folder: The run's folder.
        fields: Contact fields with the columns they were read from.
    """
    found: dict[str, list[Example]] = defaultdict(list)
    for code, example in (*_reasoned(folder, fields), *_duplicates(folder)):
        if len(found[code]) < MOST:
            found[code].append(example)
    return dict(found)


def _reasoned(folder: Path, fields: Mapping[str, str]) -> Iterator[tuple[str, Example]]:
    for name in REASONED_FILES:
        for row, names, codes, phone in _first_rows(folder / name, fields.get("phone")):
            yield from _told(row, names or "", codes or "", phone or "")


def _told(row: int, names: str, codes: str, phone: str) -> Iterator[tuple[str, Example]]:
    of, fields = codes.split("; "), names.split("; ")
    for code, field in zip(of, fields if len(fields) == len(of) else [""] * len(of), strict=True):
        yield code, Example(row, field, masked(phone) if field == "phone" else "")


def _first_rows(path: Path, phone: str | None) -> Iterable[tuple[int, str | None, str | None, str | None]]:
    """The first rows of each combination of reasons, in row order."""
    if not path.is_file() or path.stat().st_size == 0:
        return []
    lines = pl.scan_csv(path, infer_schema=False)
    columns = lines.collect_schema().names()
    cell = pl.col(phone) if phone in columns else pl.lit(None, dtype=pl.String)
    wanted = lines.select(pl.col("_row").cast(pl.Int64), "_field", "_code", phone=cell)
    some = wanted.group_by("_field", "_code").agg(pl.all().head(MOST)).explode("_row", "phone")
    return some.select("_row", "_field", "_code", "phone").sort("_row").collect(engine="streaming").iter_rows()


def _duplicates(folder: Path) -> Iterator[tuple[str, Example]]:
    path = folder / "duplicates.csv"
    if not path.is_file() or path.stat().st_size == 0:
        return
    rows = pl.scan_csv(path, infer_schema=False).select("_code", pl.col("_row", "_survivor_row").cast(pl.Int64))
    for code, row, survivor in rows.head(MOST).collect().iter_rows():
        yield code, Example(row, survivor=survivor)
