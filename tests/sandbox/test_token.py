"""The token route and the bearer check: `cxone-v2-dialect.md` section 1."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Client, Rig

    from dialfeed.sandbox import SandboxServer

LISTS = "/api/v2/outbound/contactlists"


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_the_dialects_own_token_request_is_answered(client: Client) -> None:
    got = client.ask_token()
    answer = got.json()
    assert got.status == 200
    assert answer["token_type"] == "bearer"
    assert answer["expires_in"] == 3600
    assert len(answer["access_token"]) >= 32
    assert client.ask_token().json()["access_token"] != answer["access_token"]


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"Authorization": None}, 401, "invalid_client"),
        ({"Authorization": basic("sandbox-client:wrong")}, 401, "invalid_client"),
        ({"Authorization": basic("other:sandbox-secret")}, 401, "invalid_client"),
        ({"Authorization": basic("sandbox-client")}, 401, "invalid_client"),
        ({"Authorization": "Basic ???"}, 401, "invalid_client"),
        ({"Authorization": "Bearer sandbox-secret"}, 401, "invalid_client"),
        ({"Accept": None}, 406, None),
        ({"Accept": "text/html"}, 406, None),
        ({"Content-Type": "application/json", "body": '{"grant_type":"client_credentials"}'}, 400, "invalid_request"),
        ({"body": "grant_type=password"}, 400, "unsupported_grant_type"),
        ({"body": "scope=all"}, 400, "unsupported_grant_type"),
        (
            {"Authorization": None, "body": "grant_type=client_credentials&client_id=sandbox-client&client_secret=x"},
            401,
            "invalid_client",
        ),
    ],
)
def test_a_token_request_that_breaks_a_rule_is_refused(
    client: Client, changes: dict[str, Any], status: int, error: str | None
) -> None:
    got = client.ask_token(**{name.replace("-", "_"): value for name, value in changes.items()})
    assert got.status == status
    assert got.json().get("error") == error
    assert "sandbox-secret" not in got.body.decode()


@pytest.mark.parametrize(
    ("place", "in_header", "in_form"), [("header", 200, 401), ("form", 401, 200), ("either", 200, 200)]
)
def test_credentials_are_taken_from_where_the_settings_say(
    sandbox: SandboxServer, client: Client, place: str, in_header: int, in_form: int
) -> None:
    sandbox.configure(credentials_in=place)
    form = "grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret"
    assert client.ask_token().status == in_header
    assert client.ask_token(Authorization=None, body=form).status == in_form


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, 3600),
        ({"expires_in_form": "string", "token_ttl_s": 7200.0}, "7200"),
        ({"expires_in_form": "absent"}, None),
        ({"token_claimed_s": 1800}, 1800),
        ({"token_claimed_s": 0.5}, 0.5),
    ],
)
def test_expires_in_has_the_form_of_the_settings(
    sandbox: SandboxServer, client: Client, settings: dict[str, Any], told: object
) -> None:
    sandbox.configure(**settings)
    assert client.ask_token().json().get("expires_in") == told


def test_the_token_path_is_a_setting(sandbox: SandboxServer, client: Client) -> None:
    sandbox.configure(token_path="/oauth2/token")
    assert client.ask_token().status == 404
    assert client.send("POST", "/oauth2/token", b"").status == 406
    assert client.send("GET", "/oauth2/token").status == 405


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer unknown", "Basic abc", "{token}"])
def test_a_request_without_a_good_token_is_answered_401(client: Client, header: str) -> None:
    headers = {"Authorization": header.format(token=client.token)} if header else {}
    got = client.send("GET", LISTS, headers=headers)
    assert got.status == 401
    assert got.json()["code"] == "bad.credentials"
    assert "invalid_token" in got.headers["WWW-Authenticate"]


def test_a_token_is_refused_once_it_has_expired(
    sandbox: SandboxServer,
    connect: Callable[[], Client],
    hold_clock: Callable[[SandboxServer], Callable[[float], None]],
) -> None:
    let_pass = hold_clock(sandbox)
    sandbox.configure(token_ttl_s=0.05, token_claimed_s=3600.0)
    client = connect().sign_in()
    let_pass(0.04)
    assert client.get(LISTS).status == 200
    let_pass(0.02)
    got = client.get(LISTS)
    assert (got.status, got.json()["message"]) == (401, "The access token is expired.")


@pytest.mark.parametrize(
    ("scopes", "reading", "adding", "missing"),
    [
        (["outbound:contactlist:write", "outbound:contact:write"], 200, 201, ""),
        (["outbound:contactlist:write"], 200, 403, "outbound:contact:write"),
        (["outbound:contact:write"], 403, 201, "outbound:contactlist:write"),
    ],
)
def test_a_403_names_the_scope_that_is_missing(
    rig: Rig, scopes: list[str], reading: int, adding: int, missing: str
) -> None:
    rig.sandbox.configure(scopes=scopes)
    answers = rig.client.get(LISTS), rig.client.add(rig.list_id, rig.contacts(1))
    assert [got.status for got in answers] == [reading, adding]
    assert all(missing in got.json()["message"] for got in answers if got.status == 403)


def test_a_token_request_above_the_limit_of_bytes_is_answered_413(sandbox: SandboxServer, client: Client) -> None:
    sandbox.configure(max_body_bytes=50)
    assert client.ask_token().status == 200
    assert client.ask_token(body="grant_type=client_credentials&padding=" + "x" * 50).status == 413


def test_unknown_paths_and_methods_are_refused(client: Client) -> None:
    assert client.get("/api/v2/nothing").status == 404
    assert client.send("DELETE", LISTS).status == 405
