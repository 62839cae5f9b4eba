"""Calling hours in a run: by which rules, on which day, from which columns, and what the platform is told of them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, cast

from dialfeed.config import Plan
from dialfeed.contacts.mapping import ColumnMapping, match_key
from dialfeed.contacts.places import kind_of_place
from dialfeed.donotcall.hours.callinghours import SENT, CallingHours
from dialfeed.donotcall.hours.rules import HourRules, UnknownPlace
from dialfeed.errors import FixSettings


def hour_columns(plan: Plan, mapping: ColumnMapping) -> list[str]:
    """The columns in which the platform is told the calling hours: those that the source has not itself.

    Raises:
        FixSettings: There would be more columns than the platform takes.
    """
    if plan.hours != "send":
        return []
    columns = [*mapping.fields, *mapping.beside]
    added = [name for name in SENT if name not in columns]
    if len(columns) + len(added) > plan.max_columns:
        raise FixSettings(
            f"With {', '.join(added)} there are {len(columns) + len(added)} columns, and the platform takes "
            f"{plan.max_columns}.",
            advice="Leave columns out with --map COLUMN=-, or report the hours only: --calling-hours report.",
        )
    return added


def hour_rules_of(plan: Plan) -> HourRules:
    """The rules of calling hours: those of the data pack, and what a plan's counsel and policy replace.

    Raises:
        FixSettings: Counsel's file cannot be read, or a rule in it is not whole.
    """
    counsel = Path(plan.hours_rules) if plan.hours_rules else None
    return HourRules.load(counsel, unknown=cast("UnknownPlace | None", plan.unknown_place))


def calling_hours(plan: Plan, mapping: ColumnMapping, today: date) -> CallingHours | None:
    """When the contacts of a run may be called; None where it does not ask."""
    if plan.hours == "off":
        return None
    rules = hour_rules_of(plan)
    day = date.fromisoformat(plan.calling_day) if plan.calling_day else today
    places = {**places_of(mapping), "country": "countryCode"}
    return CallingHours(rules, day, places, tuple(hour_columns(plan, mapping)))


def places_of(mapping: ColumnMapping) -> dict[str, str]:
    """What tells a place → the column that passes through and holds it; the first of several."""
    kinds = [(kind_of_place(match_key(name)), name) for name in mapping.passed_through]
    return {kind: name for kind, name in reversed(kinds) if kind}


def hours_told(hours: CallingHours | None) -> dict[str, Any] | None:
    """What is kept of the hours: the day, the columns that are sent, and the rules."""
    return None if hours is None else {"day": hours.day.isoformat(), "sent": list(hours.sent), **hours.rules.facts()}
