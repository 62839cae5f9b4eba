"""Events as syslog messages: the header of RFC 5424, and behind it the line of the trail, or CEF. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from dialfeed._version import __version__
from dialfeed.audit.events import BY_NAME
from dialfeed.audit.sinks.base import Event

_FACILITY: Final = 13
"""Log audit (RFC 5424 section 6.2.1)."""
_ERROR, _WARNING, _NOTICE, _INFORMATIONAL = 3, 4, 5, 6
_BAD: Final = frozenset(
    {"batch.failed", "batch.unknown", "settling.failed", "settling.doubted", "trail.recovered", "contacts.refused"}
)
_CEF_SEVERITIES: Final = {_ERROR: 8, _WARNING: 6, _NOTICE: 4, _INFORMATIONAL: 2}
_NOT_PRINTABLE: Final = re.compile(r"[^\x21-\x7e]")

Body = Callable[[Event], bytes]
"""Makes what stands behind the header."""


def message(event: Event, hostname: str, body: Body, most: int) -> bytes:
    """An event as a syslog message, without the count of its bytes.

    Args:
        event: The event.
        hostname: The machine that it comes from.
        body: `as_json` or `as_cef`.
        most: Bytes that the receiver takes; of an event that is longer only its place in the chain is told.
    """
    priority = _FACILITY * 8 + severity(event)
    header = " ".join(
        (
            f"<{priority}>1",
            event.time,
            _token(hostname, 255),
            "dialfeed",
            _token(event.run, 128),
            _token(event.name, 32),
            f'[meta sequenceId="{event.n}"]',  # RFC 5424 section 7.3.1
        )
    ).encode()
    whole = header + b" " + body(event)
    return whole if len(whole) <= most else header + b" " + body(_stub(event))


def severity(event: Event) -> int:
    """RFC 5424 section 6.2.1: an end is as bad as its status, a stop and a lost answer are warnings."""
    if event.name == "run.finished":
        status = event.facts.get("status")
        return {"SUCCESS": _NOTICE, "PARTIAL_FAILURE": _WARNING}.get(str(status), _ERROR)
    return _WARNING if event.name in _BAD or event.facts.get("stopped") is True else _INFORMATIONAL


def as_json(event: Event) -> bytes:
    """The line of the trail as it stands there, so that its hash can be proved from the receiver's copy."""
    return event.line


def as_cef(event: Event) -> bytes:
    """ArcSight's Common Event Format, version 0: header with `|`, extension of keys and values."""
    known = BY_NAME.get(event.name)
    header = ("CEF:0", "dialfeed", "dialfeed", __version__, event.name, known.when if known else event.name)
    told = "|".join(map(_escaped_header, header)) + f"|{_CEF_SEVERITIES[severity(event)]}|"
    return (told + " ".join(f"{key}={_escaped(value)}" for key, value in _extension(event).items())).encode()


def _extension(event: Event) -> Mapping[str, str]:
    facts = event.facts
    told = {
        "rt": str(int(datetime.fromisoformat(event.time).timestamp() * 1000)),
        "cat": "audit",
        "externalId": f"{event.run}:{event.n}",
        "cn1Label": "n",
        "cn1": str(event.n),
        "cs1Label": "run",
        "cs1": event.run,
        "cs2Label": "hash",
        "cs2": event.hash,
        "cs3Label": "previous",
        "cs3": event.previous,
    }
    named = {"suser": facts.get("operator"), "dvchost": facts.get("host"), "outcome": facts.get("status")}
    told |= {key: str(value) for key, value in named.items() if value is not None}
    return told | {"msg": orjson.dumps(facts).decode()} if facts else told


def _stub(event: Event) -> Event:
    """An event without its facts, which says so."""
    envelope: dict[str, Any] = {"n": event.n, "time": event.time, "run": event.run, "event": event.name}
    envelope |= {"cut": True, "previous": event.previous, "hash": event.hash}
    return Event(event.run, event.n, event.time, event.name, event.previous, event.hash, orjson.dumps(envelope))


def _token(text: str, most: int) -> str:
    """A field of the header: printable ASCII without blanks, `-` for nothing."""
    return _NOT_PRINTABLE.sub("_", text)[:most] or "-"


def _escaped_header(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("\r", " ")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("=", "\\=").replace("\r", "\\r").replace("\n", "\\n")
