"""One number a line, or a column of them: in international form, or in that of the authority's country.

A number is read as that of a contact is read (`dialfeed.contacts.phone`), so that the two meet. What the numbering plan
does not know is kept as it is written: it may be a range that was opened yesterday, and a contact with a number that
the plan does not know is never called anyway. What could be two numbers is malformed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

import numpy as np
import phonenumbers
import polars as pl

from dialfeed.contacts.numbering import VALID, resolve_international
from dialfeed.contacts.phone import normalise_phones
from dialfeed.donotcall.blocks import Numbers
from dialfeed.donotcall.listfiles.base import MOST_SHOWN, Fault, ListChunk, describe
from dialfeed.donotcall.listfiles.lines import Lines, Mask, integers, lines_of

_PLUS: Final = ord("+")
_ZERO: Final = ord("0")
AMERICAN: Final = frozenset(phonenumbers.region_codes_for_country_code(1))
"""The countries that share +1."""
_KEPT: Final = ("phone.invalid", "phone.service_code")
"""Rejections of a number that can be read without doubt, and is merely not in the plan."""


def plain_text(blocks: Iterable[bytes], name: str, region: str | None, member: str = "") -> Iterator[ListChunk]:
    """Read one number a line.

    Args:
        blocks: The text.
        name: The file as the user named it.
        region: The country (ISO 3166-1 alpha-2) of numbers in national form; None where there are none.
        member: The file in an archive.

    Raises:
        FixSource: A line is so long that this is no list.
    """
    for lines in lines_of(blocks, name):
        yield _chunk(lines, region, member)


def numbers_of(values: pl.Series, region: str | None) -> tuple[Numbers, Mask]:
    """Read a column of numbers.

    Args:
        values: The cells; null or blank is no number.
        region: As in `plain_text`.

    Returns:
        The numbers, and where they could be read.
    """
    cells = values.str.strip_chars()
    regions = pl.Series([region], dtype=pl.String).new_from_index(0, len(values))
    read = normalise_phones(cells, regions, details=False)
    texts = read["e164"]
    doubtful = read["code"].is_in(_KEPT)
    if doubtful.any():
        kept = cells.filter(doubtful).map_elements(lambda cell: _as_written(cell, region), return_dtype=pl.String)
        texts = texts.scatter(doubtful.arg_true(), kept)
    numbers = texts.str.strip_prefix("+").cast(pl.UInt64, strict=False)
    return numbers.fill_null(0).to_numpy(), numbers.is_not_null().to_numpy()


@lru_cache(maxsize=1 << 12)
def _as_written(cell: str, region: str | None) -> str | None:
    """A number that the plan does not know, if it has a length that its country knows."""
    try:
        number = phonenumbers.parse(cell, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _chunk(lines: Lines, region: str | None, member: str) -> ListChunk:
    blank = lines.sizes == 0
    numbers, sound = _bare(lines, region)
    rest = np.flatnonzero(~sound & ~blank)
    if rest.size:
        cells = pl.Series([lines.line(row).decode("utf-8", "replace") for row in rest.tolist()], dtype=pl.String)
        numbers[rest], sound[rest] = numbers_of(cells, region)
    faulty = np.flatnonzero(~sound & ~blank)
    shown = [(lines.first + row, Fault.NOT_A_NUMBER, lines.line(row)) for row in faulty[:MOST_SHOWN].tolist()]
    kept = numbers if sound.all() else numbers[sound]
    return ListChunk(
        numbers=kept,
        lines=len(lines) - int(blank.sum()),
        malformed=describe(shown, member),
        malformed_count=len(faulty),
    )


def _bare(lines: Lines, region: str | None) -> tuple[Numbers, Mask]:
    """Read what is nothing but a valid number in international form, or ten digits in North America."""
    plus = lines.at(0) == _PLUS
    numbers, sound = integers(lines.text, lines.starts + plus, lines.ends)
    sound &= ~plus | (lines.at(1) != _ZERO)  # no calling code begins so
    american = sound & ~plus & (lines.sizes == 10) & (numbers >= 2 * 10**9) if region in AMERICAN else False
    numbers = np.where(american, numbers + np.uint64(10**10), numbers)
    abroad = np.flatnonzero(sound & plus & (numbers >= 10**6) & (numbers < 10**15))
    found = resolve_international(numbers[abroad])
    valid = found.verdicts() == VALID
    numbers[abroad] = found.numbers
    sound = np.zeros(len(lines), bool) | american
    sound[abroad[valid]] = True
    return numbers, sound
