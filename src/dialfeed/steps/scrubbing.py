"""Scrub, around its core: a run's lists are opened, the company's own are asked anew, and the clock is watched.

What is decided is in `dialfeed.donotcall`; what is kept of it, in `evidence.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson

from dialfeed.config import Plan
from dialfeed.contacts.mapping import ColumnMapping, match_key
from dialfeed.donotcall import regimes
from dialfeed.donotcall.decisions import CHANNELS, Channel, Policy
from dialfeed.donotcall.evidence import EVIDENCE
from dialfeed.donotcall.exemptions import Exemptions
from dialfeed.donotcall.facts import ListFacts, iso
from dialfeed.donotcall.facts import Opened as Lists
from dialfeed.donotcall.keys import Key, KeyRing
from dialfeed.donotcall.lateoptouts import LateOptOuts, asked_columns, own_lists
from dialfeed.donotcall.scrub import Flagged, Scrubber
from dialfeed.donotcall.store import ListStore
from dialfeed.errors import CheckFile, FixSettings, FixSource
from dialfeed.moments import utc_now
from dialfeed.reports.findings import found
from dialfeed.reports.summary import Summary
from dialfeed.reports.text import NO_LIST
from dialfeed.running.assembly import home_folder
from dialfeed.running.order import Order
from dialfeed.running.run import Run
from dialfeed.steps.callinghours import calling_hours, places_of
from dialfeed.steps.columns import Opened

_PREPARED = {"ready.csv", "failed.csv"}


@dataclass(frozen=True, slots=True)
class Scrubbing:
    """The scrub of one run.

    Attributes:
        scrubber: Decides about each endpoint.
        lists: The lists as they were when the run opened them.
        key: What pseudonyms are made with; None where no decisions are kept.
        at: When the lists were opened.
    """

    scrubber: Scrubber
    lists: Sequence[ListFacts]
    key: Key | None
    at: datetime

    @property
    def valid_until(self) -> datetime | None:
        """When the first of the lists that cleared anybody is too old; None where none ages."""
        ages = (each.valid_until for each in self.lists if each.state == "ready")
        return min((age for age in ages if age is not None), default=None)


def open_lists(run: Run, order: Order, opened: Opened) -> Scrubbing:
    """Open the lists that a run must be scrubbed against.

    Raises:
        FixSettings: The settings contradict each other, or the key for pseudonyms is lost.
        FixSource: A column that is named as evidence is not there, or that of the accounts that a list holds.
        CheckFile: The run is to be strict, and a list cannot be used.
    """
    plan, now = order.plan, utc_now()
    _check_settings(plan)
    _check_prepared(order, now)
    lists = _open(plan, plan.dnc, now)
    _check_accounts(lists, opened.mapping)
    evidence = Exemptions(_evidence_columns(plan, opened.source.describe().header), now.date())
    scrubber = Scrubber(
        lists,
        Flagged(plan.flagged),
        _decided(plan),
        evidence,
        endpoints_of(opened.mapping),
        places_of(opened.mapping).get("state"),
        calling_hours(plan, opened.mapping, now.astimezone().date()),
    )
    scrubbing = Scrubbing(scrubber, lists.facts, _key(order) if scrubber.keeps_decisions else None, now)
    _tell_lists(run, plan, scrubbing)
    _check_usable(scrubbing, strict=plan.compliance == "strict" or order.retry_of is not None)
    return scrubbing


def late_optouts(run: Run, plan: Plan, prepared: Mapping[str, Any]) -> LateOptOuts | None:
    """Asks the company's own lists anew while a run delivers; None where it names none, or only settles.

    Args:
        run: The run, with its scrub in the summary.
        plan: Its settings.
        prepared: What the ledger remembers of its source.
    """
    own = {each["list_id"]: each for each in run.summary.lists if each["kind"] == "internal"}
    if not own or run.summary.command == "settle":
        return None
    now = utc_now()
    opened = _open(plan, list(own), now)
    evidence = Exemptions(_evidence_columns(plan, prepared["header"]), now.date())
    scrubber = Scrubber(opened, Flagged.KEEP, _decided(plan), evidence, asked_columns(prepared["endpoints"]))
    at_scrub = tuple((name, each["version"], each["sha256"]) for name, each in own.items())
    then = datetime.fromisoformat(run.summary.scrub["opened_at"])
    lists = own_lists(opened, list(own))
    widened = any(each and each.asked.widened and not replace(each.asked, now=then).widened for each in lists.values())
    return LateOptOuts(scrubber, lists, None if widened else at_scrub)


def endpoints_of(mapping: ColumnMapping) -> dict[Channel, list[str]]:
    """The endpoints of a contact, in the order in which they are tried: the columns of each channel."""
    return {channel: [channel, *mapping.others.get(channel, ())] for channel in CHANNELS}


def _open(plan: Plan, names: Sequence[str], now: datetime) -> Lists:
    widening = date.fromisoformat(plan.revoke_all_from) if plan.revoke_all_from else None
    return ListStore(home_folder(plan)).open(names, now=now, topic=plan.topic, widening=widening)


def _decided(plan: Plan) -> Policy:
    """What the user has decided about doubtful cases."""
    return Policy(plan.because or "" if plan.uncovered == "allow" else "", plan.consent_overrides)


def _key(order: Order) -> Key:
    """What pseudonyms are made with; a rehearsal makes no key that stays."""
    ring = KeyRing(home_folder(order.plan))
    return ring.passing() if order.rehearse else ring.current()


def pseudonym_of(order: Order, identities: str) -> str:
    """What a run remembers a set of contacts by; empty without contacts, and where there is no key to hide them with.

    A run that is not scrubbed has to do with no key but this: one that is lost stops no load.
    """
    with suppress(FixSettings):
        return _key(order).pseudonym("identities", identities) if identities else ""
    return ""


def check_still_valid(summary: Summary, now: datetime) -> None:
    """Refuse to send what was cleared by a list that is too old by now.

    Raises:
        CheckFile: It is.
    """
    until = expiry(summary)
    if until is not None and now > until:
        told = summary.scrub["valid_until"]
        names = [each["list_id"] for each in summary.lists if each["valid_until"] == told]
        raise CheckFile(
            f"The scrub of this run was valid until {told}, when {', '.join(names)} became too old; "
            "nothing more is sent.",
            advice="Update the list, then import failed.csv of this run, which is scrubbed anew.",
        )


def check_own_files(summary: Summary, plan: Plan) -> None:
    """Refuse to go on with what was scrubbed against a company's own list that has been loaded anew since.

    Whoever has come onto it must not be called (`compliance.md` section 0, item 11); such a list does not age, so
    nothing else would stop a run that goes on after weeks. Opt-outs that are added one by one are asked about in any
    case (`late_optouts`), and a version of a register may be used until it is too old.

    Raises:
        CheckFile: There is one, or it is there no more.
    """
    if summary.command == "settle":
        return
    own = [
        each
        for each in summary.lists
        if (each["kind"], each["state"]) == ("full", "ready") and not regimes.regime_of(each["authority"]).clears_always
    ]
    now = {each.id: each.version for each in _open(plan, [each["list_id"] for each in own], utc_now()).facts}
    changed = [each["list_id"] for each in own if now[each["list_id"]] != each["version"]]
    if changed:
        raise CheckFile(
            f"Since this run was scrubbed, {', '.join(changed)} {'was' if len(changed) == 1 else 'were'} loaded anew; "
            "nothing more is sent.",
            advice="Import failed.csv of this run, which is scrubbed anew.",
        )


def expiry(summary: Summary) -> datetime | None:
    """Until when what a run's scrub has cleared may be sent; None where that has no end, as where nothing is sent."""
    told = summary.scrub.get("valid_until") if summary.command != "settle" else None
    return datetime.fromisoformat(told) if told else None


