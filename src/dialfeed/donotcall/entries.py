"""The log of opt-outs of an internal list, `entries.jsonl`: only ever appended to, a line an opt-out.

The list's description (`manifest`) holds the log's length and SHA-256 and is written anew with each addition, so a lost
or changed line shows. Lines behind that length belong to an addition that was not finished and that nobody was told of;
the next addition keeps those that are whole, since an opt-out too many harms nobody.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
from polars.exceptions import PolarsError

from dialfeed.donotcall.manifest import DamagedList, Manifest

ENTRIES: Final = "entries.jsonl"

ENTRY_SCHEMA: Final = pl.Schema({
    "phone": pl.UInt64,
    "email": pl.String,
    "topic": pl.String,
    "channel": pl.String,
    "counts_from": pl.Int64,
    "ends": pl.Int64,
})  # fmt: skip
"""What of a line decides: a phone or an e-mail; the topic, null for everything; the channel, `all` for a person who
wants to hear nothing any more; what a consent has to be later than, and when it ends, in seconds of UTC. The rest of a
line (`optouts.OptOut`) is for people."""


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """A log that was read and checked.

    Attributes:
        frame: The entries (`ENTRY_SCHEMA`).
        digest: The hash over their lines.
        length: Their bytes.
    """

    frame: pl.DataFrame
    digest: Any
    length: int


def no_entries() -> Entries:
    """An empty log."""
    return Entries(pl.DataFrame(schema=ENTRY_SCHEMA), hashlib.sha256(), 0)


def read_entries(folder: Path, manifest: Manifest, known: Entries | None = None) -> Entries:
    """The log of an internal list, checked against its description.

    Args:
        folder: The list's folder.
        manifest: Its description.
        known: What was read of it before; only what follows is read.

    Raises:
        DamagedList: Lines are lost or changed.
    """
    if known is None or (manifest.current and manifest.current.content_bytes < known.length):
        known = no_entries()
    lines, digest = read_lines(folder, manifest, known.length, known.digest)
    return Entries(pl.concat([known.frame, parse(lines)]), digest, known.length + len(lines))


def read_lines(folder: Path, manifest: Manifest, start: int, digest: Any) -> tuple[bytes, Any]:
    """The lines from some place on, and the hash with them, checked.

    Raises:
        DamagedList: Lines are lost or changed.
    """
    version = manifest.current
    if version is None:
        raise DamagedList
    lines = _read(folder, start, version.content_bytes)
    digest = digest.copy()
    digest.update(lines)
    if digest.hexdigest() != version.content_sha256:
        raise DamagedList
    return lines, digest


def parse(lines: bytes) -> pl.DataFrame:
    """Lines as a frame (`ENTRY_SCHEMA`).

    Raises:
        DamagedList: They are no entries.
    """
    try:
        return pl.read_ndjson(lines, schema=ENTRY_SCHEMA) if lines else pl.DataFrame(schema=ENTRY_SCHEMA)
    except PolarsError as fault:
        raise DamagedList from fault


def _read(folder: Path, start: int, end: int) -> bytes:
    try:
        handle = os.open(folder / ENTRIES, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as fault:
        raise DamagedList from fault
    with os.fdopen(handle, "rb") as file:
        file.seek(start)
        lines = file.read(max(end - start, 0))
    if len(lines) != end - start:
        raise DamagedList
    return lines
