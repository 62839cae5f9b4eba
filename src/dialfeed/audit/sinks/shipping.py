"""Sends a run's audit trail to its sinks: each in a thread of its own, following the file as the run writes it.

The run never waits for a sink. When it ends, what is still on the way gets a bounded time; what is left then waits in
the run's folder for `dialfeed audit ship`.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dialfeed.audit.sinks.courier import Courier, Destination, Moment, Standing, standing_of
from dialfeed.audit.sinks.cursor import CursorFile
from dialfeed.errors import DialfeedError
from dialfeed.moments import utc_now

_BETWEEN_LOCKS = 0.5
_AT_THE_END = 2.0
"""Seconds between two tries, at most, when somebody waits."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How sending behaves.

    Attributes:
        grace: Seconds that the sinks get at the end, all together.
        attempts: How often one event may be answered with a failure that points at it.
        again: Send what the sinks refused before once more, first.
    """

    grace: float = 5.0
    attempts: int = 8
    again: bool = False


class Shipping:
    """The sending of one run's trail.

    Args:
        folder: The run's folder.
        destinations: The sinks.
        terms: How it behaves.
    """

    def __init__(self, folder: Path, destinations: Sequence[Destination], terms: Terms) -> None:
        self._grace = terms.grace
        self._threads = [_Thread(folder, to, terms) for to in destinations]

    def start(self) -> None:
        """Write down what the events are for, and begin to send them.

        Raises:
            DialfeedError: The run's folder cannot be written to.
        """
        for thread in self._threads:
            thread.begin()
        for thread in self._threads:
            thread.start()

    def finish(self, *, while_moving: bool = False) -> list[Standing]:
        """Let what waits be sent, for a while: a sink that was failing already is tried once.

        Args:
            while_moving: A sink that acknowledges something gets the same time again, and one that fails all of it.

        Returns:
            How each sink stands.
        """
        deadline = time.monotonic() + self._grace
        for thread in self._threads:
            thread.let_end(deadline, self._grace if while_moving else None)
        for thread in self._threads:
            while thread.is_alive() and time.monotonic() < thread.deadline:
                thread.join(max(0.0, thread.deadline - time.monotonic()))
        return [thread.standing() for thread in self._threads]


class _Thread(threading.Thread):
    """One sink's. A daemon: the process may end while a sink hangs, and what it has not acknowledged is sent again."""

    def __init__(self, folder: Path, to: Destination, terms: Terms) -> None:
        super().__init__(name=f"sink-{to.address.name}", daemon=True)
        self.deadline = float("inf")
        self._extension: float | None = None
        self._trail = folder / "audit.jsonl"
        self._to = to
        self._terms = terms
        self._file = CursorFile(folder, to.address.name)
        self._courier: Courier | None = None
        self._ending = threading.Event()
        self._failed = ""

    def begin(self) -> None:
        """Write down that the run's events are for this sink."""
        self._file.begin(self._to.address.text)

    def let_end(self, deadline: float, extension: float | None) -> None:
        """Nothing more is written: end when nothing waits, or at the deadline (seconds, `time.monotonic`)."""
        self.deadline, self._extension = deadline, extension
        self._ending.set()

    def standing(self) -> Standing:
        """How the sink stands."""
        courier = self._courier
        if courier is None:
            cursor = self._file.read(self._to.address.text)
            return standing_of(self._trail, self._to.address, cursor, self._failed or "another process is sending")
        told = courier.standing()
        reason = told.reason or self._failed or ("it does not answer" if self.is_alive() else "it is slow")
        return told if told.waiting == 0 else _with_reason(told, reason)

    def run(self) -> None:
        """Wait for the lock, then send until nothing waits and nothing more comes."""
        try:
            while not self._sent_all():
                if self._over(_BETWEEN_LOCKS):
                    return
                self._ending.wait(_BETWEEN_LOCKS)
                if self._ending.is_set():
                    time.sleep(_BETWEEN_LOCKS)
        except (OSError, DialfeedError) as error:
            self._failed = f"the run's folder cannot be written to ({type(error).__name__})"
        finally:
            with suppress(Exception):
                self._to.sink.close()

    def _sent_all(self) -> bool:
        """Send as long as there is something to send; False if another process holds the lock."""
        with self._file.locked() as ours:
            if not ours:
                return False
            moment = Moment(utc_now, random.SystemRandom().random)
            self._courier = courier = Courier(self._trail, self._to, self._file, self._terms.attempts, moment)
            if self._terms.again:
                courier.again()
            while self._go_on(courier):
                pass
        return True

    def _go_on(self, courier: Courier) -> bool:
        """One step, and the wait behind it; False at the end."""
        ending, failing, before = self._ending.is_set(), courier.failures > 0, courier.acknowledged
        wait = courier.step(_AT_THE_END) if ending else courier.step()
        moved = courier.acknowledged > before
        if not ending:
            gathering = wait is None or (moved and not courier.more)
            self._ending.wait(self._to.sink.linger if gathering else wait)
            return not courier.finished
        if moved and self._extension is not None:
            self.deadline = time.monotonic() + self._extension
        given_up = bool(wait) and failing and self._extension is None
        if wait is None or given_up or self._over(wait):
            return False
        time.sleep(wait)
        return True

    def _over(self, wait: float) -> bool:
        """Whether there is no time left to wait so long."""
        return self._ending.is_set() and time.monotonic() + wait >= self.deadline


def _with_reason(told: Standing, reason: str) -> Standing:
    return Standing(told.name, told.address, told.acknowledged, told.hash, told.waiting, told.dead, reason)
