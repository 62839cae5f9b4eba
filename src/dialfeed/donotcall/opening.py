"""Opening the lists of a run: whatever is wrong with one is a verdict of that list, and never lets anything through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from dialfeed.donotcall.facts import ListFacts, Opened, State, Verdict
from dialfeed.donotcall.index import Index
from dialfeed.donotcall.internal import Asked, InternalEmails, InternalList, InternalPhones
from dialfeed.donotcall.lookup import FullList, UnusablePhones, UnusableTexts
from dialfeed.donotcall.manifest import DamagedList, Manifest, read_manifest
from dialfeed.donotcall.results import read_results
from dialfeed.donotcall.texts import TextFile, read_texts
from dialfeed.errors import DialfeedError

_TRIES: Final = 5
"""How often a list is opened anew when it was replaced between reading its description and opening its content."""

_EVERY_CHANNEL: Final = ("phone", "email", "account")
_UNUSABLE: Final[dict[State, Verdict]] = {"missing": Verdict.MISSING, "damaged": Verdict.DAMAGED}


def open_lists(folders: Mapping[str, Path], asked: Asked) -> Opened:
    """Open lists; none of what may be wrong with them is an exception.

    Args:
        folders: Where each list is, in the order in which they were named.
        asked: The moment, and what internal lists are asked.
    """
    registers = any(_is_register(folder) for folder in folders.values())
    return _together(_open(name, folder, asked, registers=registers) for name, folder in folders.items())


def _is_register(folder: Path) -> bool:
    """Whether absence from the list always counts as a check."""
    try:
        manifest = read_manifest(folder)
    except DamagedList:
        return False  # it clears nobody, so it does not matter
    return manifest is not None and manifest.regime.clears_always


def _open(name: str, folder: Path, asked: Asked, *, registers: bool) -> Opened:
    try:
        return _described(name, folder, asked, registers=registers)
    except (DamagedList, OSError):
        return _unusable(ListFacts(id=name, state="damaged"), _EVERY_CHANNEL)


def _described(name: str, folder: Path, asked: Asked, *, registers: bool) -> Opened:
    """Open a list by its description.

    Raises:
        DamagedList: The description cannot be trusted.
    """
    for tries_left in reversed(range(_TRIES)):
        manifest = read_manifest(folder)
        if manifest is None or manifest.current is None:
            break
        try:
            return _content(folder, manifest, asked, clears=manifest.regime.clears_always or not registers)
        except FileNotFoundError:
            if tries_left:
                continue  # a new version has just taken its place
        except (DamagedList, DialfeedError, OSError):
            pass
        return _unusable(replace(manifest.facts(folder, asked.now), state="damaged"), _channels(manifest))
    return _unusable(ListFacts(id=name, state="missing"), _EVERY_CHANNEL)


def _content(folder: Path, manifest: Manifest, asked: Asked, *, clears: bool) -> Opened:
    facts = manifest.facts(folder, asked.now)
    version = manifest.current
    if version is None or facts.path is None:
        raise DamagedList
    if manifest.kind == "internal":
        internal = InternalList(folder, facts, asked)
        return Opened([InternalPhones(internal, clears)], [InternalEmails(internal)], [])
    if manifest.kind == "result":
        return Opened([read_results(facts.path, version.content_sha256, facts, clears=clears)], [], [])
    if manifest.channel == "phone":
        return Opened([FullList(facts, clears, _index(facts))], [], [])
    texts = TextFile(facts, read_texts(facts.path, version.content_sha256))
    return Opened([], [texts], []) if manifest.channel == "email" else Opened([], [], [texts])


def _index(facts: ListFacts) -> Index:
    """The index of a list, if it is that of this version."""
    if facts.path is None or not facts.path.exists():
        raise FileNotFoundError
    index = Index.open(facts.path)
    if (index.facts.get("list_id"), index.facts.get("version"), index.records) != (
        facts.id,
        facts.version,
        facts.records,
    ):
        raise DamagedList
    return index


def _channels(manifest: Manifest) -> tuple[str, ...]:
    return ("phone", "email") if manifest.channel == "all" else (manifest.channel,)


def _unusable(facts: ListFacts, channels: tuple[str, ...]) -> Opened:
    verdict = _UNUSABLE[facts.state]
    texts = UnusableTexts(facts, verdict)
    return Opened(
        [UnusablePhones(facts, verdict)] if "phone" in channels else [],
        [texts] if "email" in channels else [],
        [texts] if "account" in channels else [],
    )


def _together(opened: Iterable[Opened]) -> Opened:
    parts = list(opened)
    return Opened(
        [one for part in parts for one in part.phone],
        [one for part in parts for one in part.email],
        [one for part in parts for one in part.account],
    )
