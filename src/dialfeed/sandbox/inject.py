"""How each kind of fault is played on a connection; one small function a kind (`faults.FAULT_KINDS`)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from aiohttp import web

from dialfeed.sandbox import answers
from dialfeed.sandbox.reply import Refusal, Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dialfeed.sandbox.exchange import Exchange
    from dialfeed.sandbox.faults import Fault

Player: TypeAlias = "Callable[[Exchange, Fault], Awaitable[web.StreamResponse]]"

PIECES_A_SECOND = 100
"""A trickle is cut into no more pieces than this, since an event loop cannot sleep much shorter."""

PAGE = "<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"


async def play(exchange: Exchange, fault: Fault) -> web.StreamResponse:
    """Let a fault happen.

    Raises:
        Cut: The exchange ends without an answer.
    """
    return await PLAYERS[fault.kind](exchange, fault)


async def _read_and_maybe_do(exchange: Exchange, fault: Fault) -> None:
    """Read the request, unless the answer comes early; do its work if that is to happen before the fault shows."""
    if not fault.early or fault.writes:
        await exchange.read()
    if fault.writes:
        exchange.perform()


async def _status(exchange: Exchange, fault: Fault) -> web.StreamResponse:
    await _read_and_maybe_do(exchange, fault)
    form = fault.retry_after or "absent"
    headers, extra = answers.retry_after(form, _seconds(fault), exchange.state.server_time())
    status = fault.status_or_default
    return exchange.refuse(Refusal(status, "injected", f"Injected status {status}.", headers=headers, extra=extra))


async def _rate_limited(exchange: Exchange, fault: Fault) -> web.StreamResponse:
    await _read_and_maybe_do(exchange, fault)
    form = fault.retry_after or "seconds"
    return exchange.refuse(answers.too_many(form, _seconds(fault), exchange.state.server_time()))


def _seconds(fault: Fault) -> float:
    return fault.seconds_or_default or 1.0


async def _cut_during_upload(exchange: Exchange, fault: Fault) -> web.StreamResponse:
    await exchange.read_some(fault.size_or_default)
    raise exchange.cut(reset=bool(fault.reset))


async def _cut_after_upload(exchange: Exchange, fault: Fault) -> web.StreamResponse:
    await _read_and_maybe_do(exchange, fault)
    raise exchange.cut(reset=bool(fault.reset))


async def _stall(exchange: Exchange, fault: Fault) -> web.StreamResponse:
    await _read_and_maybe_do(exchange, fault)
    await exchange.pause(fault.seconds_or_default)
    raise exchange.cut()


async def _delay(exchange: Exchange, fault: Fault) -> web.StreamResponse:
    await exchange.read()
    if not fault.writes:
        await exchange.pause(_seconds(fault))
    reply = exchange.perform()
    if fault.writes:
        await exchange.pause(_seconds(fault))
    return exchange.respond(reply)


async def _trickle(exchange: Exchange, fault: Fault) -> web.StreamResponse:
    await exchange.read()
    reply = exchange.perform()
    response = await _begin(exchange, reply, len(reply.body))
    seconds = _seconds(fault)
    most = max(1, int(seconds * PIECES_A_SECOND))
    size = max(fault.size_or_default, math.ceil(len(reply.body) / most), 1)
    pieces = [reply.body[start : start + size] for start in range(0, len(reply.body), size)]
    for piece in pieces:
        await response.write(piece)
        await exchange.pause(seconds / len(pieces))
    return response


async def _begin(exchange: Exchange, reply: Reply, length: int) -> web.StreamResponse:
    """Send the headers of a reply, with a body of `length` bytes announced."""
    response = web.StreamResponse(status=reply.status, headers=exchange.headers(reply))
    response.content_length = length
    await response.prepare(exchange.request)
    return response


async def _redirect(exchange: Exchange, fault: Fault) -> web.StreamResponse:
    await _read_and_maybe_do(exchange, fault)
    headers = {"Location": "/elsewhere" if fault.location is None else fault.location}
    return exchange.respond(Reply(fault.status_or_default, headers=headers, content_type=""))


async def _html(exchange: Exchange, fault: Fault) -> web.StreamResponse:
    await _read_and_maybe_do(exchange, fault)
    status = fault.status_or_default
    page = PAGE.format(title="Down for maintenance" if status == 200 else f"{status} Bad Gateway")
    return exchange.respond(Reply(status, page.encode(), content_type="text/html; charset=utf-8"))


async def _truncated_json(exchange: Exchange, fault: Fault) -> web.StreamResponse:  # noqa: ARG001  every player has this shape
    await exchange.read()
    reply = exchange.perform()
    half = reply.body[: len(reply.body) // 2]
    return exchange.respond(Reply(reply.status, half, reply.headers, reply.content_type))


async def _wrong_length(exchange: Exchange, fault: Fault) -> web.StreamResponse:
    await exchange.read()
    reply = exchange.perform()
    response = await _begin(exchange, reply, len(reply.body) + fault.size_or_default)
    await response.write(reply.body)
    raise exchange.cut()


async def _close_after_answer(exchange: Exchange, fault: Fault) -> web.StreamResponse:  # noqa: ARG001  every player has this shape
    await exchange.read()
    response = exchange.respond(exchange.perform())
    await response.prepare(exchange.request)
    await response.write_eof()
    exchange.cut()
    return response


async def _close_on_next(exchange: Exchange, fault: Fault) -> web.StreamResponse:
    await exchange.read()
    exchange.doom(reset=bool(fault.reset))
    return exchange.respond(exchange.perform())


async def _bend(exchange: Exchange, fault: Fault) -> web.StreamResponse:
    """Kinds that bend the storing itself are played by the route."""
    await exchange.read()
    return exchange.respond(exchange.perform(fault))


PLAYERS: dict[str, Player] = {
    "status": _status,
    "rate_limited": _rate_limited,
    "cut_during_upload": _cut_during_upload,
    "cut_after_upload": _cut_after_upload,
    "stall": _stall,
    "delay": _delay,
    "trickle": _trickle,
    "redirect": _redirect,
    "html": _html,
    "truncated_json": _truncated_json,
    "wrong_length": _wrong_length,
    "close_after_answer": _close_after_answer,
    "close_on_next": _close_on_next,
    "short_answer": _bend,
    "partial_store": _bend,
    "delayed_write": _bend,
}
"""The player of every kind that shapes an answer."""
