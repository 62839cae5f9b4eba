"""Every request that goes out has a permit of its own, and counts from when it goes out."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from client_world import people, wire

from dialfeed.delivery.answers import Accepted
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
