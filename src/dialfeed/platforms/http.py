"""Talking HTTP to a platform: one request, once, with a plain account of how far it came.

The rest of the product never sees an HTTP library: its exceptions are translated here, in `_lost`, into whether
the request's body had left whole. That is what decides whether a contact may be on the list.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal
from urllib.parse import urlsplit

import aiohttp
import orjson

from dialfeed.delivery.ports import Clock, Leaving, Observer, Pace, Permit, unheard, unwatched
from dialfeed.delivery.retry import RetryPolicy, backoff, parse_retry_after
from dialfeed.errors import DialfeedError, FixConnection, FixSettings

_PIECE = 1 << 16
_ANSWER_LIMIT = 64 << 20
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer.

    Attributes:
        status: HTTP status.
        headers: Header fields, names in lower case; the values of one that came several times joined by commas.
        body: What came of the body.
        whole: Whether the body came to its announced end.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool = True

    @property
    def is_html(self) -> bool:
        """Whether this is a page for people: a proxy's or a sign-in page, not the platform's API."""
        return "html" in self.headers.get("content-type", "") or self.body.lstrip()[:9].lower().startswith(b"<!doctype")


class Lost(Exception):
    """A request without an answer.

    Args:
        cause: A few words, without addresses or personal data.
        sent: Whether the whole body had been handed to the connection.
    """

    def __init__(self, cause: str, *, sent: bool) -> None:
        super().__init__(cause)
        self.cause = cause
        self.sent = sent


class Held(Exception):
    """A request that was not to be written any more when its turn had come; nothing of it left."""


@dataclass(slots=True)
class _Upload:
    """A body that goes out in pieces (chunked transfer encoding), and knows whether all of it went."""

    body: bytes
    complete: bool = False

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body, piece by piece."""
        view = memoryview(self.body)
        for start in range(0, len(view), _PIECE):
            yield bytes(view[start : start + _PIECE])
        self.complete = True


@dataclass(slots=True)
class _Departure:
    """The permit of one request, until it is used, and who is told when it leaves."""

    pace: Pace
    permit: Permit | None
    leaving: Leaving
    held: bool = False

    async def now(self) -> None:
        """The request is about to be written: its connection is there, which may have taken a while.

        The HTTP library sends a GET a second time by itself when a kept connection turns out to be closed; that takes
        a second permit.

        Raises:
            Held: It may not leave any more.
        """
        permit, self.permit = self.permit, None
        await (self.pace.take() if permit is None else self.pace.leave(permit))
        self.held = True
        self.leaving()
        self.held = False


def _departures() -> aiohttp.TraceConfig:
    """Calls `_Departure.now` of every request before its first byte is written."""

    async def about_to_write(_: object, context: SimpleNamespace, __: object) -> None:
        await context.trace_request_ctx.now()

    config = aiohttp.TraceConfig()
    config.on_request_headers_sent.append(about_to_write)
    return config


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, and for a whole request from its first byte to the answer's last."""

    connect: float = 10.0
    total: float = 60.0


