"""The second line before a trail and a log: whatever looks like a phone, an e-mail or a known secret is masked.

The first line is that only facts of known kinds are told at all (`dialfeed.audit.events`); this one is for what a user
put into a name: a file called after a number, a list called after a person's address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_OF_A_WORD = r"[^\s@<>\"',;:()\[\]/\\]"
_EMAIL = re.compile(rf"(?<!{_OF_A_WORD})(?<!://){_OF_A_WORD}+@{_OF_A_WORD}+")
"""The user and the machine of an address (`postgresql://etl@db.example/crm`) are none."""

_PHONE = re.compile(r"\+\s?\d[\d\s().-]{4,}\d")
_SHORTEST_SECRET = 4


class Mask:
    """Masks texts.

    Args:
        secrets: What must never be told. The text form does not show it.
    """

    def __init__(self, secrets: Iterable[str | None] = ()) -> None:
        known = {secret for secret in secrets if secret and len(secret) >= _SHORTEST_SECRET}
        longest_first = sorted(known, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, longest_first))) if known else None

    def __repr__(self) -> str:
        return "Mask()"

    def __call__(self, text: str) -> str:
        """The text without what looks like a phone (its last two digits stay), an e-mail or a known secret."""
        if self._secrets is not None:
            text = self._secrets.sub("***", text)
        return _PHONE.sub(lambda found: f"***{found.group()[-2:]}", _EMAIL.sub("***", text))
