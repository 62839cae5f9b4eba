"""The do-not-call lists of the home folder, `lists/ID/`: opened for runs, added, updated, removed, watched.

A list is changed by one process at a time, into files of new names; its description then takes its place in one step.
So a reader sees the old version or the new one, a process that dies leaves the old one, and a run that has a version
open keeps it after it was replaced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from dialfeed.donotcall.areas import in_nation
from dialfeed.donotcall.changing import Changes, Incoming, Put, put_areas, put_changes, put_full
from dialfeed.donotcall.facts import Channel, Opened, iso
from dialfeed.donotcall.folders import clear_up, discard, locked
from dialfeed.donotcall.intake import Obtained
from dialfeed.donotcall.internal import Asked
from dialfeed.donotcall.manifest import DamagedList, Manifest, read_manifest, write_manifest
from dialfeed.donotcall.opening import open_lists
from dialfeed.donotcall.optouts import OptOutLog
from dialfeed.donotcall.regimes import regime_of, widens_from
from dialfeed.errors import CheckFile, FixSettings

_ID: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_NOWHERE: Final = ".nowhere"

Now = Callable[[], datetime]


class ListStore:
    """The lists of a home folder.

    Args:
        home: The folder of what runs share (`assembly.home_folder`).
    """

    def __init__(self, home: Path) -> None:
        self._root = home / "lists"

    # --- for runs ---------------------------------------------------------------------------------------------------

    def open(
        self, ids: Sequence[str], *, now: datetime, topic: str | None = None, widening: date | None = None
    ) -> Opened:
        """Open lists for a run.

        A list that is missing, too old or damaged is opened as one that says so of everything it speaks of
        (`Verdict`); nothing is raised, and nothing is cleared.

        Args:
            ids: The lists, each once.
            now: The moment of the run, with its zone.
            topic: The topic of the run, for opt-outs that are scoped; without one they all count.
            widening: The day from which a scoped opt-out counts for every topic; by the rules unless told.
        """
        asked = Asked(now, topic, widening or widens_from())
        return open_lists({name: self.folder(name) for name in ids}, asked)

    def ids(self) -> list[str]:
        """The lists that there are, damaged ones too, in order of their names."""
        if not self._root.is_dir():
            return []
        return sorted(each.name for each in self._root.iterdir() if _ID.fullmatch(each.name) and _there(each))

    def folder(self, name: str) -> Path:
        """Where a list is; a name that no list can have leads nowhere."""
        return self._root / (name if _ID.fullmatch(name) else _NOWHERE)

    def manifest(self, name: str) -> Manifest:
        """The description of a list.

        Raises:
            FixSettings: There is no such list.
            CheckFile: The description is damaged.
        """
        manifest = _described(self.folder(name), name)
        if manifest is None or manifest.current is None:
            known = ", ".join(self.ids()) or "none"
            raise FixSettings(f"There is no list {name!r} (there is: {known}).", advice="`dialfeed dnc add` adds one.")
        return manifest

    # --- from files -------------------------------------------------------------------------------------------------

    def add(
        self,
        name: str,
        authority: str,
        file: Incoming,
        obtained: Obtained,
        *,
        now: datetime,
        channel: Channel = "phone",
    ) -> Put:
        """Add a list from a file.

        Args:
            name: How runs name it.
            authority: Whose list it is (`regimes.authorities`).
            file: The file.
            obtained: How it was had.
            now: The moment.
            channel: What it holds.

        Raises:
            FixSettings: The name is taken or no name, or what is said of the list makes no sense.
            CheckFile: The file is not taken.
            DialfeedError: It cannot be read or written.
        """
        regime = regime_of(authority)
        new = Manifest(name, authority, channel, regime.model, None)
        _check_name(name)
        _check_channel(new)
        _check_obtained(new, obtained, now)
        with locked(self.folder(name)):
            former = _described(self.folder(name), name)
            if former is not None and former.current is not None:
                raise FixSettings(
                    f"There is a list {name!r} already.", advice=f"`dialfeed dnc update {name} FILE` replaces it."
                )
            begun = replace(new, past=former.past) if former else new
            write_manifest(self.folder(name), begun)
            return put_full(self.folder(name), begun, file, obtained, now)

    def update(self, name: str, file: Incoming, obtained: Obtained, now: datetime, *, areas: bool = False) -> Put:
        """Replace a list, or some of its area codes, by what a file holds.

        Args:
            name: The list.
            file: The file.
            obtained: How it was had; what is not said of account, age and coverage stays as it is.
            now: The moment.
            areas: Whether the file holds the covered area codes only, and all others stay.

        Raises:
            FixSettings: There is no such list, or it takes no such file.
            CheckFile: The file is not taken.
            DialfeedError: It cannot be read or written.
        """
        with self._changed(name) as manifest:
            told = _as_before(manifest, obtained)
            _check_obtained(manifest, told, now, areas=areas)
            if areas and not told.coverage:
                raise FixSettings("It is not said which area codes are new.", advice="Say it with --covers 212,415.")
            return (put_areas if areas else put_full)(self.folder(name), manifest, file, told, now)

    def change(
        self, name: str, changes: Changes, obtained: Obtained, now: datetime, *, base: int, confirmed: bool = False
    ) -> Put:
        """Apply a change list (`compliance.md` 1.2).

        Args:
            name: The list.
            changes: The change list.
            obtained: When and by whom it was had.
            now: The moment.
            base: The version that it belongs to.
            confirmed: Whether a person says that the detected layout is right; needed the first time.

        Raises:
            FixSettings: There is no such list, or it takes no change lists.
            CheckFile: The list has another version, or the layout is not confirmed.
            DialfeedError: It cannot be written.
        """
        with self._changed(name) as manifest:
            _check_base(manifest, base)
            _check_order(manifest, changes)
            _check_layout(manifest, changes, confirmed=confirmed)
            told = _as_before(manifest, obtained)
            _check_obtained(manifest, told, now)
            return put_changes(self.folder(name), manifest, changes, told, now)

    @contextmanager
    def _changed(self, name: str) -> Iterator[Manifest]:
        """A list that is there and was made from files, locked."""
        self.manifest(name)
        with locked(self.folder(name)):
            manifest = self.manifest(name)
            if manifest.kind == "internal":
                raise FixSettings(
                    f"The list {name!r} holds single opt-outs.",
                    advice=f"Add one with `dnc add --internal --id {name}`.",
                )
            clear_up(self.folder(name), manifest)
            yield manifest

    # --- opt-outs, and the end ----------------------------------------------------------------------------------------

    def optouts(self, name: str, by: str) -> OptOutLog:
        """The log of an internal list, which is begun with the first opt-out.

        Raises:
            FixSettings: No list can have this name.
        """
        _check_name(name)
        return OptOutLog(self.folder(name), by)

    def remove(self, name: str, now: datetime, *, by: str, because: str = "") -> None:
        """Remove a list's content; the facts of its versions stay, and of an internal list its entries as well.

        Raises:
            FixSettings: There is no such list, or an internal one is to go without a reason.
        """
        folder = self.folder(name)
        there = name in self.ids()
        if folder.is_dir():
            with locked(folder):
                discard(folder, now, {"at": iso(now), "by": by, "because": because})
        if not there:
            self.manifest(name)  # tells that there is none; what a removal that died has left is gone by now


def _there(folder: Path) -> bool:
    try:
        manifest = read_manifest(folder)
    except DamagedList:
        return True
    return manifest is not None and manifest.current is not None


def _described(folder: Path, name: str) -> Manifest | None:
    try:
        return read_manifest(folder)
    except DamagedList:
        raise CheckFile(
            f"The list {name!r} is damaged and clears nobody.",
            advice=f"Remove it with `dialfeed dnc remove {name} --because …` and add it again.",
        ) from None


def _as_before(manifest: Manifest, obtained: Obtained) -> Obtained:
    """What is not said anew of a list stays as it is."""
    version = manifest.current
    if version is None:
        return obtained
    age = obtained.max_age
    if age is None and version.max_age is not None:
        age = timedelta(seconds=version.max_age)
    coverage = version.coverage if obtained.same_coverage else obtained.coverage
    return replace(obtained, max_age=age, coverage=coverage, account=obtained.account or version.account)


# --- what is refused before anything is read --------------------------------------------------------------------------


def _check_name(name: str) -> None:
    if not _ID.fullmatch(name):
        raise FixSettings(
            "That is no name for a list.", advice="A name has small letters, digits, dots, dashes and underscores only."
        )


def _check_channel(manifest: Manifest) -> None:
    regime = manifest.regime
    if manifest.channel not in regime.channels:
        raise FixSettings(
            f"A list of {manifest.authority} holds no {manifest.channel}.",
            advice=f"It is one of {', '.join(regime.channels)}.",
        )


def _check_obtained(manifest: Manifest, obtained: Obtained, now: datetime, *, areas: bool = False) -> None:
    """Refuse what cannot be: a list from the future, one older than what it replaces, area codes where there are none.

    A file that is older than a change list that was applied would take back what that has added.
    """
    regime = manifest.regime
    regime.age_of(obtained.max_age)
    if obtained.at > now:
        raise FixSettings(
            "The list was obtained in the future.", advice="Give --obtained with the time and its zone if it was today."
        )
    if regime.ends is not None and obtained.at.date() >= regime.ends:
        raise FixSettings(
            f"Since {regime.ends} no list of {manifest.authority} clears anybody (source: {regime.source}).",
            advice="Call those who have consented only.",
        )
    current = manifest.current
    last = current.obtained_last(obtained.coverage if areas else None) if current else None
    if last is not None and obtained.at < last:
        raise FixSettings(f"The list in use was obtained later, at {iso(last)}.", advice="See --obtained and the file.")
    if obtained.coverage and not in_nation(obtained.coverage, regime.territory):
        raise FixSettings(
            f"--covers names an area code that is not one of {manifest.authority}.",
            advice="Write area codes of three digits with commas between them, or all.",
        )
    if obtained.coverage is not None and (not regime.area_codes or manifest.kind != "full"):
        raise FixSettings(
            f"A list of {manifest.authority} is not obtained by area codes.", advice="Leave out --covers."
        )


def _check_base(manifest: Manifest, base: int) -> None:
    number = manifest.current.number if manifest.current else 0
    if number != base:
        raise CheckFile(
            f"The list {manifest.id!r} has version {number}, not {base}, which the change list belongs to.",
            advice="Update it with a full list.",
        )


def _check_order(manifest: Manifest, changes: Changes) -> None:
    """Refuse a change list that ends before one that was applied: its deletions would undo later additions."""
    applied = max((each.until for each in manifest.current.changes), default="") if manifest.current else ""
    if changes.until < applied:
        raise CheckFile(
            f"The change list ends at {changes.until}, and one that goes to {applied} was applied before it.",
            advice="Change lists are applied in the order of their times: update the list with a full one.",
        )


def _check_layout(manifest: Manifest, changes: Changes, *, confirmed: bool) -> None:
    if changes.layout != manifest.layout and not confirmed:
        raise CheckFile(
            f"The change list looks like this: {changes.layout}.", advice="If that is right, say --confirm-layout."
        )
