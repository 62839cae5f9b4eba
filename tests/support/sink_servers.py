"""Receivers for the sinks' contract: each can be stopped, started, made to hang, and asked what it has."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

import orjson
import psycopg
import pymysql  # type: ignore[import-untyped]
import pytest
from gate import Gate

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


RECEIVERS = {"postgresql": postgresql, "mysql": mysql}
