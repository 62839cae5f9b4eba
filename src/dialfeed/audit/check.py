"""Whether an audit trail is whole: no line of it changed, removed, added or moved, and its end the one recorded.

The chain alone cannot show that its end was cut off, or that whoever cut it wrote new lines with new hashes. So the
last hash is held against `summary.json`, against a signature, and against what a sink has kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import orjson

from dialfeed.audit.trail import FIRST, line_hash

MOST_TOLD: Final = 20
"""Problems that are told; the first is the one to look at, since later lines may only follow from it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a trail.

    Attributes:
        line: The first line that shows it, from 1; one after the last where the end is missing.
        sentence: What is wrong.
    """

    line: int
    sentence: str


@dataclass(slots=True)
class Checked:
    """What came of checking a trail.

    Attributes:
        lines: How many it has.
        run: The run that it belongs to.
        last_hash: The hash of its last line.
        problems: What is wrong, the first `MOST_TOLD`.
        wrong: How many problems there are.
    """

    lines: int = 0
    run: str = ""
    last_hash: str = FIRST
    problems: list[Problem] = field(default_factory=list)
    wrong: int = 0

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong

    def add(self, line: int, sentence: str) -> None:
        """One more problem."""
        self.wrong += 1
        if len(self.problems) < MOST_TOLD:
            self.problems.append(Problem(line, sentence))


def check(lines: Iterable[bytes], *, last_hash: str | None = None, hashes: Iterable[str] = ()) -> Checked:
    """Check a trail, a line at a time.

    Args:
        lines: The lines of `audit.jsonl` with their line ends, as iterating over the binary file gives them.
        last_hash: The hash that the last line must have, from `summary.json` or a sink; None if none is known.
        hashes: Hashes that some line must have (those that were signed, or that a sink has kept).
    """
    checked = Checked()
    wanted = set(hashes)
    for place, raw in enumerate(lines, 1):
        checked.lines = place
        line = read_line(raw)
        if line is None:
            checked.add(place, "is not a line of an audit trail, or its text was changed")
            continue
        _place(checked, place, line)
        wanted.discard(line.hash)
    if not checked.lines:
        checked.add(1, "is missing: there is nothing in the file")
    for _ in wanted:
        checked.add(checked.lines + 1, "is missing: the trail was signed with it, or a sink has it")
    if last_hash is not None and checked.last_hash != last_hash:
        checked.add(checked.lines + 1, "should not be the end: another end was recorded, so lines are missing or added")
    return checked


_KINDS: Final = {"n": int, "run": str, "event": str, "previous": str, "hash": str}
"""What of a line matters to the chain, and of which kind it is."""


@dataclass(frozen=True, slots=True)
class Line:
    """What of a line matters to the chain.

    Attributes:
        number: Its `n`.
        run: The run that it belongs to.
        previous: The hash that it names as the one before.
        hash: The hash that it gives itself.
        right: Whether that hash is right for what it holds.
    """

    number: int
    run: str
    previous: str
    hash: str
    right: bool


def read_line(raw: bytes) -> Line | None:
    """A line, if it is one and stands as it was written, byte for byte.

    Text that means the same is not enough: a key told twice means different things to different readers.
    """
    try:
        told = orjson.loads(raw)
        again = orjson.dumps(told)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # what is nested too deep can be read, and not written
        return None
    if not isinstance(told, dict) or again + b"\n" != raw or next(reversed(told), "") != "hash":
        return None
    if {name: type(told.get(name)) for name in _KINDS} != _KINDS:
        return None
    claimed = told.pop("hash")
    return Line(told["n"], told["run"], told["previous"], claimed, claimed == line_hash(told))


def _place(checked: Checked, place: int, line: Line) -> None:
    """Hold a line against the one before it, and let it be the last one seen."""
    if not line.right:
        checked.add(place, "was changed")
    if line.previous != checked.last_hash or line.number != place:
        checked.add(place, "does not follow the line before it: lines were removed, added, moved or written anew")
    elif checked.run and line.run != checked.run:
        checked.add(place, "belongs to another run")
    checked.run = checked.run or line.run
    checked.last_hash = line.hash
