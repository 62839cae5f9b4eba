"""Rows of an SQL query, read-only and through a cursor: PostgreSQL, MariaDB and MySQL, SQLite, DuckDB."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from typing import Final
from urllib.parse import SplitResult, urlsplit

import polars as pl

from dialfeed.errors import FixSettings, FixSource
from dialfeed.sources.base import ROW, Chunk, Description, Hashed
from dialfeed.sources.duckdb import DuckdbQuery
from dialfeed.sources.mysql import MysqlQuery
from dialfeed.sources.options import SourceOptions
from dialfeed.sources.postgresql import PostgresqlQuery
from dialfeed.sources.queries import Batch, Query
from dialfeed.sources.sqlite import SqliteQuery
from dialfeed.sources.tables import Malformed, Record, Row, chunks_of

_QUERIES: Final[Mapping[str, Callable[[SplitResult, str, str | None], Query]]] = {
    "postgresql": PostgresqlQuery,
    "postgres": PostgresqlQuery,
    "mysql": MysqlQuery,
    "mariadb": MysqlQuery,
    "sqlite": SqliteQuery,
    "duckdb": DuckdbQuery,
}
_COMMENTS: Final = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z)|/\*(?!!).*?\*/|\()*", re.DOTALL)
_READING: Final = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "FROM"})


def is_database(name: str) -> bool:
    """Whether a source is a database's address."""
    return name.partition("://")[0].lower() in _QUERIES and "://" in name


def open_query(address: str, options: SourceOptions) -> QuerySource:
    """The rows of a query on a database.

    Args:
        address: As in ``postgresql://user@host/database``; its password is told to the database only.
        options: With the query.

    Raises:
        FixSettings: There is no query, it does not only read, or a library is missing.
        FixSource: The address makes no sense.
    """
    query = (options.query or "").strip().rstrip(";").rstrip()
    if not query:
        raise FixSettings("A database needs a query.", advice="Say which rows with --query: select … from ….")
    word = re.match(r"[A-Za-z]*", query[_leading(query) :])
    if not word or word[0].upper() not in _READING:
        raise FixSettings(
            "The query does not begin with SELECT, WITH, VALUES or TABLE.", advice="Give one that only reads."
        )
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        raise FixSource(
            "The address of the database makes no sense.", advice="Write postgresql://user@host/name."
        ) from None
    return QuerySource(_QUERIES[parts.scheme](parts, query, options.password), options.chunk_rows)


def _leading(query: str) -> int:
    match = _COMMENTS.match(query)
    return match.end() if match else 0


class QuerySource(Hashed):
    """The rows of a query; the first one is row 1.

    The query runs in a transaction that cannot write. Its text is not told, since it may hold a phone number; its hash
    is. The hash of the source is that of the rows as CSV: a query has no bytes of its own.

    Args:
        query: The query, on its database.
        chunk_rows: How many rows to hand on at once.
    """

    def __init__(self, query: Query, chunk_rows: int) -> None:
        self._query = query
        self._chunk_rows = chunk_rows
        self._names: tuple[str, ...] | None = None

    def describe(self) -> Description:
        """Ask the database for the columns.

        Raises:
            FixSource: It cannot be reached, or refuses the query.
        """
        self._names = self._names or self._query.columns()
        facts = {
            "format": "sql",
            "database": self._query.kind,
            "query_sha256": hashlib.sha256(self._query.text.encode()).hexdigest(),
        }
        return Description(self._query.name, tuple(name.strip() for name in self._names), facts)

    def chunks(self) -> Iterator[Chunk]:
        """Stream the rows.

        Raises:
            FixSource: As `describe`; or the query fails on the way.
        """
        self._sha256 = None
        width = len(self.describe().header)
        digest = hashlib.sha256()
        with closing(self._query.batches(min(self._chunk_rows, 10_000))) as batches:
            for chunk in chunks_of(_records(batches), width, self._chunk_rows):
                digest.update(chunk.rows.select(pl.exclude(ROW)).write_csv(include_header=False).encode())
                yield chunk
        self._sha256 = digest.hexdigest()


def _records(batches: Iterator[Batch]) -> Generator[Record]:
    number = 0
    for batch in batches:
        for cells in batch:
            number += 1
            yield Malformed(number, "row.not_text", None) if cells is None else Row(number, cells)
