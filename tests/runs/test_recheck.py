"""What is said of a list that is looked at again: the count, what explains it, and what does not."""

from __future__ import annotations

import pytest

from dialfeed.delivery.agreement import Counted
from dialfeed.reports.summary import Finding, Rows, Summary
from dialfeed.running.otherruns import Later
from dialfeed.runs.recheck import Rechecked

SUMMARY = Summary("run-1", "", "import", rows=Rows(read=12, delivered=9), list_id="L-1", list_name="Spring")
BEFORE = "  3 before run run-1, 9 delivered by it"

TOLD = [
    (Counted(3, 12, 9), [], ["The list Spring has 12 contacts.", BEFORE, "They agree."]),
    (Counted(3, 11, 9), [], ["The list Spring has 11 contacts.", BEFORE]),
    (Counted(3, None, 9), [], ["The list Spring has an unknown number of contacts.", BEFORE]),
    (
        Counted(None, 12, 9),
        [],
        ["The list Spring has 12 contacts.", "  an unknown number before run run-1, 9 delivered by it"],
    ),
    (
        Counted(3, 12, 9, unknown=2),
        [],
        ["The list Spring has 12 contacts.", BEFORE, "  2 of it may be there", "They agree."],
    ),
    (
        Counted(3, 1513, 9, later=1501, perhaps=4),
        [Later("run-2", 1500), Later("run-3", 1, 4)],
        [
            "The list Spring has 1,513 contacts.",
            BEFORE,
            "  1,500 delivered by run run-2",
            "  1 delivered by run run-3, and perhaps 4 more",
            "They agree.",
        ],
    ),
]


@pytest.mark.parametrize(("counted", "later", "told"), TOLD)
def test_a_count_is_told_with_what_explains_it(counted: Counted, later: list[Later], told: list[str]) -> None:
    assert Rechecked(SUMMARY, counted, later).as_text().splitlines() == told


@pytest.mark.parametrize(("remedy", "last"), [("Look for them.", "Gone. Look for them."), ("", "Gone.")])
def test_what_does_not_agree_is_told_last_with_its_remedy(remedy: str, last: str) -> None:
    finding = Finding("list.other", "warning", "Gone.", remedy)
    assert Rechecked(SUMMARY, Counted(3, 11, 9), [], [finding]).as_text().splitlines()[-1] == last


def test_a_list_without_a_name_is_told_by_its_id() -> None:
    nameless = Summary("run-1", "", "import", rows=Rows(), list_id="L-1")
    assert Rechecked(nameless, Counted(0, 1, 1), []).as_text().startswith("The list L-1 has 1 contact.\n")
