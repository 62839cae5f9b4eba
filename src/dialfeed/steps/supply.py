"""Step 6 of the road: contacts become batches.

Batches depend on nothing but the contacts and the platform's limits: not on chunks, threads or timing. A resumed run
cuts on where the ledger says the last one was cut, and comes to the same batches.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from dialfeed.contacts.fields import IDENTITY_FIELDS
from dialfeed.contacts.findings import ROW
from dialfeed.delivery.batches import Batch, Span
from dialfeed.delivery.ports import Suppression
from dialfeed.delivery.sizes import size_limit
from dialfeed.donotcall.facts import iso
from dialfeed.donotcall.lateoptouts import LateOptOuts, Standing
from dialfeed.ledger.stage import Stage
from dialfeed.moments import utc_now
from dialfeed.platforms.base import Codec, Limits, WireContacts

Made = TypeVar("Made")

_AT_ONCE = 8192
"""Contacts encoded together: few enough that requests under way need not wait for it."""

_KEPT = 3
"""Encoded pieces kept at hand: the one being cut, the one before, for batches that span both, and the next."""

_REMEMBERED = 64
"""Batches of which it is remembered how the lists stood when nobody in them had opted out: more than are under way."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some contacts with consecutive places, encoded.

    Attributes:
        start: The place of the first.
        text: All of them, as they stand in a body.
        starts: Where each begins in `text`.
        ends: Where each ends, what stands between two not included.
        people: externalId, phone and email columns.
    """

    start: int
    text: bytes
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    people: pl.DataFrame

    @property
    def stop(self) -> int:
        """The place behind the last."""
        return self.start + len(self.people)

    def fitting(self, place: int, most: int, room: int) -> tuple[int, int]:
        """How many contacts from `place` on, `most` or fewer, have room for their bytes, and how many those are."""
        first = place - self.start
        ends = self.ends[first : first + most]
        count = int(np.searchsorted(ends, self.starts[first] + room, side="right"))
        return count, int(ends[count - 1] - self.starts[first]) if count else 0

    def part(self, start: int, stop: int) -> tuple[bytes, pl.DataFrame]:
        """The contacts with places from `start` up to `stop`: their text, and who they are."""
        first, last = start - self.start, stop - self.start
        return self.text[self.starts[first] : self.ends[last - 1]], self.people[first:last]


class StageSupply:
    """Cuts and loads batches from a stage; a context manager.

    While batches are cut from one piece, the next is read and encoded in a thread, so that nothing waits for it.

    Args:
        stage: The contacts that are fit to send.
        codec: Makes them the platform's text.
        limits: How much goes into a batch.
        batches: How many batches have been cut before.
        place: Where the last of them ended.
        optouts: Tells who has opted out since the scrub; None where the run names no list that could.
        now: Tells the time in UTC.
    """

    def __init__(
        self,
        stage: Stage,
        codec: Codec,
        limits: Limits,
        *,
        batches: int = 0,
        place: int = 0,
        optouts: LateOptOuts | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._stage = stage
        self._optouts = optouts
        self._now = now
        self._cleared: OrderedDict[int, Standing] = OrderedDict()
        self._looked: OrderedDict[int, tuple[Standing, pl.DataFrame]] = OrderedDict()
        self._codec = codec
        self._limits = limits
        self._room = limits.batch_bytes - len(codec.body(b""))
        self._cut = batches
        self._place = place
        self._encoding = ThreadPoolExecutor(1, "encode")
        self._pieces: OrderedDict[int, Future[_Piece]] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._encoding.shutdown(cancel_futures=True)

    def remaining(self) -> int:
        """How many contacts are not in a batch yet."""
        return self._stage.size - self._place

    def cut(self) -> tuple[Span, ...] | None:
        """The next batch: as many contacts as its size and the body's bytes allow, at least one."""
        start, room = self._place, self._room
        stop, most = start, min(start + size_limit(self._cut, self._limits.batch_contacts), self._stage.size)
        while stop < most:
            piece = self._piece(stop)
            if piece.stop < self._stage.size:
                self._begin(piece.stop)
            here = min(most, piece.stop) - stop
            count, used = piece.fitting(stop, here, room)
            stop += count
            room -= used + len(self._codec.between)
            if count < here:
                break
        if stop == start and self.remaining():
            stop = start + 1  # a contact larger than a body may be: the platform says so itself
        if stop == start:
            return None
        self._place, self._cut = stop, self._cut + 1
        return ((start, stop),)

    def load(self, batch: Batch) -> WireContacts:
        """The contacts of a batch, encoded."""
        texts: list[bytes] = []
        people: list[pl.DataFrame] = []
        for piece, start, stop in self._parts(batch):
            text, who = piece.part(start, stop)
            texts.append(text)
            people.append(who)
        body = self._codec.body(self._codec.between.join(texts))
        return WireContacts(body, pl.concat(people), lambda: not self.suppressed(batch))

    def suppressed(self, batch: Batch) -> Sequence[Suppression]:
        """Those of a batch who have opted out since the scrub.

        Raises:
            CheckFile: Nobody can say, as a list cannot be used any more.
        """
        if self._optouts is None:
            return ()
        standing = self._optouts.standing()
        if self._cleared.get(batch.id, self._optouts.at_scrub) == standing:
            return ()
        found = list(self._find(batch, self._optouts, standing))
        if not found:
            _remember(self._cleared, batch.id, standing, _REMEMBERED)
        return found

    def _find(self, batch: Batch, optouts: LateOptOuts, standing: Standing) -> Iterator[Suppression]:
        at, before = iso(self._now()) or "", 0
        for piece, start, stop in self._parts(batch):
            for position, field, reasons in self._look(piece.start, optouts, standing).iter_rows():
                place = piece.start + position
                if start <= place < stop:
                    yield Suppression(before + place - start, field, reasons, at)
            before += stop - start

    def _look(self, place: int, optouts: LateOptOuts, standing: Standing) -> pl.DataFrame:
        """Who of the piece that begins at a place has opted out: once for all its batches, until another one does."""
        looked = self._looked.get(place)
        if looked is not None and looked[0] == standing:
            return looked[1]
        staged = self._stage.at(place).part(place, _AT_ONCE)
        found = optouts.among(pl.concat([staged.contacts, staged.withheld], how="horizontal"), staged.raw)
        _remember(self._looked, place, (standing, found), _KEPT)
        return found

    def _parts(self, batch: Batch) -> Iterator[tuple[_Piece, int, int]]:
        """The pieces that a batch touches, in order, each with the places of the batch in it: from, up to."""
        for start, stop in batch.spans:
            while start < stop:
                piece = self._piece(start)
                end = min(stop, piece.stop)
                yield piece, start, end
                start = end  # noqa: PLW2901 - a span is walked piece by piece

    def _piece(self, place: int) -> _Piece:
        """The piece with this place."""
        return self._begin(place).result()

    def _begin(self, place: int) -> Future[_Piece]:
        """Have the piece with this place encoded, unless that has been begun."""
        start = self._stage.start_of_part(place, _AT_ONCE)
        if start not in self._pieces:
            _remember(self._pieces, start, self._encoding.submit(self._encoded, start), _KEPT)
        return self._pieces[start]

    def _encoded(self, start: int) -> _Piece:
        contacts = self._stage.at(start).part(start, _AT_ONCE).contacts
        encoded = self._codec.encode(contacts.drop(ROW))
        between = self._codec.between
        steps = np.cumsum(encoded.str.len_bytes().to_numpy() + np.int64(len(between)))
        starts = np.concatenate([np.zeros(1, np.int64), steps[:-1]])
        text: bytes = encoded.str.join(between.decode()).cast(pl.Binary)[0]
        return _Piece(start, text, starts, steps - len(between), _people(contacts))


def _remember(kept: OrderedDict[int, Made], key: int, made: Made, most: int) -> None:
    """Keep what was made last, and no more than so many."""
    kept[key] = made
    if len(kept) > most:
        kept.popitem(last=False)


def _people(contacts: pl.DataFrame) -> pl.DataFrame:
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in IDENTITY_FIELDS if name not in contacts.columns]
    return contacts.with_columns(absent).select(IDENTITY_FIELDS)
