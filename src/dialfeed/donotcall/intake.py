"""From the file of a list to its content in the home folder, or to the reason why it is not taken.

A malformed line in a list is somebody who would be called (`compliance.md` section 0, item 6), and so is an area code
that is said to be covered and has no number in it. Such a file is refused until a person accepts it, which is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import numpy as np
import polars as pl

from dialfeed.donotcall.areas import Territory, block_of, code_of
from dialfeed.donotcall.blocks import join
from dialfeed.donotcall.building import build
from dialfeed.donotcall.facts import Numbers, iso
from dialfeed.donotcall.index import Index
from dialfeed.donotcall.regimes import Regime, shrinks_too_much
from dialfeed.donotcall.results import RESULT_SCHEMA, settled, write_results
from dialfeed.donotcall.texts import lowered, write_texts
from dialfeed.errors import CheckFile
from dialfeed.files import written_whole
from dialfeed.wording import counted

_SHOWN: Final = 5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be read.

    Attributes:
        place: Its number in the file, in words.
        told: What is wrong with it and what it looks like, in words that hold none of its digits.
    """

    place: str
    told: str


@dataclass(frozen=True, slots=True)
class Piece(Generic[T]):
    """A piece of a list file.

    Attributes:
        content: Its numbers, texts or answers.
        shown: Some of its lines that cannot be read.
        malformed: How many such lines there are.
    """

    content: T
    shown: Sequence[BadLine] = ()
    malformed: int = 0


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a person accepts of a file that would be refused.

    Attributes:
        malformed: At most so many lines that cannot be read.
        empty: That a covered area code, or the whole list, has no number.
        smaller: That the list has become much smaller.
        because: The person's reason.
        by: The person.
    """

    malformed: int = 0
    empty: bool = False
    smaller: bool = False
    because: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Obtained:
    """How a file was had.

    Attributes:
        at: When it was obtained from the authority; its day is that of its own zone.
        by: Who obtained it.
        account: The subscription or licence, as it is; only a mask of it is kept.
        coverage: The area codes that it holds; None for all.
        same_coverage: It is not said; then it holds the area codes that the list had before, and a new list covers
            those in which it has a number.
        max_age: How long it may be used, where the user says so.
        accepts: What of it a person accepts.
    """

    at: datetime
    by: str = ""
    account: str = ""
    coverage: tuple[str, ...] | None = None
    same_coverage: bool = False
    max_age: timedelta | None = None
    accepts: Acceptance = field(default=Acceptance())


class Tally:
    """Counts what could not be read, as pieces go by.

    Attributes:
        malformed: How many lines.
        shown: The first of them.
    """

    def __init__(self) -> None:
        self.malformed = 0
        self.shown: list[BadLine] = []

    def contents(self, pieces: Iterable[Piece[T]]) -> Iterator[T]:
        """The contents of pieces."""
        for piece in pieces:
            self.count(piece.shown, piece.malformed)
            yield piece.content

    def count(self, shown: Sequence[BadLine], malformed: int) -> None:
        """Count some lines that cannot be read."""
        self.malformed += malformed
        self.shown += shown[: _SHOWN - len(self.shown)]

    def check(self, accepts: Acceptance) -> None:
        """Refuse more malformed lines than a person accepts.

        Raises:
            CheckFile: There are.
        """
        if self.malformed <= accepts.malformed:
            return
        told = "; ".join(f"{bad.place}: {bad.told}" for bad in self.shown)
        more = f"; and {self.malformed - len(self.shown):,} more" if self.malformed > len(self.shown) else ""
        raise CheckFile(
            f"{counted(self.malformed, 'line')} of the list cannot be read ({told}{more}), and whoever they stand for "
            "would be called.",
            advice=f'Mend them, or accept with --accept-malformed {self.malformed} --because "…"; it is recorded.',
        )


def accepted(
    tally: Tally, accepts: Acceptance, empty: Sequence[str], lost: int, now: datetime
) -> tuple[dict[str, Any], ...]:
    """What is recorded of an acceptance; nothing where nothing had to be accepted."""
    told = {"malformed": tally.malformed, "empty": list(empty), "lost": lost}
    what = {name: value for name, value in told.items() if value}
    if not what:
        return ()
    return ({**what, "because": accepts.because, "by": accepts.by, "at": iso(now)},)


# --- the content of each kind ---------------------------------------------------------------------------------------


def take_phones(path: Path, pieces: Iterable[Piece[Numbers]], tally: Tally, facts: Mapping[str, Any]) -> Index:
    """Build the index of a list."""
    build(path, tally.contents(pieces), facts=facts)
    return Index.open(path)


def take_texts(path: Path, pieces: Iterable[Piece[pl.Series]], tally: Tally, *, email: bool) -> int:
    """Write a list of e-mails or accounts; how many there are."""
    contents = list(tally.contents(pieces))
    values = pl.concat(contents) if contents else pl.Series(dtype=pl.String)
    values = (lowered(values) if email else values).drop_nulls().unique()
    with written_whole(path) as file:
        write_texts(file, values)
    return len(values)


def take_results(
    path: Path, pieces: Iterable[Piece[pl.DataFrame]], tally: Tally, obtained: Obtained, *, dated: bool
) -> int:
    """Write the answers of a register; how many numbers have one.

    Args:
        path: Where they go.
        pieces: The answers.
        tally: Counts the lines that cannot be read.
        obtained: When they were received.
        dated: Whether each has to be the answer for a date.

    Raises:
        CheckFile: An answer is for no date before the day on which it was received (`compliance.md` 1.8).
    """
    answers = pl.concat([pl.DataFrame(schema=RESULT_SCHEMA), *tally.contents(pieces)])
    undated = answers["asked_for"].null_count() if dated else 0
    if undated:
        raise CheckFile(
            f"{counted(undated, 'answer')} {'does' if undated == 1 else 'do'} not tell for which date.",
            advice="Say with --query-date which date was asked about.",
        )
    day = obtained.at.date()
    late = answers.filter(pl.col("asked_for") >= day)
    if len(late):
        raise CheckFile(
            f"{counted(len(late), 'answer')} {'is' if len(late) == 1 else 'are'} for {day} or later. The file came on "
            f'{day}, and what is asked for the same day is always answered "no".',
            advice="Ask again with the date of each consent.",
        )
    answers = settled(answers)
    with written_whole(path) as file:
        write_results(file, answers)
    return len(answers)


# --- what a full list must hold -------------------------------------------------------------------------------------


def check_territory(index: Index, regime: Regime, authority: str) -> None:
    """Refuse a list of somewhere else, which would clear everybody whom it is said to speak of.

    Raises:
        CheckFile: It has numbers, and all of them are known to be of somewhere else.
    """
    territory = Territory(regime.territory)
    if index.records and not any(map(territory.may_hold, index.numbers())):
        raise CheckFile(
            f"No number of the list is one of {authority}, so everybody there would be called.",
            advice="See whether --authority is right, and the file.",
        )


def check_coverage(
    index: Index, coverage: tuple[str, ...] | None, accepts: Acceptance, *, register: bool, before: Sequence[str] = ()
) -> list[str]:
    """Compare a list with the area codes that it is said to cover.

    Args:
        index: The list.
        coverage: The area codes; None for all.
        accepts: What a person accepts.
        register: Whether a list without any number has to be accepted.
        before: Area codes that the version before covered; where all are said, they are among them.

    Returns:
        The covered area codes without a number, which a person accepts; `all` for a list without any.

    Raises:
        CheckFile: It holds numbers of others, or none of one that is covered.
    """
    held = [code_of(block) or str(block) for block in index.blocks.tolist()]
    if coverage is None:
        empty = ["all"] if register and not index.records else sorted({*before} - {*held})
    else:
        _nothing_else(held, coverage)
        empty = sorted(set(coverage) - set(held))
    if empty and not accepts.empty:
        named = "The list has" if empty == ["all"] else f"Area code {empty[0]} has"
        if len(empty) > 1:
            named = f"Area codes {', '.join(empty[:10])}{' …' if len(empty) > 10 else ''} have"
        raise CheckFile(
            f"{named} no number in it, so everybody there would be called.",
            advice='See whether the file is whole; if it is, say --accept-empty --because "…".',
        )
    return empty


def check_size(before: int, after: int, accepts: Acceptance) -> int:
    """Compare a list with the version before: how many records it has lost, if so many that a person has to accept it.

    Raises:
        CheckFile: Nobody has.
    """
    if not shrinks_too_much(before, after):
        return 0
    if not accepts.smaller:
        raise CheckFile(
            f"The list has {counted(after, 'record')}, and had {before:,} before: perhaps the file is not whole.",
            advice='See whether it is; if so, say --accept-smaller --because "…".',
        )
    return before - after


def _nothing_else(held: Sequence[str], coverage: tuple[str, ...]) -> None:
    others = sorted(set(held) - set(coverage))
    if others:
        raise CheckFile(
            f"The file holds numbers of {counted(len(others), 'area code')} that it is not said to cover "
            f"({', '.join(others[:10])}).",
            advice="Say with --covers what was obtained, or take the right file.",
        )


def area_blocks(index: Index, codes: Iterable[str]) -> dict[int, Numbers]:
    """All numbers of some area codes, for `building.change`."""
    return {block: join(block, index.digits(block)) for block in map(block_of, sorted(codes))}


def area_codes_in(index: Index) -> tuple[str, ...]:
    """The area codes in which a list has a number."""
    return tuple(code for block in index.blocks.tolist() if (code := code_of(block)) is not None)


def difference(old: Index, new: Index, blocks: Iterable[int] | None = None) -> tuple[int, int]:
    """How many numbers a new index has more, and how many less, in some blocks or in all."""
    more = less = 0
    for block in sorted(blocks if blocks is not None else {*old.blocks.tolist(), *new.blocks.tolist()}):
        before, after = old.digits(block), new.digits(block)
        same = len(np.intersect1d(before, after, assume_unique=True))
        more, less = more + len(after) - same, less + len(before) - same
    return more, less


def masked(account: str) -> str:
    """An account as it may be told: its last two signs. What is masked stays as it is."""
    if account.startswith("…"):
        return account
    return f"…{account[-2:]}" if len(account) > 4 else "…" if account else ""
