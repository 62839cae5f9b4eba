"""Files at an address: fetched once into a private temporary file, so that every reading sees the same bytes."""

from __future__ import annotations

import asyncio
import fnmatch
import glob
import re
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

import aiohttp

from dialfeed.errors import FixSource
from dialfeed.optional import needed
from dialfeed.sources.content import FileContent, spool

_WEB: Final = frozenset({"http", "https"})
_OBJECTS: Final = frozenset({"s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl"})
_PIECE: Final = 1 << 20
_OBJECT_PIECE: Final = 8 << 20  # the library gives an answer 30 seconds
_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=120)
_RETRIES: Final = {"max_retries": 3, "retry_timeout": timedelta(seconds=60)}
_MOST_REDIRECTS: Final = 5


def is_remote(name: str) -> bool:
    """Whether a source is an address that can be fetched."""
    return "://" in name and name.partition("://")[0].lower() in _WEB | _OBJECTS


def fetch(address: str) -> FileContent:
    """Fetch what is at an address.

    Args:
        address: ``https://``, ``http://``, ``s3://``, ``gs://`` or ``az://``. Object storage takes its credentials from
            where its own tools do.

    Raises:
        FixSource: There is nothing, it is refused, or it cannot be fetched as a whole.
        FixSettings: What speaks to object storage is not installed.
    """
    parts = urlsplit(address)
    name = _shown(parts)
    blocks = _web_blocks(address, name) if parts.scheme.lower() in _WEB else _object_blocks(parts, name)
    # In a thread of its own, since the caller's may already run an event loop.
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="dialfeed-fetch") as thread, closing(blocks):
        return thread.submit(spool, blocks, name).result()


def find(address: str) -> list[str]:
    """The addresses in object storage that a pattern stands for; the address itself if it is none.

    Raises:
        FixSource: There is none, or it cannot be asked for.
        FixSettings: As `fetch`.
    """
    parts = urlsplit(address)
    if parts.scheme.lower() in _WEB or not glob.has_magic(parts.path):
        return [address]
    name, pattern = _shown(parts), parts.path.lstrip("/")
    folder = re.split(r"[*?[]", pattern)[0].rpartition("/")[0]
    with _told(name):
        listed = [entry["path"] for page in _store(parts).list(folder or None) for entry in page]
    depth = pattern.count("/")
    found = sorted(path for path in listed if fnmatch.fnmatchcase(path, pattern) and path.count("/") == depth)
    if not found:
        raise FixSource(f"Nothing is called like '{name}'.", advice="Check the pattern.")
    return [f"{parts.scheme}://{parts.netloc}/{path}" for path in found]


def _shown(parts: SplitResult) -> str:
    """An address without user, password and parameters, which may hold a signature."""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


# --- the web --------------------------------------------------------------------------------------------------------


def _web_blocks(address: str, name: str) -> Generator[bytes]:
    """Stream the body of an answer, in the thread that asks for it."""
    with asyncio.Runner() as runner:
        blocks = _download(address, name)
        try:
            while True:
                try:
                    yield runner.run(anext(blocks))
                except StopAsyncIteration:
                    return
        finally:
            runner.run(blocks.aclose())


async def _download(address: str, name: str) -> AsyncGenerator[bytes]:
    # What is compressed on the way is unpacked later, within bounds.
    session = aiohttp.ClientSession(timeout=_TIMEOUT, auto_decompress=False, headers={"Accept-Encoding": "identity"})
    try:
        async with session, session.get(address, max_redirects=_MOST_REDIRECTS) as answer:
            if address.lower().startswith("https:") and answer.url.scheme != "https":
                raise FixSource(f"{name} leads to an address without encryption.", advice="Name a safe address.")
            if answer.status != 200:
                raise _status(name, answer.status)
            async for block in answer.content.iter_chunked(_PIECE):
                yield block
    except (aiohttp.ClientError, TimeoutError, ValueError):
        raise _unfetched(name) from None


def _status(name: str, status: int) -> FixSource:
    if status in {401, 403}:
        return FixSource(
            f"{name} may not be fetched (status {status}).", advice="Check the address and its credentials."
        )
    if status in {404, 410}:
        return FixSource(f"There is nothing at {name} (status {status}).", advice="Check the address.")
    return FixSource(f"{name} cannot be fetched now (status {status}).", advice="Try again later.")


def _unfetched(name: str) -> FixSource:
    return FixSource(
        f"{name} cannot be fetched as a whole.", advice="Check the address and the network, and try again."
    )


# --- object storage -------------------------------------------------------------------------------------------------


def _object_blocks(parts: SplitResult, name: str) -> Generator[bytes]:
    """Stream an object in pieces, each of the same version: a piece that fails is asked for again on its own."""
    with _told(name):
        store, key = _store(parts), unquote(parts.path.lstrip("/"))
        told = store.head(key)
        same = {"if_match": told["e_tag"]} if told["e_tag"] else {}
        for start in range(0, told["size"], _OBJECT_PIECE):
            stop = min(start + _OBJECT_PIECE, told["size"])
            yield bytes(store.get(key, options={"range": (start, stop), **same}).bytes())


def _store(parts: SplitResult) -> Any:
    stores = needed("obstore.store", extra="remote", purpose="read from object storage")
    return stores.from_url(f"{parts.scheme}://{parts.netloc}", retry_config=_RETRIES)


@contextmanager
def _told(name: str) -> Generator[None]:
    """Say in a sentence why object storage does not hand out an object; its own words may hold a secret."""
    errors = needed("obstore.exceptions", extra="remote", purpose="read from object storage")
    try:
        yield
    except (FileNotFoundError, errors.NotFoundError):
        raise _status(name, 404) from None
    except (PermissionError, errors.PermissionDeniedError, errors.UnauthenticatedError):
        raise _status(name, 403) from None
    except (errors.BaseError, OSError, ValueError):
        raise _unfetched(name) from None
