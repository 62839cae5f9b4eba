"""What happens to each request that arrives: counted, limited, struck by faults, answered, counted again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from aiohttp import web

from dialfeed.sandbox import answers, control
from dialfeed.sandbox.exchange import Connections, Cut, Exchange
from dialfeed.sandbox.inject import play
from dialfeed.sandbox.routes import Route, find_route
from dialfeed.sandbox.traffic import CUT

if TYPE_CHECKING:
    from dialfeed.sandbox.faults import Fault
    from dialfeed.sandbox.state import State


_log = logging.getLogger(__name__)


class Service:
    """The handler of all requests, of the platform and of the control plane.

    Attributes:
        state: The organisation.
        connections: What concerns all connections.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.connections = Connections()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.path.startswith(control.PREFIX):
            return await control.handle(request, self.state)
        now = self.state.now()
        route = find_route(request.method, request.path, self.state.settings)
        traffic, status = self.state.traffic, CUT
        traffic.arrive(route.target, now)
        try:
            response = await self._answer(request, route, now)
            status = str(response.status)
        except Cut:
            return web.Response()  # never sent: the connection is closed
        except Exception:  # a mistake of the sandbox's own must be seen, and must not look like an injected fault
            _log.exception("The sandbox failed at %s.", route.label)
            raise
        finally:
            traffic.leave(route.target, route.label, status)
        return response

    async def _answer(self, request: web.BaseRequest, route: Route, now: float) -> web.StreamResponse:
        exchange = Exchange(request, self.state, route, self.connections)
        exchange.cut_if_doomed()
        wait = 0.0 if route.target == "token" else self.state.traffic.limiter.wait_needed(now, self._limit)
        if wait:
            await exchange.read()
            return exchange.refuse(answers.too_many(self.state.settings.retry_after, wait, self.state.server_time()))
        strike = self.state.injector.strike(route.target)
        exchange.ordinal = strike.ordinal
        for fault in strike.beside:
            self._happen_beside(fault, route, now)
        if strike.shape:
            return await play(exchange, strike.shape)
        return await self._answer_well(exchange)

    @property
    def _limit(self) -> int | None:
        return self.state.settings.rate_limit

    async def _answer_well(self, exchange: Exchange) -> web.StreamResponse:
        await exchange.read()
        reply = exchange.perform()
        if self.state.settings.latency_s:
            await exchange.pause(self.state.settings.latency_s)
        return exchange.respond(reply)

    def _happen_beside(self, fault: Fault, route: Route, now: float) -> None:
        if fault.kind == "revoke_tokens":
            self.state.tokens.clear()
        else:
            self.state.other_writer(fault, route.key, now)
