"""Adding opt-outs to an internal list: durable when the call returns, and in force for every look-up from then on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from dialfeed.donotcall.entries import ENTRIES, parse, read_lines
from dialfeed.donotcall.facts import iso
from dialfeed.donotcall.folders import aside, clear_up, locked
from dialfeed.donotcall.manifest import DamagedList, Manifest, Version, read_manifest, write_manifest
from dialfeed.errors import CheckFile, FixSettings

_PATIENCE: Final = 30.0
_NEWLINE: Final = b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """A request not to be called or written to.

    Attributes:
        phone: The number, E.164 as an integer; None for an e-mail.
        email: The address in lower case; None for a phone.
        topic: What it is about (`internal.topic_key`); None for everything.
        channel: `phone`, `email`, or `all` for a person who wants to hear nothing any more.
        reason: In words.
        asked_by: Who asked: the person, a lawyer, an agency.
        received_at: When it was received, with its zone.
        counts_from: The moment that a consent has to be later than.
        expires_at: When it ends; None for never.
        must_apply_by: By when it has to be in force, for reports; it is in force at once.
    """

    phone: int | None = None
    email: str | None = None
    topic: str | None = None
    channel: str
    reason: str = ""
    asked_by: str = ""
    received_at: datetime
    counts_from: datetime
    expires_at: datetime | None = None
    must_apply_by: datetime

    def line(self, added_at: datetime, added_by: str) -> bytes:
        """The opt-out as a line of the log."""
        plain = {
            "phone": self.phone,
            "email": self.email,
            "topic": self.topic,
            "channel": self.channel,
            "reason": self.reason,
            "asked_by": self.asked_by,
            "received_at": self.received_at.isoformat(),
            "expires_at": iso(self.expires_at),
            "must_apply_by": self.must_apply_by.isoformat(),
            "added_at": iso(added_at),
            "added_by": added_by,
            "counts_from": int(self.counts_from.timestamp()),
            "ends": None if self.expires_at is None else int(self.expires_at.timestamp()),
        }
        return orjson.dumps(plain, option=orjson.OPT_APPEND_NEWLINE)


class OptOutLog:
    """Adds opt-outs to one internal list; several processes may.

    Args:
        folder: The list's folder.
        by: Who adds them.
    """

    def __init__(self, folder: Path, by: str) -> None:
        self._folder = folder
        self._by = by
        self._digest: Any = hashlib.sha256()
        self._length = 0

    def add(self, optouts: Sequence[OptOut], now: datetime) -> Manifest:
        """Add opt-outs; all of them are durable and in force when this returns.

        Raises:
            ListBusy: Another process has been changing the list for 30 seconds.
            CheckFile: The list is damaged; nothing is added.
            FixSettings: The list is no internal list, or the disk refuses; then they can be added again, whether or not
                they are in force.
        """
        with locked(self._folder, wait=_PATIENCE):
            try:
                manifest = self._catch_up(now)
            except DamagedList:
                raise _damaged(self._folder) from None
            clear_up(self._folder, manifest)
            whole = _whole_lines(self._folder, self._length)
            added = b"".join(one.line(now, self._by) for one in optouts)
            _append(self._folder / ENTRIES, self._length + len(whole), added)
            return self._publish(manifest, whole + added, now)

    def _catch_up(self, now: datetime) -> Manifest:
        """What the list is by now; a list that is not there is begun."""
        manifest = read_manifest(self._folder)
        if manifest is None or manifest.current is None:
            self._digest, self._length = hashlib.sha256(), 0
            return self._begin(manifest, now)
        if manifest.kind != "internal":
            raise FixSettings(
                f"The list {self._folder.name!r} was made from a file, and takes no single opt-outs.",
                advice="Name another one with --id, or update it with a file.",
            )
        if manifest.current.content_bytes < self._length:
            self._digest, self._length = hashlib.sha256(), 0
        lines, self._digest = read_lines(self._folder, manifest, self._length, self._digest)
        self._length += len(lines)
        return manifest

    def _begin(self, former: Manifest | None, now: datetime) -> Manifest:
        """Describe the list before it has entries, so that none is without a description."""
        aside(self._folder, ENTRIES, now)
        manifest = former or Manifest(self._folder.name, "internal", "all", "internal", None)
        write_manifest(self._folder, manifest)
        return manifest

    def _publish(self, manifest: Manifest, lines: bytes, now: datetime) -> Manifest:
        self._digest.update(lines)
        self._length += len(lines)
        count = (manifest.current.records if manifest.current else 0) + lines.count(_NEWLINE)
        version = Version(
            number=count,
            how="entries",
            file=ENTRIES,
            records=count,
            content_sha256=self._digest.hexdigest(),
            content_bytes=self._length,
            added_at=now,
        )
        published = Manifest(
            manifest.id, "internal", "all", "internal", version, manifest.past, manifest.reading, manifest.layout
        )
        write_manifest(self._folder, published)
        return published


def _whole_lines(folder: Path, length: int) -> bytes:
    """What an addition that died has left behind, as far as it is whole."""
    try:
        with (folder / ENTRIES).open("rb") as file:
            file.seek(length)
            left = file.read()
    except FileNotFoundError:
        return b""
    whole = left[: left.rfind(_NEWLINE) + 1]
    try:
        parse(whole)
    except DamagedList:
        return b""
    return whole


def _append(path: Path, length: int, lines: bytes) -> None:
    """Write lines behind what is kept, durably."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "r+b") as file:
        file.truncate(length)
        file.seek(length)
        file.write(lines)
        file.flush()
        os.fsync(handle)


def _damaged(folder: Path) -> CheckFile:
    return CheckFile(
        f"The list {folder.name!r} is damaged and blocks everybody; nothing was added.",
        advice=f"Put {folder} back from a copy. Without one, keep its {ENTRIES}, remove the list, and feed that file "
        f"to `dialfeed dnc add --internal --id {folder.name} -`.",
    )
