"""What is wrong with a mapping, or doubtful about it: each problem with its sentence and its remedy.

They name columns, never a value of a row.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from dialfeed.contacts.fields import (
    AS_IT_IS,
    CHANNEL_FIELDS,
    CONTACT_FIELDS,
    DO_NOT_CALL,
    DO_NOT_EMAIL,
    FLAG_FIELDS,
    FULL_NAME,
    NAME_FIELDS,
    PHONE,
)
from dialfeed.contacts.mapping.columns import CLAIMS, PASSES, ColumnMapping, MappedColumn, MappingProblem
from dialfeed.contacts.mapping.names import FIELD_BY_KEY, FIELD_BY_SYNONYM, match_key

TWO_COLUMNS: Final = "header.two_columns_for_one_field"
NO_CHANNEL: Final = "header.no_channel"
NO_FLAG: Final = "header.no_flag"
DUPLICATE_NAME: Final = "header.duplicate_name"
BLANK_NAME: Final = "header.blank_name"
TOO_LONG: Final = "header.too_long"
TOO_MANY_COLUMNS: Final = "header.too_many_columns"
UNKNOWN_COLUMN: Final = "header.unknown_column"
UNKNOWN_FIELD: Final = "header.unknown_field"
LOOKS_LIKE_DATA: Final = "header.looks_like_data"
STATED_AND_MAPPED: Final = "header.stated_and_mapped"
BY_VALUES: Final = "header.by_values"
NOT_USED: Final = "header.not_used"
UNASKED: Final = "header.unasked"
PASSES_UNASKED: Final = "header.passes_unasked"
EMPTY_FLAG: Final = "header.empty_flag"

_LIKE_A_NUMBER: Final = re.compile(r"\+?(?:[\s().-]*[0-9]){7,15}")
_LIKE_AN_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def find_problems(
    columns: Sequence[MappedColumn],
    stated: Collection[str],
    *,
    most_columns: int | None,
    longest_name: int | None,
) -> Iterator[MappingProblem]:
    """Look at the finished mapping for everything that is wrong with it."""
    yield from _contested_fields(columns)
    yield from _contested_names(columns)
    yield from (_stated_and_mapped(column) for column in columns if column.target in stated and column.why in CLAIMS)
    yield from map(_by_values, (column for column in columns if column.why == "values"))
    if lacks_channel(columns):
        yield _no_channel()
    lacking = [flag for flag in FLAG_FIELDS if flag not in {*_claimed(columns), *stated}]
    if lacking:
        yield _no_flags(lacking)
    passing = [column for column in columns if column.why in PASSES]
    yield from _shared_names([*passing, *(column for column in columns if column.rank)])
    yield from (
        _too_long(column, longest_name) for column in passing if longest_name and len(column.name) > longest_name
    )
    fields = {field for name in _claimed(columns) for field in (NAME_FIELDS if name == FULL_NAME else (name,))}
    sent = len(passing) + sum(column.rank > 0 for column in columns) + len(fields.union(stated))
    if most_columns is not None and sent > most_columns:
        yield _too_many(sent, most_columns)
    if nameless := [column for column in columns if column.why == "ignored" and not column.name]:
        yield _blank_name(nameless)


def _claimed(columns: Iterable[MappedColumn]) -> set[str]:
    """Collect the contact fields that have a column."""
    return {column.target for column in columns if column.target and column.why in CLAIMS}


def lacks_channel(columns: Iterable[MappedColumn]) -> bool:
    """Tell whether there is no column for any way to reach a person."""
    return _claimed(columns).isdisjoint(CHANNEL_FIELDS)


def _contested_fields(columns: Sequence[MappedColumn]) -> Iterator[MappingProblem]:
    """Find the fields that several columns claim with the same right."""
    for field in CONTACT_FIELDS:
        rivals = [column for column in columns if column.target == field and column.why in CLAIMS and not column.rank]
        if len(rivals) > 1:
            yield two_columns(rivals, field)


def two_columns(rivals: Sequence[MappedColumn], field: str) -> MappingProblem:
    """Several columns claim one field."""
    return MappingProblem(
        TWO_COLUMNS,
        f"{_list(rivals)} could each be {field}, and a contact has only one.",
        f"Choose one with {_map_flag(rivals[0], field)}; leave another out with {_map_flag(rivals[-1], '-')}."
        + _order_advice(rivals, field),
    )


def _order_advice(rivals: Sequence[MappedColumn], field: str) -> str:
    """How to keep all of them, for a channel."""
    if field not in CHANNEL_FIELDS:
        return ""
    places = ",".join(f"#{column.position + 1}" for column in rivals)
    return f' Or say in which order they are tried, and the others are carried: --{field}-order "{places}".'


def _contested_names(columns: Sequence[MappedColumn]) -> Iterator[MappingProblem]:
    """Find a full name beside a first or last name: whichever were taken, the other would be lost."""
    whole = [column for column in columns if column.target == FULL_NAME and column.why in CLAIMS]
    parts = [column for column in columns if column.target in NAME_FIELDS and column.why in CLAIMS]
    if len(whole) > 1 or (whole and parts):
        yield MappingProblem(
            TWO_COLUMNS,
            f"{_list([*whole, *parts])} hold a contact's name more than once.",
            f"Leave out the full name with {_map_flag(whole[-1], '-')}, or rename it to let it pass through.",
        )


def _shared_names(passing: Sequence[MappedColumn]) -> Iterator[MappingProblem]:
    """Find columns that would be sent under one name, or under the name of a contact field.

    The second happens when an override gives the field to another column.
    """
    by_name: dict[str, list[MappedColumn]] = {}
    for column in passing:
        name = column.carried_name if column.rank else column.name
        by_name.setdefault(name.casefold(), []).append(column)
    for name, same in by_name.items():
        if len(same) > 1 or match_key(name) in FIELD_BY_KEY:
            yield MappingProblem(
                DUPLICATE_NAME,
                f"{_list(same)} would be sent under a name that is already taken.",
                f"Rename the column in the source, or leave it out with {_map_flag(same[-1], '-')}.",
            )


def _no_channel() -> MappingProblem:
    return MappingProblem(
        NO_CHANNEL,
        "No column is a phone or an e-mail address, so nobody in this file could be reached.",
        "Name the column with --map COLUMN=phone or --map COLUMN=email. Where the names of the columns stand in another"
        " row, say in which: --header-row N.",
    )


_MAY_BE: Final = {DO_NOT_CALL: "may be called", DO_NOT_EMAIL: "may be written to"}


def _no_flags(flags: Sequence[str]) -> MappingProblem:
    named = " ".join(f"--map COLUMN={flag}" for flag in flags)
    stated = " ".join(f"--set {flag}=false" for flag in flags)
    return MappingProblem(
        NO_FLAG,
        f"No column says whether a contact {' or '.join(_MAY_BE[flag] for flag in flags)}, and that is never guessed.",
        f"Add {' and '.join(flags)} as {'a column' if len(flags) == 1 else 'columns'} with true or false in each row,"
        f" or name what is there: {named}. If you know that everybody in the file may be, state it: {stated}.",
    )


def _stated_and_mapped(column: MappedColumn) -> MappingProblem:
    return MappingProblem(
        STATED_AND_MAPPED,
        f"{_list([column])} is {column.target}, and --set states {column.target} for all rows.",
        f"Leave out --set {column.target}, or the column with {_map_flag(column, '-')}.",
    )


def _by_values(column: MappedColumn) -> MappingProblem:
    what = _values_of(column.target)
    return MappingProblem(
        BY_VALUES,
        f"{_list([column])} is taken as {column.target}, because its values are {what}.",
        f"If that is right, say so with {_map_flag(column, column.target or '')}; else {_map_flag(column, '-')}.",
        severity="warning",
    )


def not_used(mapping: ColumnMapping, evidence: Mapping[int, str]) -> list[MappingProblem]:
    """What to say of columns that hold phones or addresses by their values, where nothing is mapped to that field.

    Args:
        mapping: The mapping.
        evidence: Position → `phone` or `email`.
    """
    columns = [each for each in mapping.columns if evidence.get(each.position, each.target) not in mapping.fields]
    return [_not_used(column, evidence[column.position]) for column in columns if column.position in evidence]


def _not_used(column: MappedColumn, field: str) -> MappingProblem:
    what, whom = _values_of(field), "called" if field == PHONE else "written to"
    return MappingProblem(
        NOT_USED,
        f"{_list([column])} holds {what}, but no column is {field}: nobody in this file will be {whom}.",
        f"If that is wrong, say so with {_map_flag(column, field)}.",
        severity="warning",
    )


def named_channels(mapping: ColumnMapping) -> dict[int, str]:
    """Columns that pass through and are, by their names, phones or addresses: position → `phone` or `email`.

    With a field ``phone``, that is what ``mobile`` and ``phone 2`` are.
    """
    passing = {column.position: column.name for column in mapping.columns if column.why == "passed through"}
    keys = {position: match_key(name).rstrip("0123456789") for position, name in passing.items()}
    fields = {position: FIELD_BY_KEY.get(key) or FIELD_BY_SYNONYM.get(key) for position, key in keys.items()}
    return {position: field for position, field in fields.items() if field in CHANNEL_FIELDS}


def unasked(mapping: ColumnMapping, found: Mapping[int, str], *, stops: bool) -> Iterator[MappingProblem]:
    """What to say of phones and addresses that would leave beside the contact's own, and that no list is asked about.

    Args:
        mapping: The mapping.
        found: Position → `phone` or `email`, of columns that pass through.
        stops: Whether the run names do-not-call lists: then nothing leaves that they were not asked about.
    """
    for column in mapping.columns:
        if (field := found.get(column.position)) in mapping.fields:
            yield _unasked(column, field, mapping.fields[field] + 1, stops=stops)


def _unasked(column: MappedColumn, field: str, own: int, *, stops: bool) -> MappingProblem:
    what = _values_of(field)
    told = "would be sent, and no do-not-call list is" if stops else "pass through, and no do-not-call flag or list is"
    return MappingProblem(
        UNASKED if stops else PASSES_UNASKED,
        f"{_list([column])} holds {what} that {told} asked about them: the column is not {field}.",
        f"If they are the contact's own, say in which order they are tried: --{field}-order \"#{own},"
        f'#{column.position + 1}". Else leave the column out with {_map_flag(column, "-")}, or let it pass with '
        f"{_map_flag(column, AS_IT_IS)}.",
        severity="error" if stops else "warning",
    )


def empty_flags(mapping: ColumnMapping, empty: Mapping[int, int], rows: int) -> Iterator[MappingProblem]:
    """What to say of flags whose cells are often empty.

    Args:
        mapping: The mapping.
        empty: Position → in how many of the first rows it is empty.
        rows: How many rows were looked at.
    """
    for column in mapping.columns:
        count = empty.get(column.position, 0)
        if column.target in FLAG_FIELDS and column.why in CLAIMS and count >= OFTEN * rows > 0:
            yield MappingProblem(
                EMPTY_FLAG,
                f"{_list([column])} is {column.target}, and is empty in {count:,} of the first {rows:,} rows: they are "
                "rejected, since an empty cell may mean either.",
                f"Where an empty cell means no, state it: --if-empty {column.target}=false. It is recorded.",
                severity="warning",
            )


OFTEN: Final = 0.2
"""The share of empty cells of a flag from which on they are told before."""


def _too_long(column: MappedColumn, longest: int | None) -> MappingProblem:
    return MappingProblem(
        TOO_LONG,
        f"The name of {_list([column])} has {len(column.name)} characters; the platform takes {longest}.",
        f"Shorten the name in the source, or leave the column out with {_map_flag(column, '-')}.",
    )


def _too_many(sent: int, most: int) -> MappingProblem:
    return MappingProblem(
        TOO_MANY_COLUMNS,
        f"{sent} columns would be sent; a contact list of the platform has at most {most}.",
        "Leave out columns that the campaign does not need with --map COLUMN=- for each.",
    )


def _blank_name(nameless: Sequence[MappedColumn]) -> MappingProblem:
    return MappingProblem(
        BLANK_NAME,
        f"{_list(nameless)} {'has' if len(nameless) == 1 else 'have'} no name and will not be sent.",
        "Give the column a name in the source if it holds something that the campaign needs.",
        severity="warning",
    )


def unknown_column(column: str) -> MappingProblem:
    """The user names a column that is not there."""
    return MappingProblem(
        UNKNOWN_COLUMN,
        f'The mapping names a column "{_short(column)}", which the source does not have.',
        'Compare the name with the source\'s header; a column can also be named by its place, as in --map "#3=phone".',
    )


def unknown_field(target: str) -> MappingProblem:
    """The user names a field that no contact has."""
    return MappingProblem(
        UNKNOWN_FIELD,
        f'The mapping names a contact field "{_short(target)}", which does not exist.',
        f"Use one of {', '.join(CONTACT_FIELDS)}, {FULL_NAME}, {AS_IT_IS}, or - to leave the column out.",
    )


def looks_like_data(name: str) -> bool:
    """Tell whether a column name is rather a phone number or an e-mail address."""
    return bool(_LIKE_A_NUMBER.fullmatch(name) or _LIKE_AN_ADDRESS.fullmatch(name))


def looks_like_data_problem() -> MappingProblem:
    """The header is a row: the only problem told, as others would quote the "names", which are a person's data here."""
    return MappingProblem(
        LOOKS_LIKE_DATA,
        "The first row looks like a contact rather than a header, so it is not known what the columns are.",
        "Put a row with the names of the columns above the first contact.",
    )


def _list(columns: Sequence[MappedColumn]) -> str:
    """Name columns for the beginning of a sentence, by name and by place from 1; the first few, if there are many."""
    named = [_call(column) for column in columns[:4]]
    if more := len(columns) - len(named):
        named.append(f"{more} more")
    listed = f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else named[0]
    return listed[:1].upper() + listed[1:]


def _values_of(field: str | None) -> str:
    """What stands in a column of a channel, in words."""
    return "phone numbers" if field == PHONE else "e-mail addresses"


def _call(column: MappedColumn) -> str:
    """Name one column."""
    place = f"column {column.position + 1}"
    return f'"{_short(column.name)}" ({place})' if column.name else place


def _map_flag(column: MappedColumn, target: str) -> str:
    """Write the override for a column by its place, so that it works whatever the name is."""
    return f'--map "#{column.position + 1}={target}"'  # quoted: a bare # begins a comment in a shell


def _short(name: str) -> str:
    """Keep a sentence readable whatever a name holds."""
    return name if len(name) <= 60 else f"{name[:57]}…"
