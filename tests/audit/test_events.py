"""The table of events: what the code tells is in it, and nothing that could hold a row fits into it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from event_table import unfit

from dialfeed.audit.events import BY_NAME, EVENTS, KINDS, fits

SOURCES = Path(__file__).parents[2] / "src" / "dialfeed"
TELLING = {"append", "observe", "hear"}


def told_in_the_code() -> Iterator[tuple[str, str, set[str]]]:
    """Every event that the code tells by its name: where, which, with which facts."""
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.func, ast.Attribute | ast.Name):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            first = node.args[0]
            event = first.value if isinstance(first, ast.Constant) else None
            if name in TELLING and isinstance(event, str) and re.fullmatch(r"[a-z]+\.[a-z_]+", event):
                facts = {keyword.arg for keyword in node.keywords if keyword.arg}
                yield f"{path.relative_to(SOURCES)}:{node.lineno}", event, facts


def test_every_event_and_fact_that_the_code_tells_is_in_the_table() -> None:
    for where, event, facts in told_in_the_code():
        assert event in BY_NAME, f"{where} tells {event}, which is not in audit/events.py"
        unknown = [fact for fact in facts if BY_NAME[event].kind_of(fact) is None]
        assert not unknown, f"{where}: {event} has no {unknown} in audit/events.py"


def test_names_are_of_one_kind_and_stand_once() -> None:
    assert len(BY_NAME) == len(EVENTS)
    for event in EVENTS:
        assert event.when.endswith(".")
        assert len({fact.name for fact in event.facts}) == len(event.facts)
        assert {fact.kind for fact in event.facts} <= KINDS.keys()
        assert not {"n", "time", "run", "event", "previous", "hash"} & {fact.name for fact in event.facts}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("code", "Zebulon Q. Marker"),
        ("code", "marked@example.com"),
        ("code", "+12125550123"),
        ("number", "12125550123"),
        ("number", True),
        ("flag", "yes"),
        ("hash", "marked@example.com"),
        ("time", "yesterday"),
        ("counts", {"Zebulon Q. Marker": 1}),
        ("counts", {"refused.address": "12125550123"}),
        ("numbers", ["1"]),
        ("codes", ["+12125550123"]),
    ],
)
def test_what_is_not_of_a_kind_does_not_fit_into_it(kind: str, value: object) -> None:
    assert not fits(kind, value)  # type: ignore[arg-type]


def test_what_the_table_does_not_know_is_named() -> None:
    assert list(unfit("batch.sent", {"batch": 1, "contacts": 2, "attempt": None})) == []
    assert list(unfit("batch.sent", {"row": "x"})) == ["batch.sent has no fact row"]
    assert list(unfit("batch.sent", {"batch": "1"})) == [
        "batch.sent: batch is not a number; seconds where it is a time"
    ]
    assert list(unfit("batch.lost", {})) == ["there is no event batch.lost"]
