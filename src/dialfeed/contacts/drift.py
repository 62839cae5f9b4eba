"""Drift: a source that no longer looks as it did when it was last loaded into a list.

A column that was sent and is gone, a field that another column would fill now, or a column whose values are of another
kind: each may send wrong data under right names, and stops. Columns that have only come in addition are told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from dialfeed.contacts.evidence import Content, main_kind, share
from dialfeed.contacts.fields import AS_IT_IS, EXTERNAL_ID, RESERVED_COLUMNS
from dialfeed.contacts.mapping import CLAIMS, ColumnMapping, MappedColumn, match_key

_ALIKE: Final = 0.6
"""From here on two names may be one that was changed."""

_LOST: Final = 0.5
"""Below this share, what nearly all values were is no longer what the column holds."""

_MOST_TOLD: Final = 12
_DECIDED: Final = ("override", "values", "as it is")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a source looks like.

    Attributes:
        columns: Names of its columns in order, without those that dialfeed writes; `#3` for one without a name of its
            own.
        targets: Column → the contact field it fills, or empty where it passes through; ignored columns are left out.
        decided: Column → contact field, `-` or `asIs`, where the user decided or the values did, in the order of ranks.
        contents: Column → what its values are, for columns that fill a field.
    """

    columns: tuple[str, ...]
    targets: Mapping[str, str]
    decided: Mapping[str, str]
    contents: Mapping[str, Content]

    def as_dict(self) -> dict[str, Any]:
        """Its JSON form."""
        return {
            "columns": list(self.columns),
            "targets": dict(self.targets),
            "decided": dict(self.decided),
            "contents": {column: dict(counted) for column, counted in self.contents.items()},
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Shape:
        """Restore what `as_dict` made."""
        return cls(tuple(plain["columns"]), plain["targets"], plain["decided"], plain["contents"])


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two shapes, in words; names columns, never a value.

    Attributes:
        sentence: What is different.
        stops: Whether it may send wrong data.
    """

    sentence: str
    stops: bool


def own_columns(mapping: ColumnMapping) -> dict[int, str]:
    """Positions and labels of a source's own columns: the name where it is the only one, else the place."""
    own = [column for column in mapping.columns if column.name.casefold() not in RESERVED_COLUMNS]
    names = [column.name for column in own]
    return {
        column.position: column.name if column.name and names.count(column.name) == 1 else f"#{column.position + 1}"
        for column in own
    }


def shape_of(mapping: ColumnMapping, contents: Mapping[int, Content], left_out: Sequence[int] = ()) -> Shape:
    """The shape of a source with this mapping.

    Args:
        mapping: Settled.
        contents: Position → what the values are.
        left_out: Positions that the user ignores.
    """
    labels = own_columns(mapping)
    kept = [column for column in mapping.columns if column.position in labels and column.target is not None]
    decided = sorted((each for each in kept if each.why in _DECIDED), key=lambda each: each.rank)
    return Shape(
        tuple(labels.values()),
        {labels[each.position]: _field(each) for each in kept},
        {labels[each.position]: AS_IT_IS if each.why == "as it is" else _field(each) for each in decided}
        | {labels[position]: "-" for position in left_out if position in labels},
        {labels[position]: counted for position, counted in contents.items() if position in labels},
    )


def compare(before: Shape, now: Shape) -> list[Difference]:
    """Tell how a source has changed; what stops comes first."""
    found = [*_gone(before, now), *_moved(before, now), *_changed(before, now)]
    return found + _new(before, now)


def as_sentences(differences: Sequence[Difference]) -> str:
    """A comparison for people, of bounded length."""
    told = [difference.sentence for difference in differences[:_MOST_TOLD]]
    more = len(differences) - len(told)
    return " ".join([*told, *([f"And {more} more."] if more else [])])


def _field(column: MappedColumn) -> str:
    return (column.target or "") if column.why in CLAIMS else ""


def _gone(before: Shape, now: Shape) -> Iterator[Difference]:
    new = [column for column in now.columns if column not in before.columns]
    for column, field in before.targets.items():
        if column not in now.columns:
            was = f" (it was {field})" if field else ""
            heir = _heir(column, field, new, now)
            perhaps = f'; it may be called "{heir}" now' if heir else ""
            yield Difference(f'Column "{column}" is gone{was}{perhaps}.', stops=True)


def _heir(column: str, field: str, new: Sequence[str], now: Shape) -> str:
    """The new column that may be one that is gone under another name."""
    same_field = [each for each in new if field and now.targets.get(each) == field]
    key = match_key(column)
    free = [each for each in new if not field or now.targets.get(each, "") in {"", field}]  # fills no other field
    alike = [each for each in free if SequenceMatcher(None, key, match_key(each)).ratio() >= _ALIKE]
    return next(iter(same_field + alike), "")


def _moved(before: Shape, now: Shape) -> Iterator[Difference]:
    """Fields that another column would fill although the former one is still there."""
    for column, field in now.targets.items():
        former = [each for each, target in before.targets.items() if target == field]
        there = [each for each in former if each in now.columns]
        if field and there and column not in former and now.decided.get(column) != field:
            yield Difference(f'{field} would be taken from "{column}" now; it was "{there[0]}".', stops=True)


def _changed(before: Shape, now: Shape) -> Iterator[Difference]:
    for column, was in before.contents.items():
        counted = now.contents.get(column)
        if counted is None or before.targets.get(column) != now.targets.get(column):
            continue
        kind = main_kind(was)
        values = counted["rows"] - counted["empty"]
        if kind and values >= 5 and share(counted, kind) < _LOST:
            became = main_kind(counted) or "mixed"
            if before.targets[column] == EXTERNAL_ID and "email" not in {kind, became}:
                continue  # ids change their form, from 1017 to C-1017, and are ids all the same
            yield Difference(f'Column "{column}" held {_words(kind)}; now it holds {_words(became)}.', stops=True)
        elif kind and counted["rows"] >= 5 and share(was, "empty") <= 0.1 and share(counted, "empty") >= 0.9:
            yield Difference(f'Column "{column}" held {_words(kind)}; now it is nearly empty.', stops=True)


def _words(kind: str) -> str:
    return {
        "email": "e-mail addresses", "flag": "flags", "date": "dates", "number": "numbers", "text": "text",
        "mixed": "values of several kinds",
    }[kind]  # fmt: skip


def _new(before: Shape, now: Shape) -> list[Difference]:
    return [
        Difference(f'Column "{column}" is new.', stops=False) for column in now.columns if column not in before.columns
    ]
