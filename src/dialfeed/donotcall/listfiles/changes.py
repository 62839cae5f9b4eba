"""Lists of changes: numbers that were added to a register, and deleted, since the last download.

Their layout is weakly documented (`compliance.md` section 0, item 5, and 1.2): it is found by shape, shown, and used
once a person has confirmed it. Actions that are not known refuse the whole file. The last action on a number wins, by
time and then by place in the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dialfeed.donotcall.blocks import Numbers
from dialfeed.donotcall.listfiles.base import MOST_SHOWN, Fault, Malformed, describe
from dialfeed.donotcall.listfiles.lines import Lines, lines_of
from dialfeed.donotcall.listfiles.packed import LIST_BOUNDS, ListFile
from dialfeed.errors import FixSource
from dialfeed.sources.bounds import Bounds
from dialfeed.sources.content import head

ADDED, DELETED = "A", "D"
_SAMPLE: Final = 100
_LOOK: Final = 1 << 16
_STAMPS: Final = (
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S%.fZ",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d",
    "%Y%m%d%H%M%S",
    "%Y%m%d",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y",
)
_NUMBER, _AREA, _REST, _LETTER = r"^[2-9][0-9]{9}$", r"^[2-9][0-9]{2}$", r"^[0-9]{7}$", r"^[A-Za-z]$"


@dataclass(frozen=True, slots=True)
class ChangeLayout:
    """Which column of a list of changes is which, counted from 0.

    Attributes:
        number: The number, or its area code.
        rest: The other seven digits, where the area code stands alone.
        stamp: The time.
        action: The action, `A` or `D`.
        columns: How many columns there are.
        stamp_format: How the time is written, as for `strptime`.
        header: Whether the first line is a header.
    """

    number: int
    rest: int | None
    stamp: int
    action: int
    columns: int
    stamp_format: str
    header: bool

    def __str__(self) -> str:
        """The layout in words, for a person to confirm."""
        titles = {
            self.number: "number" if self.rest is None else "area code",
            self.stamp: "time",
            self.action: "A or D",
        }
        if self.rest is not None:
            titles[self.rest] = "seven digits"
        told = ", ".join(titles.get(column, "not used") for column in range(self.columns))
        return f"{told}; time as {self.stamp_format}{'; one header line' if self.header else ''}"


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What a list of changes comes to.

    Attributes:
        added: Numbers whose last action is an addition, sorted.
        removed: Numbers whose last action is a deletion, sorted.
        lines: How many lines there were that are not blank, without a header.
        first: The earliest time; None where there is no line. The zone is not known.
        last: The latest time.
        sha256: That of the file, in hex.
        malformed: Some of the lines that are no change.
        malformed_count: How many there are of them.
    """

    added: Numbers
    removed: Numbers
    lines: int
    first: np.datetime64 | None
    last: np.datetime64 | None
    sha256: str
    malformed: list[Malformed] = field(default_factory=list)
    malformed_count: int = 0


def change_layout(path: Path, *, bounds: Bounds = LIST_BOUNDS) -> ChangeLayout:
    """Find the layout of a list of changes, to be shown and confirmed.

    Raises:
        FixSource: It cannot be read, or has no layout of a list of changes.
    """
    parts = ListFile(path, bounds).parts()
    start = head(parts[0].content, _LOOK)
    lines = start.removeprefix(b"\xef\xbb\xbf").splitlines()
    whole = lines[:-1] if len(start) == _LOOK else lines
    layout = layout_of([line for line in whole[:_SAMPLE] if line.strip()])
    if layout is None:
        raise FixSource(
            f"'{path}' has no layout of a list of changes that is known here: a number, a time, and A or D.",
            advice="Get the whole list for its area codes, and replace them.",
        )
    return layout


def layout_of(lines: Sequence[bytes]) -> ChangeLayout | None:
    """The layout of some lines; None if they are no changes."""
    header = bool(lines) and not re.search(rb"[0-9]", lines[0])
    rows = [_cells(line.decode("utf-8", "replace")) for line in lines[header:]]
    if not rows or len({len(row) for row in rows}) != 1:
        return None
    columns = [pl.Series(column, dtype=pl.String) for column in zip(*rows, strict=True)]
    stamps = [(at, form) for at, column in enumerate(columns) if (form := _stamp_format(column))]
    actions = _like(columns, _LETTER)
    numbers = _like(columns, _NUMBER)
    pairs = [(area, area + 1) for area in _like(columns, _AREA) if area + 1 in _like(columns, _REST)]
    places: list[tuple[int, int | None]] = [*((at, None) for at in numbers), *pairs]
    if len(stamps) != 1 or len(actions) != 1 or len(places) != 1:
        return None
    (number, rest), (stamp, form) = places[0], stamps[0]
    return ChangeLayout(number, rest, stamp, actions[0], len(columns), form, header)


