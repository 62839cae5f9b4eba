"""Folders and files that only their owner may read (0700 and 0600, whatever the umask), whole writes, and locks."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from dialfeed.errors import FixSettings


def private_folder(folder: Path) -> Path:
    """Make a folder, and close it to everybody else.

    Raises:
        FixSettings: It cannot be made, is no folder, or belongs to somebody who does not let us close it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if stat.S_IMODE(folder.stat().st_mode) & 0o077:
            folder.chmod(0o700)
    except OSError as fault:
        raise _unusable(folder, fault) from fault
    return folder


def open_private(file: Path) -> int:
    """Open a file to read and write, made if need be; no link is followed and no child program inherits it.

    Returns:
        The file descriptor.

    Raises:
        FixSettings: It cannot be opened.
    """
    try:
        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as fault:
        raise _unusable(file, fault) from fault


def try_lock(handle: int, file: Path) -> bool:
    """Lock an open file against every other opening of it, without waiting.

    The lock belongs to this opening: a forked child that keeps it open keeps the lock too. The system frees it
    when the last process that has it open ends, however it ends.

    Returns:
        Whether the lock is ours.

    Raises:
        FixSettings: The file's disk knows no locks.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as fault:
        raise _unusable(file, fault) from fault
    return True


@contextmanager
def alone_with(file: Path) -> Iterator[None]:
    """Hold the lock of a file, after whoever holds it; the system frees it when a process ends, however it ends.

    Raises:
        FixSettings: The file cannot be used, or its disk knows no locks.
    """
    handle = open_private(file)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as fault:
            raise _unusable(file, fault) from fault
        yield
    finally:
        os.close(handle)


def create_private(path: Path) -> BinaryIO:
    """A new, empty file that only its owner may read."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Write a private file so that a reader sees the old one or the new one, and after a crash either.

    It takes its place when the block ends well; when it does not, nothing is left of it.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    file = create_private(part)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Let the names in a folder survive a power failure."""
    sync_file(folder)


def sync_file(file: Path) -> None:
    """Let what was written to a file survive a power failure."""
    handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a private JSON file whole (`written_whole`)."""
    with written_whole(path) as file:
        file.write(orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n")


def _unusable(path: Path, fault: OSError) -> FixSettings:
    """The sentence for a file or folder that the system refuses."""
    return FixSettings(
        f"{path} cannot be used for what runs on this machine share: {fault.strerror or fault}.",
        advice="Set DIALFEED_HOME to a folder on a local disk that you may write to.",
    )
