"""What a JSON record says: its fields as text, exactly as they were typed, or why it is none."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from dialfeed.sources.tables import Malformed

Fields = tuple[tuple[str, str | None], ...]
Found = Fields | Malformed | None
"""The fields of a record, or why it has none; None for a blank line."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive records.

    Attributes:
        rows: The ordinary ones in columns: `ROW`, and a String column for each field, named ``"0"``, ``"1"``, ….
        others: The others with their numbers, in order.
    """

    rows: pl.DataFrame
    others: list[tuple[int, Found]] = field(default_factory=list)

    def __len__(self) -> int:
        return self.rows.height + len(self.others)


class _BadConstantError(ValueError):
    """NaN or Infinity, which JSON does not have."""


def _no_constant(_: str) -> str:
    raise _BadConstantError


DECODER: Final = json.JSONDecoder(
    object_pairs_hook=tuple, parse_int=str, parse_float=str, parse_constant=_no_constant, strict=False
)
"""Keeps numbers as they were typed, and fields that come twice."""


def fields_of_text(raw: str, number: int) -> Fields | Malformed:
    """The fields of a text that is to be one record.

    Args:
        raw: The text.
        number: The number of the record.
    """
    try:
        return fields_of(raw, number, DECODER.decode(raw))
    except (ValueError, RecursionError):
        return Malformed(number, "row.not_an_object", raw)


def fields_of(raw: str, number: int, pairs: Any) -> Fields | Malformed:
    """The fields of one record that `DECODER` has decoded, as text."""
    if not isinstance(pairs, tuple):
        return Malformed(number, "row.not_an_object", raw)
    if len({name for name, _ in pairs}) < len(pairs):
        return Malformed(number, "row.repeated_field", raw)
    if any(isinstance(value, tuple | list) for _, value in pairs):
        return Malformed(number, "row.nested", raw)
    fields = tuple((name, _text(value)) for name, value in pairs)
    return fields if _encodable(raw, fields) else Malformed(number, "row.not_an_object", raw)


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else ("true" if value else "false")


def _encodable(raw: str, fields: Fields) -> bool:
    r"""Whether the text is free of half characters, which only an escape like ``\ud800`` can bring in."""
    if "\\u" not in raw:
        return True
    try:
        "".join(f"{name}{cell}" for name, cell in fields).encode()
    except UnicodeEncodeError:
        return False
    return True
