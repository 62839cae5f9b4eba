"""The audit trail: whatever is done to a line, it shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dialfeed.audit.trail import Trail, verify

EVENTS = 1000


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[bytes], str]:
    path = tmp_path_factory.mktemp("trail") / "audit.jsonl"
    trail = Trail(path, "run-1")
    for number in range(EVENTS):
        trail.append("batch.sent", batch=number, contacts=1000)
    trail.close()
    return path.read_bytes().splitlines(), trail.last_hash


def test_a_whole_trail_has_no_problems(trail: tuple[list[bytes], str]) -> None:
    lines, last = trail
    assert len(lines) == EVENTS
    assert verify(lines, last_hash=last) == []


def test_each_changed_removed_inserted_swapped_or_cut_line_shows(trail: tuple[list[bytes], str]) -> None:
    lines, last = trail
    for place in range(0, EVENTS, 37):
        changed = json.loads(lines[place]) | {"contacts": 999}
        edited = [*lines[:place], json.dumps(changed).encode(), *lines[place + 1 :]]
        assert verify(edited, last_hash=last), f"changed {place}"
        assert verify([*lines[:place], *lines[place + 1 :]], last_hash=last), f"removed {place}"
        assert verify([*lines[:place], lines[place], *lines[place:]], last_hash=last), f"inserted {place}"
        assert verify(lines[: max(place, 1)], last_hash=last), f"cut at {place}"
        if place + 1 < EVENTS:
            swapped = [*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]]
            assert verify(swapped, last_hash=last), f"swapped {place}"


def test_a_trail_is_continued_after_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    first = Trail(path, "run-1")
    first.append("run.started")
    first.close()
    with path.open("ab") as file:
        file.write(b'{"n":2,"time":"20')
    second = Trail(path, "run-1")
    second.append("run.finished")
    second.close()
    lines = path.read_bytes().splitlines()
    assert verify(lines, last_hash=second.last_hash) == []
    assert [json.loads(line)["event"] for line in lines] == ["run.started", "trail.recovered", "run.finished"]
