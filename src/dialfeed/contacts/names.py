"""Full names: split into first and last name where one reading is possible, and only there."""

from __future__ import annotations

from typing import Final

import polars as pl

NOT_SPLIT: Final = "name.not_split"

NAMES_SCHEMA: Final = pl.Schema({"firstName": pl.String, "lastName": pl.String, "code": pl.String})
"""The columns of `split_full_names`."""

_WORD: Final = r"[\p{L}\p{M}.'\x{2019}\x{2BC}-]+"  # both typographic apostrophes
_TWO_WORDS: Final = rf"^({_WORD}) ({_WORD})$"
_LAST_FIRST: Final = rf"^({_WORD}(?: {_WORD})*) ?, ?({_WORD}(?: {_WORD})*)$"

# A word that is no part of a first or last name: what stands beside it is not known to be one either.
_NO_NAME: Final = (
    r"(?i)(^|[ ,])(mr|mrs|ms|miss|mx|dr|prof|sir|sr|jr|sra|srta|don|doña|m|mme|mlle|monsieur|madame|herr|frau|familie|"
    r"family|familia|famille|família|dipl|ing|ii|iii|iv|md|phd|esq|dds|cpa|mba|rn|inc|ltd|llc|llp|corp|co|gmbh|ag|kg|"
    r"sa|sl|sas|sarl|lda|ltda|and|y|et|und|e|or|van|von|de|der|del|la|le|du|da|dos|di|el|al|bin|ibn)[.]?([ ,]|$)"
)


def split_full_names(values: pl.Series) -> pl.DataFrame:
    """Split a column of full names.

    "Last, First" with one comma is split there. Two words are first and last name, in this order, unless one of them
    is a title, a suffix, a particle or a word of a firm's name. Everything else stays whole, as the last name: a wrong
    cut addresses a person by a wrong name, and a whole name does not.

    Args:
        values: A String column of clean text.

    Returns:
        A frame of the same length (`NAMES_SCHEMA`): ``code`` is ``name.not_split`` where a name stayed whole.
    """
    names = values.str.replace_all(r"\s+", " ")
    frame = names.to_frame("name").with_columns(
        comma=pl.col("name").str.extract_groups(_LAST_FIRST), space=pl.col("name").str.extract_groups(_TWO_WORDS)
    )
    plain = ~pl.col("name").str.replace(r"^[^,]*,", ",").str.contains(_NO_NAME)
    last, first = (pl.when(plain).then(pl.col("comma").struct.field(part)) for part in ("1", "2"))
    simple = ~pl.col("name").str.contains(_NO_NAME)
    front, back = (pl.when(simple).then(pl.col("space").struct.field(part)) for part in ("1", "2"))
    return frame.select(
        firstName=pl.coalesce(first, front),
        lastName=pl.coalesce(last, back, pl.col("name")),
        code=pl.when(pl.coalesce(first, front).is_null() & pl.col("name").is_not_null()).then(pl.lit(NOT_SPLIT)),
    )
