"""A database as a sink: one transaction a batch of events, over whatever server it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol

from dialfeed.audit.sinks import tables
from dialfeed.audit.sinks.base import Acknowledged, Answer, Event, Later, Reached, Refused


class Server(Protocol):
    """What differs between database servers."""

    @property
    def words(self) -> Mapping[str, str]:
        """What `{json}`, `{text}`, `{time}`, `{options}` and `{value}` (JSON's placeholder) are in statements."""
        ...

    def connect(self) -> Any:
        """A connection (DB-API 2.0) outside of a transaction, whose calls end within the timeout."""
        ...

    def lock(self, cursor: Any) -> None:
        """Keep every other process from changing tables, until `unlock` or the end of the transaction."""
        ...

    def unlock(self, cursor: Any) -> None:
        """Let others change tables."""
        ...

    def upsert(self, table: str, keys: Sequence[str], columns: Sequence[str]) -> str:
        """A statement that inserts a row, or changes the columns of the one that has the keys."""
        ...

    def judge(self, error: Exception) -> Later | Refused | None:
        """What a failure means; None if it is not the database's."""
        ...

    def lacks_tables(self, error: Exception) -> bool:
        """Whether a failure says that a table is not there."""
        ...


class SqlSink:
    """A database (`dialfeed.audit.sinks.base.Sink`).

    Args:
        server: The kind of server, and where it is.
    """

    most = 500
    linger = 1.0

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connection: Any = None

    def send(self, events: Sequence[Event]) -> Answer:
        """Store events in one transaction (see `Sink.send`); those that are there already stay as they are."""
        try:
            if self._connection is None:
                self._connection = self._server.connect()
                if told := self._migrated(self._connection):
                    self.close()
                    return told
            return self._stored(self._connection, events)
        except Exception as error:
            answer = self._server.judge(error)
            self.close()
            if answer is None:
                raise
            return answer

    def probe(self) -> Reached | Later:
        """Sign in, and look for the tables (see `Sink.probe`)."""
        try:
            connection = self._connection = self._server.connect()
            version = self._version(connection)
        except Exception as error:
            answer = self._server.judge(error)
            if isinstance(answer, Later):
                return answer
            raise
        finally:
            self.close()
        if version > len(tables.MIGRATIONS):
            return _newer(version)
        there = "its tables are there" if version else "its tables are made when the first event is sent"
        return Reached(f"the sign-in is accepted, and {there}")

    def close(self) -> None:
        """Let the connection go."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                connection.close()

    def _stored(self, connection: Any, events: Sequence[Event]) -> Answer:
        run = events[0].run
        with connection.cursor() as cursor:
            cursor.execute(tables.STORED, (run, events[0].n, events[-1].n))
            stored = dict(cursor.fetchall())
            if any(stored.get(event.n, event.hash) != event.hash for event in events):
                connection.rollback()
                return Refused("another event is stored under its number")
            new = [event for event in events if event.n not in stored]
            if new:
                self._insert(cursor, new)
                self._derive(cursor, run, tables.project(new))
        connection.commit()
        return Acknowledged(events[-1].n)

    def _insert(self, cursor: Any, events: Sequence[Event]) -> None:
        cursor.executemany(
            tables.EVENT.format(**self._server.words),
            [
                (
                    each.run,
                    each.n,
                    tables.moment(each.time),
                    each.name,
                    *2 * (each.line.decode(),),
                    each.previous,
                    each.hash,
                )
                for each in events
            ],
        )

    def _derive(self, cursor: Any, run: str, told: tables.Projection) -> None:
        self._upsert(cursor, "dialfeed_runs", ("run",), {(run,): told.run})
        self._upsert(
            cursor,
            "dialfeed_batches",
            ("run", "batch"),
            {(run, batch): columns for batch, columns in told.batches.items()},
        )
        if told.reasons is not None:
            cursor.execute(tables.NO_REASONS, (run,))
            if told.reasons:
                cursor.executemany(tables.REASON, [(run, code, rows) for code, rows in told.reasons.items()])

    def _upsert(
        self, cursor: Any, table: str, keys: tuple[str, ...], rows: Mapping[tuple[Any, ...], dict[str, Any]]
    ) -> None:
        """Insert or change rows, those with the same columns together."""
        alike: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
        for key, values in rows.items():
            alike.setdefault(tuple(values), []).append((*key, *values.values()))
        for columns, group in alike.items():
            cursor.executemany(self._server.upsert(table, keys, columns), group)

    def _migrated(self, connection: Any) -> Later | None:
        """Make or change the tables where they are behind; someone may only be allowed to fill them."""
        version = self._version(connection)
        if version < len(tables.MIGRATIONS):
            version = self._migrate(connection)
        if version > len(tables.MIGRATIONS):
            return _newer(version)
        return None

    def _version(self, connection: Any) -> int:
        try:
            with connection.cursor() as cursor:
                cursor.execute(tables.VERSION)
                return int(cursor.fetchone()[0])
        except Exception as error:
            if self._server.lacks_tables(error):
                return 0
            raise
        finally:
            connection.rollback()

    def _migrate(self, connection: Any) -> int:
        """Bring the tables up to date, one process at a time; each statement may be repeated.

        Returns:
            The version that they have then.
        """
        with connection.cursor() as cursor:
            self._server.lock(cursor)
            cursor.execute(tables.VERSIONS.format(**self._server.words))
            cursor.execute(tables.VERSION)
            version = int(cursor.fetchone()[0])
            for number, statements in enumerate(tables.MIGRATIONS[version:], version + 1):
                for statement in statements:
                    cursor.execute(statement.format(**self._server.words))
                cursor.execute(tables.APPLIED, (number, datetime.now(UTC)))
            self._server.unlock(cursor)
        connection.commit()
        return max(version, len(tables.MIGRATIONS))


def _newer(version: int) -> Later:
    return Later(f"the tables are of a newer dialfeed (version {version})")
