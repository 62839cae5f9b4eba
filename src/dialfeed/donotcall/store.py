"""The do-not-call lists of the home folder, `lists/ID/`: opened for runs, added, updated, removed, watched.

A list is changed by one process at a time, into files of new names; its description then takes its place in one step.
So a reader sees the old version or the new one, a process that dies leaves the old one, and a run that has a version
open keeps it after it was replaced.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final

from dialfeed.donotcall.facts import Opened
from dialfeed.donotcall.internal import Asked
from dialfeed.donotcall.opening import open_lists
from dialfeed.donotcall.regimes import widens_from

_ID: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_NOWHERE: Final = ".nowhere"


class ListStore:
    """The lists of a home folder.

    Args:
        home: The folder of what runs share (`assembly.home_folder`).
    """

    def __init__(self, home: Path) -> None:
        self._root = home / "lists"

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
        return open_lists({name: self._folder(name) for name in ids}, asked)

    def _folder(self, name: str) -> Path:
        """Where a list is; a name that no list can have leads nowhere."""
        return self._root / (name if _ID.fullmatch(name) else _NOWHERE)
