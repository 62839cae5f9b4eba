# /// script
# requires-python = ">=3.11"
# dependencies = ["tzdata==2026.6", "zip2info==1.1.0", "zipcodes==3.0.0", "ziptz-us==0.1.2"]
# ///
"""Write `src/dialfeed/donotcall/data/zips.toml`: the clocks and states of US ZIP codes, from three published tables.

Run it with the packages installed, outside the product's own environment: ``python tools/make_zip_zones.py >
src/dialfeed/donotcall/data/zips.toml``. Where the tables disagree on a ZIP code, each answer counts: such a code lies
at a boundary, and a wrong clock is worse than one hour less.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import zip2info
import zipcodes
import ziptz
from zip2info._data import ZIP_INFO

LETTERS = {
    "A": "America/Anchorage",
    "C": "America/Chicago",
    "D": "America/Adak",
    "E": "America/New_York",
    "G": "Pacific/Guam",
    "H": "Pacific/Honolulu",
    "J": "Pacific/Majuro",
    "K": "Pacific/Chuuk",
    "L": "Pacific/Palau",
    "M": "America/Denver",
    "N": "Pacific/Kosrae",
    "P": "America/Los_Angeles",
    "R": "America/Puerto_Rico",
    "S": "Pacific/Pago_Pago",
    "W": "Pacific/Wake",
    "Z": "America/Phoenix",
}
NOWHERE = "-"

HEADER = """\
# Clocks and states of US ZIP codes by their first three digits. Made by `tools/make_zip_zones.py`; do not edit.
#
# A row: three digits, the states, and for each clock the ZIP codes that may have it, as 100 bits in hexadecimal (bit n
# is the ZIP code that ends in n). A ZIP code with two clocks lies at a boundary, or the sources disagree on it. A dash
# is a ZIP code without a place of its own (armed forces). A ZIP code that no row names may have any clock of its row.

[zips]
version = "2026-11-26"
source = "union of zipcodes 3.0.0 (MIT; USPS ZIP Locale Detail), zip2info 1.1.0 (MIT; Census Bureau, GeoNames) \
and ziptz-us 0.1.2 (MIT; Census Bureau, timezone-boundary-builder)"
attribution = "Contains information from GeoNames (CC BY 4.0), from timezone-boundary-builder, made available under \
the Open Database License, and from OpenStreetMap, (c) OpenStreetMap contributors."
mark = "M"
reviewed = 2026-11-26
"""


@cache
def clock(name: str) -> tuple[timedelta | None, ...]:
    """Tell the offsets of a zone through a year."""
    zone, first = ZoneInfo(name), datetime(2026, 1, 1, 12, tzinfo=UTC)
    return tuple((first + timedelta(days=day)).astimezone(zone).utcoffset() for day in range(366))


@cache
def letter(name: str) -> str:
    """Tell the letter of the clock that a zone goes by."""
    return next((each for each, zone in LETTERS.items() if clock(zone) == clock(name)), "") or missing(name)


def missing(name: str) -> str:
    """Stop at a clock without a letter."""
    raise SystemExit(f"no letter for {name}")


def zones(code: str, listed: dict[str, str]) -> set[str]:
    """List what the tables say of one ZIP code; names that are not of the IANA database are left out."""
    said = {listed.get(code, ""), zip2info.timezone(code) or ""}
    with suppress(ziptz.ZipError):
        said.add(ziptz.zone(code))
    return {letter(name) for name in said if "/" in name} or {NOWHERE}


def rows() -> dict[str, tuple[set[str], dict[str, int]]]:
    """Gather states and clocks by the first three digits."""
    every = zipcodes.list_all()
    listed = {each["zip_code"]: each["timezone"] for each in every}
    gathered: dict[str, tuple[set[str], dict[str, int]]] = defaultdict(lambda: (set(), defaultdict(int)))
    for each in every:
        gathered[each["zip_code"][:3]][0].add(each["state"])
    for code in sorted(listed.keys() | {f"{number:05}" for number in ZIP_INFO}):
        for found in zones(code, listed):
            gathered[code[:3]][1][found] |= 1 << int(code[3:])
    return gathered


def main() -> None:
    """Print the file."""
    print(HEADER + "\n[zips.clocks]")
    for each, zone in LETTERS.items():
        print(f'{each} = "{zone}"')
    print('\n[zips.table]\nrows = """')
    for prefix, (states, clocks) in sorted(rows().items()):
        told = " ".join(f"{each}:{bits:x}" for each, bits in sorted(clocks.items()))
        print(prefix, ",".join(sorted(states)) or NOWHERE, told)
    print('"""')


if __name__ == "__main__":
    main()
