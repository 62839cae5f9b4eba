"""An HTTP server that takes whatever is sent to it: a Pushgateway or an OpenTelemetry collector, as tests need them."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Collector:
    """What has come in: method, path and body of each request, in order."""

    url: str = ""
    status: int = 200
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)

    def bodies(self, path: str) -> list[bytes]:
        return [body for _, at, body in self.requests if at.startswith(path)]


@contextmanager
def collecting(status: int = 200) -> Iterator[Collector]:
    """A collector on a free port of this machine."""
    collector = Collector(status=status)

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            collector.requests.append((self.command, self.path, body))
            self.send_response(collector.status)
            self.send_header("content-length", "0")
            self.end_headers()

        do_POST = do_PUT = do_DELETE = _take  # noqa: N815 - the names that the base class looks for

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
