"""Waiting for what comes when it comes: no test may depend on how fast the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable

LONG = 250.0
"""Seconds that no machine needs, however busy it is."""


def wait_for(condition: Callable[[], object], seconds: float = LONG) -> None:
    """Wait until a function says yes; the bound is there for what never comes."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
