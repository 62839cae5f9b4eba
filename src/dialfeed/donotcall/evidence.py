"""Evidence: one line for every endpoint that was held against a list, in `decisions.csv`, under pseudonyms.

While the source is read, decisions are put down beside the staged contacts, with the number or address itself. Before
the first batch leaves they become the lines that stay: row, column, pseudonym, decision, reasons, evidence of an
exemption, calling window. The lines depend on the source, the lists, the rules and the key, and on nothing else: the
same again gives the same bytes (`compliance.md` section 5; law 7).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from dialfeed.contacts.findings import ROW
from dialfeed.donotcall.decisions import Channel, Decision
from dialfeed.donotcall.keys import Key
from dialfeed.donotcall.objections import Objections
from dialfeed.donotcall.packedwords import FACTS, flagged_elsewhere
from dialfeed.donotcall.scrub import Scrubber
from dialfeed.files import written_whole

DECISIONS: Final = "decisions.csv"
EVIDENCE: Final = "evidence.json"
"""The run record: what the decisions rest on."""
COLUMNS: Final = ("row", "column", "pseudonym", "decision", "reasons", "evidence", "window")
"""The columns of `decisions.csv`."""
OPTOUTS: Final = "optouts.csv"
"""The decisions about those who opted out after the scrub and before they were sent: the columns of `decisions.csv`,
and when that was found (`at`)."""
LATE_SCHEMA: Final = pl.Schema(
    {ROW: pl.Int64, "column": pl.String, "value": pl.String, "reasons": pl.String, "at": pl.String}
)
"""Such decisions, with the number or address itself."""

_STAGED = "decisions-"


class DecisionWriter:
    """Puts decisions down beside the staged contacts, chunk by chunk, in the order of the source.

    Args:
        folder: The stage.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._chunks = 0

    def add(self, decisions: pl.DataFrame | None) -> None:
        """The decisions of one chunk, if the run keeps them."""
        if decisions is None or decisions.is_empty():
            return
        path = self._folder / f"{_STAGED}{self._chunks:06}.arrow"
        decisions.write_ipc(path, compression="uncompressed")
        self._chunks += 1


@dataclass(frozen=True, slots=True)
class Evidenced:
    """What was written.

    Attributes:
        sha256: Of `decisions.csv`.
        lines: How many endpoints.
        decisions: Endpoints by decision.
        reasons: Endpoints by reason, with the list's id behind a colon.
    """

    sha256: str
    lines: int
    decisions: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Its JSON form."""
        return {"sha256": self.sha256, "lines": self.lines, "decisions": self.decisions, "reasons": self.reasons}


def write_decisions(folder: Path, stage: Path, scrubber: Scrubber, objections: Objections, key: Key) -> Evidenced:
    """Write `decisions.csv` of a run from what was put down while its source was read.

    Args:
        folder: The run's folder.
        stage: Where the decisions were put down.
        scrubber: What decided.
        objections: What rows of the file forbid elsewhere.
        key: What pseudonyms are made with.
    """
    return _write(folder / DECISIONS, _told(stage, scrubber, objections, key))


def write_late_decisions(folder: Path, decided: Iterable[pl.DataFrame], key: Key) -> Evidenced:
    """Write `optouts.csv` of a run.

    Args:
        folder: The run's folder.
        decided: `LATE_SCHEMA`.
        key: What pseudonyms are made with.
    """
    return _write(folder / OPTOUTS, (_late(frame, key) for frame in decided))


def _write(path: Path, frames: Iterable[pl.DataFrame]) -> Evidenced:
    digest, decisions, reasons, lines = hashlib.sha256(), Counter[str](), Counter[str](), 0
    with written_whole(path) as file:
        for frame in frames:
            text = frame.write_csv(include_header=lines == 0, quote_style="necessary").encode()
            digest.update(text)
            file.write(text)
            lines += len(frame)
            decisions.update(dict(frame.group_by("decision").len().iter_rows()))
            for told, count in frame.group_by("reasons").len().iter_rows():
                reasons.update(dict.fromkeys(told.split(" "), count) if told else {})
        if not lines:
            header = (",".join(COLUMNS) + "\n").encode()
            digest.update(header)
            file.write(header)
    return Evidenced(digest.hexdigest(), lines, dict(sorted(decisions.items())), dict(sorted(reasons.items())))


def _told(stage: Path, scrubber: Scrubber, objections: Objections, key: Key) -> Iterator[pl.DataFrame]:
    """The lines, chunk by chunk."""
    for path in sorted(stage.glob(f"{_STAGED}*.arrow")):
        frame = pl.read_ipc(path)
        parts = [
            _of_channel(frame.filter(pl.col("column").is_in(columns)), channel, scrubber, objections, key)
            for channel, columns in scrubber.columns.items()
        ]
        yield pl.concat(parts).sort("row", maintain_order=True)


def _late(frame: pl.DataFrame, key: Key) -> pl.DataFrame:
    """Lines of `optouts.csv`."""
    emails = frame["value"].str.contains("@", literal=True)
    pseudonyms = [
        key.pseudonym("email" if email else "phone", value) for email, value in zip(emails, frame["value"], strict=True)
    ]
    nothing = pl.lit(None, dtype=pl.String)
    return frame.select(
        pl.col(ROW).alias("row"),
        "column",
        pl.Series("pseudonym", pseudonyms),
        pl.lit(str(Decision.BLOCK)).alias("decision"),
        "reasons",
        nothing.alias("evidence"),
        nothing.alias("window"),
        "at",
    )


def _of_channel(
    frame: pl.DataFrame, channel: Channel, scrubber: Scrubber, objections: Objections, key: Key
) -> pl.DataFrame:
    hit = objections.hits(channel, frame["value"])
    told = scrubber.ruled(channel, frame.with_columns(flagged_elsewhere(pl.col(FACTS), pl.lit(hit))))
    return told.select(
        pl.col(ROW).alias("row"),
        "column",
        key.pseudonyms(channel, told["value"]).alias("pseudonym"),
        "decision",
        "reasons",
        pl.when(pl.col("code").str.starts_with("exempt.")).then("evidence").alias("evidence"),
        "window",
    )
