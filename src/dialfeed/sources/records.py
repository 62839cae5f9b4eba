"""Cut delimited text into records: bytes in, positions and verdicts out; no cell is looked at.

The grammar is RFC 4180, read strictly, with every usual line end (LF, CR LF, lone CR):

* A quote has a meaning only as the first byte of a cell. The quoted cell ends at the next quote that is not
  doubled, and right after it must come a delimiter, a line end or the end of the text. Anything else about
  a quote (one in the middle of a cell, one that is never closed) breaks the record.
* A broken record ends where the *physical line* on which it began ends; the next line begins the next record.
  So one broken record costs one line and never the lines after it.
* A record whose first line is larger than the limit is too large. A record of several lines that would
  become larger than the limit counts as never closed, that is, as broken.

How it works without a loop over bytes: each physical line is judged twice, once as if it began outside quotes
(*own*) and once as if it began inside a quoted cell (*inside*). A line with an even number of quotes ends in
the state in which it began, so a record of several lines always runs from a line with an odd number of quotes
to the next such line. What is left is to choose among these pairs. A line is looked at in at most two
records, whatever the text is: the time grows with the bytes only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dialfeed.sources import bitmaps
from dialfeed.sources.bitmaps import SLICE, Positions, Words

QUOTE, LF, CR, NUL = b'"'[0], b"\n"[0], b"\r"[0], 0

SOUND, BLANK, BROKEN_QUOTES, NUL_BYTE, TOO_LARGE = range(5)
"""Verdicts on a record. A fault that decides where the record ends (`TOO_LARGE`, `BROKEN_QUOTES`) comes before
one that does not (`NUL_BYTE`)."""

MAX_LINES = 1 << 18
"""How many lines are cut at once (at least 64): what is noted of a line takes about a hundred bytes."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Records:
    """The records at the beginning of a window, in order and without gaps.

    Attributes:
        starts: Position of each record's first byte.
        ends: Position after each record's last byte, its line end not included.
        cells: Number of cells of each record; has no meaning where the verdict is not `SOUND`.
        verdicts: One of `SOUND`, `BLANK`, `BROKEN_QUOTES`, `NUL_BYTE`, `TOO_LARGE` for each record.
        consumed: Position after the last record and its line end; what follows is not decided yet.
    """

    starts: Positions
    ends: Positions
    cells: Positions
    verdicts: NDArray[np.uint8]
    consumed: int

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def nexts(self) -> Positions:
        """Position after each record and its line end: where the next one starts."""
        return np.append(self.starts[1:], self.consumed)[: len(self)]


@dataclass(frozen=True, slots=True)
class _Marks:
    """Where the bytes stand that make up the structure; a border is what a quoted cell may touch."""

    quotes: Words
    delimiters: Words
    nuls: Words
    line_ends: Words
    borders: Words


@dataclass(frozen=True, slots=True)
class _Lines:
    """Physical lines; the cumulated arrays have one entry more than there are lines.

    `own` is a line that begins outside quotes, `inside` one that begins within a quoted cell.
    """

    starts: Positions
    ends: Positions
    nexts: Positions
    odd: Flags
    own_broken: Flags
    own_delimiters: Positions
    inside_faults: Positions  # cumulated
    inside_delimiters: Positions  # cumulated
    nuls: Positions  # cumulated


@dataclass(frozen=True, slots=True)
class _Joined:
    """Which lines make a record: first and last line (inclusive) of each record of several lines, and lines decided."""

    firsts: Positions
    lasts: Positions
    decided: int


def last_line_end(text: bytes) -> int:
    """The position after the last line end of a text that may go on; 0 if there is none.

    A carriage return as the last byte does not count: a line feed may follow.
    """
    line_feed = text.rfind(b"\n")
    carriage_return = text.rfind(b"\r", line_feed + 1, len(text) - 1)
    return max(line_feed, carriage_return) + 1


def cut(window: bytes, *, delimiter: int, limit: int, at_end: bool, following: int = 0) -> Records:
    """Cut as many records from the beginning of a window as can be decided, from `MAX_LINES` lines at most.

    Args:
        window: Text that begins at the start of a record and, unless `at_end`, ends with a line end (`last_line_end`).
        delimiter: The byte between two cells.
        limit: The largest record in bytes, without its line end.
        at_end: Nothing follows the window.
        following: How many bytes are already known to follow the window that do not end a line.

    Returns:
        The records; their `consumed` is less than the window when the next one needs more text, or has too many lines
        to be cut together with others: then it may be none.
    """
    marks = _marks(window, delimiter)
    enough = _enough(window, marks.line_ends)
    if enough < len(window):
        return cut(window[:enough], delimiter=delimiter, limit=limit, at_end=False)
    lines = _lines(window, marks)
    joined = _join(lines, limit=limit, at_end=at_end, known=len(window) + following)
    return _records(lines, joined, limit)


