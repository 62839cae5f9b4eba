"""The report of a run as a file: `report.html`, drawn from nothing but what is in the run's folder.

So it can be drawn again at any time, for old runs as well. Nothing of it is needed to go on with a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from dialfeed.audit.lines import lines_told
from dialfeed.errors import FixSettings
from dialfeed.files import written_whole
from dialfeed.ledger.folder import AUDIT, SUMMARY
from dialfeed.reports.examples import examples
from dialfeed.reports.retention import read_retention

REPORT: Final = "report.html"


def draw_report(folder: Path, target: Path | None = None) -> Path:
    """Draw the report of the run in this folder.

    Args:
        folder: The run's folder.
        target: The file to write; `report.html` in the folder unless given.

    Returns:
        The file.

    Raises:
        FixSettings: The run has no summary yet, or it cannot be read.
        OSError: The file cannot be written.
    """
    from dialfeed.reports.html.page import render  # noqa: PLC0415 - templates and charts, where a report is drawn only

    summary = read_told(folder)
    kept = read_retention(folder)
    html = render(
        summary,
        events(folder),
        examples=examples(folder, summary.get("fields", {}), summary["reasons"]),
        retention=kept.as_dict() if kept else None,
    )
    path = target or folder / REPORT
    with written_whole(path) as file:
        file.write(html.encode())
    return path


def try_to_draw(folder: Path) -> str:
    """Draw the report of the run in this folder; the kind of error where that fails, else nothing.

    A picture of a run is not worth the run, so nothing is raised.
    """
    try:
        draw_report(folder)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told and not raised
        return type(error).__name__
    return ""


def read_told(folder: Path) -> dict[str, Any]:
    """The run's summary as it is on disk.

    Raises:
        FixSettings: There is none, or it cannot be read.
    """
    path = folder / SUMMARY
    try:
        told: dict[str, Any] = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise FixSettings(
            f"The run in {folder} has not come to its end, so there is no report of it.",
            advice=f"`dialfeed status {folder.name}` tells how far it is.",
        ) from None
    except (OSError, orjson.JSONDecodeError):
        raise FixSettings(f"{path} cannot be read.") from None
    return told


def events(folder: Path) -> Iterator[Mapping[str, Any]]:
    """The events of a run's audit trail, one after the other; a line that cannot be read is passed over."""
    if (folder / AUDIT).is_file():
        yield from (told for _, told in lines_told(folder / AUDIT) if "event" in told)
