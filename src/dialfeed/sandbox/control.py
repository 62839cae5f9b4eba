"""The control plane under ``/_sandbox/``: reset, seed, look inside, break things. Needs no token; loopback only.

| request | does |
| --- | --- |
| ``POST /_sandbox/reset`` | forgets lists, tokens, jobs, traffic and faults, and goes back to the first settings |
| ``POST /_sandbox/seed`` | makes contact lists: ``{"lists": [{"name", "id"?, "count"?}], "many"?: 300}`` |
| ``GET /_sandbox/stats`` | tells what happened; ``?tally=0`` leaves out what needs a walk over all contacts |
| ``GET /_sandbox/lists/{id}/contacts`` | stored contacts with their ids in order of storing, as NDJSON |
| ``GET``, ``PUT /_sandbox/faults`` | the fault plan (`faults`) |
| ``GET``, ``PUT /_sandbox/settings`` | the settings; PUT changes those that it names |
| ``GET /_sandbox/coverage`` | what is emulated and what is not |
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson
from aiohttp import web

from dialfeed.sandbox.coverage import coverage
from dialfeed.sandbox.faults import FaultPlan
from dialfeed.sandbox.reply import Refusal, Reply
from dialfeed.sandbox.store import Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dialfeed.sandbox.state import State

PREFIX = "/_sandbox/"
LOOPBACK = re.compile(r"127\..*|::1|::ffff:127\..*")
_CONTACTS = re.compile(PREFIX + "lists/([^/]+)/contacts")

Order: TypeAlias = "Callable[[State, object], object]"
"""A route of the control plane: takes the state and the JSON that came, gives the JSON to answer."""


async def handle(request: web.BaseRequest, state: State) -> web.StreamResponse:
    """Answer a request to the control plane."""
    try:
        _check_loopback(request)
        found = _CONTACTS.fullmatch(request.path)
        if found and request.method == "GET":
            return await _stream_contacts(request, state, found[1])
        if (request.method, request.path) == ("GET", PREFIX + "stats"):
            return _respond(Reply.json(200, await _stats(state, tally=request.query.get("tally") != "0")))
        return _respond(Reply.json(200, await _obey(request, state)))
    except Refusal as refused:
        return _respond(Reply.json(refused.status, {"error": refused.message}))
    except ValueError as error:
        return _respond(Reply.json(400, {"error": str(error)}))


def _respond(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, body=reply.body, headers={"Content-Type": reply.content_type})


def _check_loopback(request: web.BaseRequest) -> None:
    if not LOOPBACK.fullmatch(request.remote or ""):
        raise Refusal(403, "forbidden", "The control plane answers to this machine only.")


async def _obey(request: web.BaseRequest, state: State) -> object:
    order = _ORDERS.get((request.method, request.path.removeprefix(PREFIX)))
    if order is None:
        known = ", ".join(f"{method} {PREFIX}{name}" for method, name in _ORDERS)
        raise Refusal(404, "not.found", f"The control plane has {known}, GET {PREFIX}stats and the lists' contacts.")
    pieces = [piece async for piece in request.content.iter_any()]
    body = b"".join(pieces)
    try:
        data = orjson.loads(body) if body else None
    except orjson.JSONDecodeError:
        raise ValueError("The body is not valid JSON.") from None
    return order(state, data)


# --- orders -----------------------------------------------------------------------------------------------------------


def _reset(state: State, _data: object) -> object:
    state.reset()
    return {"reset": True}


def _seed(state: State, data: object) -> object:
    return {"ids": seed(state, data)}


def _get_faults(state: State, _data: object) -> object:
    return state.injector.plan.to_json()


def _put_faults(state: State, data: object) -> object:
    state.set_faults(FaultPlan.from_json(data))
    return state.injector.plan.to_json()


def _get_settings(state: State, _data: object) -> object:
    return state.settings.to_json()


def _put_settings(state: State, data: object) -> object:
    state.change(state.settings.changed(data))
    return state.settings.to_json()


def _coverage(_state: State, _data: object) -> object:
    return [{"feature": one.feature, "emulated": one.emulated, "note": one.note} for one in coverage()]


_ORDERS: dict[tuple[str, str], Order] = {
    ("POST", "reset"): _reset,
    ("POST", "seed"): _seed,
    ("GET", "faults"): _get_faults,
    ("PUT", "faults"): _put_faults,
    ("GET", "settings"): _get_settings,
    ("PUT", "settings"): _put_settings,
    ("GET", "coverage"): _coverage,
}


# --- seeding ----------------------------------------------------------------------------------------------------------


def seed(state: State, data: object) -> list[str]:
    """Make contact lists.

    Args:
        state: The organisation.
        data: ``{"lists": [{"name": "Spring", "id": "…", "count": 12}, …], "many": 300}``; the id and the count may be
            left out, and ``many`` makes so many lists more, named ``List 0001`` and so on.

    Returns:
        The ids of the lists in order.

    Raises:
        ValueError: One sentence that says what does not fit; no list is made then.
    """
    if not isinstance(data, dict) or data.keys() - {"lists", "many"}:
        raise ValueError("The seed must be a JSON object with 'lists' and 'many'.")
    lists, many = data.get("lists", []), data.get("many", 0)
    if not isinstance(lists, list) or type(many) is not int or many < 0:
        raise ValueError("'lists' must be a list and 'many' a whole number from 0.")
    wanted = [_read_list(one) for one in lists] + [(f"List {place:04d}", None, 0) for place in range(1, many + 1)]
    ids = [identity for _, identity, _ in wanted if identity]
    if len(set(ids)) < len(ids) or state.lists.keys() & set(ids):
        raise ValueError("Two contact lists cannot have the same id.")
    return [state.add_list(name, identity, count).identity for name, identity, count in wanted]


def _read_list(data: object) -> tuple[str, str | None, int]:
    if not isinstance(data, dict) or data.keys() - {"name", "id", "count"}:
        raise ValueError("A contact list must be a JSON object with 'name', and perhaps 'id' and 'count'.")
    name, identity, count = data.get("name"), data.get("id"), data.get("count", 0)
    if not isinstance(name, str) or not isinstance(identity, str | None):
        raise ValueError("'name' and 'id' of a contact list must be strings.")  # noqa: TRY004  the JSON has a wrong value
    if type(count) is not int or count < 0:
        raise ValueError("'count' of a contact list must be a whole number from 0.")
    return name, identity, count


# --- looking inside ---------------------------------------------------------------------------------------------------


async def _stats(state: State, *, tally: bool) -> dict[str, Any]:
    told = state.overview()
    batches = {identity: list(one.batches) for identity, one in state.lists.items()} if tally else {}
    for identity, stored in batches.items():
        walk = Walk()
        for batch in stored:
            walk.add(batch.contacts())
            await asyncio.sleep(0)  # a walk over a million contacts must not keep requests waiting
        told["lists"][identity] |= walk.tally().to_json()
    return told


async def _stream_contacts(request: web.BaseRequest, state: State, identity: str) -> web.StreamResponse:
    state.now()
    batches = list(state.find_list(identity).batches)
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    for batch in batches:
        await response.write(_lines(batch.contacts()))
    return response


def _lines(contacts: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(orjson.dumps(contact, option=orjson.OPT_APPEND_NEWLINE) for contact in contacts)
