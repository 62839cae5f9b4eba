"""How a run is found again."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialfeed.ledger.folder import create, latest

OLD, NEW = "20261125T074009Z-51c0fe", "20261126T074012Z-9d9ae8"


@pytest.mark.parametrize("named", [OLD, NEW])
def test_the_newest_run_is_told_by_its_id_and_not_by_the_name_of_its_folder(tmp_path: Path, named: str) -> None:
    runs_dir, home = tmp_path / "runs", tmp_path / "home"
    for run_id in (OLD, NEW):
        run_dir = runs_dir / "nightly" if run_id == named else None
        folder = create(run_id, runs_dir=runs_dir, run_dir=run_dir, home=home)
        folder.ledger.touch()
    assert latest(runs_dir=runs_dir, home=home) == (runs_dir / ("nightly" if named == NEW else NEW))
