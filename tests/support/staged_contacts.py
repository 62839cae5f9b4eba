"""Made-up contacts, and stages of them."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from dialfeed.contacts.findings import ROW
from dialfeed.ledger.stage import Stage, StageWriter, staged


def contacts(count: int, text: str = "x") -> pl.DataFrame:
    numbers = pl.arange(count, eager=True)
    return pl.DataFrame(
        {
            ROW: numbers + 2,
            "externalId": numbers.cast(pl.String),
            "phone": "+1" + numbers.cast(pl.String),
            "email": [None if number % 3 else f"{text}{number}@example.com" for number in range(count)],
            "doNotCall": [bool(number % 2) for number in range(count)],
            "doNotEmail": [False] * count,
        }
    )


def stage_of(folder: Path, whole: pl.DataFrame, chunk: int) -> Stage:
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.iterdir():
        leftover.unlink()
    with StageWriter(folder) as writer:
        for part in whole.iter_slices(chunk):
            raw = part.select(pl.col("externalId").alias("0"), pl.col("email").alias("1"))
            writer.add(staged(part, raw, {"externalId": "0", "email": "1"}))
        return writer.seal()
