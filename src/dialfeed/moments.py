"""Moments: the time now, how it is written down, and what people write: a date, or a date and a time with its zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from dialfeed.errors import FixSettings

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SPAN: Final = re.compile(r"([0-9]+)\s*([dh])", re.IGNORECASE)
_UNITS: Final = {"d": timedelta(days=1), "h": timedelta(hours=1)}


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """A time in UTC, ISO 8601, to the second."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def timestamp(moment: datetime) -> str:
    """A time in UTC as it stands in a trail or a log: ISO 8601, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_of(text: str, name: str) -> datetime:
    """A moment, in the zone that is written.

    A date alone stands for its beginning in UTC, which makes a list older rather than younger.

    Args:
        text: ISO 8601: `2026-11-20`, or `2026-11-20T08:00+01:00`.
        name: What it is called in the sentence for the user.

    Raises:
        FixSettings: It is no date, or a time without a zone.
    """
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise FixSettings(f"{name} is no date.", advice="Write 2026-11-20, or 2026-11-20T08:00+01:00.") from None
    if moment.tzinfo is None:
        if not is_date(text):
            raise FixSettings(
                f"{name} has a time without its zone.", advice="Write 2026-11-20T08:00+01:00, or end on Z."
            )
        moment = moment.replace(tzinfo=UTC)
    return moment


def is_date(text: str) -> bool:
    """Whether it is a date without a time."""
    return _DATE.fullmatch(text.strip()) is not None


def end_of(text: str, name: str) -> datetime:
    """As `moment_of`, but a date alone stands for its end, wherever on Earth that is latest.

    Raises:
        FixSettings: It is no date, or a time without a zone.
    """
    moment = moment_of(text, name)
    return moment + timedelta(days=1, hours=12) if is_date(text) else moment


def span_of(text: str, name: str) -> timedelta:
    """A span of time: `31d`, `36h`, or a number of days.

    Raises:
        FixSettings: It is none.
    """
    found = _SPAN.fullmatch(text.strip() if not text.strip().isdecimal() else f"{text.strip()}d")
    if not found or len(found[1]) > 5:
        raise FixSettings(f"{name} is no span of time.", advice="Write 31d for days or 36h for hours.")
    return int(found[1]) * _UNITS[found[2].lower()]
