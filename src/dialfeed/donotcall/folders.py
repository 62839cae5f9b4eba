"""A list's folder while it is being changed: one process at a time, and nothing left over."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from dialfeed.donotcall.entries import ENTRIES
from dialfeed.donotcall.manifest import MANIFEST, DamagedList, Manifest, read_manifest, write_manifest
from dialfeed.errors import CheckFile, FixSettings
from dialfeed.files import open_private, private_folder, try_lock

_LOCK: Final = ".lock"
_REMOVED: Final = ".removed-"
_BETWEEN: Final = 0.01


class ListBusy(CheckFile):
    """Another process is changing the list."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Another process is changing the list {name!r}.", advice="Try again when it has ended.")


@contextmanager
def locked(folder: Path, *, wait: float = 0.0) -> Iterator[None]:
    """Change a list: the folder is made if need be, and is this process's alone until the block ends.

    Args:
        folder: The list's folder.
        wait: Seconds to wait for another process.

    Raises:
        ListBusy: Another process is changing it.
        FixSettings: The folder cannot be used, or the disk refuses.
    """
    private_folder(folder.parent)
    private_folder(folder)
    file = folder / _LOCK
    until = time.monotonic() + wait
    handle = open_private(file)
    try:
        while not try_lock(handle, file):
            if time.monotonic() >= until:
                raise ListBusy(folder.name)
            time.sleep(_BETWEEN)
        yield
    except OSError as fault:
        raise FixSettings(
            f"The list {folder.name!r} cannot be written: {fault.strerror or fault}.",
            advice=f"Make room in {folder.parent}, or see who may write there; what was there before is unchanged.",
        ) from fault
    finally:
        os.close(handle)


def clear_up(folder: Path, manifest: Manifest | None) -> None:
    """Remove what a process that died has left, and the content of versions that were replaced."""
    kept = {MANIFEST, _LOCK, ENTRIES, manifest.current.file if manifest and manifest.current else MANIFEST}
    for each in folder.iterdir():
        if each.name not in kept and not each.name.startswith(_REMOVED):
            each.unlink(missing_ok=True)


def discard(folder: Path, now: datetime, why: Mapping[str, Any]) -> None:
    """Remove a list's content. The facts of its versions stay, or its description as it is where that is damaged.

    Raises:
        FixSettings: It is an internal list, and no reason is given.
    """
    try:
        manifest = read_manifest(folder)
    except DamagedList:
        manifest = None
        aside(folder, MANIFEST, now)
    if (folder / ENTRIES).exists() and not why["because"]:
        raise FixSettings(
            f"The list {folder.name!r} holds opt-outs, which do not lapse on their own.",
            advice='Say why with --because "…"; the opt-outs are kept beside, and the reason is recorded.',
        )
    if manifest is not None and manifest.current is not None:
        manifest = manifest.without_content(now, why)
        write_manifest(folder, manifest)
    aside(folder, ENTRIES, now)
    clear_up(folder, manifest)


def aside(folder: Path, name: str, now: datetime) -> None:
    """Keep a file that is in use no more, under a name of its own."""
    stamp = f"{_REMOVED}{now:%Y%m%dT%H%M%SZ}"
    free = (folder / f"{stamp}{again}.{name}" for again in ("", *(f"-{count}" for count in range(2, 1000))))
    with suppress(FileNotFoundError):
        (folder / name).rename(next(path for path in free if not path.exists()))
