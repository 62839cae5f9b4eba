"""Mappings that were confirmed by a run that sent something, or saved by the user: one file a header.

`mappings/<fingerprint>.json` in the home folder, 0600, replaced as a whole. It holds names of columns and counts of
kinds of values, no row and nothing of a person.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from dialfeed.errors import FixSettings
from dialfeed.files import private_folder


@dataclass(frozen=True, slots=True)
class Remembered:
    """A mapping as it was last confirmed.

    Attributes:
        fingerprint: Of the header that it belongs to.
        saved: When, UTC, ISO 8601.
        shape: What the source looked like (`dialfeed.contacts.drift.Shape.as_dict`).
        lists: Keys of the contact lists that it was used for (`list_keys`) → when it was last.
    """

    fingerprint: str
    saved: str
    shape: Mapping[str, Any]
    lists: Mapping[str, str]


def list_keys(platform_url: str | None, names: Iterable[str]) -> tuple[str, ...]:
    """Keys of a contact list by its id and its name, since the user may say either."""
    place = (platform_url or "").rstrip("/").lower()
    return tuple(f"{place} {name.strip().casefold()}" for name in names if name.strip())


class Mappings:
    """The mappings that are remembered on this machine.

    Args:
        home: The folder of what runs share; made when something is saved.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / "mappings"

    def find(self, fingerprint: str) -> Remembered | None:
        """The mapping of this header.

        Raises:
            FixSettings: Its file cannot be read.
        """
        path = self._path(fingerprint)
        return _read(path) if path.is_file() else None

    def last_of(self, keys: Iterable[str]) -> Remembered | None:
        """The mapping that was last used for a contact list.

        Raises:
            FixSettings: A file cannot be read.
        """
        wanted = set(keys)
        dated = [
            (max(when for key, when in each.lists.items() if key in wanted), each)
            for each in map(_read, sorted(self._folder.glob("*.json")))
            if wanted & each.lists.keys()
        ]
        return max(dated, key=lambda pair: pair[0])[1] if dated else None

    def save(self, fingerprint: str, shape: Mapping[str, Any], keys: Iterable[str], now: str) -> None:
        """Remember a mapping for a header, and that it was used for a list.

        Raises:
            FixSettings: The folder cannot be made, or the file that is there cannot be read.
            OSError: The file cannot be written.
        """
        private_folder(self._folder)
        known = self.find(fingerprint)
        lists = {**(known.lists if known else {}), **dict.fromkeys(keys, now)}
        path = self._path(fingerprint)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
            plain = {"fingerprint": fingerprint, "saved": now, "shape": shape, "lists": lists}
            file.write(orjson.dumps(plain, option=orjson.OPT_INDENT_2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)

    def forget(self, fingerprint: str) -> bool:
        """Forget the mapping of a header; whether there was one."""
        path = self._path(fingerprint)
        there = path.is_file()
        path.unlink(missing_ok=True)
        return there

    def _path(self, fingerprint: str) -> Path:
        return self._folder / f"{fingerprint}.json"


def _read(path: Path) -> Remembered:
    try:
        plain = orjson.loads(path.read_bytes())
        return Remembered(plain["fingerprint"], plain["saved"], plain["shape"], plain["lists"])
    except (OSError, ValueError, KeyError, TypeError):
        raise FixSettings(
            f"{path}, a remembered mapping, cannot be read.", advice="Remove the file; the next import writes it again."
        ) from None
