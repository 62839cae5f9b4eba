"""What a list's history remembers."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

from dialfeed.coordination.history import History, PastRun

PAST = PastRun("run-1", "L", "2026-03-02T07:40:00+00:00", "ab", "cd", 10, 1, 2, 7, 7, finished=False)


def test_a_list_without_runs_has_an_empty_history_and_no_file(tmp_path: Path) -> None:
    assert History(tmp_path, "https://acme.example", "L").runs() == []
    assert list(tmp_path.iterdir()) == []


def test_the_last_line_of_a_run_counts(tmp_path: Path) -> None:
    history = History(tmp_path, "https://acme.example", "L")
    other, ended = replace(PAST, run="run-2"), replace(PAST, finished=True)
    for each in (PAST, other, ended):
        history.add(each)
    assert history.runs() == [ended, other]


def test_lists_and_platforms_are_kept_apart(tmp_path: Path) -> None:
    History(tmp_path, "https://acme.example", "L").add(PAST)
    assert History(tmp_path, "https://ACME.example/", "L").runs() == [PAST]
    assert History(tmp_path, "https://acme.example", "M").runs() == []
    assert History(tmp_path, "https://other.example", "L").runs() == []


def test_a_torn_or_foreign_line_harms_no_other(tmp_path: Path) -> None:
    history = History(tmp_path, "https://acme.example", "L")
    history.add(PAST)
    (file,) = (tmp_path / "history").iterdir()
    file.write_bytes(file.read_bytes() + b'[1]\n{"run": "run-9"}\n{"run": "ru')
    history.add(replace(PAST, run="run-2"))
    assert [each.run for each in history.runs()] == ["run-1", "run-2"]


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    History(tmp_path, "https://acme.example", "L").add(PAST)
    (file,) = (tmp_path / "history").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
