"""Flags: do not call, do not e-mail. Read as they are written, required, and never guessed."""

from __future__ import annotations

from typing import Final

import polars as pl

from dialfeed.contacts.text import clean_text, for_distinct

MISSING: Final = "flag.missing"
UNREADABLE: Final = "flag.unreadable"

FLAG_SCHEMA: Final = pl.Schema({"flag": pl.Boolean, "code": pl.String})
"""The columns of `normalise_flags`."""

# English, Spanish, French, German, Portuguese. Single letters only where one reading exists in all five: "o" (oui)
# looks like a zero and "v" (vrai) is also a tick, so neither is here.
_YES: Final = "true t yes y on 1 sí si s oui ja j sim verdadero verdadeiro vrai wahr"
_NO: Final = "false f no n off 0 non nein não nao falso faux falsch"
_WORDS: Final = dict.fromkeys(_YES.split(), True) | dict.fromkeys(_NO.split(), False)

# What a spreadsheet makes of a 1 or 0 in a column of numbers, with a decimal point or comma.
_ZERO_DECIMALS: Final = r"^([01])[.,]0+$"


def normalise_flags(values: pl.Series) -> pl.DataFrame:
    """Read a column of flags.

    Accepts in any case, trimmed: true/yes/y/t/on/1 and false/no/n/f/off/0, the same words in Spanish, French,
    German and Portuguese, and a spreadsheet's 1.0 and 0.0. An absent value has no default: an empty do-not-call
    cell may mean either.

    Args:
        values: A String column; the cells as typed.

    Returns:
        A frame of the same length (`FLAG_SCHEMA`): ``flag``, and ``code`` (``flag.missing`` or ``flag.unreadable``)
        exactly where ``flag`` is null.
    """
    return for_distinct(values, _read)


def _read(values: pl.Series) -> pl.DataFrame:
    """Read each value by the table of words."""
    words = clean_text(values).str.to_lowercase().str.replace(_ZERO_DECIMALS, "${1}")
    flags = words.replace_strict(_WORDS, default=None, return_dtype=pl.Boolean)
    missing = words.is_null()
    codes = pl.select(pl.when(missing).then(pl.lit(MISSING)).when(flags.is_null()).then(pl.lit(UNREADABLE))).to_series()
    return pl.DataFrame({"flag": flags, "code": codes}, FLAG_SCHEMA)
