"""The last step of the road: which contact ended where, in files, from nothing but the ledger and the stage.

So the files can be made again at any time, also after a crash, and always come out the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from dialfeed.contacts.findings import ROW
from dialfeed.contacts.phone import phone_kinds
from dialfeed.contacts.reasons import BY_CODE
from dialfeed.ledger.ledger import Ledger, Refusal
from dialfeed.ledger.stage import Stage, StagedChunk
from dialfeed.reports.rowfiles import REASONED, ContactRows, RawRows, message

_BUCKETS = {"delivered": "delivered", "open": "unknown", "unknown": "unknown", "waiting": "failed", "failed": "failed"}
_CODES = {"unknown": "unknown.answer_lost", "failed": "failed.not_sent"}


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many contacts are in each file, and the reasons of those that are not delivered."""

    rows: Counter[str]
    reasons: Counter[str]


def record(folder: Path, header: Sequence[str], passed: Sequence[str], stage: Stage, ledger: Ledger) -> Recorded:
    """Write `delivered.csv`, `refused.csv`, `unknown.csv` and `failed.csv`.

    Args:
        folder: The run's folder.
        header: The source's column names.
        passed: The names of the passed-through columns.
        stage: The contacts that were fit to send.
        ledger: What became of them.
    """
    rows: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    with ExitStack() as open_files:
        delivered = open_files.enter_context(
            ContactRows(folder / "delivered.csv", passed, ("_row", "_batch", "_id", "_phone_type"))
        )
        others = {name: RawRows(folder / f"{name}.csv", header, REASONED) for name in ("refused", "unknown", "failed")}
        for file in others.values():
            open_files.enter_context(file)
        for chunk in stage.chunks():
            outcomes = _outcomes(chunk, ledger)
            contacts = pl.concat([chunk.contacts, outcomes.select("_batch", "_id")], how="horizontal")
            delivered.write(_with_phone_types(contacts.filter(outcomes["bucket"] == "delivered")))
            told = pl.concat([chunk.raw, chunk.contacts.select(ROW), outcomes], how="horizontal")
            for name, file in others.items():
                file.write(told.filter(pl.col("bucket") == name))
            rows.update(dict(outcomes.group_by("bucket").len().iter_rows()))
            reasons.update(dict(outcomes.drop_nulls("_code").group_by("_code").len().iter_rows()))
    return Recorded(rows, reasons)


def _with_phone_types(contacts: pl.DataFrame) -> pl.DataFrame:
    """Contacts with `_phone_type`: mobile, fixed_line, toll_free …; null where there is no phone."""
    return contacts.with_columns(phone_kinds(contacts["phone"]).alias("_phone_type"))


def delivered_contacts(stage: Stage, ledger: Ledger) -> Iterator[pl.DataFrame]:
    """The contacts that are on the list, in order, by what the ledger knows."""
    for chunk in stage.chunks():
        yield chunk.contacts.filter(_outcomes(chunk, ledger)["bucket"] == "delivered")


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
    frame = pl.DataFrame(
        {"bucket": buckets.tolist(), "_batch": batches, "_id": ids},
        schema={"bucket": pl.String, "_batch": pl.Int64, "_id": pl.String},
    )
    return _with_reasons(frame, chunk.start, refusals)


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
