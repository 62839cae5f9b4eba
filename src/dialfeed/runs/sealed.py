"""What a trail has sealed: the files of a run's evidence, each by the SHA-256 that the trail holds of it.

The chain shows that nobody has changed the trail; this, that nobody has changed what it speaks of. Files with rows are
told by their hash as well, but they are mended, erased from and removed in the ordinary course.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from dialfeed.audit.check import Problem
from dialfeed.audit.lines import lines_told
from dialfeed.donotcall.evidence import DECISIONS, EVIDENCE, OPTOUTS
from dialfeed.files import sha256_of

_SEALS: Final[Mapping[str, Mapping[str, str]]] = {
    "scrub.done": {"evidence_sha256": EVIDENCE, "decisions_sha256": DECISIONS},
    "optouts.recorded": {"sha256": OPTOUTS},
}
"""Event → its fact → the file whose hash that is (`dialfeed.audit.events`)."""


def changed_since_sealed(trail: Path) -> Iterator[Problem]:
    """The files beside a trail that are not as its last word on each of them says.

    Args:
        trail: The trail, in the run's folder.
    """
    for file, (line, sealed) in _seals(trail).items():
        path = trail.with_name(file)
        if not path.is_file():
            yield Problem(line, f"seals {file}, which is not there")
        elif sha256_of(path) != sealed:
            yield Problem(line, f"seals {file}, which was changed since")


def _seals(trail: Path) -> dict[str, tuple[int, str]]:
    """File → the last line that seals it, and the hash that is told there."""
    found: dict[str, tuple[int, str]] = {}
    for number, told in lines_told(trail):
        for fact, file in _SEALS.get(str(told.get("event")), {}).items():
            found[file] = (number, str(told.get(fact)))
    return found
