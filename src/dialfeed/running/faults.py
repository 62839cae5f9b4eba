"""Foreign errors in our words: whatever breaks a run is told in one sentence, with what to do next."""

from __future__ import annotations

import errno
import sqlite3
import sys
import traceback
from contextlib import suppress
from pathlib import Path

import polars as pl

from dialfeed.errors import DialfeedError, Interrupted, ResumeRun


def translated(error: BaseException, folder: Path, signal_number: int | None) -> DialfeedError:
    """Any error as one that says what to do next.

    Args:
        error: What was raised.
        folder: The run's folder.
        signal_number: The signal that asked for a stop, if one did.
    """
    if isinstance(error, DialfeedError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Interrupted("The run was stopped.", signal_number=signal_number or 2)
    if _no_space(error):
        return ResumeRun("The disk is full.", advice="Make room, then resume the run.")
    if isinstance(error, OSError):
        return ResumeRun(f"The system refuses an operation on a file ({errno.errorcode.get(error.errno or 0, '?')}).")
    if isinstance(error, sqlite3.Error):
        return ResumeRun(f"The run's ledger cannot be written ({type(error).__name__}).")
    return _fault(error, folder)


def _no_space(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    told = str(error).lower()  # the engine and SQLite tell it in words only
    return isinstance(error, OSError | sqlite3.Error | pl.exceptions.PolarsError) and (
        "no space left" in told or "disk is full" in told or "os error 28" in told
    )


def _fault(error: BaseException, folder: Path) -> DialfeedError:
    """A fault of this program: keep where it happened, but none of the values."""
    frames = traceback.extract_tb(error.__traceback__)
    places = "".join(f"{frame.filename}:{frame.lineno} {frame.name}\n" for frame in frames)
    with suppress(OSError):
        (folder / "fault.txt").write_text(f"{type(error).__name__}\n{places}{sys.version}\n", "utf-8")
    return ResumeRun(
        f"dialfeed itself failed ({type(error).__name__}); where is told in fault.txt in the run's folder.",
        advice="Please report it. Nothing is lost: resume the run.",
    )