def tell_scrub(run: Run, scrub: Mapping[str, Any]) -> None:
    """Put the scrub into the summary."""
    run.summary.lists = list(scrub.get("lists", ()))
    run.summary.scrub = {name: value for name, value in scrub.items() if name != "lists"}
    unusable = {each["list_id"]: each["state"] for each in run.summary.lists if each["state"] != "ready"}
    for reason in scrub.get("reasons", ()):
        if reason.startswith("suppressed.list_damaged:"):
            unusable[reason.partition(":")[2]] = "damaged"
    if unusable:
        named = ", ".join(f"{name} ({state})" for name, state in unusable.items())
        sentence = f"Do-not-call lists that could not be used: {named}. What they should have cleared was"
        remedy = f"`dialfeed dnc status {' '.join(unusable)}` tells more."
        run.summary.findings.append(found("scrub.list_unusable", f"{sentence} withheld.", remedy))


# --- what the user said -------------------------------------------------------------------------------------------


def _check_settings(plan: Plan) -> None:
    if plan.compliance == "strict" and not plan.dnc:
        raise FixSettings(
            "Strict compliance needs do-not-call lists, and this run names none.", advice="Name them with --dnc."
        )
    if (plan.uncovered == "allow") != bool(plan.because):
        raise FixSettings(
            "An exception for numbers that no list covers needs a reason, and a reason an exception.",
            advice='Say both: --uncovered allow --because "…"; they are recorded.',
        )


