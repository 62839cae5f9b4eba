"""Opt-outs as people and programs write them: a number or an address a line, or an object of JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Final, NamedTuple

import orjson
import polars as pl

from dialfeed.contacts.email import normalise_emails
from dialfeed.donotcall.areas import regions_of
from dialfeed.donotcall.intake import BadLine
from dialfeed.donotcall.internal import topic_key
from dialfeed.donotcall.listfiles.base import shape
from dialfeed.donotcall.listfiles.plain import numbers_of
from dialfeed.donotcall.optouts import OptOut
from dialfeed.donotcall.regimes import must_apply_by
from dialfeed.errors import DialfeedError, FixSettings
from dialfeed.moments import end_of, is_date, moment_of

_A_DAY: Final = timedelta(hours=23, minutes=59, seconds=59)
"""To the last second of a day, which is what counts where the hour is not known."""
_BLOCK: Final = 1 << 16
_EVERYTHING: Final = frozenset({"", "all", "*"})
_OTHER_NAMES: Final = {"received_at": "received", "expires_at": "expires"}
_OF_THE_LOG: Final = "counts_from"
"""A name that only the log of an internal list (`optouts`) has."""
_VALUES: Final = ("value", "phone", "number", "email")
"""Names of what is asked about. A line may name a person's number and address: then both are asked about."""


class Line(NamedTuple):
    """A line of a stream, and its number from 1."""

    number: int
    text: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """What is true of opt-outs that do not say it themselves; the meanings are those of `optouts.OptOut`.

    Attributes:
        country: The country of numbers in national form; None for international form only.
    """

    topic: str = ""
    channel: str = ""
    reason: str = ""
    received: str = ""
    expires: str = ""
    asked_by: str = ""
    country: str | None = None


class Wrong(Exception):
    """A line that is no opt-out; stays in this module."""


def lines_of(stream: BinaryIO) -> Iterator[list[Line]]:
    """The lines of a stream that are not blank, as they come: all that is there already together."""
    rest, number = b"", 0
    while block := stream.read1(_BLOCK) if hasattr(stream, "read1") else stream.read(_BLOCK):
        *whole, rest = (rest + block).split(b"\n")
        yield [Line(number + at, text) for at, text in enumerate(whole, 1) if text.strip()]
        number += len(whole)
    if rest.strip():
        yield [Line(number + 1, rest)]


def read_optouts(lines: Sequence[Line], usual: Usual, now: datetime) -> tuple[list[OptOut], list[BadLine]]:
    """Read opt-outs; what cannot be read is told, line by line.

    Args:
        lines: The lines.
        usual: What is true where a line does not say it.
        now: When they were received unless they say it.
    """
    good: list[OptOut] = []
    bad: list[BadLine] = []
    for request in _requests(lines, usual):
        try:
            good.append(_optout(request, usual, now))
        except (Wrong, DialfeedError) as wrong:
            sentence = wrong.sentence if isinstance(wrong, DialfeedError) else str(wrong)
            bad.append(BadLine(f"line {request.line.number:,}", f"{sentence} ({shape(request.line.text.strip())})"))
    return good, bad


class _Request(NamedTuple):
    """A line, what it says or None where it cannot be read, its number or address, and the number's region."""

    line: Line
    told: Mapping[str, Any] | None
    found: int | str | None
    region: str | None


def _requests(lines: Sequence[Line], usual: Usual) -> Iterator[_Request]:
    named = [
        (line, told, value) for line in lines for told in (_told(line.text),) for value in _values(told, usual.channel)
    ]
    values = pl.Series([value for _, _, value in named], dtype=pl.String)
    is_email = values.str.contains("@", literal=True).fill_null(value=False)
    emails = normalise_emails(pl.select(pl.when(is_email).then(values)).to_series())["email"].str.to_lowercase()
    numbers, sound = numbers_of(pl.select(pl.when(~is_email).then(values)).to_series(), usual.country)
    phones = [number if good else None for number, good in zip(numbers.tolist(), sound.tolist(), strict=True)]
    found = [email or phone for email, phone in zip(emails.to_list(), phones, strict=True)]
    for (line, told, _), value, region in zip(named, found, regions_of(numbers), strict=True):
        yield _Request(line, told, value, region)


def _told(text: bytes) -> Mapping[str, Any] | None:
    """What a line says; None where it cannot be read."""
    try:
        if not text.lstrip().startswith(b"{"):
            return {"value": text.decode("utf-8-sig").strip()}
        said = orjson.loads(text)
    except ValueError:
        return None
    return {_OTHER_NAMES.get(name, name): value for name, value in said.items() if value is not None}


def _values(told: Mapping[str, Any] | None, channel: str) -> list[str | None]:
    """The numbers and addresses that a line names; None for one that cannot be read, or where it names none.

    A number of JSON has lost its plus, if it had one, so it is read as its digits would be (`Usual.country`): but for a
    line of a list's own log, where it is E.164.
    """
    if told is None:
        return [None]
    named = [told[name] for name in _VALUES if told.get(name) not in (None, "")]
    plus = "+" if _OF_THE_LOG in told else ""
    texts = [f"{plus}{value}" if type(value) is int else value if isinstance(value, str) else None for value in named]
    wanted = str(told.get("channel") or channel).strip()
    if wanted in {"phone", "email"} and len(texts) > 1:
        texts = [text for text in texts if text is None or ("@" in text) == (wanted == "email")]
    return texts or [None]


def _optout(request: _Request, usual: Usual, now: datetime) -> OptOut:
    told, found = request.told, request.found
    if told is None:
        raise Wrong("no text and no JSON object")
    if found is None:
        raise Wrong("no phone number and no e-mail address")

    def said(name: str) -> str:
        return str(told.get(name) or getattr(usual, name)).strip()

    on, until, topic = said("received"), said("expires"), topic_key(said("topic"))
    received = moment_of(on, "The day it was received") if on else now
    if received > now:
        raise Wrong("received in the future")
    ends = end_of(until, "The day it expires") if until else None
    if ends is not None and ends <= now:
        raise Wrong("it has expired already")
    phone, email = (found, None) if isinstance(found, int) else (None, found)
    kind = "phone" if email is None else "email"
    return OptOut(
        phone=phone,
        email=email,
        topic=None if topic in _EVERYTHING else topic,
        channel=_channel(said("channel"), kind),
        reason=said("reason"),
        asked_by=said("asked_by"),
        received_at=received,
        counts_from=received + _A_DAY if is_date(on) else received,
        expires_at=ends,
        must_apply_by=must_apply_by(received, request.region, kind),
    )


def _channel(channel: str, kind: str) -> str:
    if channel not in {"", "all", kind}:
        raise Wrong(f"the channel is {kind} or all")
    return channel or kind


def values_as_lines(values: Iterable[str]) -> list[Line]:
    """What was given on the command line, as lines."""
    return [Line(number, value.encode()) for number, value in enumerate(values, 1)]


def one_value(text: str, country: str | None) -> int | str:
    """A number, E.164 as an integer, or an e-mail address in lower case.

    Raises:
        FixSettings: It is neither.
    """
    (request,) = _requests([Line(1, text.encode())], Usual(country=country))
    if request.found is None:
        raise FixSettings(
            "That is no phone number and no e-mail address.",
            advice="Write a number in international form (+1…), or say --default-country.",
        )
    return request.found
