"""What was decided about one number or address in past runs, and why: the question of a dispute.

The evidence of a run (`evidence.json`, `decisions.csv`) names people by keyed pseudonyms, so a number is found with the
key that the run's evidence was written with, and in no other way (`compliance.md` section 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import orjson
import polars as pl
from polars.exceptions import PolarsError

from dialfeed.audit.lines import lines_told
from dialfeed.audit.records import RECORDS, read_records
from dialfeed.config import Plan
from dialfeed.contacts.email import normalise_emails
from dialfeed.contacts.phone import normalise_phones
from dialfeed.contacts.reasons import BY_CODE
from dialfeed.donotcall.decisions import Decision
from dialfeed.donotcall.evidence import DECISIONS, EVIDENCE, OPTOUTS
from dialfeed.donotcall.keys import KeyRing
from dialfeed.errors import DialfeedError, FixSettings
from dialfeed.files import sha256_of
from dialfeed.ledger.folder import AUDIT, LEDGER, SUMMARY, every_run
from dialfeed.reports.summary import read_summary
from dialfeed.running.assembly import home_folder
from dialfeed.runs.evidence import DOES_NOT_HOLD, examine

_NAMED: Final = 3
"""So many runs without decisions are named."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A number or an address, as contacts have it.

    Attributes:
        channel: `phone` or `email`.
        value: E.164, or the address.
    """

    channel: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Decided:
    """What a run decided about an endpoint.

    Attributes:
        run: The run's id.
        folder: Where it is.
        at: When its lists were opened, or when an opt-out was found that came in later (UTC, ISO 8601).
        contact_list: The contact list that it loaded.
        row: The row of the source.
        column: The contact's column.
        decision: What was decided (`dialfeed.donotcall.decisions.Decision`).
        reasons: Reason codes, with the list's id behind a colon.
        evidence: For an exemption, the row's evidence.
        window: When it may be called, where that was looked at.
        lists: The lists that the run was scrubbed against.
        valid_until: Until when the scrub was valid.
        delivered: Whether the row was delivered; None where the files with rows are gone, or nothing was sent.
        rehearsal: Whether the run was a rehearsal, which sends nothing.
    """

    run: str
    folder: str
    at: str
    contact_list: str
    row: int
    column: str
    decision: str
    reasons: list[str]
    evidence: str
    window: str
    lists: list[dict[str, Any]]
    valid_until: str | None
    delivered: bool | None
    rehearsal: bool

    def as_dict(self) -> dict[str, Any]:
        """Its JSON form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What came of looking.

    Attributes:
        decided: What was found, oldest run first.
        without_evidence: Runs of that time that hold no decisions: they named no list, or ended before the scrub.
        without_key: Runs whose key is not here, with the key's id.
        gaps: Runs whose record is known on this machine, and not found.
        chain: What is wrong with the chain of records itself.
        not_as_written: Runs whose evidence was changed or damaged, with what is wrong: what is found there, and what is
            not, proves nothing.
    """

    decided: list[Decided] = field(default_factory=list)
    without_evidence: list[str] = field(default_factory=list)
    without_key: dict[str, str] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)
    chain: list[str] = field(default_factory=list)
    not_as_written: dict[str, list[str]] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 for something that was found in evidence that holds, 4 for nothing, 7 where some of it does not hold."""
        return DOES_NOT_HOLD if self.not_as_written or self.chain else 0 if self.decided else 4

    def as_dict(self) -> dict[str, Any]:
        """Its JSON form."""
        return {
            "decided": [each.as_dict() for each in self.decided],
            "without_evidence": self.without_evidence,
            "without_key": self.without_key,
            "gaps": self.gaps,
            "chain": self.chain,
            "not_as_written": self.not_as_written,
            "exit_code": self.exit_code,
        }


def renew_key(plan: Plan) -> str:
    """Make a new key for pseudonyms, and say where it is."""
    key = KeyRing(home_folder(plan)).renew()
    return f"New evidence is written with the key {key.id} in {home_folder(plan) / 'keys'}. Keep a copy of it."


