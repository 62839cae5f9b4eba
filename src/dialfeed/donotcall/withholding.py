"""What becomes of contacts when their endpoints have been judged: what may not be used is taken away.

The next endpoint of the channel that may be used takes the place of one that is withheld, and a contact without any is
suppressed (`compliance.md` section 4).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from dialfeed.contacts.fields import WITHHELD
from dialfeed.contacts.findings import FINDINGS_SCHEMA, ROW
from dialfeed.donotcall.decisions import CHANNELS, Channel


@dataclass(frozen=True, slots=True)
class Judged:
    """What is decided about one column of endpoints; one line a contact.

    Attributes:
        channel: What kind of endpoints they are.
        column: The contacts' column.
        goes: Whether each may be used; true where there is none.
        code: The reason code that decided, null where nothing was found.
        codes: All reason codes that stand against it, with a space between them.
        words: What was found, packed.
        window: When each may be called, where the run asks.
    """

    channel: Channel
    column: str
    goes: pl.Series
    code: pl.Series
    codes: pl.Series
    words: pl.DataFrame
    window: pl.Series | None = None

    @classmethod
    def forbidden(cls, channel: Channel, column: str, where: pl.Series, code: str) -> Judged:
        """Endpoints of which some are forbidden, all for the same reason."""
        codes = pl.select(pl.when(where).then(pl.lit(code))).to_series()
        return cls(channel, column, ~where, codes, codes, pl.DataFrame())


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """The result of a scrub.

    Attributes:
        contacts: Those that go on, without the endpoints that may not be used; where there are such endpoints, what
            `phone` and `email` were is in the columns `withheld.phone` and `withheld.email`.
        suppressed: Row numbers, fields and reasons of those that do not, in row order (`FINDINGS_SCHEMA`).
        told: Endpoints of contacts that go on by code: withheld, exempt, or taken instead of another one.
        decisions: Where the run keeps them, one line an endpoint, column by column: `ROW`, `column` (of the contact),
            `value` (the number or address itself), `evidence` for an exemption, `window`, and the words.
    """

    contacts: pl.DataFrame
    suppressed: pl.DataFrame
    told: Counter[str]
    decisions: pl.DataFrame | None = None


def withhold(contacts: pl.DataFrame, judged: Sequence[Judged]) -> Scrubbed:
    """Take the endpoints that may not be used, and the contacts that have no other."""
    against = [each for each in judged if not each.goes.all()]
    told = Counter({code: n for each in judged for code, n in _counted(each.code.filter(each.goes)).items()})
    if not against:
        return Scrubbed(contacts, pl.DataFrame(schema=FINDINGS_SCHEMA), told)
    changed = contacts.with_columns(
        made
        for channel in CHANNELS
        for made in _channel(channel, contacts, [e for e in judged if e.channel == channel])
    )
    usable = changed["phone"].is_not_null() | changed["email"].is_not_null()
    gone = ~usable
    found = [
        contacts.filter(where)
        .select(ROW, field=pl.lit(each.column), code=pl.lit(each.codes.filter(where)))
        .with_columns(pl.col("code").str.split(" "))
        .explode("code")
        for each in against
        if (where := gone & ~each.goes).any()
    ]
    suppressed = pl.concat([pl.DataFrame(schema=FINDINGS_SCHEMA), *found]).sort(ROW, maintain_order=True)
    told += Counter(
        {
            code.replace("suppressed.", "withheld.", 1): n
            for each in against
            for code, n in _counted(each.code.filter(usable & ~each.goes)).items()
        }
    )
    return Scrubbed(changed.filter(usable), suppressed, told)


def _channel(channel: Channel, contacts: pl.DataFrame, judged: Sequence[Judged]) -> Iterator[pl.Series]:
    """The columns of a channel without what may not be used: the first that may be takes the first place."""
    if not judged or all(each.goes.all() for each in judged):
        return
    nothing = pl.repeat(None, len(contacts), dtype=pl.String, eager=True)
    left = [contacts[each.column].zip_with(each.goes, nothing) for each in judged]
    first = pl.select(pl.coalesce(*(pl.lit(each) for each in left))).to_series()
    yield first.alias(channel)
    for each, values in zip(judged[1:], left[1:], strict=True):
        moved = (values == first).fill_null(value=False) & left[0].is_null()
        yield values.zip_with(~moved, nothing).alias(each.column)
    before = contacts[channel]
    if WITHHELD + channel in contacts.columns:
        before = contacts[WITHHELD + channel].zip_with(contacts[WITHHELD + channel].is_not_null(), before)
    yield before.zip_with((before != first).fill_null(value=True), nothing).alias(WITHHELD + channel)


def _counted(codes: pl.Series) -> dict[str, int]:
    return dict(codes.drop_nulls().value_counts(name="n").iter_rows())
