"""How a run begins: its folder, its trail, its policy, and what resuming it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dialfeed.audit.signing import open_signer
from dialfeed.audit.sinks.addresses import read_addresses
from dialfeed.audit.trail import Trail
from dialfeed.ledger.folder import SUMMARY, RunFolder, create, new_run_id
from dialfeed.ledger.ledger import Ledger
from dialfeed.moments import utc_now
from dialfeed.reports.summary import Summary, read_summary, take_up
from dialfeed.reports.text import NO_LIST
from dialfeed.running.assembly import home_folder, keys_folder, telemetry_wanted
from dialfeed.running.order import Order
from dialfeed.running.run import Progress, Run
from dialfeed.running.shipping import shipping_to, sinks_of
from dialfeed.running.stopping import Stopper
from dialfeed.telemetry.observing import open_telemetry


def new_run(command: str, order: Order, stopper: Stopper, progress: Progress, run_id: str | None = None) -> Run:
    """A new run, with a folder of its own.

    Raises:
        FixSettings: The folder cannot be made, or a sink cannot be used.
    """
    now = utc_now()
    home = home_folder(order.plan) if order.sends else None
    if order.contact_list is not None:
        sinks_of(order.plan)  # a wrong one is told before there is a run, also in a rehearsal
    folder = create(run_id or new_run_id(now), runs_dir=Path(order.plan.runs_dir), run_dir=order.run_dir, home=home)
    return begin(command, folder, order, stopper, progress)


def begin(command: str, folder: RunFolder, order: Order, stopper: Stopper, progress: Progress) -> Run:
    """A run in a folder that is there: what every step of it has at hand."""
    plan = order.plan
    summary = Summary(folder.id, str(folder.path), command, policy=_policy(order))
    signer = open_signer(keys_folder(plan))
    take_up(folder.summary)
    trail = Trail(folder.audit, folder.id)
    telemetry = open_telemetry(telemetry_wanted(plan))
    trail.hear = telemetry.hear
    sinks = sinks_of(plan) if order.sends else []
    shipping = shipping_to(folder.path, sinks, plan) if sinks else None
    return Run(
        folder,
        summary,
        trail,
        stopper,
        progress,
        sends=order.sends,
        people_files=plan.people_files,
        keep_rows=plan.keep_rows,
        signer=signer,
        shipping=shipping,
        telemetry=telemetry,
        home=home_folder(plan),
    )


def _policy(order: Order) -> dict[str, Any]:
    """What the user has decided about a run, as its summary and its trail tell it."""
    plan = order.plan
    return {
        "flagged": plan.flagged,
        "reject_kinds": list(plan.reject_kinds),
        "max_rejected": str(plan.max_rejected),
        "default_country": plan.default_country,
        "dry_run": order.rehearse,
        "rate": plan.rate,
        "map": dict(plan.map),
        "orders": {channel: list(columns) for channel, columns in plan.orders.items()},
        "stated by the user, not read from the file": dict(plan.set),
        "stated by the user of empty cells": dict(plan.if_empty),
        "insist": list(plan.insist),
        "sinks": [address.plain for address in read_addresses(plan.sinks)],
        "do_not_call": f"scrubbed against {', '.join(plan.dnc)}" if plan.dnc else NO_LIST,
    }


def remember_order(ledger: Ledger, run: Run, order: Order) -> None:
    """Keep what resuming needs, in one step, before anything else is done."""
    retry_of = read_summary(order.retry_of / SUMMARY).run if order.retry_of else None
    ledger.remember(
        run=run.folder.id,
        source=order.lasting_source,
        plan=order.plan.portable(),
        list=order.contact_list,
        retry_of=retry_of,
    )
