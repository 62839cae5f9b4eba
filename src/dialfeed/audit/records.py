"""The chain of run records: which runs have left evidence on this machine, so that a run that is gone shows.

A run's own trail cannot tell that the whole folder was removed. So each run record names the end of `records.jsonl` in
the home folder as it was before it, and is told there by its SHA-256; so is the removal of one (`compliance.md` section
5: "each holds the previous record's hash, so gaps show"). The file is a trail like that of a run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dialfeed.audit.check import Problem, check
from dialfeed.audit.lines import told_by
from dialfeed.audit.trail import Trail
from dialfeed.files import alone_with

RECORDS: Final = "records.jsonl"


@contextmanager
def shared_trail(path: Path) -> Iterator[Trail]:
    """A trail that several processes add to, one after the other; another one is waited for.

    Raises:
        CheckFile: The trail that is there ends in a line that cannot be read.
        FixSettings: Its folder cannot be used.
    """
    with alone_with(path.with_name(f".{path.stem}.lock")):
        trail = Trail(path, path.stem)
        try:
            yield trail
        finally:
            trail.close()


@dataclass(frozen=True, slots=True)
class Records:
    """What is known of the records of a home folder.

    Attributes:
        kept: Run → SHA-256 of its record, of those that were not removed.
        problems: What is wrong with the chain itself.
    """

    kept: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def read_records(home: Path) -> Records:
    """The records that runs have left; none where there is no chain yet."""
    path = home / RECORDS
    if not path.is_file():
        return Records()
    lines = path.read_bytes().splitlines(keepends=True)
    kept: dict[str, str] = {}
    for raw in lines:
        told = told_by(raw)
        if told.get("event") == "record.kept":
            kept[str(told.get("of"))] = str(told.get("evidence_sha256"))
        elif told.get("event") == "record.removed":
            kept.pop(str(told.get("of")), None)
    return Records(kept, tuple(check(lines).problems))
