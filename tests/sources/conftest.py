"""What the tests of sources share: reading everything a source says, and the databases of this machine."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

import polars as pl
import pytest
from same_table import DROP, run_on_mariadb, run_on_postgresql

from dialfeed.sources.base import MALFORMED_SCHEMA, ROW, Source

POSTGRESQL = "postgresql://postgres@127.0.0.1:5432/test"
MARIADB = "mariadb://root@127.0.0.1:3306/test"


@dataclass
class Told:
    """Everything a source says."""

    header: tuple[str, ...]
    facts: dict[str, Any]
    numbers: list[int] = field(default_factory=list)
    rows: list[tuple[str | None, ...]] = field(default_factory=list)
    malformed: list[tuple[int, str]] = field(default_factory=list)
    raw: list[str | None] = field(default_factory=list)
    blank: int = 0
    sha256: str = ""
    sizes: list[int] = field(default_factory=list)

    @property
    def table(self) -> tuple[object, ...]:
        """What must not depend on the size of a chunk."""
        return (self.header, self.numbers, self.rows, self.malformed, self.raw, self.blank, self.sha256)


def read(source: Source) -> Told:
    """Read a source to its end, and check that its chunks are what `dialfeed.sources.base` promises."""
    description = source.describe()
    json.dumps(description.facts)
    told = Told(description.header, description.facts)
    columns = [ROW, *map(str, range(len(description.header)))]
    schema = pl.Schema(zip(columns, [pl.Int64, *[pl.String] * len(description.header)], strict=True))
    for chunk in source.chunks():
        assert chunk.rows.schema == schema
        assert chunk.malformed.schema == MALFORMED_SCHEMA
        assert not any((chunk.rows[name] == "").any() for name in columns[1:])
        told.numbers += chunk.rows[ROW].to_list()
        told.rows += chunk.rows.drop(ROW).rows()
        told.malformed += chunk.malformed.select(ROW, "code").rows()
        told.raw += chunk.malformed["raw"].to_list()
        told.blank += chunk.blank
        told.sizes.append(chunk.rows.height + chunk.malformed.height)
    everything = sorted(told.numbers + [number for number, _ in told.malformed])
    assert len(set(everything)) == len(everything)
    assert told.numbers == sorted(told.numbers)
    told.sha256, told.facts = source.sha256(), source.describe().facts
    json.dumps(told.facts)
    return told


@pytest.fixture(scope="session")
def read_all() -> Callable[[Source], Told]:
    return read


def _reachable(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _absent(what: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{what} does not run here, and CI needs it")
    pytest.skip(f"{what} does not run here")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    if not _reachable(5432):
        _absent("PostgreSQL on port 5432")
    yield POSTGRESQL
    run_on_postgresql(POSTGRESQL, DROP)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[str]:
    if not _reachable(3306):
        _absent("MariaDB on port 3306")
    yield MARIADB
    run_on_mariadb(DROP)
