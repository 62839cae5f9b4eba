"""What the report says, before it is a page: every section as plain values, made from a run's summary and its story.

Old summaries lack what later versions tell; every section takes what is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dialfeed.contacts.reasons import BY_CODE
from dialfeed.reports.examples import Example
from dialfeed.reports.summary import READY, sends
from dialfeed.reports.text import BUCKET_FILES, BUCKET_WORDS
from dialfeed.wording import counted

Told = Mapping[str, Any]
"""A summary, or a part of one, as it is in `summary.json`."""

_STATUS: Final = {
    "SUCCESS": ("good", "Done"),
    "PARTIAL_FAILURE": ("partial", "Done in part"),
    "FAILED": ("bad", "Failed"),
    "STOPPED": ("bad", "Stopped by a guard"),
    "INTERRUPTED": ("bad", "Interrupted"),
    "RUNNING": ("partial", "Under way"),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The run in one word, one sentence, and what is to be said with it.

    Attributes:
        tone: ``good``, ``partial`` or ``bad``.
        word: The status for people.
        headline: What came of it.
        more: What else is to be known at once: what is open, or that nothing was to be sent; may be empty.
    """

    tone: str
    word: str
    headline: str
    more: str


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket of the equation.

    Attributes:
        name: The bucket.
        kind: Names its colour and pattern.
        count: Rows.
        share: Of the rows read, from 0 to 1.
        words: What it means.
        file: The row file that holds them; empty where there is none.
    """

    name: str
    kind: str
    count: int
    share: float
    words: str
    file: str


@dataclass(frozen=True, slots=True)
class Why:
    """One reason with the rows that have it.

    Attributes:
        code: The reason's code.
        title: A few words.
        sentence: What it means.
        remedy: What to do.
        bucket: Where such rows are.
        count: Rows.
        share: Of the largest count in its table, from 0 to 1.
        examples: A few rows.
    """

    code: str
    title: str
    sentence: str
    remedy: str
    bucket: str
    count: int
    share: float
    examples: Sequence[Example]


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of the funnel: what came to it, and what did not get beyond it by bucket."""

    name: str
    came: int
    left: Mapping[str, int]


def rehearsed(summary: Told) -> bool:
    """Whether the run was to send nothing."""
    return not sends(summary["command"], summary["policy"])


def verdict(summary: Told) -> Verdict:
    """The run in one word, one sentence, and what is to be said with it."""
    tone, word = _STATUS.get(summary["status"], ("partial", summary["status"]))
    if tone != "bad" and rehearsed(summary):
        word = "Checked"
    return Verdict(tone, word, _headline(summary), " ".join(_more(summary)))


def _headline(summary: Told) -> str:
    rows: Mapping[str, int] = summary["rows"]
    if summary["status"] == "STOPPED":
        return "A guard stopped this run before the first batch."
    if summary["status"] == "FAILED" and not rows["delivered"]:
        return "The run failed before a contact was on the list."
    if not rows["read"]:
        return "No row was read." if summary["error"] else "The source holds no row."
    count, where = (rows["failed"], "fit to load") if rehearsed(summary) else (rows["delivered"], "on the contact list")
    return f"{count:,} of {counted(rows['read'], 'row')} {'is' if count == 1 else 'are'} {where}."


def _more(summary: Told) -> Iterator[str]:
    rows: Mapping[str, int] = summary["rows"]
    if summary["status"] == "STOPPED":
        yield "Nothing was sent."
    elif rehearsed(summary):
        yield "Checked without a platform." if summary["command"] == "validate" else "A rehearsal: nothing was sent."
        yield from _to_mend(rows)
    elif rows["delivered"] or summary["status"] != "FAILED":
        yield from _what_is_open(rows)


def _what_is_open(rows: Mapping[str, int]) -> Iterator[str]:
    if rows["unknown"]:
        they = "it" if rows["unknown"] == 1 else "they"
        yield f"Of {counted(rows['unknown'], 'contact')} it is not known whether {they} arrived."
    if rows["failed"]:
        yield f"{counted(rows['failed'], 'contact')} {'was' if rows['failed'] == 1 else 'were'} not sent."
    yield from _to_mend(rows)


def _to_mend(rows: Mapping[str, int]) -> Iterator[str]:
    to_mend = rows["invalid"] + rows["refused"]
    if to_mend:
        yield f"{counted(to_mend, 'row')} {'waits' if to_mend == 1 else 'wait'} to be mended."


@dataclass(frozen=True, slots=True)
class Next:
    """What to do next, in words and as a command; either may be empty, both where what stopped the run says it."""

    words: str
    command: str


_GOES_ON: Final = {
    "resume": "Go on with the run: what was not sent is sent, and nothing is sent twice.",
    "settle": "Find out whether what is unknown is on the list; nothing is sent.",
    "verify": "Compare the list with what was delivered once more; nothing is sent.",
}
"""What a command does that goes on with a run."""


def next_step(summary: Told) -> Next:
    """What the run says is to be done next."""
    told = str(summary["next"])
    if not told:
        return Next("" if summary["error"] else "Nothing: the run is complete.", "")
    if told.startswith("dialfeed "):
        return Next(_GOES_ON.get(told.split()[1], ""), told)
    words, found, rest = told.partition(": dialfeed ")
    return Next(f"{words.removesuffix(', then')}.", f"dialfeed {rest}") if found else Next(told, "")


def buckets(summary: Told) -> list[Bucket]:
    """The right side of the equation, in its order."""
    rows: Mapping[str, int] = summary["rows"]
    return [_bucket(name, rows[name], rows["read"], summary) for name in BUCKET_WORDS]


def _bucket(name: str, count: int, read: int, summary: Told) -> Bucket:
    words, kind, file = BUCKET_WORDS[name], name, BUCKET_FILES[name] if count else ""
    if name == "failed" and rehearsed(summary):
        words, kind = "fit to load; nothing was to be sent", READY
        file = "ready.csv" if summary["command"] == "validate" and count else ""
    return Bucket(READY if kind == READY else name, kind, count, count / read if read else 0.0, words, file)


def funnel(summary: Told) -> list[Step]:
    """From the rows read to the contacts delivered, stage by stage."""
    rows: Mapping[str, int] = summary["rows"]
    stages: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("Read", ()),
        ("Fit to load", ("invalid",)),
        ("Permitted", ("suppressed",)),
        ("Distinct", ("duplicate",)),
        ("On the list", ("refused", "failed", "unknown")),
    )
    if rehearsed(summary):
        stages = stages[:-1]
    steps, came = [], rows["read"]
    for name, lost in stages:
        steps.append(Step(name, came, {bucket: rows[bucket] for bucket in lost if rows[bucket]}))
        came -= sum(rows[bucket] for bucket in lost)
    return steps


def reasons(counts: Mapping[str, int], examples: Mapping[str, Sequence[Example]]) -> list[Why]:
    """Reasons by count, most first; codes that this version does not know keep their code."""
    most = max(counts.values(), default=0)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [_why(code, count, most, examples.get(code, ())) for code, count in ordered if count]


def _why(code: str, count: int, most: int, examples: Sequence[Example]) -> Why:
    known = BY_CODE.get(code)
    share = count / most
    if known is None:
        return Why(code, code, "This version does not know the code.", "", "", count, share, examples)
    return Why(code, known.title, known.sentence, known.remedy, known.bucket, count, share, examples)
