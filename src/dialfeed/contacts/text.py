"""Text as people paste it, made into text as they meant it: invisible characters out, one Unicode form.

Spreadsheets, web pages and phones leave no-break spaces, zero-width characters, direction marks and control
characters in cells (`compliance.md` section 8, "Invisible characters"). None of them can be seen, and each of
them makes two equal values differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

# Plain text is printable ASCII without a blank at either end: nothing below would change it.
_NOT_PLAIN: Final = r"[^ -~]|^ | $|^$"

# U+200B zero-width space, U+2060 word joiner, U+FEFF byte-order mark, U+00AD soft hyphen; then the direction
# marks, embeddings and isolates; then the control characters that are not white space.
_INVISIBLE: Final = (
    r"[\u{200B}\u{2060}\u{FEFF}\u{00AD}"
    r"\u{061C}\u{200E}\u{200F}\u{202A}-\u{202E}\u{2066}-\u{2069}"
    r"\x00-\x08\x0E-\x1F\x7F\u{80}-\u{84}\u{86}-\u{9F}]"
)

# A line break or tab, with the blanks around it. U+0085, U+2028 and U+2029 are line breaks as well.
_BREAK: Final = r" *[\t\n\x0B\x0C\r\u{85}\u{2028}\u{2029}][ \t\n\x0B\x0C\r\u{85}\u{2028}\u{2029}]*"

# White space, but for what `_BREAK` has made a blank of. Joiners mean something between two letters (Persian,
# Hindi), but nothing at an end.
_EDGE: Final = " \u00a0\u1680\u202f\u205f\u3000\u200c\u200d" + "".join(map(chr, range(0x2000, 0x200B)))


def clean_text(values: pl.Series) -> pl.Series:
    """Take out what cannot be seen, trim, and bring the text into Unicode's composed form (NFC).

    Control and direction characters, zero-width spaces and byte-order marks go wherever they stand; tabs and line
    breaks inside become one blank; white space of any kind and joiners go at the ends. Only values with
    something to clean are touched, so a column of plain ASCII costs one scan.

    Args:
        values: A String column; the cells as typed.

    Returns:
        A String column of the same name and length. A value of which nothing is left is null.
    """
    soiled = values.str.contains(_NOT_PLAIN).fill_null(value=False)
    if not soiled.any():
        return values
    # Names repeat, and most that are not plain are clean: é is not plain, but there is nothing to clean about it.
    distinct = values.filter(soiled).unique()
    cleaned = _clean(distinct)
    changed = cleaned.ne_missing(distinct)
    if not changed.any():
        return values
    return values.replace(distinct.filter(changed), cleaned.filter(changed))


def too_long(values: pl.Series, limit: int) -> pl.Series:
    """Tell which values have more characters than a limit.

    Args:
        values: A String column.
        limit: The most characters allowed (CXone: 512 for a cell, 128 for a column name; seen, not given:
            `cxone-v2-dialect.md` section 3).

    Returns:
        A Boolean column of the same name and length, without nulls: an absent value is not too long.
    """
    # Bytes are counted without reading the text, and no text has more characters than bytes.
    if cast("int", values.str.len_bytes().max() or 0) <= limit:
        return pl.repeat(value=False, n=len(values), dtype=pl.Boolean, eager=True).alias(values.name)
    return (values.str.len_chars() > limit).fill_null(value=False)


def for_distinct(values: pl.Series, rule: Callable[[pl.Series], pl.DataFrame]) -> pl.DataFrame:
    """Apply a rule to each distinct value once, and spread what it says over the column.

    Args:
        values: A column in which few values are different from one another.
        rule: Takes a column and returns a frame of the same length.

    Returns:
        The rule's frame for `values`.
    """
    if values.is_empty():  # to polars, replacing by an empty table changes nothing, not even the type
        return rule(values)
    distinct = values.unique()
    said = rule(distinct)
    return said.select(values.replace_strict(distinct, column).alias(column.name) for column in said)


def _clean(values: pl.Series) -> pl.Series:
    """Clean every value, whether it needs it or not."""
    visible = values.str.replace_all(_INVISIBLE, "").str.replace_all(_BREAK, " ")
    trimmed = visible.str.normalize("NFC").str.strip_chars(_EDGE)
    return trimmed.set(trimmed == "", None)
