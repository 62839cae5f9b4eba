"""The last step of the road: which contact ended where, in files, from nothing but the ledger and the stage.

So the files can be made again at any time, also after a crash, and always come out the same, however much of them was
written while the delivery went on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from dialfeed.contacts.findings import ROW
from dialfeed.contacts.phone import phone_kinds
from dialfeed.contacts.reasons import BY_CODE
from dialfeed.files import sync_folder
from dialfeed.ledger.folder import RunFolder
from dialfeed.ledger.ledger import Ledger, Refusal, Suppressed
from dialfeed.ledger.stage import Stage, StagedChunk
from dialfeed.reports.rowfiles import REASONED, ContactRows, MoreRows, RawRows, message

FILES = ("delivered.csv", "refused.csv", "unknown.csv", "failed.csv")

_BUCKETS = {"delivered": "delivered", "open": "unknown", "unknown": "unknown", "waiting": "failed", "failed": "failed"}
_CODES = {
    "unknown": "unknown.answer_lost",
    "failed": "failed.not_sent",
    "suppressed": "suppressed.opted_out_since",
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many contacts are in each file, and the reasons of those that are not delivered."""

    rows: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)


class Recorder:
    """Writes `delivered.csv`, `refused.csv`, `unknown.csv` and `failed.csv`, in the order of the contacts.

    Contacts that nothing more will become of can be written while others are on their way (`advance`), the rest at the
    end (`finish`). Only then do the files come into the run's folder, each whole; until then they are with the stage,
    and what a process that dies leaves of them goes with it.

    Args:
        folder: The run's folder, with its stage and its ledger.
        header: The source's column names.
        passed: The names of the passed-through columns.
    """

    def __init__(self, folder: RunFolder, header: Sequence[str], passed: Sequence[str]) -> None:
        self._folder = folder
        self._header = header
        self._passed = passed
        self._files: _Files | None = None
        self._can_advance = True

    def advance(self) -> bool:
        """Write the next chunk if nothing more will become of its contacts; for a thread beside the delivery.

        Returns:
            Whether there was one. Where it cannot be written there is none, and `finish` begins anew.
        """
        try:
            with Ledger(self._folder.ledger) as ledger:
                return self._can_advance and self._open().advance(ledger)
        except Exception as error:  # noqa: BLE001 - whatever it is, the delivery goes on, and `finish` meets it again
            self._can_advance = False
            files, self._files = self._files, None
            if files is not None:
                files.close(error)
            return False

    def finish(self, ledger: Ledger) -> Recorded:
        """Write what is left as it stands, and put the files in their place."""
        files = self._open()
        try:
            while files.write_next(ledger):
                pass
        except BaseException as error:
            files.close(error)
            raise
        files.close()
        for name in FILES:
            (self._folder.stage / name).replace(self._folder.path / name)
        sync_folder(self._folder.path)
        return files.recorded

    def _open(self) -> _Files:
        self._files = self._files or _Files(self._folder.stage, self._header, self._passed)
        return self._files


class _Files:
    """The row files that are being written, and how far they are."""

    def __init__(self, folder: Path, header: Sequence[str], passed: Sequence[str]) -> None:
        self.recorded = Recorded()
        self._stage = Stage(folder)
        self._place = 0
        self._opened = ExitStack()
        ours = ("_row", "_batch", "_id", "_phone_type")
        self._delivered = self._opened.enter_context(ContactRows(folder / "delivered.csv", passed, ours))
        self._others = {
            name: self._opened.enter_context(RawRows(folder / f"{name}.csv", header, REASONED))
            for name in ("refused", "unknown", "failed")
        }

    def advance(self, ledger: Ledger) -> bool:
        """Write the next chunk if nothing more will become of its contacts; the end need not wait for its sync."""
        wrote = self.write_next(ledger, ledger.settled_up_to())
        for file in (self._delivered, *self._others.values()) if wrote else ():
            file.sync()
        return wrote

    def write_next(self, ledger: Ledger, up_to: int | None = None) -> bool:
        """Write the next chunk, if there is one that ends at the place `up_to` or before; tells whether there was."""
        if self._place == self._stage.size or (up_to is not None and self._stage.end_of(self._place) > up_to):
            return False
        self._write(self._stage.at(self._place), ledger)
        self._place = self._stage.end_of(self._place)
        return True

    def _write(self, chunk: StagedChunk, ledger: Ledger) -> None:
        outcomes = _outcomes(chunk, ledger)
        contacts = pl.concat([chunk.contacts, outcomes.select("_batch", "_id")], how="horizontal")
        self._delivered.write(_with_phone_types(contacts.filter(outcomes["bucket"] == "delivered")))
        told = pl.concat([chunk.raw, chunk.contacts.select(ROW), outcomes], how="horizontal")
        for name, file in self._others.items():
            file.write(told.filter(pl.col("bucket") == name))
        self.recorded.rows.update(dict(outcomes.group_by("bucket").len().iter_rows()))
        self.recorded.reasons.update(dict(outcomes.drop_nulls("_code").group_by("_code").len().iter_rows()))

    def close(self, error: BaseException | None = None) -> None:
        """Close the files; they are synced unless something went wrong."""
        self._opened.__exit__(type(error) if error else None, error, None)


