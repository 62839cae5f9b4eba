"""What a sink needs is asked for before a run starts, and a library only when it is there."""

from __future__ import annotations

import importlib.util

import pytest

from dialfeed.audit.sinks.open import Means, open_sinks
from dialfeed.errors import FixSettings


@pytest.mark.parametrize(
    ("address", "package", "extra"),
    [
        ("postgresql://audit@db.example/warehouse", "psycopg", "sql"),
        ("mysql://audit@db.example/warehouse", "pymysql", "sql"),
        ("s3://bucket/prefix", "obstore", "remote"),
    ],
)
def test_a_library_that_is_missing_is_told_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, address: str, package: str, extra: str
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(FixSettings) as told:
        open_sinks([address], Means({}, 1.0))
    assert f"package '{package}'" in str(told.value)
    assert f"pip install 'dialfeed[{extra}]'" in str(told.value)


def test_a_certificate_of_a_database_that_is_not_there_is_told_before_the_run() -> None:
    with pytest.raises(FixSettings, match="no file for ssl_ca of the sink 'mysql'"):
        open_sinks(["mysql://audit@db.example/warehouse?ssl_ca=/no/such/file"], Means({}, 1.0))
