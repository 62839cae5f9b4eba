"""A signed webhook as a sink: one POST a batch of events, for every ending of a run.

Signed as Standard Webhooks 1.0 says (https://www.standardwebhooks.com, "Signature scheme"): HMAC-SHA-256 over
`id.timestamp.body`, in Base64 behind `v1,`; so receivers have libraries that verify it. `docs/sinks.md` tells how.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

import aiohttp
import orjson

from dialfeed._version import __version__
from dialfeed.audit.sinks.addresses import SinkAddress
from dialfeed.audit.sinks.base import Acknowledged, Answer, Event, Later, Reached, Refused
from dialfeed.delivery.retry import parse_retry_after
from dialfeed.errors import FixSettings

_SHORTEST_KEY: Final = 24
"""Bytes of a key at least, by the standard."""
_PREFIX: Final = "whsec_"
_WAIT_AND_REPEAT: Final = frozenset({408, 425, 429, 502, 503, 504})
_NOT_FOR_US: Final = frozenset({401, 403, 404, 405, 410})
"""Answers that have nothing to do with what the body says."""


def read_keys(address: SinkAddress, secret: str | None) -> list[bytes]:
    """The keys to sign with: one, or several with blanks between while the receiver changes over.

    Raises:
        FixSettings: There is none, or one is too short.
    """
    variable = address.variable("SECRET")
    if not secret:
        raise FixSettings(
            f"The webhook {address.name!r} has no key to sign with.",
            advice=f"Set {variable}, to whsec_ and the Base64 of {_SHORTEST_KEY} or more random bytes.",
        )
    try:
        keys = [_key(part) for part in secret.split()]
    except (binascii.Error, ValueError):
        raise FixSettings(f"{variable} is not Base64 after {_PREFIX}.", advice="Copy the key again.") from None
    if any(len(key) < _SHORTEST_KEY for key in keys):
        raise FixSettings(f"{variable} is too short.", advice=f"Take {_SHORTEST_KEY} random bytes or more.")
    return keys


def _key(text: str) -> bytes:
    return base64.b64decode(text[len(_PREFIX) :], validate=True) if text.startswith(_PREFIX) else text.encode()


def sign(keys: Sequence[bytes], delivery: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature for each key.

    Args:
        keys: The keys.
        delivery: The header `webhook-id`.
        timestamp: The header `webhook-timestamp`: seconds since 1970 UTC.
        body: The body, byte for byte.
    """
    signed = f"{delivery}.{timestamp}.".encode() + body
    digests = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


class WebhookSink:
    """A webhook (`dialfeed.audit.sinks.base.Sink`).

    Args:
        address: Where it is.
        keys: What it is signed with.
        token: A bearer token, if it wants one.
        query: What stands behind `?`, if anything does.
        timeout: Seconds for one delivery.
        proxy: An HTTP proxy.
        now: Gives the time in UTC.
    """

    most = 100
    linger = 1.0

    def __init__(
        self,
        address: SinkAddress,
        keys: Sequence[bytes],
        *,
        token: str | None,
        query: str | None,
        timeout: float,
        proxy: str | None,
        now: Callable[[], datetime],
    ) -> None:
        self._url = address.plain + (f"?{query.lstrip('?')}" if query else "")
        self._keys = keys
        self._authorization = {"Authorization": f"Bearer {token}"} if token else {}
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._proxy = None if address.scheme == "http" else proxy
        self._now = now
        self._runner: asyncio.Runner | None = None
        self._session: aiohttp.ClientSession | None = None

    def send(self, events: Sequence[Event]) -> Answer:
        """Post one delivery (see `Sink.send`)."""
        self._runner = self._runner or asyncio.Runner()
        return self._runner.run(self._post(events))

    def probe(self) -> Reached | Later:
        """Ask what it takes, unsigned and without the token (see `Sink.probe`)."""
        self._runner = self._runner or asyncio.Runner()
        try:
            return self._runner.run(self._asked())
        finally:
            self.close()

    def close(self) -> None:
        """Let the connection go."""
        runner, self._runner = self._runner, None
        session, self._session = self._session, None
        if runner is not None:
            with runner, suppress(aiohttp.ClientError, OSError):
                if session is not None:
                    runner.run(session.close())

    async def _post(self, events: Sequence[Event]) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        body = delivery_body(events)
        now = self._now()
        headers = self._headers(delivery_id(events), int(now.timestamp()), body)
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False, proxy=self._proxy
            ) as reply:
                return judge(reply.status, reply.headers, events, now.timestamp())
        except TimeoutError:
            return Later("no answer in time")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Later(f"the connection fails ({_kind(error)})")

    async def _asked(self) -> Reached | Later:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        try:
            async with self._session.options(self._url, allow_redirects=False, proxy=self._proxy) as reply:
                if reply.status in {502, 503, 504}:
                    return Later(f"it answers with status {reply.status}")
                return Reached("it answers; whether it takes the signature shows with the first event")
        except TimeoutError:
            return Later("no answer in time")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Later(f"the connection fails ({_kind(error)})")

    def _headers(self, delivery: str, timestamp: int, body: bytes) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "User-Agent": f"dialfeed/{__version__}",
            "webhook-id": delivery,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(self._keys, delivery, timestamp, body),
            **self._authorization,
        }


def delivery_id(events: Sequence[Event]) -> str:
    """What a delivery is known by; the same for every attempt."""
    return f"{events[0].run}.{events[0].n}-{events[-1].n}.{events[-1].hash[:16]}"


def delivery_body(events: Sequence[Event]) -> bytes:
    """The body; events stand in it as they stand in the trail, byte for byte, and every attempt has the same."""
    ended = [event for event in events if event.name == "run.finished"]
    envelope: dict[str, Any] = {
        "type": "run.finished" if ended else "audit.events",
        "timestamp": events[-1].time,
        "data": {
            "run": events[0].run,
            "first": events[0].n,
            "last": events[-1].n,
            "status": ended[-1].facts.get("status") if ended else None,
            "events": [orjson.Fragment(event.line) for event in events],
        },
    }
    return orjson.dumps(envelope)


def judge(status: int, headers: Mapping[str, str], events: Sequence[Event], now: float) -> Answer:
    """What an answer means.

    2xx acknowledges. 408, 425, 429, 502, 503 and 504 ask for time. Any other 4xx refuses the events. Anything else may
    be a fault over what they say.
    """
    if 200 <= status < 300:
        return Acknowledged(events[-1].n)
    asked = headers.get("Retry-After")
    after = None if asked is None else parse_retry_after(asked, now=now, server_date=headers.get("Date"))
    told = f"it answers with status {status}"
    if status in _WAIT_AND_REPEAT or 300 <= status < 400:
        return Later(told, after)
    if 400 <= status < 500:
        return Refused(told, whole=status in _NOT_FOR_US)
    return Later(told, after, suspect=True)


def _kind(error: Exception) -> str:
    """The kind of a failure; its words may hold the address."""
    cause = getattr(error, "os_error", None) or error
    return type(cause).__name__