def cut_first(window: bytes, *, delimiter: int, limit: int, at_end: bool, following: int = 0) -> Records:
    """Cut one record, however many lines it has, in little memory; none if it needs more text. Otherwise as `cut`."""
    line = _line_length(window)
    if line > limit:
        return _one_record(window, line, TOO_LARGE)
    record = _record_pattern(delimiter).match(window)
    if record is None:
        return _one_record(window, line, BROKEN_QUOTES)
    length = record.end()
    if length < len(window) or (at_end and window.count(b'"') % 2 == 0):
        fits = length <= limit
        return _one_record(window, length, SOUND, delimiter) if fits else _one_record(window, line, BROKEN_QUOTES)
    if at_end or len(window) + following > limit + len(b"\r\n"):
        return _one_record(window, line, BROKEN_QUOTES)
    return _NO_RECORD


def plain_delimiters(text: bytes, *, delimiter: int) -> int | None:
    """Count the delimiters of a text in which each line is a record, and each delimiter stands between cells.

    Args:
        text: Whole lines; the last one may lack its line end.
        delimiter: The byte between two cells.

    Returns:
        The number of delimiters; `None` if the text has a quote, a NUL or a lone carriage return.
    """
    window = np.frombuffer(text, np.uint8)
    total = 0
    for start in range(0, len(text), SLICE):
        stop = start + SLICE
        if text.find(b'"', start, stop) >= 0 or text.find(b"\0", start, stop) >= 0:
            return None
        if text.find(b"\r", start, stop) >= 0 and _lone_return(window[start : stop + 1], at_end=stop >= len(text)):
            return None
        total += int(np.count_nonzero(window[start:stop] == delimiter))
    return total


# --- many records at once -----------------------------------------------------------------------------------------


def _marks(text: bytes, delimiter: int) -> _Marks:
    window = np.frombuffer(text, np.uint8)
    quotes, delimiters, feeds, returns, nuls = bitmaps.find(window, (QUOTE, delimiter, LF, CR, NUL))
    borders = quotes | delimiters | feeds | returns
    bitmaps.set_bit(borders, len(window))
    return _Marks(quotes, delimiters, nuls, feeds | (returns & ~bitmaps.at_next(feeds)), borders)


def _enough(window: bytes, line_ends: Words) -> int:
    """Where to stop so that there are no more than `MAX_LINES` lines."""
    counts = np.cumsum(np.bitwise_count(line_ends), dtype=np.int64)
    if counts[-1] <= MAX_LINES:
        return len(window)
    return last_line_end(window[: 64 * int(np.searchsorted(counts, MAX_LINES, side="right"))])


def _lines(window: bytes, marks: _Marks) -> _Lines:
    """Judge each physical line, as one that begins outside quotes and as one that begins inside."""
    starts, ends, nexts = _spans(np.frombuffer(window, np.uint8), marks.line_ends)
    spans = bitmaps.Spans(np.append(starts, nexts[-1:]))
    quotes_before = spans.before(marks.quotes)
    # A quote that opens stands after a border, one that closes before one. `inside` takes no quote to be at fault: it
    # is right for a line with an even number of quotes before it, and upside down for the others.
    inside = bitmaps.running_parity(marks.quotes)
    upside_down = (quotes_before[:-1] & 1).astype(np.bool_)
    bad_open = marks.quotes & ~bitmaps.at_previous(marks.borders, first=True)
    bad_close = marks.quotes & ~bitmaps.at_next(marks.borders)
    faults = spans.within((bad_open & inside) | (bad_close & ~inside))
    other_faults = spans.within((bad_open & ~inside) | (bad_close & inside))
    delimiters = spans.within(marks.delimiters & ~inside)
    other_delimiters = spans.within(marks.delimiters & inside)
    return _Lines(
        starts=starts,
        ends=ends,
        nexts=nexts,
        odd=(np.diff(quotes_before) & 1).astype(np.bool_),
        own_broken=np.where(upside_down, other_faults, faults) > 0,
        own_delimiters=np.where(upside_down, other_delimiters, delimiters),
        inside_faults=_cumulated(np.where(upside_down, faults, other_faults)),
        inside_delimiters=_cumulated(np.where(upside_down, delimiters, other_delimiters)),
        nuls=spans.before(marks.nuls),
    )


def _spans(window: NDArray[np.uint8], line_ends: Words) -> tuple[Positions, Positions, Positions]:
    """Start, end (without line end) and next start of each physical line; the last one may lack its line end."""
    marks = bitmaps.positions(line_ends)
    nexts = marks + 1
    if len(window) > (nexts[-1] if len(nexts) else 0):
        marks, nexts = np.append(marks, len(window)), np.append(nexts, len(window))
    starts = np.zeros_like(nexts)
    starts[1:] = nexts[:-1]
    two_bytes = (marks > starts) & (window[nexts - 1] == LF) & (window[marks - 1] == CR)
    return starts, marks - two_bytes, nexts


def _cumulated(counts: Positions) -> Positions:
    return np.append(np.int64(0), np.cumsum(counts))


