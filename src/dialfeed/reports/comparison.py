"""Two runs side by side: their numbers, and what is different about them in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from dialfeed.contacts.reasons import BY_CODE
from dialfeed.reports.story import Story
from dialfeed.reports.summary import sends
from dialfeed.wording import counted

Told = Mapping[str, Any]

POINTS: Final = 0.01
"""A share that moved by this much of the rows is worth words."""

TIMES: Final = 1.25
"""A speed or a latency that is this many times another is worth words."""


@dataclass(frozen=True, slots=True)
class Line:
    """One fact of both runs.

    Attributes:
        name: What it is.
        first: Of the first run; None where it is not told.
        second: Of the second run.
        unit: ``rows``, ``seconds``, ``rate`` or ``count``.
    """

    name: str
    first: float | None
    second: float | None
    unit: str = "count"

    @property
    def change(self) -> float | None:
        """How much more the second has."""
        return None if self.first is None or self.second is None else self.second - self.first


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side.

    Attributes:
        first: Id, list, source and status of the first run.
        second: Of the second.
        rows: Rows by bucket.
        reasons: Rows by reason, those that changed most first.
        course: Speed, batches, pauses, latencies.
        lists: Do-not-call lists by id: version and validity in each run; empty where it was not used.
        differences: What is different, in sentences.
    """

    first: Told
    second: Told
    rows: Sequence[Line]
    reasons: Sequence[Line]
    course: Sequence[Line]
    lists: Sequence[tuple[str, str, str]]
    differences: Sequence[str]

    @property
    def headline(self) -> str:
        """What came of both, in one sentence."""
        one, other = next((line.first, line.second) for line in self.rows if line.name == "delivered")
        return f"Both delivered {one:,}." if one == other else f"{one:,} delivered, then {other:,}."

    def as_dict(self) -> dict[str, Any]:
        """Its JSON form."""
        return asdict(self)


def compared(first: Told, first_story: Story, second: Told, second_story: Story) -> Comparison:
    """Compare two runs.

    Args:
        first: The summary of the first run.
        first_story: Its course.
        second: The summary of the second run.
        second_story: Its course.
    """
    rows = [Line(name, first["rows"][name], second["rows"][name], "rows") for name in first["rows"]]
    reasons = _reasons(first["reasons"], second["reasons"])
    course, lists = _course(first_story, second_story), _lists(first, second)
    words = [
        *_sources(first, second),
        *_shares(first, second),
        *_speeds(course),
        *_changed(lists),
        *_rules(first, second),
    ]
    return Comparison(
        _who(first), _who(second), rows, reasons, course, lists, words or ["Nothing of note is different."]
    )


def _who(summary: Told) -> dict[str, Any]:
    named = {name: summary[name] for name in ("run", "command", "status", "exit_code")}
    list_name = summary["list"]["name"] or summary["list"]["id"]
    return named | {"list": list_name, "source": str(summary["source"].get("path", ""))}


def _reasons(first: Mapping[str, int], second: Mapping[str, int]) -> list[Line]:
    lines = [Line(code, first.get(code, 0), second.get(code, 0), "rows") for code in {**first, **second}]
    return sorted(lines, key=lambda line: (-abs(line.change or 0), line.name))


def _course(first: Story, second: Story) -> list[Line]:
    def both(name: str, of: Any, unit: str = "count") -> Line:
        return Line(name, of(first), of(second), unit)

    return [
        both("contacts a second", lambda story: story.per_second, "rate"),
        both("batches sent", lambda story: story.sent),
        both("of them repeated", lambda story: story.repeated),
        both("told to wait", lambda story: story.pauses.total()),
        both("seconds of it", lambda story: story.paused, "seconds"),
        both("answers lost", lambda story: story.lost),
        both("half of the answers within", lambda story: story.latencies.quantile(0.5), "seconds"),
        both("99 of 100 answers within", lambda story: story.latencies.quantile(0.99), "seconds"),
        both("delivery", lambda story: story.delivery_seconds or None, "seconds"),
    ]


def _lists(first: Told, second: Told) -> list[tuple[str, str, str]]:
    def by_id(summary: Told) -> dict[str, str]:
        return {str(each.get("id") or each.get("list_id")): _version(each) for each in summary.get("lists") or []}

    one, other = by_id(first), by_id(second)
    return [(name, one.get(name, ""), other.get(name, "")) for name in {**one, **other}]


def _version(each: Told) -> str:
    until = f", valid until {each['valid_until']}" if each.get("valid_until") else ""
    return f"{each.get('version') or 'no version'}{until}"


# --- in words -----------------------------------------------------------------------------------------------------


def _sources(first: Told, second: Told) -> Iterator[str]:
    one, other = first["source"].get("sha256"), second["source"].get("sha256")
    if one and one == other:
        yield "Both runs read the same content."
    if first["list"]["id"] != second["list"]["id"]:
        yield "They are of different contact lists."
    for which, summary in (("first", first), ("second", second)):
        if not sends(summary["command"], summary["policy"]):
            yield f"The {which} run was to send nothing: what it counts as failed is fit to load."
    read = (first["rows"]["read"], second["rows"]["read"])
    if read[0] != read[1]:
        more = "more" if read[1] > read[0] else "fewer"
        yield f"The second run read {counted(abs(read[1] - read[0]), 'row')} {more} ({read[0]:,}, then {read[1]:,})."


def _shares(first: Told, second: Told) -> Iterator[str]:
    """Buckets and reasons whose share of the rows moved."""
    reads = (max(1, first["rows"]["read"]), max(1, second["rows"]["read"]))
    for name in first["rows"]:
        if name != "read":
            yield from _moved(f"Rows {name}", first["rows"][name], second["rows"][name], reads)
    for code in {**first["reasons"], **second["reasons"]}:
        title = BY_CODE[code].title if code in BY_CODE else code
        counts = (first["reasons"].get(code, 0), second["reasons"].get(code, 0))
        if not all(counts):
            yield from _moved(f"“{title}” ({code})", *counts, reads)


def _moved(what: str, one: int, other: int, reads: tuple[int, int]) -> Iterator[str]:
    before, after = one / reads[0], other / reads[1]
    if abs(after - before) >= POINTS:
        went = "rose" if after > before else "fell"
        yield f"{what}: their share {went} from {before * 100:.1f} % to {after * 100:.1f} % ({one:,}, then {other:,})."


def _speeds(course: Sequence[Line]) -> Iterator[str]:
    words = {
        "contacts a second": ("was faster", "was slower", "contacts a second"),
        "99 of 100 answers within": ("waited longer for answers", "waited less for answers", "s for 99 of 100"),
    }
    for line in course:
        if line.name in words and line.first and line.second:
            times = line.second / line.first
            more, less, unit = words[line.name]
            if times >= TIMES or times <= 1 / TIMES:
                told = f"{_plain(line.first)}, then {_plain(line.second)} {unit}"
                yield f"The second run {more if times > 1 else less} ({told})."


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _changed(lists: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    for name, one, other in lists:
        if not one:
            yield f"The do-not-call list {name} was used in the second run only."
        elif not other:
            yield f"The do-not-call list {name} was used in the first run only."
        elif one != other:
            yield f"The do-not-call list {name} was another version ({one}; then {other})."


def _rules(first: Told, second: Told) -> Iterator[str]:
    for group in ("policy", "versions"):
        one, other = first[group], second[group]
        names = sorted({**one, **other})
        changed = [name.replace("_", " ") for name in names if one.get(name) != other.get(name)]
        if changed:
            yield f"Different {'rules' if group == 'policy' else 'versions'}: {', '.join(changed)}."
