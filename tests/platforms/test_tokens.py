"""The token: one renewal at a time, in time, and the repeated request carries the new one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from client_world import ClientWorld, people, raw_server, told, wire

from dialfeed.delivery.answers import Accepted, Answer
from dialfeed.errors import DialfeedError, FixAccess, FixConnection
from dialfeed.platforms.cxone.client import Dialect
from dialfeed.sandbox import Fault, FaultPlan


async def send_many(client: Any, list_id: str, count: int, first: int = 0) -> list[Any]:
    """So many batches at once, and what came of each."""
    batches = [wire(people(5, first + 5 * number)) for number in range(count)]
    return await asyncio.gather(*(client.send(list_id, each) for each in batches), return_exceptions=True)


def token_stats(rig: Any) -> tuple[int, int, int]:
    """Requests for a token, tokens issued, and the most requests at once."""
    stats = rig.sandbox.stats(tally=False)
    return stats["tokens"]["requests"], stats["tokens"]["issued"], stats["max_concurrent"]["token"]


def test_many_workers_share_one_token(rig: Any) -> None:
    answers = rig.world.ask(lambda client: send_many(client, rig.list_id, 16))
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert token_stats(rig) == (1, 1, 1)


def test_a_token_is_renewed_before_it_expires(make_rig: Any) -> None:
    """With a life of 0.4 s none of many requests over 1 s is refused, and each renewal is one request."""
    rig = make_rig(token_ttl_s=0.4)

    async def work(client: Any) -> list[Any]:
        answers = []
        for number in range(20):
            answers += await send_many(client, rig.list_id, 4, 20 * number)
            await asyncio.sleep(0.05)
        return answers

    answers = rig.world.ask(work)
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert "401" not in rig.requests("/contacts")
    requests, issued, at_once = token_stats(rig)
    assert at_once == 1
    assert 4 <= requests == issued <= 12


def test_a_token_that_ends_before_it_said_is_renewed_on_the_401(make_rig: Any) -> None:
    rig = make_rig(token_ttl_s=0.2, token_claimed_s=3600.0)

    async def work(client: Any) -> list[Any]:
        first = await send_many(client, rig.list_id, 4)
        await asyncio.sleep(0.25)
        return first + await send_many(client, rig.list_id, 8, 100)

    answers = rig.world.ask(work)
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert token_stats(rig) == (2, 2, 1)
    assert rig.stored == 60, "a batch refused with 401 is repeated once, and stored once"


def test_a_revocation_in_mid_run_costs_one_renewal(rig: Any) -> None:
    rig.strike("revoke_tokens", at=(9,))

    async def work(client: Any) -> list[Any]:
        await client.sign_in()
        return await send_many(client, rig.list_id, 24)

    answers = rig.world.ask(work)
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert token_stats(rig)[1:] == (2, 1)
    assert rig.stored == 24 * 5


def test_a_token_that_is_refused_at_once_ends_the_run_with_advice(make_rig: Any) -> None:
    rig = make_rig(token_ttl_s=0.0, token_claimed_s=3600.0)
    with pytest.raises(FixAccess, match="twice"):
        rig.send()
    assert token_stats(rig)[0] == 2


@pytest.mark.parametrize("expires_in_form", ["number", "string", "absent"])
def test_every_form_of_expires_in_is_read(make_rig: Any, expires_in_form: str) -> None:
    rig = make_rig(expires_in_form=expires_in_form, token_ttl_s=2.0)

    async def work(client: Any) -> list[Any]:
        answers = await send_many(client, rig.list_id, 2)
        rig.world.clock.skipped += 1.2
        return answers + await send_many(client, rig.list_id, 2, 50)

    assert all(isinstance(answer, Accepted) for answer in rig.world.ask(work))
    assert token_stats(rig)[1] == (1 if expires_in_form == "absent" else 2)


@pytest.mark.parametrize("value", ['"soon"', "-1", "0", "null", "1e300", "[]", "true"])
def test_an_odd_lifetime_does_not_stop_the_run(value: str) -> None:
    def say(head: bytes) -> bytes | None:
        if b"oauth" in head:
            return told("200 OK", f'{{"access_token": "t", "expires_in": {value}}}')
        return told("201 Created", "")

    async def do() -> Answer:
        async with raw_server(say) as url, ClientWorld(url).client() as client:
            return await client.send("1", wire(people(1)))

    assert isinstance(asyncio.run(do()), Accepted)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("status", {"status": 503, "first": 2}),
        ("status", {"status": 500, "first": 1}),
        ("cut_after_upload", {"first": 2}),
        ("stall", {"first": 1}),
        ("trickle", {"first": 1, "seconds": 30.0}),
        ("delay", {"first": 1, "seconds": 0.2}),
        ("rate_limited", {"first": 3, "seconds": 4.0}),
        ("rate_limited", {"first": 10, "retry_after": "garbage"}),
        ("wrong_length", {"first": 1}),
        ("html", {"first": 1, "status": 502}),
    ],
)
def test_a_token_server_in_trouble_is_asked_by_one_only_until_it_answers(
    make_rig: Any, kind: str, parameters: dict[str, Any]
) -> None:
    rig = make_rig(timeout=0.4)
    rig.strike(kind, target="token", **parameters)
    answers = rig.world.ask(lambda client: send_many(client, rig.list_id, 8))
    assert all(isinstance(answer, Accepted) for answer in answers)
    struck = parameters["first"] if kind != "delay" else 0
    assert token_stats(rig)[0] == struck + 1
    assert token_stats(rig)[2] == 1 or kind in {"stall", "trickle"}, "the server may not have seen yet that we left"
    if kind == "rate_limited":
        assert rig.world.pace.pauses == [parameters.get("seconds", 5.0)] * struck, "everybody waits"


def test_a_token_server_that_is_down_fails_all_who_wait_at_once(rig: Any) -> None:
    """Eight workers share one failed renewal of three attempts: the others do not ask again one by one."""
    rig.strike("status", target="token", status=503, share=1.0)
    answers = rig.world.ask(lambda client: send_many(client, rig.list_id, 8))
    assert all(isinstance(answer, FixConnection) for answer in answers)
    assert token_stats(rig)[0] == 3
    assert rig.stored == 0


def test_a_token_server_that_goes_down_in_mid_run_is_tried_longer(rig: Any) -> None:
    async def work(client: Any) -> list[Any]:
        await client.sign_in()
        plan = (Fault("revoke_tokens", first=1), Fault("status", target="token", status=503, share=1.0))
        rig.sandbox.set_faults(FaultPlan(rules=plan))
        return await send_many(client, rig.list_id, 8)

    answers = rig.world.ask(work)
    assert all(isinstance(answer, FixConnection) for answer in answers)
    assert token_stats(rig)[0] == 1 + 6


def test_a_later_request_asks_for_a_token_again(rig: Any) -> None:
    """A failed renewal is shared by those who waited for it, and is not remembered for ever."""

    async def work(client: Any) -> Answer:
        rig.strike("status", target="token", status=503, first=3)
        with pytest.raises(FixConnection):
            await client.sign_in()
        answer: Answer = await client.send(rig.list_id, wire(people(1)))
        return answer

    assert isinstance(rig.world.ask(work), Accepted)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_secret_is_not_tried_again(rig: Any, status: int) -> None:
    rig.strike("status", target="token", status=status, share=1.0)
    with pytest.raises(FixAccess, match="CXONE_CLIENT_SECRET"):
        rig.send()
    assert token_stats(rig)[0] == 1


def test_a_wrong_secret_is_told_without_repeating_it(rig: Any) -> None:
    rig.world.secret = "hush-hush"
    with pytest.raises(DialfeedError) as caught:
        rig.send()
    assert "hush" not in str(caught.value)


def test_credentials_in_the_body_are_a_setting(make_rig: Any) -> None:
    rig = make_rig(credentials_in="form", token_path="/oauth2/token")
    rig.world.dialect = Dialect(token_path="/oauth2/token", credentials_in_body=True)
    assert isinstance(rig.send(), Accepted)
