"""What the library's ``parse`` does with a written number, step by step, over columns.

International prefix, calling code, national prefix and carrier codes go, as they do there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import phonenumbers
import polars as pl
from phonenumbers.phonemetadata import PhoneMetadata

from dialfeed.contacts.numbering.automaton import Automaton, UnsupportedPatternError
from dialfeed.contacts.numbering.plans import general_of, metadata_of


@dataclass(frozen=True, slots=True)
class Dialling:
    """How numbers are written in one region; the patterns are anchored and use ASCII digits only.

    Attributes:
        code: The calling code.
        abroad: The international prefixes (IDD), and what follows them as the only group.
        prefix: The national prefix and carrier codes, or None.
        groups: How many groups ``prefix`` captures.
        rewrite: What replaces the prefix where its last group took part, or None.
        general: What every national number matches.
        lengths: The possible lengths of a national number.
        local_lengths: The lengths that lack an area code.
    """

    code: str
    abroad: str
    prefix: str | None
    groups: int
    rewrite: str | None
    general: str
    lengths: tuple[int, ...]
    local_lengths: tuple[int, ...]

    def too_long(self, digits: pl.Series) -> pl.Series:
        """Whether numbers have more digits than any of the region."""
        sizes = digits.str.len_bytes()
        return (sizes > self.lengths[-1]) & ~sizes.is_in(self.local_lengths)

    def complete(self, digits: pl.Series) -> pl.Series:
        """Whether numbers are long enough for what was stripped to have been a prefix."""
        return digits.str.len_bytes().is_in(self.lengths) | self.too_long(digits)


def _ascii(pattern: str) -> str:
    """A pattern for columns, where a bare digit sign would mean the digits of every script."""
    Automaton().add(pattern.replace("$", ""))  # raises where the pattern is of a kind not known here
    return pattern.replace("\\d", "[0-9]")


@cache
def dialling_of(calling_code: int, region: str) -> Dialling | None:
    """How numbers are written in a region; None where the metadata say it in a way not known here."""
    try:
        return _read_dialling(calling_code, metadata_of(calling_code, region))
    except UnsupportedPatternError:
        return None


def _read_dialling(calling_code: int, plan: PhoneMetadata) -> Dialling:
    general = general_of(plan)
    prefix = plan.national_prefix_for_parsing
    rewrite = plan.national_prefix_transform_rule
    abroad = _ascii(plan.international_prefix) if plan.international_prefix else _NEVER
    return Dialling(
        code=str(calling_code),
        abroad=f"^(?:{abroad})([0-9]*)$",
        prefix=f"^(?:{_ascii(prefix)})" if prefix else None,
        groups=re.compile(prefix).groups if prefix else 0,
        rewrite=re.sub(r"\\([0-9])", r"${\1}", rewrite) if rewrite else None,
        general=f"^(?:{_ascii(general.national_number_pattern or '')})$",
        lengths=tuple(general.possible_length),
        local_lengths=tuple(general.possible_length_local_only),
    )


_NEVER: Final = "[^0-9]"  # a pattern that no digits match


def main_dialling(calling_code: int) -> Dialling | None:
    """How numbers are dialled in the main region of a calling code; None where only the library can say."""
    return dialling_of(calling_code, phonenumbers.region_code_for_country_code(calling_code))


def _strip_prefix(digits: pl.Series, dialling: Dialling) -> pl.Series:
    """Take away the national prefix and carrier code, unless that turns a possible number into an impossible one."""
    if dialling.prefix is None:
        return digits
    stripped = _without_prefix(digits, dialling.prefix, dialling.groups, dialling.rewrite)
    spoilt = (stripped != digits) & ~stripped.str.contains(dialling.general)
    if spoilt.any():
        spoilt &= digits.str.contains(dialling.general)
        return digits.zip_with(spoilt, stripped)
    return stripped


def _without_prefix(digits: pl.Series, prefix: str, groups: int, rewrite: str | None) -> pl.Series:
    stripped = digits.str.replace(prefix, "")
    if rewrite is None:
        return stripped
    rewritten = digits.str.replace(prefix, rewrite)
    return rewritten.zip_with(digits.str.extract(prefix, groups).is_not_null(), stripped)


class _Dialled(NamedTuple):
    """Numbers as dialled in one region, turned into international digits.

    Attributes:
        digits: The international digits.
        abroad: Whether an international prefix came first, so that a national prefix may still follow.
        unknown: Whether a plus stood before digits that are no calling code, and nothing else explains them.
    """

    digits: pl.Series
    abroad: pl.Series
    unknown: pl.Series


def dial(digits: pl.Series, plus: pl.Series, dialling: Dialling) -> _Dialled:
    """What the library makes of digits without a usable plus, in a region.

    Args:
        digits: ASCII digits, two or more, no plus.
        plus: Whether there was a plus with no calling code behind it; the library then tries without.
        dialling: The region's ways.
    """
    abroad = digits.str.extract(dialling.abroad)
    is_abroad = abroad.is_not_null() & ~abroad.fill_null("0").str.starts_with("0")
    own = ~is_abroad & digits.str.starts_with(dialling.code)
    national = digits
    if own.any():
        own, national = _without_own_code(digits, own, dialling)
    unknown = plus & ~is_abroad & ~own
    return _Dialled(abroad.zip_with(is_abroad, _national(national, own, dialling)), is_abroad, unknown)


def _without_own_code(digits: pl.Series, own: pl.Series, dialling: Dialling) -> tuple[pl.Series, pl.Series]:
    """Take away the region's own calling code where that makes a better number: where, and what is left."""
    rest = _strip_prefix(digits.str.slice(len(dialling.code)), dialling)
    better = ~digits.str.contains(dialling.general) & rest.str.contains(dialling.general)
    own &= better | dialling.too_long(digits)
    return own, rest.zip_with(own, digits)


def _national(digits: pl.Series, own: pl.Series, dialling: Dialling) -> pl.Series:
    """International digits of national ones; behind the own calling code, the rules are those of its main region."""
    stripped = strip_possible(digits, dialling)
    main = main_dialling(int(dialling.code))
    if main is not None and own.any():
        stripped = strip_possible(digits, main).zip_with(own, stripped)
    return dialling.code + stripped


def strip_possible(digits: pl.Series, dialling: Dialling) -> pl.Series:
    """Digits without the national prefix, where what is left is a complete number."""
    stripped = _strip_prefix(digits, dialling)
    return stripped.zip_with(dialling.complete(stripped), digits)
