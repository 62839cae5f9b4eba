"""A 429 says in many forms how long to wait; each is understood, and holds for everybody."""

from __future__ import annotations

import asyncio
from itertools import permutations
from typing import Any

import pytest
from client_world import ClientWorld, people, raw_server, told, wire

from dialfeed.delivery.answers import Throttled

FORMS = [
    # the form, the seconds that are meant → from, up to
    ("seconds", 30.0, 30.0, 30.0),
    ("decimals", 2.5, 2.5, 2.5),
    ("date", 30.0, 29.0, 31.0),
    ("list", 30.0, 120.0, 120.0),
    ("garbage", 30.0, 5.0, 5.0),
    ("absent", 30.0, 5.0, 5.0),
    ("body", 12.5, 12.5, 12.5),
    ("past_date", 30.0, 0.5, 0.5),
    ("huge", 30.0, 300.0, 300.0),
    ("negative", 30.0, 0.5, 0.5),
]


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("case", FORMS, ids=[form[0] for form in FORMS])
def test_every_form_is_understood(rig: Any, case: tuple[str, float, float, float], early: bool) -> None:
    form, seconds, least, most = case
    rig.strike("rate_limited", retry_after=form, seconds=seconds, early=early)
    answer = rig.send()
    assert isinstance(answer, Throttled)
    assert least <= answer.pause <= most
    assert rig.stored == 0


@pytest.mark.parametrize("skew", [-86_400.0, 86_400.0])
def test_a_date_is_measured_by_the_platforms_own_clock(make_rig: Any, skew: float) -> None:
    rig = make_rig(clock_skew_s=skew)
    rig.strike("rate_limited", retry_after="date", seconds=30.0)
    answer = rig.send()
    assert isinstance(answer, Throttled)
    assert 29.0 <= answer.pause <= 31.0


@pytest.mark.parametrize("form", [form[0] for form in FORMS])
def test_the_platforms_own_limit_is_told_in_every_form(make_rig: Any, form: str) -> None:
    rig = make_rig(rate_limit=2, retry_after=form)

    async def work(client: Any) -> list[Any]:
        return [await client.send(rig.list_id, wire(people(1, number))) for number in range(3)]

    *_, third = rig.world.ask(work)
    assert isinstance(third, Throttled)
    assert 0.0 < third.pause <= 300.0


@pytest.mark.parametrize("waits", [*permutations(("30", "120", "soon"))])
def test_of_several_header_lines_the_longest_wait_counts(waits: tuple[str, ...]) -> None:
    """As two proxies make it that do not join what they say."""

    def say(head: bytes) -> bytes:
        if b"oauth" in head:
            return told("200 OK", '{"access_token": "t", "expires_in": 3600}')
        return told("429 Too Many Requests", "", "".join(f"Retry-After: {wait}\r\n" for wait in waits))

    async def do() -> Any:
        async with raw_server(say) as url, ClientWorld(url).client() as client:
            return await client.send("1", wire(people(1)))

    assert asyncio.run(do()) == Throttled(120.0)
