"""The world's numbering plans as sorted tables: libphonenumber's verdict on a whole column at once.

The library judges one number at a time with a row of regular expressions. These use nothing but digits, digit classes,
groups, alternatives and counts, so the rules of a calling code are one finite automaton over digits. Walked once for
each length, it yields the intervals of E.164 numbers (as integers) that share a verdict: 49,000 for the whole world,
compiled in half a second, and only for the calling codes that occur. A column is then judged by one binary search.

What is written in national form, or with a prefix that has to go first, takes `dialling`: the library's own ``parse``,
step by step, over columns. What neither can say (more than 19 digits, a pattern of a kind not seen yet) goes to the
library itself, once for each distinct text and region.

    patterns → automaton → plans (intervals of a calling code) → tables (sorted, one search) ┐
    cells → dialling (prefixes) ─────────────────────────────────────────────────────────────┴→ columns (verdicts)

Sources: the metadata of the `phonenumbers` package; `dependencies.md` section A and "Surprises and traps".
"""

from __future__ import annotations

from dialfeed.contacts.kinds import KINDS
from dialfeed.contacts.numbering.columns import resolve, resolve_international
from dialfeed.contacts.numbering.library import ask_library, resolve_by_library
from dialfeed.contacts.numbering.tables import first_numbers
from dialfeed.contacts.numbering.verdicts import METADATA_VERSION, REGIONS, VALID, VERDICT_CODES, Resolved

__all__ = [
    "KINDS",
    "METADATA_VERSION",
    "REGIONS",
    "VALID",
    "VERDICT_CODES",
    "Resolved",
    "ask_library",
    "first_numbers",
    "resolve",
    "resolve_by_library",
    "resolve_international",
]
