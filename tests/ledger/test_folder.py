"""How a run is found again."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.errors import FixSettings
from dialfeed.ledger.folder import create, is_run_id, latest, new_run_id

OLD, NEW = "20261125T074009Z-51c0fe", "20261126T074012Z-9d9ae8"


@pytest.mark.parametrize("named", [OLD, NEW])
def test_the_newest_run_is_told_by_its_id_and_not_by_the_name_of_its_folder(tmp_path: Path, named: str) -> None:
    runs_dir, home = tmp_path / "runs", tmp_path / "home"
    for run_id in (OLD, NEW):
        run_dir = runs_dir / "nightly" if run_id == named else None
        folder = create(run_id, runs_dir=runs_dir, run_dir=run_dir, home=home)
        folder.ledger.touch()
    assert latest(runs_dir=runs_dir, home=home) == (runs_dir / ("nightly" if named == NEW else NEW))


def test_a_home_folder_that_cannot_be_used_is_not_taken_for_a_run_folder_that_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FixSettings, match="file/runs"):
        create(NEW, runs_dir=tmp_path / "runs", run_dir=None, home=tmp_path / "file")

    def full(*_: object, **__: object) -> object:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("dialfeed.ledger.folder.open_private", full)
    with pytest.raises(FixSettings, match=r"home.*No space left") as told:
        create(OLD, runs_dir=tmp_path / "runs", run_dir=None, home=tmp_path / "home")
    assert "DIALFEED_HOME" in told.value.advice


@given(st.integers(0, 10**15), st.integers(250, 10**9))
def test_the_ids_of_runs_sort_by_time_also_within_a_second(since: int, later: int) -> None:
    """Two runs that begin a quarter of a millisecond apart, or more."""
    began = datetime(2026, 1, 1, tzinfo=UTC)
    ids = [new_run_id(began + timedelta(microseconds=moment)) for moment in (since, since + later)]
    assert ids == sorted(ids)
    assert all(map(is_run_id, ids))
