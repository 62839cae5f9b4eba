"""A tenant whose platform loses some answers, and a file for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tenant import Tenant

from dialfeed.sandbox import SandboxServer, Settings


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    with SandboxServer(Settings(rate_limit=None)) as sandbox:
        yield Tenant(sandbox, sandbox.add_list("Spring", count=77), tmp_path)
