"""Lists of changes: the layout is found and shown, the last action wins, and what is not known refuses the file."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialfeed.donotcall.listfiles.base import Fault
from dialfeed.donotcall.listfiles.changes import ChangeLayout, Changes, change_layout, read_changes
from dialfeed.errors import FixSource

Write = Callable[..., Path]

JOINED = "2125550100,2026-11-01T08:00:00,A\n2125550101,2026-11-01T08:00:00,D\n"
LAYOUTS = {
    "joined": (JOINED, "number, time, A or D; time as %Y-%m-%dT%H:%M:%S"),
    "split": (
        "212,5550100,2026-11-01,A\n212,5550101,2026-11-02,D\n",
        "area code, seven digits, time, A or D; time as %Y-%m-%d",
    ),
    "in another order, with a header": (
        "action,when,id,tel\nA,11/01/2026 08:00:00,77,2125550100\nD,11/02/2026 08:00:00,78,2125550101\n",
        "A or D, time, not used, number; time as %m/%d/%Y %H:%M:%S; one header line",
    ),
    "in quotes": (JOINED.replace(",", '","').replace("\n", '"\n"')[:-1], ""),
    "to the part of a second": (
        JOINED.replace(":00,", ":00.125Z,"),
        "number, time, A or D; time as %Y-%m-%dT%H:%M:%S%.fZ",
    ),
    "of digits only": (
        JOINED.replace("2026-11-01T08:00:00", "20261101080000"),
        "number, time, A or D; time as %Y%m%d%H%M%S",
    ),
}


def read(path: Path) -> Changes:
    return read_changes(path, change_layout(path))


def both(changes: Changes) -> tuple[list[int], list[int]]:
    return changes.added.tolist(), changes.removed.tolist()


@pytest.mark.parametrize("name", [name for name in LAYOUTS if LAYOUTS[name][1]])
def test_the_layout_is_found_by_shape_and_told_in_words(written: Write, name: str) -> None:
    content, told = LAYOUTS[name]
    assert str(change_layout(written(content))) == told


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_is_read(written: Write, name: str) -> None:
    changes = read(written(LAYOUTS[name][0]))
    assert both(changes) == ([12125550100], [12125550101])
    assert (changes.lines, changes.malformed_count) == (2, 0)


def test_all_files_of_an_archive_count(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "changes.zip", "w") as archive:
        archive.writestr("1.txt", JOINED)
        archive.writestr("2.txt", JOINED.replace("00,A", "01,D"))
    assert both(read(tmp_path / "changes.zip")) == ([], [12125550100, 12125550101])


@pytest.mark.parametrize(
    "content",
    [
        "212,5550100\n212,5550101\n",
        "2125550100,A\n",
        "2125550100,2026-11-01\n",
        "2125550100,2026-11-01,A,2026-11-02\n",
        "2125550100,2125550101,2026-11-01,A\n",
        "2125550100,2026-11-01,A,B\n",
        "2125550100,2026-13-01,A\n",
        "2125550100,2026-11-01,A\n2125550101,2026-11-01\n",
        "",
    ],
)
def test_no_layout_is_guessed(written: Write, content: str) -> None:
    with pytest.raises(FixSource, match="no layout"):
        change_layout(written(content))


@pytest.mark.parametrize("action", ["X", "a", "", "AD", "R"])
def test_an_unknown_action_refuses_the_whole_file(written: Write, action: str) -> None:
    layout = change_layout(written(JOINED))
    path = written(JOINED + f"2125550102,2026-11-01T08:00:00,{action}\n")
    with pytest.raises(FixSource, match=r"Line 3 .* neither A nor D") as caught:
        read_changes(path, layout)
    assert "5550102" not in str(caught.value)


def test_malformed_lines_are_counted_and_shown_by_their_shape(written: Write) -> None:
    layout = change_layout(written(JOINED))
    bad = "\n212555010,2026-11-01T08:00:00,A\n2125550102,yesterday,A\n2125550103,2026-11-01T08:00:00\nnonsense\n"
    changes = read_changes(written(JOINED + bad), layout)
    assert [(each.line, each.fault, each.shape) for each in changes.malformed] == [
        (4, Fault.NOT_A_NUMBER, "999999999,9999-99-99A99:99:99,A"),
        (5, Fault.NOT_A_DATE, "9999999999,AAAAAAAAA,A"),
        (6, Fault.NOT_A_NUMBER, "9999999999,9999-99-99A99:99:99"),
        (7, Fault.NOT_A_NUMBER, "AAAAAAAA"),
    ]
    assert (changes.malformed_count, changes.lines, both(changes)) == (4, 6, ([12125550100], [12125550101]))


def test_the_times_are_told(written: Write) -> None:
    changes = read(written("2125550100,2026-11-03,A\n2125550101,2026-11-01,D\n2125550102,2026-11-02,D\n"))
    assert (changes.first, changes.last) == (np.datetime64("2026-11-01"), np.datetime64("2026-11-03"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4), st.sampled_from("AD")), min_size=1, max_size=40))
def test_the_last_action_wins_by_time_and_then_by_place(tmp_path: Path, actions: list[tuple[int, int, str]]) -> None:
    path = tmp_path / "changes.txt"
    path.write_text("".join(f"212555010{number},2026-11-0{day},{action}\n" for number, day, action in actions))
    expected: dict[int, str] = {}
    for number, _, action in sorted(actions, key=lambda each: each[1]):  # stable: the order of the file on ties
        expected[12125550100 + number] = action
    layout = ChangeLayout(0, None, 1, 2, 3, "%Y-%m-%d", header=False)
    added, removed = both(read_changes(path, layout))
    assert added == sorted(number for number, action in expected.items() if action == "A")
    assert removed == sorted(number for number, action in expected.items() if action == "D")
