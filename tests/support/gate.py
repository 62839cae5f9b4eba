"""A door in front of a server: it can be shut, which cuts every connection, and it can let connections hang."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress


class Gate:
    """Passes bytes between a port of its own and a server's."""

    def __init__(self, upstream: tuple[str, int]) -> None:
        self._upstream = upstream
        self._lines: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.hanging = False
        self.port = 0
        self.open()

    def open(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def shut(self) -> None:
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        cut, self._lines = self._lines, []
        for line in cut:
            # a reset, as from a server that dies with bytes unread: an orderly end would say that all was read
            with suppress(OSError):
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                line.shutdown(socket.SHUT_RD)
            line.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            self._lines.append(near)
            if self.hanging:
                continue
            far = socket.create_connection(self._upstream)
            self._lines.append(far)
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while block := source.recv(1 << 16):
                if self.hanging:
                    return
                target.sendall(block)
        with suppress(OSError):
            if target in self._lines:
                target.shutdown(socket.SHUT_WR)
