"""The CSV files of a run: which row went where, and why.

These are files for machines: exact values, UTF-8 without a byte-order mark, a comma between cells. They hold
personal data, so only their owner can read them. `rejected.csv` and its likes are the row exactly as it was read plus
columns that begin with an underscore; those are ignored when the file, mended, is imported again.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import polars as pl

from dialfeed.contacts.fields import CONTACT_FIELDS, RESERVED_COLUMNS
from dialfeed.contacts.findings import ROW
from dialfeed.contacts.reasons import BY_CODE
from dialfeed.files import create_private, sync_folder
from dialfeed.reports.retention import part_of

REASONED = ("_row", "_field", "_code", "_message")
DUPLICATE = ("_row", "_survivor_row", "_code", "_message")
_AT_ONCE = 50_000


class _RowFile:
    """A file with rows: closed and, where all went well, synced at the end of its `with` block."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self._file = create_private(path)
        self._file.write(_line(header))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.sync()
        with suppress(OSError):  # a full disk has been told by then
            self._file.close()

    def sync(self) -> None:
        """Let the rows that have been written survive a power failure."""
        self._file.flush()
        os.fsync(self._file.fileno())


class RawRows(_RowFile):
    """Writes rows as they were read, with columns of ours behind.

    Args:
        path: The file to make.
        header: The source's column names; reserved ones (of an earlier file of ours) are left out.
        ours: The names of our columns.
    """

    def __init__(self, path: Path, header: Sequence[str], ours: Sequence[str]) -> None:
        self._columns = [str(number) for number, name in enumerate(header) if name not in RESERVED_COLUMNS]
        self._ours = list(ours)
        self._width = len(header)
        super().__init__(path, [*(header[int(number)] for number in self._columns), *ours])

    def write(self, rows: pl.DataFrame) -> None:
        """Rows with one String column for each of the source's positions, and our columns."""
        if len(rows):
            rows.select(*self._columns, *self._ours).write_csv(self._file, include_header=False)

    def write_record(self, raw: str | None, delimiter: str | None, ours: Mapping[str, object]) -> None:
        """A record that could not be cut into cells: its cells where there are too few, else its text in one cell.

        Args:
            raw: Its text; None where that cannot be held or is no text, and then the cells stay empty.
            delimiter: What stands between its cells; None where a source has none.
            ours: Our columns.
        """
        raw = raw or ""
        cells = [raw]
        if delimiter and self._width > 1 and '"' not in raw and raw.count(delimiter) < self._width:
            cells = raw.split(delimiter)
        cells += [""] * (self._width - len(cells))
        kept = [cells[int(number)] for number in self._columns]
        self._file.write(_line([*kept, *(str(ours[name]) for name in self._ours)]))


class MoreRows(RawRows):
    """Writes rows behind those that a file holds already; it takes the file's place at the end, whole.

    Args:
        path: The file, with the same columns.
        header: The source's column names.
        ours: The names of our columns.
        keep: How many of its rows stay; what an earlier process has written behind them is written anew.
    """

    def __init__(self, path: Path, header: Sequence[str], ours: Sequence[str], keep: int) -> None:
        self._path, self._part = path, path.with_name(part_of(path.name))
        super().__init__(self._part, header, ours)
        rows = pl.scan_csv(path, infer_schema=False).head(keep)
        for batch in rows.collect_batches(chunk_size=_AT_ONCE, maintain_order=True):
            batch.write_csv(self._file, include_header=False)

    def __exit__(self, kind: type[BaseException] | None, *more: object) -> None:
        super().__exit__(kind, *more)
        if kind is None:
            self._part.replace(self._path)
            sync_folder(self._path.parent)
        else:
            self._part.unlink(missing_ok=True)


class ContactRows(_RowFile):
    """Writes contacts as they are sent: all contact fields in their order, then passed-through columns.

    Args:
        path: The file to make.
        passed: Names of the passed-through columns.
        ours: Names of our columns, put behind.
    """

    def __init__(self, path: Path, passed: Sequence[str], ours: Sequence[str] = ()) -> None:
        self._columns = [*CONTACT_FIELDS, *passed, *ours]
        super().__init__(path, self._columns)

    def write(self, contacts: pl.DataFrame) -> None:
        """Contacts; fields that the source does not have stay empty."""
        absent = [name for name in self._columns if name not in contacts.columns]
        complete = contacts.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)
        complete.select(self._columns).write_csv(self._file, include_header=False)


def reasons_by_row(findings: pl.DataFrame) -> pl.DataFrame:
    """One line a row: `ROW`, `_field`, `_code`, `_message`, several faults joined by `; `; findings in row order."""
    codes = findings["code"].unique().to_list()
    messages = [message(code) for code in codes]
    told = findings.select(
        ROW,
        _field="field",
        _code="code",
        _message=pl.col("code").replace_strict(codes, messages, return_dtype=pl.String),
    )
    if not (told[ROW] == told[ROW].shift()).any():
        return told  # one fault a row: nothing to join
    return told.group_by(ROW, maintain_order=True).agg(pl.exclude(ROW).str.join("; "))


def message(code: str) -> str:
    """The sentence and the remedy of a reason."""
    reason = BY_CODE[code]
    return f"{reason.sentence} {reason.remedy}"


def _line(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)  # quotes what holds either character
    return text.getvalue().removesuffix("\r\n").encode() + b"\n"
