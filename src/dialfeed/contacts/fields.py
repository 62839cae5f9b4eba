"""The fields of a contact, in the order of the platform's body (`cxone-v2-dialect.md` section 3)."""

from __future__ import annotations

from typing import Final

EXTERNAL_ID: Final = "externalId"
FIRST_NAME: Final = "firstName"
LAST_NAME: Final = "lastName"
PHONE: Final = "phone"
EMAIL: Final = "email"
COUNTRY_CODE: Final = "countryCode"
DO_NOT_CALL: Final = "doNotCall"
DO_NOT_EMAIL: Final = "doNotEmail"

CONTACT_FIELDS: Final = (
    EXTERNAL_ID,
    FIRST_NAME,
    LAST_NAME,
    PHONE,
    EMAIL,
    COUNTRY_CODE,
    DO_NOT_CALL,
    DO_NOT_EMAIL,
)
"""Every contact field, in the order in which it is shown and sent."""

IDENTITY_FIELDS: Final = (EXTERNAL_ID, PHONE, EMAIL)
"""What tells two contacts apart, in the order in which it is hashed (`cxone-v2-dialect.md` section 4)."""

CHANNEL_FIELDS: Final = (PHONE, EMAIL)
"""The ways to reach a person; a contact needs at least one of them."""

WITHHELD: Final = "withheld."
"""Prefix of the columns that keep what the scrub withheld, since identity is taken before it."""

FLAG_FIELDS: Final = (DO_NOT_CALL, DO_NOT_EMAIL)
"""Booleans that every contact must have, never null."""

FULL_NAME: Final = "fullName"
"""First and last name in one column: a column may be mapped to it, and no contact has it."""

AS_IT_IS: Final = "asIs"
"""Said of a column with numbers or addresses of somebody else: it passes through, and no list is asked about them."""

NAME_FIELDS: Final = (FIRST_NAME, LAST_NAME)
"""What a full name is split into."""

NEUTRALISED: Final = "_neutralised"
"""The column by which a file for people says that its cells are not exact (`compliance.md` section 8)."""

RESERVED_COLUMNS: Final = frozenset(
    {"_row", "_field", "_code", "_message", "_survivor_row", "_batch", "_id", "_phone_type", "_settled", NEUTRALISED}
)
"""Columns that dialfeed writes beside a row in its own files.

They are never contact columns, so that a mended `rejected.csv` can be imported again as it is.
"""

EXEMPTION_EVIDENCE: Final = (
    "ebr_purchase",
    "ebr_inquiry",
    "ebr_id",
    "consent",
    "consent_id",
    "consent_expires",
    "b2b",
    "b2b_id",
)
"""What a source's column may be evidence of: an exemption from a do-not-call list, or its proof."""

RUN_RECORD: Final = ("seller", "campaign", "purpose", "channel", "dialling")
"""What a user may say of a run for its record (`compliance.md` section 5)."""
