"""Runs `dialfeed dnc` and kills its own process (`warm.forked`) at a named point.

    run(POINT, NTH, ARGUMENTS...)       die when POINT is reached for the NTH time
    run("--note", FILE, ARGUMENTS...)   die nowhere; write to FILE how often each point was reached

The product knows nothing of this: every point is wrapped around it from outside.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from crash_driver import Points, around

import dialfeed.donotcall.changing
import dialfeed.donotcall.folders
import dialfeed.donotcall.optouts
import dialfeed.donotcall.store
from dialfeed.cli import main
from dialfeed.donotcall.writing import IndexWriter


def install(reached: Points) -> None:
    """Wrap every point."""
    for module in (dialfeed.donotcall.changing, dialfeed.donotcall.folders, dialfeed.donotcall.optouts):
        around(module, "write_manifest", lambda *_: "describing", reached)
    around(dialfeed.donotcall.store, "write_manifest", lambda *_: "beginning", reached)
    around(dialfeed.donotcall.changing, "clear_up", lambda *_: "clearing up", reached)
    around(dialfeed.donotcall.folders, "clear_up", lambda *_: "clearing up", reached)
    around(dialfeed.donotcall.optouts, "_append", lambda *_: "appending", reached)
    around(IndexWriter, "publish", lambda *_: "publishing an index", reached)
    around(IndexWriter, "copy", lambda *_: "writing a block", reached)
    around(Path, "replace", lambda path, *_: f"replacing {path.name.split('.')[1]}", reached)
    around(Path, "rename", lambda path, *_: f"renaming {path.name}", reached)


def run(mode: str, what: str, *arguments: str) -> None:
    """Wrap, and be `dialfeed dnc`."""
    points = Points("", 0) if mode == "--note" else Points(mode, int(what))
    install(points)
    sys.argv = ["dialfeed", "dnc", *arguments]
    try:
        main()
    finally:
        if mode == "--note":
            Path(what).write_text(json.dumps(points.reached), "utf-8")
