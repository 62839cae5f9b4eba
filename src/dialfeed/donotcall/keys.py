"""Keys for pseudonyms: what the evidence calls a number by, so that nobody without the key can find out which it is.

``HMAC-SHA-256(key, "phone:v1:" + E.164)`` (`compliance.md` section 5). The space of phone numbers is small, so a bare
hash protects nothing; the key lies in the home folder, outside of every run's folder. As long as it is kept, one number
can be found in old evidence; destroying it is the erasure.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from dialfeed.errors import FixSettings
from dialfeed.files import private_folder, written_whole

_CURRENT = "pseudonym.current"
_LATEST = "pseudonym.latest"
"""In the home folder itself: the id of the newest key, so that the loss of the whole folder of keys is noticed."""
_BLOCK = 64


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Attributes:
        id: Names it in the evidence; tells nothing of the secret.
        secret: 32 bytes.
    """

    id: str
    secret: bytes = field(repr=False)

    def pseudonym(self, channel: str, value: str) -> str:
        """The pseudonym of one number (E.164), address or set of contacts: 64 hexadecimal digits."""
        return hmac.digest(self.secret, _text(channel, value), "sha256").hex()

    def pseudonyms(self, channel: str, values: pl.Series) -> pl.Series:
        """The pseudonyms of a column without nulls.

        The two halves of the HMAC begin with a block that is the same for all values; each is hashed once.
        """
        padded = self.secret.ljust(_BLOCK, b"\0")
        inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))
        prefix = _text(channel, "")
        inner.update(prefix)
        told = values.str.to_lowercase() if channel == "email" else values
        return pl.Series([_finish(inner, outer, value) for value in told.cast(pl.Binary).to_list()], dtype=pl.String)


def _finish(inner: hashlib._Hash, outer: hashlib._Hash, value: bytes) -> str:
    first, second = inner.copy(), outer.copy()
    first.update(value)
    second.update(first.digest())
    return second.hexdigest()


def _text(channel: str, value: str) -> bytes:
    return f"{channel}:v1:{value.lower() if channel == 'email' else value}".encode()


class KeyRing:
    """The keys in the home folder.

    Args:
        home: The folder of what runs share.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / "keys"
        self._latest = home / _LATEST

    def current(self) -> Key:
        """The key that new evidence is written with; made when there has never been one.

        Where others could read the folder of the keys, it is closed to them.

        Raises:
            FixSettings: The key was lost, or the folder cannot be used.
        """
        pointer = self._pointer()
        if pointer is None:
            return self.renew()
        key = self._pointed_at(pointer)
        private_folder(self._folder)
        return key

    def passing(self) -> Key:
        """The current key, or, where there has never been one, a key that is kept nowhere: for a rehearsal.

        Raises:
            FixSettings: The key was lost.
        """
        pointer = self._pointer()
        return _made() if pointer is None else self._pointed_at(pointer)

    def _pointer(self) -> Path | None:
        """Where the id of the current key stands; None if there has never been one."""
        return next((path for path in (self._folder / _CURRENT, self._latest) if path.is_file()), None)

    def _pointed_at(self, pointer: Path) -> Key:
        return self.find(pointer.read_text("ascii", errors="replace").strip())

    def renew(self) -> Key:
        """Make a new key, which new evidence is written with from now on; older ones stay."""
        private_folder(self._folder)
        key = _made()
        with written_whole(self._path(key.id)) as file:
            file.write(key.secret.hex().encode() + b"\n")
        for pointer in (self._latest, self._folder / _CURRENT):
            with written_whole(pointer) as file:
                file.write(key.id.encode() + b"\n")
        return key

    def find(self, key_id: str) -> Key:
        """A key by its id.

        Raises:
            FixSettings: It is not there, or is not the key of that id.
        """
        try:
            secret = bytes.fromhex(self._path(key_id).read_text("ascii"))
        except (OSError, ValueError):
            secret = b""
        if _id_of(secret) != key_id:
            raise FixSettings(
                f"The key {key_id} is not in {self._folder}; evidence that was written with it cannot be looked up.",
                advice="Put it back from a backup; or, for new evidence, make another: `dialfeed evidence --new-key`.",
            )
        return Key(key_id, secret)

    def all(self) -> Iterator[Key]:
        """Every key that is there."""
        for path in sorted(self._folder.glob("pseudonym-*.key")):
            yield self.find(path.stem.removeprefix("pseudonym-"))

    def _path(self, key_id: str) -> Path:
        return self._folder / f"pseudonym-{key_id}.key"


def _made() -> Key:
    secret = secrets.token_bytes(32)
    return Key(_id_of(secret), secret)


def _id_of(secret: bytes) -> str:
    return hashlib.sha256(b"dialfeed key id:" + secret).hexdigest()[:16]
