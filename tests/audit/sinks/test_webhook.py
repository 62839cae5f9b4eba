"""A webhook is signed so that a receiver can prove it, and what its answers mean is fixed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
from sink_servers import KEY
from sink_world import RUN, write_events
from webhook_receiver import WebhookReceiver, verified

from dialfeed.audit.sinks.addresses import read_address
from dialfeed.audit.sinks.base import Acknowledged, Event, Later, Reached, Refused, read_event
from dialfeed.audit.sinks.courier import Courier, Destination, Moment
from dialfeed.audit.sinks.cursor import CursorFile
from dialfeed.audit.sinks.open import Means, open_sinks
from dialfeed.audit.sinks.webhook import delivery_body, delivery_id, judge, read_keys, sign
from dialfeed.errors import FixSettings
from dialfeed.moments import utc_now

ADDRESS = read_address("https://hooks.example/audit")
NOW = 1_780_000_000.0
STRAY = f"whsec_{base64.b64encode(KEY).decode()}!"
"""A key with a sign in it that is not of Base64, as one that was copied badly."""


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    server = WebhookReceiver(KEY)
    yield server
    server.close()


def sink(receiver: WebhookReceiver, **more: str) -> Destination:
    given = {f"DIALFEED_SINK_WEBHOOK_{name}": value for name, value in more.items()}
    means = Means({"DIALFEED_SINK_WEBHOOK_SECRET": KEY.decode(), **given}, 5.0)
    return open_sinks([f"http://127.0.0.1:{receiver.port}/audit"], means)[0]


def carry(folder: Path, to: Destination, steps: int = 200) -> Courier:
    file = CursorFile(folder, to.address.name)
    file.begin(to.address.text)
    carrier = Courier(folder / "audit.jsonl", to, file, 3, Moment(utc_now, lambda: 0.0))
    for _ in range(steps):
        if carrier.step() is None:
            break
    to.sink.close()
    return carrier


def events(folder: Path, count: int = 3) -> list[Event]:
    write_events(folder, count).close()
    read = [read_event(line) for line in (folder / "audit.jsonl").read_bytes().splitlines()]
    return [event for event in read if event is not None]


def test_the_signature_is_that_of_the_standard() -> None:
    """The example that the libraries of Standard Webhooks are tested with."""
    keys = read_keys(ADDRESS, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_recipe_of_the_documentation_verifies_a_delivery() -> None:
    page = (Path(__file__).parents[3] / "docs/sinks.md").read_text("utf-8")
    recipe: dict[str, Any] = {"hmac": hmac, "hashlib": hashlib, "base64": base64}
    exec(page.partition("```python\n")[2].partition("```")[0], recipe)  # noqa: S102 - it is our own
    body = b'{"type": "audit.events"}'
    headers = {"webhook-id": "r.1-2.ab", "webhook-timestamp": str(int(NOW))}
    headers["webhook-signature"] = sign([b"x" * 24, KEY], "r.1-2.ab", int(NOW), body)
    assert recipe["verified"](headers, body, KEY, NOW)
    assert not recipe["verified"](headers, body + b" ", KEY, NOW)
    assert not recipe["verified"](headers, body, KEY, NOW - 301)


def test_while_a_key_is_changed_both_sign() -> None:
    old, new = b"o" * 24, b"n" * 32
    keys = read_keys(ADDRESS, f"{old.decode()} whsec_{base64.b64encode(new).decode()}")
    headers = {
        "webhook-id": "x",
        "webhook-timestamp": "1780000000",
        "webhook-signature": sign(keys, "x", int(NOW), b"{}"),
    }
    assert verified(headers, b"{}", old, NOW)
    assert verified(headers, b"{}", new, NOW)
    assert not verified(headers, b"{ }", new, NOW)
    assert not verified({**headers, "webhook-id": "y"}, b"{}", new, NOW)
    assert not verified(headers, b"{}", new, NOW + 301), "outside of the window for replays"


@pytest.mark.parametrize(
    "secret", [None, "", "5h0rt", "whsec_c2hvcnQ=", "whsec_not base64!", "a pass phrase of many words", STRAY]
)
def test_a_key_that_is_missing_or_weak_is_told_before_the_run(secret: str | None) -> None:
    with pytest.raises(FixSettings, match="DIALFEED_SINK_WEBHOOK_SECRET") as told:
        read_keys(ADDRESS, secret)
    assert not secret or secret not in str(told.value)


@pytest.mark.parametrize(
    ("status", "headers", "meaning"),
    [
        (200, {}, Acknowledged(3)),
        (204, {}, Acknowledged(3)),
        (302, {}, Later("it answers with status 302")),
        (400, {}, Refused("it answers with status 400")),
        (401, {}, Refused("it answers with status 401", whole=True)),
        (404, {}, Refused("it answers with status 404", whole=True)),
        (413, {}, Refused("it answers with status 413")),
        (408, {}, Later("it answers with status 408")),
        (425, {"Retry-After": "3"}, Later("it answers with status 425", 3.0)),
        (429, {"Retry-After": "120"}, Later("it answers with status 429", 120.0)),
        (500, {}, Later("it answers with status 500", suspect=True)),
        (502, {}, Later("it answers with status 502")),
        (504, {}, Later("it answers with status 504")),
        (503, {"Retry-After": "7"}, Later("it answers with status 503", 7.0)),
    ],
)
def test_what_an_answer_means(tmp_path: Path, status: int, headers: dict[str, str], meaning: object) -> None:
    assert judge(status, headers, events(tmp_path), NOW) == meaning


@pytest.mark.parametrize("status", [200, 404, 501, 502, 503, 504])
def test_a_probe_asks_without_signing_and_says_what_it_knows(status: int) -> None:
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_OPTIONS(self) -> None:
            asked.append(dict(self.headers))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        means = Means({"DIALFEED_SINK_WEBHOOK_SECRET": KEY.decode(), "DIALFEED_SINK_WEBHOOK_TOKEN": "t0k3n"}, 5.0)
        told = open_sinks([f"http://127.0.0.1:{server.server_port}/audit"], means)[0].sink.probe()
        server.shutdown()
    away = Later(f"it answers with status {status}")
    assert told == (away if status in {502, 503, 504} else Reached(told.told if isinstance(told, Reached) else ""))
    assert [name for name in asked[0] if name.lower().startswith(("webhook-", "authorization"))] == []


@pytest.mark.parametrize(
    ("listens", "reason"), [(True, "no answer in time"), (False, "the connection fails (ConnectionRefusedError)")]
)
def test_what_does_not_answer_is_told_by_the_kind_of_the_failure(tmp_path: Path, *, listens: bool, reason: str) -> None:
    means = Means({"DIALFEED_SINK_WEBHOOK_SECRET": KEY.decode()}, 0.3)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        if listens:
            deaf.listen()
        made = open_sinks([f"http://127.0.0.1:{deaf.getsockname()[1]}/audit"], means)[0].sink
        assert (made.probe(), made.send(events(tmp_path))) == (Later(reason),) * 2
        made.close()


def test_every_attempt_of_a_delivery_is_the_same_delivery(tmp_path: Path) -> None:
    told = events(tmp_path)
    assert delivery_id(told) == f"{RUN}.1-3.{told[-1].hash[:16]}"
    assert delivery_body(told) == delivery_body(told)
    body = orjson.loads(delivery_body(told))
    assert (body["type"], body["data"]["first"], body["data"]["last"]) == ("audit.events", 1, 3)
    assert [event["n"] for event in body["data"]["events"]] == [1, 2, 3]


@pytest.mark.parametrize("status", ["SUCCESS", "PARTIAL_FAILURE", "FAILED", "STOPPED", "INTERRUPTED"])
def test_every_ending_of_a_run_is_told(receiver: WebhookReceiver, tmp_path: Path, status: str) -> None:
    trail = write_events(tmp_path, 2)
    trail.append("run.finished", status=status, exit_code=1)
    trail.close()
    carry(tmp_path, sink(receiver))
    (delivery,) = receiver.deliveries
    assert (delivery.body["type"], delivery.body["data"]["status"]) == ("run.finished", status)
    assert not receiver.forged


def test_a_receiver_that_fails_on_one_event_gets_the_others(receiver: WebhookReceiver, tmp_path: Path) -> None:
    write_events(tmp_path, 40).close()

    def fails(body: dict[str, Any]) -> tuple[int, dict[str, str]]:
        return (500 if any(event["n"] == 17 for event in body["data"]["events"]) else 204), {}

    receiver.answer = fails
    carrier = carry(tmp_path, sink(receiver))
    assert [orjson.loads(line)["n"] for line in receiver.lines] == [n for n in range(1, 41) if n != 17]
    assert (carrier.standing().dead, carrier.standing().waiting) == (1, 0)
    (dead,) = CursorFile(tmp_path, "webhook").dead()
    assert (dead["n"], dead["reason"]) == (17, "it answers with status 500")
    attempts = [each for each in receiver.attempts if each.startswith(f"{RUN}.17-17.")]
    assert len(attempts) == 3


def test_a_receiver_that_does_not_want_us_is_not_asked_for_every_event(
    receiver: WebhookReceiver, tmp_path: Path
) -> None:
    write_events(tmp_path, 250).close()
    receiver.answer = lambda _: (410, {})
    carrier = carry(tmp_path, sink(receiver))
    assert (len(receiver.attempts), carrier.standing().dead) == (3, 250)
    receiver.answer = lambda _: (204, {})
    again = sink(receiver)
    file = CursorFile(tmp_path, "webhook")
    Courier(tmp_path / "audit.jsonl", again, file, 3, Moment(utc_now, lambda: 0.0)).again()
    again.sink.close()
    assert [orjson.loads(line)["n"] for line in receiver.lines] == [*range(1, 251)]
    assert file.dead() == []


def test_a_delivery_goes_to_no_other_address(receiver: WebhookReceiver, tmp_path: Path) -> None:
    write_events(tmp_path, 1).close()
    other = WebhookReceiver(KEY)
    receiver.answer = lambda _: (307, {"Location": f"http://127.0.0.1:{other.port}/"})
    carrier = carry(tmp_path, sink(receiver), steps=1)
    other.close()
    assert carrier.standing().waiting == 1
    assert other.attempts == []


def test_token_and_parameters_come_from_the_environment(receiver: WebhookReceiver, tmp_path: Path) -> None:
    write_events(tmp_path, 1).close()
    carry(tmp_path, sink(receiver, TOKEN="t0k3n", QUERY="code=s3cr3t"))
    (delivery,) = receiver.deliveries
    assert delivery.headers["authorization"] == "Bearer t0k3n"
    assert delivery.path == "/audit?code=s3cr3t"


def test_the_clock_of_an_attempt_is_now(tmp_path: Path) -> None:
    headers = {"Retry-After": "Wed, 28 May 2026 20:27:30 GMT", "Date": "Wed, 28 May 2026 20:27:20 GMT"}
    answer = judge(429, headers, events(tmp_path), datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    assert answer == Later("it answers with status 429", 10.0)
