"""Settle which column is which field: the header, what the user says, what is remembered, and what the values are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import polars as pl

from dialfeed.config import Plan
from dialfeed.contacts.drift import Difference, Shape, compare, own_columns, shape_of
from dialfeed.contacts.evidence import channel_evidence, content, main_kind, may_hold, written_as_phones
from dialfeed.contacts.fields import CHANNEL_FIELDS, FLAG_FIELDS, PHONE, RESERVED_COLUMNS
from dialfeed.contacts.mapping import (
    CLAIMS,
    NO_CHANNEL,
    ColumnMapping,
    MappingProblem,
    empty_flags,
    header_fingerprint,
    is_numbered,
    map_headers,
    match_key,
    named_channels,
    not_used,
    unasked,
)
from dialfeed.contacts.system_columns import system_columns
from dialfeed.coordination.mappings import Mappings, Remembered, list_keys
from dialfeed.errors import FixSource
from dialfeed.moments import utc_now
from dialfeed.running.assembly import home_folder
from dialfeed.sources.base import Source
from dialfeed.sources.begun import Begun

LOOKED_AT = 1000
"""So many of a source's first records are looked at, whatever the chunks of the run are."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A source's columns, settled.

    Attributes:
        mapping: Which column is which field.
        shape: What the source looks like.
        fingerprint: What the mapping is remembered by: of the header without columns that dialfeed writes.
        differences: How the source has changed since the list was last loaded.
        sample: Its first rows, or None where it has none.
        reused: When the mapping was saved that is used again; empty where none is.
    """

    mapping: ColumnMapping
    shape: Shape
    fingerprint: str
    differences: tuple[Difference, ...]
    sample: pl.DataFrame | None
    reused: str = ""

    @property
    def drifted(self) -> bool:
        """Whether a difference may send wrong data."""
        return any(difference.stops for difference in self.differences)


@dataclass(frozen=True, slots=True)
class Opened:
    """A source whose columns are known."""

    source: Source
    settled: Settled

    @property
    def mapping(self) -> ColumnMapping:
        """Which column is which field."""
        return self.settled.mapping


def settle_columns(source: Begun, plan: Plan, wanted_list: str | None) -> Settled:
    """Settle the columns of a source.

    Args:
        source: The source; its first rows are looked at.
        plan: What the user says, and where what is remembered lies. Nothing is written there.
        wanted_list: The id or name of the contact list, to tell drift; None for none.

    Raises:
        FixSource: The source cannot be read.
        FixSettings: What is remembered cannot be read.
    """
    header = source.describe().header
    memory = Mappings(home_folder(plan))
    fingerprint = header_fingerprint([name for name in header if name.strip().casefold() not in RESERVED_COLUMNS])
    same_header = memory.find(fingerprint)
    keys = list_keys(plan.base_url, [wanted_list or ""])
    used_for_list = same_header is not None and not same_header.lists.keys().isdisjoint(keys)
    before = same_header if used_for_list else memory.last_of(keys)
    known = same_header or before
    sample = source.first_rows(LOOKED_AT)
    mapping, reused = _map(header, plan, known, sample)
    shape = shape_of(mapping, _contents(mapping, sample), _left_out(mapping))
    differences = compare(Shape.from_dict(before.shape), shape) if before else []
    return Settled(mapping, shape, fingerprint, tuple(differences), sample, known.saved if known and reused else "")


def remember_columns(settled: Settled, plan: Plan, lists: Iterable[str]) -> None:
    """Remember a mapping for next time.

    Args:
        settled: What was used.
        plan: Where the home folder is.
        lists: The id and the name of the contact list; nothing to remember it for the header alone.
    """
    keys = list_keys(plan.base_url, lists)
    Mappings(home_folder(plan)).save(settled.fingerprint, settled.shape.as_dict(), keys, utc_now().isoformat())


def forget_columns(settled: Settled, plan: Plan) -> bool:
    """Forget the mapping of this header; whether there was one."""
    return Mappings(home_folder(plan)).forget(settled.fingerprint)


def check_all_asked(mapping: ColumnMapping, rows: pl.DataFrame | None, plan: Plan) -> None:
    """Make sure that no column passes whose phones or addresses begin further down than the first rows show.

    Args:
        mapping: The mapping that the source was read by.
        rows: Some rows from all over the source; None where it has none.
        plan: With the do-not-call lists of the run; without one nothing is looked at.

    Raises:
        FixSource: A column holds phones or addresses that no list was asked about.
    """
    if rows is None or not plan.dnc:
        return
    found = channel_evidence(rows, _free(mapping, rows), plan.default_country)
    for problem in unasked(mapping, found, stops=True):
        raise FixSource(problem.sentence, advice=problem.remedy)


def _map(
    header: tuple[str, ...], plan: Plan, known: Remembered | None, sample: pl.DataFrame | None
) -> tuple[ColumnMapping, bool]:
    """The mapping, and whether anything remembered went into it."""
    given = dict(plan.map)
    kept = _kept(header, plan, known)
    said: dict[str, Any] = {
        "overrides": given | kept,
        "orders": plan.orders,
        "stated": dict(plan.set),
        "most_columns": plan.max_columns,
        "longest_name": plan.max_header,
    }
    mapping = map_headers(header, **said)
    if sample is not None and any(problem.code == NO_CHANNEL for problem in mapping.problems):
        labels = own_columns(mapping)
        free = [each.position for each in mapping.columns if each.position in labels and each.why == "passed through"]
        found = channel_evidence(sample, free, plan.default_country)
        mapping = map_headers(header, **said, evidence={at: found[at] for at in _sure(found, mapping, sample)})
    return _with_unused_told(mapping, sample, plan), bool(kept)


def _sure(found: Mapping[int, str], mapping: ColumnMapping, sample: pl.DataFrame) -> Iterator[int]:
    """The columns whose values settle what they are; bare digits do only where the column's name means nothing else."""
    for column in mapping.columns:
        field = found.get(column.position)
        if field == PHONE and not (is_numbered(column.name) or written_as_phones(sample[str(column.position)])):
            continue
        if field is not None:
            yield column.position


