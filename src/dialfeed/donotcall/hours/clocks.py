"""The world's clocks, from one pinned copy of the IANA time zone database.

The copy is that of the `tzdata` package, never the machine's own, so that the same list has the same hours on every
machine; its version belongs to the evidence (`compliance.md` section 6: "record its version; never store fixed
offsets").

Moments are minutes since 1970-01-01T00:00Z, since all hours that a law knows begin on a minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

TZDATA_VERSION: Final = metadata.version("tzdata")

Clock: TypeAlias = tuple[tuple[int, int], ...]
"""How a zone's clock goes through a year: hours since its first day, and the offset in minutes from then on."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _database() -> Traversable:
    return resources.files("tzdata") / "zoneinfo"


@cache
def zone(name: str) -> ZoneInfo:
    """A zone by its exact name (`known_zone` finds it)."""
    with (_database() / name).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def known_zone(name: str) -> str | None:
    """The IANA database's spelling of a zone's name, written in any case; None where there is no such zone."""
    return _names().get(name.strip().casefold())


@cache
def _names() -> dict[str, str]:
    listed = (resources.files("tzdata") / "zones").read_text("utf-8").split()
    return {name.casefold(): name for name in listed}


def country_of(name: str) -> str | None:
    """The country (ISO 3166-1) that a zone lies in; None for a clock without a place, or an older name of a zone."""
    return _countries().get(name)


def zones_of(country: str) -> frozenset[str]:
    """The zones of a country."""
    return frozenset(name for name, its in _countries().items() if its == country)


@cache
def _countries() -> dict[str, str]:
    lines = (_database() / "zone.tab").read_text("utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {row[2]: row[0] for row in rows}


@lru_cache(maxsize=4096)
def clock_of(name: str, year: int) -> Clock:
    """How a zone's clock goes through a year; zones with one clock show the same time ("compare offsets, not names").

    Two changes within 24 hours would go unseen; there have been none.
    """
    its = zone(name)
    first = datetime(year - 1, 12, 30, tzinfo=UTC)
    changes = [(0, _offset(its, first))]
    for day in range(372):
        after = _offset(its, first + timedelta(days=day + 1))
        if after != changes[-1][1]:
            hour = next(hour for hour in range(25) if _offset(its, first + timedelta(days=day, hours=hour)) == after)
            changes.append((day * 24 + hour, after))
    return tuple(changes)


def _offset(its: ZoneInfo, moment: datetime) -> int:
    offset = moment.astimezone(its).utcoffset()
    return int(offset.total_seconds()) // 60 if offset is not None else 0


@lru_cache(maxsize=16384)
def one_name_a_clock(names: frozenset[str], year: int, preferred: tuple[str, ...]) -> dict[Clock, str]:
    """One name for each clock among zones: a preferred one that shows the same time, else the first by alphabet."""
    clocks: dict[Clock, str] = {}
    for name in sorted(names):
        clocks.setdefault(clock_of(name, year), name)
    return {clock: _preferred(year, preferred).get(clock, name) for clock, name in clocks.items()}


@lru_cache(maxsize=64)
def _preferred(year: int, preferred: tuple[str, ...]) -> dict[Clock, str]:
    return {clock_of(name, year): name for name in reversed(preferred)}


def moments(name: str, day: date, minute: int) -> tuple[int, int]:
    """When a clock shows a time: the earliest and the latest moment that it may mean.

    They differ where the clock is set back (a time comes twice) or forward (it does not come at all).

    Args:
        name: The zone.
        day: The day there.
        minute: Minutes after midnight, 0 to 1440.
    """
    local = datetime.combine(day, time()) + timedelta(minutes=minute)
    both = sorted(_minutes(local.replace(tzinfo=zone(name), fold=fold)) for fold in (0, 1))
    return both[0], both[1]


def _minutes(moment: datetime) -> int:
    return int((moment - _EPOCH).total_seconds()) // 60


def minutes_of(moment: datetime) -> int:
    """A moment in minutes since the epoch; seconds are dropped."""
    return _minutes(moment.astimezone(UTC))


def as_datetime(minutes: int) -> datetime:
    """A moment in UTC."""
    return _EPOCH + timedelta(minutes=minutes)


def as_text(minutes: int) -> str:
    """A moment as `yyyy-MM-ddTHH:mmZ`, the form that Genesys Cloud takes (`compliance.md` section 3)."""
    return as_datetime(minutes).strftime("%Y-%m-%dT%H:%MZ")


def days_around(moment: datetime, days: int) -> Iterator[date]:
    """The days on which it may be now somewhere, and those after them."""
    first = (moment.astimezone(UTC) - timedelta(days=1)).date()
    return (first + timedelta(days=count) for count in range(days + 2))
