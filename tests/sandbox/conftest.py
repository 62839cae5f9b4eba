"""A raw client that shares no code with dialfeed's own, and a sandbox for each test."""

from __future__ import annotations

import base64
import http.client
import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from dialfeed.sandbox import Fault, FaultPlan, SandboxServer, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LISTS = "/api/v2/outbound/contactlists"
TOKEN = "/api/v2/oauth/token"


@dataclass(frozen=True)
class Got:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Speaks plain HTTP over one connection that it keeps, and lets every mistake be made."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)
        self.token = ""

    def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Got:
        """Send as told; a body that is an iterator goes out in chunks."""
        chunked = body is not None and not isinstance(body, bytes)
        self.connection.request(method, path, body, dict(headers or {}), encode_chunked=chunked)
        with self.connection.getresponse() as response:
            return Got(response.status, response.headers, response.read())

    def ask_token(self, **changes: str | None) -> Got:
        """Ask for a token as the dialect says, with some headers changed or left out."""
        credentials = base64.b64encode(b"sandbox-client:sandbox-secret").decode()
        headers = {
            "Authorization": f"Basic {credentials}",
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        body = changes.pop("body", None) or "grant_type=client_credentials"
        return self.send("POST", TOKEN, body.encode(), with_changes(headers, changes))

    def sign_in(self) -> Client:
        """Get a token and use it from now on."""
        self.token = self.ask_token().json()["access_token"]
        return self

    def get(self, path: str) -> Got:
        return self.send("GET", path, headers={"Authorization": f"Bearer {self.token}"})

    def add(self, list_id: str, contacts: Any, **changes: str | None) -> Got:
        """Add contacts as the dialect says, with some headers changed or left out."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Transfer-Encoding": "chunked",
        }
        body = contacts if isinstance(contacts, bytes) else json.dumps(contacts).encode()
        headers = with_changes(headers, changes)
        return self.send("POST", f"{LISTS}/{list_id}/contacts", pieces(body, headers), headers)

    def control(self, method: str, path: str, data: Any = None) -> Got:
        body = None if data is None else json.dumps(data).encode()
        return self.send(method, f"/_sandbox/{path}", body)


def with_changes(headers: dict[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    merged = headers | {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in merged.items() if value is not None}


def pieces(body: bytes, headers: Mapping[str, str]) -> Any:
    """The body in two chunks, or whole if it is not to be chunked."""
    if "Transfer-Encoding" not in headers:
        return body
    return iter([piece for piece in (body[:50], body[50:]) if piece])


def contact(number: int = 0, **changes: Any) -> dict[str, Any]:
    """A contact that the platform takes; ``None`` leaves a column out."""
    made = {
        "externalId": f"C-{number:06d}",
        "firstName": "Ada",
        "lastName": "Example",
        "phone": f"+1202555{100 + number % 100:04d}",
        "email": f"person{number}@example.com",
        "countryCode": "US",
        "doNotCall": False,
        "doNotEmail": False,
    }
    return {column: value for column, value in (made | changes).items() if value is not ...}


@pytest.fixture
def make_contact() -> Callable[..., dict[str, Any]]:
    """Build a contact; ``...`` leaves a column out."""
    return contact


@pytest.fixture
def contacts() -> Callable[[int], list[dict[str, Any]]]:
    """Build so many different contacts."""
    return lambda count: [contact(number) for number in range(count)]


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    """A sandbox without a rate limit."""
    with SandboxServer(Settings(rate_limit=None)) as server:
        yield server


@pytest.fixture
def connect(sandbox: SandboxServer) -> Iterator[Callable[[], Client]]:
    """Open further connections to the sandbox; all are closed in the end."""
    opened: list[Client] = []

    def open_one() -> Client:
        opened.append(Client(sandbox.url))
        return opened[-1]

    yield open_one
    for client in opened:
        client.connection.close()


@pytest.fixture
def client(connect: Callable[[], Client]) -> Client:
    """A client with a token."""
    return connect().sign_in()


@pytest.fixture
def connected() -> Callable[[str], Any]:
    """Open one connection to any URL, as a context manager."""

    @contextmanager
    def opening(url: str) -> Iterator[Client]:
        client = Client(url)
        try:
            yield client
        finally:
            client.connection.close()

    return opening


def held(sandbox: SandboxServer) -> Callable[[float], None]:
    """Hold the clock of a sandbox; what comes back lets seconds pass on it."""
    now = [sandbox._state.clock()]
    sandbox._state.clock = lambda: now[0]

    def let_pass(seconds: float) -> None:
        now[0] += seconds

    return let_pass


@pytest.fixture
def hold_clock() -> Callable[[SandboxServer], Callable[[float], None]]:
    """Hold the clock of a sandbox; what comes back lets seconds pass on it."""
    return held


@dataclass(frozen=True)
class Rig:
    """A sandbox with one contact list, and a client that has a token."""

    sandbox: SandboxServer
    client: Client
    list_id: str

    def contacts(self, count: int) -> list[dict[str, Any]]:
        return [contact(number) for number in range(count)]

    def make_contact(self, number: int = 0, **changes: Any) -> dict[str, Any]:
        return contact(number, **changes)

    def strike(self, kind: Any, **parameters: Any) -> None:
        """Let one fault strike; the first request unless told otherwise."""
        moment = {} if parameters.keys() & {"share", "at", "every", "at_s"} else {"first": 1}
        self.sandbox.set_faults(FaultPlan(rules=(Fault(kind, **{**moment, **parameters}),)))

    def hold_clock(self) -> Callable[[float], None]:
        """From now on the sandbox's clock goes only as far as it is told."""
        return held(self.sandbox)

    def stored(self) -> int:
        count: int = self.sandbox.stats()["lists"][self.list_id]["stored"]
        return count

    def stored_ids(self) -> list[str]:
        return [stored["externalId"] for stored in self.sandbox.contacts(self.list_id)]


@pytest.fixture
def rig(sandbox: SandboxServer, client: Client) -> Rig:
    """A sandbox with one contact list, and a client that has a token."""
    return Rig(sandbox, client, sandbox.add_list("Spring"))
