"""A receiver of webhooks that verifies what it gets by the recipe of `docs/sinks.md`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


@dataclass(frozen=True)
class Delivery:
    """One delivery that was taken."""

    id: str
    headers: dict[str, str]
    path: str
    body: dict[str, Any]


def verified(headers: dict[str, str], body: bytes, key: bytes, now: float) -> bool:
    delivery, stamp = headers["webhook-id"], headers["webhook-timestamp"]
    expected = hmac.new(key, f"{delivery}.{stamp}.".encode() + body, hashlib.sha256).digest()
    given = [part[3:] for part in headers["webhook-signature"].split() if part.startswith("v1,")]
    fresh = abs(now - int(stamp)) <= 300
    return fresh and any(hmac.compare_digest(base64.b64decode(each), expected) for each in given)


class WebhookReceiver:
    """Answers with 204, or with what `answer` says: a status, and headers."""

    def __init__(self, key: bytes) -> None:
        self.deliveries: list[Delivery] = []
        self.attempts: list[str] = []
        self.forged = 0
        self.answer: Callable[[dict[str, Any]], tuple[int, dict[str, str]]] = lambda _: (204, {})
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, extra = receiver.take(headers, self.path, raw, key)
                self.send_response(status)
                for name, value in {"Content-Length": "0", **extra}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def take(self, headers: dict[str, str], path: str, raw: bytes, key: bytes) -> tuple[int, dict[str, str]]:
        self.attempts.append(headers["webhook-id"])
        if not verified(headers, raw, key, time.time()):
            self.forged += 1
            return 401, {}
        body = orjson.loads(raw)
        status, extra = self.answer(body)
        if status < 300:
            self.deliveries.append(Delivery(headers["webhook-id"], headers, path, body))
        return status, extra

    @property
    def lines(self) -> list[bytes]:
        return [orjson.dumps(event) for each in self.deliveries for event in each.body["data"]["events"]]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
