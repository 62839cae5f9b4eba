"""Whatever goes wrong with one request has one defined outcome, and no outcome says more than is known."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import polars as pl
import pytest
import trustme
from client_world import ClientWorld, people, raw_server, told, wire
from waiting import wait_for

from dialfeed.delivery.answers import Accepted, Answer, NotSent, Refused, Throttled, TooLarge, Unknown
from dialfeed.errors import DialfeedError, FixAccess, FixConnection, FixSettings
from dialfeed.platforms.http import Lost, _lost
from dialfeed.sandbox import Fault, FaultPlan, SandboxServer, Settings

NONE, ALL, HALF = 0, 10, 5

# what goes wrong → what the client says → how many of ten contacts the platform has stored by then
OUTCOMES: list[tuple[str, dict[str, Any], Answer, int]] = [
    ("status", {"status": 500, "when": "before_write"}, Unknown("HTTP 500", 500), NONE),
    ("status", {"status": 500, "when": "after_write"}, Unknown("HTTP 500", 500), ALL),
    ("status", {"status": 502, "when": "before_write"}, Unknown("HTTP 502", 502), NONE),
    ("status", {"status": 502, "when": "after_write"}, Unknown("HTTP 502", 502), ALL),
    ("status", {"status": 503, "when": "after_write"}, Unknown("HTTP 503", 503), ALL),
    ("status", {"status": 503, "retry_after": "seconds", "seconds": 7.0}, Unknown("HTTP 503", 503, 7.0), NONE),
    ("status", {"status": 503, "early": True}, Unknown("HTTP 503", 503), NONE),
    ("status", {"status": 504, "when": "after_write"}, Unknown("HTTP 504", 504), ALL),
    ("status", {"status": 408}, Unknown("HTTP 408", 408), NONE),
    ("status", {"status": 413}, TooLarge(), NONE),
    ("rate_limited", {"seconds": 2.0}, Throttled(2.0), NONE),
    ("rate_limited", {"seconds": 2.0, "early": True}, Throttled(2.0), NONE),
    ("cut_during_upload", {"size": 100}, Unknown("the connection was cut"), NONE),
    ("cut_during_upload", {"size": 100, "reset": True}, Unknown("the connection was cut"), NONE),
    ("cut_after_upload", {"when": "before_write"}, Unknown("the connection was cut"), NONE),
    ("cut_after_upload", {"when": "after_write"}, Unknown("the connection was cut"), ALL),
    ("cut_after_upload", {"when": "after_write", "reset": True}, Unknown("the connection was cut"), ALL),
    ("stall", {"when": "before_write"}, Unknown("no answer in time"), NONE),
    ("stall", {"when": "after_write"}, Unknown("no answer in time"), ALL),
    ("stall", {"when": "after_write", "seconds": 0.1}, Unknown("the connection was cut"), ALL),
    ("delay", {"seconds": 0.1}, Accepted(status=201), ALL),
    ("delay", {"seconds": 30.0, "when": "after_write"}, Unknown("no answer in time"), ALL),
    ("trickle", {"seconds": 0.2}, Accepted(status=201), ALL),
    ("trickle", {"seconds": 30.0}, Unknown("answer cut off", 201), ALL),
    ("html", {"status": 502, "when": "after_write"}, Unknown("HTTP 502", 502), ALL),
    ("html", {"status": 200, "when": "before_write"}, Unknown("answer is a web page", 200), NONE),
    ("html", {"status": 200, "when": "after_write"}, Unknown("answer is a web page", 200), ALL),
    ("truncated_json", {}, Unknown("answer is not JSON", 201), ALL),
    ("wrong_length", {}, Unknown("answer cut off", 201), ALL),
    ("close_after_answer", {}, Accepted(status=201), ALL),
    ("close_on_next", {}, Accepted(status=201), ALL),
    ("partial_store", {"keep": 5}, Unknown("HTTP 500", 500), HALF),
    ("delayed_write", {"seconds": 30.0}, Unknown("HTTP 504", 504), NONE),
    ("redirect", {"status": 303, "when": "after_write"}, Unknown("HTTP 303", 303), ALL),
    ("redirect", {"status": 302, "when": "before_write"}, Unknown("HTTP 302", 302), NONE),
]


@pytest.mark.parametrize(
    ("kind", "parameters", "answer", "stored"), OUTCOMES, ids=[f"{case[0]}-{case[1]}" for case in OUTCOMES]
)
def test_each_fault_has_its_outcome(
    make_rig: Any, kind: str, parameters: dict[str, Any], answer: Answer, stored: int
) -> None:
    hangs = kind == "stall" or parameters.get("seconds") == 30.0
    rig = make_rig(timeout=0.4 if hangs else 5.0)
    rig.strike(kind, **parameters)
    got = rig.send()
    if isinstance(answer, Accepted):
        assert isinstance(got, Accepted)
        assert not got.refused
        assert not got.unaccounted
    else:
        assert got == answer
    assert rig.stored == stored
    wait_for(lambda: rig.requests("/contacts"))  # it is counted when it is done with, perhaps after our last byte
    assert sum(rig.requests("/contacts").values()) == 1, "a batch is sent once, whatever becomes of it"


@pytest.mark.parametrize("when", ["before_write", "after_write"])
@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_to_repeat_elsewhere_ends_the_run_and_is_not_followed(rig: Any, status: int, when: str) -> None:
    """Whether the batch was stored before the redirect was answered, nobody knows."""
    rig.strike("redirect", status=status, location="https://elsewhere.example.com/x", when=when)
    answer = rig.send()
    assert isinstance(answer, Unknown)
    assert isinstance(answer.ends, FixConnection)
    assert "elsewhere.example.com" in answer.ends.sentence
    assert sum(rig.requests("").values()) == 2, "a token and the batch"


def test_a_redirect_of_the_list_pages_is_told_with_where_it_leads(rig: Any) -> None:
    rig.strike("redirect", target="count", location="https://elsewhere.example.com/x")
    with pytest.raises(FixConnection, match=r"elsewhere\.example\.com"):
        rig.world.ask(lambda client: client.contact_list(rig.list_id))


@pytest.mark.parametrize("status", [405, 406, 410, 411, 415])
def test_a_form_that_the_platform_does_not_know_ends_the_run(rig: Any, status: int) -> None:
    rig.strike("status", status=status)
    with pytest.raises(FixAccess, match=str(status)):
        rig.send()


def test_a_missing_scope_is_named(make_rig: Any) -> None:
    with pytest.raises(FixAccess, match="outbound:contact:write"):
        make_rig(scopes=("outbound:contactlist:write",)).send()


def test_a_list_that_is_gone_is_told(rig: Any) -> None:
    with pytest.raises(FixAccess, match="not there any more"):
        rig.world.send("no-such-list", people(1))


def test_a_body_that_never_left_whole_was_not_sent(make_rig: Any) -> None:
    """Larger than all the buffers on the way: the cut comes while it is being handed over."""
    rig = make_rig(max_contacts=1_000_000, max_body_bytes=1 << 30)
    rig.strike("cut_during_upload", size=1 << 16)
    contacts = people(20, note="x" * (1 << 20))
    assert rig.send(contacts) == NotSent("the connection was cut")
    assert rig.stored == 0


def test_a_platform_that_is_not_there_was_sent_nothing() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        world = ClientWorld(f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(FixConnection, match="no connection could be made"):
            world.send("1", people(1))


def test_a_platform_that_goes_away_in_mid_run_was_sent_nothing(rig: Any) -> None:
    async def work(client: Any) -> Answer:
        await client.sign_in()
        rig.sandbox.stop()
        await asyncio.sleep(0.05)  # until the client has seen its idle connection closed
        answer: Answer = await client.send(rig.list_id, wire(people(3)))
        return answer

    assert rig.world.ask(work) == NotSent("no connection could be made")


def test_a_connection_closed_between_requests_loses_nothing(rig: Any) -> None:
    """The next request on it is lost after its body was handed over: unknown, and never silently repeated."""

    async def work(client: Any) -> list[Answer]:
        return [await client.send(rig.list_id, wire(people(3, first))) for first in (0, 10, 20)]

    rig.strike("close_on_next")
    first, second, third = rig.world.ask(work)
    assert isinstance(first, Accepted)
    assert second == Unknown("the connection was cut")
    assert isinstance(third, Accepted)
    assert rig.stored == 6


def _sends_to(answer: bytes | None) -> Answer:
    """The answer of a client to whom a server tells these bytes after every batch."""

    def say(head: bytes) -> bytes | None:
        return told("200 OK", '{"access_token": "t", "expires_in": 3600}') if b"oauth" in head else answer

    async def do() -> Answer:
        async with raw_server(say) as url, ClientWorld(url, timeout=1.0).client() as client:
            return await client.send("1", wire(people(2)))

    return asyncio.run(do())


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (None, Unknown("the connection was cut")),
        (b"SSH-2.0-OpenSSH_9.0\r\n\r\n", Unknown("the answer is not HTTP")),
        (b"HTTP/1.1 two hundred\r\n\r\n", Unknown("the answer is not HTTP")),
        (b"HTTP/1.1 201 Created\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", Unknown("the answer is not HTTP")),
        (b"HTTP/1.1 201 Created\r\nContent-Le", Unknown("the connection was cut")),
        (b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n", Unknown("the answer is not HTTP")),
        (b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n[]\r\n", Unknown("answer cut off", 201)),
        (told("201 Created", "[]", "Content-Encoding: gzip\r\n"), Unknown("answer cut off", 201)),
        (told("201 Created", b"\xff\xfe["), Unknown("answer is not JSON", 201)),
        (told("200 OK", "<!DOCTYPE html><html>sign in</html>", ""), Unknown("answer is a web page", 200)),
        (told("200 OK", '{"success": false, "message": "queue full"}'), Unknown("the answer tells of an error", 200)),
        (told("200 OK", '{"error": {"code": "boom"}}'), Unknown("the answer tells of an error", 200)),
        (told("400 Bad Request", "<html>no</html>"), Refused({}, None, 400)),  # type: ignore[arg-type]
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", Unknown("HTTP 101", 101)),
        (told("099 Odd", ""), Unknown("HTTP 99", 99)),
        (told("205 Reset Content", ""), Unknown("HTTP 205", 205)),
        (told("206 Partial Content", "[]"), Unknown("HTTP 206", 206)),
        (b"HTTP/1.1 102 Processing\r\n\r\n" + told("201 Created", ""), Accepted(status=201)),
        (told("200 OK", ""), Accepted(status=200)),
        (told("200 OK", '{"id": "batch-1", "status": "ok"}'), Accepted(status=200)),
    ],
    ids=lambda case: str(case)[:40],
)
def test_bytes_that_are_no_answer_are_never_taken_for_one(said: bytes | None, answer: Answer) -> None:
    got = _sends_to(said)
    if isinstance(answer, Refused):
        assert isinstance(got, Refused)
        assert not got.contacts
    else:
        assert got == answer


@pytest.mark.parametrize("location", ["http://[::1/x", "://::", "http://h:99999999/", ""])
def test_a_redirect_to_what_is_no_address_ends_the_run_like_any_other(location: str) -> None:
    answer = _sends_to(told("307 Temporary Redirect", "", f"Location: {location}\r\n"))
    assert isinstance(answer, Unknown)
    assert isinstance(answer.ends, FixConnection)


# --- TLS ----------------------------------------------------------------------------------------------------------


def test_an_untrusted_certificate_sends_nothing_and_a_named_authority_is_trusted(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    with SandboxServer(Settings(rate_limit=None), ssl_context=context) as sandbox:
        list_id = sandbox.add_list("Spring")
        with pytest.raises(FixConnection, match="certificate"):
            ClientWorld(sandbox.url).send(list_id, people(1))
        assert sandbox.stats()["requests"] == {}
        assert isinstance(ClientWorld(sandbox.url, ca_file=str(ca_file)).send(list_id, people(1)), Accepted)


# --- the HTTP library's exceptions --------------------------------------------------------------------------------

BY_UPLOAD = "lost; whether it was sent depends on the upload"
NOT_SENT = "lost; certainly not sent"

DECIDED: dict[str, object] = {
    "ClientConnectionError": BY_UPLOAD,
    "ClientConnectionResetError": BY_UPLOAD,
    "ClientConnectorCertificateError": FixConnection,
    "ClientConnectorDNSError": NOT_SENT,
    "ClientConnectorError": NOT_SENT,
    "ClientConnectorSSLError": FixConnection,
    "ClientHttpProxyError": BY_UPLOAD,
    "ClientOSError": BY_UPLOAD,
    "ClientPayloadError": BY_UPLOAD,
    "ClientProxyConnectionError": NOT_SENT,
    "ClientResponseError": BY_UPLOAD,
    "ClientSSLError": NOT_SENT,
    "ConnectionTimeoutError": NOT_SENT,
    "ContentTypeError": BY_UPLOAD,
    "InvalidURL": FixSettings,
    "InvalidUrlClientError": FixSettings,
    "InvalidUrlRedirectClientError": FixSettings,
    "NonHttpUrlClientError": BY_UPLOAD,
    "NonHttpUrlRedirectClientError": BY_UPLOAD,
    "RedirectClientError": BY_UPLOAD,
    "ServerConnectionError": BY_UPLOAD,
    "ServerDisconnectedError": BY_UPLOAD,
    "ServerFingerprintMismatch": BY_UPLOAD,
    "ServerTimeoutError": BY_UPLOAD,
    "SocketTimeoutError": BY_UPLOAD,
    "TooManyRedirects": BY_UPLOAD,
    "UnixClientConnectorError": NOT_SENT,
    "UploadAbortedError": BY_UPLOAD,
    "WSServerHandshakeError": BY_UPLOAD,
}
"""What is made of each exception of the library."""


def subclasses(kind: type[BaseException]) -> set[type[BaseException]]:
    direct = set(kind.__subclasses__())
    return direct.union(*(subclasses(each) for each in direct))


def test_every_exception_of_the_library_is_decided_on() -> None:
    known = {each.__name__ for each in subclasses(aiohttp.ClientError) if each.__module__.startswith("aiohttp")}
    assert known == set(DECIDED)


@pytest.mark.parametrize("name", sorted(DECIDED))
@pytest.mark.parametrize("sent", [True, False])
def test_every_exception_of_the_library_is_translated(name: str, sent: bool) -> None:
    kind = getattr(aiohttp, name, None) or getattr(aiohttp.client_exceptions, name)
    said = _lost(kind.__new__(kind), sent=sent)
    decided = DECIDED[name]
    if isinstance(decided, type):
        assert type(said) is decided
    else:
        assert isinstance(said, Lost)
        assert said.sent is (sent and decided == BY_UPLOAD)


@pytest.mark.parametrize("error", [OSError(5, "io"), TimeoutError(), ValueError("bad"), ConnectionResetError()])
def test_errors_of_the_system_depend_on_the_upload(error: Exception) -> None:
    for sent in (True, False):
        said = _lost(error, sent=sent)
        assert isinstance(said, Lost)
        assert said.sent is sent


def test_no_fault_leaks_a_value(rig: Any) -> None:
    """What is said of a failure names neither a contact nor the secret."""
    rig.strike("status", status=400, share=1.0)
    answer = rig.send()
    assert isinstance(answer, Refused)
    for text in (answer.words.text, *[words.text for words in answer.contacts.values()]):
        assert "person0@" not in text


def test_the_faults_of_a_plan_strike_one_after_the_other(rig: Any) -> None:
    """Every request of a long mixed plan has an outcome; nothing escapes as an exception of a library."""
    kinds = ["status", "cut_after_upload", "truncated_json", "wrong_length", "html", "close_on_next"]
    rules = tuple(Fault(kind, every=number + 2) for number, kind in enumerate(kinds))  # type: ignore[arg-type]
    rig.sandbox.set_faults(FaultPlan(rules=rules))

    async def work(client: Any) -> list[Answer]:
        return [await client.send(rig.list_id, wire(people(5, 10 * number))) for number in range(60)]

    answers = rig.world.ask(work)
    assert {type(answer) for answer in answers} == {Accepted, Unknown}
    assert rig.stored >= 5 * sum(isinstance(answer, Accepted) for answer in answers)


def test_errors_are_ours_whatever_the_token_route_answers(rig: Any) -> None:
    for kind, parameters in [
        ("html", {"status": 200}),
        ("truncated_json", {}),
        ("status", {"status": 404}),
        ("redirect", {}),
        ("wrong_length", {}),
        ("cut_after_upload", {}),
    ]:
        rig.strike(kind, target="token", share=1.0, **parameters)
        with pytest.raises(DialfeedError):
            rig.send(pl.DataFrame(people(1)))
