"""From addresses to sinks. Nothing is connected: a sink does that when it is first told something."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from dialfeed.audit.sinks.addresses import SinkAddress, read_addresses
from dialfeed.audit.sinks.base import Sink
from dialfeed.audit.sinks.courier import Destination
from dialfeed.audit.sinks.mysql import MysqlServer
from dialfeed.audit.sinks.postgresql import PostgresqlServer
from dialfeed.audit.sinks.sql import SqlSink

Secrets = Mapping[str, str]
"""Environment variables that begin with `DIALFEED_SINK_`."""


def open_sinks(texts: Iterable[str], secrets: Secrets, timeout: float) -> list[Destination]:
    """The sinks at these addresses.

    Args:
        texts: Their addresses.
        secrets: What belongs to them.
        timeout: Seconds for one batch of events.

    Raises:
        FixSettings: An address is none, a secret is missing or not one, or a library is not installed.
    """
    return [Destination(address, _MAKERS[address.kind](address, secrets, timeout)) for address in read_addresses(texts)]


def _postgresql(address: SinkAddress, secrets: Secrets, timeout: float) -> Sink:
    return SqlSink(PostgresqlServer(address, secrets.get(address.variable("PASSWORD")), timeout))


def _mysql(address: SinkAddress, secrets: Secrets, timeout: float) -> Sink:
    return SqlSink(MysqlServer(address, secrets.get(address.variable("PASSWORD")), timeout))


_MAKERS: Mapping[str, Callable[[SinkAddress, Secrets, float], Sink]] = {
    "postgresql": _postgresql,
    "mysql": _mysql,
}
