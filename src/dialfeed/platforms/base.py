"""The interface of a platform, and what all platforms have in common."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import polars as pl

from dialfeed.delivery.answers import Answer
from dialfeed.delivery.ports import Contacts, Identity, Leaving


@dataclass(frozen=True, slots=True)
class Limits:
    """What a platform takes.

    Attributes:
        batch_contacts: Contacts in one request.
        batch_bytes: Bytes in one request body.
        columns: Columns of a contact list.
        header: Characters of a column name.
        cell: Characters of a cell.
    """

    batch_contacts: int
    batch_bytes: int
    columns: int
    header: int
    cell: int


@dataclass(frozen=True, slots=True)
class ContactList:
    """A contact list on the platform; `count` is None where the platform does not tell."""

    id: str
    name: str
    count: int | None


@dataclass(frozen=True, slots=True)
class WireContacts:
    """The contacts of one batch as the platform takes them.

    Attributes:
        body: The request body.
        people: externalId, phone and email columns of the batch, in its order.
        asked: Whether everybody in it may still be sent.
    """

    body: bytes
    people: pl.DataFrame
    asked: Callable[[], bool]

    def may_leave(self) -> bool:
        """See `dialfeed.delivery.ports.Contacts`."""
        return self.asked()

    def identities(self) -> Sequence[Identity]:
        """Who is in the batch, by position."""
        return self.people.rows()


class Codec(Protocol):
    """Contacts to wire, without a socket."""

    @property
    def between(self) -> bytes:
        """What stands between two contacts in a body."""
        ...

    def encode(self, contacts: pl.DataFrame) -> pl.Series:
        """Each contact as the platform's text, in order."""
        ...

    def body(self, encoded: bytes) -> bytes:
        """One request body from encoded contacts with `between` between them."""
        ...


class Platform(Protocol):
    """A dialer's API, signed in when first used."""

    name: str
    limits: Limits

    @property
    def codec(self) -> Codec:
        """Makes contacts this platform's text."""
        ...

    @property
    def server_date(self) -> str | None:
        """The platform's own time when it last answered, as an HTTP date; None if it does not tell."""
        ...

    def lists(self) -> AsyncIterator[ContactList]:
        """All contact lists, page by page."""
        ...

    async def contact_list(self, list_id: str) -> ContactList:
        """One list with its count.

        Raises:
            FixAccess: There is no such list, or it may not be read.
        """
        ...

    async def send(self, list_id: str, contacts: Contacts, leaving: Leaving = ...) -> Answer:
        """Send one batch once; see `dialfeed.delivery.ports.Carrier`."""
        ...

    async def sign_in(self) -> None:
        """Get a token, to find out whether the credentials are right."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


@runtime_checkable
class ReadsBack(Protocol):
    """What a platform offers beside `Platform` where it tells which contacts a list holds.

    The `cxone` dialect has no such call (`cxone-v2-dialect.md` section 3). Frames have the columns `externalId`,
    `phone` and `email` as texts, null where a contact has none, and one row for each time that the list holds it.
    """

    def stored(self, list_id: str) -> AsyncIterator[pl.DataFrame]:
        """All contacts of a list, page by page.

        Raises:
            DialfeedError: They cannot be read.
        """
        ...

    async def look_up(self, list_id: str, contacts: pl.DataFrame) -> pl.DataFrame:
        """Those of these contacts that a list holds.

        Raises:
            DialfeedError: They cannot be looked for.
        """
        ...
