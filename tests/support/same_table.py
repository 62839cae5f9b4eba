"""One table, in every form that a source can have."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl
import psycopg
import pymysql  # type: ignore[import-untyped] # it has no types
from workbook_files import Sheet, ods, xls, xlsb, xlsx, zipped

from dialfeed.sources.base import Source
from dialfeed.sources.open import open_source
from dialfeed.sources.options import SourceOptions
from dialfeed.sources.packing import zstd_module

HEADER: Final = ("phone", "name", "note")
Rows = Sequence[tuple[str | None, ...]]
Maker = Callable[[Path, Rows, SourceOptions], Source]


def table(count: int = 40) -> Rows:
    """So many rows with what tends to go wrong; none of them blank, all cells text."""
    names = (
        "Ann",
        "Zoë",
        "O'Brien, Pat",
        'say "hi"',
        "two\nlines",
        " blank ",
        "0012",
        "1E5",
        "=1+1",
        "😀",
        "NULL",
        "true",
    )
    return [
        (f"+1202555{index + 100:04}", names[index % len(names)], None if index % 3 else f"n{index}")
        for index in range(count)
    ]


def as_csv(rows: Rows, **style: Any) -> str:
    """As CSV; `style` is that of `csv.writer`."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n", **style).writerows([HEADER, *rows])
    return out.getvalue()


def _frame(rows: Rows) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(HEADER, pl.String), orient="row")


def _written(method: str) -> Callable[[Rows], bytes]:
    def write(rows: Rows) -> bytes:
        out = io.BytesIO()
        getattr(_frame(rows), method)(out)
        return out.getvalue()

    return write


def _objects(rows: Rows) -> list[dict[str, str | None]]:
    return [dict(zip(HEADER, row, strict=True)) for row in rows]


def _workbook(write: Callable[[Mapping[str, Sheet]], bytes]) -> Callable[[Rows], bytes]:
    return lambda rows: write({"Contacts": Sheet([HEADER, *rows])})


FILES: Final[dict[str, Callable[[Rows], bytes]]] = {
    "csv": lambda rows: as_csv(rows).encode(),
    "csv with semicolons in UTF-16": lambda rows: as_csv(rows, delimiter=";").encode("utf-16"),
    "csv with apostrophes": lambda rows: as_csv(rows, quotechar="'", quoting=csv.QUOTE_ALL).encode(),
    "csv in gzip": lambda rows: gzip.compress(as_csv(rows).encode()),
    "csv in zstd": lambda rows: bytes(zstd_module().compress(as_csv(rows).encode())),
    "csv in zip": lambda rows: zipped({"contacts.csv": as_csv(rows)}),
    "json lines": lambda rows: "\n".join(map(json.dumps, _objects(rows))).encode(),
    "json array": lambda rows: json.dumps(_objects(rows), indent=1).encode(),
    "parquet": _written("write_parquet"),
    "arrow file": _written("write_ipc"),
    "arrow stream": _written("write_ipc_stream"),
    "xlsx": _workbook(xlsx),
    "xlsb": _workbook(xlsb),
    "xls": _workbook(xls),
    "ods": _workbook(ods),
}  # fmt: skip
"""How to write the table as a file."""


def _from_file(write: Callable[[Rows], bytes]) -> Maker:
    def make(folder: Path, rows: Rows, sizes: SourceOptions) -> Source:
        path = folder / "contacts"
        path.write_bytes(write(rows))
        return open_source(path, sizes)

    return make


def _from_stdin(folder: Path, rows: Rows, sizes: SourceOptions) -> Source:  # noqa: ARG001 - as the others
    return open_source("-", sizes, stdin=io.BytesIO(as_csv(rows).encode()))


def _from_several(folder: Path, rows: Rows, sizes: SourceOptions) -> Source:
    for name, part in (("a.csv", rows[:7]), ("b.csv", rows[7:])):
        (folder / name).write_bytes(as_csv(part).encode())
    return open_source(folder / "*.csv", sizes)


def _from_sqlite(folder: Path, rows: Rows, sizes: SourceOptions) -> Source:
    path = folder / "contacts.db"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE contacts (n INTEGER, phone, name, note)")
        connection.executemany("INSERT INTO contacts VALUES (?, ?, ?, ?)", [(n, *row) for n, row in enumerate(rows)])
        connection.commit()
    return open_source(path, replace(sizes, query=QUERY))


def _from_duckdb(folder: Path, rows: Rows, sizes: SourceOptions) -> Source:
    path = folder / "contacts.duckdb"
    path.unlink(missing_ok=True)
    with closing(duckdb.connect(str(path))) as connection:
        connection.execute("CREATE TABLE contacts (n INTEGER, phone VARCHAR, name VARCHAR, note VARCHAR)")
        for n, row in enumerate(rows):
            connection.execute("INSERT INTO contacts VALUES (?, ?, ?, ?)", (n, *row))
    return open_source(path, replace(sizes, query=QUERY))


QUERY: Final = "SELECT phone, name, note FROM contacts ORDER BY n"
TABLE_NAME: Final = f"dialfeed_{os.getpid()}"
"""A table for each process, since tests run side by side."""
_COLUMNS: Final = f"{TABLE_NAME} (n INTEGER, phone TEXT, name TEXT, note TEXT)"
_INSERT: Final = f"INSERT INTO {TABLE_NAME} VALUES (%s, %s, %s, %s)"  # noqa: S608 - the name is ours
DROP: Final = f"DROP TABLE IF EXISTS {TABLE_NAME}"


def run_on_postgresql(address: str, *statements: str, rows: Rows = ()) -> None:
    """Run statements, then insert rows."""
    with psycopg.connect(address) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.encode())
        if rows:
            cursor.executemany(_INSERT.encode(), [(n, *row) for n, row in enumerate(rows)])


def run_on_mariadb(*statements: str, rows: Rows = ()) -> None:
    """Run statements, then insert rows."""
    with pymysql.connect(host="127.0.0.1", user="root", database="test", charset="utf8mb4") as connection:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            if rows:
                cursor.executemany(_INSERT, [(n, *row) for n, row in enumerate(rows)])
        connection.commit()


def from_postgresql(address: str, rows: Rows, sizes: SourceOptions) -> Source:
    """Through a table of the test database that is made anew."""
    run_on_postgresql(address, DROP, f"CREATE TABLE {_COLUMNS}", rows=rows)
    return open_source(address, replace(sizes, query=QUERY.replace("contacts", TABLE_NAME)))


def from_mariadb(address: str, rows: Rows, sizes: SourceOptions) -> Source:
    """Through a table of the test database that is made anew."""
    run_on_mariadb(DROP, f"CREATE TABLE {_COLUMNS} CHARSET utf8mb4", rows=rows)
    return open_source(address, replace(sizes, query=QUERY.replace("contacts", TABLE_NAME)))


MAKERS: Final[dict[str, Maker]] = {
    **{name: _from_file(write) for name, write in FILES.items()},
    "standard input": _from_stdin,
    "several files": _from_several,
    "sqlite": _from_sqlite,
    "duckdb": _from_duckdb,
}
"""How to make a source of the table, in a folder of its own."""
