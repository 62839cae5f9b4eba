"""Every event of a run, and what each tells: the one table behind the trail, the logs, the metrics and `docs/audit.md`.

A fact has a kind, and the kind says what may stand in it. No kind holds the text of a row or the body of a platform's
answer, so that neither can get into a trail or a log. Names are stable: whoever reads a trail years later must find
them here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Kind = Literal["number", "flag", "code", "hash", "id", "name", "time", "words", "counts", "numbers", "codes", "told"]

KINDS: Final[Mapping[Kind, str]] = {
    "number": "a number; seconds where it is a time",
    "flag": "true or false",
    "code": "one word of a fixed vocabulary",
    "hash": "a hash or fingerprint, in hexadecimal digits",
    "id": "an id of a run or a list",
    "name": "a name that the user gave to a file, a list, an account or a machine; a phone or e-mail in it is masked",
    "time": "UTC, ISO 8601",
    "words": "dialfeed's own words",
    "counts": "numbers by code",
    "numbers": "several numbers",
    "codes": "several codes",
    "told": "facts of these kinds, by name",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that an event tells. What is not known is null, and a fact that does not apply is left out.

    Attributes:
        name: Its key in the line.
        kind: What may stand in it.
        meaning: What it is, in a few words.
    """

    name: str
    kind: Kind
    meaning: str


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of event.

    Attributes:
        name: As it stands in the line.
        when: What has happened, in one sentence.
        facts: What it tells.
        synced: Whether its line is on disk before anything else happens. Lines of single batches are synced within a
            second, or with the next line of another kind; the ledger syncs their facts itself.
        kept: Whether it goes into the trail; of the others only logs and metrics hear.
    """

    name: str
    when: str
    facts: tuple[Fact, ...] = ()
    synced: bool = True
    kept: bool = True

    def kind_of(self, fact: str) -> Kind | None:
        """The kind of a fact; None if the event has no such fact."""
        return next((each.kind for each in self.facts if each.name == fact), None)


def _event(name: str, when: str, *facts: tuple[str, Kind, str], synced: bool = True, kept: bool = True) -> Event:
    return Event(name, when, tuple(Fact(*fact) for fact in facts), synced, kept)


_BATCH: Final[tuple[str, Kind, str]] = ("batch", "number", "the batch's number in the run's ledger")
_CONTACTS: Final[tuple[str, Kind, str]] = ("contacts", "number", "contacts in it")
_STOPPED: Final[tuple[str, Kind, str]] = ("stopped", "flag", "whether the run stops here")
_CAUSE: Final[tuple[str, Kind, str]] = ("cause", "words", "why")

EVENTS: Final[tuple[Event, ...]] = (
    _event("run.started", "A command has begun to work on the run: the first, or one that goes on with it.",
        ("command", "code", "import, validate, resume, settle, retry or demo"),
        ("policy", "told", "the settings that decide about rows"),
        ("versions", "told", "of dialfeed, of the numbering plan and of the other rules"),
        ("operator", "name", "the account that it runs under"),
        ("host", "name", "the machine"),
    ),
    _event("source.mapped", "It is settled which column of the source is which field.",
        ("path", "name", "the source, without a password"),
        ("fingerprint", "hash", "of the header"),
        ("columns", "number", "how many"),
        ("fields", "counts", "where each field stands: the column's place, from 0"),
    ),
    _event("field.stated", "The user states a field for all rows of the source, or for those whose cell is empty.",
        ("field", "code", "doNotCall, doNotEmail or countryCode"),
        ("value", "code", "true, false or a country"),
        ("by", "words", "that it was not read from the file, and for which rows"),
    ),
    _event("drift.judged", "The source differs from the one that the list was last loaded from.",
        ("differences", "number", "how many"), _STOPPED,
    ),
    _event("token.obtained", "The platform has issued an access token; the token itself is told nowhere.",
        ("number", "number", "how many this process has had, with this one"),
        ("lifetime", "number", "seconds until it ends"),
    ),
    _event("list.found", "The contact list is known.",
        ("list", "id", "its id on the platform"),
        ("name", "name", "its name there"),
    ),
    _event("source.read", "The whole source has been read and checked.",
        ("sha256", "hash", "of its content"),
        ("rows", "number", "rows read"),
        ("ready", "number", "contacts fit to send"),
        ("facts", "told", "format, bytes, encoding and what else was found out about it"),
    ),
    _event("lists.opened", "The do-not-call lists that contacts are held against have been opened.",
        ("lists", "told", "of each: list_id, version, state, authority, coverage, obtained_at, sha256, …"),
        ("told", "words", "their ids, or that the run is scrubbed against no list"),
        ("valid_until", "time", "when the first of those that clear anybody is too old"),
        ("policy", "told", "exceptions and exemptions, as the user stated them"),
    ),
    _event("scrub.done", "All contacts have been held against the do-not-call lists, and the evidence is written.",
        ("evidence_sha256", "hash", "of `evidence.json`, the run record"),
        ("decisions_sha256", "hash", "of `decisions.csv`, one line for each number and address"),
        ("lines", "number", "numbers and addresses that were decided about"),
        ("decisions", "counts", "numbers and addresses by decision"),
        ("reasons", "counts", "numbers and addresses by reason code, with the list behind a colon"),
        ("valid_until", "time", "until when this holds: the first of the lists to grow too old"),
        ("key_id", "id", "the key of the pseudonyms"),
    ),
    _event("optouts.recorded", "Decisions about those who opted out after the scrub and were not sent are written.",
        ("sha256", "hash", "of `optouts.csv`, one line for each number and address"),
        ("lines", "number", "numbers and addresses"),
        ("reasons", "counts", "numbers and addresses by reason code, with the list behind a colon"),
    ),
    _event("record.kept", "A run has left its record (`records.jsonl` in the home folder).",
        ("of", "id", "the run"),
        ("evidence_sha256", "hash", "of its `evidence.json`"),
    ),
    _event("record.removed", "The record of a run was removed with everything of it (`records.jsonl`).",
        ("of", "id", "the run"),
        ("operator", "name", "who asked for it"),
    ),
    _event("person.forgotten", "What run folders hold of a number or an address was erased (`forgotten.jsonl`).",
        ("channel", "code", "phone or email"),
        ("pseudonym", "hash", "whose, under the key"),
        ("key_id", "id", "the key of the pseudonym"),
        ("rows", "counts", "rows that were erased, by run"),
        ("open_runs", "codes", "runs that can still be resumed and hold it"),
        ("busy_runs", "codes", "runs that a process was working on"),
        ("damaged_runs", "codes", "runs with files that cannot be read, which may hold it"),
        ("objections", "codes", "runs that keep it among what their rows forbid"),
        ("lists", "codes", "do-not-call lists that keep it"),
    ),
    _event("preflight.done", "What would be sent is known, and what the list has room for.",
        ("contacts", "number", "contacts fit to send"),
        ("requests", "number", "requests that it takes at least"),
        ("columns", "number", "columns of the contacts"),
        ("columns_limit", "number", "columns that the platform takes"),
        ("count", "number", "contacts on the list now"),
        ("capacity", "number", "contacts that it takes in all"),
        ("room", "number", "contacts that it takes more"),
    ),
    _event("guard.judged", "A guard against the wrong file has given its verdict.",
        ("guard", "code", "its name"), _STOPPED,
        ("insisted", "flag", "whether the user goes on against it"),
        ("limit", "words", "what was allowed"),
        ("rows", "number", "rows of the source"),
        ("rejected", "number", "rows rejected"),
        ("suppressed", "number", "rows suppressed"),
        ("ready", "number", "contacts fit to send"),
        ("runs", "number", "earlier runs that it compares with"),
        ("median", "number", "their rows, in the middle"),
        ("least", "number", "their smallest share"),
        ("most", "number", "their largest share"),
        ("sha256", "hash", "of the source's content"),
        ("identities", "hash", "pseudonym of the identities of the contacts fit to send"),
        ("earlier_run", "id", "the run with the same content or contacts"),
        ("delivered", "number", "contacts that it delivered"),
        ("finished", "flag", "whether it came to its end"),
        ("count", "number", "contacts on the list now"),
        ("capacity", "number", "contacts that it takes in all"),
    ),
    _event("delivery.started", "Batches are about to be sent.",
        ("contacts", "number", "contacts that are not in a batch yet"),
        ("requests", "number", "requests that it takes at least"),
        ("rate", "number", "requests a second that are allowed; null for no limit"),
        ("seconds", "number", "how long it is expected to take"),
    ),
    _event("batch.sent", "A batch is on its way; from here on it may be on the list.",
        _BATCH, _CONTACTS,
        ("attempt", "number", "which attempt it is, from 1"),
        synced=False,
    ),
    _event("batch.answered", "The platform has answered, or it is certain that the batch did not arrive.",
        _BATCH, _CONTACTS,
        ("answer", "code", "Accepted, Refused, TooLarge, Throttled, NotSent, HeldBack or Unknown"),
        ("status", "number", "of HTTP, where there was an answer"),
        ("seconds", "number", "since it was sent, with its wait for its turn"),
        ("delivered", "number", "contacts that the answer says are stored"),
        synced=False,
    ),
    _event("batch.unknown", "The answer to a batch is lost: it may be on the list.",
        _BATCH, _CONTACTS, _CAUSE, synced=False,
    ),
    _event("batch.settled", "It has become known whether a batch whose answer was lost is on the list.",
        _BATCH, _CONTACTS,
        ("on_list", "flag", "whether it is"),
        ("by", "code", "what told it: count"),
        synced=False,
    ),
    _event("batch.failed", "A batch is given up; it is not on the list.", _BATCH, _CONTACTS, _CAUSE),
    _event("contacts.refused", "The platform will not take some contacts of a batch.",
        _BATCH,
        ("contacts", "number", "how many"),
        ("codes", "codes", "their reasons"),
    ),
    _event("contacts.suppressed", "Some contacts of a batch have opted out since the scrub, and are not sent.",
        _BATCH,
        ("contacts", "number", "how many"),
        ("codes", "codes", "their reasons"),
    ),
    _event("delivery.paused", "Nothing is sent for a while.",
        ("cause", "code", "throttled (the platform asked for it) or breaker (it fails again and again)"),
        ("seconds", "number", "for how long"),
    ),
    _event("delivery.resumed", "The platform takes requests again after a pause.",
        ("cause", "code", "throttled or breaker"),
        ("seconds", "number", "since the pause began"),
    ),
    _event("settling.started", "Delivery rests, to find out about lost answers by the list's count.",
        ("batches", "numbers", "the batches in question"),
    ),
    _event("settling.failed", "The list's count explains nothing; the batches stay unknown.",
        ("batches", "numbers", "the batches in question"),
    ),
    _event("settling.doubted", "Nobody can explain the list's count in the end: what it had settled is unknown again.",
        ("batches", "numbers", "the batches in question"),
        _CONTACTS,
    ),
    _event("count.verified", "The list's count has been compared with what was delivered.",
        ("before", "number", "contacts on the list before the run; null if the platform does not tell"),
        ("after", "number", "contacts on it now"),
        ("delivered", "number", "contacts delivered by this run"),
        ("unknown", "number", "contacts that may be on it as well"),
        ("later", "number", "contacts that later runs have put there"),
        ("difference", "number", "contacts more (or, below 0, fewer) than can be explained"),
        ("by", "code", "run, or verify when it was repeated later"),
    ),
    _event("contacts.verified", "Contacts have been read back from the list and compared one by one.",
        ("sent", "number", "contacts delivered by this run"),
        ("looked_up", "number", "how many of them were looked for"),
        ("missing", "number", "sent, but not there"),
        ("surplus", "number", "there, but not sent; null where only a sample was looked for"),
        ("twice", "number", "there more than once"),
        ("at_most", "number", "share of all that is missing at most, with this confidence"),
        ("confidence", "number", "from 0 to 1"),
        ("by", "code", "run, or verify when it was repeated later"),
    ),
    _event("run.finished", "The command has come to its end, whatever ended it: the entry of the platform's dialect.",
        ("status", "code", "SUCCESS, PARTIAL_FAILURE, FAILED, STOPPED or INTERRUPTED"),
        ("exit_code", "number", "of the command"),
        ("list", "told", "id and name of the contact list"),
        ("processed", "number", "rows read"),
        ("valid", "number", "rows without a fault"),
        ("duplicates", "number", "rows that repeat another"),
        ("imported", "number", "rows delivered"),
        ("rows", "counts", "rows by bucket"),
        ("reasons", "counts", "rows by reason code"),
        ("do_not_call", "words", "what contacts were scrubbed against"),
        ("platform_count", "told", "the list's count before and after"),
        ("batches", "number", "batches sent"),
        ("settled", "counts", "batches settled, by what told it"),
        ("findings", "codes", "what a person should look at"),
        ("files", "told", "SHA-256 of each file with rows, by name"),
        ("error", "words", "what stopped it, if anything did"),
        ("next", "words", "the command that goes on, if anything is left to do"),
    ),
    _event("rows.retried", "Mended rows of the run have been loaded by a retry; its counts have moved.",
        ("retries", "told", "of each: run, rows read, rows by bucket"),
        ("rows", "counts", "the run's rows by bucket now"),
        ("status", "code", "the run's status now"),
    ),
    _event("rows.purged", "The run's files with rows are removed; evidence stays.",
        ("files", "told", "their names"),
        ("bytes", "number", "how much that is"),
        ("kept_until", "time", "until when they were to be kept"),
        ("operator", "name", "the account that removes them"),
    ),
    _event("hold.set", "A legal hold keeps everything of the run, whatever its date.",
        ("operator", "name", "the account that sets it"),
    ),
    _event("hold.released", "The legal hold has ended.",
        ("operator", "name", "the account that ends it"),
    ),
    _event("trail.recovered", "A line that a dying process left half-written was removed.",
        ("torn_bytes", "number", "its length"),
    ),
    _event("request.done", "One request to the platform has ended.",
        ("kind", "code", "token, lists, count, contacts or job"),
        ("outcome", "code", "ok, refused, throttled, failed or lost"),
        ("status", "number", "of HTTP; null where no answer came"),
        ("seconds", "number", "from its start to the answer's end"),
        ("waited", "number", "seconds that it waited for its turn before"),
        synced=False, kept=False,
    ),
    _event("command.failed", "A command could not do its work; a run that has begun tells this in `run.finished`.",
        ("error", "words", "what is wrong, and what to do"),
        ("exit_code", "number", "of the command"),
        synced=False, kept=False,
    ),
)  # fmt: skip
"""All events, in the order in which a run meets them."""

BY_NAME: Final[Mapping[str, Event]] = {event.name: event for event in EVENTS}


# --- what may stand in a fact -------------------------------------------------------------------------------------

_CODE = re.compile(r"[A-Za-z_][\w.:-]{0,127}|\d{8}T\d{6}Z-[0-9a-f]{6}", re.ASCII)  # a word, or the id of a run
_HASH = re.compile(r"[0-9a-f]{6,128}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and (not value or pattern.fullmatch(value) is not None)


_is_code = _matches(_CODE)


def _are_counts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(map(_is_code, value)) and all(map(_is_number, value.values()))


def _is_told(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_is_text, value)) and all(map(_is_told, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_is_told, value))
    return value is None or isinstance(value, str | int | float | bool)


_FITS: Final[Mapping[Kind, Callable[[Any], bool]]] = {
    "number": _is_number,
    "flag": lambda value: isinstance(value, bool),
    "code": _is_code,
    "hash": _matches(_HASH),
    "id": _is_text,
    "name": _is_text,
    "time": _matches(_TIME),
    "words": _is_text,
    "counts": _are_counts,
    "numbers": lambda value: isinstance(value, list | tuple) and all(map(_is_number, value)),
    "codes": lambda value: isinstance(value, list | tuple) and all(map(_is_code, value)),
    "told": _is_told,
}


def fits(kind: Kind, value: Any) -> bool:
    """Whether a value may stand in a fact of this kind; None stands for what is not known."""
    return value is None or _FITS[kind](value)
