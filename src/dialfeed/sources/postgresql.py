"""Queries on PostgreSQL: a server-side cursor in a read-only transaction, cells as the server writes them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, contextmanager
from typing import Any, Final
from urllib.parse import SplitResult, urlunsplit

from dialfeed.errors import FixSource
from dialfeed.optional import needed
from dialfeed.sources.queries import Batch, masked, refused, unreachable

_CONNECT_SECONDS: Final = 15
_READ_ONLY: Final = "-c default_transaction_read_only=on -c datestyle=ISO -c intervalstyle=iso_8601"
_NAMING: Final = frozenset({"42P01", "42703", "42883", "42501", "3F000"})
"""Failures whose message names nothing but tables, columns and functions."""
_BOOLEAN: Final = 16
_CURSOR: Final = "dialfeed"


class PostgresqlQuery:
    """A query (`dialfeed.sources.queries.Query`).

    Args:
        address: The database's.
        text: The query.
        password: If the address has none; else libpq looks for one in its own places.
    """

    kind = "postgresql"

    def __init__(self, address: SplitResult, text: str, password: str | None) -> None:
        self.name = masked(address)
        self.text = text
        self._address = urlunsplit(address)
        self._password = password
        self._library = needed("psycopg", extra="sql", purpose="read from PostgreSQL")

    def columns(self) -> tuple[str, ...]:
        """Let the server prepare the query, without running it (see `Query.columns`)."""
        with self._connected() as connection:
            return self._columns(connection)

    def batches(self, size: int) -> Generator[Batch]:
        """Stream the rows (see `Query.batches`)."""
        with self._connected() as connection:
            self._columns(connection)
            self._take_text(connection)
            with connection.cursor(name=_CURSOR) as cursor:
                cursor.itersize = size
                cursor.execute(self.text.encode())
                while rows := cursor.fetchmany(size):
                    yield rows

    def _columns(self, connection: Any) -> tuple[str, ...]:
        """Prepare: the server takes one statement only, and tells its columns.

        Raises:
            FixSource: It does not take it, or it has no columns.
        """
        server = connection.pgconn
        for result in (server.prepare(b"", self.text.encode()), server.describe_prepared(b"")):
            if result.status != self._library.pq.ExecStatus.COMMAND_OK:
                code = (result.error_field(self._library.pq.DiagnosticField.SQLSTATE) or b"").decode()
                primary = result.error_field(self._library.pq.DiagnosticField.MESSAGE_PRIMARY) or b""
                raise refused(self.name, code, primary.decode("utf-8", "replace") if code in _NAMING else "")
        if not result.nfields:
            raise FixSource(f"The query on {self.name} has no columns.", advice="Give one that reads rows.")
        return tuple((result.fname(index) or b"").decode() for index in range(result.nfields))

    def _take_text(self, connection: Any) -> None:
        """Take every value as the text that the server writes; nothing is read into a number and written again."""
        text = self._library.types.string.TextLoader
        boolean = type("BooleanLoader", (text,), {"load": lambda _, data: "true" if bytes(data) == b"t" else "false"})
        for each in connection.adapters.types:
            connection.adapters.register_loader(each.oid, text)
            if each.array_oid:
                connection.adapters.register_loader(each.array_oid, text)
        connection.adapters.register_loader(_BOOLEAN, boolean)

    @contextmanager
    def _connected(self) -> Generator[Any]:
        library = self._library
        secret = {"password": self._password} if self._password else {}
        try:
            connection = library.connect(
                self._address,
                **secret,
                options=_READ_ONLY,
                client_encoding="UTF8",
                connect_timeout=_CONNECT_SECONDS,
                application_name="dialfeed",
            )
        except (library.Error, ValueError) as error:
            raise unreachable(self.name, str(error)) from None
        with closing(connection):
            try:
                connection.read_only = True
                yield connection
            except library.Error as error:
                raise refused(self.name, error.sqlstate or "none") from None
            except UnicodeDecodeError:
                raise FixSource(
                    f"A row of the query on {self.name} holds bytes that are no text.",
                    advice="Convert them in the query.",
                ) from None
