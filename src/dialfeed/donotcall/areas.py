"""Which numbers a list speaks of, and which it was obtained for.

A number's region is that of its numbering plan, so +1 416 is no number of the United States (`compliance.md` section
9). A state's list speaks of the state's area codes and of whoever lives there, whatever the number (1.6, 1.7).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dialfeed.contacts.numbering import REGIONS, resolve_international
from dialfeed.contacts.places import STATES
from dialfeed.donotcall.facts import EVERYWHERE, Numbers

Mask = NDArray[np.bool_]

BLOCK: Final = 10**7
"""Numbers of one block; in North America a block is an area code, and its number is 1000 and the code."""
_NANP: Final = 1000
_NANP_END: Final = 2000
_CODE: Final = re.compile("[2-9][0-9]{2}")


@dataclass(frozen=True, slots=True)
class Territory:
    """The numbers that a list speaks of.

    Attributes:
        names: Regions, states as `US-FL`, or `EVERYWHERE`.
    """

    names: tuple[str, ...]

    @property
    def state(self) -> str | None:
        """The state whose list it is."""
        return next((name[3:] for name in self.names if name.startswith("US-")), None)

    def inside(self, numbers: Numbers, states: pl.Series | None) -> Mask:
        """Whether the list speaks of each number.

        Args:
            numbers: The numbers.
            states: The contacts' states, as codes or names; null where they are not known.
        """
        if EVERYWHERE in self.names:
            return np.ones(len(numbers), np.bool_)
        state = self.state
        if state is None:
            return in_regions(numbers, self.names)
        there = in_area_codes(numbers, area_codes_of(state))
        if states is None:
            return there
        return there | (lives_in(states, state) & in_regions(numbers, _NATION))

    def may_hold(self, numbers: Numbers) -> bool:
        """Whether any of some numbers may be one of the territory: it is, or the plan does not know where it is."""
        return bool((self.inside(numbers, None) | (resolve_international(numbers).regions() == _UNKNOWN)).any())


_UNKNOWN: Final = REGIONS.index(None)
_NATION: Final = ("US", "PR", "VI", "GU", "AS", "MP")


def in_regions(numbers: Numbers, regions: Iterable[str]) -> Mask:
    """Whether each number belongs to one of the regions."""
    wanted = np.isin(np.array(REGIONS, object), list(regions))
    return wanted[resolve_international(numbers).regions()]


def regions_of(numbers: Numbers) -> list[str | None]:
    """The region of each number; None where the plan knows none."""
    return [REGIONS[region] for region in resolve_international(numbers).regions().tolist()]


def in_area_codes(numbers: Numbers, codes: Iterable[str]) -> Mask:
    """Whether each number has one of the area codes of North America."""
    wanted = np.zeros(_NANP_END + 1, np.bool_)
    wanted[[_NANP + int(code) for code in codes]] = True
    return cast("Mask", wanted[np.minimum(numbers // np.uint64(BLOCK), np.uint64(_NANP_END)).astype(np.intp)])


def in_nation(codes: Iterable[str], territory: Iterable[str]) -> bool:
    """Whether all area codes are of a territory; a state's list may hold any of its nation."""
    numbers = np.array([block_of(code) * BLOCK + 5550100 if _CODE.fullmatch(code) else 0 for code in codes], np.uint64)
    regions = _NATION if any(name.startswith("US-") for name in territory) else territory
    return bool(in_regions(numbers, regions).all())


@cache
def nation_codes(territory: tuple[str, ...]) -> frozenset[str]:
    """The area codes of a nation; none where a territory is a state's, whose people have numbers of any of them."""
    codes = [] if Territory(territory).state else [f"{code}" for code in range(200, 1000)]
    return frozenset(code for code in codes if in_nation([code], territory))


def block_of(code: str) -> int:
    """The block of an area code."""
    return _NANP + int(code)


def code_of(block: int) -> str | None:
    """The area code of a block; None where it is no block of North America."""
    return f"{block - _NANP:03d}" if _NANP < block < _NANP_END else None


def lives_in(states: pl.Series, state: str) -> Mask:
    """Whether contacts live in a state, told by its code or its name in any case."""
    told = states.cast(pl.String).str.strip_chars().str.to_lowercase()
    return told.is_in([state.lower(), _state_names().get(state, state).lower()]).fill_null(value=False).to_numpy()


def area_codes_of(state: str) -> tuple[str, ...]:
    """The area codes of a state."""
    return tuple(_area_codes()["states"].get(state, ()))


def states_of_area_codes() -> dict[str, str]:
    """The state of each US area code."""
    return {code: state for state, codes in _area_codes()["states"].items() for code in codes}


@cache
def _area_codes() -> dict[str, Any]:
    return tomllib.loads((resources.files("dialfeed.donotcall") / "data" / "area_codes.toml").read_text("utf-8"))


@cache
def _state_names() -> dict[str, str]:
    return {one.strip()[:2]: one.strip()[3:] for one in STATES.split(",")}
