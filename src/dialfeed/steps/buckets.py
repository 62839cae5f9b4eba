"""Steps 1 to 5 of the road over a whole source: each row becomes a contact fit to send, or ends in a bucket.

The unit that walks is a chunk of columns. Chunks are checked side by side (the engine and numpy let go of the
interpreter while they work) and put down in the order of the source, so that the outcome does not depend on
threads, timing or the size of a chunk.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import polars as pl

from dialfeed.contacts.findings import ROW, count_by_code
from dialfeed.contacts.mapping import ColumnMapping
from dialfeed.contacts.rules import RuleSet, check
from dialfeed.donotcall.evidence import DecisionWriter
from dialfeed.donotcall.objections import Objections
from dialfeed.donotcall.scrub import Flagged, Scrubber
from dialfeed.donotcall.withholding import Scrubbed
from dialfeed.ledger.stage import Stage, Staged, StageWriter, staged
from dialfeed.reports.rowfiles import DUPLICATE, REASONED, RawRows, message, reasons_by_row
from dialfeed.sources.base import Chunk, Description, Source

_SAME_IDENTITY = "duplicate.same_identity"

_SIDE_BY_SIDE = 2
"""Chunks checked at once; more gain nothing on two cores and cost memory."""

Item = TypeVar("Item")
Made = TypeVar("Made")
Already = Callable[[pl.DataFrame], pl.DataFrame]
"""From contacts to those that are on the list already: `ROW`, and `_survivor_row` that was delivered."""


@dataclass(slots=True)
class Prepared:
    """What came of the source.

    Attributes:
        read: Rows.
        invalid: Rows with a fault.
        suppressed: Rows left without a channel that may be used.
        duplicate: Rows that repeat an earlier acceptable one.
        blank: Blank lines, which are not rows.
        ready: Contacts fit to send.
        reasons: Rows by reason code; a row with several reasons counts under each.
        warnings: Repairs, remarks and withheld channels, by code.
    """

    read: int = 0
    invalid: int = 0
    suppressed: int = 0
    duplicate: int = 0
    blank: int = 0
    ready: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        """Its JSON form."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        return plain | {"reasons": dict(self.reasons), "warnings": dict(self.warnings)}


@dataclass(frozen=True, slots=True)
class _Sorted:
    """One chunk, checked and scrubbed: what goes on, and what does not with its reasons."""

    chunk: Chunk
    staged: Staged
    rejected: pl.DataFrame
    suppressed: pl.DataFrame
    repeated: pl.DataFrame
    reasons: Counter[str]
    warnings: Counter[str]
    decisions: pl.DataFrame | None
    objections: Mapping[str, pl.Series]


@dataclass(frozen=True, slots=True)
class _RowFiles:
    """The files of rows that do not go on, in the order of the source."""

    rejected: RawRows
    suppressed: RawRows
    duplicates: RawRows
    delimiter: str | None

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, source: Description) -> Iterator[Self]:
        """The files of a run's folder, begun anew; they are closed and, where all went well, synced at the end."""
        with (
            RawRows(folder / "rejected.csv", source.header, REASONED) as rejected,
            RawRows(folder / "suppressed.csv", source.header, REASONED) as suppressed,
            RawRows(folder / "duplicates.csv", source.header, DUPLICATE) as duplicates,
        ):
            yield cls(rejected, suppressed, duplicates, source.facts.get("delimiter"))

    def write(self, part: _Sorted) -> None:
        """Write what of a chunk does not go on."""
        self.rejected.write(part.rejected)
        self.suppressed.write(part.suppressed)
        self.write_duplicates(part.repeated)
        for row, code, raw in part.chunk.malformed.iter_rows():
            ours = {"_row": row, "_field": "", "_code": code, "_message": message(code)}
            self.rejected.write_record(raw, self.delimiter, ours)

    def write_duplicates(self, rows: pl.DataFrame) -> None:
        """Write rows that repeat another one, whose number is in `_survivor_row`."""
        if rows.is_empty():
            return
        told = pl.concat_str(
            pl.lit("The row is the same contact as row "), pl.col("_survivor_row"), pl.lit(", which stays.")
        )
        self.duplicates.write(rows.with_columns(_code=pl.lit(_SAME_IDENTITY), _message=told))


def prepare(
    source: Source,
    rules: RuleSet,
    scrubber: Scrubber,
    *,
    folder: Path,
    stage: Path,
    progress: Callable[[int], None],
    already: Already | None = None,
    already_objected: Path | None = None,
) -> tuple[Prepared, Stage]:
    """Prepare a whole source.

    Args:
        source: Described already.
        rules: What a contact must satisfy.
        scrubber: What stands against calling or writing to whom.
        folder: Where `rejected.csv`, `suppressed.csv` and `duplicates.csv` go.
        stage: An empty folder for the contacts that are fit to send.
        progress: Told the number of rows read so far; may raise to stop.
        already: Tells which contacts are on the list already, if that is known.
        already_objected: The folder of a run whose rows forbid numbers in this source as well.

    Raises:
        FixSource: The source cannot be read to its end.
    """
    prepared, objections, decisions = Prepared(), Objections(scrubber.columns), DecisionWriter(stage)
    if already_objected is not None:
        objections.load(already_objected)
    with StageWriter(stage) as writer, _RowFiles.opened(folder, source.describe()) as files:
        for part in _in_order(partial(_sort, rules=rules, scrubber=scrubber, already=already), source.chunks()):
            writer.add(part.staged)
            decisions.add(part.decisions)
            if scrubber.flagged is not Flagged.KEEP:
                objections.add(part.objections)
            files.write(part)
            _count(prepared, part)
            progress(prepared.read)
        objections.seal()
        if objections:
            _strike(objections, writer, rules, files, prepared)
        objections.save(folder)
        sealed = writer.seal()
        for repeated in sealed.duplicate_rows():
            files.write_duplicates(repeated)
    prepared.duplicate += sealed.duplicates
    prepared.ready = sealed.size
    if prepared.duplicate:
        prepared.reasons[_SAME_IDENTITY] = prepared.duplicate
    return prepared, sealed


