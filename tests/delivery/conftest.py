"""Worlds of deliveries, one a test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from delivery_world import Faults, World


@pytest.fixture
def make_world(tmp_path: Path) -> Callable[..., World]:
    def make(total: int, faults: Faults, seed: int = 1, **options: Any) -> World:
        folder = tmp_path / f"run-{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        return World(folder, total, faults, seed, **options)

    return make
