"""Which lists can be used, which cannot, and which soon cannot: for people and for schedulers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from dialfeed.donotcall.facts import ListFacts, Numbers, Opened
from dialfeed.donotcall.lookup import FullList
from dialfeed.donotcall.store import ListStore

_NO_NUMBERS: Numbers = np.zeros(0, np.uint64)

FINE, SOON, UNUSABLE = 0, 4, 6
"""Exit codes of `dialfeed dnc status`: all lists can be used; one expires soon; one is stale, missing or damaged."""


@dataclass(frozen=True, slots=True)
class Status:
    """How a list is.

    Attributes:
        facts: What is known of it.
        condition: `ready`, `soon`, `stale`, `damaged` or `missing`.
        left: How long it may still be used; None where it does not age or cannot be used.
        damaged_blocks: Of an index, how many blocks are damaged, where that was looked at.
    """

    facts: ListFacts
    condition: str
    left: timedelta | None = None
    damaged_blocks: int = 0

    @property
    def exit_code(self) -> int:
        """What it means for a scheduler."""
        return {"ready": FINE, "soon": SOON}.get(self.condition, UNUSABLE)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            **self.facts.as_dict(),
            "condition": self.condition,
            "seconds_left": None if self.left is None else int(self.left.total_seconds()),
            "damaged_blocks": self.damaged_blocks,
        }


def statuses(
    store: ListStore, names: Sequence[str], now: datetime, warn_within: timedelta, *, verify: bool = False
) -> list[Status]:
    """How lists are.

    Args:
        store: The lists.
        names: Those to look at; all where none is named.
        now: The moment.
        warn_within: How long before it expires a list is told.
        verify: Whether to read each index as a whole.
    """
    return [_status(store.open([name], now=now), now, warn_within, verify=verify) for name in names or store.ids()]


def _status(opened: Opened, now: datetime, warn_within: timedelta, *, verify: bool) -> Status:
    damaged = sum(len(one.index.verify()) for one in opened.phone if verify and isinstance(one, FullList))
    for one in opened.phone:
        one.look_up(_NO_NUMBERS)  # an internal list is read when it is first asked
    facts = opened.facts[0]
    if damaged:
        return Status(replace(facts, state="damaged"), "damaged", damaged_blocks=damaged)
    left = None if facts.valid_until is None or facts.state != "ready" else facts.valid_until - now
    soon = left is not None and left < warn_within
    return Status(facts, "soon" if soon else facts.state, left)
