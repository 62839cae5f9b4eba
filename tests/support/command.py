"""Runs the command `dialfeed` in this process or in one of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from dialfeed.cli import main


@dataclass(frozen=True)
class Outcome:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> dict[str, int]:
        rows: dict[str, int] = self.json["rows"]
        return rows


def run(*arguments: str | Path, env: dict[str, str] | None = None, stdin: bytes = b"") -> Outcome:
    """Run in this process, with nothing of the caller's environment that matters to dialfeed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CXONE_", "DIALFEED_"))}
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with (
        mock.patch.dict(os.environ, {**clean, **(env or {})}, clear=True),
        mock.patch.object(sys, "argv", ["dialfeed", *map(str, arguments)]),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8")),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as stop:
            code = stop.code
    return Outcome(code if isinstance(code, int) else 1, out.getvalue(), err.getvalue())


def start(
    *arguments: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None, stdin: int | None = None
) -> subprocess.Popen[str]:
    """Start in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CXONE_", "DIALFEED_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "dialfeed", *map(str, arguments)],
        env={**clean, **(env or {})},
        cwd=cwd,
        text=True,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
