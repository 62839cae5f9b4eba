"""Stopping on request: one switch that signals set, and that every stage of a run looks at."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Coroutine, Iterator
from types import FrameType
from typing import Any, TypeVar

from dialfeed.errors import Interrupted

Result = TypeVar("Result")


class Stopper:
    """Set once, by a signal or by the caller of the Python API; may be set from any thread."""

    def __init__(self) -> None:
        self.signal_number: int | None = None
        self._listeners: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def stop(self, signal_number: int = signal.SIGINT) -> None:
        """Ask the run to stop."""
        self.signal_number = self.signal_number or signal_number
        for loop, event in self._listeners:
            loop.call_soon_threadsafe(event.set)

    @property
    def asked(self) -> bool:
        """Whether the run is to stop."""
        return self.signal_number is not None

    def check(self) -> None:
        """Stop here if asked to.

        Raises:
            Interrupted: A stop was asked for.
        """
        if self.signal_number is not None:
            raise Interrupted("The run was stopped.", signal_number=self.signal_number)

    @contextlib.contextmanager
    def event(self) -> Iterator[asyncio.Event]:
        """An event of the running loop that is set when a stop is asked for."""
        listener = (asyncio.get_running_loop(), asyncio.Event())
        self._listeners.append(listener)
        if self.asked:
            listener[1].set()
        try:
            yield listener[1]
        finally:
            self._listeners.remove(listener)

    async def unless(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The result of `work`, which is cancelled when a stop is asked for.

        Raises:
            Interrupted: A stop was asked for first.
        """
        with self.event() as event:
            task, stopping = asyncio.ensure_future(work), asyncio.ensure_future(event.wait())
            await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                self.check()
            return task.result()


@contextlib.contextmanager
def on_signals(stopper: Stopper) -> Iterator[None]:
    """Let SIGINT and SIGTERM ask for a stop; a second one ends the process as if nobody had listened.

    Works in the main thread only, as signals do; elsewhere the caller's own handling stays.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {int(number): signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, _: FrameType | None) -> None:
        signal.signal(number, before[number])
        stopper.stop(number)

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
