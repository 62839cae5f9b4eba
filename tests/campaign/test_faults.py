"""The fault campaign: seeded imports over real HTTP; each contact once, whatever goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from chaos import SEEDS, in_groups
from fault_world import disturbed, run_all, scenario

pytestmark = pytest.mark.campaign

GROUP = 12


@pytest.mark.parametrize("seeds", in_groups(SEEDS, GROUP), ids=str)
def test_every_contact_is_on_the_list_once(tmp_path: Path, seeds: range) -> None:
    run_all(map(scenario, seeds), tmp_path)


@pytest.mark.parametrize("seeds", in_groups(max(SEEDS // 5, GROUP), GROUP), ids=str)
def test_what_cannot_be_settled_is_unknown_and_nothing_is_double(tmp_path: Path, seeds: range) -> None:
    """Another writer, a platform without a count, a batch stored in part: reported as unknown, never guessed."""
    run_all(map(disturbed, seeds), tmp_path)
