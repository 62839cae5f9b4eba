"""Runs the command `dialfeed` and kills its own process (`warm.forked`) at a named point.

    run(POINT, NTH, ARGUMENTS...)       die when POINT is reached for the NTH time
    run("--note", FILE, ARGUMENTS...)   die nowhere; write to FILE how often each point was reached

The product knows nothing of this: every point is wrapped around it from outside.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

from fault_world import HurriedClock

import dialfeed.running.assembly
from dialfeed.audit.trail import Trail
from dialfeed.cli import main
from dialfeed.ledger.ledger import Ledger
from dialfeed.ledger.stage import StageWriter
from dialfeed.platforms.cxone.client import CxonePlatform
from dialfeed.reports.rowfiles import ContactRows, RawRows

Reached = Callable[[str], None]


def die() -> NoReturn:
    """What `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody outlives this")


class Points:
    """Counts the points as they are reached, and dies at one of them."""

    def __init__(self, wanted: str, nth: int) -> None:
        self.reached: Counter[str] = Counter()
        self._wanted = wanted
        self._nth = nth

    def __call__(self, point: str) -> None:
        self.reached[point] += 1
        if point == self._wanted and self.reached[point] == self._nth:
            die()


def around(owner: Any, name: str, point: Callable[..., str], reached: Reached) -> None:
    """Let a function tell of its beginning and its end."""
    plain = getattr(owner, name)

    @wraps(plain)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        told = point(*arguments)
        reached(f"before {told}")
        result = plain(*arguments, **named)
        reached(f"after {told}")
        return result

    setattr(owner, name, wrapped)


def around_send(reached: Reached) -> None:
    """Before a batch goes out, and after its answer came in."""
    plain = CxonePlatform.send

    async def wrapped(self: CxonePlatform, *arguments: Any) -> Any:
        reached("before send")
        answer = await plain(self, *arguments)
        reached("after send")
        return answer

    CxonePlatform.send = wrapped  # type: ignore[method-assign,assignment]


def amid_clearing(reached: Reached) -> None:
    """While the stage of a run that is complete is being removed."""
    plain = shutil.rmtree

    def wrapped(path: Any, *arguments: Any, **named: Any) -> None:
        reached("before clearing")
        for file in sorted(Path(path).glob("*"), reverse=True)[:1]:
            file.unlink()
        reached("amid clearing")
        plain(path, *arguments, **named)
        reached("after clearing")

    shutil.rmtree = wrapped  # type: ignore[assignment]


def steady(name: str) -> str:
    """A part file's name without what each process has anew: its own number, and the id of a key that it makes."""
    return re.sub(r"\.\d+\.part$", ".part", re.sub(r"pseudonym-[0-9a-f]{16}", "pseudonym", name))


def install(reached: Reached) -> None:
    """Wrap every point."""
    dialfeed.running.assembly.RealClock = HurriedClock  # type: ignore[assignment,misc]
    Ledger.__init__.__kwdefaults__["checkpoint"] = reached  # type: ignore[index]
    around_send(reached)
    amid_clearing(reached)
    around(StageWriter, "add", lambda *_: "staging a chunk", reached)
    around(StageWriter, "seal", lambda *_: "sealing", reached)
    around(Trail, "append", lambda _, event: f"trail {event}", reached)
    around(ContactRows, "write", lambda *_: "delivered rows", reached)
    around(RawRows, "write", lambda *_: "other rows", reached)
    around(Path, "replace", lambda path, *_: f"replacing {steady(path.name)}", reached)


def run(mode: str, what: str, *arguments: str) -> None:
    """Wrap, and be `dialfeed`."""
    points = Points("", 0) if mode == "--note" else Points(mode, int(what))
    install(points)
    sys.argv = ["dialfeed", *arguments]
    try:
        main()
    finally:
        if mode == "--note":
            Path(what).write_text(json.dumps(points.reached), "utf-8")
