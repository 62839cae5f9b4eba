"""The sandbox as something that runs: in a thread of a test or a demo, or alone until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self, TypeVar

from aiohttp import web

from dialfeed.sandbox import control
from dialfeed.sandbox.service import Service
from dialfeed.sandbox.settings import Settings
from dialfeed.sandbox.state import State
from dialfeed.sandbox.store import Batch, Walk

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from dialfeed.sandbox.faults import FaultPlan

Result = TypeVar("Result")

SHUTDOWN_S = 0.25
"""Requests under way get this long to end when the server stops; waiting faults end at once."""

_SILENT = logging.Logger("dialfeed.sandbox.http", logging.CRITICAL + 1)  # noqa: LOG001  unregistered: a private logger
"""For aiohttp's own words, which repeat what a client sent; `service` logs the sandbox's own mistakes."""


@asynccontextmanager
async def _running(service: Service, host: str, port: int, ssl_context: ssl.SSLContext | None) -> AsyncIterator[str]:
    """Serve until the block ends; gives the URL.

    Raises:
        OSError: The port cannot be had.
    """
    server = web.Server(
        service.handle, handler_cancellation=True, access_log=None, logger=_SILENT, auto_decompress=False
    )
    runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=ssl_context).start()
        shown = f"[{host}]" if ":" in host else host
        yield f"{'https' if ssl_context else 'http'}://{shown}:{runner.addresses[0][1]}"
    finally:
        service.connections.stopping.set()
        await runner.cleanup()


async def serve(
    settings: Settings | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    on_ready: Callable[[str], None] = lambda _url: None,
    *,
    lists: Sequence[str] = (),
    plan: FaultPlan | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> None:
    """Run a sandbox until SIGINT or SIGTERM, or until cancelled; then stop cleanly.

    Args:
        settings: How it behaves.
        host: Where to listen. The control plane answers to loopback whatever this is.
        port: The port; 0 takes a free one.
        on_ready: Is told the URL once requests are taken.
        lists: Names of contact lists to begin with.
        plan: Faults to begin with.
        ssl_context: Serve HTTPS with this.

    Raises:
        OSError: The port cannot be had.
    """
    state = _new_state(settings)
    control.seed(state, {"lists": [{"name": name} for name in lists]})
    if plan:
        state.set_faults(plan)
    stop = asyncio.Event()
    with _stopped_by_signals(stop):
        async with _running(Service(state), host, port, ssl_context) as url:
            on_ready(url)
            await stop.wait()


def serve_forever(port: int = 0, *, settings: Settings | None = None, **options: Any) -> None:
    """Run a sandbox in this thread until SIGINT or SIGTERM; takes what `serve` takes."""
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(settings, port=port, **options))


@contextmanager
def _stopped_by_signals(stop: asyncio.Event) -> Iterator[None]:
    """Let SIGINT and SIGTERM set an event; outside the main thread, where that cannot be, nothing is changed."""
    loop = asyncio.get_running_loop()
    taken = []
    with suppress(NotImplementedError, RuntimeError, ValueError):
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
            taken.append(number)
    try:
        yield
    finally:
        for number in taken:
            loop.remove_signal_handler(number)


def _new_state(settings: Settings | None) -> State:
    return State(settings or Settings(), time.monotonic, time.time)


class SandboxServer:
    """A sandbox in a thread of this process, for tests and demos; a context manager.

    The methods mirror the control plane and may be called from any thread but the server's own. They work before the
    start and after the stop as well. A server that is started again has kept its port and all it knows, as a
    platform that was restarted.

    Args:
        settings: How it behaves.
        host: Where to listen.
        port: The port; 0 takes a free one.
        plan: Faults to begin with.
        ssl_context: Serve HTTPS with this.

    Attributes:
        url: Scheme, host and port; empty before the first start.

    Example:
        >>> with SandboxServer(Settings(rate_limit=None)) as sandbox:
        ...     list_id = sandbox.add_list("Spring")
        ...     sandbox.stats()["lists"][list_id]["stored"]
        0
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        plan: FaultPlan | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.url = ""
        self._state = _new_state(settings)
        self._host = host
        self._port = port
        self._ssl_context = ssl_context
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        if plan:
            self._state.set_faults(plan)

    # --- running ------------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Begin to serve; returns once requests are taken.

        Raises:
            OSError: The port cannot be had.
            RuntimeError: It runs already.
        """
        if self._thread:
            raise RuntimeError("The sandbox runs already.")
        ready: Future[str] = Future()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="dialfeed-sandbox", daemon=True)
        self._thread.start()
        try:
            self.url = ready.result()
        except BaseException:
            self._thread.join()
            self._thread = None
            raise
        self._port = int(self.url.rpartition(":")[2])
        return self

    def stop(self) -> None:
        """Stop serving; returns once every connection is closed and the thread has ended. Does nothing twice."""
        if self._thread and self._loop and self._stop:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self, ready: Future[str]) -> None:
        try:
            asyncio.run(self._main(ready))
        except OSError as error:
            ready.set_exception(error)

    async def _main(self, ready: Future[str]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with _running(Service(self._state), self._host, self._port, self._ssl_context) as url:
            ready.set_result(url)
            await self._stop.wait()

    def _on_loop(self, work: Callable[[], Result]) -> Result:
        """Do something where the state belongs: on the server's loop while it runs, else right here."""
        if self._thread is None or self._loop is None:
            return work()

        async def do() -> Result:
            return work()

        return asyncio.run_coroutine_threadsafe(do(), self._loop).result()

    # --- what tests ask and tell it -----------------------------------------------------------------------------------

    @property
    def client_id(self) -> str:
        """The client id that gets a token."""
        return self._state.settings.client_id

    @property
    def client_secret(self) -> str:
        """Its secret."""
        return self._state.settings.client_secret

    @property
    def settings(self) -> Settings:
        """How it behaves now."""
        return self._state.settings

    def reset(self) -> None:
        """Forget lists, tokens, jobs, traffic and faults, and go back to the first settings."""
        self._on_loop(self._state.reset)

    def add_list(self, name: str, *, id: str | None = None, count: int = 0) -> str:  # noqa: A002  the platform's word
        """Make a contact list.

        Args:
            name: Its name; names may repeat.
            id: Its id, if it matters.
            count: Contacts that it has already; only their number is known.

        Returns:
            Its id.

        Raises:
            ValueError: There is a list with this id.
        """
        return self._on_loop(lambda: self._state.add_list(name, id, count).identity)

    def stats(self, *, tally: bool = True) -> dict[str, Any]:
        """What happened so far; the JSON of ``GET /_sandbox/stats``.

        Args:
            tally: Also count duplicates and do-not-call contacts, which walks over all stored contacts.
        """
        told = self._on_loop(self._state.overview)
        for identity in told["lists"] if tally else ():
            walk = Walk()
            for batch in self._batches(identity):
                walk.add(batch.contacts())
            told["lists"][identity] |= walk.tally().to_json()
        return told

    def contacts(self, list_id: str) -> list[dict[str, Any]]:
        """The stored contacts of a list in order of storing, each with its ``id``.

        Raises:
            KeyError: There is no such list.
        """
        return [contact for batch in self._batches(list_id) for contact in batch.contacts()]

    def _batches(self, list_id: str) -> list[Batch]:
        def copy() -> list[Batch]:
            self._state.now()
            return list(self._state.lists[list_id].batches)

        return self._on_loop(copy)

    def set_faults(self, plan: FaultPlan) -> None:
        """Go by this plan from now on; requests are numbered anew."""
        self._on_loop(lambda: self._state.set_faults(plan))

    def configure(self, **settings: object) -> None:
        """Change some of the settings.

        Raises:
            ValueError: An unknown name or a value of another kind, in one sentence.
        """
        self._on_loop(lambda: self._state.change(self._state.settings.changed(settings)))
