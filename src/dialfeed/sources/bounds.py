"""How large a compressed source may become: a small file that unpacks to a terabyte is an attack, or a mistake."""

from __future__ import annotations

from dataclasses import dataclass

from dialfeed.errors import FixSource

FREE_BYTES = 64 << 20
"""So much may always come out: the ratio of a small text says nothing."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may come out of a compressed source.

    Attributes:
        max_bytes: The most bytes.
        max_ratio: The most bytes for each compressed byte, beyond `FREE_BYTES`.
    """

    max_bytes: int
    max_ratio: int

    def check(self, name: str, *, packed: int, unpacked: int) -> None:
        """Refuse what is too large.

        Args:
            name: The source as the user named it.
            packed: How many compressed bytes were used.
            unpacked: How many bytes came out of them.

        Raises:
            FixSource: More came out than may.
        """
        if unpacked > self.max_bytes:
            raise FixSource(
                f"'{name}' unpacks to more than {self.max_bytes:,} bytes.",
                advice="Unpack it where there is room, look into it, and split it.",
            )
        if unpacked > FREE_BYTES and unpacked > packed * self.max_ratio:
            raise FixSource(
                f"'{name}' unpacks to more than {self.max_ratio} times its size, as files do that are made to harm.",
                advice="Check where it comes from. If it is right after all, unpack it first.",
            )
