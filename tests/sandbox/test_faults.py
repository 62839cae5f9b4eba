"""Each kind of fault as a client sees it, and what the platform has stored afterwards."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest
from waiting import wait_for

from dialfeed.sandbox import FAULT_KINDS, FaultPlan
from dialfeed.sandbox.inject import PLAYERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Client, Rig

    Connect = Callable[[], Client]

LISTS = "/api/v2/outbound/contactlists"
GONE = (ConnectionError, http.client.BadStatusLine)
"""What a raw client sees when a connection ends without an answer."""


def test_every_kind_that_shapes_an_answer_has_a_player() -> None:
    assert {kind for kind, about in FAULT_KINDS.items() if about.shapes_answer} == PLAYERS.keys()


# --- answers that are refusals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 408, 409, 500, 502, 503, 504])
@pytest.mark.parametrize(("when", "count"), [("before_write", 0), ("after_write", 3)])
def test_a_status_is_answered_before_or_after_the_write(rig: Rig, status: int, when: str, count: int) -> None:
    rig.strike("status", status=status, when=when)
    got = rig.client.add(rig.list_id, rig.contacts(3))
    assert (got.status, got.json().keys()) == (status, {"status", "code", "message"})
    assert rig.stored() == count
    assert rig.client.add(rig.list_id, rig.contacts(1)).status == 201
    assert rig.sandbox.stats()["faults"] == {"status": 1}


def test_a_status_may_come_before_the_body_was_read(rig: Rig) -> None:
    rig.strike("status", status=503, early=True, retry_after="seconds", seconds=7)
    connection = rig.client.connection
    connection.putrequest("POST", f"{LISTS}/{rig.list_id}/contacts")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    response = connection.getresponse()
    assert (response.status, response.headers["Retry-After"]) == (503, "7")
    response.close()


WAITS: dict[str, str | None] = {
    "seconds": "30",
    "decimals": "29.500",
    "list": "30,120",
    "garbage": "soon",
    "absent": None,
    "body": None,
    "huge": "999999999",
    "negative": "-30",
}


@pytest.mark.parametrize("form", WAITS)
def test_a_429_tells_the_wait_in_the_form_of_the_fault(rig: Rig, form: str) -> None:
    rig.strike("rate_limited", retry_after=form, seconds=29.5)
    got = rig.client.add(rig.list_id, rig.contacts(3))
    assert (got.status, got.headers.get("Retry-After")) == (429, WAITS[form])
    assert got.json().get("retry_after") == (29.5 if form == "body" else None)
    assert rig.stored() == 0


@pytest.mark.parametrize("skew", [-7200.0, 0.0, 7200.0])
@pytest.mark.parametrize(("form", "wait"), [("date", 30), ("past_date", -3600)])
def test_a_wait_until_a_date_goes_by_the_servers_own_clock(rig: Rig, form: str, wait: float, skew: float) -> None:
    rig.sandbox.configure(clock_skew_s=skew)
    rig.strike("rate_limited", retry_after=form, seconds=30.0)
    got = rig.client.add(rig.list_id, rig.contacts(1))
    date, until = (parsedate_to_datetime(got.headers[name]).timestamp() for name in ("Date", "Retry-After"))
    assert until - date == pytest.approx(wait, abs=1)
    assert date - time.time() == pytest.approx(skew, abs=2)


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_points_elsewhere(rig: Rig, status: int) -> None:
    rig.strike("redirect", status=status, location="https://elsewhere.example.com/")
    got = rig.client.add(rig.list_id, rig.contacts(1))
    assert (got.status, got.headers["Location"]) == (status, "https://elsewhere.example.com/")
    assert rig.stored() == 0


@pytest.mark.parametrize(("when", "count"), [("before_write", 0), ("after_write", 2)])
@pytest.mark.parametrize("status", [200, 502])
def test_a_proxy_answers_with_a_page(rig: Rig, status: int, when: str, count: int) -> None:
    rig.strike("html", status=status, when=when)
    got = rig.client.add(rig.list_id, rig.contacts(2))
    assert (got.status, got.headers["Content-Type"].partition(";")[0]) == (status, "text/html")
    assert got.body.startswith(b"<!DOCTYPE html>")
    assert rig.stored() == count


# --- connections that end ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(
    ("kind", "parameters", "count"),
    [
        ("cut_during_upload", {"size": 10}, 0),
        ("cut_after_upload", {"when": "before_write"}, 0),
        ("cut_after_upload", {"when": "after_write"}, 3),
    ],
)
def test_a_connection_is_cut_with_or_without_the_write(
    rig: Rig, kind: str, parameters: dict[str, Any], count: int, reset: bool
) -> None:
    rig.strike(kind, reset=reset, **parameters)
    with pytest.raises(GONE):
        rig.client.add(rig.list_id, rig.contacts(3))
    assert rig.stored() == count
    assert rig.sandbox.stats()["requests"][f"POST {LISTS}/{{id}}/contacts"] == {"cut": 1}
    rig.client.connection.close()
    assert rig.client.add(rig.list_id, rig.contacts(1)).status == 201


def test_a_reset_is_a_reset(rig: Rig) -> None:
    rig.strike("cut_after_upload", reset=True)
    with pytest.raises(ConnectionResetError) as caught:
        rig.client.add(rig.list_id, rig.contacts(1))
    assert not isinstance(caught.value, http.client.RemoteDisconnected)  # which is what an orderly close looks like


@pytest.mark.parametrize(("when", "count"), [("before_write", 0), ("after_write", 3)])
def test_a_stalled_request_gets_no_answer_until_the_client_gives_up(rig: Rig, when: str, count: int) -> None:
    rig.strike("stall", when=when)
    assert rig.client.connection.sock
    rig.client.connection.sock.settimeout(0.05)
    with pytest.raises(TimeoutError):
        rig.client.add(rig.list_id, rig.contacts(3))
    assert rig.sandbox._state.traffic.gauges["contacts"].now == 1
    rig.client.connection.close()
    wait_for(lambda: rig.sandbox._state.traffic.gauges["contacts"].now == 0)
    assert rig.stored() == count


def test_a_stall_may_end_with_a_cut(rig: Rig) -> None:
    rig.strike("stall", seconds=0.05)
    with pytest.raises(GONE):
        rig.client.add(rig.list_id, rig.contacts(1))


def test_a_stalled_request_does_not_keep_the_server_from_stopping(rig: Rig) -> None:
    rig.strike("stall", when="after_write")
    failed: list[BaseException] = []

    def add() -> None:
        try:
            rig.client.add(rig.list_id, rig.contacts(3))
        except (OSError, http.client.HTTPException) as error:
            failed.append(error)

    waiting = threading.Thread(target=add)
    waiting.start()
    wait_for(lambda: bool(rig.sandbox.contacts(rig.list_id)))
    rig.sandbox.stop()
    waiting.join()
    (failure,) = failed
    assert not isinstance(failure, TimeoutError), "the server ended it, not the client's patience"


def test_a_connection_is_closed_after_a_good_answer_without_a_word(rig: Rig) -> None:
    rig.strike("close_after_answer")
    got = rig.client.add(rig.list_id, rig.contacts(3))
    assert (got.status, len(got.json())) == (201, 3)
    assert "Connection" not in got.headers
    assert rig.client.connection.sock
    assert rig.client.connection.sock.recv(1) == b""
    assert rig.stored() == 3


@pytest.mark.parametrize("reset", [False, True])
def test_a_kept_connection_is_cut_when_the_next_request_arrives(rig: Rig, reset: bool) -> None:
    rig.strike("close_on_next", reset=reset)
    assert rig.client.add(rig.list_id, rig.contacts(3)).status == 201
    with pytest.raises(GONE):
        rig.client.add(rig.list_id, rig.contacts(2))
    rig.client.connection.close()
    assert rig.client.add(rig.list_id, rig.contacts(1)).status == 201
    assert rig.stored() == 4


# --- good answers that arrive badly -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("when", "count"), [("before_write", 0), ("after_write", 3)])
def test_a_delayed_answer_is_a_good_one(rig: Rig, when: str, count: int) -> None:
    rig.strike("delay", seconds=0.5, when=when)
    seen: list[int] = []
    look = threading.Timer(0.1, lambda: seen.append(rig.stored()))
    look.start()
    start = time.monotonic()
    assert rig.client.add(rig.list_id, rig.contacts(3)).status == 201
    assert time.monotonic() - start >= 0.5
    look.join()
    assert seen == [count]


def test_a_trickle_brings_the_whole_answer_slowly(rig: Rig) -> None:
    rig.strike("trickle", seconds=0.1, size=64)
    start = time.monotonic()
    got = rig.client.add(rig.list_id, rig.contacts(3))
    assert (got.status, len(got.json())) == (201, 3)
    assert time.monotonic() - start >= 0.08


def test_truncated_json_has_framing_that_is_complete(rig: Rig) -> None:
    rig.strike("truncated_json")
    got = rig.client.add(rig.list_id, rig.contacts(3))
    assert got.status == 201
    with pytest.raises(ValueError, match=r"delimiter|Expecting|Unterminated"):
        got.json()
    assert rig.client.add(rig.list_id, rig.contacts(1)).status == 201
    assert rig.stored() == 4


def test_a_wrong_length_leaves_the_answer_incomplete(rig: Rig) -> None:
    rig.strike("wrong_length", size=7)
    with pytest.raises(http.client.IncompleteRead) as caught:
        rig.client.add(rig.list_id, rig.contacts(3))
    assert caught.value.expected == 7
    assert rig.stored() == 3


def test_a_short_answer_hides_what_was_stored(rig: Rig) -> None:
    rig.strike("short_answer", keep=4)
    got = rig.client.add(rig.list_id, rig.contacts(9))
    assert (got.status, len(got.json())) == (201, 4)
    assert rig.stored() == 9


@pytest.mark.parametrize(("keep", "count"), [(None, 5), (0, 0), (3, 3), (99, 10)])
def test_a_partial_store_keeps_the_first_of_a_batch(rig: Rig, keep: int | None, count: int) -> None:
    rig.strike("partial_store", keep=keep)
    assert rig.client.add(rig.list_id, rig.contacts(10)).status == 500
    kept = rig.stored_ids()
    assert rig.sandbox.stats()["lists"][rig.list_id]["batches"] == (1 if count else 0)
    assert kept == [contact["externalId"] for contact in rig.contacts(10)][:count]


def test_a_delayed_write_is_stored_after_its_bad_answer(rig: Rig) -> None:
    let_pass = rig.hold_clock()
    rig.strike("delayed_write", seconds=0.1)
    assert rig.client.add(rig.list_id, rig.contacts(3)).status == 504
    assert rig.client.get(f"{LISTS}/{rig.list_id}").json()["totalContactCount"] == 0
    assert rig.sandbox.stats()["pending_writes"] == 1
    let_pass(0.11)
    assert rig.client.get(f"{LISTS}/{rig.list_id}").json()["totalContactCount"] == 3
    assert rig.sandbox.stats()["pending_writes"] == 0


def test_a_delayed_write_is_dropped_if_its_keys_are_taken_meanwhile(rig: Rig) -> None:
    rig.sandbox.configure(unique_key="externalId")
    let_pass = rig.hold_clock()
    rig.strike("delayed_write", seconds=0.05)
    assert rig.client.add(rig.list_id, rig.contacts(3)).status == 504
    assert rig.client.add(rig.list_id, rig.contacts(1)).status == 201
    let_pass(0.06)
    assert rig.stored() == 1


def test_a_fault_that_bends_the_storing_leaves_a_bad_batch_refused(rig: Rig) -> None:
    for kind in ("partial_store", "delayed_write", "short_answer"):
        rig.strike(kind)
        assert rig.client.add(rig.list_id, [{"phone": "x"}]).status == 400
    assert rig.stored() == 0


# --- what happens beside the answer -----------------------------------------------------------------------------------


def test_all_tokens_are_revoked_in_mid_run(rig: Rig, connect: Connect) -> None:
    other = connect().sign_in()
    rig.strike("revoke_tokens", at=(2,))
    assert [rig.client.add(rig.list_id, rig.contacts(1)).status for _ in range(3)] == [201, 401, 401]
    assert other.get(LISTS).status == 401
    assert rig.client.sign_in().add(rig.list_id, rig.contacts(1)).status == 201
    assert rig.sandbox.stats()["tokens"] == {"requests": 3, "issued": 3}


def test_another_writer_adds_contacts_at_a_request(rig: Rig) -> None:
    other = rig.sandbox.add_list("Other")
    rig.strike("other_writer", at=(2,), keep=7)
    counts = []
    for _ in range(3):
        rig.client.add(rig.list_id, rig.contacts(1))
        counts.append(rig.client.get(f"{LISTS}/{rig.list_id}").json()["totalContactCount"])
    assert counts == [1, 9, 10]
    lists = rig.sandbox.stats()["lists"]
    assert (lists[rig.list_id]["stored"], lists[rig.list_id]["foreign"], lists[other]["total"]) == (3, 7, 0)


def test_another_writer_adds_contacts_at_a_time(rig: Rig) -> None:
    other = rig.sandbox.add_list("Other")
    let_pass = rig.hold_clock()
    rig.strike("other_writer", at_s=(0.0, 0.05, 3600.0), keep=2, list_id=rig.list_id)
    let_pass(0.06)
    counts = [rig.client.get(f"{LISTS}/{one}").json()["totalContactCount"] for one in (rig.list_id, other)]
    assert counts == [4, 0]
    assert rig.sandbox.stats()["faults"] == {"other_writer": 2}


def test_another_plan_ends_the_writes_of_the_one_before(rig: Rig) -> None:
    let_pass = rig.hold_clock()
    rig.strike("other_writer", at_s=(0.01,))
    rig.sandbox.set_faults(FaultPlan())
    let_pass(0.02)
    assert rig.sandbox.stats()["lists"][rig.list_id]["total"] == 0


# --- other targets ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "status"), [("status", 503), ("rate_limited", 429), ("html", 502)])
def test_the_token_route_can_fail(rig: Rig, kind: str, status: int) -> None:
    rig.strike(kind, target="token")
    assert rig.client.ask_token().status == status
    assert rig.client.ask_token().status == 200


@pytest.mark.parametrize(
    ("target", "path"), [("lists", LISTS), ("count", LISTS + "/{id}"), ("job", "/api/v2/outbound/jobs/x")]
)
def test_reading_can_fail_without_touching_the_rest(rig: Rig, target: str, path: str) -> None:
    rig.strike("status", status=500, target=target, share=1.0)
    assert rig.client.get(path.format(id=rig.list_id)).status == 500
    assert rig.client.add(rig.list_id, rig.contacts(1)).status == 201
    assert rig.client.ask_token().status == 200


def test_requests_that_the_rate_limit_turns_away_have_no_number(rig: Rig) -> None:
    rig.sandbox.configure(rate_limit=1)
    rig.strike("status", status=500, at=(2,))
    assert [rig.client.add(rig.list_id, rig.contacts(1)).status for _ in range(3)] == [201, 429, 429]
    rig.sandbox.configure(rate_limit=None)
    assert [rig.client.add(rig.list_id, rig.contacts(1)).status for _ in range(2)] == [500, 201]


def chunked_head(list_id: str) -> bytes:
    return f"POST {LISTS}/{list_id}/contacts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()


def test_a_client_that_leaves_in_mid_upload_stores_nothing_and_disturbs_nobody(rig: Rig) -> None:
    with socket.create_connection(("127.0.0.1", rig.client.connection.port)) as leaving:
        leaving.sendall(chunked_head(rig.list_id) + b'5\r\n[{"a')
        wait_for(lambda: "contacts" in rig.sandbox._state.traffic.gauges)
    wait_for(lambda: rig.sandbox._state.traffic.gauges["contacts"].now == 0)
    assert rig.client.add(rig.list_id, rig.contacts(1)).status == 201
    assert rig.sandbox.stats()["requests"][f"POST {LISTS}/{{id}}/contacts"] == {"201": 1, "cut": 1}


def test_broken_chunks_are_no_request(rig: Rig) -> None:
    with socket.create_connection(("127.0.0.1", rig.client.connection.port)) as broken:
        broken.settimeout(2)
        broken.sendall(chunked_head(rig.list_id) + b"zz\r\n")
        assert broken.recv(100)[:12] in {b"", b"HTTP/1.0 400", b"HTTP/1.1 400"}
    assert rig.stored() == 0
