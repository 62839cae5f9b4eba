"""What the report says of proof: the list's count against what was delivered, and the scrub with its lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dialfeed.delivery.agreement import Counted
from dialfeed.reports.html.view import Told, rehearsed
from dialfeed.reports.html.words import facts, plain


@dataclass(frozen=True, slots=True)
class Verification:
    """The list's count against what was delivered.

    Attributes:
        before: The count before the first batch; None where the platform does not tell.
        delivered: Contacts that are on the list through this run.
        unknown: Contacts that may be.
        later: Contacts that other runs have put there since the first batch.
        perhaps: Contacts that other runs may have put there.
        after: The count afterwards.
        difference: What `after` is over or under what is certain, beyond what is unknown.
        compared: Whether there was anything to compare: something was sent, or the count was read.
        findings: What was found.
    """

    before: int | None
    delivered: int
    unknown: int
    later: int
    perhaps: int
    after: int | None
    difference: int | None
    compared: bool
    findings: Sequence[Told]

    @property
    def open(self) -> int:
        """Contacts that may be on the list, and nobody knows."""
        return self.unknown + self.perhaps

    @property
    def least(self) -> int:
        """The smallest count that can be explained."""
        return (self.before or 0) + self.delivered + self.later


def verification(summary: Told) -> Verification | None:
    """What verifying found; None for a run that sends nothing."""
    if rehearsed(summary):
        return None
    rows, count = summary.get("first_rows") or summary["rows"], summary["platform_count"]
    before, after = count["before"], count["after"]
    others = summary.get("later_runs") or {}
    later, perhaps, unknown = others.get("delivered", 0), others.get("perhaps", 0), rows["unknown"]
    counted = Counted(before, after, rows["delivered"], unknown, later, perhaps)
    compared = bool(summary["batches"]) or after is not None
    findings = [each for each in summary["findings"] if each["code"].startswith("verify.")]
    return Verification(
        before, rows["delivered"], unknown, later, perhaps, after, counted.difference, compared, findings
    )


@dataclass(frozen=True, slots=True)
class Scrub:
    """What the numbers were scrubbed against.

    Attributes:
        lists: The do-not-call lists, as the summary holds them.
        told: How the run says it.
        valid_until: The earliest date up to which the scrub holds; empty where no list tells one.
        decisions: Numbers and addresses by decision.
        evidence: What else is known of its evidence, by name.
    """

    lists: Sequence[Told]
    told: str
    valid_until: str
    decisions: Mapping[str, int]
    evidence: Sequence[tuple[str, str]]


def scrub(summary: Told) -> Scrub:
    """The do-not-call lists of a run."""
    lists = summary.get("lists") or []
    dates = sorted(str(each["valid_until"]) for each in lists if each.get("valid_until"))
    told = summary["policy"].get("do_not_call") or "scrubbed against no list"
    found = summary.get("scrub") or {}
    until = str(found.get("valid_until") or "") or (dates[0] if dates else "")
    evidence = [("file", "decisions.csv"), *facts(found, without=("valid_until", "decisions", "reasons", "hours"))]
    return Scrub(lists, told if isinstance(told, str) else plain(told), until, found.get("decisions") or {}, evidence)


def hours(summary: Told) -> Mapping[str, Any]:
    """How calling hours were worked out; empty where they were not."""
    return (summary.get("scrub") or {}).get("hours") or {}


def covers(each: Told) -> str:
    """What a do-not-call list covers: its area codes, the first of many, or all of its territory."""
    coverage, territory = each.get("coverage"), plain(each.get("territory") or [])
    if isinstance(coverage, list | tuple):
        shown = ", ".join(map(str, coverage[:MOST_COVERED]))
        return shown if len(coverage) <= MOST_COVERED else f"{shown} … ({len(coverage):,} in all)"
    everywhere = territory in {"none", "*"}
    return plain(coverage) if everywhere or coverage != "all" else f"all of {territory}"


MOST_COVERED: Final = 12
"""Area codes that are told one by one, at most."""


def list_tone(each: Told) -> str:
    """How the state of a do-not-call list is to be shown."""
    return "good" if each.get("state") in {"ready", "fresh", None} else "bad"
