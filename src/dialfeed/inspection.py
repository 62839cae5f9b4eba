"""Looking without touching: which lists there are, and whether everything is in place for a run."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from dialfeed.audit.sinks.base import Later, Reached
from dialfeed.audit.sinks.courier import Destination
from dialfeed.config import Plan
from dialfeed.errors import DialfeedError
from dialfeed.platforms.base import ContactList
from dialfeed.running.assembly import Connection, connect, find_list, home_folder
from dialfeed.running.shipping import sinks_of
from dialfeed.wording import counted

_CLOCK_TOLERANCE = 5.0


def contact_lists(plan: Plan, part: str | None = None) -> list[ContactList]:
    """The contact lists of the platform, or those with `part` in their name; the count is read where it is not told.

    Raises:
        DialfeedError: They cannot be read.
    """
    return asyncio.run(_contact_lists(plan, part))


async def _contact_lists(plan: Plan, part: str | None) -> list[ContactList]:
    async with connect(plan) as connection:
        wanted = (part or "").casefold()
        found = [each async for each in connection.platform.lists() if wanted in each.name.casefold()]
        platform = connection.platform
        return [each if each.count is not None else await platform.contact_list(each.id) for each in found]


def lists_as_table(lists: Sequence[ContactList], part: str | None = None) -> str:
    """Lists for people: one a line."""
    if not lists:
        return f"No contact list has '{part}' in its name." if part else "The platform has no contact list."
    rows = [("ID", "CONTACTS", "NAME")]
    rows += [(each.id, "not told" if each.count is None else f"{each.count:,}", each.name) for each in lists]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]}" for row in rows)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What.
        good: Whether it is as it should be.
        told: What was found.
        remedy: What to mend, where it is not good.
        exit_code: What a run would end with because of it; 3 for a sink, as of `dialfeed audit ship`.
    """

    name: str
    good: bool
    told: str
    remedy: str = ""
    exit_code: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Its JSON form."""
        return asdict(self)


def diagnose(plan: Plan, wanted_list: str | None) -> list[Check]:
    """Check configuration, folders, sign-in, scopes, list, clock and sinks."""
    checks = [_folder("runs folder", Path(plan.runs_dir)), _folder("shared folder", home_folder(plan))]
    return [*checks, *asyncio.run(_connected_checks(plan, wanted_list)), *_sink_checks(plan)]


def checks_as_text(checks: Sequence[Check]) -> str:
    """Checks for people."""
    lines = []
    for check in checks:
        lines.append(f"{'ok  ' if check.good else 'MEND'}  {check.name}: {check.told}")
        if check.remedy:
            lines.append(f"      {check.remedy}")
    return "\n".join(lines)


async def _connected_checks(plan: Plan, wanted_list: str | None) -> list[Check]:
    checks: list[Check] = []
    step = "configuration"
    try:
        async with connect(plan) as connection:
            checks.append(Check(step, good=True, told=f"{plan.platform} at {plan.base_url}"))
            step = "sign-in"
            await connection.platform.sign_in()
            checks.append(Check(step, good=True, told="the client id and secret are accepted"))
            step = "scopes and lists"
            checks.append(await _lists_check(connection))
            if wanted_list is not None:
                step = "list"
                checks.append(await _list_check(connection, wanted_list))
            checks.append(_clock_check(connection))
    except DialfeedError as error:
        checks.append(Check(step, good=False, told=error.sentence, remedy=error.advice, exit_code=error.exit_code))
    return checks


async def _lists_check(connection: Connection) -> Check:
    count = len([each async for each in connection.platform.lists()])
    told = f"{counted(count, 'contact list')} can be read; whether contacts may be added shows only when they are"
    return Check("scopes and lists", good=True, told=told)


async def _list_check(connection: Connection, wanted: str) -> Check:
    found = await find_list(connection.platform, wanted)
    found = await connection.platform.contact_list(found.id)
    if found.count is None:
        remedy = "Lost answers cannot be settled on this list, and the count cannot be compared."
        return Check("list", good=True, told=f"{found.name} ({found.id}) does not tell its count", remedy=remedy)
    return Check("list", good=True, told=f"{found.name} ({found.id}) has {counted(found.count, 'contact')}")


def _sink_checks(plan: Plan) -> list[Check]:
    """Whether each sink of the audit trail can be reached and lets us in; nothing is sent to it."""
    try:
        sinks = sinks_of(plan)
    except DialfeedError as error:
        return [Check("sinks", good=False, told=error.sentence, remedy=error.advice, exit_code=error.exit_code)]
    if not sinks:
        return []
    with ThreadPoolExecutor(len(sinks), thread_name_prefix="probe") as pool:
        return list(pool.map(_sink_check, sinks))


def _sink_check(destination: Destination) -> Check:
    name = f"sink {destination.address.name}"
    try:
        answer = destination.sink.probe()
    except Exception as error:  # noqa: BLE001 - a fault in a sink is an answer; its words may hold a secret
        answer = Later(f"it fails ({type(error).__name__})")
    if isinstance(answer, Reached):
        return Check(name, good=True, told=answer.told)
    remedy = "Until that is mended a run's events wait in its folder; then `dialfeed audit ship --all` sends them."
    return Check(name, good=False, told=answer.reason, remedy=remedy, exit_code=3)


def _clock_check(connection: Connection) -> Check:
    date = connection.platform.server_date
    try:
        ahead = time.time() - parsedate_to_datetime(date or "").timestamp()
    except (ValueError, TypeError):
        return Check("clock", good=True, told="the platform does not tell its time")
    if abs(ahead) <= _CLOCK_TOLERANCE:
        return Check("clock", good=True, told="agrees with the platform's")
    told = f"is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the platform's"
    return Check("clock", good=False, told=told, remedy="Let the machine take its time from NTP.", exit_code=1)


def _folder(name: str, path: Path) -> Check:
    """Whether a folder, or the nearest one above that exists, can be written to, and how much room there is."""
    there = next(each for each in (path.absolute(), *path.absolute().parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Check(name, good=False, told=f"{path} cannot be written to", remedy="Choose another.", exit_code=1)
    free = shutil.disk_usage(there).free / (1 << 30)
    return Check(name, good=True, told=f"{path} can be written to, {free:.0f} GiB free")
