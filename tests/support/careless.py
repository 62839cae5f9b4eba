"""A platform that repeats in its answers all that it was sent: contacts, tokens and secrets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

TOKEN = "TOKENMARK-0123456789"


@contextmanager
def careless(status: int, *, signs_in: bool = True) -> Iterator[str]:
    """The platform's address; contacts are answered with `status`, and so is the sign-in unless `signs_in`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            entity = {"id": "L-1", "name": "Spring", "totalContactCount": 0}
            self._tell(200, {"entities": [entity]} if "page" in self.path else entity)

        def do_POST(self) -> None:
            sent = self._body().decode("utf-8", "replace")
            told = f"{sent} {self.headers.get('authorization')} {TOKEN}"
            if "token" in self.path:
                good = {"access_token": TOKEN, "expires_in": 3600}
                self._tell(200 if signs_in else status, good if signs_in else {"error": told})
                return
            self._tell(status, {"message": told, "details": [{"message": told}]}, location=f"http://127.0.0.1/{TOKEN}")

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("transfer-encoding", ""):
                return self.rfile.read(int(self.headers.get("content-length", 0)))
            pieces = []
            while size := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)

        def _tell(self, code: int, value: Any, location: str = "") -> None:
            content = orjson.dumps(value)
            self.send_response(code, "Reason with TOKENMARK")
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            if location:
                self.send_header("location", location)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
