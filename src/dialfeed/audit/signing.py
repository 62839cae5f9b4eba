"""Signatures: an Ed25519 key signs the last hash of a trail, so that whoever rewrites all of it is found out.

A signature says that the trail ended in this hash when it was signed, and so that every line before is as it was. It is
worth as much as its key is hard to reach: keep the private key away from where trails are kept.

`audit.sig` holds `algorithm`, `run`, `n` and `hash` of the last line that it covers, `public_key` (32 bytes in
hexadecimal digits) and `signature` (64 bytes), made over the UTF-8 text of `_message`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from dialfeed.errors import FixSettings
from dialfeed.files import create_private, private_folder, write_json
from dialfeed.optional import needed

SIGNATURE: Final = "audit.sig"
PRIVATE: Final = "audit.key"
PUBLIC: Final = "audit.pub"
_ALGORITHM: Final = "ed25519"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs trails with one key.

    Attributes:
        key: The private key; no part of the text form.
    """

    key: Any = field(repr=False)

    def sign(self, folder: Path, *, run: str, number: int, last_hash: str) -> None:
        """Write `audit.sig` for a trail that ends here.

        Raises:
            OSError: It cannot be written.
        """
        public = self.key.public_key().public_bytes_raw()
        signature = self.key.sign(_message(run, number, last_hash))
        told = {"algorithm": _ALGORITHM, "run": run, "n": number, "hash": last_hash}
        write_json(folder / SIGNATURE, {**told, "public_key": public.hex(), "signature": signature.hex()})


def open_signer(keys: Path) -> Signer | None:
    """The signer of the key pair in this folder; None where there is none.

    Raises:
        FixSettings: There is one, and it cannot be used.
    """
    path = keys / PRIVATE
    if not path.is_file():
        return None
    try:
        key = _library("serialization").load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, OSError):
        key = None
    if not isinstance(key, _ed25519().Ed25519PrivateKey):
        raise FixSettings(f"{path} holds no Ed25519 key that can be read.", advice="`dialfeed audit keygen` makes one.")
    return Signer(key)


def make_keys(keys: Path) -> tuple[Path, str]:
    """Make a key pair in this folder (0700): `audit.key` (0600), and `audit.pub` for whoever verifies.

    Returns:
        The public key's file, and its fingerprint.

    Raises:
        FixSettings: There is a key already, the folder cannot be used, or the library is missing.
    """
    form, key = _library("serialization"), _ed25519().Ed25519PrivateKey.generate()
    private_folder(keys)
    if (keys / PRIVATE).exists():
        raise FixSettings(
            f"There is a key already: {keys / PRIVATE}.",
            advice="Trails signed with it need its audit.pub. To have another, move both away first.",
        )
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    public = key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    for name, content in ((PUBLIC, public), (PRIVATE, private)):
        with create_private(keys / name) as file:
            file.write(content)
    return keys / PUBLIC, fingerprint(key.public_key().public_bytes_raw())


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature file says, and whether it is right.

    Attributes:
        run: The run that it is for.
        number: The last line that it covers.
        hash: That line's hash.
        fingerprint: Of the key that made it.
        good: Whether the signature is right for these.
        expected: Whether the key is the one that was expected; None where none was.
    """

    run: str
    number: int
    hash: str
    fingerprint: str
    good: bool
    expected: bool | None


def read_signature(path: Path, public_key: Path | None) -> Signed | None:
    """Read and verify `audit.sig`; None where it is not one.

    Args:
        path: The signature's file.
        public_key: The file of the key that must have made it; without one, its own key is taken and told.

    Raises:
        FixSettings: The library is missing, or the public key cannot be read.
    """
    invalid = needed("cryptography.exceptions", extra="sign", purpose="verify signatures").InvalidSignature
    try:
        told = _told(path)
        own, signature = bytes.fromhex(told["public_key"]), bytes.fromhex(told["signature"])
        key = _ed25519().Ed25519PublicKey.from_public_bytes(own)
    except (ValueError, KeyError, TypeError, OSError):
        return None
    try:
        key.verify(signature, _message(told["run"], told["n"], told["hash"]))
        good = True
    except invalid:
        good = False
    expected = None if public_key is None else own == _public_bytes(public_key)
    return Signed(told["run"], told["n"], told["hash"], fingerprint(own), good=good, expected=expected)


def fingerprint(public: bytes) -> str:
    """What tells public keys apart, short enough to be read out."""
    digest = hashlib.sha256(public).hexdigest()[:32]
    return ":".join(digest[start : start + 4] for start in range(0, 32, 4))


def _message(run: str, number: int, last_hash: str) -> bytes:
    return f"dialfeed audit trail\nrun {run}\nlines {number}\nhash {last_hash}\n".encode()


def _told(path: Path) -> Mapping[str, Any]:
    told = orjson.loads(path.read_bytes())
    if told["algorithm"] != _ALGORITHM or not isinstance(told["n"], int):
        raise ValueError(_ALGORITHM)
    return {name: told[name] for name in ("run", "n", "hash", "public_key", "signature")}


def _public_bytes(path: Path) -> bytes:
    """The key in a PEM file.

    Raises:
        FixSettings: There is none in it.
    """
    try:
        key = _library("serialization").load_pem_public_key(path.read_bytes())
    except (ValueError, OSError):
        key = None
    if not isinstance(key, _ed25519().Ed25519PublicKey):
        raise FixSettings(f"{path} holds no Ed25519 public key.", advice="It is the audit.pub that keygen has made.")
    return bytes(key.public_bytes_raw())


def _ed25519() -> Any:
    return _library("asymmetric.ed25519")


def _library(part: str) -> Any:
    return needed(f"cryptography.hazmat.primitives.{part}", extra="sign", purpose="sign audit trails")
