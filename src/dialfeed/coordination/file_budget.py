"""A budget that all processes on this machine share: one small file, locked for some 20 microseconds at each start.

The file holds `pace.to_bytes`. Its times are on the machine's monotonic clock, which all processes share and no
change of the wall clock moves. What can go wrong, and what happens then:

    a process is killed       the system frees its lock; it had used nothing that is not recorded
    the record is torn        its checksum tells; everybody waits for one window, then a new record begins
    the machine restarts      the clock begins anew, and so does the file: its name carries the machine's start
    the file is deleted       its link count tells at the next start; a new file begins
    a holder is suspended     takers look again for `PATIENCE` seconds; then the run stops, and can be resumed

Why not SQLite. Measured, 2 cores, ext4, a take being lock, read, reckon, write, unlock; microseconds:

    =============================  ======  =====  ============================
    kept in                        median  99 %   worst, 2 processes in a loop
    =============================  ======  =====  ============================
    locked file                        15     23     18,000
    SQLite, WAL, synchronous off       23     54    130,000
    SQLite, WAL, normal                23     63    180,000
    SQLite, journal deleted, off       41    103    330,000
    =============================  ======  =====  ============================

All are far below the 20 ms between two starts. The file wins by its tail: SQLite's wait for a busy database is a
sleep that blocks the event loop, where `flock` can be asked without waiting.
"""

from __future__ import annotations

import fcntl
import hashlib
import math
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Unpack

from dialfeed.coordination.gate import Gate, Mark, Wait, Waits, start_or_wait
from dialfeed.delivery.pace import Limit, Pace, clock_went_back, from_bytes, left_late, penalise, shut, to_bytes
from dialfeed.errors import ResumeRun
from dialfeed.files import open_private, private_folder, try_lock

PATIENCE = 30.0
"""Seconds for which a taker asks again for a file that somebody else has locked."""

KEPT = 7 * 24 * 3600.0
"""Seconds after which a budget file that nobody wrote to is deleted."""

_SUFFIX = ".pace1"
_ASK_AGAIN = 0.001
_COURTESY = 0.001
_LARGEST = 1 << 20

Change = Callable[[Pace, float], tuple[Pace, float]]
"""From a state and the time now to the next state and a wait in seconds."""


