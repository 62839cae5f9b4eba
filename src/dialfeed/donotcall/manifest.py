"""What is written down of a list: its versions, the old ones as facts after their numbers are gone.

One file a list, `list.json`, written whole and with its own checksum, so that a list is never half described. The facts
of old versions stay (`compliance.md` section 5: "keep hash, count and date for 5 years").
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson

from dialfeed.donotcall.facts import Channel, Kind, ListFacts, State, iso
from dialfeed.donotcall.regimes import Regime, regime_of
from dialfeed.errors import FixSettings
from dialfeed.files import write_json

MANIFEST: Final = "list.json"


class DamagedList(Exception):
    """The description of a list cannot be trusted. Stays in this room: a damaged list is a verdict."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a version that was obtained at one time.

    Attributes:
        coverage: Its area codes; None for all that no other part has.
        obtained_at: When it was obtained.
        sha256: Of its file.
        until: Of a change list, the time of its last change (ISO 8601, in the register's zone, which is not known).
    """

    coverage: tuple[str, ...] | None
    obtained_at: datetime
    sha256: str
    until: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a list, as it was put together.

    Attributes:
        number: Counts from 1.
        how: `full`, `areas` (some area codes were replaced), `change` (a change list was applied) or `entries`.
        file: The name of the file with its content.
        content_sha256: Of that file, where it is checked as a whole.
        content_bytes: Its length, where it grows.
        records: How many numbers or texts it holds.
        parts: What it was obtained in; its age is that of the oldest.
        changes: The change lists that were applied to them since.
        obtained_by: Who obtained the latest part.
        account: The subscription or licence, masked.
        max_age: Seconds from the oldest part on; None where it does not age.
        malformed: Lines that were accepted although they cannot be read.
        accepted: Who accepted what, when and why.
        base: The version that it was made from; None for one made from a full list.
        rebased: The numbers added and removed by a full list after change lists, which should have been none.
        added_at: When it was put in.
        replaced_at: When another one took its place and its content was removed.
    """

    number: int
    how: str
    file: str
    records: int
    parts: tuple[Part, ...] = ()
    changes: tuple[Part, ...] = ()
    content_sha256: str = ""
    content_bytes: int = 0
    obtained_by: str = ""
    account: str = ""
    max_age: int | None = None
    malformed: int = 0
    accepted: tuple[dict[str, Any], ...] = ()
    base: int | None = None
    rebased: tuple[int, int] | None = None
    added_at: datetime | None = None
    replaced_at: datetime | None = None

    @property
    def obtained_at(self) -> datetime | None:
        """When its oldest part was obtained."""
        return min((part.obtained_at for part in self.parts), default=None)

    def obtained_last(self, codes: Collection[str] | None = None) -> datetime | None:
        """When the youngest of its parts and change lists was obtained.

        Args:
            codes: Only of parts that hold one of these area codes; None for all parts.
        """
        held = [part for part in self.parts if codes is None or not part.coverage or {*part.coverage} & {*codes}]
        return max((part.obtained_at for part in (*held, *self.changes)), default=None)

    @property
    def coverage(self) -> tuple[str, ...] | None:
        """The area codes of all parts; None for all."""
        covered: set[str] = set()
        for part in self.parts:
            if part.coverage is None:
                return None
            covered.update(part.coverage)
        return tuple(sorted(covered)) if self.parts else None

    @property
    def sha256(self) -> str:
        """Of its file, or of the hashes of its parts and changes in their order."""
        hashes = [part.sha256 for part in (*self.parts, *self.changes)]
        if len(hashes) == 1:
            return hashes[0]
        return hashlib.sha256("".join(hashes).encode()).hexdigest() if hashes else self.content_sha256

    def valid_until(self, regime: Regime) -> datetime | None:
        """The last moment at which it clears anybody."""
        obtained = self.obtained_at
        if obtained is None:
            return None
        return regime.valid_until(obtained, None if self.max_age is None else timedelta(seconds=self.max_age))


@dataclass(frozen=True, slots=True)
class Manifest:
    """A list.

    Attributes:
        id: Its name.
        authority: Whose list it is.
        channel: What it holds.
        kind: How it says it.
        current: The version in use; None where the list was removed.
        past: Versions whose content is gone, oldest first.
        reading: How its files are read: format, column and the like.
        layout: The layout of change lists that a person has confirmed.
        removed: When, by whom and why it was removed.
    """

    id: str
    authority: str
    channel: Channel
    kind: Kind
    current: Version | None
    past: tuple[Version, ...] = ()
    reading: Mapping[str, Any] | None = None
    layout: str | None = None
    removed: Mapping[str, Any] | None = None

    @property
    def regime(self) -> Regime:
        """The rules of its authority."""
        return regime_of(self.authority)

    @property
    def next_number(self) -> int:
        """The number of the next version."""
        return 1 + max((one.number for one in (*self.past, *([self.current] if self.current else []))), default=0)

    def succeeded_by(self, version: Version, now: datetime) -> Manifest:
        """With a new version, and the one in use among the past ones."""
        return replace(self, current=version, past=self._past(now), removed=None)

    def without_content(self, now: datetime, removed: Mapping[str, Any]) -> Manifest:
        """Removed, with the facts of all versions."""
        return replace(self, current=None, past=self._past(now), removed=removed)

    def facts(self, folder: Path, now: datetime) -> ListFacts:
        """What is known of the version in use.

        Args:
            folder: The list's folder.
            now: The moment at which it is used.
        """
        version = self.current
        if version is None:
            return ListFacts(id=self.id, state="missing", authority=self.authority)
        until = version.valid_until(self.regime)
        return ListFacts(
            id=self.id,
            version=version.number,
            authority=self.authority,
            channel=self.channel,
            kind=self.kind,
            territory=self.regime.territory,
            coverage=version.coverage,
            obtained_at=version.obtained_at,
            obtained_by=version.obtained_by,
            account=version.account,
            sha256=version.sha256,
            records=version.records,
            malformed=version.malformed,
            base_version=version.base,
            valid_until=until,
            state=_state(version.obtained_at, until, now),
            path=folder / version.file,
            accepted=version.accepted,
        )

    def _past(self, now: datetime) -> tuple[Version, ...]:
        return (*self.past, replace(self.current, replaced_at=now)) if self.current else self.past


def _state(obtained: datetime | None, until: datetime | None, now: datetime) -> State:
    """Ready up to and at the last moment; a list from the future has an age that nobody knows."""
    late = until is not None and now > until
    early = until is not None and obtained is not None and now < obtained
    return "stale" if late or early else "ready"


# --- to and from its file -----------------------------------------------------------------------------------------


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put a description in its place, whole.

    Raises:
        OSError: The disk refuses.
    """
    plain = _plain(manifest)
    write_json(folder / MANIFEST, {"checksum": _checksum(plain), "list": plain})


def read_manifest(folder: Path) -> Manifest | None:
    """The description of a list; None where there is none.

    Raises:
        DamagedList: It is there, and cannot be trusted.
    """
    try:
        told = orjson.loads((folder / MANIFEST).read_bytes())
        if told["checksum"] != _checksum(told["list"]):
            raise DamagedList
        manifest = _manifest(told["list"])
        if manifest.id != folder.name:
            raise DamagedList
        regime_of(manifest.authority)
    except FileNotFoundError:
        if _has_content(folder):
            raise DamagedList from None
        return None
    except (OSError, ValueError, KeyError, TypeError, FixSettings) as fault:
        raise DamagedList from fault
    return manifest


def _has_content(folder: Path) -> bool:
    """Whether there is content: without a description, it has lost it."""
    return folder.is_dir() and any(not each.name.startswith(".") for each in folder.iterdir())


def _checksum(plain: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, (Manifest, Version, Part)):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (tuple, list)) else value


def _manifest(plain: Mapping[str, Any]) -> Manifest:
    current = plain["current"]
    return Manifest(**{
        **plain,
        "current": _version(current) if current else None,
        "past": tuple(_version(one) for one in plain["past"]),
    })  # fmt: skip


def _version(plain: Mapping[str, Any]) -> Version:
    return Version(**{
        **plain,
        "parts": tuple(map(_part, plain["parts"])),
        "changes": tuple(map(_part, plain["changes"])),
        "accepted": tuple(plain["accepted"]),
        "rebased": _tuple(plain["rebased"]),
        "added_at": _moment(plain["added_at"]),
        "replaced_at": _moment(plain["replaced_at"]),
    })  # fmt: skip


def _part(plain: Mapping[str, Any]) -> Part:
    return Part(**{
        **plain,
        "coverage": _tuple(plain["coverage"]),
        "obtained_at": datetime.fromisoformat(plain["obtained_at"]),
    })  # fmt: skip


def _tuple(value: list[Any] | None) -> tuple[Any, ...] | None:
    return None if value is None else tuple(value)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
