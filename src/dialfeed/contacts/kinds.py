"""The kinds of phone numbers, as libphonenumber tells them apart, and those that a user does not want.

Short codes and emergency numbers are no kind: they are never valid numbers of a contact.
"""

from __future__ import annotations

from typing import Final

KINDS: Final[tuple[str | None, ...]] = (
    None,
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
    "fixed_line",
    "mobile",
    "fixed_line_or_mobile",
)
"""libphonenumber's types, in the order in which the library tries them; None for no valid number."""

CALLED: Final = {
    "premium_rate": "premium-rate number",
    "toll_free": "toll-free number",
    "shared_cost": "shared-cost number",
    "voip": "internet telephone number (VoIP)",
    "personal_number": "personal number that follows a person",
    "pager": "pager number",
    "uan": "company-wide number (UAN)",
    "voicemail": "voicemail number",
    "fixed_line": "fixed-line number",
    "mobile": "mobile number",
    "fixed_line_or_mobile": "number of a country whose fixed lines and mobiles look alike",
}
"""What people call each kind."""


def unwanted_code(kind: str) -> str:
    """The code of the reason for which a number of an unwanted kind is rejected."""
    return f"phone.unwanted_{kind}"