def rule_set(
    mapping: ColumnMapping,
    *,
    default_country: str | None,
    cell_limit: int,
    stated: Mapping[str, str] | None = None,
    if_empty: Mapping[str, str] | None = None,
    unwanted_kinds: Iterable[str] = (),
) -> RuleSet:
    """The rules for a source with this mapping and what the user wants; its columns are named by position."""
    fields = {name: str(position) for name, position in mapping.fields.items()}
    passed = {name: str(position) for name, position in mapping.passed_through.items()}
    others = {
        channel: {name: str(position) for name, position in columns.items()}
        for channel, columns in mapping.others.items()
    }
    full_name = None if mapping.full_name is None else str(mapping.full_name)
    return RuleSet(
        fields,
        passed,
        default_country,
        cell_limit,
        others,
        stated or {},
        full_name,
        frozenset(unwanted_kinds),
        if_empty or {},
    )


def _strike(objections: Objections, writer: StageWriter, rules: RuleSet, files: _RowFiles, prepared: Prepared) -> None:
    """Withhold what a row forbids from all other rows of the file, too."""
    found: list[Scrubbed] = []

    def work(contacts: pl.DataFrame) -> pl.DataFrame | None:
        scrubbed = objections.strike(contacts)
        found[:] = [scrubbed] if scrubbed else []
        return scrubbed.contacts if scrubbed else None

    for rows in writer.revise(work, _came_from(rules)):
        struck = found[0]
        told = _with_reasons(rows, struck.suppressed)
        files.suppressed.write(told)
        prepared.suppressed += len(told)
        prepared.reasons += _codes(struck.suppressed)
        prepared.warnings += struck.told


def _came_from(rules: RuleSet) -> dict[str, str]:
    return {**rules.fields, **rules.passed}


def _sort(chunk: Chunk, *, rules: RuleSet, scrubber: Scrubber, already: Already | None) -> _Sorted:
    checked = check(chunk.rows, rules)
    scrubbed = scrubber(checked.contacts, _rows_of(chunk.rows, checked.contacts))
    new, repeated = _apart(scrubbed.contacts, chunk.rows, already)
    return _Sorted(
        chunk,
        staged(new, _rows_of(chunk.rows, new).drop(ROW), _came_from(rules)),
        _with_reasons(chunk.rows, checked.faults),
        _with_reasons(chunk.rows, scrubbed.suppressed),
        repeated,
        _codes(checked.faults) + _codes(scrubbed.suppressed) + _codes(chunk.malformed),
        _codes(checked.warnings) + scrubbed.told,
        scrubbed.decisions,
        checked.objections,
    )


def _apart(contacts: pl.DataFrame, rows: pl.DataFrame, already: Already | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The contacts that are new, and the rows, with `_survivor_row`, of those that are on the list already."""
    if already is None:
        return contacts, rows.clear()
    found = already(contacts)
    new = contacts.filter(~contacts[ROW].is_in(found[ROW].implode()))
    return new, pl.concat([_rows_of(rows, found), found.drop(ROW)], how="horizontal")


def _rows_of(rows: pl.DataFrame, some: pl.DataFrame) -> pl.DataFrame:
    return rows if len(rows) == len(some) else rows.filter(rows[ROW].is_in(some[ROW].implode()))


def _with_reasons(rows: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """The rows that have findings, in order, with our columns behind."""
    told = reasons_by_row(findings)
    return pl.concat([_rows_of(rows, told), told.drop(ROW)], how="horizontal")


def _codes(findings: pl.DataFrame) -> Counter[str]:
    """Rows by code: the same code at two fields of one row counts once."""
    return Counter(count_by_code(findings.select(ROW, "code").unique()))


def _count(prepared: Prepared, part: _Sorted) -> None:
    malformed = len(part.chunk.malformed)
    prepared.read += len(part.chunk.rows) + malformed
    prepared.invalid += len(part.rejected) + malformed
    prepared.suppressed += len(part.suppressed)
    prepared.duplicate += len(part.repeated)
    prepared.blank += part.chunk.blank
    prepared.reasons += part.reasons
    prepared.warnings += part.warnings


def _in_order(work: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """`work` over items, a few at a time, in the items' order."""
    with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="check") as pool:
        waiting: deque[Future[Made]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > _SIDE_BY_SIDE:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