def _join(lines: _Lines, *, limit: int, at_end: bool, known: int) -> _Joined:
    """Find the records of several lines: from a line with an odd number of quotes to the next such line."""
    odd = np.flatnonzero(lines.odd)
    firsts, lasts = odd[:-1], odd[1:]
    fits = (
        ~lines.own_broken[firsts]
        & (lines.inside_faults[lasts + 1] == lines.inside_faults[firsts + 1])
        & (lines.ends[lasts] - lines.starts[firsts] <= limit)
    )
    chosen = _disjoint(fits)
    open_end = len(odd) > 0 and not chosen[-1:].any()
    decided = len(lines.starts)
    if open_end and not at_end and not _hopeless(lines, int(odd[-1]), known=known, limit=limit):
        decided = int(odd[-1])
    return _Joined(firsts=firsts[chosen], lasts=lasts[chosen], decided=decided)


def _disjoint(fits: Flags) -> Flags:
    """Choose from the left, of pairs of neighbours that overlap, those that fit and do not overlap a chosen one.

    In a run of pairs that fit, that is every other one; the pair after a run does not fit, so that the next run is
    free to begin with its first.
    """
    index = np.arange(len(fits))
    run_start = np.maximum.accumulate(np.where(fits, 0, index + 1))
    chosen: Flags = fits & ((index - run_start) % 2 == 0)
    return chosen


def _hopeless(lines: _Lines, first: int, *, known: int, limit: int) -> bool:
    """Whether an open quoted cell that begins on line `first` is broken, whatever text follows."""
    return bool(
        lines.own_broken[first]
        or lines.inside_faults[-1] > lines.inside_faults[first + 1]
        or known - lines.starts[first] > limit + len(b"\r\n")
    )


def _records(lines: _Lines, joined: _Joined, limit: int) -> Records:
    """Put lines together to records and give each its verdict."""
    heads = _heads(joined)
    tails = np.append(heads[1:], joined.decided)[: len(heads)] - 1
    starts, ends = lines.starts[heads], lines.ends[tails]
    alone = heads == tails
    verdicts = np.full(len(heads), SOUND, dtype=np.uint8)
    verdicts[ends == starts] = BLANK
    verdicts[lines.nuls[tails + 1] > lines.nuls[heads]] = NUL_BYTE
    verdicts[alone & (lines.own_broken[heads] | lines.odd[heads])] = BROKEN_QUOTES
    verdicts[alone & (ends - starts > limit)] = TOO_LARGE
    delimiters = lines.inside_delimiters[tails + 1] - lines.inside_delimiters[heads + 1] + lines.own_delimiters[heads]
    consumed = int(lines.nexts[joined.decided - 1]) if joined.decided else 0
    return Records(starts=starts, ends=ends, cells=delimiters + 1, verdicts=verdicts, consumed=consumed)


def _heads(joined: _Joined) -> Positions:
    """The lines on which a record begins."""
    depth = np.zeros(joined.decided + 1, dtype=np.int64)
    depth[joined.firsts + 1] += 1
    depth[joined.lasts + 1] -= 1
    return np.flatnonzero(np.cumsum(depth[:-1]) == 0)


# --- one record alone ---------------------------------------------------------------------------------------------


@cache
def _record_pattern(delimiter: int) -> re.Pattern[bytes]:
    """A record up to its line end or to the end of the text, where a quoted cell may be open; without backtracking."""
    between = re.escape(bytes([delimiter]))
    cell = rb'(?:"[^"]*+(?:""[^"]*+)*+(?:"|\Z)|[^"\r\n' + between + rb"]*+)"
    return re.compile(cell + rb"(?:" + between + cell + rb")*+(?=[\r\n]|\Z)")


def _line_length(text: bytes) -> int:
    """The length of the first physical line without its line end."""
    line_end = re.search(rb"[\r\n]", text)
    return line_end.start() if line_end else len(text)


def _one_record(text: bytes, length: int, verdict: int, delimiter: int = 0) -> Records:
    """The first `length` bytes as a record; cells are counted, and NUL is noticed, in a sound one."""
    cells = 0
    if verdict == SOUND:
        quotes, delimiters = bitmaps.find(np.frombuffer(text, np.uint8, count=length), (QUOTE, delimiter))
        cells = 1 + bitmaps.total(delimiters & ~bitmaps.running_parity(quotes))
        verdict = BLANK if not length else NUL_BYTE if text.find(b"\0", 0, length) >= 0 else SOUND
    line_end = 2 if text.startswith(b"\r\n", length) else min(1, len(text) - length)
    return Records(
        starts=np.array([0]),
        ends=np.array([length]),
        cells=np.array([cells]),
        verdicts=np.array([verdict], dtype=np.uint8),
        consumed=length + line_end,
    )


_NO_RECORD = Records(
    starts=np.array([], dtype=np.int64),
    ends=np.array([], dtype=np.int64),
    cells=np.array([], dtype=np.int64),
    verdicts=np.array([], dtype=np.uint8),
    consumed=0,
)


# --- no quotes at all ---------------------------------------------------------------------------------------------


def _lone_return(piece: NDArray[np.uint8], *, at_end: bool) -> bool:
    """Whether a carriage return is not followed by a line feed; the last byte counts only `at_end`."""
    if at_end and piece[-1] == CR:
        return True
    return bool(np.any((piece[:-1] == CR) > (piece[1:] == LF)))
