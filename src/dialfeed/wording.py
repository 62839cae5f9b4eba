"""Numbers with their nouns, in sentences that people read."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number and its noun: ``1 row``, ``2,500 rows``.

    Args:
        number: How many.
        noun: What, in the singular.
        plural: Its plural; unless given, the noun with an s.
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {plural or noun + 's'}"
