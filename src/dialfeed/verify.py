"""Verify: the list's count against what was delivered."""

from __future__ import annotations

from dialfeed.errors import FixConnection
from dialfeed.ledger.ledger import Ledger
from dialfeed.order import Order, Target
from dialfeed.run import Run, found


async def verify(run: Run, order: Order, ledger: Ledger, target: Target) -> None:
    """Compare the list's count with what was delivered, and wait for it while it lags."""
    run.progress("verify")
    clock = target.connection.clock
    before, stored = run.summary.before, ledger.stored()
    unknown = ledger.contacts_by_state().get("unknown", 0)
    patience = clock.now() + max(order.plan.lag, 30.0)
    pause = 0.05
    while True:
        try:
            run.summary.after = await run.stopper.unless(target.carrier.count())
        except FixConnection:
            run.summary.after = None
        if before is None or run.summary.after is None:
            sentence = "The platform did not tell how many contacts the list has, so nothing could be compared."
            run.summary.findings.append(found("verify.no_count", "warning", sentence))
            break
        if run.summary.after >= before + stored or clock.now() >= patience:
            break
        await run.stopper.unless(clock.sleep(pause))
        pause = min(pause * 1.5, 2.0)
    _compare(run, stored, unknown)
    run.trail.append("count.verified", before=before, after=run.summary.after, delivered=stored)


def _compare(run: Run, stored: int, unknown: int) -> None:
    before, after = run.summary.before, run.summary.after
    if before is None or after is None or before + stored <= after <= before + stored + unknown:
        return
    difference = after - before - stored
    if difference > 0:
        sentence = f"The list has {difference:,} contacts more than before and delivered together."
        remedy = "Somebody else has probably written to the list meanwhile."
        run.summary.findings.append(found("verify.surplus", "warning", sentence, remedy))
        return
    sentence = f"The list has {-difference:,} contacts fewer than before and delivered together."
    remedy = "Its count may lag, somebody may have removed contacts, or the platform dropped some after accepting them."
    run.summary.findings.append(found("verify.missing", "error", sentence, remedy))
