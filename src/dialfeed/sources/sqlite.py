"""Queries on a SQLite file, opened for reading only."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, quote

from dialfeed.errors import FixSource
from dialfeed.sources.queries import Batch, database_file, masked, refused, row_as_text

_ALLOWED: Final = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)


class SqliteQuery:
    """A query (`dialfeed.sources.queries.Query`).

    Args:
        address: The file's.
        text: The query.
        password: Not needed: a SQLite file has none.

    Raises:
        FixSource: There is no such file.
    """

    kind = "sqlite"

    def __init__(self, address: SplitResult, text: str, password: str | None) -> None:  # noqa: ARG002 - as the others
        self.name = masked(address)
        self.text = text
        self._path = Path(database_file(address))
        if not self._path.is_file():
            raise FixSource(f"There is no file '{self._path}'.", advice="Check the name and the folder.")

    def columns(self) -> tuple[str, ...]:
        """Begin the query, and take only its columns (see `Query.columns`)."""
        with self._running() as cursor:
            return tuple(column[0] for column in cursor.description)

    def batches(self, size: int) -> Generator[Batch]:
        """Stream the rows (see `Query.batches`)."""
        with self._running() as cursor:
            while rows := cursor.fetchmany(size):
                yield [row_as_text(row) for row in rows]

    @contextmanager
    def _running(self) -> Generator[sqlite3.Cursor]:
        try:
            address = f"file:{quote(str(self._path.absolute()))}?mode=ro"
            with closing(sqlite3.connect(address, uri=True, check_same_thread=False)) as connection:
                connection.execute("PRAGMA query_only = ON")
                connection.text_factory = bytes  # it may hold what is no text
                connection.set_authorizer(_judge)
                with closing(connection.cursor()) as cursor:
                    yield cursor.execute(self.text)
        except (sqlite3.Error, sqlite3.Warning) as error:
            naming = str(error).startswith(("no such table", "no such column"))
            code = getattr(error, "sqlite_errorname", None) or type(error).__name__
            raise refused(self.name, code, str(error) if naming else "") from None


def _judge(action: int, *_: object) -> int:
    """Allow what only reads."""
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY
