"""ZIP codes, states and time zones that pass through: the platform takes calling hours from them, so they are checked.

A wrong ZIP is worse than none: an unmappable one shrinks the calling window to a few hours, a blank one does not
(`compliance.md` section 0, item 8). So a bad ZIP is blanked, and told. A Canadian postal code, a state, a province or a
zone that is not known is told, and stays as it is. Codes and states are looked at in rows of the United States and of
Canada only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final
from zoneinfo import available_timezones

import polars as pl

from dialfeed.contacts.text import for_distinct

ZIP_REPAIRED: Final = "zip.repaired"
ZIP_BLANKED: Final = "zip.blanked"
STATE_UNKNOWN: Final = "state.unknown"
POSTAL_UNKNOWN: Final = "postal.unknown"
PROVINCE_UNKNOWN: Final = "province.unknown"
ZONE_UNKNOWN: Final = "zone.unknown"

PLACE_SCHEMA: Final = pl.Schema({"value": pl.String, "code": pl.String})
"""The columns of a check: the value to send, and what is told about it."""

STATES: Final = """
    AL Alabama, AK Alaska, AZ Arizona, AR Arkansas, CA California, CO Colorado, CT Connecticut, DE Delaware,
    DC District of Columbia, FL Florida, GA Georgia, HI Hawaii, ID Idaho, IL Illinois, IN Indiana, IA Iowa, KS Kansas,
    KY Kentucky, LA Louisiana, ME Maine, MD Maryland, MA Massachusetts, MI Michigan, MN Minnesota, MS Mississippi,
    MO Missouri, MT Montana, NE Nebraska, NV Nevada, NH New Hampshire, NJ New Jersey, NM New Mexico, NY New York,
    NC North Carolina, ND North Dakota, OH Ohio, OK Oklahoma, OR Oregon, PA Pennsylvania, RI Rhode Island,
    SC South Carolina, SD South Dakota, TN Tennessee, TX Texas, UT Utah, VT Vermont, VA Virginia, WA Washington,
    WV West Virginia, WI Wisconsin, WY Wyoming, AS American Samoa, FM Federated States of Micronesia, GU Guam,
    MH Marshall Islands, MP Northern Mariana Islands, PW Palau, PR Puerto Rico, VI Virgin Islands,
    AA Armed Forces Americas, AE Armed Forces Europe, AP Armed Forces Pacific"""
"""Two-letter codes and names of the US Postal Service: states, possessions, freely associated states, and the military.

Source: Publication 28, appendix B (pe.usps.com/TEXT/pub28/pub28apb.htm, a stored copy, read 2026-11-26), with the
names of the three military "states" shortened.
"""

PROVINCES: Final = """
    NL Newfoundland and Labrador, PE Prince Edward Island, NS Nova Scotia, NB New Brunswick, QC Quebec, QC Québec,
    ON Ontario, MB Manitoba, SK Saskatchewan, AB Alberta, BC British Columbia, YT Yukon, NT Northwest Territories,
    NU Nunavut"""
"""Two-letter codes and names of the provinces and territories of Canada.

Source: Statistics Canada, Dictionary of the Census 2016, table 1.8 (statcan.gc.ca, geo038-eng, read 2026-11-26).
"""


def _codes_and_names(table: str) -> frozenset[str]:
    return frozenset(part.casefold() for each in table.split(",") for part in each.strip().split(" ", 1))


_STATES: Final = _codes_and_names(STATES) | {"u.s. virgin islands", "us virgin islands", "micronesia", "washington dc"}
_PROVINCES: Final = _codes_and_names(PROVINCES)
_POSTAL: Final = r"^(?i:[ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z][ -]?[0-9][ABCEGHJ-NPRSTV-Z][0-9])$"
"""Canada's postal codes: no D, F, I, O, Q or U, and no W or Z in front, where the letter stands for a province or a
part of one."""
_ZIP: Final = r"^[0-9]{5}(-[0-9]{4})?$"
_LOST_ZERO: Final = r"^([0-9]{4}(?:-[0-9]{4})?)$"
_NO_PLACE: Final = r"^0+(-|$)"


@dataclass(frozen=True, slots=True)
class Place:
    """A kind of column that says where a contact is.

    Attributes:
        names: Keys of names (`mapping.match_key`) under which such a column passes through.
        checks: For each country in whose rows it is looked at, the check of its distinct values; under None, that for
            all rows.
    """

    names: frozenset[str]
    checks: Mapping[str | None, Callable[[pl.Series], pl.DataFrame]]


def place_of(key: str) -> Place | None:
    """What a passed-through column is, by the key of its name; None where it says no place."""
    return next((place for place in PLACES if key in place.names), None)


def kind_of_place(key: str) -> str | None:
    """What a passed-through column says of a place, by the key of its name: `zip`, `state` or `timeZone`."""
    return next((kind for kind, place in zip(KINDS, PLACES, strict=True) if key in place.names), None)


def check_place(place: Place, values: pl.Series, countries: pl.Series) -> pl.DataFrame:
    """Check one column.

    Args:
        place: What it is.
        values: Clean text.
        countries: The country of each row, null where it is not known.

    Returns:
        A frame of the same length (`PLACE_SCHEMA`).
    """
    nothing = pl.repeat(None, len(values), dtype=pl.String, eager=True)
    told = pl.DataFrame({"value": values, "code": nothing})
    for country, check in place.checks.items():
        there = _all(values) if country is None else (countries == country).fill_null(value=False)
        if there.any():
            checked = for_distinct(values, check)
            told = pl.DataFrame({name: checked[name].zip_with(there, told[name]) for name in told.columns})
    return told


def _all(values: pl.Series) -> pl.Series:
    return pl.repeat(value=True, n=len(values), dtype=pl.Boolean, eager=True)


def check_zips(values: pl.Series) -> pl.DataFrame:
    """Check US ZIP codes: five digits, or ZIP+4; one lost leading zero is put back, anything else is blanked."""
    value = pl.col("value").str.replace(r"^([0-9]{4,5})[.]0+$", "${1}")
    repaired = value.str.replace(_LOST_ZERO, "0${1}")
    good = repaired.str.contains(_ZIP) & ~repaired.str.contains(_NO_PLACE)
    return values.to_frame("value").select(
        value=pl.when(good).then(repaired),
        code=pl.when(good & (repaired != pl.col("value")))
        .then(pl.lit(ZIP_REPAIRED))
        .when(~good)
        .then(pl.lit(ZIP_BLANKED)),
    )


def check_states(values: pl.Series) -> pl.DataFrame:
    """Check US states and territories: a code of two letters or a name."""
    return _known(values, _STATES, STATE_UNKNOWN)


def check_postal_codes(values: pl.Series) -> pl.DataFrame:
    """Check Canadian postal codes, with or without a blank in the middle."""
    good = pl.col("value").str.contains(_POSTAL)
    return values.to_frame("value").select("value", code=pl.when(~good).then(pl.lit(POSTAL_UNKNOWN)))


def check_provinces(values: pl.Series) -> pl.DataFrame:
    """Check Canadian provinces and territories: a code of two letters or a name."""
    return _known(values, _PROVINCES, PROVINCE_UNKNOWN)


def check_zones(values: pl.Series) -> pl.DataFrame:
    """Check time zones: names of the IANA database, in any case; nothing is told where the machine has none."""
    return _known(values, _zones(), ZONE_UNKNOWN)


@cache
def _zones() -> frozenset[str]:
    return frozenset(zone.casefold() for zone in available_timezones())


def _known(values: pl.Series, known: frozenset[str], code: str) -> pl.DataFrame:
    codes = [
        code if known and value is not None and value.casefold() not in known else None for value in values.to_list()
    ]
    return pl.DataFrame({"value": values, "code": codes}, schema=PLACE_SCHEMA)


def _keys(names: str) -> frozenset[str]:
    return frozenset(name.strip() for name in names.split(","))


PLACES: Final = (
    Place(_keys("zip, zipcode, zip5, postalcode, postcode, zippostalcode, codigopostal, codepostal, plz"),
          {"US": check_zips, "CA": check_postal_codes}),
    Place(_keys("state, statecode, usstate, stateprovince, province, estado, bundesland"),
          {"US": check_states, "CA": check_provinces}),
    Place(_keys("timezone, tz, ianatimezone, zonahoraria, fuseauhoraire, zeitzone, fusohorario"), {None: check_zones}),
)  # fmt: skip

KINDS: Final = ("zip", "state", "timeZone")
"""What each of `PLACES` is."""
