"""Retries of a run: which of its rows are still open, and what became of those that came back mended.

A retry is a run of its own in `retries/` of the run whose rows it loads, and its rows keep the numbers that they have
there. Where a row stands follows from the row files of the run and of its retries, so it can be found out again at any
time, also after a crash.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import orjson
import polars as pl

from dialfeed.audit.signing import Signer
from dialfeed.audit.trail import Trail
from dialfeed.contacts.findings import ROW
from dialfeed.errors import FixSettings, FixSource
from dialfeed.files import write_json
from dialfeed.ledger.folder import AUDIT, LEDGER, RETRIES, SUMMARY
from dialfeed.ledger.ledger import Ledger
from dialfeed.reports.retention import check_not_purged
from dialfeed.reports.summary import Rows, Summary, read_summary, take_up
from dialfeed.reports.text import BUCKET_FILES
from dialfeed.running.endings import judge_again
from dialfeed.wording import counted

OPEN: Final = ("invalid", "refused")
"""Buckets of rows that a person may mend and load again."""

_STANDING: Final = pl.Schema({ROW: pl.Int64, "bucket": pl.String})


def check_can_be_retried(folder: Path) -> None:
    """Whether rows of the run in this folder can be loaded again.

    Raises:
        FixSettings: It sent nothing, or has not come to its end.
    """
    if folder.parent.name == RETRIES:
        first = read_summary(folder.parent.parent / SUMMARY).run
        raise FixSettings("This run is a retry itself.", advice=f"Its rows belong to run {first}: retry that one.")
    if not (folder / LEDGER).is_file() or not (folder / SUMMARY).is_file():
        raise FixSettings(
            "This run has not come to its end, or has loaded nothing into a list.",
            advice="Resume it if it was an import; else import the mended file.",
        )
    check_not_purged(folder)
    summary = read_summary(folder / SUMMARY)
    if summary.policy.get("dry_run") or summary.stopped_before_sending:
        raise FixSettings("This run sent nothing, so none of its rows can be retried.", advice="Import the whole file.")


def returned_file(folder: Path, file: Path) -> Path:
    """The file of mended rows: as it is named, or, for a bare name that is not here, the run's own file."""
    own = folder / file.name
    return own if file.name == str(file) and not file.exists() and own.is_file() else file


def finished_retries(folder: Path) -> list[Path]:
    """The folders of a run's retries that have loaded something, oldest first.

    Raises:
        FixSettings: One of them has not come to its end, so that nobody can say where its rows are.
    """
    return [each for each in sorted((folder / RETRIES).glob("*/"), key=_begun) if _has_rows(each)]


def _begun(retry: Path) -> str:
    """When a retry began, to the millisecond; the ids of two that began in one second do not tell which was first."""
    try:
        with (retry / AUDIT).open("rb") as trail:
            return str(orjson.loads(trail.readline())["time"])
    except (OSError, orjson.JSONDecodeError, KeyError):
        return ""  # it ended before its first line, and has loaded nothing


def _has_rows(retry: Path) -> bool:
    if not (retry / LEDGER).is_file():
        return False
    with Ledger(retry / LEDGER) as ledger:
        prepared = ledger.fact("prepared")
    if not prepared:
        return False  # it ended before it sent anything
    read = read_summary(retry / SUMMARY).rows.read if (retry / SUMMARY).is_file() else -1
    if read != _standing_of(retry, tuple(BUCKET_FILES)).height:
        raise FixSettings(
            f"The retry {retry.name} of this run has not come to its end.", advice=f"`dialfeed resume {retry.name}`."
        )
    return read > 0


def first_standing(folder: Path) -> pl.DataFrame:
    """The rows that a run itself left open: `ROW` and `bucket`."""
    return _standing_of(folder, OPEN)


def standing(folder: Path) -> pl.DataFrame:
    """Where the rows that a run left open stand now: `ROW` and `bucket`.

    Raises:
        FixSettings: A retry has not come to its end.
    """
    later = [_standing_of(each, tuple(BUCKET_FILES)) for each in finished_retries(folder)]
    return pl.concat([first_standing(folder), *later]).unique(ROW, keep="last", maintain_order=True)


def _standing_of(folder: Path, buckets: tuple[str, ...]) -> pl.DataFrame:
    frames = [pl.DataFrame(schema=_STANDING)]
    for bucket in buckets:
        path = folder / BUCKET_FILES[bucket]
        if path.is_file():
            numbers = pl.scan_csv(path, infer_schema=False).select(pl.col(ROW).cast(pl.Int64), bucket=pl.lit(bucket))
            frames.append(numbers.collect())
    return pl.concat(frames)


def passed_over_sentences(counts: Mapping[str, int], run: str) -> Iterator[str]:
    """What is told of rows of the file that are not loaded.

    Raises:
        FixSource: Nothing of the file is a row of the run.
    """
    if counts["foreign"] and not counts["taken"] and not counts["closed"]:
        raise FixSource(
            f"No row of the file was rejected or refused in run {run}.",
            advice="Name its rejected.csv or refused.csv, mended, with the column _row as it was.",
        )
    words = {
        "closed": ("is", "are", "closed already, or under way in another retry"),
        "foreign": ("was", "were", f"not rejected or refused in run {run}"),
        "twice": ("has", "have", "a _row that stands in the file before"),
        "unreadable": ("cannot", "cannot", "be cut into cells"),
    }
    for kind, (one, several, told) in words.items():
        if count := counts[kind]:
            rest = "it was not loaded" if count == 1 else "they were not loaded"
            yield f"{counted(count, 'row')} {one if count == 1 else several} {told}; {rest}."


def close_rows(folder: Path, signer: Signer | None = None) -> None:
    """Bring a run's report up to what its retries have done; changes nothing when it is.

    Args:
        folder: The run's folder.
        signer: Signs the end of its trail, where there is a key.

    Raises:
        FixSettings: A retry has not come to its end.
    """
    summary = read_summary(folder / SUMMARY)
    retries = [_told(read_summary(each / SUMMARY)) for each in finished_retries(folder)]
    if retries == summary.retries:
        return
    summary.first_rows = summary.first_rows or asdict(summary.rows)
    summary.rows = _moved(summary.first_rows, first_standing(folder), standing(folder))
    summary.retries = retries
    judge_again(summary)
    take_up(folder / SUMMARY)
    trail = Trail(folder / AUDIT, summary.run)
    trail.append("rows.retried", retries=retries, rows=asdict(summary.rows), status=summary.status)
    summary.audit_hash = trail.last_hash
    trail.close(signer)
    write_json(folder / SUMMARY, summary.as_dict())


def _told(retry: Summary) -> dict[str, Any]:
    return {"run": retry.run, "rows": retry.rows.read, **retry.rows.buckets()}


def _moved(first: Mapping[str, int], before: pl.DataFrame, now: pl.DataFrame) -> Rows:
    counts = dict(first)
    for frame, sign in ((before, -1), (now, 1)):
        for bucket, number in frame.group_by("bucket").len().iter_rows():
            counts[bucket] += sign * number
    return Rows(**counts)
