"""Commands in processes of their own, forked from one that has imported everything and done nothing yet.

A campaign kills hundreds of processes; most of their time would go into importing the same modules again.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Mapping
from multiprocessing import forkserver
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from command import Outcome

IMPORTED = ["crash_driver", "list_crash", "dialfeed.api", "dialfeed.pipeline", "dialfeed.runs.going_on"]
PATIENCE = 250.0
"""Seconds after which a process that does not end is given up."""

_FORKS = multiprocessing.get_context("forkserver")
_ONE = threading.Lock()


def forked(folder: Path, environment: Mapping[str, str], do: Callable[..., None], *words: str) -> Outcome:
    """Call `do(*words)` in a process of its own, in a folder; its code is negative where it was killed.

    Args:
        folder: Where it runs.
        environment: All of its environment.
        do: A function of a module in this folder.
        words: What it is called with.
    """
    with TemporaryDirectory() as place:
        told = Path(place) / "out", Path(place) / "err"
        _warm_up()
        process = _FORKS.Process(target=_begin, args=(told, folder, dict(environment), do, words))
        process.start()
        process.join(PATIENCE)
        out, err = (path.read_text("utf-8") if path.exists() else "" for path in told)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"{words} does not end: {err}")
        return Outcome(process.exitcode, out, err)


def _warm_up() -> None:
    """Start the process that the others are forked from, unless it is there."""
    # what it imports beforehand is looked for on the path of its environment (Python 3.11: nowhere else)
    with _ONE, mock.patch.dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)):
        _FORKS.set_forkserver_preload(IMPORTED)
        forkserver.ensure_running()


def _begin(
    told: tuple[Path, Path], folder: Path, environment: Mapping[str, str], do: Callable[..., None], words: tuple[str]
) -> None:
    """In the new process: tell output and errors to two files, and do it."""
    for number, path in enumerate(told, start=1):
        with path.open("wb") as file:
            os.dup2(file.fileno(), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    do(*words)
