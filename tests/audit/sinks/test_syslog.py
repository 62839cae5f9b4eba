"""What goes out as syslog is RFC 5424, in JSON or in CEF; only what a receiver has read is acknowledged."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import trustme
from cef import parse_cef
from hypothesis import given
from hypothesis import strategies as st
from sink_world import RUN, write_events
from syslog_receiver import SyslogReceiver, frames, parse

from dialfeed.audit.sinks.base import Acknowledged, Event, Later, read_event
from dialfeed.audit.sinks.open import Means, open_sinks
from dialfeed.audit.sinks.rfc5424 import as_cef, as_json, message
from dialfeed.audit.sinks.syslog import SyslogSink
from dialfeed.errors import FixSettings

AWKWARD = st.text('ab=|\\ \n\r"ü☎', max_size=20)


@pytest.fixture
def receiver() -> Iterator[SyslogReceiver]:
    server = SyslogReceiver()
    yield server
    server.close()


def sink(address: str, timeout: float = 1.0) -> SyslogSink:
    made = open_sinks([address], Means({}, timeout))[0].sink
    assert isinstance(made, SyslogSink)
    return made


def event(name: str, n: int = 7, **facts: Any) -> Event:
    line = {"n": n, "time": "2026-01-02T03:04:05.678Z", "run": RUN, "event": name, **facts}
    made = read_event(orjson.dumps({**line, "previous": "a" * 64, "hash": "b" * 64}))
    assert made
    return made


def events(folder: Path, count: int) -> list[Event]:
    write_events(folder, count).close()
    read = [read_event(line) for line in (folder / "audit.jsonl").read_bytes().splitlines()]
    return [each for each in read if each is not None]


def test_the_header_says_who_and_what() -> None:
    told = parse(message(event("batch.sent", batch=1), "loader.example", as_json, 8192))
    assert (told.facility, told.severity) == (13, 6)
    assert (told.time, told.host, told.app, told.proc) == (
        "2026-01-02T03:04:05.678Z",
        "loader.example",
        "dialfeed",
        RUN,
    )
    assert (told.msgid, told.data) == ("batch.sent", '[meta sequenceId="7"]')
    assert orjson.loads(told.text)["batch"] == 1


@pytest.mark.parametrize(
    ("name", "facts", "severity"),
    [
        ("run.finished", {"status": "SUCCESS"}, 5),
        ("run.finished", {"status": "PARTIAL_FAILURE"}, 4),
        ("run.finished", {"status": "FAILED"}, 3),
        ("run.finished", {"status": "INTERRUPTED"}, 3),
        ("guard.judged", {"stopped": True}, 4),
        ("guard.judged", {"stopped": False}, 6),
        ("batch.unknown", {}, 4),
    ],
)
def test_how_bad_an_event_is(name: str, facts: dict[str, Any], severity: int) -> None:
    assert parse(message(event(name, **facts), "host", as_json, 8192)).severity == severity


def test_a_message_that_the_receiver_would_cut_keeps_its_place_in_the_chain() -> None:
    told = parse(message(event("run.started", policy={"map": "x" * 9000}), "host", as_json, 8192))
    assert orjson.loads(told.text) == {
        "n": 7, "time": "2026-01-02T03:04:05.678Z", "run": RUN, "event": "run.started", "cut": True,
        "previous": "a" * 64, "hash": "b" * 64,
    }  # fmt: skip


@given(st.dictionaries(st.text("abc", min_size=1), AWKWARD | st.integers(-9, 9) | st.lists(AWKWARD)))
def test_cef_can_be_taken_apart_again(facts: dict[str, Any]) -> None:
    header, told = parse_cef(as_cef(event("run.started", **facts)).decode())
    assert header[1:3] == ["dialfeed", "dialfeed"]
    assert header[4:6] == [
        "run.started",
        "A command has begun to work on the run: the first, or one that goes on with it.",
    ]
    assert (told["cn1"], told["cs1"], told["cs2"], told["rt"]) == ("7", RUN, "b" * 64, "1767323045678")
    assert orjson.loads(told.get("msg", "{}")) == facts


@given(st.text(" ab.ü☎\n]", max_size=300), st.text(' ab-ü"', max_size=150))
def test_whatever_the_machine_is_called_the_message_can_be_read(hostname: str, run: str) -> None:
    made = message(Event(run, 1, "2026-01-02T03:04:05.678Z", "x" * 40, "", "", b"{}"), hostname, as_json, 8192)
    assert parse(made).text == b"{}"


def test_frames_are_counted_in_bytes() -> None:
    made = message(event("run.started", host="ünï ☎"), "host", as_json, 8192)
    assert frames(b"%d %s" % (len(made), made) * 2) == [made, made]


def test_what_a_dying_receiver_has_not_read_is_not_acknowledged(receiver: SyslogReceiver, tmp_path: Path) -> None:
    told = events(tmp_path, 400)
    receiver.break_after = 2000
    line = sink(f"syslog+tcp://127.0.0.1:{receiver.port}")
    assert isinstance(line.send(told), Later)
    assert line.send(told) == Acknowledged(400)
    assert [message.text for message in receiver.messages[-400:]] == [each.line for each in told]


def test_a_receiver_that_never_ends_a_connection_can_be_told_from_one_that_hangs(tmp_path: Path) -> None:
    told = events(tmp_path, 2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        assert sink(f"syslog+tcp://127.0.0.1:{port}", 0.3).send(told) == Later("no answer in time")
        assert sink(f"syslog+tcp://127.0.0.1:{port}?confirm=sent", 0.3).send(told) == Acknowledged(2)


def test_only_a_receiver_with_a_trusted_certificate_is_told_anything(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server = SyslogReceiver(context)
    answer = sink(f"syslog+tls://127.0.0.1:{server.port}").send(events(tmp_path, 2))
    server.close()
    assert answer == Later("the receiver's certificate cannot be trusted")
    assert server.messages == []


def test_a_receiver_that_dies_before_anything_is_encrypted_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as dying:

        def connected_and_reset(where: tuple[str, int], _timeout: float) -> socket.socket:
            line = socket.socket()
            line.connect(where)
            with dying.accept()[0] as theirs:
                theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return line

        monkeypatch.setattr(socket, "create_connection", connected_and_reset)
        answer = sink(f"syslog+tls://127.0.0.1:{dying.getsockname()[1]}").send(events(tmp_path, 2))
    assert answer == Later("the connection fails (ConnectionResetError)")


def test_a_receiver_that_asks_for_a_certificate_gets_ours(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    server, ours = SyslogReceiver(context), authority.issue_cert("loader.example")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    ours.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "our.pem"))
    where = f"syslog+tls://127.0.0.1:{server.port}?ca={tmp_path}/ca.pem"
    told = events(tmp_path, 3)
    assert isinstance(sink(where).send(told), Later)
    assert sink(f"{where}&cert={tmp_path}/our.pem").send(told) == Acknowledged(3)
    server.close()
    assert [message.text for message in server.messages] == [each.line for each in told]


@pytest.mark.parametrize(
    ("name", "facts", "syslog", "cef"),
    [
        ("batch.sent", {}, 6, "2"), ("run.finished", {"status": "SUCCESS"}, 5, "4"), ("batch.unknown", {}, 4, "6"),
        ("run.finished", {"status": "PARTIAL_FAILURE"}, 4, "6"), ("run.finished", {"status": "FAILED"}, 3, "8"),
        ("run.finished", {"status": "STOPPED"}, 3, "8"), ("guard.judged", {"stopped": True}, 4, "6"),
        ("guard.judged", {"stopped": False}, 6, "2"),
    ],
)  # fmt: skip
def test_an_event_is_as_severe_as_it_is_bad(name: str, facts: dict[str, Any], syslog: int, cef: str) -> None:
    told = parse(message(event(name, **facts), "loader", as_cef, 8192))
    assert (told.severity, parse_cef(told.text.decode())[0][6]) == (syslog, cef)


def test_a_name_that_is_too_long_for_the_header_is_cut_to_what_the_standard_takes() -> None:
    long = read_event(event("e" * 99).line.replace(RUN.encode(), b"r" * 300))
    assert long
    told = parse(message(long, "h" * 300, as_json, 8192))
    assert (len(told.host), len(told.proc), len(told.msgid)) == (255, 128, 32)


@pytest.mark.parametrize(
    "options",
    ["format=leef", "confirm=maybe", "max_bytes=12", "max_bytes=many", "ca=/no/such/file", "cert=/no/such/file"],
)
def test_an_option_without_a_meaning_is_told_before_the_run(options: str) -> None:
    with pytest.raises(FixSettings, match="sink 'syslog'"):
        sink(f"syslog+tls://127.0.0.1:6514?{options}")
