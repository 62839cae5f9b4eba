"""What the guards against the wrong file say, from numbers alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.coordination.guards import GUARDS, Load, judge
from dialfeed.coordination.history import PastRun


def past(number: int = 0, *, rows: int = 1000, rejected: int = 0, suppressed: int = 0, delivered: int = 900,
         sha256: str = "", finished: bool = True, identities: str = "") -> PastRun:  # fmt: skip
    content = sha256 or f"content {number}"
    return PastRun(
        f"run-{number}", "L", "2026-03-02T07:40:00+00:00", content, "h", rows, rejected, suppressed, delivered,
        delivered, finished, identities=identities,
    )  # fmt: skip


def stopped(load: Load, runs: list[PastRun]) -> list[str]:
    return [verdict.guard for verdict in judge(load, runs) if verdict.stops]


USUAL = [past(1, rejected=20, suppressed=100), past(2, rejected=10, suppressed=120), past(3, suppressed=80)]


@pytest.mark.parametrize(
    ("load", "runs", "expected"),
    [
        pytest.param(Load("new", 1000, 30, 100, 870), USUAL, [], id="a usual file"),
        pytest.param(Load("new", 1000, 500, 500), [], [], id="nothing to compare with"),
        pytest.param(Load("content 2", 1000, 0, 100), USUAL, ["same-content"], id="the same content"),
        pytest.param(Load("new", 5, identities="c"), [past(identities="c")], ["same-content"], id="the same contacts"),
        pytest.param(Load("new", 5, identities="c"), [past(identities="d")], [], id="other contacts"),
        pytest.param(Load("new", 5), [past()], [], id="contacts of which nothing is known, before and now"),
        pytest.param(Load("content 2", 1000, 0, 100, count=0), USUAL, [], id="the list was emptied since"),
        pytest.param(Load("x", 5), [past(1, sha256="x", delivered=0)], [], id="the same content, never delivered"),
        pytest.param(Load("x", 5), [past(1, sha256="x", delivered=0, finished=False)], ["same-content"], id="killed"),
        pytest.param(Load("new", 0), USUAL[:1], ["empty"], id="empty where there were rows"),
        pytest.param(Load("new", 0), [past(rows=0, delivered=0)], [], id="empty as ever"),
        pytest.param(Load("new", 9999, 0, 999), USUAL, [], id="not quite ten times the size"),
        pytest.param(Load("new", 10_000, 0, 1000), USUAL, ["size"], id="ten times the size"),
        pytest.param(Load("new", 10_000, 0, 1000), USUAL[:2], [], id="two runs are no habit"),
        pytest.param(Load("new", 1000, 69, 100), USUAL, [], id="not yet five points above"),
        pytest.param(Load("new", 1000, 71, 100), USUAL, ["rejected"], id="rejected, far above"),
        pytest.param(Load("new", 20, 9, 2), USUAL, [], id="few rows are no share"),
        pytest.param(Load("new", 1000, 0, 360), USUAL, [], id="three times the suppressed share"),
        pytest.param(Load("new", 1000, 0, 361), USUAL, ["suppressed"], id="suppressed, far above"),
        pytest.param(Load("new", 1000, 0, 27), USUAL, [], id="a third of the suppressed share"),
        pytest.param(Load("new", 1000, 0, 0), USUAL, ["suppressed"], id="the flags have got lost"),
        pytest.param(Load("new", 9, 0, 0, 9, 991, 1000), [], [], id="the last room"),
        pytest.param(Load("new", 9, 0, 0, 9, 992, 1000), [], ["room"], id="no room"),
        pytest.param(Load("new", 9, 0, 0, 9, None, 5), [], [], id="room that is not known"),
    ],
)
def test_a_guard_stops_what_is_far_from_history(load: Load, runs: list[PastRun], expected: list[str]) -> None:
    assert stopped(load, runs) == expected


def test_only_the_last_runs_say_what_is_usual() -> None:
    old = [past(number, rows=10) for number in range(50)]
    assert stopped(Load("new", 1000), old) == ["size"]
    assert stopped(Load("new", 1000), [*old, *(past(60 + number) for number in range(10))]) == []


numbers = st.integers(0, 5000)


@given(st.lists(st.tuples(numbers, numbers, numbers), max_size=12), numbers, numbers, numbers)
def test_every_guard_speaks_once_whatever_the_numbers(
    runs: list[tuple[int, int, int]], rows: int, rejected: int, suppressed: int
) -> None:
    history = [past(n, rows=each[0], rejected=each[1], suppressed=each[2]) for n, each in enumerate(runs)]
    verdicts = judge(Load("new", rows, rejected, suppressed, rows), history)
    assert tuple(verdict.guard for verdict in verdicts) == GUARDS
    assert all(verdict.sentence[-1] in ".?" for verdict in verdicts if verdict.stops)


@given(st.integers(100, 5000), st.integers(0, 100))
def test_a_file_like_the_last_ones_is_never_stopped(rows: int, percent: int) -> None:
    part = rows * percent // 100
    history = [past(n, rows=rows, rejected=part, suppressed=rows - part) for n in range(5)]
    assert stopped(Load("new", rows, part, rows - part), history) == []
