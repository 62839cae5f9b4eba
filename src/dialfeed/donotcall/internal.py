"""The company's own list: opt-outs one by one, in force at once.

Nothing is built: each look-up first sees whether anything has been added. An opt-out from everything blocks; one with a
topic blocks runs of that topic, runs that name none, and from a day that is data (`regimes.widens_from`) all runs.
Sources: `compliance.md` section 0, items 11 and 12; 1.4; 1.5; 4.4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dialfeed.donotcall.entries import Entries, read_entries
from dialfeed.donotcall.facts import ListFacts, Moments, Numbers, State, Verdict, Verdicts, never
from dialfeed.donotcall.manifest import MANIFEST, DamagedList, read_manifest
from dialfeed.donotcall.texts import ExactTexts, lowered

Positions = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run asks of an internal list.

    Attributes:
        now: The moment of the run.
        topic: Its topic; None for a run that names none.
        widens_from: The day from which a scoped opt-out counts for every topic; None for never.
    """

    now: datetime
    topic: str | None
    widens_from: date | None

    @property
    def widened(self) -> bool:
        """Whether a scoped opt-out counts whatever its topic."""
        return self.topic is None or (self.widens_from is not None and self.now.date() >= self.widens_from)

    def applies(self) -> pl.Expr:
        """Whether an entry blocks: it has not expired, and speaks of everything or of this run."""
        in_force = pl.col("ends").is_null() | (pl.col("ends") > self.now.timestamp())
        if self.topic is None or self.widened:
            return in_force
        return in_force & (pl.col("topic").is_null() | (pl.col("topic") == topic_key(self.topic)))


def topic_key(topic: str) -> str:
    """A topic as it is compared."""
    return " ".join(topic.split()).casefold()


@dataclass(frozen=True, slots=True, eq=False)
class _Blocked:
    """What is said of those that are on the list, all in one order.

    Attributes:
        verdicts: LISTED or SCOPED.
        since: When the latest request was received.
        everything: Whether the person wants nothing on any channel.
    """

    verdicts: Verdicts
    since: Moments
    everything: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Snapshot:
    """The list as it was at some moment; `stamp` tells when that has passed."""

    stamp: tuple[int, int, int]
    entries: Entries
    numbers: Numbers
    phones: _Blocked
    texts: ExactTexts
    emails: _Blocked


class InternalList:
    """An internal list that is open.

    Args:
        folder: The list's folder.
        facts: What is known of it.
        asked: What the run asks of it.
    """

    def __init__(self, folder: Path, facts: ListFacts, asked: Asked) -> None:
        self._folder = folder
        self._manifest = folder / MANIFEST
        self._snapshot: _Snapshot | None = None
        self.asked = asked
        self.facts = facts

    def now(self) -> _Snapshot | Verdict:
        """The list as it is, or why it cannot be used: DAMAGED or MISSING."""
        try:
            return self._refreshed()
        except FileNotFoundError:
            return self._lost("missing", Verdict.MISSING)
        except (DamagedList, OSError):
            return self._lost("damaged", Verdict.DAMAGED)

    def stands(self) -> tuple[int, str] | None:
        """How many entries the list has had and the SHA-256 of them; None where it cannot be used."""
        return None if isinstance(self.now(), Verdict) else (self.facts.version, self.facts.sha256)

    def _lost(self, state: State, verdict: Verdict) -> Verdict:
        self.facts = replace(self.facts, state=state)
        self._snapshot = None
        return verdict

    def _refreshed(self) -> _Snapshot:
        told = self._manifest.stat()
        stamp = (told.st_ino, told.st_mtime_ns, told.st_size)
        known = self._snapshot
        if known is not None and known.stamp == stamp:
            return known
        manifest = read_manifest(self._folder)
        if manifest is None or manifest.current is None:
            raise FileNotFoundError
        entries = read_entries(self._folder, manifest, known.entries if known else None)
        snapshot = self._snapshot = _take(stamp, entries, self.asked)
        self.facts = manifest.facts(self._folder, self.asked.now)
        return snapshot


def _take(stamp: tuple[int, int, int], entries: Entries, asked: Asked) -> _Snapshot:
    active = entries.frame.filter(asked.applies())
    phones, emails = _by_key(active, "phone"), _by_key(active, "email")
    return _Snapshot(
        stamp=stamp,
        entries=entries,
        numbers=phones["phone"].to_numpy(),
        phones=_blocked(phones),
        texts=ExactTexts(emails["email"]),
        emails=_blocked(emails),
    )


