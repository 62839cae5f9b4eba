"""The catalogues of reasons and findings for a terminal: one entry in full, or all of them in a list."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Final

from dialfeed.contacts import reasons
from dialfeed.contacts.reasons import Reason
from dialfeed.errors import FixSettings
from dialfeed.reports import findings
from dialfeed.reports.findings import Kind

Entry = Reason | Kind
"""What a code means: of a row, or of a run."""

_BY_CODE: Final[dict[str, Entry]] = {**reasons.BY_CODE, **findings.BY_CODE}
_MOST_SUGGESTED: Final = 3


def entry_for(code: str) -> Entry:
    """The reason or the finding with a code, however its letters are written.

    Raises:
        FixSettings: There is none; the advice names the nearest codes.
    """
    wanted = code.strip().lower()
    entry = _BY_CODE.get(wanted)
    if entry is None:
        close = " or ".join(nearest(wanted))
        advice = f"Perhaps {close}." if close else "`dialfeed explain` lists all codes."
        raise FixSettings("There is no reason and no finding with this code.", advice=advice)
    return entry


def nearest(code: str) -> list[str]:
    """The codes that look most like this one, best first; those of the same field where it names no more than that."""
    within = [each for each in _BY_CODE if each.split(".")[0] == code.strip(".")]
    words = {each.split(".")[1]: each for each in reversed(_BY_CODE)}
    found = difflib.get_close_matches(code, _BY_CODE, _MOST_SUGGESTED, 0.6)
    found += [words[word] for word in difflib.get_close_matches(code, words, _MOST_SUGGESTED, 0.6)]
    return list(dict.fromkeys([*found, *within]))[:_MOST_SUGGESTED]


def all_entries() -> list[Entry]:
    """Both catalogues, by code."""
    return sorted(_BY_CODE.values(), key=lambda entry: entry.code)


def entry_as_dict(entry: Entry) -> dict[str, str]:
    """An entry's JSON form; only a reason has a `bucket`."""
    return asdict(entry)


def entry_as_text(entry: Entry) -> str:
    """An entry in full."""
    lines = [f"{entry.code}: {entry.title} ({entry.severity}, {_about(entry)})", "", entry.sentence]
    return "\n".join([*lines, f"What to do: {entry.remedy}"])


def _about(entry: Entry) -> str:
    if isinstance(entry, Kind):
        return "about the run"
    return "the row goes on" if entry.severity == "warning" else f"the row ends in: {entry.bucket}"


def entries_as_list(entries: Sequence[Entry]) -> str:
    """One line an entry, a blank line between fields."""
    width = max(len(entry.code) for entry in entries)
    groups = groupby(entries, key=lambda entry: entry.code.split(".")[0])
    return "\n\n".join("\n".join(f"{each.code:<{width}}  {each.title}" for each in group) for _, group in groups)
