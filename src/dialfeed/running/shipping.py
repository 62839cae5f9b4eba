"""The audit trail on its way out: the sinks of a plan, of a run, and what is told of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from dialfeed.audit.sinks.courier import Destination, Standing
from dialfeed.audit.sinks.cursor import remembered
from dialfeed.audit.sinks.open import Means, open_sinks
from dialfeed.audit.sinks.shipping import Shipping, Terms
from dialfeed.config import Plan
from dialfeed.errors import DialfeedError
from dialfeed.reports.findings import found
from dialfeed.reports.summary import Finding
from dialfeed.wording import counted


def sinks_of(plan: Plan) -> list[Destination]:
    """The sinks that a plan names; nothing is connected.

    Raises:
        FixSettings: A secret is missing or not one, or a library is not installed.
    """
    return open_sinks(plan.sinks, _means(plan))


def _means(plan: Plan) -> Means:
    return Means(plan.sink_secrets or {}, plan.sink_timeout, plan.proxy)


def shipping_to(folder: Path, destinations: Sequence[Destination], plan: Plan) -> Shipping:
    """The sending of a run's trail, not started yet."""
    return Shipping(folder, destinations, Terms(plan.sink_grace, plan.sink_attempts))


def ship(
    folder: Path, plan: Plan, *, patience: float, again: bool = False, only_its_own: bool = False
) -> list[Standing]:
    """Send what waits of a run: to the sinks that its trail is for, and to those that the plan names.

    Args:
        folder: The run's folder.
        plan: Sinks, secrets and terms; a sink of the plan takes the place of the run's sink of the same name.
        patience: Seconds without any progress, after which what is left goes on waiting.
        again: Send what the sinks refused before once more.
        only_its_own: Leave out sinks of the plan that the run knows nothing of.

    Returns:
        How each sink stands.

    Raises:
        FixSettings: A secret is missing or not one, a library is not installed, or the folder cannot be written to.
    """
    its_own = remembered(folder)
    named = {each.address.name: each for each in sinks_of(plan)}
    others = [address for name, address in its_own.items() if name not in named]
    destinations = [each for name, each in named.items() if name in its_own or not only_its_own]
    destinations += open_sinks(others, _means(plan))
    shipping = Shipping(folder, destinations, Terms(patience, plan.sink_attempts, again=again))
    shipping.start()
    return shipping.finish(while_moving=True)


def ship_later_events(folder: Path, plan: Plan) -> None:
    """Send what was added to the trail of a run that has ended; where that cannot be, it waits for `audit ship`."""
    with suppress(DialfeedError, OSError):
        ship(folder, plan, patience=plan.sink_grace, only_its_own=True)


def findings(run: str, standings: Iterable[Standing]) -> list[Finding]:
    """What a person should know of a run's sinks."""
    return [finding for standing in standings for finding in _findings(run, standing)]


def _findings(run: str, told: Standing) -> Iterator[Finding]:
    if told.waiting:
        wait = f"{counted(told.waiting, 'event')} {'waits' if told.waiting == 1 else 'wait'}"
        sentence = f"{wait} for the sink {told.name} ({told.reason}); nothing is lost."
        yield found("sink.waiting", sentence, f"`dialfeed audit ship {run}` sends what waits.")
    if told.dead:
        events = counted(told.dead, "event")
        sentence = f"The sink {told.name} refused {events}, kept in shipped/{told.name}.dead.jsonl."
        yield found("sink.refused", sentence, f"`dialfeed audit ship {run} --again` sends it once more.")
