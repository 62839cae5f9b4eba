"""Finding lists: every style of paging, and counts that are told or not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from client_world import ClientWorld, raw_server, told

from dialfeed.errors import FixAccess, FixConnection
from dialfeed.platforms.base import ContactList


async def all_lists(client: Any) -> list[ContactList]:
    return [each async for each in client.lists()]


@pytest.mark.parametrize("last_page", ["null", "missing", "empty", "always"])
@pytest.mark.parametrize("empty_entities", ["empty", "missing"])
@pytest.mark.parametrize("page_style", ["number", "string", "url", "path"])
def test_every_style_of_paging_finds_every_list_once(
    make_rig: Any, page_style: str, last_page: str, empty_entities: str
) -> None:
    rig = make_rig(page_style=page_style, last_page=last_page, empty_entities=empty_entities, page_extras=False)
    wanted = [rig.list_id] + [rig.sandbox.add_list(f"List {number}") for number in range(599)]
    found = rig.world.ask(all_lists)
    assert [each.id for each in found] == wanted
    assert sum(rig.requests("contactlists").values()) == (4 if last_page == "always" else 3)


def test_a_server_that_ignores_the_page_does_not_loop(make_rig: Any) -> None:
    rig = make_rig(ignore_page=True)
    for number in range(5):
        rig.sandbox.add_list(f"List {number}")
    assert len(rig.world.ask(all_lists)) == 6
    assert sum(rig.requests("contactlists").values()) == 2


@pytest.mark.parametrize("next_page", ["1", '"1"', '"?page=1"', '"/x?pageSize=9"', "true", "{}", '"last"'])
def test_a_next_page_that_leads_nowhere_ends_the_search(next_page: str) -> None:
    asked: list[bytes] = []

    def say(head: bytes) -> bytes | None:
        if b"oauth" in head:
            return told("200 OK", '{"access_token": "t"}')
        asked.append(head)
        return told("200 OK", f'{{"entities": [{{"id": 7, "name": null}}], "pagination": {{"nextPage": {next_page}}}}}')

    async def do() -> list[ContactList]:
        async with raw_server(say) as url, ClientWorld(url).client() as client:
            return await all_lists(client)

    assert asyncio.run(do()) == [ContactList("7", "", None)]
    assert len(asked) <= 2


@pytest.mark.parametrize(
    ("field", "known"), [("totalContactCount", True), ("size", True), ("missing", False)]
)  # fmt: skip
def test_a_missing_count_is_unknown_and_not_zero(make_rig: Any, field: str, known: bool) -> None:
    rig = make_rig(count_field=field)
    rig.send()
    found = rig.world.ask(lambda client: client.contact_list(rig.list_id))
    assert found == ContactList(rig.list_id, "Spring", 10 if known else None)


@pytest.mark.parametrize("count", ["null", "-1", "true", '"many"', "[]"])
def test_a_count_that_is_no_number_is_unknown(count: str) -> None:
    def say(head: bytes) -> bytes | None:
        if b"oauth" in head:
            return told("200 OK", '{"access_token": "t"}')
        return told("200 OK", f'{{"id": "1", "totalContactCount": {count}}}')

    async def do() -> ContactList:
        async with raw_server(say) as url, ClientWorld(url).client() as client:
            return await client.contact_list("1")

    assert asyncio.run(do()).count is None


@pytest.mark.parametrize("name", ["no-such-list", "../../oauth/token", "a b?c=d#e", "ä/ö"])
def test_a_list_that_is_not_there_is_told(rig: Any, name: str) -> None:
    with pytest.raises(FixAccess, match="no contact list"):
        rig.world.ask(lambda client: client.contact_list(name))


@pytest.mark.parametrize(
    ("kind", "parameters", "asked"),
    [
        ("status", {"status": 500}, 3),
        ("cut_after_upload", {}, 3),
        ("wrong_length", {}, 3),
        ("truncated_json", {}, 1),
        ("html", {"status": 200}, 1),
        ("status", {"status": 418}, 1),
    ],
)
def test_a_count_that_cannot_be_had_is_told_after_three_attempts(
    rig: Any, kind: str, parameters: dict[str, Any], asked: int
) -> None:
    rig.strike(kind, target="count", share=1.0, **parameters)
    with pytest.raises(FixConnection):
        rig.world.ask(lambda client: client.contact_list(rig.list_id))
    # the HTTP library itself repeats a GET whose kept connection was cut, which changes nothing at the platform
    assert asked <= sum(rig.requests("{id}").values()) <= asked + 3


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [("status", {"status": 503}), ("cut_after_upload", {}), ("rate_limited", {"seconds": 9.0}), ("revoke_tokens", {})],
)
def test_a_count_is_had_after_one_fault(rig: Any, kind: str, parameters: dict[str, Any]) -> None:
    rig.strike(kind, target="count", **parameters)
    assert rig.world.ask(lambda client: client.contact_list(rig.list_id)).count == 0
    assert rig.world.pace.pauses == ([9.0] if kind == "rate_limited" else [])
