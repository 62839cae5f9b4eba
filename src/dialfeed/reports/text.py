"""The report as text, for a terminal: where every row went, why, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from dialfeed.contacts.reasons import BY_CODE
from dialfeed.reports.reading import how_read
from dialfeed.reports.summary import READY, sends
from dialfeed.wording import counted

NO_LIST: Final = "scrubbed against no list"
"""What is told of a run that names no do-not-call list."""

BUCKET_WORDS: Final = {
    "delivered": "on the contact list",
    "duplicate": "the same contact as an earlier row",
    "invalid": "not fit to load",
    "suppressed": "may not be called or written to",
    "refused": "not taken by the platform",
    "failed": "fit to load, but not sent",
    "unknown": "sent, and not known whether it arrived",
}
BUCKET_FILES: Final = {
    "delivered": "delivered.csv",
    "duplicate": "duplicates.csv",
    "invalid": "rejected.csv",
    "suppressed": "suppressed.csv",
    "refused": "refused.csv",
    "failed": "failed.csv",
    "unknown": "unknown.csv",
}


def render(summary: Mapping[str, Any]) -> str:
    """The report of a run.

    Args:
        summary: What `summary.json` holds.
    """
    return "\n".join(_lines(summary)) + "\n"


def _lines(summary: Mapping[str, Any]) -> Iterator[str]:
    rows: Mapping[str, int] = summary["rows"]
    if not summary["folder"]:
        yield "Nothing was read or sent, and nothing is kept of this run."
        yield f"Stopped: {summary['error']}"
        return
    yield from _head(summary)
    if rows["read"] or not summary["error"]:
        yield from _buckets(summary)
    yield from _lists(summary)
    yield from _retries(summary)
    if not summary["batches"]:
        yield from _preflight(summary["preflight"])
    yield from _table("Why", summary["reasons"])
    yield from _table("Repaired or remarked on", summary["warnings"])
    yield from _findings(summary)
    yield ""
    yield f"Files: {summary['folder']} (report.html shows all of this)"
    if summary["error"]:
        yield f"Stopped: {summary['error']}"
    if summary["next"]:
        yield f"Next: {summary['next']}"


def _head(summary: Mapping[str, Any]) -> Iterator[str]:
    seconds = summary["seconds"]
    yield f"Run {summary['run']}: {summary['status']} in {seconds['total']:.1f} s"
    if summary["source"].get("format"):
        yield f"Source {summary['source']['path']}: {how_read(summary['source'])}"
    if summary["list"]["id"]:
        count = summary["platform_count"]
        told = f"{_contacts(count['before'])} before, {_contacts(count['after'])} after"
        known = f": {told}" if any(each is not None for each in count.values()) else ""
        yield f"List {summary['list']['name']} ({summary['list']['id']}){known}"


def _buckets(summary: Mapping[str, Any]) -> Iterator[str]:
    """Where every row went, and the equation; of a rehearsal, what was not sent is called ready."""
    rows: Mapping[str, int] = summary["rows"]
    yield ""
    for bucket, words in BUCKET_WORDS.items():
        if rows[bucket]:
            name, told, file = bucket, words, BUCKET_FILES[bucket]
            if bucket == "failed" and not sends(summary["command"], summary["policy"]):
                name, (told, file) = READY, _ready(summary)
            yield f"  {rows[bucket]:>11,}  {name:<10}  {told}" + (f"  → {file}" if file else "")
    yield f"  {rows['read']:>11,}  read"
    yield ""
    yield summary["equation"]


def _contacts(count: int | None) -> str:
    return "count not told" if count is None else counted(count, "contact")


def _lists(summary: Mapping[str, Any]) -> Iterator[str]:
    """What the contacts were scrubbed against, and until when that holds."""
    if not summary["lists"] and not summary["rows"]["read"] and _named(summary):
        yield "Do-not-call: the run ended before the scrub"
        return
    if not summary["lists"]:
        yield f"Do-not-call: {summary['policy'].get('do_not_call', NO_LIST)}"
        return
    yield f"Do-not-call: scrubbed against {counted(len(summary['lists']), 'list')}" + _valid(
        summary["scrub"].get("valid_until")
    )
    for each in summary["lists"]:
        obtained = f", obtained {each['obtained_at'][:10]}" if each["obtained_at"] else ""
        state = "" if each["state"] == "ready" else f", {each['state'].upper()}"
        yield f"  {each['records']:>11,}  {each['list_id']} version {each['version']}{obtained}{state}"


def _named(summary: Mapping[str, Any]) -> bool:
    return bool(summary["policy"].get("do_not_call", NO_LIST) != NO_LIST)


def _valid(until: str | None) -> str:
    return f", valid until {until}" if until else ""


def _retries(summary: Mapping[str, Any]) -> Iterator[str]:
    """What came of rows that were mended and loaded again, and how many are still open."""
    for each in summary["retries"]:
        yield f"Retry {each['run']}: {counted(each['rows'], 'row')}, {each['delivered']:,} delivered"
    if summary["retries"]:
        left = summary["rows"]["invalid"] + summary["rows"]["refused"]
        yield f"Still open: {counted(left, 'rejected or refused row')}"


def _preflight(told: Mapping[str, Any]) -> Iterator[str]:
    """What was foreseen before the first batch: what would be sent, and what the platform takes."""
    if not told:
        return
    room = "room in the list is not known (--list-capacity tells it)"
    if told["room"] is not None:
        room = f"the list has room for {told['room']:,} more"
    yield ""
    requests = f" in {counted(told['requests'], 'request')} or a few more" if told["contacts"] else ""
    yield f"Preflight: {counted(told['contacts'], 'contact')}{requests},"
    yield f"           {told['columns']} columns of the {told['columns_limit']} that the platform takes, {room}"


def _ready(summary: Mapping[str, Any]) -> tuple[str, str]:
    """Words and file for contacts that are fit to load and were not to be sent."""
    if summary["command"] == "validate":
        return "fit to load", "ready.csv"
    return "fit to load, and not sent in a rehearsal", ""


def _table(title: str, counts: Mapping[str, int]) -> Iterator[str]:
    if not any(counts.values()):
        return
    yield ""
    yield f"{title}:"
    width = max(28, *map(len, counts))
    for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        reason = BY_CODE[code]
        yield f"  {count:>11,}  {code:<{width}}  {reason.title}"


def _findings(summary: Mapping[str, Any]) -> Iterator[str]:
    if summary["findings"]:
        yield ""
    for finding in summary["findings"]:
        told = f"{finding['sentence']} {finding['remedy']}".rstrip()
        yield f"{finding['severity'].capitalize()} ({finding['code']}): {told}"
