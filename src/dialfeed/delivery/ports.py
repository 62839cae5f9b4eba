"""What the delivery loop needs of the world, as interfaces. The rooms above bring the real things."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dialfeed.delivery.answers import Answer, Words
from dialfeed.delivery.batches import Batch, Span

Identity = tuple[str | None, str | None, str | None]
"""externalId, phone and e-mail of a contact as it is sent."""


class Contacts(Protocol):
    """The contacts of one batch, ready for the wire."""

    @property
    def body(self) -> bytes:
        """The request body."""
        ...

    def identities(self) -> Sequence[Identity]:
        """Who is in it, by position; made only when an answer must be matched."""
        ...

    def may_leave(self) -> bool:
        """Whether everybody in it may still be sent; asked right before the body is written.

        Raises:
            DialfeedError: That cannot be told, so nothing may be sent any more.
        """
        ...


@dataclass(frozen=True, slots=True)
class Suppression:
    """A contact that was fit to be sent must not be sent any more.

    Attributes:
        position: Which, in its batch.
        field: The field of the contact that it is about.
        reasons: Why: reason codes, each with the list behind a colon, a space between them.
        at: When that was found, UTC, ISO 8601.
    """

    position: int
    field: str
    reasons: str
    at: str


class Supply(Protocol):
    """Cuts the contacts of a run into batches, always the same way."""

    def cut(self) -> tuple[Span, ...] | None:
        """The spans of the next batch, or None when all contacts are in batches."""
        ...

    def load(self, batch: Batch) -> Contacts:
        """The contacts of a batch."""
        ...

    def remaining(self) -> int:
        """How many contacts are not in a batch yet."""
        ...

    def suppressed(self, batch: Batch) -> Sequence[Suppression]:
        """Those of a batch who must not be sent any more; nobody, where nothing has changed.

        Raises:
            DialfeedError: That cannot be told, so nothing may be sent any more.
        """
        ...


Leaving = Callable[[], None]
"""Called when a batch is about to be written: from then on it may be on the list, and until then it can be recalled."""


class Carrier(Protocol):
    """Carries a batch to a contact list and reads the list's count."""

    async def send(self, contacts: Contacts, leaving: Leaving) -> Answer:
        """Send one batch once; it waits for its turn, and tells when it leaves.

        Raises:
            DialfeedError: The platform will not take anything any more; this batch was not stored.
        """
        ...

    async def count(self) -> int | None:
        """The list's count now; None where the platform does not tell.

        Raises:
            FixConnection: The platform cannot be asked now.
            DialfeedError: It cannot be asked any more.
        """
        ...


@dataclass(frozen=True, slots=True)
class Permit:
    """One request may start.

    Attributes:
        taken_at: Since when, on the clock of the one who took it.
        mark: What the budget calls this start.
    """

    taken_at: float
    mark: str | float = ""


class Pace(Protocol):
    """The budget of requests."""

    async def take(self) -> Permit:
        """Return when a request may start."""
        ...

    async def leave(self, permit: Permit) -> None:
        """The request is about to be written; who held it up since `take` is late, and counts from now on."""
        ...

    async def penalise(self, seconds: float) -> None:
        """Let nobody start for so long, and go slower after."""
        ...


class Clock(Protocol):
    """Time, so that a test can hold it."""

    def now(self) -> float:
        """Seconds that never run backwards."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Journal(Protocol):
    """What the run remembers. Nothing that a method tells is lost when the process dies after it returned."""

    def unfinished(self) -> tuple[list[Batch], list[Batch]]:
        """Of an earlier process: batches that may have been sent (outcome unknown), and batches still to send."""
        ...

    def stored(self) -> int:
        """How many contacts are known to be on the list through this run."""
        ...

    def stores_in_part(self) -> bool:
        """Whether the platform has been seen to store a part of a batch and to leave out the rest."""
        ...

    def requests(self, root: int) -> int:
        """How many batches `root` has been divided into so far."""
        ...

    def create(self, spans: tuple[Span, ...]) -> Batch:
        """A new batch; not durable before `opened`."""
        ...

    def waits(self, batch: Batch) -> None:
        """A new batch that others are sent before; as durable as they are."""
        ...

    def opened(self, batch: Batch) -> Batch:
        """About to be sent: from here on it may be on the list. Returns it with one attempt more."""
        ...

    async def synced(self) -> None:
        """Return when all that was told before also survives a power failure.

        Awaited before a batch leaves: an outcome that is forgotten is settled again, but a batch of which nobody
        knows that it was sent would be sent twice.
        """
        ...

    def delivered(self, batch: Batch, *, status: int | None, ids: Mapping[int, str], settled: str = "") -> None:
        """On the list, every contact of it; `settled` tells how that became known after a lost answer."""
        ...

    def absent(self, batch: Batch, *, cause: str, settled: str = "") -> None:
        """Not on the list, for certain; it waits to be sent."""
        ...

    def failed(self, batch: Batch, *, cause: str) -> None:
        """Not on the list, and given up."""
        ...

    def unknown(self, batch: Batch, *, cause: str, status: int | None) -> None:
        """May be on the list."""
        ...

    def suppressed(self, batch: Batch, found: Sequence[Suppression]) -> Batch | None:
        """Replace a batch that is not on its way by those who may still be sent, in one step; None if nobody may."""
        ...

    def divided(self, batch: Batch, parts: Parts) -> Division:
        """Replace a batch by its parts, in one step."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What becomes of the contacts of a batch whose answer was not the same for all of them.

    Attributes:
        delivered: Positions known to be stored.
        refused: Positions refused for good, with the platform's words.
        unknown: Positions that may be stored.
        unknown_stored: How many of `unknown` the platform says it stored without naming them.
        resend: Groups of positions that are not stored and are sent again, each as a batch.
        ids: The platform's ids by position.
        status: The answer's status.
        cause: Why, in a word.
    """

    status: int | None
    cause: str
    delivered: tuple[int, ...] = ()
    refused: Mapping[int, Words] | None = None
    unknown: tuple[int, ...] = ()
    unknown_stored: int | None = None
    resend: tuple[tuple[int, ...], ...] = ()
    ids: Mapping[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Division:
    """The batches that came out of `Journal.divided`."""

    unknown: Batch | None
    resend: tuple[Batch, ...]


class Observer(Protocol):
    """Hears of everything that happens during delivery; must not fail and must not wait."""

    def __call__(self, event: str, /, **facts: Any) -> None:
        """One event, for example ``batch.sent`` with its batch number and size."""
        ...


def unheard(event: str, /, **facts: Any) -> None:
    """An observer that does nothing."""
    del event, facts


def unwatched() -> None:
    """A batch leaves, and nobody wants to know."""