def _by_key(active: pl.DataFrame, key: str) -> pl.DataFrame:
    """One row a key, sorted by it."""
    return (
        active.filter(pl.col(key).is_not_null())
        .group_by(key)
        .agg(
            whole=pl.col("topic").is_null().any(),
            since=pl.col("counts_from").max(),
            everything=(pl.col("channel") == "all").any(),
        )
        .sort(key)
    )


def _blocked(keys: pl.DataFrame) -> _Blocked:
    return _Blocked(
        np.where(keys["whole"].to_numpy(), Verdict.LISTED, Verdict.SCOPED).astype(np.uint8),
        keys["since"].to_numpy().astype("datetime64[s]"),
        keys["everything"].to_numpy(),
    )


@dataclass(frozen=True, slots=True)
class InternalPhones:
    """The phones of an internal list (`dialfeed.donotcall.facts.PhoneList`)."""

    opened: InternalList
    clears: bool

    @property
    def facts(self) -> ListFacts:
        """What is known of the list."""
        return self.opened.facts

    def look_up(self, numbers: Numbers, states: pl.Series | None = None) -> Verdicts:
        """The verdict on each number; the list speaks of every number."""
        del states
        snapshot = self.opened.now()
        if isinstance(snapshot, Verdict):
            return np.full(len(numbers), snapshot, np.uint8)
        return _look_up(_find(snapshot, numbers), snapshot.phones)

    def since(self, numbers: Numbers) -> Moments:
        """When the latest opt-out in force was received."""
        snapshot = self.opened.now()
        if isinstance(snapshot, Verdict):
            return never(len(numbers))
        return _since(_find(snapshot, numbers), snapshot.phones)

    def everything(self, numbers: Numbers) -> NDArray[np.bool_]:
        """Whether the person at each number wants to hear nothing on any channel (`compliance.md` 4.4)."""
        snapshot = self.opened.now()
        if isinstance(snapshot, Verdict) or not snapshot.phones.everything.any():
            return np.zeros(len(numbers), np.bool_)
        return _everything(_find(snapshot, numbers), snapshot.phones)


@dataclass(frozen=True, slots=True)
class InternalEmails:
    """The e-mails of an internal list (`dialfeed.donotcall.facts.TextList`)."""

    opened: InternalList

    @property
    def facts(self) -> ListFacts:
        """What is known of the list."""
        return self.opened.facts

    def look_up(self, values: pl.Series) -> Verdicts:
        """The verdict on each address."""
        snapshot = self.opened.now()
        absent = values.is_null().to_numpy()
        if isinstance(snapshot, Verdict):
            return np.where(absent, Verdict.OUTSIDE, snapshot).astype(np.uint8)
        verdicts = _look_up(snapshot.texts.positions(lowered(values)), snapshot.emails)
        return np.where(absent, Verdict.OUTSIDE, verdicts).astype(np.uint8)

    def since(self, values: pl.Series) -> Moments:
        """When the latest opt-out in force was received."""
        snapshot = self.opened.now()
        if isinstance(snapshot, Verdict):
            return never(len(values))
        return _since(snapshot.texts.positions(lowered(values)), snapshot.emails)

    def everything(self, values: pl.Series) -> NDArray[np.bool_]:
        """Whether the person at each address wants to hear nothing on any channel (`compliance.md` 4.4)."""
        snapshot = self.opened.now()
        if isinstance(snapshot, Verdict) or not snapshot.emails.everything.any():
            return np.zeros(len(values), np.bool_)
        return _everything(snapshot.texts.positions(lowered(values)), snapshot.emails)


def _find(snapshot: _Snapshot, numbers: Numbers) -> Positions:
    if not len(snapshot.numbers):
        return np.full(len(numbers), -1, np.intp)
    at = np.minimum(np.searchsorted(snapshot.numbers, numbers), len(snapshot.numbers) - 1)
    return np.where(snapshot.numbers[at] == numbers, at, -1)


def _look_up(at: Positions, blocked: _Blocked) -> Verdicts:
    verdicts = np.full(len(at), Verdict.CLEAR, np.uint8)
    verdicts[at >= 0] = blocked.verdicts[at[at >= 0]]
    return verdicts


def _since(at: Positions, blocked: _Blocked) -> Moments:
    moments = never(len(at))
    moments[at >= 0] = blocked.since[at[at >= 0]]
    return moments


def _everything(at: Positions, blocked: _Blocked) -> NDArray[np.bool_]:
    told = np.zeros(len(at), np.bool_)
    told[at >= 0] = blocked.everything[at[at >= 0]]
    return told
