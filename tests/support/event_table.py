"""Holds events against the table of events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dialfeed.audit.events import BY_NAME, KINDS, fits


def unfit(name: str, facts: Mapping[str, Any]) -> Iterator[str]:
    """What an event with these facts has that the table does not know; nothing when all is in order."""
    event = BY_NAME.get(name)
    if event is None:
        yield f"there is no event {name}"
        return
    for fact, value in facts.items():
        kind = event.kind_of(fact)
        if kind is None:
            yield f"{name} has no fact {fact}"
        elif not fits(kind, value):
            yield f"{name}: {fact} is not {KINDS[kind]}"
