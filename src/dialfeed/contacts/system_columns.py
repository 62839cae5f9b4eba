"""Columns that a platform's own export adds to the contacts, so that an exported file goes in again.

They say what the platform knows of a contact (its own id, attempts, whether it may be called), are written by it alone,
and would only use up the columns that a contact list has (`genesys-cloud-api.md`, sections 4 and 7). Looked at on
2026-11-23.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

CERTAIN: Final = re.compile(
    r"inin-outbound-id|ContactCallable|ContactableBy(Voice|Sms|Email|WhatsApp)|(ZipCode)?AutomaticTimeZone"
    r"|(Callable|(Call|Sms|Email)RecordLast\w+|(Sms|Email)Last\w+|AutomaticTimeZone)-.+|icAttempts|icFinalStatus"
    r"|icAssignedSkillId|icCreateDate",
    re.IGNORECASE,
)
"""Names that nobody but a platform gives a column."""

LIKELY: Final = frozenset({"callable", "contactid", "contactlistid", "selfuri"})
"""Names that an export has as well, but that may be somebody's own: ignored only beside a certain one."""

PLATFORM_ID: Final = "id"
"""The platform's own id of a contact: ignored beside a certain name or `contactListId`, where `externalId` is there."""


def system_columns(names: Sequence[str]) -> frozenset[int]:
    """The positions of the columns that a platform has added.

    Args:
        names: The cleaned names of a header.
    """
    certain = {position for position, name in enumerate(names) if CERTAIN.fullmatch(name)}
    folded = [name.casefold() for name in names]
    if not certain and "contactlistid" not in folded:
        return frozenset()
    dropped = LIKELY | ({PLATFORM_ID} if "externalid" in folded else frozenset())
    likely = {position for position, name in enumerate(folded) if name in dropped}
    return frozenset(certain | likely)