def endpoint_of(text: str, country: str | None) -> Endpoint:
    """The number or address that a user names.

    Raises:
        FixSettings: It is neither.
    """
    if "@" in text:
        found = normalise_emails(pl.Series([text]))
        value, code = found["email"][0], found["code"][0]
    else:
        found = normalise_phones(pl.Series([text]), pl.Series([country], dtype=pl.String), details=False)
        value, code = found["e164"][0], found["code"][0]
    if value is None:
        told = BY_CODE[code].sentence if code else "Nothing was given."
        raise FixSettings(
            f"That is no phone number and no e-mail address: {told}",
            advice="Write the number with a plus and its country code.",
        )
    return Endpoint("email" if "@" in text else "phone", value)


def look_back(endpoint: Endpoint, plan: Plan, on: date | None) -> Inquiry:
    """What past runs decided about an endpoint.

    Args:
        endpoint: Whom to look for.
        plan: Where runs and keys are.
        on: Only runs that were scrubbed on this day (UTC), or sent contacts on it; None for all.
    """
    found, records = Inquiry(), read_records(home_folder(plan))
    unseen = dict(records.kept)
    for folder in sorted(every_run(Path(plan.runs_dir), home_folder(plan)), key=id_of):
        run_id = id_of(folder)
        recorded = unseen.pop(run_id, None)
        if recorded is not None and not (folder / EVIDENCE).is_file():
            unseen[run_id] = recorded
            continue
        try:
            looked = _look_into(folder, endpoint, found, KeyRing(home_folder(plan)), on)
            wrong = _not_as_written(folder, plan, recorded) if looked else []
        except (OSError, ValueError, KeyError, TypeError, PolarsError):
            asked_about = on is None or _day_of(run_id) in {on, None}
            wrong = [*_not_as_written(folder, plan, recorded), "it cannot be read"] if asked_about else []
        if wrong:
            found.not_as_written[run_id] = wrong
    found.chain.extend(f"line {each.line:,} of {RECORDS} {each.sentence}" for each in records.problems)
    found.gaps.extend(run for run in unseen if on is None or _day_of(run) in {on, None})
    return found


def _look_into(folder: Path, endpoint: Endpoint, found: Inquiry, keys: KeyRing, on: date | None) -> bool:
    """Look into the evidence of one run; whether there is some that is asked about."""
    record, run_id = _record(folder), id_of(folder)
    if record is None:
        if (folder / LEDGER).is_file() and (on is None or _day_of(run_id) == on):
            found.without_evidence.append(run_id)
        return False
    if on is not None and on not in _days_of(folder, record):
        return False
    try:
        pseudonym = keys.find(record["key_id"]).pseudonym(endpoint.channel, endpoint.value)
    except FixSettings:
        if not record.get("rehearsal"):  # whose key may never have been kept, and which sent nothing
            found.without_key[run_id] = record["key_id"]
        return True
    found.decided.extend(list(_decided(folder, record, pseudonym)))
    return True


def _days_of(folder: Path, record: Mapping[str, Any]) -> set[date]:
    """The days on which a run was scrubbed and on which it sent contacts: one that is gone on with has several."""
    days = {datetime.fromisoformat(record["started_at"]).date()}
    with suppress(OSError, ValueError):
        for _, told in lines_told(folder / AUDIT):
            if told.get("event") == "batch.sent":
                days.add(datetime.fromisoformat(str(told.get("time"))).date())
    return days


def _not_as_written(folder: Path, plan: Plan, recorded: str | None) -> list[str]:
    """What is wrong with the evidence of a run; nothing where it is as its trail, and the chain of records, say."""
    if recorded is not None and sha256_of(folder / EVIDENCE) != recorded:
        return [f"its {EVIDENCE} is not the one that {RECORDS} in the home folder tells of"]
    try:
        checked = examine(str(folder), plan).checked
    except DialfeedError as error:
        return [error.sentence.removesuffix(".")]
    return [f"line {each.line:,} of its trail {each.sentence}" for each in checked.problems]


def id_of(folder: Path) -> str:
    """The id of the run in a folder, also where its process was killed; the folder's name where nothing tells."""
    with suppress(OSError, FixSettings):
        return read_summary(folder / SUMMARY).run
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(orjson.loads((folder / EVIDENCE).read_bytes())["run"])
    return folder.name


def _record(folder: Path) -> Mapping[str, Any] | None:
    path = folder / EVIDENCE
    return orjson.loads(path.read_bytes()) if path.is_file() else None


