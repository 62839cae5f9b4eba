"""Starting, stopping and starting again, in a thread and alone."""

from __future__ import annotations

import ast
import asyncio
import http.client
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from waiting import wait_for

import dialfeed.sandbox
from dialfeed.sandbox import Fault, FaultPlan, SandboxServer, Settings, serve
from dialfeed.sandbox.state import State

if TYPE_CHECKING:
    from collections.abc import Callable

    Contacts = Callable[[int], list[dict[str, Any]]]


def sandbox_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "sandbox" in thread.name]


def open_descriptors() -> int:
    """How many files and sockets this process has open; 0 where the system does not tell."""
    listing = Path("/proc/self/fd")
    return len(list(listing.iterdir())) if listing.exists() else 0


def test_it_imports_nothing_of_the_rest_of_dialfeed() -> None:
    imported: set[str] = set()
    for path in Path(dialfeed.sandbox.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            if isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
    ours = {name for name in imported if name.startswith("dialfeed") and not name.startswith("dialfeed.sandbox")}
    others = {name.partition(".")[0] for name in imported} - set(sys.stdlib_module_names) - {"dialfeed"}
    assert ours == set()
    assert others == {"aiohttp", "orjson"}


def test_it_leaves_nothing_behind(contacts: Contacts, connected: Callable[[str], Any]) -> None:
    descriptors = open_descriptors()
    with SandboxServer() as sandbox, connected(sandbox.url) as client:
        client.sign_in().add(sandbox.add_list("Spring"), contacts(1))
        assert sandbox_threads() == ["dialfeed-sandbox"]
    assert sandbox_threads() == []
    assert open_descriptors() == descriptors
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2])))


def test_it_still_tells_what_happened_after_its_end(contacts: Contacts, connected: Callable[[str], Any]) -> None:
    with SandboxServer() as sandbox, connected(sandbox.url) as client:
        list_id = sandbox.add_list("Spring")
        client.sign_in().add(list_id, contacts(2))
    assert len(sandbox.contacts(list_id)) == sandbox.stats()["lists"][list_id]["stored"] == 2


def test_a_platform_that_restarts_keeps_its_address_and_its_contacts(
    contacts: Contacts, connected: Callable[[str], Any]
) -> None:
    sandbox = SandboxServer()
    list_id = sandbox.add_list("Spring")
    with sandbox, connected(sandbox.url) as client:
        url = sandbox.url
        client.sign_in().add(list_id, contacts(2))
        token = client.token
    with sandbox, connected(sandbox.url) as client:
        assert sandbox.url == url
        client.token = token
        assert client.add(list_id, contacts(1)).status == 201
    assert sandbox.stats()["lists"][list_id]["stored"] == 3


def test_starting_twice_and_stopping_twice() -> None:
    sandbox = SandboxServer()
    sandbox.stop()
    with sandbox:
        with pytest.raises(RuntimeError, match="already"):
            sandbox.start()
        sandbox.stop()
    assert sandbox_threads() == []


def test_a_port_that_is_taken_is_an_error_at_the_start() -> None:
    with SandboxServer() as first:
        second = SandboxServer(port=int(first.url.rpartition(":")[2]))
        with pytest.raises(OSError, match=r"address already in use|in use"):
            second.start()
    assert sandbox_threads() == []


def test_two_sandboxes_share_nothing(contacts: Contacts, connected: Callable[[str], Any]) -> None:
    with SandboxServer() as one, SandboxServer() as two, connected(one.url) as client:
        client.sign_in().add(one.add_list("Spring"), contacts(1))
        assert two.stats()["lists"] == {}
        assert two.stats()["tokens"]["issued"] == 0


def test_settings_and_faults_can_be_given_at_the_start(contacts: Contacts, connected: Callable[[str], Any]) -> None:
    plan = FaultPlan(rules=(Fault("status", first=1, status=500),))
    with SandboxServer(Settings(answer="empty"), plan=plan) as sandbox, connected(sandbox.url) as client:
        list_id = sandbox.add_list("Spring")
        client.sign_in()
        assert [client.add(list_id, contacts(1)).status for _ in range(2)] == [500, 204]
        assert (sandbox.client_id, sandbox.client_secret) == ("sandbox-client", "sandbox-secret")


def test_https_with_a_certificate_that_only_its_own_authority_makes_trusted() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting, other = ssl.create_default_context(), ssl.create_default_context()
    authority.configure_trust(trusting)
    with SandboxServer(ssl_context=context) as sandbox:
        address = sandbox.url.removeprefix("https://")
        connection = http.client.HTTPSConnection(address, context=trusting, timeout=5)
        connection.request("GET", "/_sandbox/settings")
        with connection.getresponse() as response:
            assert response.status == 200
            response.read()
        connection.close()
        untrusting = http.client.HTTPSConnection(address, context=other, timeout=5)
        with pytest.raises(ssl.SSLCertVerificationError):
            untrusting.connect()
        untrusting.close()


def test_an_upload_that_never_ends_does_not_keep_the_server_from_stopping() -> None:
    with SandboxServer() as sandbox:
        address = ("127.0.0.1", int(sandbox.url.rpartition(":")[2]))
        with socket.create_connection(address) as waiting:
            waiting.sendall(b"POST /api/v2/oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
            wait_for(lambda: sandbox.stats()["tokens"]["requests"])
            start = time.monotonic()
            sandbox.stop()
            assert time.monotonic() - start < 30.0, "a bound, not a measurement: the upload would never end"


def test_a_mistake_of_the_sandbox_is_logged_without_what_the_client_sent(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, connected: Callable[[str], Any]
) -> None:
    def fail(_state: object) -> None:
        raise ZeroDivisionError

    with SandboxServer() as sandbox, connected(sandbox.url) as client:
        client.sign_in()
        monkeypatch.setattr(State, "server_time", fail)
        assert client.get("/api/v2/outbound/contactlists").status == 500
    assert [record.getMessage() for record in caplog.records] == [
        "The sandbox failed at GET /api/v2/outbound/contactlists."
    ]
    assert client.token not in caplog.text


def test_serving_ends_when_it_is_cancelled() -> None:
    urls: list[str] = []

    async def run() -> None:
        ready = asyncio.Event()

        def on_ready(url: str) -> None:
            urls.append(url)
            ready.set()

        serving = asyncio.create_task(serve(on_ready=on_ready, lists=["Spring"]))
        await ready.wait()
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving

    asyncio.run(run())
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(urls[0].rpartition(":")[2])))


PROGRAM = """
from dialfeed.sandbox import Fault, FaultPlan, serve_forever
serve_forever(on_ready=lambda url: print(url, flush=True), lists=["Spring", "Autumn"],
              plan=FaultPlan(rules=(Fault("stall", target="lists", share=1.0),)))
print("ended", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_even_with_a_request_under_way(
    number: signal.Signals, connected: Callable[[str], Any]
) -> None:
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        with connected(process.stdout.readline().strip()) as client:
            lists = client.control("GET", "stats").json()["lists"].values()
            assert [one["name"] for one in lists] == ["Spring", "Autumn"]
            client.connection.request("GET", "/api/v2/outbound/contactlists")
            process.send_signal(number)
            told, errors = process.communicate(timeout=5)
    assert (process.returncode, told, errors) == (0, "ended\n", "")
