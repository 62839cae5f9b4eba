"""Keeping do-not-call lists: what `dialfeed dnc` does, with what a user writes turned into what the store takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, cast

import numpy as np
import polars as pl

from dialfeed.config import Plan
from dialfeed.contacts.findings import ROW
from dialfeed.donotcall.changing import Put
from dialfeed.donotcall.decisions import Policy
from dialfeed.donotcall.exemptions import Exemptions
from dialfeed.donotcall.facts import Channel, Opened, PhoneList, TextList, Verdict, iso
from dialfeed.donotcall.incoming import list_file, read_change_list
from dialfeed.donotcall.intake import Acceptance, BadLine, Obtained
from dialfeed.donotcall.regimes import rule_pack
from dialfeed.donotcall.requests import Line, Usual, lines_of, one_value, read_optouts, values_as_lines
from dialfeed.donotcall.scrub import Flagged, Scrubber
from dialfeed.donotcall.store import ListStore
from dialfeed.donotcall.telling import SAID
from dialfeed.donotcall.watching import Status, statuses
from dialfeed.errors import FixSettings
from dialfeed.moments import moment_of, span_of
from dialfeed.running.assembly import home_folder
from dialfeed.running.provenance import operator_name

_MOST_TOLD: Final = 100
_COVERS: Final = re.compile(r"[\s,]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a user says of a list file, as written.

    Attributes:
        obtained: When it was obtained.
        obtained_by: By whom; by who runs this, unless told.
        account: The subscription or licence.
        covers: Area codes with commas, `all`, or None for what was covered before.
        max_age: How long it may be used.
        accept_malformed: So many lines that cannot be read.
        accept_empty: Covered area codes without a number.
        accept_smaller: A list that has become much smaller.
        because: Why a person accepts that.
    """

    obtained: str
    obtained_by: str = ""
    account: str = ""
    covers: str | None = None
    max_age: str | None = None
    accept_malformed: int = 0
    accept_empty: bool = False
    accept_smaller: bool = False
    because: str = ""

    def read(self) -> Obtained:
        """The same, read.

        Raises:
            FixSettings: A date or a span has no meaning, or something is accepted without a reason.
        """
        accepts = Acceptance(
            self.accept_malformed, self.accept_empty, self.accept_smaller, self.because, operator_name()
        )
        if (accepts.malformed or accepts.empty or accepts.smaller) and not accepts.because.strip():
            raise FixSettings("Something is accepted without a reason.", advice='Say why with --because "…".')
        return Obtained(
            at=moment_of(self.obtained, "--obtained"),
            by=self.obtained_by or operator_name(),
            account=self.account,
            coverage=_covers(self.covers),
            same_coverage=self.covers is None,
            max_age=None if self.max_age is None else span_of(self.max_age, "--max-age"),
            accepts=accepts,
        )


def open_store(plan: Plan) -> ListStore:
    """The lists of the home folder."""
    return ListStore(home_folder(plan))


def add_list(
    store: ListStore, file: Path, told: Told, *, name: str, authority: str, channel: str, reading: Mapping[str, Any]
) -> dict[str, Any]:
    """Add a list from a file; what became of it.

    Raises:
        DialfeedError: It is not taken.
    """
    obtained, kind = told.read(), cast("Channel", channel)
    incoming = list_file(file, authority, kind, reading)
    return put_as_dict(store.add(name, authority, incoming, obtained, now=_now(), channel=kind), store)


def update_list(
    store: ListStore, file: Path, told: Told, *, name: str, only: str | None, reading: Mapping[str, Any]
) -> dict[str, Any]:
    """Replace a list, or only some of its area codes; what became of it.

    Raises:
        DialfeedError: It is not taken; what was there stays.
    """
    manifest = store.manifest(name)
    before = {**(manifest.reading or {}), **{key: value for key, value in reading.items() if value is not None}}
    incoming = list_file(file, manifest.authority, manifest.channel, before)
    obtained = told.read()
    if only is not None:
        obtained = Obtained(**{**_fields(obtained), "coverage": _covers(only), "same_coverage": False})
    return put_as_dict(store.update(name, incoming, obtained, _now(), areas=only is not None), store)


def change_list(store: ListStore, file: Path, told: Told, *, name: str, base: int, confirmed: bool) -> dict[str, Any]:
    """Apply a change list; what became of the list.

    Raises:
        DialfeedError: It is not applied; what was there stays.
    """
    changes = read_change_list(file)
    put = store.change(name, changes, told.read(), _now(), base=base, confirmed=confirmed)
    more = {"layout": changes.layout, "added": len(changes.added), "removed": len(changes.removed)}
    return {**put_as_dict(put, store), **more}


def put_as_dict(put: Put, store: ListStore) -> dict[str, Any]:
    """What became of a list, as plain values."""
    facts = put.manifest.facts(store.folder(put.manifest.id), _now())
    return {**facts.as_dict(), "warnings": list(put.warnings)}


def remove_list(store: ListStore, name: str, because: str) -> dict[str, Any]:
    """Remove a list.

    Raises:
        DialfeedError: There is none, or it holds opt-outs and no reason is given.
    """
    by, now = operator_name(), _now()
    store.remove(name, now, by=by, because=because)
    return {"list_id": name, "removed_at": iso(now), "removed_by": by, "because": because}


# --- opt-outs ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Added:
    """What came of opt-outs.

    Attributes:
        list_id: The list that they are on.
        added: How many are in force.
        refused: How many lines could not be read.
        shown: The first of them.
    """

    list_id: str
    added: int = 0
    refused: int = 0
    shown: list[BadLine] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        told = [{"line": bad.place.removeprefix("line "), "told": bad.told} for bad in self.shown]
        return {"list_id": self.list_id, "added": self.added, "refused": self.refused, "lines": told}


