"""A home folder for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from list_world import Lists


@pytest.fixture
def lists(tmp_path: Path) -> Lists:
    return Lists(tmp_path)
