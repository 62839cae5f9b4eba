"""From a header to a mapping: which column claims which field, by what the user says, by its name or its values."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from dialfeed.contacts.fields import AS_IT_IS, CHANNEL_FIELDS, FULL_NAME, NAME_FIELDS, RESERVED_COLUMNS
from dialfeed.contacts.mapping.columns import ColumnMapping, MappedColumn, MappingProblem, Why
from dialfeed.contacts.mapping.names import (
    FIELD_BY_KEY,
    FIELD_BY_SYNONYM,
    FULL_NAME_KEYS,
    TARGET_BY_KEY,
    clean_names,
    header_fingerprint,
    match_key,
)
from dialfeed.contacts.mapping.problems import (
    find_problems,
    lacks_channel,
    looks_like_data,
    looks_like_data_problem,
    two_columns,
    unknown_column,
    unknown_field,
)
from dialfeed.contacts.system_columns import system_columns

_IGNORE: Final = ("", "-")
_NTH_COLUMN: Final = re.compile(r"#([1-9][0-9]{0,4})")


def map_headers(
    header: Sequence[str],
    *,
    overrides: Mapping[str, str] | None = None,
    orders: Mapping[str, Sequence[str]] | None = None,
    stated: Collection[str] = (),
    evidence: Mapping[int, str] | None = None,
    most_columns: int | None = 50,
    longest_name: int | None = 128,
) -> ColumnMapping:
    """Decide for each column of a header what it is.

    Names match regardless of case, accents, blanks and punctuation. A field's own name wins over other names for it, so
    with both ``phone`` and ``mobile``, ``mobile`` passes through.

    Args:
        header: Column names as they stand in the source.
        overrides: Column to contact field; an empty field or ``-`` ignores the column. A column is named as in the
            header, or by its place from 1: ``#3``. Several columns may be ``phone``, and several ``email``: they are
            tried in the order in which they stand here. ``fullName`` is first and last name together, and ``asIs`` lets
            a column pass whatever is in it.
        orders: ``phone`` and ``email``, each with its columns in the order in which they are tried; wins over
            overrides.
        stated: Contact fields that the user has stated for all rows; they need no column and may have none.
        evidence: Positions of columns that, by their values, are phones or addresses; believed where no name tells.
        most_columns: The most columns the platform takes, None for any number (CXone: 50; seen, not given:
            `cxone-v2-dialect.md` section 3).
        longest_name: The most characters the platform takes in a name, None for any number (CXone: 128; seen).

    Returns:
        The mapping, with its problems as values. With an error among them it must not be used to send rows.
    """
    names = clean_names(header)
    decided, unknown = _read_overrides(names, overrides or {}, orders or {})
    columns = tuple(_decide(names, decided, stated, evidence or {}))
    found = find_problems(columns, stated, most_columns=most_columns, longest_name=longest_name)
    problems = [*unknown, *found]
    if lacks_channel(columns) and any(map(looks_like_data, names)):
        problems = [looks_like_data_problem()]
    problems.sort(key=lambda problem: problem.severity)  # "error" before "warning"
    return ColumnMapping(columns, tuple(problems), header_fingerprint(header))


# --- overrides ----------------------------------------------------------------------------------------------------


def _read_overrides(
    names: Sequence[str], overrides: Mapping[str, str], orders: Mapping[str, Sequence[str]]
) -> tuple[dict[int, str | None], list[MappingProblem]]:
    """Turn overrides and orders into decisions by position, in order: a contact field, or None to ignore."""
    decided: dict[int, str | None] = {}
    problems = []
    ordered = [(column, field) for field, columns in orders.items() for column in columns]
    for column, target in [*ordered, *overrides.items()]:
        positions = _named(names, column)
        field = TARGET_BY_KEY.get(match_key(target))
        if not positions:
            problems.append(unknown_column(column))
        elif field is None and target.strip() not in _IGNORE:
            problems.append(unknown_field(target))
        elif field in CHANNEL_FIELDS and len(positions) > 1:
            like = [MappedColumn(position, names[position], field, "override") for position in positions]
            problems.append(two_columns(like, field))
        for position in positions:
            decided.setdefault(position, field)
    return decided, problems


def _named(names: Sequence[str], wanted: str) -> list[int]:
    """Find the positions that an override means: by the very name, by a like name, by ``#`` and place."""
    cleaned = clean_names([wanted])[0]
    same = [position for position, name in enumerate(names) if name and name == cleaned]
    if same:
        return same
    if nth := _NTH_COLUMN.fullmatch(cleaned):
        place = int(nth[1])
        return [place - 1] if place <= len(names) else []
    key = match_key(cleaned)
    return [position for position, name in enumerate(names) if key and match_key(name) == key]


