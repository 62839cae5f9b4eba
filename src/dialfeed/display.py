"""Progress for people: a live line on a terminal, plain lines elsewhere; always on stderr."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, TextIO

from dialfeed.wording import counted

if TYPE_CHECKING:  # rich is imported on a terminal only: it would double the start of every scheduled run
    from rich.progress import BarColumn, ProgressColumn, TaskID
    from rich.progress import Progress as RichProgress

_WORDS = {
    "sign in": "Signing in",
    "read": "Reading and checking",
    "deliver": "Delivering",
    "settle": "Settling lost answers",
    "verify": "Comparing the list's count",
    "record": "Writing the row files",
}
_EVERY = 5.0
"""Seconds between two plain lines of one stage."""

_WIDEST_BAR, _LEAST_BAR = 40, 10
"""Columns of the bar; where there is room for fewer than the least, there is none."""


class Display(Protocol):
    """Shows how far a run is."""

    def __call__(
        self, stage: str, done: int = 0, total: int | None = None, note: str = "", left: float | None = None
    ) -> None:
        """One step; see `dialfeed.running.run.Progress`."""
        ...

    def close(self) -> None:
        """Clear away what is live; harmless to repeat."""
        ...


class PlainDisplay:
    """A line when a stage begins, and every few seconds while it goes on."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._stage = ""
        self._began = self._told = 0.0

    def __call__(
        self, stage: str, done: int = 0, total: int | None = None, note: str = "", left: float | None = None
    ) -> None:
        """Tell, but not too often."""
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._began = stage, now
        elif not note and now - self._told < _EVERY:
            return
        self._told = now
        line = _line(_WORDS.get(stage, stage), done, total, note=note, elapsed=now - self._began, left=left)
        self._out.write(f"{line}\n")
        self._out.flush()

    def close(self) -> None:
        """Nothing is live."""


def _line(words: str, done: int, total: int | None, *, note: str, elapsed: float, left: float | None) -> str:
    parts = [words]
    if done:
        parts.append(_rows(done, total))
        if elapsed > 1:
            parts.append(f"{done / elapsed:,.0f} a second")
    if left is not None:
        parts.append(f"about {_duration(left)} left")
    if note:
        parts.append(note)
    return ", ".join(parts)


def fitting(room: int, done: int, total: int | None, *, note: str, left: float | None) -> str:
    """How far it is and how long it still takes, in so many columns: shortened, or left out, in this order.

    First the count becomes a share, then the note goes, then words around the time left, then the time left.
    """
    rows = _rows(done, total) if done else ""
    share = f"{done * 100 // total} %" if done and total else rows
    time_left = "" if left is None else f"{_duration(left)} left"
    about = time_left and f"about {time_left}"
    ways = [(rows, about, note), (share, about, note), (rows, about), (share, about), (share, time_left), (share,)]
    told = [", ".join(filter(None, way)) for way in ways]
    return next((line for line in told if len(line) <= room), told[-1])


def _rows(done: int, total: int | None) -> str:
    return (f"{done:,} of " if total else "") + counted(total or done, "row")


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


class LiveDisplay:
    """One live line with stage, bar, rows and time left, as far as the terminal is wide enough.

    Args:
        progress: Draws the line.
        bar: The bar, for which the texts around it make room.
    """

    def __init__(self, progress: RichProgress, bar: BarColumn) -> None:
        self._progress, self._bar = progress, bar
        self._words, *_, self._told = progress.columns
        self._task: TaskID | None = None
        self._stage = ""
        progress.start()

    def __call__(
        self, stage: str, done: int = 0, total: int | None = None, note: str = "", left: float | None = None
    ) -> None:
        """Move the line on."""
        words = _WORDS.get(stage, stage)
        room = self._progress.console.width - len(words) - 1
        told = fitting(room, done, total, note=note, left=left)
        self._bar.bar_width = min(_WIDEST_BAR, room - len(told) - 1)
        bar: list[str | ProgressColumn] = [self._bar] if self._bar.bar_width >= _LEAST_BAR else []
        self._progress.columns = (self._words, *bar, self._told)
        if self._task is not None and stage == self._stage:
            self._progress.update(self._task, completed=done, total=total, told=told)
            return
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._stage, self._task = stage, self._progress.add_task(words, completed=done, total=total, told=told)

    def close(self) -> None:
        """Take the line away."""
        self._progress.stop()


class NoDisplay:
    """Shows nothing, where the log tells machines how far the run is."""

    def __call__(
        self, stage: str, done: int = 0, total: int | None = None, note: str = "", left: float | None = None
    ) -> None:
        """Tell nothing."""

    def close(self) -> None:
        """Nothing is live."""


def open_display(out: TextIO | None) -> Display:
    """The display that fits where the output goes, None for nowhere.

    Colours are left out where `NO_COLOR` is set (rich sees to it).
    """
    if out is None:
        return NoDisplay()
    if not out.isatty():
        return PlainDisplay(out)
    from rich.console import Console  # noqa: PLC0415 - see above
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

    words, bar, told = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}", markup=False)
    return LiveDisplay(Progress(words, bar, told, console=Console(file=out), transient=True), bar)
