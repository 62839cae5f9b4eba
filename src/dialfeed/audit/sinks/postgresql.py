"""PostgreSQL as a sink."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

from dialfeed.audit.sinks.addresses import SinkAddress
from dialfeed.audit.sinks.base import Later, Refused
from dialfeed.optional import check_installed, needed

_EXTRA: Final = {"extra": "sql", "purpose": "send the audit trail to PostgreSQL"}
_LOCK: Final = 7_354_218_001
"""The advisory lock of those who change tables; any number that nobody else takes."""


class PostgresqlServer:
    """A PostgreSQL database (`dialfeed.audit.sinks.sql.Server`).

    Args:
        address: Where it is.
        password: If it wants one; else libpq looks for one in its own places.
        timeout: Seconds for one batch of events.

    Raises:
        FixSettings: psycopg is not installed.
    """

    words: Final = {"json": "JSONB", "text": "TEXT", "time": "TIMESTAMPTZ", "options": "", "value": "%s::jsonb"}

    def __init__(self, address: SinkAddress, password: str | None, timeout: float) -> None:
        check_installed("psycopg", **_EXTRA)
        self._timeout = timeout
        limits = f"-c statement_timeout={int(timeout * 1000)} -c lock_timeout={int(timeout * 1000)}"
        given = dict(address.options)
        self._options: dict[str, Any] = {
            "port": address.port,
            "dbname": address.path,
            "connect_timeout": max(2, round(timeout)),
            "application_name": "dialfeed",
            "client_encoding": "UTF8",
            **({"host": address.host} if address.host else {}),
            **({"user": address.user} if address.user else {}),
            **({"password": password} if password else {}),
            **given,
            "options": f"{limits} {given.get('options', '')}".strip(),
        }

    def connect(self) -> Any:
        """A connection (see `Server.connect`)."""
        return _Bounded(needed("psycopg", **_EXTRA).connect(**self._options), self._timeout)

    def lock(self, cursor: Any) -> None:
        """Until the end of the transaction."""
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))

    def unlock(self, cursor: Any) -> None:
        """The transaction does it."""

    def upsert(self, table: str, keys: Sequence[str], columns: Sequence[str]) -> str:
        """See `Server.upsert`."""
        names, marks = ", ".join([*keys, *columns]), ", ".join(["%s"] * (len(keys) + len(columns)))
        changes = ", ".join(f"{column} = EXCLUDED.{column}" for column in columns)
        return (
            f"INSERT INTO {table} ({names}) VALUES ({marks}) "  # noqa: S608 - names of this program's tables
            f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"
        )

    def judge(self, error: Exception) -> Later | Refused | None:
        """By SQLSTATE: values that no column takes are refused, everything else may be mended."""
        library = needed("psycopg", **_EXTRA)
        if not isinstance(error, library.Error):
            return None
        state = getattr(error, "sqlstate", None)
        if state is None:
            return Later("the database cannot be reached, or refuses the sign-in")
        if state[:2] in {"22", "23", "54"} and state != "23505":
            return Refused(f"the database does not take its values (SQLSTATE {state})")
        told = {"28": "the database refuses the sign-in", "42": "the database refuses the statement"}
        return Later(f"{told.get(state[:2], 'the database cannot take it now')} (SQLSTATE {state})")

    def lacks_tables(self, error: Exception) -> bool:
        """By SQLSTATE."""
        return getattr(error, "sqlstate", None) == "42P01"


class _Bounded:
    """A connection that is cut when a call takes too long; psycopg waits for an answer without end."""

    def __init__(self, connection: Any, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        """A cursor; everything done with it takes no longer than the timeout."""
        with self._watched(), self._connection.cursor() as cursor:
            yield cursor

    def commit(self) -> None:
        """Make it last."""
        with self._watched():
            self._connection.commit()

    def rollback(self) -> None:
        """Undo."""
        with self._watched():
            self._connection.rollback()

    def close(self) -> None:
        """Let it go."""
        self._connection.close()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        timer = threading.Timer(self._timeout + 1.0, self._cut)  # the server's own limit comes first
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self) -> None:
        with suppress(Exception), socket.socket(fileno=os.dup(self._connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
