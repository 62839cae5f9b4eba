"""From addresses to sinks. Nothing is connected: a sink does that when it is first told something."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from dialfeed.audit.sinks.addresses import SinkAddress, read_addresses
from dialfeed.audit.sinks.base import Sink
from dialfeed.audit.sinks.courier import Destination
from dialfeed.audit.sinks.mysql import MysqlServer
from dialfeed.audit.sinks.objects import ObjectSink
from dialfeed.audit.sinks.postgresql import PostgresqlServer
from dialfeed.audit.sinks.sql import SqlSink
from dialfeed.audit.sinks.syslog import SyslogSink
from dialfeed.audit.sinks.webhook import WebhookSink, read_keys
from dialfeed.moments import utc_now


@dataclass(frozen=True, slots=True)
class Means:
    """What sinks are opened with.

    Attributes:
        secrets: Environment variables that begin with `DIALFEED_SINK_`.
        timeout: Seconds for one batch of events.
        proxy: An HTTP proxy.
    """

    secrets: Mapping[str, str]
    timeout: float
    proxy: str | None = None


def open_sinks(texts: Iterable[str], means: Means) -> list[Destination]:
    """The sinks at these addresses.

    Raises:
        FixSettings: An address is none, a secret is missing or not one, or a library is not installed.
    """
    return [Destination(address, _MAKERS[address.kind](address, means)) for address in read_addresses(texts)]


def _postgresql(address: SinkAddress, means: Means) -> Sink:
    return SqlSink(PostgresqlServer(address, means.secrets.get(address.variable("PASSWORD")), means.timeout))


def _mysql(address: SinkAddress, means: Means) -> Sink:
    return SqlSink(MysqlServer(address, means.secrets.get(address.variable("PASSWORD")), means.timeout))


def _objects(address: SinkAddress, means: Means) -> Sink:
    return ObjectSink(address, means.secrets, means.timeout, means.proxy)


def _syslog(address: SinkAddress, means: Means) -> Sink:
    return SyslogSink(address, means.timeout)


def _webhook(address: SinkAddress, means: Means) -> Sink:
    secrets = means.secrets
    return WebhookSink(
        address,
        read_keys(address, secrets.get(address.variable("SECRET"))),
        token=secrets.get(address.variable("TOKEN")),
        query=secrets.get(address.variable("QUERY")),
        timeout=means.timeout,
        proxy=means.proxy,
        now=utc_now,
    )


_MAKERS: Mapping[str, Callable[[SinkAddress, Means], Sink]] = {
    "postgresql": _postgresql,
    "mysql": _mysql,
    "s3": _objects,
    "syslog": _syslog,
    "webhook": _webhook,
}
