"""Queries on MariaDB and MySQL: rows one by one from the server, in a session that cannot write."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, unquote

from dialfeed.errors import FixSettings
from dialfeed.optional import needed
from dialfeed.sources.queries import Batch, masked, refused, row_as_text, unreachable

_CONNECT_SECONDS: Final = 15
_PARAMETERS: Final = frozenset({"unix_socket", "ssl_ca", "ssl_cert", "ssl_key"})
_TO_FILE: Final = re.compile(r"\binto\b.{0,100}?\b(?:out|dump)file\b", re.IGNORECASE | re.DOTALL)
"""Writes a file on the server, which a transaction that only reads does not forbid."""
_FLOAT: Final = 4
"""The type of a FLOAT column in the protocol."""
_FLOAT_EXACT: Final = 1e6
"""The server shows six digits of such a number, and zeros behind them."""
_NAMING: Final = frozenset({1054, 1064, 1142, 1143, 1146, 1305})


class MysqlQuery:
    """A query (`dialfeed.sources.queries.Query`).

    Args:
        address: The database's.
        text: The query.
        password: If the address has none.

    Raises:
        FixSettings: PyMySQL is not installed, the query writes a file, or the address has a parameter that is not
            known.
    """

    kind = "mysql"

    def __init__(self, address: SplitResult, text: str, password: str | None) -> None:
        self.name = masked(address)
        self.text = text
        self._library = needed("pymysql", extra="sql", purpose="read from MariaDB or MySQL")
        self._cursors = needed("pymysql.cursors", extra="sql", purpose="read from MariaDB or MySQL")
        self._converters = needed("pymysql.converters", extra="sql", purpose="read from MariaDB or MySQL")
        if _TO_FILE.search(text):
            raise FixSettings("The query writes a file on the server.", advice="Give one that only reads.")
        parameters = dict(parse_qsl(address.query))
        if unknown := sorted(set(parameters) - _PARAMETERS):
            raise FixSettings(
                f"The address of {self.name} has a parameter that is not known: {unknown[0]}.",
                advice=f"Known: {', '.join(sorted(_PARAMETERS))}.",
            )
        self._options: dict[str, Any] = {
            "host": address.hostname or "localhost",
            "port": address.port or 3306,
            "user": unquote(address.username or ""),
            "password": unquote(address.password) if address.password else password or "",
            "database": unquote(address.path.strip("/")) or None,
            **parameters,
        }

    def columns(self) -> tuple[str, ...]:
        """Begin the query, and take only its columns (see `Query.columns`)."""
        with self._running() as cursor:
            return tuple(column[0] for column in cursor.description)

    def batches(self, size: int) -> Generator[Batch]:
        """Stream the rows (see `Query.batches`)."""
        with self._running() as cursor:
            rounded = [place for place, column in enumerate(cursor.description) if column[1] == _FLOAT]
            while rows := cursor.fetchmany(size):
                yield [row_as_text(row, rounded, _FLOAT_EXACT) for row in rows]

    @contextmanager
    def _running(self) -> Generator[Any]:
        library = self._library
        try:
            connection = library.connect(
                **self._options,
                charset="utf8mb4",
                conv=self._converters.encoders,  # and no decoders: cells stay as the server writes them
                cursorclass=self._cursors.SSCursor,
                connect_timeout=_CONNECT_SECONDS,
                init_command="SET SESSION TRANSACTION READ ONLY",
            )
        except (library.Error, OSError, ValueError, RuntimeError) as error:
            raise unreachable(self.name, str(error)) from None
        cursor = connection.cursor()
        try:
            connection.begin()
            cursor.execute(self.text)
            yield cursor
        except library.Error as error:
            code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
            message = str(error.args[1]) if code in _NAMING - {1064} else ""
            raise refused(self.name, str(code), message) from None
        finally:
            _hang_up(connection, cursor)


def _hang_up(connection: Any, cursor: Any) -> None:
    """Close at once, without taking the rows that were not asked for, as the library would."""
    for result in (cursor._result, connection._result):  # noqa: SLF001 - it has no other way to leave rows where they are
        if result is not None:
            result.unbuffered_active = False
            result.connection = None
    cursor.connection = None
    connection.close()
