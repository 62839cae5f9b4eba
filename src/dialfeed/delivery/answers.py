"""What one attempt to deliver a batch can come to, whatever the platform.

A platform's client turns its wire answer into one of these values; the delivery loop knows nothing else of
the platform. Positions count from 0 within the batch as it was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dialfeed.errors import DialfeedError


@dataclass(frozen=True, slots=True)
class Words:
    """The platform's own words about one refused contact.

    Attributes:
        code: Reason code of the catalogue (``refused.…``).
        text: What the platform said, shortened; may quote the contact, so it goes to row files only.
        field: The contact field that the platform named, or empty.
    """

    code: str
    text: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The platform took the batch.

    Attributes:
        refused: Contacts that it names as refused, by position.
        unaccounted: Positions that the answer does not account for; they may or may not be stored.
        stored_unnamed: How many of `unaccounted` the platform says it stored, without saying which; None if it
            says nothing about them.
        ids: The platform's ids by position, where it tells them.
    """

    refused: Mapping[int, Words] = field(default_factory=dict)
    unaccounted: tuple[int, ...] = ()
    stored_unnamed: int | None = None
    ids: Mapping[int, str] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True)
class Refused:
    """The platform stored nothing of the batch, and will not take it as it is (400, 409, 422).

    Attributes:
        contacts: The contacts it names, by position; empty when it names none.
        words: What it said about the batch as a whole.
    """

    contacts: Mapping[int, Words]
    words: Words
    status: int


@dataclass(frozen=True, slots=True)
class TooLarge:
    """The platform stored nothing: the body is larger than it takes (413)."""

    status: int = 413


@dataclass(frozen=True, slots=True)
class Throttled:
    """The platform stored nothing and asks for a pause (429)."""

    pause: float
    status: int = 429


@dataclass(frozen=True, slots=True)
class NotSent:
    """The body did not reach the platform whole, so nothing can have been stored."""

    cause: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Somebody in the batch has opted out while it waited for its turn, so nothing of it was written."""

    status: int | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """The body was sent and the answer is lost or says nothing reliable: stored or not, nobody knows.

    Attributes:
        cause: Why, in a few words.
        status: HTTP status, where there was one.
        pause: Seconds for which it wants no request of anybody, where the platform says so.
        ends: Why nothing more is to be sent, where that is so.
    """

    cause: str
    status: int | None = None
    pause: float | None = None
    ends: DialfeedError | None = None


Answer = Accepted | Refused | TooLarge | Throttled | NotSent | HeldBack | Unknown


def pause_asked(answer: Answer) -> float | None:
    """Seconds for which the platform wants no request of anybody; None where it says nothing of that."""
    return answer.pause if isinstance(answer, Throttled | Unknown) else None
