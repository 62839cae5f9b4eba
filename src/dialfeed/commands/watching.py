"""The status of a run on a terminal: the same lines rewritten, plain lines elsewhere, or JSON lines."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dialfeed.commands.shared import as_text
from dialfeed.moments import utc_now
from dialfeed.runs.following import Follower, Status, follow, status
from dialfeed.runs.following import as_text as status_as_text


def show_status(folder: Path, *, watch: bool, every: float, as_json: bool) -> int:
    """Show how far a run is, once or until it has ended.

    Returns:
        The run's exit code.
    """
    if not watch:
        told = status(Follower(folder))
        click.echo(as_text(told.as_dict(utc_now())) if as_json else status_as_text(told))
        return told.seen.exit_code
    show = _as_json_line if as_json else _Rewritten() if sys.stdout.isatty() else _Changes()
    for told in follow(folder, every=every):
        show(told)
    return told.seen.exit_code


def _as_json_line(told: Status) -> None:
    import orjson

    click.echo(orjson.dumps(told.as_dict(utc_now())))


class _Changes:
    """Prints a status when it differs from the one before."""

    def __init__(self) -> None:
        self._before = ""

    def __call__(self, told: Status) -> None:
        text = status_as_text(told).partition("\n")[2]
        if text != self._before:
            click.echo(status_as_text(told))
        self._before = text


class _Rewritten:
    """Writes each status over the one before."""

    def __init__(self) -> None:
        self._lines = 0

    def __call__(self, told: Status) -> None:
        text = status_as_text(told)
        back = f"\x1b[{self._lines}F\x1b[J" if self._lines else ""
        click.echo(back + text)
        self._lines = text.count("\n") + 1
