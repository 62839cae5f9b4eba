"""The verdict on a whole column."""

from __future__ import annotations

import numpy as np
import phonenumbers
import polars as pl
from numpy.typing import NDArray

from dialfeed.contacts.numbering.dialling import Dialling, dial, dialling_of, main_dialling, strip_possible
from dialfeed.contacts.numbering.library import resolve_slowly
from dialfeed.contacts.numbering.tables import calling_code_of, world
from dialfeed.contacts.numbering.verdicts import (
    ASK,
    HOPELESS,
    MOST_DIGITS,
    NO_COUNTRY,
    PREFIXED,
    TOO_LONG,
    TOO_SHORT,
    UNKNOWN_COUNTRY_CODE,
    Integers,
    Resolved,
    Rows,
)


def resolve(texts: pl.Series, regions: pl.Series) -> Resolved:
    """Judge written numbers as libphonenumber does.

    Args:
        texts: ASCII digits, with or without one plus in front; no nulls.
        regions: The region that each number is dialled in (ISO 3166-1 alpha-2, upper case), or null.

    Returns:
        One verdict a row.
    """
    digits = texts.str.strip_prefix("+")
    plus = texts.str.starts_with("+").to_numpy()
    sizes = digits.str.len_bytes().to_numpy()
    result = Resolved(np.zeros(len(texts), np.uint64), np.full(len(texts), NO_COUNTRY, np.uint32))
    _resolve_abroad(result, np.flatnonzero(plus), digits.filter(pl.Series(plus)))
    home = ~plus | (result.verdicts() == UNKNOWN_COUNTRY_CODE)
    _resolve_home(result, pl.DataFrame({"digits": digits, "plus": plus, "region": regions}), home)
    result.classes[sizes > MOST_DIGITS] = ASK
    result.classes[sizes > HOPELESS] = TOO_LONG
    result.classes[sizes < np.where(plus, 3, 2)] = TOO_SHORT
    asked = np.flatnonzero(result.verdicts() == ASK)
    if asked.size:
        resolve_slowly(result, asked, texts, regions)
    return result


def resolve_international(numbers: Integers) -> Resolved:
    """Judge numbers in international form, given as integers of at most 19 digits."""
    classes = world().classify(numbers)
    prefixed = np.flatnonzero(classes & np.uint32(PREFIXED))
    if not prefixed.size:
        return Resolved(numbers, classes)
    result = Resolved(numbers.copy(), classes)
    _resolve_prefixed(result, prefixed)
    return result


def _resolve_abroad(result: Resolved, where: Rows, digits: pl.Series) -> None:
    """Settle rows in international form; digits that begin with 0 have no calling code."""
    if where.size:
        found = resolve_international(_integers(digits))
        result.numbers[where] = found.numbers
        result.classes[where] = np.where(digits.str.starts_with("0").to_numpy(), UNKNOWN_COUNTRY_CODE, found.classes)


def _resolve_prefixed(result: Resolved, where: Rows) -> None:
    """Settle international numbers with something to strip behind the calling code, such as +44 (0)20."""
    digits = pl.Series(result.numbers[where], dtype=pl.UInt64).cast(pl.String)
    starts = digits.str.slice(0, 3)
    codes = starts.replace_strict({start: calling_code_of(start) for start in starts.unique()}, return_dtype=pl.Int64)
    groups = pl.DataFrame({"row": where, "digits": digits, "code": codes}).partition_by("code", as_dict=True)
    for (code,), group in groups.items():
        rows, dialling = group["row"].to_numpy(), main_dialling(code)
        if dialling is None:
            result.classes[rows] = ASK
        else:
            national = strip_possible(group["digits"].str.slice(len(dialling.code)), dialling)
            _settle(result, rows, dialling.code + national)


def _resolve_home(result: Resolved, rows: pl.DataFrame, home: NDArray[np.bool_]) -> None:
    """Settle the rows that need a region, region by region (columns ``digits``, ``plus``, ``region``)."""
    known = pl.Series(home) & rows["region"].is_in(phonenumbers.SUPPORTED_REGIONS)
    if not known.any():
        return
    groups = rows.with_row_index("row").filter(known).partition_by("region", as_dict=True)
    for (region,), group in groups.items():
        dialling = dialling_of(phonenumbers.country_code_for_region(region), region)
        if dialling is None:
            result.classes[group["row"].to_numpy()] = ASK
        else:
            _resolve_region(result, group, dialling)


def _resolve_region(result: Resolved, group: pl.DataFrame, dialling: Dialling) -> None:
    where = group["row"].to_numpy()
    dialled = dial(group["digits"], group["plus"], dialling)
    _settle(result, where[~dialled.abroad.to_numpy()], dialled.digits.filter(~dialled.abroad))
    _resolve_abroad(result, where[dialled.abroad.to_numpy()], dialled.digits.filter(dialled.abroad))
    result.classes[where[dialled.unknown.to_numpy()]] = UNKNOWN_COUNTRY_CODE


def _settle(result: Resolved, where: Rows, digits: pl.Series) -> None:
    """Enter the verdict on international digits from which nothing is to be stripped any more."""
    numbers = _integers(digits)
    classes = world().classify(numbers) & np.uint32(PREFIXED - 1)
    result.numbers[where] = numbers
    result.classes[where] = np.where(digits.str.len_bytes().to_numpy() > MOST_DIGITS, ASK, classes)


def _integers(digits: pl.Series) -> Integers:
    """Digits as integers; what does not fit is 0 (its length tells)."""
    return digits.cast(pl.UInt64, strict=False).fill_null(0).to_numpy()