def add_optouts(
    store: ListStore, name: str, lines: Iterator[list[Line]], usual: Usual
) -> Iterator[tuple[Added, list[BadLine]]]:
    """Add opt-outs to an internal list as they come.

    Yields:
        After each piece: what came of all so far, and the lines of the piece that cannot be read. What is counted as
        added is durable and in force.

    Raises:
        DialfeedError: The list is damaged, or cannot be written.
    """
    log = store.optouts(name, operator_name())
    told = Added(name)
    for piece in lines:
        now = _now()
        good, bad = read_optouts(piece, usual, now)
        if good:
            log.add(good, now)
        told.added += len(good)
        told.refused += len(bad)
        told.shown += bad[: _MOST_TOLD - len(told.shown)]
        yield told, bad


def lines_from(values: Sequence[str], stream: BinaryIO) -> Iterator[list[Line]]:
    """The lines of a stream where `-` stands for it, else what was given itself."""
    return lines_of(stream) if list(values) == ["-"] else iter([values_as_lines(values)])


# --- looking ----------------------------------------------------------------------------------------------------------


def versions_of(store: ListStore, name: str) -> list[dict[str, Any]]:
    """The facts of a list's past versions, newest first; none of a damaged list.

    Raises:
        DialfeedError: There is no such list.
    """
    past = store.manifest(name).past
    return [
        {
            "version": one.number,
            "how": one.how,
            "records": one.records,
            "sha256": one.sha256,
            "obtained_at": iso(one.obtained_at),
            "added_at": iso(one.added_at),
            "replaced_at": iso(one.replaced_at),
        }
        for one in reversed(past)
    ]


def look_at(store: ListStore, names: Sequence[str], warn_within: str = "0d", *, verify: bool = False) -> list[Status]:
    """How lists are; all where none is named.

    Raises:
        FixSettings: `warn_within` is no span of time.
    """
    return statuses(store, names, _now(), span_of(warn_within, "--warn-within"), verify=verify)


def check(
    store: ListStore, value: str, *, names: Sequence[str], topic: str | None, state: str | None, country: str | None
) -> dict[str, Any]:
    """What each list says of one number or address today.

    Args:
        store: The lists.
        value: The number or address.
        names: The lists; all where none is named.
        topic: The topic that it is about.
        state: The contact's state.
        country: The country of a number in national form.

    Raises:
        FixSettings: It is neither a number nor an address.
    """
    found = one_value(value, country)
    now = _now()
    opened = store.open(names or store.ids(), now=now, topic=topic)
    said = _of_phone(opened, found, state) if isinstance(found, int) else _of_email(opened, found)
    decided = _decided(opened, found, state, now) if said else {}
    return {"value": masked_value(found), "asked_at": now.isoformat(), "rules": rule_pack(), "lists": said, **decided}


def _decided(opened: Opened, found: int | str, state: str | None, now: datetime) -> dict[str, Any]:
    """What a run that is scrubbed against these lists, and names no exemption, would decide today."""
    channel: Literal["phone", "email"] = "phone" if isinstance(found, int) else "email"
    scrubber = Scrubber(opened, Flagged.KEEP, Policy(), Exemptions({}, now.date()), {channel: [channel]}, state="state")
    values = {"phone": None, "email": None, channel: f"+{found}" if isinstance(found, int) else found}
    contact = pl.DataFrame(
        [{**values, ROW: 1, "state": state}],
        schema={ROW: pl.Int64, "phone": pl.String, "email": pl.String, "state": pl.String},
    )
    lines = scrubber(contact, contact).decisions
    if lines is None or lines.is_empty():
        return {}
    ruling = scrubber.ruling(channel, lines.select(scrubber.words_of(channel)).row(0))
    return {"decision": str(ruling.decision), "reasons": list(ruling.reasons)}


def _of_phone(opened: Opened, number: int, state: str | None) -> list[dict[str, Any]]:
    sought, states = np.array([number], np.uint64), pl.Series([state], dtype=pl.String)
    return [_said(one, one.look_up(sought, states)[0], one.since(sought)[0]) for one in opened.phone]


def _of_email(opened: Opened, email: str) -> list[dict[str, Any]]:
    sought = pl.Series([email], dtype=pl.String)
    return [_said(one, one.look_up(sought)[0], one.since(sought)[0]) for one in opened.email]


def _said(one: PhoneList | TextList, verdict: np.uint8, since: np.datetime64) -> dict[str, Any]:
    told = Verdict(int(verdict))
    return {
        "list": one.facts.as_dict(),
        "verdict": told.name.lower(),
        "said": SAID[told],
        "since": None if np.isnat(since) else f"{since}Z",
    }


def masked_value(value: int | str) -> str:
    """A number or an address as it may be told: at most country code and last two digits."""
    if isinstance(value, str):
        return "an e-mail address"
    text = str(value)
    return f"+{text[:1]}…{text[-2:]}" if text.startswith(("1", "7")) else f"+{text[:2]}…{text[-2:]}"


def _now() -> datetime:
    """The moment, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def _covers(text: str | None) -> tuple[str, ...] | None:
    codes = sorted({code for code in _COVERS.split(text or "") if code})
    return None if text is None or codes in ([], ["all"]) else tuple(codes)


def _fields(obtained: Obtained) -> dict[str, Any]:
    return {name: getattr(obtained, name) for name in obtained.__dataclass_fields__}
