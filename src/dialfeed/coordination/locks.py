"""One run at a time for each contact list.

The lock is the system's lock (`flock`) on a small file; what the file says, in JSON, is only for people. So a lock
never outlives its process: after ``kill -9`` the next run gets it at once, and what the dead run left in the file
is told as taken over.
"""

from __future__ import annotations

import hashlib
import os
import platform
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from dialfeed.errors import CheckFile
from dialfeed.files import open_private, private_folder, try_lock
from dialfeed.moments import utc_now

_READINGS = 5
_BETWEEN_READINGS = 0.02
_LARGEST = 1 << 16

Now = Callable[[], datetime]
"""Tells the time, with its zone."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds, or held, a lock.

    Attributes:
        run_id: The run.
        run_folder: Where its files are.
        pid: Its process.
        host: The machine's name.
        started_at: When it took the lock, ISO 8601 in UTC.
    """

    run_id: str
    run_folder: str
    pid: int
    host: str
    started_at: str


class ListLocked(CheckFile):
    """Another run is loading this contact list.

    Args:
        holder: That run; None if its file does not tell.
    """

    def __init__(self, holder: Holder | None) -> None:
        super().__init__(
            _sentence(holder),
            advice="Wait for it to end, or insist with --even-if-locked: both may then load the same contacts.",
        )
        self.holder = holder


class ListLock:
    """Holds a contact list for one run, as a context manager.

    A forked child does not inherit the lock, nor does a program that is started.

    Args:
        home: dialfeed's own folder.
        platform_url: The platform's base URL.
        list_id: The contact list's id.
        run_id: This run.
        run_folder: Where this run's files are.
        insist: Go on even if another run holds the list.
        now: Tells the time.

    Attributes:
        taken_over: The run that held the list when its process died; None if the last one let go itself.
        overridden: The run that held the list already, where `insist` went over it (and `held` is false).
    """

    def __init__(
        self,
        home: Path,
        platform_url: str,
        list_id: str,
        *,
        run_id: str,
        run_folder: Path,
        insist: bool = False,
        now: Now = utc_now,
    ) -> None:
        self._file = lock_file(home, platform_url, list_id)
        self._run_id = run_id
        self._run_folder = run_folder
        self._insist = insist
        self._now = now
        self._handle: int | None = None
        self.taken_over: Holder | None = None
        self.overridden: Holder | None = None

    @property
    def held(self) -> bool:
        """Whether this process holds the list."""
        return self._handle is not None

    def __enter__(self) -> Self:
        """Take the list.

        Raises:
            ListLocked: Another run holds it, and this one does not insist.
            FixSettings: The lock's file cannot be made, or its disk knows no locks.
        """
        # First, so that no child forked by another thread in between can keep the lock.
        os.register_at_fork(after_in_child=_Forgetting(self))
        handle = self._lock()
        if handle is not None:
            self._introduce(handle)
            return self
        self.overridden = self._holder()
        if self._insist:
            return self
        raise ListLocked(self.overridden)

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the list go. Its file stays, empty: to delete it could take a lock away from a run that begins now."""
        if self._handle is not None:
            # What it says is for people; a full or lost disk must not hide how the run ended.
            with suppress(OSError):
                os.ftruncate(self._handle, 0)
        self.forget()

    def forget(self) -> None:
        """Close our end of the lock without saying that it is free; a forked child does this with its parent's."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _lock(self) -> int | None:
        """Open the file and lock it; the open file, or None if it is another run's."""
        private_folder(self._file.parent)
        while True:
            self._handle = handle = open_private(self._file)
            if not try_lock(handle, self._file):
                self.forget()
                return None
            if os.fstat(handle).st_nlink:
                return handle
            # Deleted between opening and locking: whoever comes next would lock another file of this name.
            self.forget()

    def _introduce(self, handle: int) -> None:
        """See who died with the list in hand, and write down who holds it now."""
        self.taken_over = _read(handle)
        folder = os.fsencode(self._run_folder).decode("utf-8", "replace")
        holder = Holder(self._run_id, folder, os.getpid(), platform.node(), self._now().isoformat(timespec="seconds"))
        # The lock is held whether or not this can be written.
        with suppress(OSError):
            os.ftruncate(handle, 0)
            os.pwrite(handle, orjson.dumps(asdict(holder)) + b"\n", 0)

    def _holder(self) -> Holder | None:
        """Who holds the list. It may just be writing its name."""
        for _ in range(_READINGS):
            handle = open_private(self._file)
            try:
                holder = _read(handle)
            finally:
                os.close(handle)
            if holder is not None:
                return holder
            time.sleep(_BETWEEN_READINGS)
        return None


class _Forgetting:
    """Called in each forked child. Holds the lock weakly, since nothing that is called at a fork can be taken back."""

    def __init__(self, lock: ListLock) -> None:
        self._lock = weakref.ref(lock)

    def __call__(self) -> None:
        lock = self._lock()
        if lock is not None:
            lock.forget()


def lock_file(home: Path, platform_url: str, list_id: str) -> Path:
    """Where a contact list's lock is; the name tells nothing of the list.

    Args:
        home: dialfeed's own folder.
        platform_url: The platform's base URL; upper case and a slash at the end make no difference.
        list_id: The contact list's id.
    """
    digest = hashlib.sha256(f"{platform_url.rstrip('/').lower()}\0{list_id}".encode()).hexdigest()
    return home / "locks" / f"{digest[:32]}.json"


def _read(handle: int) -> Holder | None:
    """What a lock's file says; None for an empty or unreadable one."""
    try:
        said = orjson.loads(os.pread(handle, _LARGEST, 0))
        return Holder(
            str(said["run_id"]),
            str(said["run_folder"]),
            int(said["pid"]),
            str(said["host"]),
            str(said["started_at"]),
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def _sentence(holder: Holder | None) -> str:
    """What is said to the run that comes second."""
    if holder is None:
        return "Another run is loading this contact list."
    return (
        f"Run {holder.run_id} is loading this contact list (process {holder.pid} on {holder.host}, "
        f"since {holder.started_at}); its files are in {holder.run_folder}."
    )
