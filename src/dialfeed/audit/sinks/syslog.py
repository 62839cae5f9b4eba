"""Syslog as a sink: RFC 5424 messages over TCP (RFC 6587) or TLS (RFC 5425), each with the count of its bytes.

Syslog acknowledges nothing: bytes that were handed to the system may never have been read. So each batch has a
connection of its own, which is ended from this side; a receiver that has read everything then ends its side, and one
that has not (because it died, or was stopped) resets the connection. Only the first counts.
"""

from __future__ import annotations

import fcntl
import platform
import socket
import ssl
import struct
import termios
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from dialfeed.audit.sinks.addresses import SinkAddress
from dialfeed.audit.sinks.base import Acknowledged, Answer, Event, Later, Reached
from dialfeed.audit.sinks.rfc5424 import Body, as_cef, as_json, message
from dialfeed.errors import FixSettings

_FORMATS: Final[dict[str, Body]] = {"json": as_json, "cef": as_cef}
_CONFIRMATIONS: Final = ("close", "sent")
_MOST: Final = 8192
"""Bytes of a message that rsyslog takes unless it is told otherwise; RFC 5424 section 6.1 asks for 2048."""


class _Closing(ssl.SSLSocket):
    """Closes itself when it is dropped: Python leaves one open whose connection was reset before it was wrapped."""

    def __del__(self) -> None:
        self.close()


class SyslogSink:
    """A syslog receiver (`dialfeed.audit.sinks.base.Sink`).

    Args:
        address: Where it is.
        timeout: Seconds for one batch.

    Raises:
        FixSettings: An option has no meaning, or a certificate cannot be read.
    """

    most = 500
    linger = 1.0

    def __init__(self, address: SinkAddress, timeout: float) -> None:
        self._address = address
        self._timeout = timeout
        self._body = _FORMATS[_one_of(address, "format", _FORMATS)]
        self._waits_for_end = _one_of(address, "confirm", _CONFIRMATIONS) == "close"
        self._most = _bytes(address)
        self._hostname = address.options.get("hostname") or platform.node()
        self._tls = _tls(address) if address.scheme == "syslog+tls" else None

    def send(self, events: Sequence[Event]) -> Answer:
        """Send a batch over a connection of its own (see `Sink.send`)."""
        messages = (message(event, self._hostname, self._body, self._most) for event in events)
        frames = b"".join(b"%d %s" % (len(each), each) for each in messages)  # RFC 6587 section 3.4.1
        until = time.monotonic() + self._timeout
        try:
            with self._connected(until) as line:
                line.sendall(frames)
                return self._confirmed(line, until) or Acknowledged(events[-1].n)
        except OSError as error:
            return _failed(error)

    def probe(self) -> Reached | Later:
        """Connect, and end the connection as after a batch (see `Sink.probe`)."""
        until = time.monotonic() + self._timeout
        try:
            with self._connected(until) as line:
                told = "the connection is taken" + (", and its certificate can be trusted" if self._tls else "")
                return self._confirmed(line, until) or Reached(told)
        except OSError as error:
            return _failed(error)

    def close(self) -> None:
        """Nothing stays open."""

    @contextmanager
    def _connected(self, until: float) -> Iterator[socket.socket]:
        with socket.create_connection((self._address.host, self._address.port or 0), _left(until)) as plain:
            if self._tls is None:
                yield plain
                return
            plain.settimeout(_left(until))
            with self._tls.wrap_socket(plain, server_hostname=self._address.host) as line:
                yield line

    def _confirmed(self, line: socket.socket, until: float) -> Later | None:
        """End our side, and wait for what that proves; None when it is proved."""
        line.settimeout(_left(until))
        if not self._waits_for_end:
            return _drained(line, until)
        if isinstance(line, ssl.SSLSocket) and not _said_goodbye(line):
            return None
        line.shutdown(socket.SHUT_WR)
        while line.recv(4096):
            line.settimeout(_left(until))
        return None


def _failed(error: OSError) -> Later:
    """A connection's failure in our words."""
    if isinstance(error, TimeoutError):
        return Later("no answer in time")
    if isinstance(error, ssl.SSLCertVerificationError):
        return Later("the receiver's certificate cannot be trusted")
    if isinstance(error, ssl.SSLError):
        return Later("the receiver breaks off the encrypted connection")
    return Later(f"the connection fails ({type(error).__name__})")


def _said_goodbye(line: ssl.SSLSocket) -> bool:
    """Say goodbye (RFC 5425 section 4.4), and hear it; False where the other side just ends the connection, as many do.

    A reset is an exception, and means that something was not read.
    """
    try:
        line.unwrap()
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError) as error:
        if isinstance(error.__context__, ConnectionError):
            raise error.__context__ from None
        return False
    except OSError as error:
        if error.errno:
            raise
        return False  # no error of the system: the end of the connection
    return True


def _drained(line: socket.socket, until: float) -> Later | None:
    """Wait until the other machine has taken all bytes, whether or not the receiver has read them."""
    while struct.unpack("i", fcntl.ioctl(line, termios.TIOCOUTQ, b"\0" * 4))[0]:
        if time.monotonic() >= until:
            return Later("no answer in time")
        time.sleep(0.01)
    return None


def _left(until: float) -> float:
    """Seconds that are left.

    Raises:
        TimeoutError: None are.
    """
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _one_of(address: SinkAddress, option: str, choices: Collection[str]) -> str:
    """An option's value; the first of the choices unless one is given."""
    value = address.options.get(option) or next(iter(choices))
    if value not in choices:
        raise FixSettings(
            f"The address of the sink {address.name!r} has a {option} that is not known.",
            advice=f"Known: {', '.join(choices)}.",
        )
    return value


def _bytes(address: SinkAddress) -> int:
    text = address.options.get("max_bytes") or str(_MOST)
    if not text.isdecimal() or int(text) < 1024:
        raise FixSettings(
            f"The address of the sink {address.name!r} has a max_bytes that is no number of 1024 or more.",
            advice="Write what the receiver takes, as in max_bytes=65536.",
        )
    return int(text)


def _tls(address: SinkAddress) -> ssl.SSLContext:
    options = address.options
    try:
        context = ssl.create_default_context(cafile=options.get("ca"))
        context.sslsocket_class = _Closing
        if "cert" in options:
            context.load_cert_chain(options["cert"], options.get("key"), password=_no_password)
    except (OSError, ValueError):
        raise FixSettings(
            f"A certificate of the sink {address.name!r} cannot be read.",
            advice="ca, cert and key are PEM files; the key has no password.",
        ) from None
    return context


def _no_password() -> str:
    """Keeps the library from asking at the terminal."""
    return ""
