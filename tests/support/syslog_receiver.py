"""A syslog receiver, written from RFC 5424 and RFC 6587 and sharing nothing with the sender."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass

_HEADER = re.compile(
    rb"<(?P<pri>0|[1-9][0-9]{0,2})>1 "
    rb"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)) "
    rb"(?P<host>-|[\x21-\x7e]{1,255}) (?P<app>-|[\x21-\x7e]{1,48}) (?P<proc>-|[\x21-\x7e]{1,128}) "
    rb"(?P<msgid>-|[\x21-\x7e]{1,32}) "
    rb'(?P<sd>-|(?:\[[^ =\]"]{1,32}(?: [^ =\]"]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*\])+)(?: (?P<msg>.*))?',
    re.DOTALL,
)


@dataclass(frozen=True)
class Message:
    """One message, taken apart."""

    facility: int
    severity: int
    time: str
    host: str
    app: str
    proc: str
    msgid: str
    data: str
    text: bytes


def parse(raw: bytes) -> Message:
    found = _HEADER.fullmatch(raw)
    assert found, f"no RFC 5424 message: {raw[:80]!r}"
    priority = int(found["pri"])
    assert priority <= 191
    time, host, app, proc, msgid, data = (
        found[name].decode("ascii") for name in ("time", "host", "app", "proc", "msgid", "sd")
    )
    return Message(priority >> 3, priority & 7, time, host, app, proc, msgid, data, found["msg"] or b"")


def frames(content: bytes) -> list[bytes]:
    """Octet counting; what is not whole is no message."""
    found = []
    while content:
        length, _, rest = content.partition(b" ")
        assert re.fullmatch(rb"[1-9][0-9]*", length), f"no count: {content[:20]!r}"
        if len(rest) < int(length):
            break
        found.append(rest[: int(length)])
        content = rest[int(length) :]
    return found


class ClosingSocket(ssl.SSLSocket):
    """Closes itself when it is dropped: Python leaves one open whose connection was reset before it was wrapped."""

    def __del__(self) -> None:
        self.close()


class SyslogReceiver:
    """Takes connections, and keeps the messages of each when it has ended.

    Attributes:
        messages: What came, in its order.
        faults: What was no message.
        break_after: Bytes after which the next connection is reset, as by a receiver that dies.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.messages: list[Message] = []
        self.faults: list[str] = []
        self.break_after: int | None = None
        self._tls = tls
        if tls is not None:
            tls.sslsocket_class = ClosingSocket
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with suppress(OSError), line:
            if self.break_after is not None:
                self._reset(line)
                return
            if self._tls is not None:
                with self._tls.wrap_socket(line, server_side=True) as safe:
                    self._take(safe)
            else:
                self._take(line)

    def _reset(self, line: socket.socket) -> None:
        """Read a little, keep it, and die with the rest unread."""
        taken = line.recv(self.break_after or 0)
        self.break_after = None
        self._keep(taken)

    def _take(self, line: socket.socket) -> None:
        content = b""
        while block := line.recv(1 << 16):
            content += block
        self._keep(content)

    def _keep(self, content: bytes) -> None:
        try:
            self.messages += [parse(raw) for raw in frames(content)]
        except AssertionError as fault:
            self.faults.append(str(fault))
