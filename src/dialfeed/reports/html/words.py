"""Numbers, spans and times as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dialfeed.contacts.reasons import BY_CODE
from dialfeed.reports.timeline import elapsed


def number(value: float | None) -> str:
    """A count."""
    return "not told" if value is None else f"{value:,}"


def percent(share: float) -> str:
    """A share: never 0 % of something, nor 100 % of not all."""
    if share in {0, 1}:
        return f"{share * 100:.0f} %"
    if share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{share * 100:.1f} %"


def span(seconds: float | None) -> str:
    """A span of time."""
    if seconds is None:
        return "not told"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else elapsed(seconds)


def moment(time: Any) -> str:
    """A time in UTC: of a `datetime`, or of its ISO 8601 form."""
    if hasattr(time, "strftime"):
        return f"{time:%Y-%m-%d %H:%M:%S} UTC"
    text = str(time).replace("T", " ").removesuffix("Z").removesuffix("+00:00")
    return f"{text.split('.')[0]} UTC" if ":" in text else text


def unit(value: float | None, kind: str) -> str:
    """A value of a comparison."""
    if value is None:
        return "not told"
    return span(value) if kind == "seconds" else f"{value:,.0f}"


def change(value: float | None, kind: str) -> str:
    """How much more or less there is; a minus is a minus sign."""
    if value is None:
        return ""
    sign = "+" if value > 0 else "\u2212" if value < 0 else "±"
    return f"{sign}{unit(abs(value), kind)}" if value else "same"


def title_of(code: str) -> str:
    """The title of a reason."""
    return BY_CODE[code].title if code in BY_CODE else code


def plain(value: Any) -> str:
    """A JSON value in words."""
    if value is None:
        return "not told"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.6g}"
    if isinstance(value, Mapping):
        return "; ".join(f"{words(name)}: {plain(each)}" for name, each in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value)) or "none"
    return str(value)


def words(name: str) -> str:
    """A name of a JSON value as people write it."""
    return name.replace("_", " ").replace("sha256", "SHA-256")


def facts(told: Mapping[str, Any], *, without: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Names and values for a table of facts; what is empty is left out."""
    return [(words(name), plain(value)) for name, value in told.items() if name not in without and value not in EMPTY]


EMPTY: Final[tuple[Any, ...]] = (None, "", [], {}, ())
