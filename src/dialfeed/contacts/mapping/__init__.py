"""Which source column is which contact field.

A column is claimed by an override first, then by a field's own name, then by a name that people commonly use
for the field, then by what its values are, where no name tells. Nothing is guessed: where two columns have the same
claim, the mapping has a problem, and an override settles it. Several columns may be phones, or e-mail addresses, where
the user gives their order. Every other column passes through under its own name.

    names (what a column's name may mean) → columns (what was decided) → problems (what is wrong with it) → headers
"""

from __future__ import annotations

from dialfeed.contacts.mapping.columns import CLAIMS, PASSES, ColumnMapping, MappedColumn, MappingProblem
from dialfeed.contacts.mapping.headers import map_headers
from dialfeed.contacts.mapping.names import SYNONYMS, header_fingerprint, is_numbered, match_key
from dialfeed.contacts.mapping.problems import NO_CHANNEL, empty_flags, named_channels, not_used, unasked

__all__ = [
    "CLAIMS",
    "NO_CHANNEL",
    "PASSES",
    "SYNONYMS",
    "ColumnMapping",
    "MappedColumn",
    "MappingProblem",
    "empty_flags",
    "header_fingerprint",
    "is_numbered",
    "map_headers",
    "match_key",
    "named_channels",
    "not_used",
    "unasked",
]
