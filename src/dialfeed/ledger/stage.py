"""The stage: contacts that are fit to send, on disk between the check of the whole file and the delivery.

One Arrow file a chunk, written once and mapped when read. It holds each contact as it will be sent and its row as it
was read, so that a run can be resumed on another machine with nothing but its folder. A contact's *place* is its
number among the survivors, from 0; places are what batches are made of.
"""

from __future__ import annotations

import bisect
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import polars as pl

from dialfeed.contacts.duplicates import candidates, confirm, hash_identity, identity
from dialfeed.contacts.findings import ROW
from dialfeed.contacts.scrub import WITHHELD

RAW = "raw."
"""Prefix of the columns that hold the row as it was read; the contact's own columns have none."""


class StageWriter:
    """Takes checked chunks in order, and finds the duplicates among all of them at the end.

    Args:
        folder: An existing, empty folder that only this run uses.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hashes = (folder / "hashes.bin").open("wb")
        self._lengths: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # a full disk has been told by then
            self._hashes.close()

    def add(self, contacts: pl.DataFrame, raw: pl.DataFrame) -> None:
        """Stage one chunk: contacts (`ROW` and wire columns) and their rows as read, line by line beside them."""
        if not len(contacts):
            return
        hash_identity(contacts).tofile(self._hashes)
        rows = raw.rename({name: RAW + name for name in raw.columns})
        staged = pl.concat([contacts, rows], how="horizontal")
        staged.write_ipc(self._folder / _name(len(self._lengths)), compression="uncompressed")
        self._lengths.append(len(contacts))

    def seal(self) -> Stage:
        """Find the duplicates, and make the stage ready to be read."""
        self._hashes.close()
        starts = np.cumsum([0, *self._lengths])
        found = candidates(_map_hashes(self._folder / "hashes.bin"))
        duplicates = confirm(self._identities(found, starts))
        duplicates.write_ipc(self._folder / "duplicates.arrow", compression="uncompressed")
        (self._folder / "hashes.bin").unlink()
        (self._folder / "stage.json").write_text(json.dumps({"lengths": self._lengths}), "utf-8")
        return Stage(self._folder)

    def _identities(self, found: npt.NDArray[np.int64], starts: npt.NDArray[np.int64]) -> Iterator[pl.DataFrame]:
        for number in range(len(self._lengths)):
            inside = found[np.searchsorted(found, starts[number]) : np.searchsorted(found, starts[number + 1])]
            if len(inside):
                chunk = pl.read_ipc(self._folder / _name(number))
                taken = identity(chunk[(inside - starts[number]).tolist()])
                yield taken.insert_column(0, pl.Series("place", inside))


@dataclass(frozen=True, slots=True)
class StagedChunk:
    """Some survivors with consecutive places.

    Attributes:
        start: The place of the first.
        contacts: `ROW` and the columns to send.
        raw: The rows as they were read, with the source's column positions as names.
    """

    start: int
    contacts: pl.DataFrame
    raw: pl.DataFrame

    @property
    def stop(self) -> int:
        """The place behind the last."""
        return self.start + len(self.contacts)


class Stage:
    """A sealed stage.

    Args:
        folder: Where a `StageWriter` has sealed it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lengths: list[int] = json.loads((folder / "stage.json").read_text("utf-8"))["lengths"]
        self._duplicates = pl.read_ipc(folder / "duplicates.arrow")
        starts = np.cumsum([0, *self._lengths])
        self._starts = starts
        self._first_duplicate = np.searchsorted(self._duplicates["place"].to_numpy(), starts)
        self._survivors = (starts - self._first_duplicate).tolist()
        self._cached: tuple[int, StagedChunk] | None = None

    @property
    def size(self) -> int:
        """How many contacts are fit to send."""
        return int(self._survivors[-1])

    @property
    def duplicates(self) -> int:
        """How many contacts were found to be duplicates."""
        return len(self._duplicates)

    def chunks(self, start: int = 0) -> Iterator[StagedChunk]:
        """All survivors from place `start`'s chunk on, in order."""
        for number in range(max(0, bisect.bisect_right(self._survivors, start) - 1), len(self._lengths)):
            yield self._survivors_of(number)

    def duplicate_rows(self) -> Iterator[pl.DataFrame]:
        """The duplicates chunk by chunk: raw columns, `ROW` and `_survivor_row`."""
        rows = self._rows_of_survivors()
        for number in range(len(self._lengths)):
            first, last = self._first_duplicate[number], self._first_duplicate[number + 1]
            if first == last:
                continue
            frame = pl.read_ipc(self._folder / _name(number))
            part = self._duplicates[int(first) : int(last)]
            taken = frame[(part["place"] - int(self._starts[number])).to_list()]
            yield _raw(taken).with_columns(taken[ROW], part.join(rows, on="survivor", how="left")["_survivor_row"])

    def at(self, place: int) -> StagedChunk:
        """The chunk that holds a place; the last one asked for is kept at hand."""
        if self._cached is None or not self._cached[1].start <= place < self._cached[1].stop:
            number = bisect.bisect_right(self._survivors, place) - 1
            self._cached = (number, self._survivors_of(number))
        return self._cached[1]

    def _survivors_of(self, number: int) -> StagedChunk:
        frame = pl.read_ipc(self._folder / _name(number))
        first, last = int(self._first_duplicate[number]), int(self._first_duplicate[number + 1])
        if first != last:
            keep = np.ones(len(frame), dtype=bool)
            keep[self._duplicates["place"][first:last].to_numpy() - int(self._starts[number])] = False
            frame = frame.filter(pl.Series(keep))
        contacts = frame.select(pl.exclude(f"^{RAW}.*$", f"^{WITHHELD}.*$"))
        return StagedChunk(int(self._survivors[number]), contacts, _raw(frame))

    def _rows_of_survivors(self) -> pl.DataFrame:
        """Row numbers of the contacts that have duplicates."""
        wanted = self._duplicates["survivor"].unique().sort().to_numpy()
        rows: list[pl.Series] = [pl.Series(ROW, [], dtype=pl.Int64)]
        for number in range(len(self._lengths)):
            start, stop = self._starts[number], self._starts[number + 1]
            inside = wanted[np.searchsorted(wanted, start) : np.searchsorted(wanted, stop)]
            if len(inside):
                chunk = pl.read_ipc(self._folder / _name(number), columns=[ROW])
                rows.append(chunk[ROW][(inside - start).tolist()])
        return pl.DataFrame({"survivor": wanted, "_survivor_row": pl.concat(rows)})


def _name(number: int) -> str:
    return f"{number:06}.arrow"


def _raw(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col(f"^{RAW}.*$").name.map(lambda name: name.removeprefix(RAW)))


def _map_hashes(path: Path) -> npt.NDArray[np.uint64]:
    if path.stat().st_size == 0:
        return np.empty(0, dtype=np.uint64)
    return np.memmap(path, dtype=np.uint64, mode="r")
