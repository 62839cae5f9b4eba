"""Addresses: fetched once, as a whole, and told without secrets."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest

from dialfeed.errors import FixSource
from dialfeed.sources.open import open_source
from dialfeed.sources.options import SourceOptions

CSV = b"phone,name\n+12025550100,Ann\n+12025550101,Zo\xc3\xab\n"
ROWS = [("+12025550100", "Ann"), ("+12025550101", "Zoë")]
OTHER = b"phone,name\n+12025550102,Eve\n"


class Handler(BaseHTTPRequestHandler):
    """Answers as web servers and object storage do."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[str]] = []
    objects: ClassVar[dict[str, bytes]] = {
        "/contacts.csv": CSV,
        "/contacts.csv.gz": gzip.compress(CSV),
        "/bucket/lists/a.csv": CSV,
        "/bucket/lists/b.csv": OTHER,
    }

    def do_GET(self) -> None:
        self.asked.append(self.path)
        path = urlsplit(self.path).path
        if "list-type=2" in self.path:
            self._answer(200, LISTING)
        elif path == "/moved":
            self._answer(302, b"", Location="/contacts.csv")
        elif path == "/round":
            self._answer(302, b"", Location="/round")
        elif path == "/short":
            self._answer(200, CSV, **{"Content-Length": str(len(CSV) + 10)})
            self.close_connection = True
        elif path == "/chunked":
            self._chunked()
        elif path.startswith("/status/"):
            self._answer(int(path.rpartition("/")[2]), b"secret in the body")
        elif path in self.objects:
            self._object(self.objects[path])
        else:
            self._answer(404, b"")

    do_HEAD = do_GET  # noqa: N815 - named by the library

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        fixed = {"Content-Length": str(len(body)), "Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT", "ETag": '"1"'}
        for name, value in {**fixed, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def _object(self, content: bytes) -> None:
        wanted = self.headers.get("Range")
        if wanted is None:
            return self._answer(200, content)
        if self.headers.get("If-Match") not in {None, '"1"'}:
            return self._answer(412, b"")
        first, last = map(int, wanted.removeprefix("bytes=").split("-"))
        part = content[first : last + 1]
        return self._answer(206, part, **{"Content-Range": f"bytes {first}-{first + len(part) - 1}/{len(content)}"})

    def _chunked(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in (CSV[:9], CSV[9:]):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


LISTING = (
    b"""<?xml version="1.0"?><ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated>"""
    + b"".join(
        b"<Contents><Key>lists/%s.csv</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><Size>30</Size></Contents>"
        % name
        for name in (b"a", b"b")
    )
    + b"</ListBucketResult>"
)


@pytest.fixture
def server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.asked.clear()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def storage(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Object storage on this machine."""
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    return "s3://bucket"


@pytest.mark.parametrize(
    "path", ["/contacts.csv", "/contacts.csv.gz", "/moved", "/chunked", "/contacts.csv?sig=s3cret"]
)
def test_a_file_on_the_web_is_read(path: str, server: str, read_all: Callable[..., Any]) -> None:
    told = read_all(open_source(server + path))
    assert told.rows == ROWS


def test_an_address_is_asked_once_however_often_its_rows_are_read(server: str, read_all: Callable[..., Any]) -> None:
    source = open_source(f"{server}/contacts.csv")
    assert read_all(source).table == read_all(source).table
    assert Handler.asked == ["/contacts.csv"]


def test_an_address_can_be_read_while_an_event_loop_runs(server: str, read_all: Callable[..., Any]) -> None:
    async def read() -> Any:
        return read_all(open_source(f"{server}/contacts.csv"))

    assert asyncio.run(read()).rows == ROWS


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/nowhere.csv", "There is nothing at"),
        ("/status/403", "may not be fetched"),
        ("/status/401", "may not be fetched"),
        ("/status/503", "cannot be fetched now"),
        ("/short", "as a whole"),
        ("/round", "as a whole"),
    ],
)
def test_what_cannot_be_fetched_is_refused_with_a_reason(path: str, told: str, server: str) -> None:
    with pytest.raises(FixSource, match=told):
        open_source(server + path)


def test_a_server_that_is_not_there_is_refused() -> None:
    with pytest.raises(FixSource, match="as a whole"):
        open_source("http://127.0.0.1:1/contacts.csv")


def test_secrets_in_an_address_are_never_told(server: str) -> None:
    address = server.replace("http://", "http://user:s3cret@") + "/contacts.csv?sig=s3cret"
    assert "s3cret" not in str(open_source(address).describe())
    with pytest.raises(FixSource) as refusal:
        open_source(address.replace("contacts", "nowhere"))
    assert "s3cret" not in str(refusal.value)


def test_an_object_in_storage_is_read(storage: str, read_all: Callable[..., Any]) -> None:
    told = read_all(open_source(f"{storage}/lists/a.csv"))
    assert told.rows == ROWS


def test_a_large_object_is_read_in_pieces(
    storage: str, read_all: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialfeed.sources.remote._OBJECT_PIECE", 10)
    assert read_all(open_source(f"{storage}/lists/a.csv")).rows == ROWS
    assert len(Handler.asked) == 1 + -(-len(CSV) // 10)


def test_objects_are_found_by_a_pattern(storage: str, read_all: Callable[..., Any]) -> None:
    told = read_all(open_source(f"{storage}/lists/*.csv", SourceOptions(chunk_rows=1)))
    assert told.rows == [*ROWS, ("+12025550102", "Eve")]
    assert [each["path"] for each in told.facts["files"]] == ["s3://bucket/lists/a.csv", "s3://bucket/lists/b.csv"]


def test_an_object_that_is_not_there_is_refused(storage: str) -> None:
    with pytest.raises(FixSource, match="There is nothing at s3://bucket/x"):
        open_source(f"{storage}/x.csv")
    with pytest.raises(FixSource, match="Nothing is called like"):
        open_source(f"{storage}/lists/*.txt")
