"""Queries: cells as the database writes them, nothing written, no secret told."""

# ruff: noqa: S608 - the names in these queries are ours

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from same_table import TABLE_NAME, from_mariadb, from_postgresql, run_on_postgresql, table

from dialfeed.contacts.phone import normalise_phones
from dialfeed.errors import DialfeedError, FixSettings, FixSource
from dialfeed.sources.open import open_source
from dialfeed.sources.options import SourceOptions

SERVERS = {"postgresql": from_postgresql, "mariadb": from_mariadb}


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    """The address of a server that has the table."""
    address: str = request.getfixturevalue(request.param)
    SERVERS[request.param](address, table(5), SourceOptions())
    return address


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """The addresses of files that have the table."""
    with closing(sqlite3.connect(tmp_path / "a.db")) as lite:
        lite.execute(f"CREATE TABLE {TABLE_NAME} (phone)")
        lite.execute(f"INSERT INTO {TABLE_NAME} VALUES ('1')")
        lite.commit()
    with closing(duckdb.connect(str(tmp_path / "a.duckdb"))) as duck:
        duck.execute(f"CREATE TABLE {TABLE_NAME} AS SELECT '1' AS phone")
    return {"sqlite": f"sqlite:///{tmp_path}/a.db", "duckdb": f"duckdb:///{tmp_path}/a.duckdb"}


def rows_of(address: str, query: str, read_all: Callable[..., Any], **options: Any) -> Any:
    return read_all(open_source(address, SourceOptions(query=query, **options)))


# --- cells ----------------------------------------------------------------------------------------------------------


def test_postgresql_cells_are_as_the_server_writes_them(postgresql: str, read_all: Callable[..., Any]) -> None:
    query = """SELECT 12025550100::bigint AS phone, true AS yes, NULL AS nothing, '' AS empty, 1.50::numeric AS n,
        date '2026-01-02' AS d, timestamp '2026-01-02 03:04:05' AS t, 25::float8 AS f,
        1.5e20::float8 AS big, '%s' AS p"""
    told = rows_of(postgresql, query, read_all)
    expected = ("12025550100", "true", None, None, "1.50", "2026-01-02", "2026-01-02 03:04:05", "25", "1.5e+20", "%s")
    assert told.rows == [expected]


def test_mariadb_cells_are_as_the_server_writes_them(mariadb: str, read_all: Callable[..., Any]) -> None:
    query = """SELECT 12025550100 AS phone, NULL AS nothing, '' AS empty, 1.50 AS n, date '2026-01-02' AS d,
        timestamp '2026-01-02 03:04:05' AS t, x'5a6fc3ab' AS zoe, '%s' AS p"""
    told = rows_of(mariadb, query, read_all)
    assert told.rows == [("12025550100", None, None, "1.50", "2026-01-02", "2026-01-02 03:04:05", "Zoë", "%s")]


def test_sqlite_cells_are_text_whatever_their_type(files: dict[str, str], read_all: Callable[..., Any]) -> None:
    told = rows_of(
        files["sqlite"],
        "SELECT 12025550100, 25.0, 1e20, x'5a6fc3ab', '', NULL UNION ALL SELECT x'ff',1,1,1,1,1",
        read_all,
    )
    assert told.rows == [("12025550100", "25", "1E+20", "Zoë", None, None)]
    assert told.malformed == [(2, "row.not_text")]


def test_duckdb_cells_are_text_whatever_their_type(files: dict[str, str], read_all: Callable[..., Any]) -> None:
    query = "SELECT 12025550100, 25.0::DOUBLE, 1.50, true, date '2026-01-02', timestamp '2026-01-02 03:04:05', NULL"
    told = rows_of(files["duckdb"], query, read_all)
    assert told.rows == [("12025550100", "25", "1.50", "true", "2026-01-02", "2026-01-02 03:04:05", None)]


SINGLES = {
    "postgresql": "SELECT 12025550101::real AS phone, 5550101::real AS id",
    "mariadb": "SELECT CAST(12025550101 AS FLOAT) AS phone, CAST(101 AS FLOAT) AS id",
    "duckdb": "SELECT 12025550101::FLOAT AS phone, 5550101::FLOAT AS id",
}


