"""A process that is killed at any point leaves the list as it was or as it was to be, and the next one goes on."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import list_crash
import pytest
from chaos import LONG
from command import run
from list_world import Lists, asked_out, phones, us
from warm import forked

NOW = datetime.now(UTC).replace(microsecond=0)
BEFORE = NOW - timedelta(days=2)
OLD, NEW, ELSEWHERE = us(212), us(212, 101), us(415)
SOUGHT = (OLD, NEW, ELSEWHERE, us(212, 150))


def nothing(lists: Lists) -> None:
    lists.home.mkdir(parents=True)


def national(lists: Lists) -> None:
    lists.add("us", "us", phones(OLD, ELSEWHERE), at=BEFORE)


def opted_out(lists: Lists) -> None:
    lists.opt_out(asked_out(OLD), name="us", now=BEFORE)


@dataclass(frozen=True)
class Deed:
    """A command, what is there before it, and what the list then says of `SOUGHT`."""

    arguments: tuple[str, ...]
    before: Callable[[Lists], None]
    was: tuple[str, ...]
    becomes: tuple[str, ...]


MISSING = ("MISSING",) * 4
WAS = ("LISTED", "CLEAR", "LISTED", "CLEAR")
OBTAINED = ("--obtained", NOW.date().isoformat())
DEEDS = {
    "add": Deed(("add", "full.txt", "--id", "us", "--authority", "us", *OBTAINED), nothing, MISSING,
                ("CLEAR", "LISTED", "LISTED", "CLEAR")),
    "update": Deed(("update", "us", "full.txt", *OBTAINED), national, WAS, ("CLEAR", "LISTED", "LISTED", "CLEAR")),
    "only": Deed(("update", "us", "area.txt", "--only", "212", *OBTAINED), national, WAS,
                 ("CLEAR", "LISTED", "LISTED", "CLEAR")),
    "change": Deed(("update", "us", "change.txt", "--change", "--base", "1", "--confirm-layout", *OBTAINED), national,
                   WAS, ("CLEAR", "LISTED", "LISTED", "CLEAR")),
    "first opt-out": Deed(("add", "--internal", f"+{NEW}", "--id", "us"), nothing, MISSING,
                          ("CLEAR", "LISTED", "CLEAR", "CLEAR")),
    "opt-out": Deed(("add", "--internal", f"+{NEW}", "--id", "us"), opted_out, ("LISTED", "CLEAR", "CLEAR", "CLEAR"),
                    ("LISTED", "LISTED", "CLEAR", "CLEAR")),
    "remove": Deed(("remove", "us"), national, WAS, MISSING),
    "remove opt-outs": Deed(("remove", "us", "--because", "moved"), opted_out, ("LISTED", "CLEAR", "CLEAR", "CLEAR"),
                            MISSING),
}  # fmt: skip


QUICK = [
    ("add", "after publishing an index", 1), ("update", "before describing", 1), ("only", "after describing", 1),
    ("change", "after publishing an index", 1), ("first opt-out", "after appending", 1),
    ("remove opt-outs", "after describing", 1),
]  # fmt: skip


class World:
    """A home folder in which a command may be killed."""

    def __init__(self, folder: Path, deed: Deed) -> None:
        self.deed = deed
        self.lists = Lists(folder / "home")
        deed.before(self.lists)
        self.env = {**os.environ, "DIALFEED_HOME": str(self.lists.home)}
        self.folder = folder
        (folder / "full.txt").write_text("212,5550101\n415,5550100\n")
        (folder / "area.txt").write_text("212,5550101\n")
        (folder / "change.txt").write_text("2125550101,2026-11-26T08:00:00,A\n2125550100,2026-11-26T08:00:00,D\n")

    def run(self, *mode: str | Path) -> int:
        """The command in a process of its own; its exit code, or minus the signal that it died of."""
        return forked(self.folder, self.env, list_crash.run, *map(str, mode), *self.deed.arguments).code

    def points(self) -> list[tuple[str, int]]:
        """Every point that the command reaches, and for which time."""
        told = self.folder / "points.json"
        assert self.run("--note", told) == 0
        return [(point, nth + 1) for point, count in json.loads(told.read_text()).items() for nth in range(count)]

    def says(self) -> tuple[str, ...]:
        """What the list says of `SOUGHT`."""
        return tuple(self.lists.ask("us", *SOUGHT, now=NOW + timedelta(minutes=30)))

    def again(self) -> None:
        """The command once more, alive."""
        with contextlib.chdir(self.folder):
            run("dnc", *self.deed.arguments, env={"DIALFEED_HOME": str(self.lists.home)})

    def rubbish(self) -> list[str]:
        """What lies there that belongs to no list; what was set aside is kept on purpose."""
        current = {".lock", "list.json", "entries.jsonl"}
        return [name for name in self.lists.files("us") if name not in current and not name.startswith(".removed-")]


def killed(folder: Path, deed: Deed, point: str, nth: int) -> None:
    """Die there, look, and go on."""
    folder.mkdir(exist_ok=True)
    world = World(folder, deed)
    assert world.run(point, str(nth)) == -9, f"{point} is not reached {nth} times"
    assert world.says() in {deed.was, deed.becomes}, point
    world.again()
    assert world.says() == deed.becomes, point
    assert len(world.rubbish()) == (0 if "MISSING" in deed.becomes or "--internal" in deed.arguments else 1), point


@pytest.mark.parametrize(("name", "point", "nth"), QUICK)
def test_a_killed_process_leaves_the_old_list_or_the_new_one(tmp_path: Path, name: str, point: str, nth: int) -> None:
    killed(tmp_path, DEEDS[name], point, nth)


@pytest.mark.campaign
@pytest.mark.skipif(not LONG, reason="the long campaign; `make chaos`")
@pytest.mark.parametrize("name", DEEDS)
def test_a_process_killed_at_every_point_leaves_the_old_list_or_the_new_one(tmp_path: Path, name: str) -> None:
    points = World(tmp_path, DEEDS[name]).points()
    assert len(points) >= 4
    for number, (point, nth) in enumerate(points):
        killed(tmp_path / str(number), DEEDS[name], point, nth)
