"""What the end of a run means: its exit code, its status, the command that goes on, and its audit entry."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from dialfeed.errors import DialfeedError, ResumeRun
from dialfeed.ledger.folder import RETRIES, SUMMARY
from dialfeed.reports.summary import Summary, read_summary


def exit_code(summary: Summary, error: DialfeedError | None, *, sends: bool) -> int:
    """The exit code of a run: what stopped it, else the worst thing that is left."""
    rows = summary.rows
    if error is not None and not isinstance(error, ResumeRun):
        return error.exit_code
    if rows.unknown or MISSING & {finding.code for finding in summary.findings}:
        return 5
    if error is not None or (rows.failed and sends):
        return 3
    return 4 if rows.invalid or rows.refused or _list_unusable(summary) else 0


def _list_unusable(summary: Summary) -> bool:
    return any(finding.code == "scrub.list_unusable" for finding in summary.findings)


MISSING = {"verify.missing", "verify.not_there", "verify.twice"}
"""Findings after which nobody can say that every contact is on the list once."""


def judge_again(summary: Summary) -> None:
    """Give a run whose rows have moved its exit code, status and next step; what stopped it still counts."""
    if not summary.error:
        summary.exit_code = exit_code(summary, None, sends=True)
    summary.status = status(summary.exit_code, summary.rows.delivered)
    under_way = [each["run"] for each in summary.retries if each["failed"] or each["unknown"]]
    summary.next = f"dialfeed resume {under_way[-1]}" if under_way else next_step(summary)


def status(code: int, delivered: int) -> str:
    """The status that goes with an exit code."""
    fixed = {
        0: "SUCCESS",
        4: "PARTIAL_FAILURE",
        5: "PARTIAL_FAILURE",
        6: "STOPPED",
        130: "INTERRUPTED",
        143: "INTERRUPTED",
    }
    return fixed.get(code) or ("PARTIAL_FAILURE" if delivered else "FAILED")


def next_step(summary: Summary) -> str:
    """What to do next, often a command; empty where nothing is left to do."""
    rows = summary.rows
    if summary.command == "demo":  # its sandbox has ended with it
        return "Run a sandbox that stays, and import a file of your own into it: dialfeed sandbox"
    if summary.rehearsed:
        return _after_rehearsal(summary)
    if summary.exit_code in {1, 6}:  # what stopped it says what to do; what it had sent may still be settled
        return f"dialfeed settle {summary.run}" if rows.unknown else ""
    stopped = summary.exit_code in {2, 3, 130, 143}
    if stopped or rows.failed:
        return f"dialfeed resume {summary.run}"
    if rows.unknown:
        return f"dialfeed settle {summary.run}"
    if MISSING & {finding.code for finding in summary.findings}:
        return f"dialfeed verify {summary.run}"
    if _list_unusable(summary) and rows.suppressed:
        return f"Load the do-not-call lists ({_dnc_status(summary)}), then import suppressed.csv."
    file = "rejected.csv" if rows.invalid else "refused.csv"
    return f"Mend {file}, then: dialfeed retry {_retried(summary, file)}" if rows.invalid or rows.refused else ""


def _dnc_status(summary: Summary) -> str:
    """The command that tells of the lists that could not be used."""
    unusable = [each["list_id"] for each in summary.lists if each["state"] != "ready"]
    return " ".join(["dialfeed dnc status", *unusable])


def _after_rehearsal(summary: Summary) -> str:
    """How to load what was only looked at."""
    rows = summary.rows
    if summary.error or not rows.failed:
        return "Mend the rejected rows in the file." if rows.invalid and not summary.error else ""
    mend = "Mend the rejected rows in the file, or load it as it is and retry them after" if rows.invalid else "Load it"
    if summary.policy.get("dry_run"):
        return f"{mend}: the same command without --dry-run."
    return f"{mend}, with the same settings: dialfeed import FILE --list LIST"


def _retried(summary: Summary, file: str) -> str:
    """The run whose rows a file holds, and the file: rows of a retry belong to the run that it retries."""
    folder = Path(summary.folder)
    if folder.parent.name != RETRIES:
        return f"{summary.run} {file}"
    first = read_summary(folder.parent.parent / SUMMARY).run
    return f"{first} {shlex.quote(str(folder / file))}"


def audit_entry(summary: Summary) -> dict[str, Any]:
    """The entry that the dialect names (`cxone-v2-dialect.md` section 5), with what belongs to it."""
    rows = summary.rows
    return {
        "status": summary.status,
        "exit_code": summary.exit_code,
        "list": {"id": summary.list_id, "name": summary.list_name},
        "processed": rows.read,
        "valid": rows.read - rows.invalid,
        "duplicates": rows.duplicate,
        "imported": rows.delivered,
        "rows": {"read": rows.read, **rows.buckets()},
        "reasons": dict(sorted(summary.reasons.items())),
        "do_not_call": summary.policy.get("do_not_call", ""),
        "platform_count": {"before": summary.before, "after": summary.after},
        "batches": summary.batches,
        "settled": summary.settled,
        "findings": [finding.code for finding in summary.findings],
        "files": summary.files,
        "error": summary.error,
        "next": summary.next,
    }
