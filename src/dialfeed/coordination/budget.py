"""Opens the budget of requests that a run keeps to: the front door of this folder's budgets.

UnlimitedBudget   no limit, no state
LocalBudget       one process
FileBudget        all processes on this machine
RedisBudget       several machines
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from dialfeed.coordination.file_budget import FileBudget, budget_file
from dialfeed.coordination.gate import Budget, BudgetStatus
from dialfeed.coordination.local_budget import LocalBudget, UnlimitedBudget
from dialfeed.delivery.pace import MARGIN, Limit
from dialfeed.delivery.retry import LONGEST_WAIT
from dialfeed.errors import FixSettings

__all__ = [
    "LOCAL",
    "Budget",
    "BudgetStatus",
    "FileBudget",
    "LocalBudget",
    "UnlimitedBudget",
    "open_budget",
    "organisation_key",
]

LOCAL = "local"
"""Asks `open_budget` for a budget that this process shares with nobody."""


def organisation_key(base_url: str, client_id: str) -> str:
    """What tells organisations apart in the names of files and keys: nothing of the client's id can be read from it.

    Args:
        base_url: Where the platform is; upper case and a slash at the end make no difference.
        client_id: Whom the platform counts the requests against.

    Returns:
        64 hexadecimal digits.
    """
    return hashlib.sha256(f"{base_url.rstrip('/').lower()}\0{client_id}".encode()).hexdigest()


def open_budget(
    url: str | None,
    home: Path,
    organisation: str,
    rate: float | None,
    *,
    margin: float = MARGIN,
    longest_pause: float = LONGEST_WAIT,
) -> Budget:
    """Open the budget that a run keeps to.

    Args:
        url: None for all processes on this machine; `LOCAL` for this process alone; ``redis://``, ``rediss://`` or
            ``unix://`` for all machines that use the same Redis.
        home: dialfeed's own folder; nothing in it is touched unless `url` is None and there is a rate.
        organisation: From `organisation_key`.
        rate: Requests a second; None for no limit.
        margin: The share by which to stay below the rate (`pace`).
        longest_pause: Seconds; no pause lasts longer.

    Raises:
        FixSettings: The rate, the URL or the folder cannot be used, or Redis is asked for and not installed.
    """
    if rate is None:
        return UnlimitedBudget(longest_pause=longest_pause)
    limit = _limit(rate, margin)
    if url is None:
        return FileBudget(budget_file(home, organisation), limit, longest_pause=longest_pause)
    if url == LOCAL:
        return LocalBudget(limit, longest_pause=longest_pause)
    if url.partition("://")[0] in {"redis", "rediss", "unix"}:
        return _redis_budget(url, organisation, limit, longest_pause)
    raise FixSettings(
        "The budget's URL begins with none of redis://, rediss:// and unix://.",
        advice=f"Leave it out to share the budget on this machine, or use `{LOCAL}` to share it with nobody.",
    )


def _limit(rate: float, margin: float) -> Limit:
    """The limit for a rate.

    Raises:
        FixSettings: The rate is not a positive number, or the margin is negative.
    """
    try:
        return Limit.per_second(rate, margin=margin)
    except ValueError as fault:
        raise FixSettings(
            f"A rate of {rate} requests a second with a margin of {margin} has no meaning.",
            advice="Give a positive number of requests a second, such as 50 or 0.5.",
        ) from fault


def _redis_budget(url: str, organisation: str, limit: Limit, longest_pause: float) -> Budget:
    """The budget in Redis.

    Raises:
        FixSettings: The library is not installed, or the URL is not one.
    """
    try:
        # An optional extra: a run that does not share its budget between machines must not need it.
        from dialfeed.coordination.redis_budget import RedisBudget  # noqa: PLC0415 - see above
    except ModuleNotFoundError as fault:
        raise FixSettings(
            "To share a budget through Redis, a library is needed that is not installed.",
            advice="Run `pip install 'dialfeed[redis]'`.",
        ) from fault
    return RedisBudget(url, organisation, limit, longest_pause=longest_pause)