def _with_unused_told(mapping: ColumnMapping, sample: pl.DataFrame | None, plan: Plan) -> ColumnMapping:
    """Tell of columns of phones, or of addresses, that nobody would be reached by, or that would leave unasked."""
    found = dict(_passing_channels(mapping, sample, plan))
    told = [*not_used(mapping, found), *unasked(mapping, found, stops=bool(plan.dnc))]
    told += _empty_flags(mapping, sample, plan)
    problems = sorted((*mapping.problems, *told), key=lambda problem: problem.severity)
    return replace(mapping, problems=tuple(problems))


def _empty_flags(mapping: ColumnMapping, sample: pl.DataFrame | None, plan: Plan) -> Iterator[MappingProblem]:
    if sample is None:
        return
    flags = [at for field, at in mapping.fields.items() if field in FLAG_FIELDS and field not in dict(plan.if_empty)]
    yield from empty_flags(mapping, {at: content(sample[str(at)])["empty"] for at in flags}, len(sample))


def _passing_channels(mapping: ColumnMapping, sample: pl.DataFrame | None, plan: Plan) -> Iterator[tuple[int, str]]:
    """Columns that pass through and hold phones or addresses, by their values and, in doubt, by their names."""
    named = named_channels(mapping)
    if sample is None:
        yield from named.items()
        return
    yield from channel_evidence(sample, _free(mapping, sample), plan.default_country).items()
    yield from ((at, field) for at, field in named.items() if may_hold(sample[str(at)], field))


def _free(mapping: ColumnMapping, sample: pl.DataFrame) -> list[int]:
    """Columns that pass through and may be phones or addresses; where there are both already, only what looks so."""
    passing = [each.position for each in mapping.columns if each.why == "passed through"]
    if not {*CHANNEL_FIELDS} <= {*mapping.fields}:
        return passing
    return [at for at in passing if main_kind(content(sample[str(at)])) not in {"flag", "date", "text"}]


def _kept(header: tuple[str, ...], plan: Plan, known: Remembered | None) -> dict[str, str]:
    """What is remembered of the user's decisions, but for columns and fields that were decided on again."""
    if known is None:
        return {}
    labels = set(own_columns(map_headers(header)).values())
    given = {match_key(column) for column, _ in plan.map}
    taken = {match_key(field) for _, field in plan.map} | {
        match_key(field) for field in (*plan.orders, *dict(plan.set))
    }
    taken -= {""}
    decided = cast("dict[str, str]", known.shape["decided"])
    return {
        column: field
        for column, field in decided.items()
        if column in labels and match_key(column) not in given and match_key(field) not in taken
    }


def _left_out(mapping: ColumnMapping) -> list[int]:
    """Columns that have a name, are no platform's, and are ignored all the same: the user wants it so."""
    system = system_columns([column.name for column in mapping.columns])
    return [
        column.position
        for column in mapping.columns
        if column.why == "ignored" and column.name and column.position not in system
    ]


def _contents(mapping: ColumnMapping, sample: pl.DataFrame | None) -> dict[int, dict[str, int]]:
    if sample is None:
        return {}
    claimed = [column.position for column in mapping.columns if column.why in CLAIMS]
    return {position: content(sample[str(position)]) for position in claimed}