class FileBudget(Gate):
    """A limit shared by all processes that open the same file.

    Args:
        file: Where the state is kept; its folder exists.
        limit: What the platform allows. All who share a file should bring the same limit: each keeps to its own,
            counting everybody's starts.
        waits: How it waits, by one clock for all processes.

    Raises:
        FixSettings: The file cannot be opened.
    """

    def __init__(self, file: Path, limit: Limit, **waits: Unpack[Waits]) -> None:
        super().__init__(limit, **waits)
        self._file = file
        self._handle = open_private(file)
        self._process = os.getpid()
        self._started_last = -math.inf

    async def close(self) -> None:
        """Close the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    async def _start(self) -> Mark | Wait:
        wait = await self._change(self._start_or_wait)
        return Wait(wait) if wait > 0 else self._started_last

    async def _left_late(self, start: Mark) -> None:
        await self._change(lambda pace, now: (left_late(pace, float(start), now), 0.0))

    def _start_or_wait(self, pace: Pace, now: float) -> tuple[Pace, float]:
        """Let a request start if it may. Who had the last start lets the others be first at the next one.

        All wait for the same instant, and who is awake first gets it: without this courtesy one of three processes
        had 108 starts of 171 (measured). The schedule catches up what is lost by it.
        """
        after, wait = start_or_wait(pace, now)
        if wait == 0.0:
            self._started_last = now
        elif pace.starts and pace.starts[-1] == self._started_last:
            wait += min(_COURTESY, self._limit.gap / 20)
        return after, wait

    async def _penalise(self, seconds: float) -> None:
        await self._change(lambda pace, now: (penalise(pace, now, seconds), 0.0))

    async def _look(self) -> tuple[Pace, float]:
        self._reopen_if_needed()
        now = self._now()
        return self._read(now)[0], now

    async def _change(self, change: Change) -> float:
        """Replace the state in one step that no other process sees a part of. Nothing is awaited under the lock."""
        give_up_at = self._now() + PATIENCE
        while True:
            with self._locked() as mine:
                if mine:
                    return self._replace(change)
            if self._now() >= give_up_at:
                raise ResumeRun(
                    f"Another process has held {self._file} for {PATIENCE:.0f} s and does not let go.",
                    advice="Look for a suspended dialfeed (state T in `ps`), let it go on or end it, then resume.",
                )
            await self._sleep(_ASK_AGAIN)

    def _replace(self, change: Change) -> float:
        """Read, change, write."""
        now = self._now()
        before, whole = self._read(now)
        after, wait = change(before, now)
        if after is not before or not whole:
            self._write(after)
        return wait

    @contextmanager
    def _locked(self) -> Iterator[bool]:
        """Ask for the lock without waiting for it; gives whether it is ours."""
        self._reopen_if_needed()
        if not try_lock(self._handle, self._file):
            yield False
            return
        try:
            # Between opening and locking the file may have been deleted: then others are at a new one.
            yield os.fstat(self._handle).st_nlink > 0
        finally:
            fcntl.flock(self._handle, fcntl.LOCK_UN)

    def _reopen_if_needed(self) -> None:
        """Open the file anew in a forked child (it would share its parent's lock), or when it was deleted."""
        if self._handle >= 0 and self._process == os.getpid() and os.fstat(self._handle).st_nlink > 0:
            return
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = open_private(self._file)
        self._process = os.getpid()

    def _read(self, now: float) -> tuple[Pace, bool]:
        """The state, and whether it is as it was stored.

        An empty file is a fresh state; a damaged one is shut; one from the future is brought back. What was repaired
        must be stored, or the wait that it asks for would begin again at each look.
        """
        stored = os.pread(self._handle, _LARGEST, 0)
        if not stored:
            return Pace(self._limit), True
        try:
            pace = from_bytes(self._limit, stored)
        except ValueError:
            return shut(self._limit, now), False
        repaired = clock_went_back(pace, now, self._longest_pause)
        return repaired, repaired is pace

    def _write(self, pace: Pace) -> None:
        """Store the state."""
        stored = to_bytes(pace)
        try:
            written = os.pwrite(self._handle, stored, 0)
        except OSError as fault:
            raise self._unwritable(fault.strerror) from fault
        if written != len(stored):
            raise self._unwritable("the disk is full")

    def _unwritable(self, why: str | None) -> ResumeRun:
        """The sentence for a disk that takes nothing more."""
        return ResumeRun(f"{self._file} cannot be written: {why}.", advice="Make room on the disk, then resume.")


def budget_file(home: Path, organisation: str) -> Path:
    """The file of an organisation's budget on this machine since its last start; its folder is made.

    Args:
        home: dialfeed's own folder.
        organisation: What tells organisations apart, from `organisation_key`.

    Raises:
        FixSettings: The folder cannot be made.
    """
    folder = private_folder(home / "budget")
    _sweep(folder)
    digest = hashlib.sha256(f"{organisation}\0{machine_mark()}".encode()).hexdigest()
    return folder / f"{digest[:32]}{_SUFFIX}"


def machine_mark() -> str:
    """Tells this machine since its last start from every other; where that cannot be known, its name.

    A home on a network disk is seen by machines whose monotonic clocks have nothing to do with one another: each
    gets a file of its own. (Several machines share a budget through Redis.)
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return platform.node()


def _sweep(folder: Path) -> None:
    """Delete the files of earlier starts of the machine. Who still has one open notices, and makes a new one."""
    # The files' own times are compared with the wall clock, as both come from it.
    long_ago = time.time() - KEPT
    for file in folder.glob(f"*{_SUFFIX}"):
        with suppress(OSError):
            if file.stat().st_mtime < long_ago:
                file.unlink()