@pytest.mark.parametrize("kind", SINGLES)
def test_a_number_of_32_bits_that_has_lost_digits_is_no_number_to_dial(
    kind: str, files: dict[str, str], request: pytest.FixtureRequest, read_all: Callable[..., Any]
) -> None:
    address = files[kind] if kind in files else request.getfixturevalue(kind)
    told = rows_of(address, SINGLES[kind], read_all)
    (phone, small), regions = told.rows[0], pl.Series(["US"])
    assert normalise_phones(pl.Series([phone]), regions)["code"].to_list() == ["phone.precision_lost"]
    assert small in {"5550101", "5.550101e+06", "101"}


def test_duckdb_reads_other_files_by_a_query(tmp_path: Path, read_all: Callable[..., Any]) -> None:
    (tmp_path / "a.csv").write_text("phone\n1\n2\n", encoding="utf-8")
    told = rows_of("duckdb:///:memory:", f"SELECT phone FROM '{tmp_path}/a.csv' WHERE phone > 1", read_all)
    assert told.rows == [("2",)]


def test_a_column_of_lists_is_refused(files: dict[str, str], read_all: Callable[..., Any]) -> None:
    with pytest.raises(FixSource, match="holds lists"):
        rows_of(files["duckdb"], "SELECT [1] AS phones", read_all)


# --- nothing is written ---------------------------------------------------------------------------------------------

WRITES = (
    "DELETE FROM {table}",
    "/* SELECT */ DROP TABLE {table}",
    "SELECT 1; DELETE FROM {table}",
    "SELECT 1; COMMIT; DELETE FROM {table}",
    "WITH gone AS (DELETE FROM {table} RETURNING *) SELECT * FROM gone",
    "WITH x AS (SELECT 1) DELETE FROM {table}",
    "SELECT * INTO dialfeed_other FROM {table}",
)


@pytest.mark.parametrize("statement", WRITES)
def test_a_server_is_only_read(server: str, statement: str, read_all: Callable[..., Any]) -> None:
    with pytest.raises(DialfeedError):
        rows_of(server, statement.format(table=TABLE_NAME), read_all)
    assert rows_of(server, f"SELECT count(*) AS n FROM {TABLE_NAME}", read_all).rows == [("5",)]


@pytest.mark.parametrize("statement", WRITES)
@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_database_file_is_only_read(
    kind: str, statement: str, files: dict[str, str], read_all: Callable[..., Any]
) -> None:
    with pytest.raises(DialfeedError):
        rows_of(files[kind], statement.format(table=TABLE_NAME), read_all)
    assert rows_of(files[kind], f"SELECT count(*) AS n FROM {TABLE_NAME}", read_all).rows == [("1",)]


def test_a_function_that_writes_is_stopped_by_the_transaction(postgresql: str, read_all: Callable[..., Any]) -> None:
    sequence = f"{TABLE_NAME}_sequence"
    run_on_postgresql(postgresql, f"DROP SEQUENCE IF EXISTS {sequence}", f"CREATE SEQUENCE {sequence}")
    with pytest.raises(FixSource, match="25006"):
        rows_of(postgresql, f"SELECT nextval('{sequence}')", read_all)
    run_on_postgresql(postgresql, f"DROP SEQUENCE {sequence}")


@pytest.mark.parametrize("query", ["SELECT 1 INTO OUTFILE '/tmp/x'", "select 1 into/**/dumpfile '/tmp/x'"])
def test_mariadb_writes_no_file(mariadb: str, query: str) -> None:
    with pytest.raises(FixSettings, match="writes a file"):
        open_source(mariadb, SourceOptions(query=query))


@pytest.mark.parametrize("query", ["ATTACH 'x.db' AS x", "SELECT load_extension('x')", "PRAGMA user_version = 3"])
def test_sqlite_opens_nothing_else(files: dict[str, str], query: str, read_all: Callable[..., Any]) -> None:
    with pytest.raises(DialfeedError):
        rows_of(files["sqlite"], query, read_all)


