"""The file that the benchmarks read: a million made-up contacts, the same at every run.

85 % clean E.164, 5 % US national form, 5 % international form with blanks, 3 % that are no numbers, 2 % repeated rows.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

_AREAS = (201, 202, 206, 212, 213, 303, 305, 312, 404, 415, 503, 512, 602, 617, 702, 713, 718, 808, 917, 972)
_FOREIGN = ("+44 7700 900{}", "+49 30 23125 {}", "+33 6 39 98 0{}", "+61 2 5550 0{}", "+34 612 345 {}")
_INVALID = ("212-555-01", "+1 212 055 01{}", "12", "+999 123 456 {}", "555-XXXX")


def contacts(rows: int, seed: int = 7) -> pl.DataFrame:
    """So many contacts, as text columns."""
    chance = np.random.default_rng(seed)
    number = np.arange(rows)
    area = chance.choice(_AREAS, rows)
    exchange = chance.integers(200, 999, rows)
    exchange = np.where(exchange % 100 == 11, exchange + 1, exchange)
    line = chance.integers(0, 10_000, rows)
    frame = pl.DataFrame({"n": number, "area": area, "exchange": exchange, "line": line, "kind": chance.random(rows)})
    foreign = pl.Series(_FOREIGN).gather(chance.integers(0, len(_FOREIGN), rows))
    invalid = pl.Series(_INVALID).gather(chance.integers(0, len(_INVALID), rows))
    line4, line3 = pl.col("line").cast(pl.String).str.zfill(4), (pl.col("line") % 1000).cast(pl.String).str.zfill(3)
    frame = frame.with_columns(foreign=foreign, invalid=invalid, line4=line4, line3=line3)
    phone = (
        pl.when(pl.col("kind") < 0.87).then(pl.format("+1{}{}{}", "area", "exchange", "line4"))
        .when(pl.col("kind") < 0.92).then(pl.format("({}) {}-{}", "area", "exchange", "line4"))
        .when(pl.col("kind") < 0.97).then(pl.col("foreign").str.replace("{}", pl.col("line3"), literal=True))
        .otherwise(pl.col("invalid").str.replace("{}", pl.col("line3"), literal=True))
    )  # fmt: skip
    made = frame.select(
        externalId=pl.format("C-{}", pl.col("n").cast(pl.String).str.zfill(8)),
        firstName=pl.Series(("Ada", "Grace", "Linus", "José", "Zoë", "Max")).gather(chance.integers(0, 6, rows)),
        lastName=pl.Series(("Smith", "Müller", "García", "Brown", "Jones", "Doe")).gather(chance.integers(0, 6, rows)),
        phone=phone,
        email=pl.when(pl.col("n") % 10 != 0).then(pl.format("user{}@example.com", "n")),
        countryCode=pl.lit("US"),
        doNotCall=pl.lit("false"),
        doNotEmail=pl.lit("false"),
        branch=pl.Series(("North", "South", "East", "West")).gather(chance.integers(0, 4, rows)),
        score=pl.Series(chance.integers(0, 1000, rows)).cast(pl.String),
        segment=pl.Series(("gold", "silver", "bronze")).gather(chance.integers(0, 3, rows)),
        note=pl.lit("spring campaign"),
    )
    twins = np.flatnonzero((chance.random(rows) < 0.02) & (number > 1000))
    source = np.arange(rows)
    source[twins] = twins - 1000
    return made[source]


def write(path: Path, rows: int) -> Path:
    """The file, made once."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        contacts(rows).write_csv(path)
    return path
