"""A request as the platform sees it and its reply, both apart from any connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialfeed.sandbox.rules import FieldError

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        method: ``GET``, ``POST`` …
        path: The decoded path.
        query: The query's parameters.
        headers: The headers; look-ups ignore case.
        base: Scheme, host and port that the client asked for.
        body: The whole body, or what was read of it.
        oversized: Whether the body was larger than the platform takes; `body` is then cut short.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    base: str
    body: bytes = b""
    oversized: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered.

    Attributes:
        status: The HTTP status.
        body: The body, ready to send.
        headers: Headers beside ``Content-Type`` and those of the framing.
        content_type: The ``Content-Type``; empty sends none.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON

    @classmethod
    def json(cls, status: int, payload: object, headers: Mapping[str, str] | None = None) -> Reply:
        """A reply with a JSON body."""
        return cls(status, orjson.dumps(payload), headers or {})


class Refusal(Exception):
    """The platform does not do what was asked.

    Args:
        status: The HTTP status.
        code: A stable word for programs.
        message: A sentence for people.
        headers: Headers beside the usual ones.
        errors: Field errors, told in the form that the settings ask for.
        extra: Members to add to the JSON body.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.errors = tuple(errors)
        self.extra = dict(extra or {})
