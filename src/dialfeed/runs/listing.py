"""All runs that can be found, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from dialfeed.config import Plan
from dialfeed.ledger.folder import every_run
from dialfeed.running.assembly import home_folder
from dialfeed.runs.following import ago
from dialfeed.runs.seen import Seen, see_all

_HEADER = ("RUN", "STATUS", "COMMAND", "LIST", "READ", "DELIVERED", "AGE", "LEFT TO DO")


def all_runs(plan: Plan) -> list[Seen]:
    """Every run in the runs folder and in the notes of the home folder, newest first."""
    return see_all(every_run(Path(plan.runs_dir), home_folder(plan)))


def as_table(runs: Sequence[Seen], now: datetime) -> str:
    """One line a run."""
    if not runs:
        return "There is no run yet."
    lines = [_HEADER, *(_line(each, now) for each in runs)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADER))]
    return "\n".join("  ".join(_fitted(cell, width, place) for place, (cell, width) in
                               enumerate(zip(line, widths, strict=True))).rstrip() for line in lines)  # fmt: skip


def _line(seen: Seen, now: datetime) -> tuple[str, ...]:
    rows = seen.rows
    numbers = (f"{rows[name]:,}" if name in rows else "" for name in ("read", "delivered"))
    age = ago((now - seen.began).total_seconds()) if seen.began else ""
    left = " ".join([seen.can, *(["rows removed"] if seen.purged else []), *(["on hold"] if seen.hold else [])])
    return (seen.run, seen.status, seen.told_command, seen.list, *numbers, age, left.strip())


def _fitted(cell: str, width: int, place: int) -> str:
    return cell.rjust(width) if place in {4, 5, 6} else cell.ljust(width)