def read_changes(path: Path, layout: ChangeLayout, *, bounds: Bounds = LIST_BOUNDS) -> Changes:
    """Read a list of changes whose layout a person has confirmed.

    Raises:
        FixSource: It cannot be read, or holds an action that is not known.
    """
    file = ListFile(path, bounds)
    frames, shown, faulty = [_EMPTY], list[Malformed](), 0
    for part, blocks in file.blocks(file.parts()):
        for lines in _without_header(lines_of(blocks, str(path)), layout):
            frame = _frame(lines, layout)
            _refuse_unknown(frame, path)
            wrong = frame.filter(pl.col("fault").is_not_null())
            faulty += len(wrong)
            rows = wrong.head(MOST_SHOWN - len(shown)).select("line", "fault", "text").iter_rows()
            shown += describe(((line, Fault(fault), text) for line, fault, text in rows), part.member)
            frames.append(frame.filter(pl.col("fault").is_null()).select(_EMPTY.columns))
    changes = pl.concat(frames)
    last = changes.sort("stamp", maintain_order=True).unique("number", keep="last", maintain_order=True).sort("number")
    return Changes(
        added=_of(last, ADDED),
        removed=_of(last, DELETED),
        lines=len(changes) + faulty,
        first=_edge(changes, 0),
        last=_edge(changes, -1),
        sha256=file.sha256,
        malformed=shown,
        malformed_count=faulty,
    )


_EMPTY: Final = pl.DataFrame(schema={"number": pl.UInt64, "stamp": pl.Datetime("us"), "action": pl.String})


def _cells(line: str) -> list[str]:
    return [cell.strip().strip('"').strip() for cell in line.strip().split(",")]


def _like(columns: Iterable[pl.Series], pattern: str) -> list[int]:
    return [at for at, column in enumerate(columns) if column.str.contains(pattern).all()]


def _stamp_format(column: pl.Series) -> str | None:
    """How the times of a column are written; None if it holds none."""
    if (
        not column.str.contains(r"[0-9]").all()
        or column.str.contains(_NUMBER).all()
        or column.str.contains(_REST).all()
    ):
        return None
    return next((form for form in _STAMPS if _times(column, form).is_not_null().all()), None)


def _times(column: pl.Series, form: str) -> pl.Series:
    if "%H" in form:
        return column.str.to_datetime(form, time_unit="us", strict=False, exact=True)
    return column.str.to_date(form, strict=False, exact=True).cast(pl.Datetime("us"))


def _without_header(found: Iterator[Lines], layout: ChangeLayout) -> Iterator[Lines]:
    for number, lines in enumerate(found):
        if number == 0 and layout.header:
            yield Lines(lines.text, lines.starts[1:], lines.ends[1:], lines.first + 1)
        else:
            yield lines


def _frame(lines: Lines, layout: ChangeLayout) -> pl.DataFrame:
    """The changes of some lines, with a fault where a line is none."""
    rows = np.flatnonzero(lines.sizes > 0)
    texts = pl.Series("text", [lines.line(row).decode("utf-8", "replace") for row in rows.tolist()], dtype=pl.String)
    cut = pl.DataFrame({"line": rows + lines.first, "text": texts}).with_columns(cells=pl.col("text").str.split(","))

    def cell(at: int) -> pl.Expr:
        return pl.col("cells").list.get(at, null_on_oob=True).str.strip_chars(' "\t')

    number = cell(layout.number) if layout.rest is None else cell(layout.number) + cell(layout.rest)
    read = cut.with_columns(
        digits=number,
        said=cell(layout.stamp),
        action=cell(layout.action),
        fits=pl.col("cells").list.len() == layout.columns,
    )
    number_known = pl.col("fits") & pl.col("digits").str.contains(_NUMBER).fill_null(value=False)
    return read.with_columns(stamp=_times(read["said"], layout.stamp_format)).select(
        "line",
        "text",
        "stamp",
        "action",
        "fits",
        number=pl.when(number_known).then("1" + pl.col("digits")).cast(pl.UInt64),
        fault=pl.when(~number_known)
        .then(pl.lit(Fault.NOT_A_NUMBER.value))
        .when(pl.col("stamp").is_null())
        .then(pl.lit(Fault.NOT_A_DATE.value)),
    )


def _refuse_unknown(frame: pl.DataFrame, path: Path) -> None:
    """Never skip an action that is not known: it may be an addition."""
    unknown = frame.filter(pl.col("fits") & ~pl.col("action").is_in([ADDED, DELETED]).fill_null(value=False))
    if len(unknown):
        raise FixSource(
            f"Line {unknown['line'][0]:,} of '{path}' has an action that is neither A nor D.",
            advice="Nothing was changed. Get the whole list for its area codes, and replace them.",
        )


def _of(last: pl.DataFrame, action: str) -> Numbers:
    return last.filter(pl.col("action") == action)["number"].to_numpy()


def _edge(changes: pl.DataFrame, at: int) -> np.datetime64 | None:
    stamps: NDArray[np.datetime64] = changes["stamp"].sort().to_numpy()
    return stamps[at] if len(stamps) else None
