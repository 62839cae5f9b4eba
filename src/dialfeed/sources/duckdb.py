"""Queries on a DuckDB file, opened for reading only, or on files that DuckDB reads (``duckdb:///:memory:``)."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult

from dialfeed.errors import FixSource
from dialfeed.optional import needed
from dialfeed.sources.queries import Batch, database_file, masked, refused, row_as_text

_IN_MEMORY: Final = ":memory:"


class DuckdbQuery:
    """A query (`dialfeed.sources.queries.Query`).

    Args:
        address: The file's.
        text: The query.
        password: Not needed: a DuckDB file has none.

    Raises:
        FixSource: There is no such file.
        FixSettings: DuckDB is not installed.
    """

    kind = "duckdb"

    def __init__(self, address: SplitResult, text: str, password: str | None) -> None:  # noqa: ARG002 - as the others
        self.name = masked(address)
        self.text = text
        self._path = database_file(address)
        self._library = needed("duckdb", extra="sql", purpose="read from DuckDB")
        if self._path != _IN_MEMORY and not Path(self._path).is_file():
            raise FixSource(f"There is no file '{self._path}'.", advice="Check the name and the folder.")

    def columns(self) -> tuple[str, ...]:
        """Let DuckDB plan the query, without running it (see `Query.columns`)."""
        with self._connected() as connection:
            found = connection.execute(f"DESCRIBE {self.text}").fetchall()
        for name, kind, *_ in found:
            if any(mark in kind for mark in ("[", "STRUCT", "MAP", "UNION")):
                raise FixSource(
                    f"The column '{name}' of the query on {self.name} holds lists or records, not single values.",
                    advice="Turn it into text in the query, or leave it out.",
                )
        return tuple(name for name, *_ in found)

    def batches(self, size: int) -> Generator[Batch]:
        """Stream the rows (see `Query.batches`)."""
        with self._connected() as connection:
            result = connection.execute(self.text)
            rounded = [place for place, column in enumerate(result.description) if str(column[1]) == "FLOAT"]
            while rows := result.fetchmany(size):
                yield [row_as_text(row, rounded) for row in rows]

    @contextmanager
    def _connected(self) -> Generator[Any]:
        library = self._library
        try:
            with closing(library.connect(self._path, read_only=self._path != _IN_MEMORY)) as connection:
                statements = connection.extract_statements(self.text)
                if [each.type for each in statements] != [library.StatementType.SELECT]:
                    raise FixSource("The query is not one statement that only reads.", advice="Give a single SELECT.")
                yield connection
        except library.Error as error:
            naming = isinstance(error, library.CatalogException)
            raise refused(self.name, type(error).__name__, str(error).split("\n")[0] if naming else "") from None
