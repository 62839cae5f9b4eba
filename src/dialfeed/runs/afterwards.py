"""What is written into the trail of a run long after its end: legal holds, and what was removed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dialfeed.audit.signing import Signer, open_signer
from dialfeed.audit.trail import Trail
from dialfeed.config import Plan
from dialfeed.files import write_json
from dialfeed.ledger.folder import AUDIT, SUMMARY, held
from dialfeed.reports.retention import HOLD
from dialfeed.reports.summary import read_summary, take_up
from dialfeed.running.assembly import keys_folder
from dialfeed.running.provenance import operator_name
from dialfeed.running.shipping import ship_later_events
from dialfeed.runs.seen import see


def hold(folder: Path, plan: Plan, *, release: bool = False) -> None:
    """Set or end a legal hold on a run.

    Raises:
        CheckFile: A process is working on it.
        OSError: The hold cannot be written.
    """
    with held(folder):
        if release:
            (folder / HOLD).unlink(missing_ok=True)
        else:
            (folder / HOLD).touch(mode=0o600)
        name = "hold.released" if release else "hold.set"
        signer = open_signer(keys_folder(plan))
        record(folder, see(folder).run, signer, lambda trail: trail.append(name, operator=operator_name()))
    ship_later_events(folder, plan)


def record(folder: Path, run: str, signer: Signer | None, tell: Callable[[Trail], None]) -> None:
    """Write into the trail of a run that has ended, and into its summary where that trail ends now."""
    take_up(folder / SUMMARY)
    trail = Trail(folder / AUDIT, run)
    try:
        tell(trail)
    finally:
        trail.close(signer)
    if (folder / SUMMARY).is_file():
        summary = read_summary(folder / SUMMARY)
        summary.audit_hash = trail.last_hash
        write_json(folder / SUMMARY, summary.as_dict())
