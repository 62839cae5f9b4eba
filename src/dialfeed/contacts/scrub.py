"""Scrub by the flags in the file: who has asked, in the file itself, not to be called or not to be written to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from dialfeed.contacts.findings import FINDINGS_SCHEMA, ROW

WITHHELD = "withheld."
"""Prefix of the columns that keep what was withheld, since identity is taken before the scrub."""


class Flagged(StrEnum):
    """What happens to a contact whose flags forbid a channel."""

    SUPPRESS = "suppress"
    """Withhold the forbidden channel; suppress the contact that has no other."""
    KEEP = "keep"
    """Send everything with its flags, for a platform whose own rules read them."""


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """The result of a scrub.

    Attributes:
        contacts: Those that go on, without the channels that may not be used; where there are such channels, what
            was in them is in the columns `withheld.phone` and `withheld.email`.
        suppressed: Row numbers and reasons of those that do not, in row order.
        withheld: How many channels of contacts that go on were withheld, by reason code.
    """

    contacts: pl.DataFrame
    suppressed: pl.DataFrame
    withheld: dict[str, int]


_CHANNELS = (("phone", "doNotCall", "do_not_call"), ("email", "doNotEmail", "do_not_email"))


def scrub_by_flags(contacts: pl.DataFrame, policy: Flagged) -> Scrubbed:
    """Apply the flags of valid contacts.

    Args:
        contacts: `ROW`, `phone`, `email`, `doNotCall`, `doNotEmail` and others; flags without nulls.
        policy: What to do with a forbidden channel.
    """
    empty = pl.DataFrame(schema=FINDINGS_SCHEMA)
    if policy is Flagged.KEEP or not (contacts["doNotCall"].any() or contacts["doNotEmail"].any()):
        return Scrubbed(contacts, empty, {})
    forbidden = [(field, pl.col(field).is_not_null() & pl.col(flag), code) for field, flag, code in _CHANNELS]
    usable = pl.any_horizontal((pl.col(field).is_not_null() & ~pl.col(flag)) for field, flag, _ in _CHANNELS)
    gone = contacts.filter(~usable)
    suppressed = [_reasons(gone, where, field, code) for field, where, code in forbidden]
    kept = contacts.filter(usable)
    withheld = {f"withheld.{code}": kept.select(where.sum()).item() for _, where, code in forbidden}
    kept = kept.with_columns(
        *(pl.when(where).then(pl.col(field)).alias(WITHHELD + field) for field, where, _ in forbidden),
        *(pl.when(~where).then(pl.col(field)).alias(field) for field, where, _ in forbidden),
    )
    in_row_order = pl.concat([empty, *suppressed]).sort(ROW, maintain_order=True)
    return Scrubbed(kept, in_row_order, {code: n for code, n in withheld.items() if n})


def _reasons(contacts: pl.DataFrame, where: pl.Expr, field: str, code: str) -> pl.DataFrame:
    return contacts.filter(where).select(ROW, field=pl.lit(field), code=pl.lit(f"suppressed.{code}"))
