"""Verdicts on numbers: what each is called, and how one goes with kind and region into one integer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import phonenumbers
from numpy.typing import NDArray

METADATA_VERSION: Final[str] = phonenumbers.__version__
"""Version of the numbering metadata, for reports: "Metadata moves between releases" (`compliance.md` section 9)."""

VALID, TOO_SHORT, TOO_LONG, NO_AREA_CODE, INVALID, UNKNOWN_COUNTRY_CODE, NO_COUNTRY = range(7)
ASK, UNSEEN = 14, 15

VERDICT_CODES: Final[tuple[str | None, ...]] = (
    None,
    "phone.too_short",
    "phone.too_long",
    "phone.no_area_code",
    "phone.invalid",
    "phone.unknown_country_code",
    "phone.no_country",
)
"""Reason code of each verdict; valid has none."""


WORLD: Final = "001"
"""What the library calls the region of a calling code without a country (+800, +883)."""

REGIONS: Final[tuple[str | None, ...]] = (None, *sorted(phonenumbers.SUPPORTED_REGIONS), WORLD)
REGION_NUMBERS: Final[dict[str | None, int]] = {region: number for number, region in enumerate(REGIONS)}

FIXED, MOBILE, EITHER = 9, 10, 11
_KIND_SHIFT, _REGION_SHIFT = 4, 8
PREFIXED: Final = 1 << 17
MOST_DIGITS: Final = 19  # all that is below 10**19 fits into 64 bits
HOPELESS: Final = 40  # digits: no international, national and calling code can explain so many

Integers: TypeAlias = NDArray[np.uint64]
Classes: TypeAlias = NDArray[np.uint32]
Rows: TypeAlias = NDArray[np.integer]


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """Verdicts on a column, one element a row.

    Attributes:
        numbers: The E.164 number without its plus; meaningless where the verdict is not `VALID`.
        classes: Packed verdict, kind and region; the functions `verdicts`, `kinds` and `regions` unpack it.
    """

    numbers: Integers
    classes: Classes

    def verdicts(self) -> Classes:
        """Index into `VERDICT_CODES`."""
        return self.classes & np.uint32(15)

    def kinds(self) -> Classes:
        """Index into `KINDS`; 0 where the number is not valid."""
        return (self.classes >> np.uint32(_KIND_SHIFT)) & np.uint32(15)

    def regions(self) -> Classes:
        """Index into `REGIONS`; 0 where the number is not valid."""
        return (self.classes >> np.uint32(_REGION_SHIFT)) & np.uint32(511)


def pack(kind: int, region: int) -> int:
    """Kind and region of a valid number in one integer."""
    return VALID | kind << _KIND_SHIFT | region << _REGION_SHIFT