def test_duckdb_copies_nothing(files: dict[str, str], tmp_path: Path, read_all: Callable[..., Any]) -> None:
    for query in (f"COPY (SELECT 1) TO '{tmp_path}/x.csv'", f"FROM (SELECT 1); COPY (SELECT 1) TO '{tmp_path}/x.csv'"):
        with pytest.raises(DialfeedError):
            rows_of(files["duckdb"], query, read_all)
    assert not (tmp_path / "x.csv").exists()


# --- what is refused, and what is told ------------------------------------------------------------------------------


def test_a_query_is_needed(files: dict[str, str]) -> None:
    for query in (None, "  ", ";"):
        with pytest.raises(FixSettings, match="needs a query"):
            open_source(files["sqlite"], SourceOptions(query=query))


def test_a_comment_may_come_first(files: dict[str, str], read_all: Callable[..., Any]) -> None:
    query = f"-- the spring list\n/* all */ (SELECT phone FROM {TABLE_NAME});"
    assert rows_of(files["duckdb"], query, read_all).rows == [("1",)]


def test_a_password_is_never_told(mariadb: str, read_all: Callable[..., Any]) -> None:
    address = mariadb.replace("root@", "root:s3cret@")
    with pytest.raises(FixSource, match="refuses the user name or the password") as refusal:
        rows_of(address, "SELECT 1", read_all)
    assert "s3cret" not in str(refusal.value)
    assert "s3cret" not in repr(SourceOptions(password="s3cret"))


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_server_that_is_not_there_is_told_without_the_password(scheme: str, read_all: Callable[..., Any]) -> None:
    with pytest.raises(FixSource, match="cannot be reached") as refusal:
        rows_of(f"{scheme}://user:s3cret@127.0.0.1:1/db", "SELECT 1", read_all)
    assert "s3cret" not in str(refusal.value)


def test_a_database_that_is_not_there_is_told(postgresql: str, read_all: Callable[..., Any]) -> None:
    with pytest.raises(FixSource, match="no such database"):
        rows_of(postgresql.replace("/test", "/nowhere"), "SELECT 1", read_all)


def test_a_table_that_is_not_there_is_named(server: str, read_all: Callable[..., Any]) -> None:
    with pytest.raises(FixSource, match="dialfeed_nowhere"):
        rows_of(server, "SELECT * FROM dialfeed_nowhere", read_all)


def test_what_a_row_holds_is_not_told_when_a_query_fails(postgresql: str, read_all: Callable[..., Any]) -> None:
    with pytest.raises(FixSource, match="22P02") as refusal:
        rows_of(postgresql, "SELECT phone::bigint FROM (VALUES ('1'), ('+12025550100x')) AS t(phone)", read_all)
    assert "2025550100" not in str(refusal.value)


def test_the_text_of_a_query_is_not_told_but_its_hash_is(files: dict[str, str]) -> None:
    told = open_source(files["sqlite"], SourceOptions(query="SELECT '+12025550100' AS phone")).describe()
    assert "2025550100" not in str(told)
    assert len(told.facts["query_sha256"]) == 64


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    for kind in ("sqlite", "duckdb"):
        with pytest.raises(FixSource, match="no file"):
            open_source(f"{kind}:///{tmp_path}/nowhere", SourceOptions(query="SELECT 1"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", SERVERS)
def test_rows_come_before_the_query_is_done_and_leaving_does_not_wait_for_it(
    kind: str, request: pytest.FixtureRequest
) -> None:
    address = request.getfixturevalue(kind)
    endless = {
        "postgresql": "SELECT generate_series(1, 2000000000) AS phone",
        "mariadb": "SELECT seq AS phone FROM seq_1_to_2000000000",
    }
    source = open_source(address, SourceOptions(query=endless[kind], chunk_rows=100))
    began = time.monotonic()
    chunks = source.chunks()
    assert next(chunks).rows.height == 100
    chunks.close()  # type: ignore[attr-defined] # every source streams from a generator
    assert time.monotonic() - began < 10
