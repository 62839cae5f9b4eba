"""How long something is kept, as people write it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

_DAYS: Final = {"d": 1, "w": 7, "m": 30, "y": 365}
_SPAN: Final = re.compile(r"(\d{1,5})\s*([dwmy])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """How long something is kept.

    Attributes:
        days: In days; None for ever.
    """

    days: int | None

    @property
    def length(self) -> timedelta | None:
        """The same, to reckon with."""
        return None if self.days is None else timedelta(days=self.days)

    def __str__(self) -> str:
        return "forever" if self.days is None else f"{self.days}d"


def read_span(value: Any) -> Span:
    """`30d`, `12w`, `6m` (of 30 days), `5y` (of 365 days), or `forever`.

    Raises:
        ValueError: It is none of these.
    """
    text = str(value).strip().lower()
    found = _SPAN.fullmatch(text)
    if text == "forever":
        return Span(None)
    if found is None:
        raise ValueError("a number of days, weeks, months or years (30d, 12w, 6m, 5y), or `forever`, is expected")
    return Span(int(found[1]) * _DAYS[found[2]])
