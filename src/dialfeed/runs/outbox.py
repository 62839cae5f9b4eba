"""What waits in the folders of runs for their sinks: found, sent, and told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dialfeed.audit.sinks.courier import Standing
from dialfeed.config import Plan
from dialfeed.errors import FixSettings
from dialfeed.ledger.folder import known
from dialfeed.running.assembly import home_folder, run_folder
from dialfeed.running.shipping import ship
from dialfeed.wording import counted


@dataclass(frozen=True, slots=True)
class Shipped:
    """How a sink stands with a run.

    Attributes:
        run: The run's id, or its folder's name.
        folder: Its folder.
        standing: The sink's standing.
    """

    run: str
    folder: Path
    standing: Standing

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"run": self.run, "folder": str(self.folder), **asdict(self.standing)}


def ship_runs(plan: Plan, run: str | None, *, patience: float, again: bool = False) -> list[Shipped]:
    """Send what waits of one run, or of all that can be found.

    Args:
        plan: Sinks, secrets, terms and places.
        run: A run's id or its folder; None for all runs, each to the sinks that it began with.
        patience: Seconds without any progress, after which what is left goes on waiting.
        again: Send what the sinks refused before once more.

    Raises:
        FixSettings: There is no such run, a secret is missing, or a library is not installed; of all runs it is raised
            when the others have been sent.
    """
    if run is not None:
        return _ship_one(run_folder(plan, run), plan, patience=patience, again=again, only_its_own=False)
    shipped: list[Shipped] = []
    faults: list[FixSettings] = []
    for folder in _all(plan):
        try:
            shipped += _ship_one(folder, plan, patience=patience, again=again, only_its_own=True)
        except FixSettings as fault:
            faults.append(FixSettings(f"Run {folder.name}: {fault.sentence}", advice=fault.advice))
    if faults:
        raise faults[0]
    return shipped


def _ship_one(folder: Path, plan: Plan, **how: Any) -> list[Shipped]:
    return [Shipped(folder.name, folder, standing) for standing in ship(folder, plan, **how)]


def _all(plan: Plan) -> Iterator[Path]:
    found = known(Path(plan.runs_dir), home_folder(plan))
    yield from sorted({folder.resolve() for _, folder in found})


def exit_code(shipped: list[Shipped]) -> int:
    """0 if every sink has everything, 3 if something waits, 4 if something was refused."""
    if any(each.standing.waiting for each in shipped):
        return 3
    return 4 if any(each.standing.dead for each in shipped) else 0


def as_lines(shipped: list[Shipped]) -> str:
    """The standing of every sink, in words."""
    return "\n".join(map(_line, shipped)) or "No run has a sink."


def _line(each: Shipped) -> str:
    told = each.standing
    waits = f"{counted(told.waiting, 'event')} {'waits' if told.waiting == 1 else 'wait'} ({told.reason})"
    words = waits if told.waiting else "has everything"
    refused = f", {told.dead:,} refused" if told.dead else ""
    return f"{each.run}  {told.name}: {words}{refused}, up to event {told.acknowledged:,}"
