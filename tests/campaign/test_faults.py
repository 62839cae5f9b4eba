"""The fault campaign: seeded imports over real HTTP; each contact once, whatever goes wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fault_world import disturbed, run_all, scenario

LONG = os.environ.get("DIALFEED_CAMPAIGN") == "long"
SEEDS = 480 if LONG else 24
DISTURBED = 96 if LONG else 12
GROUP = 12

pytestmark = pytest.mark.campaign


@pytest.mark.parametrize("first", range(0, SEEDS, GROUP))
def test_every_contact_is_on_the_list_once(tmp_path: Path, first: int) -> None:
    run_all(map(scenario, range(first, first + GROUP)), tmp_path)


@pytest.mark.parametrize("first", range(0, DISTURBED, GROUP))
def test_what_cannot_be_settled_is_unknown_and_nothing_is_double(tmp_path: Path, first: int) -> None:
    """Another writer, a platform without a count, a batch stored in part: reported as unknown, never guessed."""
    run_all(map(disturbed, range(first, first + GROUP)), tmp_path)
