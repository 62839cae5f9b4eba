"""A home folder with made-up do-not-call lists: numbers kept for fiction only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from dialfeed.donotcall.changing import Changes, Incoming, Put
from dialfeed.donotcall.facts import Numbers, Verdict
from dialfeed.donotcall.intake import Acceptance, BadLine, Obtained, Piece
from dialfeed.donotcall.optouts import OptOut
from dialfeed.donotcall.results import RESULT_SCHEMA
from dialfeed.donotcall.store import ListStore

START = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
WHOLE = Acceptance(empty=True, because="made up")
"""That a list of a nation is whole, although it has numbers of few area codes."""


def numbers(*values: int) -> Numbers:
    return np.array(values, np.uint64)


def us(area_code: int, line: int = 100) -> int:
    """A number of North America that is kept for fiction."""
    return 10**10 + area_code * 10**7 + 5550000 + line


@dataclass(frozen=True)
class MadeUp:
    """A list file that is not there (`dialfeed.donotcall.changing.Incoming`)."""

    sha256: str
    content: Sequence[Piece[Any]]
    reading: Mapping[str, Any] = field(default_factory=dict)

    def pieces(self) -> Sequence[Piece[Any]]:
        return self.content


def phones(*values: int, malformed: int = 0) -> MadeUp:
    """A list file of numbers, with some lines that cannot be read."""
    bad = [BadLine(f"line {line + 1}", "no number") for line in range(malformed)]
    return _file(values, [Piece(numbers(*values), bad, malformed)])


def texts(*values: str) -> MadeUp:
    return _file(values, [Piece(pl.Series(values, dtype=pl.String))])


def answers(*rows: tuple[int, Verdict, date | None]) -> MadeUp:
    return _file(rows, [Piece(pl.DataFrame(rows, schema=RESULT_SCHEMA, orient="row"))])


def _file(content: Any, pieces: Sequence[Piece[Any]]) -> MadeUp:
    return MadeUp(hashlib.sha256(repr(content).encode()).hexdigest(), pieces)


def changes(
    *, added: Iterable[int] = (), removed: Iterable[int] = (), layout: str = "number, time, action", until: str = ""
) -> Changes:
    told = hashlib.sha256(repr((added, removed)).encode()).hexdigest()
    return Changes(told, numbers(*added), numbers(*removed), layout, until)


class Lists:
    """The lists of a test."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.store = ListStore(home)

    def add(self, name: str, authority: str, file: Incoming, *, at: datetime = START, channel: Any = "phone",
            now: datetime | None = None, **obtained: Any) -> Put:  # fmt: skip
        return self.store.add(
            name, authority, file, Obtained(at, **obtained), now=now or at + timedelta(hours=1), channel=channel
        )

    def update(self, name: str, file: Incoming, *, at: datetime = START + DAY, areas: bool = False,
               **obtained: Any) -> Put:  # fmt: skip
        told = Obtained(at, same_coverage="coverage" not in obtained, **obtained)
        return self.store.update(name, file, told, at + timedelta(hours=1), areas=areas)

    def ask(self, name: str, *sought: int, now: datetime = START + DAY, states: Sequence[str | None] | None = None,
            **asked: Any) -> list[str]:  # fmt: skip
        """What a list says of numbers."""
        (one,) = self.store.open([name], now=now, **asked).phone
        where = None if states is None else pl.Series(states, dtype=pl.String)
        return names(one.look_up(numbers(*sought), where))

    def ask_email(self, name: str, *sought: str | None, now: datetime = START + DAY, **asked: Any) -> list[str]:
        (one,) = self.store.open([name], now=now, **asked).email
        return names(one.look_up(pl.Series(sought, dtype=pl.String)))

    def opt_out(self, *optouts: OptOut, name: str = "internal", now: datetime = START) -> None:
        self.store.optouts(name, "tester").add(optouts, now)

    def files(self, name: str) -> list[str]:
        return sorted(each.name for each in self.store.folder(name).iterdir())


def asked_out(phone: int | None = None, *, at: datetime = START, **more: Any) -> OptOut:
    """An opt-out."""
    told = {"channel": "phone" if phone else "email", "received_at": at, "counts_from": at, "must_apply_by": at}
    return OptOut(phone=phone, **{**told, **more})


def names(verdicts: Iterable[int]) -> list[str]:
    return [Verdict(int(verdict)).name for verdict in verdicts]
