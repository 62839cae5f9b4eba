"""The catalogue of reasons for a terminal: one reason in full, or all of them in a list."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby

from dialfeed.contacts.reasons import BY_CODE, CATALOGUE, Reason
from dialfeed.errors import FixSettings

_MOST_SUGGESTED = 3


def reason_for(code: str) -> Reason:
    """The reason with a code, however its letters are written.

    Raises:
        FixSettings: There is none; the advice names the nearest codes.
    """
    wanted = code.strip().lower()
    reason = BY_CODE.get(wanted)
    if reason is None:
        close = " or ".join(nearest(wanted))
        advice = f"Perhaps {close}." if close else "`dialfeed explain` lists all codes."
        raise FixSettings("There is no reason with this code.", advice=advice)
    return reason


def nearest(code: str) -> list[str]:
    """The codes that look most like this one, best first; those of the same field where it names no more than that."""
    within = [each for each in BY_CODE if each.split(".")[0] == code.strip(".")]
    words = {each.split(".")[1]: each for each in reversed(BY_CODE)}
    found = difflib.get_close_matches(code, BY_CODE, _MOST_SUGGESTED, 0.6)
    found += [words[word] for word in difflib.get_close_matches(code, words, _MOST_SUGGESTED, 0.6)]
    return list(dict.fromkeys([*found, *within]))[:_MOST_SUGGESTED]


def all_reasons() -> list[Reason]:
    """The whole catalogue, by code."""
    return sorted(CATALOGUE, key=lambda reason: reason.code)


def reason_as_dict(reason: Reason) -> dict[str, str]:
    """A reason's JSON form."""
    return asdict(reason)


def reason_as_text(reason: Reason) -> str:
    """A reason in full."""
    ends = "the row goes on" if reason.severity == "warning" else f"the row ends in: {reason.bucket}"
    lines = [f"{reason.code}: {reason.title} ({reason.severity}, {ends})", "", reason.sentence]
    return "\n".join([*lines, f"What to do: {reason.remedy}"])


def reasons_as_list(reasons: Sequence[Reason]) -> str:
    """One line a reason, a blank line between fields."""
    width = max(len(reason.code) for reason in reasons)
    groups = groupby(reasons, key=lambda reason: reason.code.split(".")[0])
    return "\n\n".join("\n".join(f"{each.code:<{width}}  {each.title}" for each in group) for _, group in groups)
