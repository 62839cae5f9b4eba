"""Addresses of sinks, and the secrets that belong to them; nothing is connected here.

An address never holds a secret: it stands in profiles, in the run's folder and in messages. A secret is an environment
variable `DIALFEED_SINK_NAME_WHAT`, where NAME is the sink's name: what follows `#` in its address, else its kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import SplitResult, parse_qsl, urlsplit, urlunsplit

from dialfeed.errors import FixSettings

ENVIRONMENT = "DIALFEED_SINK_"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class Kind:
    """What an address may hold.

    Attributes:
        name: The kind.
        port: The port unless the address has one.
        options: What may stand behind `?`.
        path: What the path is; empty where there is none.
        form: What an address looks like.
    """

    name: str
    port: int | None
    options: frozenset[str]
    path: str
    form: str


_POSTGRESQL = Kind(
    "postgresql",
    5432,
    frozenset({"sslmode", "sslrootcert", "sslcert", "sslkey", "options", "target_session_attrs", "host"}),
    "database",
    "postgresql://USER@HOST/DATABASE",
)
_MYSQL = Kind(
    "mysql",
    3306,
    frozenset({"ssl_ca", "ssl_cert", "ssl_key", "unix_socket"}),
    "database",
    "mysql://USER@HOST/DATABASE",
)
_S3 = Kind("s3", None, frozenset({"endpoint", "region"}), "prefix", "s3://BUCKET/PREFIX")
_SYSLOG_OPTIONS = frozenset({"format", "confirm", "max_bytes", "ca", "cert", "key", "hostname"})
_SYSLOG = "syslog+tls://HOST:6514"
_WEBHOOK = Kind("webhook", None, frozenset(), "path", "https://HOST/PATH")

KINDS: Mapping[str, Kind] = {
    "postgresql": _POSTGRESQL,
    "postgres": _POSTGRESQL,
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "s3": _S3,
    "syslog+tcp": Kind("syslog", 601, _SYSLOG_OPTIONS, "", _SYSLOG),
    "syslog+tls": Kind("syslog", 6514, _SYSLOG_OPTIONS, "", _SYSLOG),
    "https": _WEBHOOK,
    "http": _WEBHOOK,
}
"""Kinds by scheme; ports of syslog as in RFC 6587 section 3.4.1 (601 is syslog-conn) and RFC 5425 section 4.1."""


@dataclass(frozen=True, slots=True)
class SinkAddress:
    """Where a sink is.

    Attributes:
        kind: ``postgresql``, ``mysql``, ``s3``, ``syslog`` or ``webhook``.
        name: What it is called: by this name its cursors are kept and its secrets are found.
        text: The address as it was given; it holds no secret.
        scheme: Its scheme.
        host: Its host, or its bucket.
        port: Its port; None for that of its scheme.
        user: Its user, or empty.
        path: What follows the host, without slashes at its ends.
        options: What stands behind `?`.
    """

    kind: str
    name: str
    text: str
    scheme: str
    host: str
    port: int | None
    user: str
    path: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def plain(self) -> str:
        """The address without the sink's name."""
        return self.text.partition("#")[0]

    def variable(self, what: str) -> str:
        """The environment variable of a secret."""
        return f"{ENVIRONMENT}{self.name.upper().replace('-', '_')}_{what}"


def secrets_in(environ: Mapping[str, str]) -> dict[str, str]:
    """The sinks' secrets: environment variables by name."""
    return {name: value for name, value in environ.items() if name.startswith(ENVIRONMENT) and value}


def read_addresses(texts: Iterable[str]) -> tuple[SinkAddress, ...]:
    """The sinks at these addresses.

    Raises:
        FixSettings: One is no address of a sink, holds a secret, or two have one name.
    """
    addresses = tuple(read_address(text) for text in texts)
    names = [address.name for address in addresses]
    for name in names:
        if names.count(name) > 1:
            raise FixSettings(
                f"Two sinks are called {name!r}.", advice="Name one of them at the end of its address, as in …#second."
            )
    return addresses


def read_address(text: str) -> SinkAddress:
    """The sink at an address.

    Raises:
        FixSettings: It is no address of a sink, or holds a secret; what was given is not repeated.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        _wrong("A sink's address cannot be read", "Its host or its port is not one.")
    kind = KINDS.get(parts.scheme.lower())
    if kind is None:
        forms = ", ".join(dict.fromkeys(each.form for each in KINDS.values()))
        _wrong("A sink's address is of no kind that dialfeed knows", f"Known: {forms}.")
    name = parts.fragment or kind.name
    if not _NAME.fullmatch(name):
        _wrong("A sink's name is not one", "After # write up to 32 letters a-z, digits and -.")
    address = SinkAddress(
        kind.name,
        name,
        urlunsplit(parts),
        parts.scheme.lower(),
        parts.hostname or "",
        port or kind.port,
        parts.username or "",
        parts.path.strip("/"),
        dict(parse_qsl(parts.query, keep_blank_values=True)),
    )
    _check_secrets(address, parts)
    _check_parts(address, kind)
    return address


def _check_secrets(address: SinkAddress, parts: SplitResult) -> None:
    """Secrets do not belong into an address."""
    if parts.password is not None or (parts.username is not None and address.kind in {"s3", "webhook", "syslog"}):
        what = {"s3": "SECRET_ACCESS_KEY", "webhook": "SECRET"}.get(address.kind, "PASSWORD")
        _wrong(
            f"The address of the sink {address.name!r} holds a password or a user",
            f"Leave it out, and put secrets in the environment: {address.variable(what)}.",
        )
    if address.kind == "webhook" and parts.query:
        _wrong(
            f"The address of the sink {address.name!r} holds parameters, which are often secrets",
            f"Put what follows ? in {address.variable('QUERY')}.",
        )


def _check_parts(address: SinkAddress, kind: Kind) -> None:
    """An address must have what its kind needs, and nothing else."""
    told = f"The address of the sink {address.name!r}"
    socket = address.options.get("host") or address.options.get("unix_socket")
    if not address.host and not (socket and kind.path == "database"):
        _wrong(f"{told} names no {'bucket' if address.kind == 's3' else 'host'}", f"Write {kind.form}.")
    if kind.path == "database" and (not address.path or "/" in address.path):
        _wrong(f"{told} names no database", f"Write {kind.form}.")
    if not kind.path and address.path:
        _wrong(f"{told} has a path", f"Write {kind.form}.")
    if not set(address.options) <= kind.options:  # which one is not told: it may be a secret
        _wrong(f"{told} has a parameter that is not known", f"Known: {', '.join(sorted(kind.options))}.")
    web = address.plain if address.kind == "webhook" else address.options.get("endpoint")
    if web and not _safe(web):
        _wrong(f"{told} is not encrypted", "Use https://; http:// is allowed to this machine only.")


def _safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _wrong(sentence: str, advice: str) -> NoReturn:
    raise FixSettings(f"{sentence}.", advice=advice)