def record_suppressed(folder: Path, header: Sequence[str], scrubbed: int, stage: Stage, ledger: Ledger) -> None:
    """Write the contacts that opted out before they were sent into `suppressed.csv`, behind those of the scrub.

    Args:
        folder: The run's folder.
        header: The source's column names.
        scrubbed: How many rows the scrub has put into the file.
        stage: The contacts that were fit to send.
        ledger: What became of them.
    """
    with MoreRows(folder / "suppressed.csv", header, REASONED, scrubbed) as file:
        for chunk in stage.chunks():
            if ledger.suppressions(chunk.start, chunk.stop):
                outcomes = _outcomes(chunk, ledger)
                told = pl.concat([chunk.raw, chunk.contacts.select(ROW), outcomes], how="horizontal")
                file.write(told.filter(pl.col("bucket") == "suppressed"))


def _with_phone_types(contacts: pl.DataFrame) -> pl.DataFrame:
    """Contacts with `_phone_type`: mobile, fixed_line, toll_free …; null where there is no phone."""
    return contacts.with_columns(phone_kinds(contacts["phone"]).alias("_phone_type"))


def contacts_in(stage: Stage, ledger: Ledger, *buckets: str) -> Iterator[pl.DataFrame]:
    """The contacts in some buckets, in order, by what the ledger knows."""
    for chunk in stage.chunks():
        yield chunk.contacts.filter(_outcomes(chunk, ledger)["bucket"].is_in(buckets))


def _outcomes(chunk: StagedChunk, ledger: Ledger) -> pl.DataFrame:
    """What became of each contact of a chunk: `bucket`, `_batch`, `_id`, `_field`, `_code`, `_message`."""
    size = chunk.stop - chunk.start
    buckets = np.full(size, "failed", dtype=object)
    batches = np.zeros(size, dtype=np.int64)
    ids: list[str | None] = [None] * size
    for entry in ledger.entries(chunk.start, chunk.stop):
        position = 0
        for start, stop in entry.batch.spans:
            first, last = max(start, chunk.start), min(stop, chunk.stop)
            if first < last:
                inside = slice(first - chunk.start, last - chunk.start)
                buckets[inside] = _BUCKETS[entry.state]
                batches[inside] = entry.batch.id
                known = entry.ids[position + first - start : position + last - start]
                ids[inside.start : inside.start + len(known)] = known
            position += stop - start
    refusals = ledger.refusals(chunk.start, chunk.stop)
    buckets[[refusal.place - chunk.start for refusal in refusals]] = "refused"
    suppressions = ledger.suppressions(chunk.start, chunk.stop)
    buckets[[suppressed.place - chunk.start for suppressed in suppressions]] = "suppressed"
    frame = pl.DataFrame(
        {"bucket": buckets.tolist(), "_batch": batches, "_id": ids},
        schema={"bucket": pl.String, "_batch": pl.Int64, "_id": pl.String},
    )
    return _with_fields(_with_reasons(frame, chunk.start, refusals), chunk.start, suppressions)


def _with_fields(frame: pl.DataFrame, start: int, suppressions: Sequence[Suppressed]) -> pl.DataFrame:
    """Of those who opted out, the fields by which they may not be reached any more."""
    if not suppressions:
        return frame
    fields = pl.DataFrame(
        [(each.place - start, each.field) for each in suppressions],
        schema={"at": pl.UInt32, "_field": pl.String},
        orient="row",
    )
    joined = fields.group_by("at", maintain_order=True).agg(pl.col("_field").str.join("; "))
    return frame.with_row_index("at").update(joined, on="at").drop("at")


def _with_reasons(frame: pl.DataFrame, start: int, refusals: Sequence[Refusal]) -> pl.DataFrame:
    by_bucket = pl.col("bucket").replace_strict(_CODES, default=None, return_dtype=pl.String)
    frame = frame.with_columns(
        _field=pl.lit(None, dtype=pl.String),
        _code=by_bucket,
        _message=by_bucket.replace_strict({code: message(code) for code in _CODES.values()}, default=None),
    )
    if not refusals:
        return frame
    refused = pl.DataFrame(
        [(each.place - start, each.field, each.code, _words(each)) for each in refusals],
        schema={"at": pl.UInt32, "_field": pl.String, "_code": pl.String, "_message": pl.String},
        orient="row",
    )
    return frame.with_row_index("at").update(refused, on="at").drop("at")


def _words(refusal: Refusal) -> str:
    sentence = BY_CODE[refusal.code].sentence
    return f"{sentence} It said: {refusal.words}" if refusal.words else sentence
