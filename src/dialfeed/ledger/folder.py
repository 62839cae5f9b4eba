"""A run's folder: where its files are, and how a run is found again."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from dialfeed.errors import CheckFile, FixSettings
from dialfeed.files import open_private, private_folder

LEDGER = "ledger.sqlite"
SUMMARY = "summary.json"
AUDIT = "audit.jsonl"
STAGE = "stage"
RETRIES = "retries"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run.

    Attributes:
        id: The run's id; sorts by time.
        path: The folder.
        ours: Whether there was nothing in it when the run began, so that all of it is the run's.
    """

    id: str
    path: Path
    ours: bool = False

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.path / LEDGER

    @property
    def stage(self) -> Path:
        """The folder of prepared contacts."""
        return self.path / STAGE

    @property
    def summary(self) -> Path:
        """`summary.json`."""
        return self.path / SUMMARY

    @property
    def audit(self) -> Path:
        """`audit.jsonl`."""
        return self.path / AUDIT


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a run's folder: one process at a time works on a run. The system's lock ends with the process.

    Raises:
        CheckFile: Another process is working on it.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if not any(_locked(descriptor, fcntl.LOCK_EX, wait) for wait in _LOOKERS):
            raise CheckFile(
                f"Another process is working on the run in {path}.", advice="Wait for it to end, or stop it first."
            )
        yield
    finally:
        os.close(descriptor)


_LOOKERS = (0.0, 0.01, 0.05)
"""Seconds to wait before each attempt at the lock: whoever only looks at a run (`is_held`) has it for an instant."""


def is_held(path: Path) -> bool:
    """Whether a process is working on the run in this folder."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return not _locked(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, kind: int, wait: float = 0.0) -> bool:
    time.sleep(wait)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def clear_stage(folder: RunFolder) -> None:
    """Remove the prepared contacts of a run that is complete; dying in the middle leaves no half of them."""
    gone = folder.path / ".stage"
    shutil.rmtree(gone, ignore_errors=True)
    if folder.stage.is_dir():
        folder.stage.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def discard(folder: RunFolder, home: Path) -> None:
    """Remove a run that never came to anything: its folder, and the note by which it is found."""
    shutil.rmtree(folder.path)
    forget_run(home, folder.id)
    with suppress(OSError):
        folder.path.parent.rmdir()  # where it was the only run


_ID: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}")


def is_run_id(name: str) -> bool:
    """Whether a name is a run's id, and not one that somebody gave to a folder."""
    return _ID.fullmatch(name) is not None


def new_run_id(now: datetime) -> str:
    """An id that sorts by time, also within a second (in parts of 4,096), and that two machines will not make twice."""
    part = now.microsecond * 4096 // 1_000_000
    return f"{now:%Y%m%dT%H%M%SZ}-{part:03x}{secrets.randbelow(4096):03x}"


def create(run_id: str, *, runs_dir: Path, run_dir: Path | None, home: Path | None) -> RunFolder:
    """Make the folder of a new run.

    Args:
        run_id: The new run's id.
        runs_dir: Where run folders are made.
        run_dir: The folder to use instead; made if it is not there.
        home: Where to leave a note by which the run is found; None to leave none.

    Raises:
        FixSettings: The folder cannot be made or written to, or holds another run; or the home folder cannot be used.
    """
    path = (run_dir or runs_dir / run_id).absolute()
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        ours = not any(path.iterdir())
        if (path / LEDGER).exists() or (path / SUMMARY).exists():
            raise FixSettings(
                f"{path} holds a run already.",
                advice=f"Choose another folder, or go on with that run: `dialfeed resume {path}`.",
            )
        (path / STAGE).mkdir(exist_ok=True, mode=0o700)
    except FileExistsError:
        raise FixSettings(f"{path} is a file, not a folder.", advice="Choose another --run-dir.") from None
    except OSError as error:
        raise FixSettings(
            f"The run's folder {path} cannot be written to ({os.strerror(error.errno or 0)}).",
            advice="Choose another one with --run-dir.",
        ) from None
    if home is not None:
        _leave_note(home, run_id, path)
    return RunFolder(run_id, path, ours)


def _leave_note(home: Path, run_id: str, path: Path) -> None:
    """Leave a note by which a run is found by its id.

    Raises:
        FixSettings: The home folder cannot be used.
    """
    note = _note(home, run_id)
    private_folder(note.parent)
    try:
        with os.fdopen(open_private(note), "w", encoding="utf-8") as file:
            file.write(str(path))
    except OSError as error:
        raise FixSettings(
            f"{home}, which is for what runs on this machine share, cannot be written to "
            f"({os.strerror(error.errno or 0)}).",
            advice="Make room there, or set DIALFEED_HOME to another folder.",
        ) from None


def find(name: str, *, runs_dir: Path, home: Path) -> Path:
    """The folder of a run, by its id or its folder.

    Raises:
        FixSettings: There is no such run, or the name is empty, which would be the working folder.
    """
    if not name:
        raise FixSettings("No run is named: its name is empty.", advice="Perhaps a variable of a script is not set.")
    note = _note(home, name) if "/" not in name and name not in {".", ".."} else None
    noted = Path(note.read_text("utf-8")) if note is not None and note.is_file() else None
    for path in (Path(name), runs_dir / name, noted):
        if path is not None and any((path / file).is_file() for file in (LEDGER, SUMMARY, AUDIT)):
            return path.absolute()
    raise FixSettings(f"There is no run {name!r}.", advice="Give a run's id or its folder; `dialfeed runs` lists them.")


def latest(*, runs_dir: Path, home: Path, holding: str = LEDGER) -> Path:
    """The folder of the newest run; a name that the user gave to a folder tells no time, so its id counts.

    Args:
        runs_dir: Where run folders are made.
        home: Where notes of runs are.
        holding: A file that its folder must hold: a ledger has what was to be loaded, a trail has every run.

    Raises:
        FixSettings: There is none.
    """
    newest = max(known(runs_dir, home, holding), key=lambda run: (is_run_id(run[0]), run[0]), default=None)
    if newest is None:
        raise FixSettings("There is no run yet.", advice="Give a run's folder.")
    return newest[1]


def known(runs_dir: Path, home: Path, holding: str = LEDGER) -> Iterator[tuple[str, Path]]:
    """The runs that can be found and hold a file, with their folders; one may come twice."""
    for path in runs_dir.glob(f"*/{holding}"):
        yield path.parent.name, path.parent.absolute()
    for note in (home / "runs").glob("*"):
        path = Path(note.read_text("utf-8"))
        if (path / holding).is_file():
            yield note.name, path


def every_run(runs_dir: Path, home: Path) -> Iterator[Path]:
    """The folders of all runs that have left anything, validations and retries among them, each once."""
    found = [path.parent for path in (*runs_dir.glob(f"*/{AUDIT}"), *runs_dir.glob(f"*/{SUMMARY}"))]
    found += [Path(note.read_text("utf-8")) for note in (home / "runs").glob("*")]
    yield from {path.resolve(): None for path in found if path.is_dir()}


def forget_run(home: Path, run_id: str) -> None:
    """Forget where a run is; it can no longer be found by its id."""
    _note(home, run_id).unlink(missing_ok=True)


def _note(home: Path, run_id: str) -> Path:
    return home / "runs" / run_id
