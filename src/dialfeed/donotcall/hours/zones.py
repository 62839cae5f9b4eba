"""Where a contact may be, all evidence taken together.

What is known of the address (zone, ZIP code, state) narrows where it agrees and widens where it does not; the number
always joins, since people keep numbers when they move and some laws go by the area code. So the result is every
plausible clock under every plausible law (`compliance.md` section 6, "Rule"; 1.6 on Florida and Oklahoma).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from dialfeed.donotcall.hours.clocks import Clock, country_of, one_name_a_clock
from dialfeed.donotcall.hours.places import NOWHERE, Place, tables
from dialfeed.donotcall.hours.rules import UNKNOWN, HourRules

ZONE_UNKNOWN: Final = "hours.zone_unknown"
ZONE_MULTIPLE: Final = "hours.zone_multiple"
ZIP_PHONE_CONFLICT: Final = "hours.zip_phone_conflict"
PLACE_CONFLICT: Final = "hours.place_conflict"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What each source tells; `NOWHERE` from one that is absent or not understood."""

    zone: Place = NOWHERE
    postal: Place = NOWHERE
    state: Place = NOWHERE
    country: Place = NOWHERE
    number: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a contact may be.

    Attributes:
        zones: One zone for each plausible clock; none where nothing tells.
        jurisdictions: The plausible laws.
        doubts: Reason codes.
        zone: The zone to tell a platform; None where it is not certain.
    """

    zones: frozenset[str]
    jurisdictions: frozenset[str]
    doubts: tuple[str, ...]
    zone: str | None


def locate(evidence: Evidence, year: int, rules: HourRules) -> Whereabouts:
    """Take all evidence together.

    Args:
        evidence: What each source tells.
        year: In which clocks are compared.
        rules: What the policies are.
    """
    address, disagree = _address(evidence, year)
    number = _clocks(evidence.number, year)
    clocks = address | number
    jurisdictions = _jurisdictions(evidence, year, rules)
    if not clocks:
        clocks = _of_small_country(evidence.country, year)
    doubts = [PLACE_CONFLICT] if disagree else []
    if address and number and not address.keys() & number.keys():
        doubts.append(ZIP_PHONE_CONFLICT)
    if not clocks:
        return Whereabouts(frozenset(), jurisdictions | {UNKNOWN}, (*doubts, ZONE_UNKNOWN), None)
    if len(clocks) > 1:
        doubts.append(ZONE_MULTIPLE)
    zone = _certain(evidence, clocks) if len(clocks) == 1 else None
    return Whereabouts(frozenset(clocks.values()), jurisdictions, tuple(doubts), zone)


def _address(evidence: Evidence, year: int) -> tuple[dict[Clock, str], bool]:
    """The clocks of the address, and whether its parts contradict one another."""
    left: dict[Clock, str] = {}
    disagree = False
    for place in (evidence.zone, evidence.postal, evidence.state):
        told = _clocks(place, year)
        shared = left.keys() & told.keys()
        if left and told and not shared:
            disagree = True
        left = {clock: left[clock] for clock in left if clock in shared} if shared else left | told
    return left, disagree


def _jurisdictions(evidence: Evidence, year: int, rules: HourRules) -> frozenset[str]:
    postal, state = evidence.postal.jurisdictions, evidence.state.jurisdictions
    home = (postal & state) or (postal | state)
    by_number = evidence.number.jurisdictions
    if home and rules.pack.area_code_states == "presuming":
        by_number = frozenset(one if rules.presumes(one) else one[:2] for one in by_number)
    found = home | by_number
    if not _countries(found) & evidence.country.jurisdictions:
        found |= evidence.country.jurisdictions
    if not found or _zone_stands_alone(evidence, year):
        found |= evidence.zone.jurisdictions
    return found


def _zone_stands_alone(evidence: Evidence, year: int) -> bool:
    """Whether no other source shows the clock of the zone that is told: then its country's law may hold as well."""
    if not evidence.zone.zones:
        return False
    others = _clocks(evidence.postal | evidence.state | evidence.number, year)
    return not others.keys() & _clocks(evidence.zone, year).keys()


def _of_small_country(country: Place, year: int) -> dict[Clock, str]:
    """The clocks of a country that has few of them; of another it tells only the laws."""
    clocks = _clocks(country, year)
    return clocks if len(clocks) <= tables()["places"]["most_clocks"] else {}


def _countries(jurisdictions: Iterable[str]) -> frozenset[str]:
    return frozenset(one[:2] for one in jurisdictions)


def _certain(evidence: Evidence, clocks: dict[Clock, str]) -> str:
    """The name of the one clock: as the contact's own zone has it, where that is a name in use."""
    told = next(iter(evidence.zone.zones), None)
    return told if told is not None and country_of(told) else next(iter(clocks.values()))


def _clocks(place: Place, year: int) -> dict[Clock, str]:
    return one_name_a_clock(place.zones, year, preferred_names())


@lru_cache(maxsize=1)
def preferred_names() -> tuple[str, ...]:
    """The names to give, where several zones share a clock."""
    return tuple(tables()["places"]["names"])
