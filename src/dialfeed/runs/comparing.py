"""Two runs compared: as a page, and in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialfeed.files import written_whole
from dialfeed.reports.comparison import Comparison, compared
from dialfeed.reports.story import story_of
from dialfeed.running.drawing import events, read_told


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison, and the page that shows it."""

    comparison: Comparison
    file: Path

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {"file": str(self.file), **self.comparison.as_dict()}

    def as_text(self) -> str:
        """For a terminal."""
        lines = [f"  {line.name:<11} {line.first:>12,} {line.second:>12,}" for line in self.comparison.rows]
        head = f"  {'':<11} {'first':>12} {'second':>12}"
        return "\n".join([head, *lines, "", *self.comparison.differences, "", str(self.file)])


def compare(first: Path, second: Path, target: Path | None = None) -> Compared:
    """Compare the runs in two folders, and write the page.

    Args:
        first: A run's folder.
        second: Another's.
        target: The file to write; `compare-RUN2.html` in the first folder unless given.

    Raises:
        FixSettings: One of them has no summary yet.
        OSError: The page cannot be written.
    """
    from dialfeed.reports.html.page import render_comparison  # noqa: PLC0415 - templates and charts, when drawn only

    summaries = [read_told(folder) for folder in (first, second)]
    stories = [story_of(events(folder)) for folder in (first, second)]
    comparison = compared(summaries[0], stories[0], summaries[1], stories[1])
    path = target or first / f"compare-{summaries[1]['run']}.html"
    with written_whole(path) as file:
        file.write(render_comparison(comparison, summaries, stories).encode())
    return Compared(comparison, path)
