"""What the lines of a trail tell, to whoever asks what happened and leaves it to the check whether they are whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson


def told_by(raw: bytes) -> Mapping[str, Any]:
    """What a line tells; nothing where it is no line of a trail, which the chain shows (`dialfeed.audit.check`)."""
    try:
        told = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def lines_told(trail: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The lines of a trail with their numbers, from 1.

    Raises:
        OSError: The trail cannot be read.
    """
    with trail.open("rb") as lines:
        for number, raw in enumerate(lines, 1):
            yield number, told_by(raw)
