"""Files of calling hours: read, and held to their form, so that no rule goes without its source and its review.

The form is told in `data/hours.toml` and `data/holidays.toml`. What is not known there is an error and not ignored: a
misspelt key would be a rule that does not hold.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeAlias

from dialfeed.donotcall.hours.calendars import OBSERVED, Calendar, Holiday, NoSuchDay
from dialfeed.donotcall.hours.clocks import known_zone
from dialfeed.errors import FixSettings

Stretch: TypeAlias = tuple[int, int]
"""From and until, in minutes after midnight; until is not in it."""

MARKS: Final = ("H", "M", "L")
"""How far to trust a rule: regulator or several sources, one good source, weak."""

_LISTS: Final = {"rule", "closed", "calendar"}
_TABLES: Final = {"pack", "policy", *_LISTS}
_POLICY: Final = {"area_code_states": ("every", "presuming"), "unknown": ("narrow", "block")}
_STRETCH: Final = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_JURISDICTION: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?|\*|unknown")
_TRUST: Final = {"source", "mark", "reviewed"}
_RULE_KEYS: Final = {"jurisdiction", "mon_fri", "sat", "sun"} | _TRUST
_RULE_MORE: Final = {"holidays", "clock", "presumes", "calls_per_day", "first", "last", "covers"}
_CLOSED_KEYS: Final = {"jurisdiction", "first", "last", "because"} | _TRUST
_CALENDAR_KEYS: Final = {"id", "observed", "days"} | _TRUST
_PACK_MORE: Final = {"name", "version", "review_due"}
_KINDS: Final[dict[str, type]] = {
    **dict.fromkeys(("mon_fri", "sat", "sun", "covers", "days"), list),
    **dict.fromkeys(("first", "last", "reviewed", "review_due"), date),
    "calls_per_day": int,
}
"""What a value is; a text where nothing else is said."""
_KIND_NAMES: Final = {list: "list", date: "date", int: "whole number", str: "text"}


@dataclass(frozen=True, slots=True)
class Rule:
    """When a jurisdiction allows calls, as one source tells it; the attributes are those of `data/hours.toml`."""

    jurisdiction: str
    mon_fri: tuple[Stretch, ...]
    sat: tuple[Stretch, ...]
    sun: tuple[Stretch, ...]
    source: str
    mark: str
    reviewed: date
    holidays: str | None = None
    clock: str | None = None
    presumes: str | None = None
    calls_per_day: int | None = None
    first: date | None = None
    last: date | None = None
    covers: tuple[str, ...] = ()

    def in_force(self, day: date) -> bool:
        """Whether the rule holds on a day."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Closed:
    """Days on which a jurisdiction allows no calls at all, such as a declared emergency."""

    jurisdiction: str
    first: date
    last: date
    because: str
    source: str
    mark: str
    reviewed: date


@dataclass(frozen=True, eq=False)
class Pack:
    """What files of rules say.

    Attributes:
        version: What the rules call themselves.
        review_due: The day by which they should be looked at again.
        rules: All of them.
        calendars: By their id.
        closed: Days without calls.
        area_code_states: `every` or `presuming`.
        unknown: `narrow` or `block`.
    """

    version: str
    review_due: date
    rules: tuple[Rule, ...]
    calendars: Mapping[str, Calendar]
    closed: tuple[Closed, ...]
    area_code_states: str
    unknown: str


def read_pack(files: Mapping[str, bytes], *, base: Pack | None) -> Pack:
    """Read files of rules as one pack.

    Args:
        files: Content by name.
        base: The pack whose calendars and policies stand where these files say nothing.

    Raises:
        FixSettings: A file is not TOML, or a rule in it is not whole.
    """
    found: dict[str, list[Any]] = {"rule": [], "closed": [], "calendar": []}
    about: dict[str, Any] = {}
    for name, content in files.items():
        with _telling(name):
            read = _tables(content)
            _check_keys("[pack]", read.get("pack", {}), set(), _PACK_MORE)
            about.update(read.get("pack", {}), **_policy(read.get("policy", {})))
            found["rule"] += map(_rule, read.get("rule", []))
            found["closed"] += map(_closed, read.get("closed", []))
            found["calendar"] += map(_calendar, read.get("calendar", []))
    name = ", ".join(files)
    with _telling(name):
        return _whole(found, about, base)


class _Wrong(ValueError):
    """What is wrong with a rule, as the end of a sentence."""


@contextmanager
def _telling(name: str) -> Iterator[None]:
    try:
        yield
    except (_Wrong, NoSuchDay) as wrong:
        raise FixSettings(
            f"The rules of calling hours in {name} are not whole: {wrong}.",
            advice="Their form is told at the head of `hours.toml` and `holidays.toml` of the data pack.",
        ) from None


def _tables(content: bytes) -> dict[str, Any]:
    try:
        read = tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise _Wrong(f"it is not TOML ({fault})") from None
    for name, value in read.items():
        if name not in _TABLES:
            raise _Wrong(f"there is no table {name!r}")
        tables = value if name in _LISTS else [value]
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise _Wrong(f"{name} is no table")
    return read


