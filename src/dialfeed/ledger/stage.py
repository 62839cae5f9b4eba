"""The stage: contacts that are fit to send, on disk between the check of the whole file and the delivery.

One Arrow file a chunk, written once. It holds each contact as it will be sent and its row as it was read, so that a
run can be resumed on another machine with nothing but its folder; a column that normalising did not change is held
once (`stage.json` tells which). A contact's *place* is its number among the survivors, from 0; places are what batches
are made of.
"""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from dialfeed.contacts.duplicates import Hashes, candidates, confirm, hash_identity, identity, sum_of
from dialfeed.contacts.fields import IDENTITY_FIELDS, WITHHELD
from dialfeed.contacts.findings import ROW
from dialfeed.files import sync_file, write_json

RAW = "raw."
"""Prefix of the columns that hold the row as it was read; the contact's own columns have none."""


@dataclass(frozen=True, slots=True)
class Staged:
    """One chunk in the form in which it is kept.

    Attributes:
        frame: `ROW`, the contacts' columns that normalising changed, and the rows as they were read.
        columns: All columns of the contacts, in order.
        same: Contacts' columns that are not in the frame → the position of the equal column of the rows.
        hashes: The contacts' identities, hashed.
    """

    frame: pl.DataFrame
    columns: list[str]
    same: dict[str, str]
    hashes: Hashes


def staged(contacts: pl.DataFrame, raw: pl.DataFrame, came_from: Mapping[str, str]) -> Staged:
    """Put one chunk into the form in which it is kept.

    Args:
        contacts: `ROW` and the columns to send.
        raw: Their rows as they were read, line by line beside them, columns named by position.
        came_from: Contacts' columns → the position that they were made from.
    """
    same = {
        name: position
        for name, position in came_from.items()
        if name in contacts.columns and contacts.schema[name] == pl.String and contacts[name].equals(raw[position])
    }
    rows = raw.rename({name: RAW + name for name in raw.columns})
    frame = pl.concat([contacts.drop(same), rows], how="horizontal")
    return Staged(frame, contacts.columns, same, hash_identity(contacts))