# --- decisions ----------------------------------------------------------------------------------------------------


def _decide(
    names: Sequence[str], decided: Mapping[int, str | None], stated: Collection[str], evidence: Mapping[int, str]
) -> Iterator[MappedColumn]:
    """Decide on every column, in order."""
    system = system_columns(names)
    as_they_are = {position for position, target in decided.items() if target == AS_IT_IS and names[position]}
    decided = {position: None if target == AS_IT_IS else target for position, target in decided.items()}
    claims = _settle_claims(names, {**dict.fromkeys(system), **decided}, evidence)
    claims |= _full_name(names, decided, system, {field for field, _ in claims.values()}.union(stated))
    ranks = _ranks(decided)
    for position, name in enumerate(names):
        if position in claims:
            yield MappedColumn(position, name, *claims[position], ranks.get(position, 0))
        elif position in as_they_are:
            yield MappedColumn(position, name, name, "as it is")
        elif position in decided or position in system or not _may_pass(name):
            yield MappedColumn(position, name, None, "ignored")
        else:
            yield MappedColumn(position, name, name, "passed through")


def _ranks(decided: Mapping[int, str | None]) -> dict[int, int]:
    """The places of the columns that the user gave one channel, in the order in which they were given."""
    return {
        position: rank
        for field in CHANNEL_FIELDS
        for rank, position in enumerate(position for position, target in decided.items() if target == field)
    }


def _full_name(
    names: Sequence[str], decided: Mapping[int, str | None], system: Collection[int], taken: Collection[str]
) -> dict[int, tuple[str, Why]]:
    """The only column with first and last name together, by its name; none where either has a column of its own."""
    if not {FULL_NAME, *NAME_FIELDS}.isdisjoint(taken):
        return {}
    free = [position for position in range(len(names)) if position not in decided and position not in system]
    named = [position for position in free if match_key(names[position]) in FULL_NAME_KEYS]
    return {named[0]: (FULL_NAME, "synonym")} if len(named) == 1 else {}


def _settle_claims(
    names: Sequence[str], decided: Mapping[int, str | None], evidence: Mapping[int, str]
) -> dict[int, tuple[str, Why]]:
    """Give each field to the columns with its strongest claim: one, or several where that is a problem."""
    keys = {
        position: match_key(name) for position, name in enumerate(names) if position not in decided and _may_pass(name)
    }
    claims: tuple[tuple[Why, Mapping[int, str | None]], ...] = (
        ("override", decided),
        ("exact", {position: FIELD_BY_KEY.get(key) for position, key in keys.items()}),
        ("synonym", {position: FIELD_BY_SYNONYM.get(key) for position, key in keys.items()}),
        ("values", evidence),
    )
    settled: dict[int, tuple[str, Why]] = {}
    taken: set[str] = set()
    for why, claimed in claims:
        won = {position: (field, why) for position, field in claimed.items() if field and field not in taken}
        settled |= won
        taken |= {field for field, _ in won.values()}
    return settled


def _may_pass(name: str) -> bool:
    """Tell whether a column has a name, and one that is not ours."""
    return name != "" and name.casefold() not in RESERVED_COLUMNS
