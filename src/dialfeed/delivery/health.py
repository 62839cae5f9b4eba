"""The platform's health, by its answers: whether a batch may start, and the pauses that people hear of."""

from __future__ import annotations

from dataclasses import dataclass, field

from dialfeed.delivery.answers import Accepted, Answer, HeldBack, NotSent, Refused, Unknown, pause_asked
from dialfeed.delivery.breaker import Breaker, WaitUntil, is_open, may_start, on_failure, on_nothing, on_success
from dialfeed.delivery.pauses import Cause, Pause, begin, over
from dialfeed.delivery.ports import Observer


@dataclass(slots=True)
class Health:
    """What the answers so far tell of the platform. Times are seconds on the caller's clock.

    Args:
        observe: Hears of every pause.
        succeeded_at: When the platform last took a batch, or refused it; at first, when delivery began.
    """

    observe: Observer
    succeeded_at: float

    _breaker: Breaker = field(default_factory=Breaker)
    _pause: Pause | None = None
    _failing_since: float | None = None

    def failing_for(self, now: float) -> float:
        """Seconds for which only probes are sent, and none of them has arrived; 0 where batches may be sent."""
        return 0.0 if self._failing_since is None else now - max(self._failing_since, self.succeeded_at)

    def opens_at(self, now: float) -> float | None:
        """When the next batch may start; None for now."""
        _, verdict = may_start(self._breaker, now)
        return verdict.at if isinstance(verdict, WaitUntil) else None

    def on_start(self, now: float) -> None:
        """A batch starts; where the platform has failed too often before, it is the probe."""
        self._breaker, _ = may_start(self._breaker, now)

    def on_answer(self, answer: Answer, now: float) -> None:
        """What an answer tells, whatever it means for its batch."""
        if isinstance(answer, HeldBack):
            self._breaker = on_nothing(self._breaker)
            return
        pause = pause_asked(answer)
        if pause is not None:
            self._hold("throttled", now, now + pause)
        if isinstance(answer, NotSent | Unknown):
            self._breaker = on_failure(self._breaker, now)
            if self._breaker.open_until is not None:
                self._failing_since = now if self._failing_since is None else self._failing_since
                self._hold("breaker", now, self._breaker.open_until)
            return
        self._breaker = on_success(self._breaker, now)
        if not is_open(self._breaker):
            self._failing_since = None
        if isinstance(answer, Accepted | Refused):
            self.succeeded_at = now

    def tell_resumed(self, answer: Answer, now: float) -> None:
        """Something came back after a pause, and asks for no other."""
        if self._pause is None or not over(self._pause, now) or is_open(self._breaker):
            return
        if isinstance(answer, HeldBack) or pause_asked(answer) is not None:
            return
        self.observe("delivery.resumed", cause=self._pause.cause, seconds=round(now - self._pause.since, 3))
        self._pause = None

    def _hold(self, cause: Cause, now: float, until: float) -> None:
        """Nothing is sent before `until`; told once, however many answers ask for it."""
        pause = begin(self._pause, cause, now, until)
        if pause is not None:
            self._pause = pause
            self.observe("delivery.paused", cause=cause, seconds=round(until - now, 3))
