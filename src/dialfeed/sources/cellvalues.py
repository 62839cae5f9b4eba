"""The values of spreadsheet cells as text: as a person typed them, or sees them where that tells more.

A spreadsheet keeps a number apart from how it is shown. A phone number typed into a cell of the format ``0000000``
has lost its leading zeros in the value, and has them on the screen: what is seen is what was meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Final, Literal

_EXACT_DIGITS: Final = 15
"""So many digits a spreadsheet keeps; those behind them become zero (`compliance.md` section 8)."""
SINGLE_EXACT: Final = 2.0**24
"""From here on, a floating-point number of 32 bits does not keep every whole number."""
_LAST_DAY: Final = 2_958_466  # the day after 9999-12-31
_BUILTIN_DATES: Final = frozenset({*range(14, 18), 22, *range(27, 32), *range(50, 55), 57, 58})
_BUILTIN_TIMES: Final = frozenset({*range(18, 22), *range(32, 36), *range(45, 48), 55, 56})
_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's dates have no zone
_EPOCH_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001 - a spreadsheet's dates have no zone

ToText = Callable[[str], str]
"""Makes text of a number as it stands in the file."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How a number format shows a number.

    Attributes:
        kind: As a number, as a date or as a time of day.
        pattern: The section for positive numbers, where zeros or signs are added to the digits; else empty.
    """

    kind: Literal["number", "date", "time"]
    pattern: str = ""


PLAIN: Final = Shown("number")


def shown_by(code: str, number: int | None = None) -> Shown:
    """What a number format does.

    Args:
        code: Its code, for example ``0000000`` or ``yyyy-mm-dd``; empty for a built-in one.
        number: Its number; built-in formats have no code.
    """
    if number in _BUILTIN_DATES:
        return Shown("date")
    if number in _BUILTIN_TIMES:
        return Shown("time")
    first = code.split(";", maxsplit=1)[0]
    bare = _QUOTED.sub("", first)
    if re.search(r"(?i)[dy]|\[\$-", bare) or re.search(r"(?i)m", bare):
        return Shown("date") if re.search(r"(?i)[dy]|^[^hs]*m[^hs]*$", bare) else Shown("time")
    if re.search(r"(?i)\[?[hs]", bare):
        return Shown("time")
    return Shown("number", first) if _adds_digits(first) else PLAIN


_QUOTED: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!\$-|h|m|s)[^\]]*\]|(?i:general)|(?i:AM/PM)|(?i:A/P)')
_TOKEN: Final = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|(?P<place>[0#?])|(?P<skipped>_.|\*.)|(?P<sign>[-+() /.:])'
)


def _adds_digits(section: str) -> bool:
    """Whether a format only adds leading zeros or signs to a whole number."""
    if not re.fullmatch(f"(?:{_TOKEN.pattern.replace('?P<', '?P<_')})+", section.replace("?", "#")):
        return False
    places = [match["place"] for match in _TOKEN.finditer(section) if match["place"]]
    literals = "".join(_literal(match) for match in _TOKEN.finditer(section))
    return "." not in literals and (
        places.count("0") > 1 or (bool(places) and re.search(r"[+0-9]", literals) is not None)
    )


def _literal(match: re.Match[str]) -> str:
    return match["quoted"] or match["escaped"] or match["sign"] or ""


def converter(shown: Shown, *, from_1904: bool = False) -> ToText:
    """What makes text of a number in a cell that is shown so.

    Args:
        shown: What the cell's number format does.
        from_1904: Days are counted from 1904-01-01 on.
    """
    if shown.kind == "number":
        return _filler(shown.pattern) if shown.pattern else plain_number
    epoch = _EPOCH_1904 if from_1904 else _EPOCH
    return lambda raw: _moment(raw, epoch, only_time=shown.kind == "time")


def plain_number(raw: str) -> str:
    """A number without a decimal point where it is whole, and never with an exponent where its digits are all known.

    A number of more than 15 digits has lost those behind them. It is told with an exponent and only the digits that
    are known, so that it cannot be taken for a number to dial.

    Args:
        raw: The number as it stands in the file.
    """
    if _DIGITS.fullmatch(raw):
        digits = raw.lstrip("-")
        if len(digits) <= _EXACT_DIGITS or digits[_EXACT_DIGITS:].strip("0"):
            return raw
    try:
        value = float(raw)
    except ValueError:
        return raw
    text = f"{value:.15g}"
    if "e" not in text:
        return text
    return f"{value:.20f}".rstrip("0") if 0 < abs(value) < 1 and abs(value) > 1e-15 else text.replace("e", "E")


_DIGITS: Final = re.compile(r"-?[1-9][0-9]*|0")


def rounded_number(raw: str, exact_below: float) -> str:
    """A number of a type that keeps few digits: with its exponent where some may be lost, so that nobody dials it.

    Args:
        raw: The number as it was told.
        exact_below: From here on, not every whole number is kept.
    """
    try:
        value = float(raw)
    except ValueError:
        return raw
    return f"{value:.5e}" if abs(value) >= exact_below else plain_number(raw)


def _filler(pattern: str) -> ToText:
    """What puts the digits of a whole number into the places of a format."""
    parts = [(match["place"], _literal(match)) for match in _TOKEN.finditer(pattern)]
    only_zeros = len(pattern) if not pattern.strip("0") else 0

    def fill(raw: str) -> str:
        number = plain_number(raw)
        if not number.isdigit() or len(number) > _EXACT_DIGITS:
            return number
        return number.zfill(only_zeros) if only_zeros else _filled(parts, number)

    return fill


def _filled(parts: Sequence[tuple[str | None, str]], number: str) -> str:
    """Put digits into places from the right; those for which there is none go to the first place."""
    places = sum(place is not None for place, _ in parts)
    left, digits = number[: max(0, len(number) - places)], list(number[max(0, len(number) - places) :])
    out: list[str] = []
    for place, literal in reversed(parts):
        if place is None:
            out.append(literal)
            continue
        places -= 1
        digit = digits.pop() if digits else "0" if place == "0" else ""
        out.append(digit if places else left + digit)
    return "".join(reversed(out)).strip()


def _moment(raw: str, epoch: datetime, *, only_time: bool) -> str:
    """A date, a time or both in ISO form; the number itself where it is no day of the calendar."""
    try:
        days = float(raw)
    except ValueError:
        return raw
    if not 0 <= days < _LAST_DAY:
        return plain_number(raw)
    seconds = round(days * 86_400)
    if only_time and (days < 1 or epoch + timedelta(days=days) < epoch + timedelta(days=400)):
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    shift = 1 if epoch == _EPOCH and days < 60 else 0  # a leap day in 1900 that never was
    moment = epoch + timedelta(seconds=seconds, days=shift)
    return f"{moment:%Y-%m-%d}" if seconds % 86_400 == 0 else f"{moment:%Y-%m-%d %H:%M:%S}"


@cache
def column_index(letters: str) -> int:
    """The position of a column from its letters: A is 0, AA is 26.

    Raises:
        ValueError: They are none.
    """
    if not re.fullmatch("[A-Z]{1,3}", letters):
        raise ValueError
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    return index - 1
