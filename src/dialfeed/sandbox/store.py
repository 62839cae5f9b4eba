"""What the platform keeps: contact lists, their contacts and the count it shows of them."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dialfeed.sandbox.rules import Contact

_SUFFIXES = tuple(f"{place:03x}" for place in range(4096))


def contact_ids(batch: str, count: int) -> list[str]:
    """The ids of a batch's contacts: the batch's own 33 characters and three hex digits for the place.

    Batches above 4096 contacts get longer suffixes.
    """
    suffixes: Sequence[str] = _SUFFIXES[:count]
    return [batch + suffix for suffix in suffixes] + [f"{batch}{place:03x}" for place in range(len(suffixes), count)]


@dataclass(frozen=True, slots=True)
class Batch:
    """Contacts that were stored together, kept as the bytes that came.

    Attributes:
        prefix: What their ids begin with.
        count: How many there are.
        body: Their JSON: an array, or an object with an array at ``contacts``.
    """

    prefix: str
    count: int
    body: bytes

    def contacts(self) -> Iterator[Contact]:
        """The stored contacts in order, each with its ``id`` first."""
        decoded = orjson.loads(self.body)
        members = decoded if isinstance(decoded, list) else decoded["contacts"]
        for identity, contact in zip(contact_ids(self.prefix, self.count), members, strict=True):
            yield {**contact, "id": identity} if "id" in contact else {"id": identity, **contact}


@dataclass(slots=True)
class ShownCount:
    """The count that a platform shows, which may be behind the truth.

    Attributes:
        shown: What the last fresh look saw.
        reads: How often it was read.
    """

    shown: int = 0
    reads: int = 0
    _visible: int = 0
    _coming: list[tuple[float, int]] = field(default_factory=list)

    def add(self, count: int, visible_at: float) -> None:
        """So many contacts were added, to be seen from `visible_at` on (monotonic seconds)."""
        heapq.heappush(self._coming, (visible_at, count))

    def read(self, now: float, every: int) -> int:
        """Read the count; only the first and then every `every`-th read looks anew."""
        if self.reads % every == 0:
            self.shown = self.peek(now)
        self.reads += 1
        return self.shown

    def peek(self, now: float) -> int:
        """What a fresh look would see at this time; counts as no read."""
        while self._coming and self._coming[0][0] <= now:
            self._visible += heapq.heappop(self._coming)[1]
        return self._visible


@dataclass(slots=True)
class ContactList:
    """One contact list.

    Attributes:
        identity: Its id.
        name: Its name; names may repeat.
        initial: Contacts it had when it was made; only their number is known.
        foreign: Contacts that another writer added; only their number is known.
        stored: Contacts that came through the API.
        batches: These contacts, in the order of storing.
        columns: The names of all their columns.
        keys: The values of the unique key that are taken, when there is one.
        count: What the platform shows.
    """

    identity: str
    name: str
    initial: int = 0
    foreign: int = 0
    stored: int = 0
    batches: list[Batch] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    count: ShownCount = field(default_factory=ShownCount)

    @property
    def total(self) -> int:
        """All contacts on the list now."""
        return self.initial + self.foreign + self.stored

    def store(self, prefix: str, contacts: Sequence[Contact], body: bytes, visible_at: float) -> list[str]:
        """Keep a batch.

        Args:
            prefix: What the contacts' ids begin with; used for no other batch.
            contacts: The contacts, already judged.
            body: The same contacts as JSON.
            visible_at: When the count begins to show them, monotonic seconds.

        Returns:
            The contacts' ids in order.
        """
        self.batches.append(Batch(prefix, len(contacts), body))
        self.columns.update(*contacts)
        self.stored += len(contacts)
        self.count.add(len(contacts), visible_at)
        return contact_ids(prefix, len(contacts))

    def add_foreign(self, count: int, visible_at: float) -> None:
        """Another writer adds contacts."""
        self.foreign += count
        self.count.add(count, visible_at)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a walk over stored contacts finds.

    Attributes:
        external_id: Contacts whose ``externalId`` an earlier one has; contacts without one are not counted.
        contact: Contacts whose (externalId, phone, email) an earlier one has; absent differs from any text.
        do_not_call: Contacts with ``doNotCall`` true.
    """

    external_id: int
    contact: int
    do_not_call: int

    def to_json(self) -> dict[str, Any]:
        """The form of the control plane."""
        return {
            "duplicates": {"externalId": self.external_id, "contact": self.contact},
            "do_not_call": self.do_not_call,
        }


class Walk:
    """Tallies batches one by one, so that the caller may do something else in between.

    Remembers a 64-bit hash for each contact, not the contact; one in 10^7 runs over a million contacts would count
    a duplicate that is none.
    """

    def __init__(self) -> None:
        self._external: set[int] = set()
        self._whole: set[int] = set()
        self._named = self._seen = self._do_not_call = 0

    def add(self, contacts: Iterable[Contact]) -> None:
        """Take these contacts into the tally."""
        for contact in contacts:
            external = contact.get("externalId")
            if external is not None:
                self._named += 1
                self._external.add(hash(external))
            self._seen += 1
            self._whole.add(hash((external, contact.get("phone"), contact.get("email"))))
            self._do_not_call += contact["doNotCall"]

    def tally(self) -> Tally:
        """The tally of all contacts so far."""
        return Tally(self._named - len(self._external), self._seen - len(self._whole), self._do_not_call)