def check_url(url: str) -> str:
    """A base URL without a trailing slash.

    Raises:
        FixSettings: It is not an http(s) address, holds credentials, or is plain http to anything but loopback.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise FixSettings("The base URL must look like https://HOST.", advice="Set --base-url or CXONE_BASE_URL.")
    if parts.username or parts.password:
        raise FixSettings("The base URL holds credentials.", advice="Put them in the environment instead.")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise FixSettings(
            "Plain http:// would send contacts and the secret unprotected; it is allowed to this machine only.",
            advice="Use https:// in the base URL.",
        )
    return url.rstrip("/")


class Http:
    """HTTP to one platform.

    Args:
        base_url: Where it is; requests go to this host only, and redirects are not followed.
        pace: The budget that every request takes from.
        clock: Time.
        chance: Gives numbers in [0, 1) for jitter.
        timeouts: How long to wait.
        ca_file: A PEM file of certificates to trust instead of the system's.
        proxy: An HTTP proxy's URL.
        observe: Hears of every request when it has ended.
    """

    def __init__(
        self,
        base_url: str,
        *,
        pace: Pace,
        clock: Clock,
        chance: Callable[[], float],
        timeouts: Timeouts,
        ca_file: str | None = None,
        proxy: str | None = None,
        observe: Observer = unheard,
    ) -> None:
        self.base_url = check_url(base_url)
        self.pace = pace
        self.clock = clock
        self.observe = observe
        self._chance = chance
        self._timeouts = timeouts
        self._proxy = None if urlsplit(base_url).hostname in _LOOPBACK else proxy
        self._tls = _tls(ca_file)
        self._session: aiohttp.ClientSession | None = None
        self.server_date: str | None = None

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def url(self, path: str) -> str:
        """The address of a path; a whole URL must be on the base URL's host.

        Raises:
            FixConnection: It leads elsewhere, and the token would go with it.
        """
        if not path.startswith(("http://", "https://")):
            return f"{self.base_url}/{path.lstrip('/')}"
        if urlsplit(path)[:2] != urlsplit(self.base_url)[:2]:
            raise FixConnection(
                f"The platform leads to another host ({urlsplit(path).hostname}).",
                advice="If that is where it lives now, use that address as the base URL.",
            )
        return path

    async def once(
        self,
        method: str,
        path: str,
        *,
        kind: str,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        leaving: Leaving = unwatched,
    ) -> Reply:
        """One request, once.

        Args:
            method: Of HTTP.
            path: A path, or a whole URL on the same host.
            kind: What is asked for, in a word, for whoever observes.
            headers: Header fields.
            params: The query.
            form: A form to send.
            body: A body to send, in pieces.
            leaving: Told when it is about to be written; what it raises holds the request back, and is passed on.

        Raises:
            Lost: No answer came.
            Held: It might not leave any more when its turn had come.
            FixConnection: The server's certificate cannot be trusted.
        """
        upload = _Upload(body) if body is not None else None
        asked_at = self.clock.now()
        departure = _Departure(self.pace, await self.pace.take(), leaving)
        began_at, reply = self.clock.now(), None
        try:
            async with self._open().request(
                method,
                self.url(path),
                headers=headers,
                params=params,
                data=upload.pieces() if upload else form,
                allow_redirects=False,
                proxy=self._proxy,
                trace_request_ctx=departure,
            ) as response:
                content, whole = await _read(response)
                names = {name.lower(): ", ".join(response.headers.getall(name)) for name in response.headers}
                self.server_date = names.get("date", self.server_date)
                reply = Reply(response.status, names, content, whole)
                return reply
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise _lost(error, sent=upload is None or upload.complete) from None
        finally:
            if not departure.held:
                self._tell(kind, reply, took=self.clock.now() - began_at, waited=began_at - asked_at)

    def _tell(self, kind: str, reply: Reply | None, *, took: float, waited: float) -> None:
        self.observe(
            "request.done",
            kind=kind,
            outcome=_outcome(reply),
            status=reply.status if reply else None,
            seconds=round(took, 4),
            waited=round(waited, 4),
        )

    async def steadily(
        self, method: str, path: str, *, retries: int = 2, headers: Mapping[str, str], **request: Any
    ) -> Reply:
        """A request that changes nothing, repeated until there is an answer to it.

        Server errors and lost answers are tried again after a back-off; a 429 is waited for, by everybody.

        Raises:
            FixConnection: No usable answer after `retries` repetitions.
        """
        throttles = 0
        attempt = 0
        while True:
            try:
                reply = await self.once(method, path, headers=headers, **request)
            except Lost as lost:
                trouble = lost.cause
            else:
                if reply.status == 429 and throttles < RetryPolicy().max_retries * 4:
                    throttles += 1
                    await self.pace.penalise(self.pause_of(reply))
                    continue
                if reply.status < 500 and reply.whole:
                    return reply
                trouble = f"it answered with HTTP {reply.status}" if reply.whole else "its answer was cut off"
            if attempt >= retries:
                raise FixConnection(
                    f"The platform at {self.host} does not answer as it should: {trouble}.",
                    advice="Check the base URL and the network, then try again.",
                )
            await self.clock.sleep(backoff(attempt, jitter=self._chance()))
            attempt += 1

    @property
    def host(self) -> str:
        """Host and port, for messages."""
        return urlsplit(self.base_url).netloc

    def pause_of(self, reply: Reply) -> float:
        """How long a 429 or 503 asks us to wait, in seconds, whatever form it says it in."""
        return parse_retry_after(
            reply.headers.get("retry-after"),
            now=time.time(),
            body_value=_retry_after_in(reply.body),
            server_date=reply.headers.get("date"),
        )

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._timeouts.total, sock_connect=self._timeouts.connect)
            self._session = aiohttp.ClientSession(
                timeout=timeout,
                connector=aiohttp.TCPConnector(limit=0, ssl=self._tls),
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=[_departures()],
            )
        return self._session


def _outcome(reply: Reply | None) -> str:
    """What a request came to, in a word."""
    if reply is None or not reply.whole:
        return "lost"
    if reply.status == 429:
        return "throttled"
    if reply.status >= 500:
        return "failed"
    return "ok" if reply.status < 300 else "refused"


async def _read(response: aiohttp.ClientResponse) -> tuple[bytes, bool]:
    """The body as far as it comes, and whether it came to its end."""
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in response.content.iter_any():
            pieces.append(piece)
            size += len(piece)
            if size > _ANSWER_LIMIT:
                return b"".join(pieces), False
    except (aiohttp.ClientError, OSError, TimeoutError):
        return b"".join(pieces), False
    return b"".join(pieces), True


def _retry_after_in(body: bytes) -> object:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return data.get("retry_after", data.get("retryAfter")) if isinstance(data, dict) else None


def _tls(ca_file: str | None) -> ssl.SSLContext | Literal[True]:
    """What certificates are trusted; `True` for the system's, which the library has loaded already."""
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise FixSettings(f"The certificate file cannot be read ({error.strerror or error}).") from None


def _lost(error: Exception, *, sent: bool) -> DialfeedError | Lost:
    """An HTTP library's exception in our words.

    Only failures to connect are certain to have sent nothing; for all others it depends on whether the body had
    been handed over whole.
    """
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return FixConnection(
            "The server's certificate cannot be verified, so nothing was sent.",
            advice="Check the base URL; for a private certificate authority name its file with --ca-file.",
        )
    if isinstance(error, aiohttp.InvalidURL):
        return FixSettings("The base URL is not a valid address.", advice="Set --base-url or CXONE_BASE_URL.")
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return Lost("no connection could be made", sent=False)
    if isinstance(error, TimeoutError):
        return Lost("no answer in time", sent=sent)
    if isinstance(error, aiohttp.ClientResponseError | ValueError):
        return Lost("the answer is not HTTP", sent=sent)
    return Lost("the connection was cut", sent=sent)
