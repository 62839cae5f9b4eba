"""What the platform's answer to a batch means: one function from status and body to a neutral answer.

Every form of `cxone-v2-dialect.md` section 3 is read, and results belong to contacts by identity: positions are
used only where the platform names a position of *our* request (`[3].phone`). An answer that accounts for fewer
contacts than were sent leaves the rest unaccounted, never delivered.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from dialfeed.delivery.answers import Accepted, Answer, Refused, Unknown, Words
from dialfeed.delivery.ports import Identity

_POSITION = re.compile(
    r"(?:^\$?\.?(?:contacts|items|body)?\[|^/(?:contacts/)?|^(?:contacts\.)?)(\d+)(?:[\].\/]+|$)(.*)$"
)
_WORDS_LIMIT = 500

_MISSING = object()

_DOUBTS = frozenset({"error", "errors", "success", "status", "statusCode"})
"""Members with one of these are looked at one by one."""

_FAILED = frozenset({"error", "failed", "failure", "invalid", "refused", "rejected"})
"""What a member's `status` says in words where its contact was not stored; names of what was not stored, too."""

_SAYS_NOTHING = "the answer does not tell what was stored"

_WHOLE = re.compile(r"\s*(-?\d{1,18})(?:\.0*)?\s*")


def read_accepted(status: int, body: bytes, identities: Sequence[Identity]) -> Answer:
    """A 200, 201, 204 or 207.

    Args:
        status: The HTTP status.
        body: The answer's body; may be empty.
        identities: Who was sent, by position.
    """
    bodyless = status == 204 or not body.strip()
    data = None if bodyless else parse(body)
    if data is _MISSING:
        return Unknown("answer is not JSON", status)
    if isinstance(data, list):
        return _read_members(data, identities, status)
    if isinstance(data, dict):
        return _read_summary(data, identities, status)
    if status == 207 or not (data is None or data is True):
        return Unknown(_SAYS_NOTHING, status)
    return Accepted(status=status)


def read_refused(status: int, body: bytes, sent: int) -> Refused:
    """A 400, 409 or 422: nothing of the batch was stored."""
    data = parse(body)
    words = Words(_code(status), _sentence(data, body))
    named = _named_positions(_errors_of(data), sent, status)
    return Refused(named, words, status)


def parse(body: bytes) -> Any:
    """The JSON value of a body, or a marker that equals nothing where it is not JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _MISSING


def shorten(text: str) -> str:
    """The platform's words, on one line and of bounded length."""
    return " ".join(text.split())[:_WORDS_LIMIT]


# --- an array of stored contacts, or of results per contact -------------------------------------------------------


def _read_members(members: list[Any], identities: Sequence[Identity], status: int) -> Accepted:
    """Match the members of an answer with the contacts that were sent."""
    if _echoes(members, identities):
        return Accepted(ids={position: str(member["id"]) for position, member in enumerate(members)}, status=status)
    matcher = _Matcher(identities)
    delivered: dict[int, str] = {}
    refused: dict[int, Words] = {}
    stored_unnamed = 0
    for member in members:
        position = matcher.find(member) if isinstance(member, dict) else None
        if position is None:
            stored_unnamed += not (_is_failure(member) or matcher.has_told(member))
        elif _is_failure(member):
            refused[position] = _words_of(member)
        else:
            delivered[position] = str(member.get("id") or "")
    rest = tuple(p for p in range(len(identities)) if p not in delivered and p not in refused)
    ids = {position: name for position, name in delivered.items() if name}
    if stored_unnamed >= len(rest):
        return Accepted(refused, ids=ids, status=status)  # all others are stored, so it does not matter who is who
    return Accepted(refused, rest, stored_unnamed or None, ids, status)


def _words_of(member: Mapping[str, Any]) -> Words:
    """The platform's words about one contact that it refused."""
    error = member.get("error")
    place = _place_of(error) if isinstance(error, dict) else None
    return Words(_code(_status_of(member)), _sentence(member, b""), place[1] if place else "")