def _day_of(run_id: str) -> date | None:
    """The day of a run, by its id."""
    try:
        return datetime.strptime(run_id[:8], "%Y%m%d").date()  # noqa: DTZ007 - ids are in UTC
    except ValueError:
        return None


def _decided(folder: Path, record: Mapping[str, Any], pseudonym: str) -> Iterator[Decided]:
    lines = _lines_of(folder, pseudonym)
    delivered = _delivered(folder, lines["row"].to_list())
    for line in lines.iter_rows(named=True):
        yield Decided(
            run=record["run"],
            folder=str(folder),
            at=line["at"] or record["started_at"],
            contact_list=record["list"]["name"] or record["list"]["id"],
            row=int(line["row"]),
            column=line["column"],
            decision=line["decision"],
            reasons=(line["reasons"] or "").split(),
            evidence=line["evidence"] or "",
            window=line["window"] or "",
            lists=record["lists"],
            valid_until=record["valid_until"],
            delivered=None if delivered is None else line["row"] in delivered,
            rehearsal=bool(record.get("rehearsal")),
        )


def _lines_of(folder: Path, pseudonym: str) -> pl.DataFrame:
    """The decision lines of the scrub, and behind them those of opt-outs that came in later (`at`)."""
    parts = [
        pl.scan_csv(folder / name, infer_schema=False).filter(pl.col("pseudonym") == pseudonym).collect()
        for name in (DECISIONS, OPTOUTS)
        if (folder / name).is_file()
    ]
    return pl.concat([pl.DataFrame(schema={"at": pl.String}), *parts], how="diagonal")


def _delivered(folder: Path, rows: list[str]) -> set[str] | None:
    """Which of these rows were delivered, while the file that says so is kept."""
    path = folder / "delivered.csv"
    if not rows or not path.is_file():
        return None
    return set(pl.scan_csv(path, infer_schema=False).filter(pl.col("_row").is_in(rows)).collect()["_row"])


def inquiry_as_text(found: Inquiry) -> str:
    """For a person to read."""
    return "\n".join(_told(found))


def _told(found: Inquiry) -> Iterator[str]:
    if not found.decided:
        yield "No run has decided about it."
    for each in found.decided:
        yield f"{each.at}  run {each.run}, list {each.contact_list}, row {each.row}, {each.column}: {each.decision}"
        for reason in each.reasons:
            code, _, list_id = reason.partition(":")
            yield f"    {code}" + (f" (list {list_id})" if list_id else "") + f": {BY_CODE[code].sentence}"
        yield from (f"    {told}" for told in _circumstances(each))
    if found.without_evidence:
        first, more = found.without_evidence[:_NAMED], len(found.without_evidence) - _NAMED
        named = ", ".join(first) + (f" and {more:,} more" if more > 0 else "")
        yield f"Without decisions, as they named no list or ended before the scrub: {named}."
    yield from (
        f"Run {run} was written with the key {key}, which is not here; it cannot be looked up."
        for run, key in found.without_key.items()
    )
    yield from (f"The record of run {run} is not found: its folder was moved or removed." for run in found.gaps)
    yield from (f"The chain of records is NOT AS IT WAS WRITTEN: {wrong}." for wrong in found.chain)
    for run, wrong in found.not_as_written.items():
        yield f"The evidence of run {run} is NOT AS IT WAS WRITTEN, and proves nothing: {wrong[0]}."
        yield f"    `dialfeed audit verify {run}` tells more."


def _circumstances(each: Decided) -> Iterator[str]:
    if each.rehearsal:
        yield "a rehearsal: nothing was sent"
    if each.evidence:
        yield f"evidence: {each.evidence}"
    if each.window:
        yield f"callable: {each.window}"
    for one in each.lists:
        obtained = f", obtained {one['obtained_at']}" if one["obtained_at"] else ""
        by = f" by {one['obtained_by']}" if one["obtained_by"] else ""
        version = f"version {one['version']}" if one["version"] else one["state"]
        yield f"list {one['list_id']} {version}{obtained}{by}"
    if each.valid_until:
        yield f"valid until {each.valid_until}"
    if each.delivered is not None:
        yield _arrival(each)


def _arrival(each: Decided) -> str:
    """What became of the row, so that nobody takes a contact for one that was delivered with a blocked number."""
    if not each.delivered:
        return "not delivered"
    return "delivered" if Decision(each.decision).goes else "withheld: the contact was delivered without it"