class StageWriter:
    """Takes checked chunks in order, and finds the duplicates among all of them at the end.

    A sealed stage survives a power failure: a run that goes on after one may have nothing else to go by. The chunks are
    synced beside the work on the next ones.

    Args:
        folder: An existing, empty folder that only this run uses.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hashes = (folder / "hashes.bin").open("wb")
        self._chunks: list[dict[str, Any]] = []
        self._syncing = ThreadPoolExecutor(1, "sync")
        self._synced: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._syncing.shutdown(cancel_futures=True)
        with suppress(OSError):  # a full disk has been told by then
            self._hashes.close()

    def add(self, staged: Staged) -> None:
        """Stage one chunk."""
        if not len(staged.frame):
            return
        self._hashes.write(staged.hashes.data)
        self._put(len(self._chunks), staged)

    def revise(
        self, work: Callable[[pl.DataFrame], pl.DataFrame | None], came_from: Mapping[str, str]
    ) -> Iterator[pl.DataFrame]:
        """Let contacts that are staged be looked at once more, now that all of them are known.

        Args:
            work: From the contacts of a chunk, with what was withheld, to those that stay, changed as they must be;
                None where nothing changes.
            came_from: Contacts' columns → the position that they were made from.

        Yields:
            After each chunk that changed: all its rows as they were read, with `ROW`.
        """
        self._hashes.flush()
        with (self._folder / "revised.bin").open("wb") as revised:
            hashes, place = _map_hashes(self._folder / "hashes.bin"), 0
            for number, facts in enumerate(self._chunks):
                before = facts["length"]
                frame = _read(self._folder, number)
                contacts = work(_contacts(frame, facts))
                if contacts is None:
                    revised.write(hashes[place : place + before].data)
                else:
                    raw = _raw(frame)
                    stays = frame[ROW].is_in(contacts[ROW].implode())
                    again = staged(contacts, raw.filter(stays), came_from)
                    revised.write(again.hashes.data)
                    self._put(number, again)
                    yield raw.with_columns(frame[ROW])
                place += before
        self._hashes.close()
        (self._folder / "revised.bin").replace(self._folder / "hashes.bin")
        self._hashes = (self._folder / "hashes.bin").open("ab")

    def _put(self, number: int, staged: Staged) -> None:
        """Write a chunk, in the place of what was there."""
        part = self._folder / f".{_name(number)}"
        staged.frame.write_ipc(part, compression="uncompressed")
        file = part.replace(self._folder / _name(number))
        self._synced.append(self._syncing.submit(sync_file, file))
        facts = {"length": len(staged.frame), "columns": staged.columns, "same": staged.same}
        self._chunks[number : number + 1] = [facts]

    def seal(self) -> Stage:
        """Find the duplicates, and make the stage ready to be read."""
        self._hashes.close()
        starts = np.cumsum([0, *(chunk["length"] for chunk in self._chunks)])
        hashes = _map_hashes(self._folder / "hashes.bin")
        duplicates = confirm(self._identities(candidates(hashes), starts))
        identities = sum_of(hashes, duplicates["place"].to_numpy())
        duplicates.write_ipc(self._folder / "duplicates.arrow", compression="uncompressed")
        (self._folder / "hashes.bin").unlink()
        sync_file(self._folder / "duplicates.arrow")
        for synced in self._synced:
            synced.result()
        write_json(self._folder / "stage.json", {"chunks": self._chunks, "identities": identities})
        return Stage(self._folder)

    def _identities(self, found: npt.NDArray[np.int64], starts: npt.NDArray[np.int64]) -> Iterator[pl.DataFrame]:
        for number, facts in enumerate(self._chunks):
            inside = found[np.searchsorted(found, starts[number]) : np.searchsorted(found, starts[number + 1])]
            if len(inside):
                columns = [name for name in facts["columns"] if name.removeprefix(WITHHELD) in IDENTITY_FIELDS]
                kept_in = _kept_in(facts, columns)
                frame = pl.read_ipc(self._folder / _name(number), columns=[*dict.fromkeys(kept_in.values())])
                taken = identity(_named(frame[(inside - starts[number]).tolist()], kept_in))
                yield taken.insert_column(0, pl.Series("place", inside))


@dataclass(frozen=True, slots=True)
class StagedChunk:
    """Some survivors with consecutive places.

    Attributes:
        start: The place of the first.
        contacts: `ROW` and the columns to send.
        raw: The rows as they were read, with the source's column positions as names.
        withheld: What the scrub withheld of them, where it did of any of the chunk.
    """

    start: int
    contacts: pl.DataFrame
    raw: pl.DataFrame
    withheld: pl.DataFrame

    @property
    def stop(self) -> int:
        """The place behind the last."""
        return self.start + len(self.contacts)

    def part(self, start: int, size: int) -> StagedChunk:
        """The contacts from place `start` on, `size` or fewer."""
        inside = slice(start - self.start, start - self.start + size)
        return StagedChunk(start, self.contacts[inside], self.raw[inside], self.withheld[inside])


class Stage:
    """A sealed stage.

    Args:
        folder: Where a `StageWriter` has sealed it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: dict[str, Any] = json.loads((folder / "stage.json").read_text("utf-8"))
        self._chunks: list[dict[str, Any]] = self._told["chunks"]
        self._duplicates = pl.read_ipc(folder / "duplicates.arrow")
        starts = np.cumsum([0, *(chunk["length"] for chunk in self._chunks)])
        self._starts = starts
        self._first_duplicate = np.searchsorted(self._duplicates["place"].to_numpy(), starts)
        self._survivors = (starts - self._first_duplicate).tolist()
        self._cached: StagedChunk | None = None

    @property
    def size(self) -> int:
        """How many contacts are fit to send."""
        return int(self._survivors[-1])

    @property
    def identities(self) -> str:
        """What stands for the identities of all contacts fit to send, whatever their order; empty without contacts.

        Whoever guesses a few contacts can confirm them by it: outside of this folder only under a key.
        """
        return f"{self.size}:{self._told['identities']:016x}" if self.size else ""

    @property
    def duplicates(self) -> int:
        """How many contacts were found to be duplicates."""
        return len(self._duplicates)

    def chunks(self, start: int = 0) -> Iterator[StagedChunk]:
        """All survivors from place `start`'s chunk on, in order."""
        for number in range(max(0, self._number_of(start)), len(self._chunks)):
            yield self._survivors_of(number)

    def duplicate_rows(self) -> Iterator[pl.DataFrame]:
        """The duplicates chunk by chunk: raw columns, `ROW` and `_survivor_row`."""
        rows = self._rows_of_survivors()
        for number in range(len(self._chunks)):
            first, last = self._first_duplicate[number], self._first_duplicate[number + 1]
            if first == last:
                continue
            frame = _read(self._folder, number)
            part = self._duplicates[int(first) : int(last)]
            taken = frame[(part["place"] - int(self._starts[number])).to_list()]
            yield _raw(taken).with_columns(taken[ROW], part.join(rows, on="survivor", how="left")["_survivor_row"])

    def at(self, place: int) -> StagedChunk:
        """The chunk that holds a place; the last one asked for, by whatever thread, is kept at hand."""
        chunk = self._cached
        if chunk is None or not chunk.start <= place < chunk.stop:
            self._cached = chunk = self._survivors_of(self._number_of(place))
        return chunk

    def end_of(self, place: int) -> int:
        """The place behind the last of the chunk that holds a place."""
        return int(self._survivors[self._number_of(place) + 1])

    def start_of_part(self, place: int, size: int) -> int:
        """The place of the first of the part that holds a place, where chunks are divided into parts of `size`."""
        start = int(self._survivors[self._number_of(place)])
        return start + (place - start) // size * size

    def _number_of(self, place: int) -> int:
        """Which chunk holds a place."""
        return bisect.bisect_right(self._survivors, place) - 1

    def _survivors_of(self, number: int) -> StagedChunk:
        frame = _read(self._folder, number)
        first, last = int(self._first_duplicate[number]), int(self._first_duplicate[number + 1])
        if first != last:
            keep = np.ones(len(frame), dtype=bool)
            keep[self._duplicates["place"][first:last].to_numpy() - int(self._starts[number])] = False
            frame = frame.filter(pl.Series(keep))
        contacts = _contacts(frame, self._chunks[number])
        withheld = contacts.select(pl.col(f"^{re.escape(WITHHELD)}.*$"))
        return StagedChunk(int(self._survivors[number]), contacts.drop(withheld.columns), _raw(frame), withheld)

    def _rows_of_survivors(self) -> pl.DataFrame:
        """Row numbers of the contacts that have duplicates."""
        wanted = self._duplicates["survivor"].unique().sort().to_numpy()
        rows: list[pl.Series] = [pl.Series(ROW, [], dtype=pl.Int64)]
        for number in range(len(self._chunks)):
            start, stop = self._starts[number], self._starts[number + 1]
            inside = wanted[np.searchsorted(wanted, start) : np.searchsorted(wanted, stop)]
            if len(inside):
                chunk = pl.read_ipc(self._folder / _name(number), columns=[ROW])
                rows.append(chunk[ROW][(inside - start).tolist()])
        return pl.DataFrame({"survivor": wanted, "_survivor_row": pl.concat(rows)})


def _name(number: int) -> str:
    return f"{number:06}.arrow"


def _read(folder: Path, number: int) -> pl.DataFrame:
    return pl.read_ipc(folder / _name(number))


def _contacts(frame: pl.DataFrame, facts: Mapping[str, Any]) -> pl.DataFrame:
    """The contacts of a kept chunk, with what the scrub withheld."""
    return _named(frame, _kept_in(facts, facts["columns"]))


def _kept_in(facts: Mapping[str, Any], columns: Iterable[str]) -> dict[str, str]:
    """Contacts' columns → the columns of a kept chunk that hold them."""
    same: Mapping[str, str] = facts["same"]
    return {name: RAW + same[name] if name in same else name for name in columns}


def _named(frame: pl.DataFrame, kept_in: Mapping[str, str]) -> pl.DataFrame:
    return frame.select(pl.col(column).alias(name) for name, column in kept_in.items())


def _raw(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col(f"^{RAW}.*$").name.map(lambda name: name.removeprefix(RAW)))


def _map_hashes(path: Path) -> npt.NDArray[np.uint64]:
    if path.stat().st_size == 0:
        return np.empty(0, dtype=np.uint64)
    return np.memmap(path, dtype=np.uint64, mode="r")
