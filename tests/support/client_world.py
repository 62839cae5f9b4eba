"""A client of the platform with a pace that counts and a clock that hurries, for tests of single requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import polars as pl

from dialfeed.delivery.answers import Answer
from dialfeed.delivery.ports import Permit
from dialfeed.platforms.base import WireContacts
from dialfeed.platforms.cxone.client import CxonePlatform, Dialect
from dialfeed.platforms.cxone.codec import JsonCodec
from dialfeed.platforms.cxone.tokens import Credentials
from dialfeed.platforms.http import Http, Timeouts

Made = TypeVar("Made")
Work = Callable[[CxonePlatform], Awaitable[Made]]

MOST_NAPPED = 0.02
"""Seconds that a sleep of any length takes in reality."""


@dataclass
class Notes:
    """A pace that lets everybody through, and remembers who was told to wait for how long."""

    starts: list[float] = field(default_factory=list)
    held_up: list[float] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    async def take(self) -> Permit:
        self.starts.append(time.monotonic())
        return Permit(self.starts[-1])

    async def leave(self, permit: Permit) -> None:
        self.held_up.append(time.monotonic() - permit.taken_at)

    async def penalise(self, seconds: float) -> None:
        self.pauses.append(seconds)


@dataclass
class HurriedClock:
    """Sleeps next to nothing, and believes it was the whole time."""

    skipped: float = 0.0

    def now(self) -> float:
        return time.monotonic() + self.skipped

    async def sleep(self, seconds: float) -> None:
        real = min(seconds, MOST_NAPPED)
        self.skipped += seconds - real
        await asyncio.sleep(real)


def people(count: int, first: int = 0, **columns: str) -> pl.DataFrame:
    """So many made-up contacts, different in every identifier."""
    numbers = range(first, first + count)
    frame = pl.DataFrame(
        {
            "externalId": [f"C-{number:06}" for number in numbers],
            "phone": [f"+1212555{100 + number % 100:04}" for number in numbers],
            "email": [f"person{number}@example.com" for number in numbers],
            "doNotCall": [False] * count,
            "doNotEmail": [False] * count,
        }
    )
    return frame.with_columns(pl.lit(value).alias(name) for name, value in columns.items())


def wire(
    contacts: pl.DataFrame, *, wrapped: bool = False, may_leave: Callable[[], bool] = lambda: True
) -> WireContacts:
    """Contacts as one batch."""
    identities = contacts.select("externalId", "phone", "email")
    return WireContacts(body_of(contacts, JsonCodec(wrapped)), identities, may_leave)


def body_of(contacts: pl.DataFrame, codec: JsonCodec) -> bytes:
    """Contacts as the body of one request."""
    return codec.body(codec.between.join(text.encode() for text in codec.encode(contacts)))


@dataclass
class ClientWorld:
    """How a client is made that talks to `url`, and what it did.

    Attributes:
        url: The platform's base URL.
        secret: The client's secret.
        timeout: Seconds for a whole request.
        dialect: What differs from tenant to tenant.
    """

    url: str
    secret: str = "sandbox-secret"
    timeout: float = 5.0
    dialect: Dialect = field(default_factory=Dialect)
    ca_file: str | None = None
    pace: Notes = field(default_factory=Notes)
    clock: HurriedClock = field(default_factory=HurriedClock)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[CxonePlatform]:
        """A client, closed at the end."""
        http = Http(
            self.url,
            pace=self.pace,
            clock=self.clock,
            chance=lambda: 0.0,
            timeouts=Timeouts(self.timeout, self.timeout),
            ca_file=self.ca_file,
        )
        async with CxonePlatform(http, Credentials("sandbox-client", self.secret), self.dialect) as platform:
            yield platform

    def ask(self, work: Work[Made]) -> Made:
        """What comes of `work` with a new client."""

        async def do() -> Made:
            async with self.client() as platform:
                return await work(platform)

        return asyncio.run(do())

    def send(self, list_id: str, contacts: pl.DataFrame) -> Answer:
        """The answer to one batch."""
        return self.ask(lambda platform: platform.send(list_id, wire(contacts, wrapped=self.dialect.wrapped)))


@asynccontextmanager
async def raw_server(answer: Callable[[bytes], bytes | None]) -> AsyncIterator[str]:
    """A server that answers with the bytes that `answer` makes of a request's head; None cuts without an answer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if b"chunked" in head.lower():
                    await reader.readuntil(b"0\r\n\r\n")
                elif b"content-length: " in head.lower():
                    await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
                said = answer(head)
                if said is None:
                    break
                writer.write(said)
                await writer.drain()
                if b"Content-Length" not in said.split(b"\r\n\r\n")[0]:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def told(status: str, body: Any, headers: str = "Content-Type: application/json\r\n") -> bytes:
    """A whole HTTP answer."""
    content = body if isinstance(body, bytes) else str(body).encode()
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(content)}\r\n\r\n".encode() + content
