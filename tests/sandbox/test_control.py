"""The control plane and the Python handle, which say the same."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp.test_utils import make_mocked_request

from dialfeed.sandbox import Fault, FaultPlan, SandboxServer, Settings, coverage
from dialfeed.sandbox.control import LOOPBACK, handle
from dialfeed.sandbox.state import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Client

    Contacts = Callable[[int], list[dict[str, Any]]]
    MakeContact = Callable[..., dict[str, Any]]

LISTS = "/api/v2/outbound/contactlists"


def test_lists_are_seeded_one_by_one_and_many_at_once(sandbox: SandboxServer, client: Client) -> None:
    got = client.control("POST", "seed", {"lists": [{"name": "A", "id": "a", "count": 3}, {"name": "A"}], "many": 2})
    ids = got.json()["ids"]
    told = sandbox.stats()["lists"]
    assert [told[one]["name"] for one in ids] == ["A", "A", "List 0001", "List 0002"]
    assert [told[one]["total"] for one in ids] == [3, 0, 0, 0]
    assert ids[0] == "a"
    assert len(set(ids)) == 4


@pytest.mark.parametrize(
    ("seed", "sentence"),
    [
        (None, "must be a JSON object"),
        ({"list": []}, "must be a JSON object with 'lists' and 'many'"),
        ({"lists": [{"name": 1}]}, "must be strings"),
        ({"lists": [{"id": "a"}]}, "must be strings"),
        ({"lists": ["A"]}, "must be a JSON object with 'name'"),
        ({"lists": [{"name": "A", "count": -1}]}, "a whole number from 0"),
        ({"lists": [{"name": "A", "id": "x"}, {"name": "B", "id": "x"}]}, "the same id"),
        ({"lists": [{"name": "A", "id": "taken"}]}, "the same id"),
        ({"many": True}, "a whole number from 0"),
    ],
)
def test_a_seed_that_does_not_fit_makes_no_list(
    sandbox: SandboxServer, client: Client, seed: Any, sentence: str
) -> None:
    sandbox.add_list("Taken", id="taken")
    got = client.control("POST", "seed", seed)
    assert got.status == 400
    assert sentence in got.json()["error"]
    assert len(sandbox.stats()["lists"]) == 1


def test_a_list_with_the_id_of_another_is_refused(sandbox: SandboxServer) -> None:
    sandbox.add_list("A", id="a")
    with pytest.raises(ValueError, match="the id 'a'"):
        sandbox.add_list("B", id="a")


def test_stats_tell_exactly_what_happened(
    sandbox: SandboxServer, client: Client, contacts: Contacts, make_contact: MakeContact
) -> None:
    list_id = sandbox.add_list("Spring", count=10)
    client.add(list_id, contacts(5))
    client.add(list_id, contacts(2))
    client.add(list_id, [make_contact(0, email=...), make_contact(8, doNotCall=True), make_contact(9, externalId=...)])
    client.add(list_id, [make_contact(9, externalId=...), make_contact(9, externalId="")])
    client.add(list_id, [make_contact(7, externalId="")])
    client.add(list_id, [make_contact(phone="x")])
    told = sandbox.stats()
    assert told["lists"][list_id] == {
        "name": "Spring",
        "initial": 10,
        "foreign": 0,
        "stored": 13,
        "total": 23,
        "shown": 23,
        "batches": 5,
        "duplicates": {"externalId": 4, "contact": 3},
        "do_not_call": 1,
    }
    assert told["requests"] == {
        "POST /api/v2/oauth/token": {"200": 1},
        f"POST {LISTS}/{{id}}/contacts": {"201": 5, "400": 1},
    }
    assert (told["tokens"], told["faults"], told["pending_writes"]) == ({"requests": 1, "issued": 1}, {}, 0)
    assert client.control("GET", "stats").json() == told


def test_stats_without_the_tally_leave_out_what_needs_a_walk(
    sandbox: SandboxServer, client: Client, contacts: Contacts
) -> None:
    list_id = sandbox.add_list("Spring")
    client.add(list_id, contacts(5))
    for told in (sandbox.stats(tally=False), client.control("GET", "stats?tally=0").json()):
        assert "duplicates" not in told["lists"][list_id]
        assert told["lists"][list_id]["stored"] == 5


def test_stored_contacts_are_told_line_by_line_in_order(
    sandbox: SandboxServer, client: Client, contacts: Contacts
) -> None:
    list_id = sandbox.add_list("Spring")
    client.add(list_id, contacts(3))
    client.add(list_id, contacts(2))
    got = client.control("GET", f"lists/{list_id}/contacts")
    lines = [json.loads(line) for line in got.body.splitlines()]
    assert got.headers.get_content_type() == "application/x-ndjson"
    assert lines == sandbox.contacts(list_id)
    assert [line["externalId"][-1] for line in lines] == ["0", "1", "2", "0", "1"]
    assert client.control("GET", "lists/other/contacts").status == 404
    with pytest.raises(KeyError):
        sandbox.contacts("other")


def test_faults_are_read_and_set(sandbox: SandboxServer, client: Client) -> None:
    plan = FaultPlan(3, (Fault("status", share=0.5, status=502), Fault("stall", target="token", at=(2,))))
    put = client.control("PUT", "faults", plan.to_json())
    assert put.status == 200
    assert FaultPlan.from_json(client.control("GET", "faults").json()) == plan
    sandbox.set_faults(FaultPlan())
    assert client.control("GET", "faults").json() == {"seed": 0, "rules": []}
    bad = client.control("PUT", "faults", {"rules": [{"kind": "flood"}]})
    assert (bad.status, bad.json()["error"][:9]) == (400, "rules[0]:")


def test_settings_are_read_and_changed_in_part(sandbox: SandboxServer, client: Client) -> None:
    got = client.control("PUT", "settings", {"page_style": "url", "count_lag_s": 2})
    assert (got.status, got.json()["page_style"], got.json()["rate_limit"]) == (200, "url", None)
    assert client.control("GET", "settings").json() == got.json()
    assert sandbox.settings == Settings(rate_limit=None, page_style="url", count_lag_s=2.0)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"page_stile": "url"}, "has no 'page_stile'"),
        ({"page_style": "roman"}, "'page_style' must be one of 'number'"),
        ({"rate_limit": "50"}, "'rate_limit' must be of type int"),
        ({"rate_limit": 0}, "'rate_limit' must be at least 1"),
        ({"rate_limit": True}, "'rate_limit' must be of type int"),
        ({"latency_s": -1}, "'latency_s' must be at least 0"),
        ({"scopes": "all"}, "'scopes' must be a list"),
        ({"wrapped": None}, "'wrapped' must be of type bool"),
        ([], "must be a JSON object"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused_in_one_sentence(
    sandbox: SandboxServer, client: Client, settings: Any, sentence: str
) -> None:
    got = client.control("PUT", "settings", settings)
    assert got.status == 400
    assert sentence in got.json()["error"]
    if isinstance(settings, dict):
        with pytest.raises(ValueError, match=r"."):
            sandbox.configure(**settings)
    assert sandbox.settings == Settings(rate_limit=None)


def test_a_reset_forgets_everything(sandbox: SandboxServer, client: Client, contacts: Contacts) -> None:
    sandbox.configure(page_style="url")
    sandbox.set_faults(FaultPlan(rules=(Fault("delayed_write", share=1.0, seconds=3600.0),)))
    client.add(sandbox.add_list("Spring"), contacts(1))
    assert client.control("POST", "reset").json() == {"reset": True}
    assert client.get(LISTS).status == 401
    told = sandbox.stats()
    assert (told["lists"], told["faults"], told["pending_writes"], told["tokens"]["issued"]) == ({}, {}, 0, 0)
    assert sandbox.settings == Settings(rate_limit=None)
    assert client.control("GET", "faults").json()["rules"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("GET", "reset", None, 404),
        ("PUT", "faults", b"{", 400),
        ("PUT", "faults", b"", 400),
    ],
)
def test_what_the_control_plane_cannot_do_it_says_in_a_sentence(
    client: Client, method: str, path: str, body: bytes | None, status: int
) -> None:
    got = client.send(method, f"/_sandbox/{path}", body)
    assert got.status == status
    assert got.json()["error"].endswith(".")


def test_the_control_plane_is_not_counted_as_traffic(sandbox: SandboxServer, client: Client) -> None:
    before = sandbox.stats()
    client.control("GET", "stats")
    client.control("GET", "settings")
    assert sandbox.stats() == before


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.7", False),
        ("", False),
    ],
)
def test_only_this_machine_may_use_the_control_plane(address: str, allowed: bool) -> None:
    assert bool(LOOPBACK.fullmatch(address)) is allowed


def test_a_request_from_another_machine_is_refused() -> None:
    request = make_mocked_request("GET", "/_sandbox/settings").clone(remote="10.0.0.7")
    state = State(Settings(), clock=lambda: 0.0, wall=lambda: 0.0)
    answer = asyncio.run(handle(request, state))
    assert answer.status == 403


def test_coverage_is_told_by_both_and_admits_what_is_missing(client: Client) -> None:
    told = client.control("GET", "coverage").json()
    assert [one["feature"] for one in told] == [one.feature for one in coverage()]
    assert {one.emulated for one in coverage()} == {True, False}
