"""Where a contact is, as each kind of evidence tells it: zones of the IANA database, and jurisdictions.

A source that tells nothing, or something that is not known, gives `NOWHERE`; it never gives a guess. Sources:
`compliance.md` section 6; the tables of `data/zones.toml` and `data/zips.toml`, each with its own.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final

from dialfeed.contacts.places import STATES
from dialfeed.donotcall.hours.clocks import country_of, known_zone, zones_of


@dataclass(frozen=True, slots=True)
class Place:
    """What one source tells of where a contact is.

    Attributes:
        zones: The zones it may be in; none where the source tells no place.
        jurisdictions: The countries and states (`US-KY`) whose laws may hold.
    """

    zones: frozenset[str]
    jurisdictions: frozenset[str]

    def __or__(self, other: Place) -> Place:
        return Place(self.zones | other.zones, self.jurisdictions | other.jurisdictions)


NOWHERE: Final = Place(frozenset(), frozenset())

NORTH_AMERICA: Final = frozenset({"US", "CA", "PR", "VI", "GU", "AS", "MP"})
"""Countries in which ZIP codes, postal codes and states are those of the United States and Canada."""
_FREELY_ASSOCIATED: Final = {"FM", "MH", "PW"}  # in the US postal system, and countries of their own

_ZIP: Final = re.compile(r"(\d{3})(\d\d)(?:-?\d{4})?")
_CANADIAN: Final = re.compile(r"([A-Z])\d[A-Z] ?(?:\d[A-Z]\d)?")
_AUSTRALIAN: Final = re.compile(r"(\d)\d{3}")


@lru_cache(maxsize=4096)
def place_of_zone(text: str) -> Place:
    """The place that a zone's name tells; clocks without a place (UTC) tell none."""
    name = known_zone(text)
    if name is None or name.startswith("Etc/") or name in tables()["places"]["nowhere"]:
        return NOWHERE
    country = country_of(name)
    return Place(frozenset({name}), frozenset({country} if country else ()))


@lru_cache(maxsize=1024)
def place_of_country(code: str) -> Place:
    """The place that a country (ISO 3166-1) tells: all of its zones."""
    key = code.strip().upper()
    zones = zones_of(key)
    return Place(zones, frozenset({key})) if zones else NOWHERE


@lru_cache(maxsize=65536)
def place_of_postal_code(text: str, country: str | None) -> Place:
    """The place of a ZIP or postal code.

    Args:
        text: As it was typed.
        country: The country it is written in; None where only the United States and Canada come into question.
    """
    written = text.strip().upper()
    if country == "AU":
        found = _AUSTRALIAN.fullmatch(written)
        return _of_states(tables()["postal"]["AU"].get(found[1], ()), "AU") if found else NOWHERE
    if country is not None and country not in NORTH_AMERICA:
        return NOWHERE
    if found := _ZIP.fullmatch(written):
        return zip_place(found[1], int(found[2])) if country != "CA" else NOWHERE
    found = _CANADIAN.fullmatch(written) if country in {None, "CA"} else None
    return _of_states(tables()["postal"]["CA"].get(found[1], ()), "CA") if found else NOWHERE


@lru_cache(maxsize=4096)
def place_of_state(text: str, country: str | None) -> Place:
    """The place of a state or province, by its code or name.

    Args:
        text: As it was typed.
        country: The country it lies in; None where only the United States and Canada come into question.
    """
    key = text.strip().rstrip(".").casefold()
    nations = ("AU",) if country == "AU" else ("US", "CA") if country is None or country in NORTH_AMERICA else ()
    for nation in nations:
        code = _state_codes(nation).get(key)
        if code is not None:
            return _of_states((code,), nation)
    return NOWHERE


def zip_place(prefix: str, ending: int) -> Place:
    """The place of a US ZIP code: the clocks that the tables have for it, or those of all that begin like it.

    Args:
        prefix: The first three digits.
        ending: The last two.
    """
    row = _zip_rows().get(prefix)
    if row is None:
        return NOWHERE
    states, clocks = row
    letters = "".join(letter for letter, codes in clocks if codes >> ending & 1)
    return _place_of_letters(states, letters or "".join(letter for letter, _ in clocks))


@cache
def _place_of_letters(states: tuple[str, ...], letters: str) -> Place:
    names = tables("zips.toml")["zips"]["clocks"]
    zones = frozenset(names[letter] for letter in letters if letter in names)
    return Place(zones, frozenset(map(_nation_of_zip, states))) if zones else NOWHERE


def zip_prefixes() -> tuple[str, ...]:
    """The first three digits that ZIP codes have."""
    return tuple(_zip_rows())


def places_of_prefix(prefix: str) -> list[Place]:
    """The places of the hundred ZIP codes that begin with three digits; one place where they all share it."""
    _, clocks = _zip_rows()[prefix]
    return [zip_place(prefix, ending) for ending in range(100 if len(clocks) > 1 else 1)]


def zip_is_listed(text: str) -> bool:
    """Whether a ZIP code of five or nine digits is in the tables, with a place."""
    found = _ZIP.fullmatch(text.strip())
    row = _zip_rows().get(found[1]) if found else None
    return bool(found and row and any(codes >> int(found[2]) & 1 for letter, codes in row[1] if letter != "-"))


def zip_table_version() -> str:
    """The version of the ZIP code table, for the evidence."""
    return str(tables("zips.toml")["zips"]["version"])


@cache
def tables(name: str = "zones.toml") -> dict[str, Any]:
    """A data file of this room, read."""
    return tomllib.loads((resources.files("dialfeed.donotcall") / "data" / name).read_text("utf-8"))


def _nation_of_zip(state: str) -> str:
    return state if state in _FREELY_ASSOCIATED else f"US-{state}"


def _of_states(states: tuple[str, ...] | list[str], nation: str) -> Place:
    zones = tables()["states"][nation]
    return Place(
        frozenset(zone for state in states for zone in zones.get(state, ())),
        frozenset(f"{nation}-{state}" for state in states if state in zones),
    )


@cache
def _state_codes(nation: str) -> dict[str, str]:
    """The states of a nation that have zones, by their code and their names in small letters."""
    known = tables()["states"][nation]
    if nation == "US":
        names = {part.strip()[:2]: [part.strip()[3:]] for part in STATES.split(",")}
    else:
        names = tables()["state_names"][nation]
    return {name.casefold(): code for code in known for name in (code, *names[code])}


@cache
def _zip_rows() -> dict[str, tuple[tuple[str, ...], list[tuple[str, int]]]]:
    rows = (line.split(" ") for line in tables("zips.toml")["zips"]["table"]["rows"].strip().splitlines())
    return {prefix: (tuple(states.split(",")), [_bits(told) for told in clocks]) for prefix, states, *clocks in rows}


def _bits(told: str) -> tuple[str, int]:
    letter, _, digits = told.partition(":")
    return letter, int(digits, 16)
