"""Contacts of a run that its mended rows must not repeat."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import polars as pl

from dialfeed.contacts.duplicates import identity
from dialfeed.contacts.fields import IDENTITY_FIELDS, WITHHELD
from dialfeed.contacts.findings import ROW
from dialfeed.ledger.folder import LEDGER, STAGE
from dialfeed.ledger.ledger import Ledger
from dialfeed.ledger.stage import Stage
from dialfeed.reports.text import BUCKET_FILES
from dialfeed.running.retries import finished_retries
from dialfeed.steps.record import contacts_in


class Survivors:
    """Finds contacts that a run, or a retry of it, has delivered, may have delivered, or has still to send.

    What is unknown may be on the list, and what was not sent will be when the run goes on: a mended row that is the
    same contact would then be there twice.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, contacts: pl.DataFrame) -> pl.DataFrame:
        """Which of these contacts are the run's already: `ROW`, and `_survivor_row` that has them."""
        matches = self._known.join(_identified(contacts, ROW).lazy(), on=list(IDENTITY_FIELDS), nulls_equal=True)
        return matches.group_by(ROW).agg(pl.col("_survivor_row").min()).sort(ROW).collect()

    @cached_property
    def _known(self) -> pl.LazyFrame:
        folders = (self._folder, *finished_retries(self._folder))
        return pl.concat([known for folder in folders for known in (_delivered(folder), *_open(folder))])


def _delivered(folder: Path) -> pl.LazyFrame:
    rows = pl.scan_csv(folder / BUCKET_FILES["delivered"], infer_schema=False)
    return rows.select(
        "externalId", "phone", pl.col("email").str.to_lowercase(), _survivor_row=pl.col(ROW).cast(pl.Int64)
    )


def _open(folder: Path) -> Iterator[pl.LazyFrame]:
    """What is unknown or unsent; a run that has neither keeps no stage."""
    if not (folder / STAGE).is_dir():
        return
    stage = Stage(folder / STAGE)
    with Ledger(folder / LEDGER) as ledger:
        for contacts in contacts_in(stage, ledger, "unknown", "failed"):
            yield _identified(contacts, "_survivor_row").lazy()


def _identified(contacts: pl.DataFrame, row: str) -> pl.DataFrame:
    """The identities of contacts, and the numbers of their rows under this name."""
    found = identity(contacts.select(pl.exclude(f"^{WITHHELD}.*$")))
    return found.with_columns(contacts[ROW].cast(pl.Int64).alias(row))
