"""A mapping: each source column, what it becomes and why, and what is wrong with that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from dialfeed.contacts.fields import CHANNEL_FIELDS, CONTACT_FIELDS, FULL_NAME
from dialfeed.contacts.mapping.names import FIELD_BY_KEY, match_key

Why = Literal["exact", "synonym", "override", "values", "passed through", "as it is", "ignored"]

CLAIMS: Final = ("override", "exact", "synonym", "values")
PASSES: Final = ("passed through", "as it is")


@dataclass(frozen=True, slots=True)
class MappingProblem:
    """Something about the header, or about the overrides, that the user should know.

    Attributes:
        code: A code of the catalogue of reasons (``header.…``).
        sentence: What is wrong in this header; names columns, never a value of a row.
        remedy: What to do about it.
        severity: ``error`` stops the run before its first batch; ``warning`` is told.
    """

    code: str
    sentence: str
    remedy: str
    severity: Literal["error", "warning"] = "error"


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One source column and where it goes.

    Attributes:
        position: Place in the source, from 0; ``str(position)`` is its name in a chunk.
        name: The name in the header, cleaned; may be empty.
        target: A contact field, or the column's own name when it passes through; None when it is ignored.
        why: How that was decided.
        rank: Place in the order in which the columns of one channel are tried, from 0.
    """

    position: int
    name: str
    target: str | None
    why: Why
    rank: int = 0

    @property
    def carried_name(self) -> str:
        """The name under which a phone or an address is sent that is not the one chosen for the contact."""
        if not self.name:
            return f"column {self.position + 1}"
        return f"other {self.target}" if match_key(self.name) in FIELD_BY_KEY else self.name


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """The way from source columns to contact fields.

    Attributes:
        columns: One entry for each source column, in order.
        problems: What is wrong, errors first.
        fingerprint: SHA-256 in hex over the cleaned names in their order: equal headers, equal fingerprints.
    """

    columns: tuple[MappedColumn, ...]
    problems: tuple[MappingProblem, ...]
    fingerprint: str

    @property
    def usable(self) -> bool:
        """Whether rows can be read by it: no problem is an error."""
        return all(problem.severity != "error" for problem in self.problems)

    @property
    def fields(self) -> dict[str, int]:
        """Contact fields with the positions of their (first) columns, in the order of `CONTACT_FIELDS`."""
        positions = {column.target: column.position for column in self._claiming if not column.rank}
        return {field: positions[field] for field in CONTACT_FIELDS if field in positions}

    @property
    def others(self) -> dict[str, dict[str, int]]:
        """Channels with more columns than one: the names and positions of those behind the first, in their order."""
        behind = sorted((column for column in self._claiming if column.rank), key=lambda column: column.rank)
        return {
            field: {column.carried_name: column.position for column in behind if column.target == field}
            for field in CHANNEL_FIELDS
            if any(column.target == field for column in behind)
        }

    @property
    def full_name(self) -> int | None:
        """The position of the column that holds first and last name together."""
        return next((column.position for column in self._claiming if column.target == FULL_NAME), None)

    @property
    def beside(self) -> list[str]:
        """Names of all columns that are sent beside the contact fields, in the order of the source."""
        named = {column.position: column.carried_name for column in self._claiming if column.rank}
        named |= {position: name for name, position in self.passed_through.items()}
        return [named[position] for position in sorted(named)]

    @property
    def _claiming(self) -> list[MappedColumn]:
        return [column for column in self.columns if column.why in CLAIMS]

    @property
    def passed_through(self) -> dict[str, int]:
        """Names of the columns that pass through, with their positions, in the order of the source."""
        return {column.name: column.position for column in self.columns if column.why in PASSES}

    def describe(self) -> list[tuple[str, str, str]]:
        """Rows for display: the column, what it becomes (empty when ignored), and why."""
        return [(column.name, column.target or "", column.why) for column in self.columns]
