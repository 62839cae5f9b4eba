"""Putting a list in, replacing it, replacing some of its area codes, applying a change list, removing it.

Each of them runs under the list's lock and does the same steps: make the new content beside the old, write the
description that names it, remove the old content. Until the description is written the old version stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from dialfeed.donotcall.areas import nation_codes
from dialfeed.donotcall.building import change
from dialfeed.donotcall.facts import Numbers, iso
from dialfeed.donotcall.folders import clear_up
from dialfeed.donotcall.index import Index
from dialfeed.donotcall.indexfile import DamagedIndex
from dialfeed.donotcall.intake import (
    Obtained,
    Piece,
    Tally,
    accepted,
    area_blocks,
    area_codes_in,
    check_coverage,
    check_size,
    check_territory,
    difference,
    masked,
    take_phones,
    take_results,
    take_texts,
)
from dialfeed.donotcall.manifest import Manifest, Part, Version, write_manifest
from dialfeed.errors import FixSettings
from dialfeed.files import sha256_of
from dialfeed.wording import counted

_NEW: Final = ".new.index"
"""The index of a file that replaces some area codes, for as long as they are taken over."""


class Incoming(Protocol):
    """A list file, ready to be read (`incoming`)."""

    def pieces(self) -> Iterable[Piece[Any]]:
        """Read it, once."""
        ...

    @property
    def sha256(self) -> str:
        """Of the file that was read."""
        ...

    @property
    def reading(self) -> Mapping[str, Any]:
        """How it is read, to read the next one alike."""
        ...


@dataclass(frozen=True, slots=True)
class Changes:
    """A change list: each number once, by its last action.

    Attributes:
        sha256: Of the file.
        added: Numbers that came onto the list.
        removed: Numbers that went from it.
        layout: The layout that was detected in the file, in words.
        until: The time of its last change (ISO 8601, in the register's zone, which is not known).
        tally: Its lines that cannot be read.
    """

    sha256: str
    added: Numbers
    removed: Numbers
    layout: str
    until: str = ""
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class Put:
    """What became of a list.

    Attributes:
        manifest: Its description now.
        warnings: What a person should know.
    """

    manifest: Manifest
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Work:
    """A version that is being made."""

    folder: Path
    manifest: Manifest
    obtained: Obtained
    now: datetime

    @property
    def number(self) -> int:
        return self.manifest.next_number

    @property
    def path(self) -> Path:
        suffix = "index" if self.indexed else "arrow"
        return self.folder / f"v{self.number:06}.{suffix}"

    @property
    def indexed(self) -> bool:
        return self.manifest.kind == "full" and self.manifest.channel == "phone"

    @property
    def facts(self) -> dict[str, Any]:
        """What an index says of itself, so that it is not taken for another one."""
        return {
            "list_id": self.manifest.id,
            "version": self.number,
            "authority": self.manifest.authority,
            "obtained_at": iso(self.obtained.at),
        }

    def version(
        self, how: str, records: int, tally: Tally, empty: Sequence[str] = (), *, lost: int = 0, **more: Any
    ) -> Version:
        age = self.manifest.regime.age_of(self.obtained.max_age)
        return Version(
            number=self.number,
            how=how,
            file=self.path.name,
            records=records,
            content_sha256="" if self.indexed else sha256_of(self.path),
            obtained_by=self.obtained.by,
            account=masked(self.obtained.account),
            max_age=None if age is None else int(age.total_seconds()),
            malformed=tally.malformed,
            accepted=accepted(tally, self.obtained.accepts, empty, lost, self.now),
            added_at=self.now,
            **more,
        )

    def publish(self, version: Version, **more: Any) -> Manifest:
        """Let the new version take its place, and remove the old one's content."""
        manifest = replace(self.manifest.succeeded_by(version, self.now), **more)
        write_manifest(self.folder, manifest)
        with suppress(OSError):  # what is left over goes with the next change
            clear_up(self.folder, manifest)
        return manifest

    def drop(self) -> None:
        """Remove content that is not taken."""
        for path in (self.path, self.folder / _NEW):
            path.unlink(missing_ok=True)


def put_full(folder: Path, manifest: Manifest, file: Incoming, obtained: Obtained, now: datetime) -> Put:
    """Make a version of a whole list.

    Raises:
        CheckFile: The file is not taken; what was there stays.
        DialfeedError: It cannot be read or written; what was there stays.
    """
    work = _Work(folder, manifest, obtained, now)
    tally = Tally()
    try:
        taken = _take(work, file, tally)
        tally.check(obtained.accepts)
        lost = check_size(_records(manifest, obtained.coverage), taken.records, obtained.accepts)
        rebased = _rebased(work)
        parts = (Part(taken.coverage, obtained.at, file.sha256),)
        version = work.version("full", taken.records, tally, taken.empty, lost=lost, parts=parts, rebased=rebased)
    except BaseException:
        work.drop()
        raise
    return Put(work.publish(version, reading=file.reading), (*_left_out(taken), *_missed(rebased)))


def put_areas(folder: Path, manifest: Manifest, file: Incoming, obtained: Obtained, now: datetime) -> Put:
    """Make a version in which some area codes are new, and all others are as they were.

    Raises:
        CheckFile: The file is not taken; what was there stays.
        DialfeedError: It cannot be read or written; what was there stays.
    """
    work = _Work(folder, manifest, obtained, now)
    old, codes = _base(work), obtained.coverage or ()
    tally = Tally()
    try:
        fresh = take_phones(folder / _NEW, file.pieces(), tally, work.facts)
        tally.check(obtained.accepts)
        empty = check_coverage(fresh, codes, obtained.accepts, register=True)
        blocks = area_blocks(fresh, codes)
        rebased = difference(_index(folder, old), fresh, blocks) if old.changes else None
        built = change(folder / old.file, work.path, replaced=blocks, facts=work.facts)
        more: dict[str, Any] = {
            "parts": _merged(old.parts, codes, obtained, file),
            "changes": old.changes,
            "rebased": rebased,
        }
        version = work.version("areas", built.records, tally, empty, base=old.number, **more)
    except BaseException:
        work.drop()
        raise
    return Put(work.publish(version), _missed(rebased))


def put_changes(folder: Path, manifest: Manifest, changes: Changes, obtained: Obtained, now: datetime) -> Put:
    """Make a version by a change list. The list stays as old as its last full file (`compliance.md` 1.2).

    Raises:
        CheckFile: It has lines that cannot be read; what was there stays.
        DialfeedError: The list cannot be read or written; what was there stays.
    """
    work = _Work(folder, manifest, obtained, now)
    old = _base(work)
    changes.tally.check(obtained.accepts)
    try:
        built = change(folder / old.file, work.path, added=changes.added, removed=changes.removed, facts=work.facts)
        applied = (*old.changes, Part(None, obtained.at, changes.sha256, changes.until))
        more: dict[str, Any] = {"parts": old.parts, "changes": applied, "base": old.number}
        version = work.version("change", built.records, changes.tally, **more)
    except BaseException:
        work.drop()
        raise
    numbers = f"{counted(built.already_absent, 'number')} to remove {'was' if built.already_absent == 1 else 'were'}"
    absent = f"{numbers} not on the list: an earlier change list may be missing."
    return Put(work.publish(version, layout=changes.layout), (absent,) if built.already_absent else ())


@dataclass(frozen=True, slots=True)
class _Taken:
    """Content that was made.

    Attributes:
        records: How many it has.
        coverage: The area codes that it covers; None for all.
        empty: Those of them without a number, which a person accepts.
        left_out: How many area codes of the nation are not covered although all were said to be.
    """

    records: int
    coverage: tuple[str, ...] | None = None
    empty: Sequence[str] = ()
    left_out: int = 0


def _take(work: _Work, file: Incoming, tally: Tally) -> _Taken:
    """Make the content of a whole list."""
    manifest, obtained = work.manifest, work.obtained
    if work.indexed:
        return _covering(work, take_phones(work.path, file.pieces(), tally, work.facts))
    if manifest.kind == "result":
        return _Taken(take_results(work.path, file.pieces(), tally, obtained, dated=manifest.regime.query_dates))
    return _Taken(take_texts(work.path, file.pieces(), tally, email=manifest.channel == "email"))


def _covering(work: _Work, index: Index) -> _Taken:
    """What a list covers: what is said of it; of a new one of which nothing is said, where it has a number.

    Where all of a nation is said, and some of its area codes have no number, they are not covered: a file of one area
    code would clear everybody else. A person may accept that they are empty.
    """
    obtained, regime, current = work.obtained, work.manifest.regime, work.manifest.current
    check_territory(index, regime, work.manifest.authority)
    before = (current.coverage if current else None) or ()
    empty = check_coverage(index, obtained.coverage, obtained.accepts, register=regime.clears_always, before=before)
    if not regime.area_codes or obtained.coverage is not None:
        return _Taken(index.records, obtained.coverage, empty)
    held = area_codes_in(index)
    if obtained.same_coverage and current is None:
        return _Taken(index.records, held, empty)
    missing = sorted(nation_codes(regime.territory) - {*held})
    if missing and not obtained.accepts.empty:
        return _Taken(index.records, held, empty, len(missing))
    return _Taken(index.records, None, missing or empty)


def _left_out(taken: _Taken) -> tuple[str, ...]:
    if not taken.left_out:
        return ()
    told = f"{counted(taken.left_out, 'area code')} of the nation {'has' if taken.left_out == 1 else 'have'} no number"
    return (f'{told} in it and are not covered; if the list is whole, say --accept-empty --because "…".',)


def _records(manifest: Manifest, coverage: tuple[str, ...] | None) -> int:
    """How many records the version in use has that a new one should have as well: none of answers to other questions.

    Args:
        manifest: The list.
        coverage: What is said of the new version; only where it holds all that the one in use covers can they be
            compared.
    """
    version = manifest.current
    if version is None or manifest.kind == "result":
        return 0
    held = coverage is None or (version.coverage is not None and {*version.coverage} <= {*coverage})
    return version.records if held else 0


def _base(work: _Work) -> Version:
    """The version to start from.

    Raises:
        FixSettings: It is not a list of phones, or there is none.
    """
    version = work.manifest.current
    if version is None or not work.indexed:
        raise FixSettings(
            f"The list {work.manifest.id!r} can only be replaced as a whole.", advice="Give the whole list."
        )
    return version


def _index(folder: Path, version: Version) -> Index:
    return Index.open(folder / version.file)


def _rebased(work: _Work) -> tuple[int, int] | None:
    """What a full list has more and less than change lists have made of the one before; None without change lists."""
    old = work.manifest.current
    if old is None or not old.changes or not work.indexed:
        return None
    with suppress(DamagedIndex):
        return difference(_index(work.folder, old), _index(work.folder, replace(old, file=work.path.name)))
    return None


def _missed(rebased: tuple[int, int] | None) -> tuple[str, ...]:
    more, less = rebased or (0, 0)
    if not (more or less):
        return ()
    told = f"The full list has {counted(more, 'number')} more and {less:,} fewer than the change lists had made of the"
    return (f"{told} last one: a change list was missed, or the register has changed since.",)


def _merged(parts: tuple[Part, ...], codes: Iterable[str], obtained: Obtained, file: Incoming) -> tuple[Part, ...]:
    """The parts of a list after some of its area codes were replaced; what is left of an older part keeps its date."""
    fresh = set(codes)
    left = [
        replace(part, coverage=tuple(code for code in part.coverage if code not in fresh)) if part.coverage else part
        for part in parts
    ]
    kept = [part for part in left if part.coverage != ()]
    return (*kept, Part(tuple(sorted(fresh)), obtained.at, file.sha256))
