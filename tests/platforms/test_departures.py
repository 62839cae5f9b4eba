"""Every request that goes out has a permit of its own, and counts from when it goes out."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from client_world import people, wire

from dialfeed.delivery.answers import Accepted, Answer, HeldBack
from dialfeed.errors import CheckFile
from dialfeed.platforms.cxone.client import CxonePlatform

CONNECTING = 0.2


def test_a_request_counts_from_when_its_connection_is_there(rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = aiohttp.TCPConnector._create_connection

    async def slowly(*arguments: Any, **named: Any) -> Any:
        await asyncio.sleep(CONNECTING)
        return await connect(*arguments, **named)

    monkeypatch.setattr(aiohttp.TCPConnector, "_create_connection", slowly)

    async def work(client: CxonePlatform) -> None:
        await client.sign_in()
        assert isinstance(await client.send(rig.list_id, wire(people(1))), Accepted)

    rig.world.ask(work)
    signing_in, sending = rig.world.pace.held_up
    assert signing_in >= CONNECTING
    assert sending < CONNECTING, "its connection was kept"


def test_a_request_that_the_http_library_repeats_takes_a_second_permit(rig: Any) -> None:
    """A GET on a kept connection that turns out to be closed is sent again without our asking."""
    rig.strike("close_on_next", target="count", every=1)

    async def work(client: CxonePlatform) -> list[int | None]:
        return [(await client.contact_list(rig.list_id)).count for _ in range(4)]

    assert rig.world.ask(work) == [0] * 4
    arrived = sum(sum(each.values()) for each in rig.sandbox.stats(tally=False)["requests"].values())
    assert arrived > 1 + 4, "some were repeated"
    assert len(rig.world.pace.starts) == arrived


def test_a_batch_that_may_not_leave_any_more_when_its_turn_has_come_is_not_written(rig: Any) -> None:
    """It is asked about at the last moment, behind the wait for a permit and for a connection."""
    asked: list[float] = []

    def may_leave() -> bool:
        asked.append(len(rig.world.pace.held_up))
        return len(asked) > 1

    async def work(client: CxonePlatform) -> list[Answer]:
        await client.sign_in()
        return [await client.send(rig.list_id, wire(people(3), may_leave=may_leave)) for _ in range(2)]

    held, sent = rig.world.ask(work)
    assert isinstance(held, HeldBack)
    assert isinstance(sent, Accepted)
    assert len(rig.sandbox.contacts(rig.list_id)) == 3
    assert asked == [2, 3], "when the permit had been used"


def test_what_stops_a_batch_at_the_last_moment_stops_the_run(rig: Any) -> None:
    def may_leave() -> bool:
        raise CheckFile("Nobody can say.")

    async def work(client: CxonePlatform) -> None:
        await client.send(rig.list_id, wire(people(3), may_leave=may_leave))

    with pytest.raises(CheckFile, match="Nobody can say"):
        rig.world.ask(work)
    assert rig.sandbox.contacts(rig.list_id) == []