def _policy(table: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in table.items():
        if not isinstance(value, str) or value not in _POLICY.get(key, ()):
            raise _Wrong(f"there is no policy {key} = {value!r}")
    return dict(table)


def _rule(table: Mapping[str, Any]) -> Rule:
    who = _jurisdiction(table)
    _check_keys(who, table, _RULE_KEYS, _RULE_MORE)
    clock, presumes = table.get("clock"), table.get("presumes")
    if clock is not None and known_zone(clock) != clock:
        raise _Wrong(f"{who} has a clock that is no zone of the IANA database: {clock!r}")
    if presumes not in {None, "area_code"}:
        raise _Wrong(f"{who} presumes {presumes!r}, which is not known")
    days: dict[str, Any] = {
        key: tuple(as_stretch(who, text) for text in table[key]) for key in ("mon_fri", "sat", "sun")
    }
    return Rule(
        jurisdiction=who,
        **days,
        **_trust(who, table),
        holidays=table.get("holidays"),
        clock=clock,
        presumes=presumes,
        calls_per_day=table.get("calls_per_day"),
        first=table.get("first"),
        last=table.get("last"),
        covers=tuple(map(str, table.get("covers", ()))),
    )


def _closed(table: Mapping[str, Any]) -> Closed:
    who = _jurisdiction(table)
    _check_keys(who, table, _CLOSED_KEYS, set())
    return Closed(who, table["first"], table["last"], table["because"], **_trust(who, table))


def _calendar(table: Mapping[str, Any]) -> Calendar:
    who = f"calendar {table.get('id')}"
    _check_keys(who, table, _CALENDAR_KEYS, set())
    if table["observed"] not in OBSERVED:
        raise _Wrong(f"{who} is observed {table['observed']!r}, which is not known")
    days = tuple(_holiday(who, day) for day in table["days"])
    return Calendar(id=table["id"], observed=table["observed"], holidays=days, **_trust(who, table))


def _holiday(who: str, day: Any) -> Holiday:
    if not isinstance(day, list) or len(day) != 2 or not all(isinstance(part, str) for part in day):
        raise _Wrong(f"{who} has the day {day!r}; it is written as a name and when it is")
    return Holiday(*day)


def _jurisdiction(table: Mapping[str, Any]) -> str:
    who = table.get("jurisdiction")
    if not isinstance(who, str) or not _JURISDICTION.fullmatch(who):
        raise _Wrong(f"{who!r} is no jurisdiction")
    return who


def _check_keys(who: str, table: Mapping[str, Any], needed: set[str], more: set[str]) -> None:
    missing, unknown = sorted(needed - table.keys()), sorted(table.keys() - needed - more)
    if missing:
        raise _Wrong(f"{who} has no {missing[0]}")
    if unknown:
        raise _Wrong(f"{who} has {unknown[0]}, which is not known")
    for key, value in table.items():
        kind = _KINDS.get(key, str)
        if type(value) is not kind:
            raise _Wrong(f"{who} has {key} = {value!r}, which is no {_KIND_NAMES[kind]}")


def _trust(who: str, table: Mapping[str, Any]) -> dict[str, Any]:
    if not str(table["source"]).strip():
        raise _Wrong(f"{who} has no source")
    if table["mark"] not in MARKS:
        raise _Wrong(f"{who} has the mark {table['mark']!r}; it is one of {', '.join(MARKS)}")
    return {"source": table["source"], "mark": table["mark"], "reviewed": table["reviewed"]}


def as_stretch(who: str, text: Any) -> Stretch:
    """Read `08:00-21:00`.

    Raises:
        ValueError: It is something else.
    """
    found = _STRETCH.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise _Wrong(f"{who} has the hours {text!r}; they are written as 08:00-21:00")
    first_hour, first_minute, last_hour, last_minute = map(int, found.groups())
    first, last = first_hour * 60 + first_minute, last_hour * 60 + last_minute
    if not first < last <= 24 * 60:
        raise _Wrong(f"{who} has the hours {text!r}, which end before they begin")
    return first, last


def _whole(found: Mapping[str, list[Any]], about: Mapping[str, Any], base: Pack | None) -> Pack:
    calendars = {calendar.id: calendar for calendar in found["calendar"]}
    known = calendars.keys() | (base.calendars.keys() if base else set())
    for rule in found["rule"]:
        if rule.holidays is not None and rule.holidays not in known:
            raise _Wrong(f"{rule.jurisdiction} keeps the holidays {rule.holidays!r}, which are not there")
    if "version" not in about:
        raise _Wrong("it has no [pack] with a version")
    return Pack(
        version=str(about["version"]),
        review_due=about.get("review_due", base.review_due if base else None),
        rules=tuple(found["rule"]),
        calendars=calendars,
        closed=tuple(found["closed"]),
        area_code_states=about.get("area_code_states", base.area_code_states if base else ""),
        unknown=about.get("unknown", base.unknown if base else ""),
    )
