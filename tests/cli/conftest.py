"""A tenant for each test, and a look at all that is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from event_table import unfit
from tenant import Tenant

from dialfeed.audit.trail import Trail
from dialfeed.sandbox import SandboxServer, Settings


@pytest.fixture(autouse=True)
def _events_are_in_the_table() -> Iterator[None]:
    """Whatever a command tells its trail, the table of events knows (`audit/events.py`)."""
    problems: list[str] = []
    append = Trail.append

    def checked(trail: Trail, event: str, /, **facts: Any) -> None:
        problems.extend(unfit(event, facts))
        append(trail, event, **facts)

    with mock.patch.object(Trail, "append", checked):
        yield
    assert problems == []


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    with SandboxServer(Settings(rate_limit=None)) as sandbox:
        yield Tenant(sandbox, sandbox.add_list("Spring"), tmp_path)
