"""Lists, their state and their answers in words; nothing of a person but the last two digits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from dialfeed.donotcall.facts import Verdict
from dialfeed.donotcall.watching import Status
from dialfeed.wording import counted

SAID: Final[dict[Verdict, str]] = {
    Verdict.OUTSIDE: "does not speak of it",
    Verdict.CLEAR: "checked, and not on the list",
    Verdict.NOT_COVERED: "not checked: the list was not obtained for it",
    Verdict.LISTED: "on the list",
    Verdict.SCOPED: "on the list, for a topic",
    Verdict.NO_DATA: "the register has no data for it",
    Verdict.STALE: "not checked: the list is too old",
    Verdict.DAMAGED: "not checked: the list is damaged",
    Verdict.MISSING: "not checked: there is no such list",
}
"""What a list says of a number or an address, in words."""

NO_LISTS: Final = "There is no do-not-call list; `dialfeed dnc add` adds one."


def table(rows: Iterable[Sequence[str]]) -> str:
    """Rows in columns; the last one as it comes."""
    rows = list(rows)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return "\n".join(
        "  ".join([*(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    )


def lists_as_table(statuses: Sequence[Status]) -> str:
    """All lists, one a line."""
    if not statuses:
        return NO_LISTS
    return table([
        ("ID", "VERSION", "AUTHORITY", "HOLDS", "RECORDS", "COVERS", "OBTAINED", "VALID UNTIL"),
        *(_row(each) for each in statuses),
    ])  # fmt: skip


def _row(status: Status) -> tuple[str, ...]:
    told = status.facts
    return (
        told.id,
        str(told.version),
        told.authority or "?",
        "phone, email" if told.channel == "all" else told.channel,
        f"{told.records:,}",
        covers(told.as_dict()["coverage"]),
        minute(told.obtained_at),
        minute(told.valid_until) if status.condition in {"ready", "soon"} else status.condition,
    )


def versions_as_table(versions: Sequence[dict[str, Any]]) -> str:
    """Past versions, one a line."""
    if not versions:
        return "There is no version but the one in use."
    names = ("version", "how", "records", "obtained_at", "replaced_at", "sha256")
    return table(
        [
            [name.upper().replace("_", " ") for name in names],
            *([str(one[name] or "-") for name in names] for one in versions),
        ]
    )


def status_as_text(statuses: Sequence[Status]) -> str:
    """How each list is, worst first."""
    if not statuses:
        return NO_LISTS
    ordered = sorted(statuses, key=lambda each: (-each.exit_code, each.facts.id))
    return table([(each.facts.id, _condition(each)) for each in ordered])


def _condition(status: Status) -> str:
    until = minute(status.facts.valid_until)
    match status.condition:
        case "ready":
            return "ready" if status.left is None else f"ready until {until} ({duration(status.left)} left)"
        case "soon":
            return f"expires soon: {until} ({duration(status.left or timedelta())} left); obtain it anew"
        case "stale":
            return f"too old since {until}, and blocks whom it speaks of; obtain it anew"
        case "damaged":
            blocks = f" in {status.damaged_blocks} blocks" if status.damaged_blocks else ""
            return f"damaged{blocks}, and blocks whom it speaks of; add it again from its file"
    return "missing, and blocks everybody; `dialfeed dnc list` shows the lists there are"


def covers(coverage: str | Sequence[str]) -> str:
    """What was obtained of a list, briefly."""
    if isinstance(coverage, str):
        return "submitted" if coverage != "all" else "all"
    return ",".join(coverage[:4]) + (f" and {len(coverage) - 4} more" if len(coverage) > 4 else "")


def minute(moment: datetime | None) -> str:
    """A moment to the minute, UTC."""
    return "-" if moment is None else f"{moment:%Y-%m-%d %H:%M}Z"


def duration(left: timedelta) -> str:
    """A span in days, or in hours where it is short."""
    hours = left.total_seconds() / 3600
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"


def put_as_text(told: dict[str, Any]) -> str:
    """What became of a list that was added or updated."""
    until = f"valid until {told['valid_until']}" if told["valid_until"] else "does not age"
    if told["valid_until"] and datetime.fromisoformat(told["valid_until"]) <= datetime.now(UTC):
        until = f"TOO OLD since {told['valid_until']}, and blocks whom it speaks of; obtain it anew"
    return (
        f"{told['list_id']}: version {told['version']} of {told['authority']}, {counted(told['records'], 'record')}, "
        f"covers {covers(told['coverage'])}, obtained {told['obtained_at']}, {until}."
    )


def check_as_text(told: dict[str, Any]) -> str:
    """What each list says of one number or address."""
    if not told["lists"]:
        return f"{told['value']}: there is no list to ask; `dialfeed dnc add` adds one."
    lines = [told["value"], *(f"  {_answer(one)}" for one in told["lists"])]
    if told.get("decision"):
        reasons = f" ({', '.join(told['reasons'])})" if told["reasons"] else ""
        lines.append(f"  A run that is scrubbed against them would decide today: {told['decision']}{reasons}")
    return "\n".join(lines)


def _answer(said: dict[str, Any]) -> str:
    facts = said["list"]
    until = f", valid until {facts['valid_until']}" if facts["valid_until"] else ""
    version = f" (version {facts['version']}{until})" if facts["version"] else ""
    since = f", since {said['since']}" if said["since"] else ""
    return f"{facts['list_id']}{version}: {said['said']}{since}"