def _echoes(members: list[Any], identities: Sequence[Identity]) -> bool:
    """Whether the answer tells of exactly the contacts that were sent, stored, in their order: the usual case, fast."""
    try:
        told = [(member.get("externalId"), member.get("phone"), member.get("email")) for member in members]
        whole = all("id" in member and _DOUBTS.isdisjoint(member) for member in members)
    except (AttributeError, TypeError):
        return False
    return whole and told == list(identities)


def _is_failure(member: Any) -> bool:
    if not isinstance(member, dict):
        return False
    told = str(member.get("status", "")).lower()
    return _status_of(member) >= 400 or told in _FAILED or _tells_of_error(member)


def _tells_of_error(data: Mapping[str, Any]) -> bool:
    told = str(data.get("success", "")).lower()
    return bool(data.get("error") or data.get("errors")) or told in {"false", "0"}


def _status_of(member: Mapping[str, Any]) -> int:
    text = str(member.get("status", member.get("statusCode", 0)))
    return int(text) if text.isdecimal() else 0


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _identity_of(member: Mapping[str, Any]) -> tuple[str | None, ...]:
    """What a member says of its contact's identity."""
    nested = member.get("contact")
    contact: Mapping[str, Any] = nested if isinstance(nested, dict) else member
    return tuple(_text(contact.get(name)) for name in ("externalId", "phone", "email"))


class _Matcher:
    """Finds the position of a contact by what the platform says of it.

    All three identifiers first; then the first single one that both sides have and that only one contact of the
    batch has. Contacts that are equal on the wire are given out one after the other.
    """

    def __init__(self, identities: Sequence[Identity]) -> None:
        self._whole: dict[tuple[str | None, ...], list[int]] = defaultdict(list)
        self._single: dict[tuple[int, str], list[int]] = defaultdict(list)
        for position in range(len(identities) - 1, -1, -1):
            identity = identities[position]
            self._whole[identity].append(position)
            for part, value in enumerate(identity):
                if value is not None:
                    self._single[part, value].append(position)
        self._taken: set[int] = set()
        self._sent = len(identities)

    def find(self, member: Mapping[str, Any]) -> int | None:
        """The position of the contact that `member` speaks of, each position once; None if it does not say."""
        identity = _identity_of(member)
        position = self._take_whole(identity)
        if position is None:
            position = self._take_single(identity)
        if position is None:
            position = self._take_named(member)
        return position

    def has_told(self, member: Any) -> bool:
        """Whether whoever `member`, which has no place left, may speak of has been told of before."""
        identity = _identity_of(member) if isinstance(member, dict) else ()
        singles = (self._single.get((part, value), []) for part, value in enumerate(identity) if value is not None)
        places = {place for found in singles for place in found}
        return bool(places) and places <= self._taken

    def _take_named(self, member: Mapping[str, Any]) -> int | None:
        """The position of our request that a member, or the error in it, names."""
        error = member.get("error")
        for told in (member, error):
            place = _place_of(told) if isinstance(told, dict) else None
            if place is not None and place[0] < self._sent:
                return self._take(place[0])
        return None

    def _take_whole(self, identity: tuple[str | None, ...]) -> int | None:
        places = self._whole.get(identity) if any(identity) else None
        while places:
            position = self._take(places.pop())
            if position is not None:
                return position
        return None

    def _take_single(self, identity: tuple[str | None, ...]) -> int | None:
        for part, value in enumerate(identity):
            places = self._single.get((part, value), []) if value is not None else []
            if len(places) == 1:
                return self._take(places[0])
        return None

    def _take(self, position: int) -> int | None:
        if position in self._taken:
            return None
        self._taken.add(position)
        return position


# --- {successCount, failureCount, errors} -------------------------------------------------------------------------


