"""A wrong address is told before a run starts, in words that help and that hold nothing of what was given."""

from __future__ import annotations

import pytest

from dialfeed.audit.sinks.addresses import read_address, read_addresses
from dialfeed.errors import FixSettings

SECRET = "s3cr3t-m4rk"


@pytest.mark.parametrize(
    ("text", "kind", "name", "host", "port"),
    [
        ("postgresql://audit@db.example/warehouse", "postgresql", "postgresql", "db.example", 5432),
        ("postgres://db.example:6432/w?sslmode=verify-full#main", "postgresql", "main", "db.example", 6432),
        ("mysql://audit@db.example/warehouse", "mysql", "mysql", "db.example", 3306),
        ("mariadb:///warehouse?unix_socket=/run/mysqld.sock", "mysql", "mysql", "", 3306),
        ("s3://bucket/audit/trails?region=eu-central-1", "s3", "s3", "bucket", None),
        ("syslog+tls://siem.example?format=cef#siem", "syslog", "siem", "siem.example", 6514),
        ("syslog+tcp://siem.example", "syslog", "syslog", "siem.example", 601),
        ("syslog+tcp://siem.example:514", "syslog", "syslog", "siem.example", 514),
        ("https://hooks.example/dialfeed#pager", "webhook", "pager", "hooks.example", None),
        ("http://127.0.0.1:8080/", "webhook", "webhook", "127.0.0.1", 8080),
    ],
)
def test_addresses_are_read(text: str, kind: str, name: str, host: str, port: int | None) -> None:
    address = read_address(text)
    assert (address.kind, address.name, address.host, address.port) == (kind, name, host, port)


def test_the_user_of_an_address_is_read_where_there_is_one() -> None:
    assert read_address("postgresql://audit@db.example/warehouse").user == "audit"
    assert read_address("mysql://db.example/warehouse").user == ""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "of no kind"),
        ("/var/log/audit", "of no kind"),
        ("ftp://host/x", "of no kind"),
        (f"{SECRET}://host/x", "of no kind"),
        (f"postgresql://audit:{SECRET}@db.example/warehouse", "DIALFEED_SINK_POSTGRESQL_PASSWORD"),
        (f"postgresql://audit@db.example/warehouse?password={SECRET}", "not known"),
        (f"postgresql://audit@db.example/warehouse?{SECRET}", "not known"),
        (f"mysql://audit:{SECRET}@db.example/warehouse#second", "DIALFEED_SINK_SECOND_PASSWORD"),
        (f"s3://{SECRET}:x@bucket/prefix", "DIALFEED_SINK_S3_SECRET_ACCESS_KEY"),
        (f"https://{SECRET}@hooks.example/", "DIALFEED_SINK_WEBHOOK_SECRET"),
        (f"https://hooks.example/?code={SECRET}", "DIALFEED_SINK_WEBHOOK_QUERY"),
        ("http://hooks.example/", "not encrypted"),
        ("s3://bucket/x?endpoint=http://minio.example", "not encrypted"),
        ("postgresql://db.example", "names no database"),
        ("postgresql:///warehouse", "names no host"),
        ("s3:///prefix", "names no bucket"),
        ("syslog+tls://siem.example/path", "has a path"),
        ("syslog+tls://siem.example:port", "cannot be read"),
        (f"https://hooks.example/#Not {SECRET}", "name is not one"),
    ],
)
def test_a_wrong_address_is_told_without_repeating_it(text: str, word: str) -> None:
    with pytest.raises(FixSettings) as told:
        read_address(text)
    assert word in str(told.value)
    assert SECRET not in str(told.value)


def test_two_sinks_need_two_names() -> None:
    with pytest.raises(FixSettings, match="Two sinks are called 'webhook'"):
        read_addresses(["https://a.example/", "https://b.example/"])
    assert len(read_addresses(["https://a.example/", "https://b.example/#second"])) == 2