def _check_accounts(lists: Lists, mapping: ColumnMapping) -> None:
    """Refuse a file in which nobody could be found by a list of accounts.

    Raises:
        FixSource: No column is `externalId`.
    """
    named = [each.id for each in lists.facts if each.channel == "account"]
    if named and "externalId" not in mapping.fields:
        raise FixSource(
            f"{named[0]} is a list of accounts, and no column of the file is externalId: nobody could be found on it.",
            advice="Say which column holds them: --map COLUMN=externalId.",
        )


def _check_prepared(order: Order, now: datetime) -> None:
    """Refuse contacts that an earlier run prepared, where its scrub has expired and this run names no list.

    Raises:
        CheckFile: It has, or nobody can tell.
    """
    for each in order.source if not order.plan.dnc else ():
        record = Path(each).parent / EVIDENCE
        if "://" in each or Path(each).name not in _PREPARED or not record.is_file():
            continue
        advice = "Name the do-not-call lists with --dnc, and it is scrubbed anew."
        try:
            told = orjson.loads(record.read_bytes())["valid_until"]
            expired = told is not None and now > datetime.fromisoformat(told)
        except (OSError, ValueError, KeyError, TypeError):
            raise CheckFile(
                f"{Path(each).name} was scrubbed in an earlier run, and its {EVIDENCE} cannot be read: nobody can tell "
                "until when that was valid. Nothing was sent.",
                advice=advice,
            ) from None
        if expired:
            raise CheckFile(
                f"{Path(each).name} was scrubbed in an earlier run, which was valid until {told}; nothing was sent.",
                advice=advice,
            )


def _evidence_columns(plan: Plan, header: Sequence[str]) -> dict[str, str]:
    """What is evidence → the position of its column, as a chunk names it."""
    positions = {match_key(name): str(at) for at, name in reversed(list(enumerate(header)))}
    lacking = [column for _, column in plan.exempt if match_key(column) not in positions]
    if lacking:
        raise FixSource(
            f"The file has no column {lacking[0]!r}, which --exempt names as evidence.",
            advice="Correct the name, or leave the exemption out.",
        )
    return {name: positions[match_key(column)] for name, column in plan.exempt}


# --- what is told -------------------------------------------------------------------------------------------------


def _tell_lists(run: Run, plan: Plan, scrubbing: Scrubbing) -> None:
    run.trail.append(
        "lists.opened",
        lists=[each.as_dict() for each in scrubbing.lists],
        told=", ".join(each.id for each in scrubbing.lists) or NO_LIST,
        valid_until=iso(scrubbing.valid_until),
        policy=dict(scrub_policy(plan)),
    )


def _check_usable(scrubbing: Scrubbing, *, strict: bool) -> None:
    """Stop where every list has to be usable: by policy, and for mended rows, which are scrubbed only once.

    Raises:
        CheckFile: One is not.
    """
    unusable = [each.id for each in scrubbing.lists if each.state != "ready"]
    if unusable and strict:
        raise CheckFile(
            f"Do-not-call lists that cannot be used: {', '.join(unusable)}. Nothing was sent.",
            advice=f"`dialfeed dnc status {' '.join(unusable)}` tells what to do.",
        )


def scrub_policy(plan: Plan) -> Iterator[tuple[str, Any]]:
    """What the user has decided about the scrub, for the trail and the run record."""
    yield "flagged", plan.flagged
    yield "uncovered", plan.uncovered
    yield "because", plan.because
    yield "compliance", plan.compliance
    yield "topic", plan.topic
    yield "revoke_all_from", plan.revoke_all_from
    yield "exempt", dict(plan.exempt)
    yield "consent_overrides", plan.consent_overrides
