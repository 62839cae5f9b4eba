"""What the values of a column say about it, from a sample: its kind of content, and whether it is a channel.

Counts only; no value leaves this module but as a shape in which nobody is recognised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl

from dialfeed.contacts.email import normalise_emails
from dialfeed.contacts.phone import normalise_phones
from dialfeed.contacts.text import clean_text

Content = Mapping[str, int]
"""`rows`, `empty`, and how many values are of each of `KINDS`."""

_KINDS: Final = (
    ("email", r"^[^@\s]+@[^@\s]+\.[^@\s]+$"),
    ("flag", r"(?i)^(true|false|yes|no|y|n|t|f|on|off|0|1|si|sí|s|oui|non|ja|nein|j|sim|não|nao)$"),
    ("date", r"^([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4})"),
    ("number", r"^\+?[0-9][0-9 ().,/-]*$|^\([0-9 ().-]+$"),
)
KINDS: Final = (*(kind for kind, _ in _KINDS), "text")
"""Kinds of content. A phone number is a `number`: whether it is one is for the rules to say, not for its look."""

SURE: Final = 0.9
"""The share of a column's values from which on they say what the column is."""

FEWEST: Final = 3
"""Values below which a column says nothing about itself."""

_AS_A_PHONE: Final = r"""^['"=]*(?:\+|tel:|0[0-9])|^['"=(]*[0-9]+(?:[) /-]+|\.[0-9]+\.)[0-9]"""

_FEW: Final = 7
"""Digits of the shortest number that somebody could be called on."""

_LONG_RUN: Final = (("9", r"9{5,}"), ("a", r"a{5,}"))


def content(values: pl.Series) -> dict[str, int]:
    """Count the kinds of a column's values.

    Args:
        values: A String column; the cells as typed.
    """
    clean = clean_text(values)
    kinds = _kinds(clean.drop_nulls())
    return {"rows": len(clean), "empty": clean.null_count(), **{kind: int((kinds == kind).sum()) for kind in KINDS}}


def _kinds(values: pl.Series) -> pl.Series:
    kind: pl.Expr = pl.lit("text")
    for name, pattern in reversed(_KINDS):
        kind = pl.when(pl.col("value").str.contains(pattern)).then(pl.lit(name)).otherwise(kind)
    return values.to_frame("value").select(kind.alias("kind")).to_series()


def main_kind(counted: Content) -> str:
    """The kind of nearly all values; empty where there is none, or too few values."""
    values = counted["rows"] - counted["empty"]
    return next((kind for kind in KINDS if values >= FEWEST and counted[kind] >= SURE * values), "")


def share(counted: Content, kind: str) -> float:
    """The share of a kind among the values, or of `empty` among the rows."""
    whole = counted["rows"] if kind == "empty" else counted["rows"] - counted["empty"]
    return counted[kind] / whole if whole else 0.0


def channel_evidence(sample: pl.DataFrame, positions: Iterable[int], region: str | None) -> dict[int, str]:
    """Find the columns whose values are phone numbers or e-mail addresses, by the rules that they must satisfy.

    Args:
        sample: Some rows of the source; columns named by position.
        positions: The columns that may be one.
        region: The country of phones in national form; None to assume none.

    Returns:
        Position → `phone` or `email`.
    """
    found = {position: _channel(clean_text(sample[str(position)]).drop_nulls(), region) for position in positions}
    return {position: channel for position, channel in found.items() if channel}


def written_as_phones(values: pl.Series) -> bool:
    """Whether the values of a column are written as only phone numbers are: with a plus, a zero in front, or in groups.

    Nothing but digits may as well be the numbers of orders or contracts, of which many are somebody's phone number.

    Args:
        values: A String column; the cells as typed.
    """
    known = clean_text(values).drop_nulls()
    return int(known.str.contains(_AS_A_PHONE).sum()) >= SURE * len(known)


def may_hold(values: pl.Series, channel: str) -> bool:
    """Whether a column that is called a phone or an address may hold some, as far as a sample tells.

    It does unless its values say clearly that they are something else, as those of ``mobile`` do where it is yes or no.

    Args:
        values: A String column; the cells as typed.
        channel: `phone` or `email`.
    """
    known = clean_text(values).drop_nulls()
    if len(known) < FEWEST:
        return True
    like = known.str.contains("@", literal=True) if channel == "email" else known.str.count_matches(r"\p{Nd}") >= _FEW
    return int(like.sum()) >= (1 - SURE) * len(known)


def _channel(values: pl.Series, region: str | None) -> str:
    enough = SURE * len(values)
    if len(values) < FEWEST:
        return ""
    if may_hold(values, "email") and normalise_emails(values)["email"].count() >= enough:
        return "email"
    regions = pl.repeat(region, len(values), dtype=pl.String, eager=True)
    return "phone" if normalise_phones(values, regions, details=False)["e164"].count() >= enough else ""


def shapes(values: pl.Series, most: int = 2) -> list[str]:
    """The commonest forms of a column's values, with every letter and digit hidden: `+9999…`, `a***@a***`."""
    clean = clean_text(values).drop_nulls()
    hidden = clean.str.replace_all(r"\p{N}", "9").str.replace_all(r"[\p{L}\p{M}]", "a")
    for sign, run in _LONG_RUN:
        hidden = hidden.str.replace_all(run, f"{sign * 4}…")
    hidden = hidden.str.replace(r"^.*@.*$", "a***@a***").str.slice(0, 24)
    counts = hidden.alias("shape").value_counts(sort=True).sort("count", "shape", descending=[True, False])
    return counts["shape"].head(most).to_list()
