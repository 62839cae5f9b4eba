"""One request on one connection: reading it, doing its work, answering it, and cutting it off."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from aiohttp import HttpVersion11, web

from dialfeed.sandbox import answers
from dialfeed.sandbox.reply import Call, Refusal, Reply
from dialfeed.sandbox.routes import Route, Work, perform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialfeed.sandbox.faults import Fault
    from dialfeed.sandbox.state import State

RESET = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
"""Linger for no time: closing the socket then sends a TCP reset."""


@dataclass(frozen=True, slots=True)
class Connections:
    """What concerns all connections of a server.

    Attributes:
        stopping: Set when the server stops; nothing waits longer than that.
        doomed: Connections that are cut when the next request arrives on them; true means with a reset.
    """

    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    doomed: WeakKeyDictionary[asyncio.BaseTransport, bool] = field(default_factory=WeakKeyDictionary)


class Cut(Exception):
    """The exchange ends without (the rest of) an answer."""


class Exchange:
    """A request to a platform route and what comes back.

    Args:
        request: The request with its connection.
        state: The organisation.
        route: Where it goes.
        connections: What concerns all connections of the server.

    Attributes:
        ordinal: Its number among the requests to the route's target; 0 as long as it was not let through.
    """

    def __init__(self, request: web.BaseRequest, state: State, route: Route, connections: Connections) -> None:
        self.request = request
        self.state = state
        self._route = route
        self.ordinal = 0
        self._connections = connections
        self._body = b""
        self._oversized = False

    # --- coming in ----------------------------------------------------------------------------------------------------

    async def read(self) -> None:
        """Read the whole body; what is larger than the platform takes is read and thrown away.

        Raises:
            Cut: The client has gone, or its framing is broken.
        """
        await self._tell_to_go_on()
        limit, size, pieces = self.state.settings.max_body_bytes, 0, []
        try:
            async for piece in self.request.content.iter_any():
                size += len(piece)
                if size <= limit:
                    pieces.append(piece)
        except (ConnectionError, web.RequestPayloadError) as error:
            raise self.cut() from error
        self._oversized = size > limit
        self._body = b"".join(pieces)

    async def read_some(self, size: int) -> None:
        """Read at least so many bytes of the body, or all of it if it is shorter."""
        await self._tell_to_go_on()
        try:
            while size > 0 and (piece := await self.request.content.readany()):
                size -= len(piece)
        except (ConnectionError, web.RequestPayloadError) as error:
            raise self.cut() from error

    async def _tell_to_go_on(self) -> None:
        """Answer ``Expect: 100-continue``, with which clients ask before they send a large body."""
        request = self.request
        if request.version == HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0  # the answer itself has not begun

    # --- the work -----------------------------------------------------------------------------------------------------

    def perform(self, fault: Fault | None = None) -> Reply:
        """Do what the request asks for; needs the body to be read.

        Args:
            fault: A fault that bends the storing itself.
        """
        request = self.request
        call = Call(
            method=request.method,
            path=request.path,
            query=request.query,
            headers=request.headers,
            base=f"{request.scheme}://{request.host}",
            body=self._body,
            oversized=self._oversized,
        )
        work = Work(self.state, call, self._route.key, self.ordinal, fault, self.state.now())
        return perform(self._route, work)

    async def pause(self, seconds: float | None) -> None:
        """Wait; without a number as long as the server runs.

        Raises:
            Cut: The server stops.
        """
        try:
            await asyncio.wait_for(self._connections.stopping.wait(), seconds)
        except TimeoutError:
            return
        raise self.cut()

    # --- going out ----------------------------------------------------------------------------------------------------

    def refuse(self, refused: Refusal) -> web.Response:
        """The answer to what the platform does not do."""
        return self.respond(answers.refusal(refused, self.state.settings))

    def respond(self, reply: Reply) -> web.Response:
        """A reply, ready to be sent by the server."""
        return web.Response(status=reply.status, body=reply.body or None, headers=self.headers(reply))

    def headers(self, reply: Reply) -> Mapping[str, str]:
        """The reply's headers with those that every answer has; ``Date`` tells the platform's own clock."""
        date = formatdate(self.state.server_time(), usegmt=True)
        shared = {"Date": date, "Server": "dialfeed-sandbox", **reply.headers}
        return {**shared, "Content-Type": reply.content_type} if reply.content_type else shared

    def cut(self, *, reset: bool = False) -> Cut:
        """End the connection now.

        Args:
            reset: With a TCP reset instead of an orderly close.

        Returns:
            The exception that ends the exchange; for the caller to raise.
        """
        transport = self.request.transport
        if transport is not None and reset:
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            transport.abort()
        elif transport is not None:
            transport.close()
        return Cut("the connection was cut")

    def cut_if_doomed(self) -> None:
        """End the connection if an earlier answer on it asked for that.

        Raises:
            Cut: It did.
        """
        transport = self.request.transport
        reset = self._connections.doomed.pop(transport, None) if transport else None
        if reset is not None:
            raise self.cut(reset=reset)

    def doom(self, *, reset: bool) -> None:
        """Let the connection be cut when the next request arrives on it."""
        if self.request.transport is not None:
            self._connections.doomed[self.request.transport] = reset
