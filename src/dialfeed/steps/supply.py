"""Step 6 of the road: contacts become batches.

Batches depend on nothing but the contacts and the platform's limits: not on chunks, threads or timing. A resumed run
cuts on where the ledger says the last one was cut, and comes to the same batches.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import polars as pl

from dialfeed.contacts.fields import IDENTITY_FIELDS
from dialfeed.contacts.findings import ROW
from dialfeed.delivery.batches import Batch, Span
from dialfeed.delivery.sizes import size_limit
from dialfeed.ledger.stage import Stage, StagedChunk
from dialfeed.platforms.base import Codec, Limits, WireContacts

_AT_ONCE = 8192
"""Contacts encoded together: few enough that requests under way need not wait for it."""

_KEPT = 2
"""Encoded pieces kept at hand: the one being cut, and the one before, for batches that span both."""


class StageSupply:
    """Cuts and loads batches from a stage.

    Args:
        stage: The contacts that are fit to send.
        codec: Makes them the platform's text.
        limits: How much goes into a batch.
        batches: How many batches have been cut before.
        place: Where the last of them ended.
    """

    def __init__(self, stage: Stage, codec: Codec, limits: Limits, *, batches: int = 0, place: int = 0) -> None:
        self._stage = stage
        self._codec = codec
        self._limits = limits
        self._cut = batches
        self._place = place
        self._encoded: OrderedDict[int, tuple[StagedChunk, pl.Series]] = OrderedDict()

    def remaining(self) -> int:
        """How many contacts are not in a batch yet."""
        return self._stage.size - self._place

    def cut(self) -> tuple[Span, ...] | None:
        """The next batch: as many contacts as its size and the body's bytes allow, at least one."""
        start, wanted = self._place, size_limit(self._cut, self._limits.batch_contacts)
        stop, room = start, self._limits.batch_bytes - len(self._codec.body(pl.Series([], dtype=pl.String)))
        while stop < self._stage.size and stop - start < wanted:
            chunk, encoded = self._encode(stop)
            part = encoded[stop - chunk.start : stop - chunk.start + wanted - (stop - start)]
            filled = np.cumsum(part.str.len_bytes().to_numpy().astype(np.int64) + 1)
            fitting = int(np.searchsorted(filled, room + 1, side="right"))
            stop += fitting
            room -= int(filled[fitting - 1]) if fitting else 0
            if fitting < len(part):
                break
        if stop == start and self.remaining():
            stop = start + 1  # a contact larger than a body may be: the platform says so itself
        if stop == start:
            return None
        self._place, self._cut = stop, self._cut + 1
        return ((start, stop),)

    def load(self, batch: Batch) -> WireContacts:
        """The contacts of a batch, encoded."""
        texts: list[pl.Series] = []
        people: list[pl.DataFrame] = []
        for start, stop in batch.spans:
            while start < stop:
                chunk, encoded = self._encode(start)
                inside = slice(start - chunk.start, min(stop, chunk.stop) - chunk.start)
                texts.append(encoded[inside])
                people.append(_people(chunk.contacts[inside]))
                start = min(stop, chunk.stop)  # noqa: PLW2901 - a span is walked chunk by chunk
        return WireContacts(self._codec.body(pl.concat(texts)), pl.concat(people))

    def _encode(self, place: int) -> tuple[StagedChunk, pl.Series]:
        for chunk, encoded in self._encoded.values():
            if chunk.start <= place < chunk.stop:
                return chunk, encoded
        piece = self._stage.at(place).piece(place, _AT_ONCE)
        self._encoded[piece.start] = piece, self._codec.encode(piece.contacts.drop(ROW))
        if len(self._encoded) > _KEPT:
            self._encoded.popitem(last=False)
        return self._encoded[piece.start]


def _people(contacts: pl.DataFrame) -> pl.DataFrame:
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in IDENTITY_FIELDS if name not in contacts.columns]
    return contacts.with_columns(absent).select(IDENTITY_FIELDS)