def _read_summary(data: dict[str, Any], identities: Sequence[Identity], status: int) -> Answer:
    sent = len(identities)
    for name in ("contacts", "entities", "results", "items"):
        if isinstance(data.get(name), list) and "successCount" not in data:
            return _read_members(data[name], identities, status)
    refused = _named_positions(_errors_of(data), sent, status)
    try:
        stored, failures = _count(data.get("successCount")), _count(data.get("failureCount"))
    except ValueError:
        return Unknown("the answer's counts cannot be read", status)
    if stored is None and failures is None and not refused:
        return _without_counts(data, status)
    if stored is None:
        stored = sent - failures if failures else sent - len(refused)
    if stored >= sent:  # everything is stored, and what it lists as errors are remarks; unless it contradicts itself
        return Unknown("the answer's counts do not add up", status) if failures else Accepted(status=status)
    if stored + len(refused) == sent:
        return Accepted(refused, status=status)
    rest = tuple(position for position in range(sent) if position not in refused)
    return Accepted(refused, rest, max(stored, 0), status=status)


def _without_counts(data: Mapping[str, Any], status: int) -> Answer:
    """An object that tells neither counts nor places: all is well, unless it says, under any name seen, that not."""
    if _is_failure(data) or any(data.get(name) for name in _FAILED):
        return Unknown("the answer tells of an error", status)
    return Unknown(_SAYS_NOTHING, status) if status == 207 else Accepted(status=status)


def _count(value: Any) -> int | None:
    """A count as platforms write it: a number, also with a point, or text (`expires_in` is seen as text, section 1).

    Raises:
        ValueError: It is told, and cannot be read.
    """
    if value is None:
        return None
    found = None if isinstance(value, bool) else _WHOLE.fullmatch(str(value))
    if found is None:
        raise ValueError("no count")
    return int(found[1])


# --- errors with paths --------------------------------------------------------------------------------------------


def _errors_of(data: Any) -> list[dict[str, Any]]:
    """The error objects of an answer, under any of the names seen."""
    if isinstance(data, list):
        return [error for error in data if isinstance(error, dict)]
    if not isinstance(data, dict):
        return []
    found: list[dict[str, Any]] = []
    for name in ("details", "errors", "fieldErrors", "validationErrors"):
        value = data.get(name)
        if isinstance(value, list):
            found.extend(error for error in value if isinstance(error, dict))
    nested = data.get("error")
    return found + _errors_of(nested) if isinstance(nested, dict) else found


def _named_positions(errors: Iterable[Mapping[str, Any]], sent: int, status: int) -> dict[int, Words]:
    """Refused positions with the platform's words; several errors of one contact are joined."""
    named: dict[int, Words] = {}
    for error in errors:
        place = _place_of(error)
        if place is None or place[0] >= sent:
            continue
        position, field = place
        text = _sentence(error, b"")
        before = named.get(position)
        if before is not None:
            text, field = shorten(f"{before.text}; {text}"), before.field or field
        named[position] = Words(_code(status), text, field)
    return named


def _place_of(error: Mapping[str, Any]) -> tuple[int, str] | None:
    for name in ("path", "fieldName", "field", "pointer", "property", "location"):
        value = error.get(name)
        match = _POSITION.match(value) if isinstance(value, str) else None
        if match:
            return int(match[1]), match[2].strip("/.[]'\"")
    index = error.get("index")
    return (index, "") if type(index) is int and index >= 0 else None


def _sentence(data: Any, body: bytes) -> str:
    """The most telling text of an error."""
    if isinstance(data, dict):
        for name in ("message", "error_description", "detail", "description", "reason", "error", "title", "code"):
            value = data.get(name)
            if isinstance(value, str) and value:
                return shorten(value)
            if isinstance(value, dict):
                return _sentence(value, b"")
    return shorten(body.decode("utf-8", "replace")) if body else ""


def _code(status: int) -> str:
    return "refused.duplicate_key" if status == 409 else "refused.by_platform"
