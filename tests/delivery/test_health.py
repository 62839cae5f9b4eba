"""When a batch may start, by the answers before it, and which pauses are told."""

from __future__ import annotations

from typing import Any

import pytest

from dialfeed.delivery.answers import Accepted, Answer, HeldBack, NotSent, Refused, Throttled, TooLarge, Unknown, Words
from dialfeed.delivery.breaker import BreakerRule
from dialfeed.delivery.health import Health

FAILURES = BreakerRule().failures
COOL_DOWN = BreakerRule().cool_down


def health() -> tuple[Health, list[tuple[str, dict[str, Any]]]]:
    told: list[tuple[str, dict[str, Any]]] = []

    def observe(event: str, /, **facts: Any) -> None:
        told.append((event, facts))

    return Health(observe, succeeded_at=0.0), told


@pytest.mark.parametrize(
    ("answer", "succeeded"),
    [
        (Accepted(), True),
        (Refused({}, Words("refused.by_platform", ""), 400), True),
        (TooLarge(), False),
        (Throttled(5.0), False),
        (NotSent("down"), False),
        (HeldBack(), False),
        (Unknown("HTTP 502", 502), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_a_platform_that_takes_or_refuses_a_batch_has_succeeded(answer: Answer, succeeded: bool) -> None:
    known, _ = health()
    known.on_answer(answer, 7.0)
    assert known.succeeded_at == (7.0 if succeeded else 0.0)


def test_after_failures_in_a_row_nothing_starts_until_one_probe_has_succeeded() -> None:
    known, told = health()
    for _ in range(FAILURES):
        assert known.opens_at(1.0) is None
        known.on_answer(Unknown("HTTP 502", 502), 1.0)
    probed_at = 1.0 + COOL_DOWN
    assert known.opens_at(1.0) == probed_at
    assert known.opens_at(probed_at) is None, "to ask lets no probe out"
    known.on_start(probed_at)
    assert known.opens_at(probed_at) is not None, "the probe goes alone"
    known.on_answer(Accepted(), probed_at + 1.0)
    known.tell_resumed(Accepted(), probed_at + 1.0)
    assert known.opens_at(probed_at + 1.0) is None
    assert told == [
        ("delivery.paused", {"cause": "breaker", "seconds": COOL_DOWN}),
        ("delivery.resumed", {"cause": "breaker", "seconds": COOL_DOWN + 1.0}),
    ]


def test_a_probe_that_was_held_back_lets_the_next_one_out() -> None:
    known, _ = health()
    for _ in range(FAILURES):
        known.on_answer(Unknown("HTTP 502", 502), 1.0)
    probed_at = 1.0 + COOL_DOWN
    known.on_start(probed_at)
    known.on_answer(HeldBack(), probed_at + 1.0)
    known.tell_resumed(HeldBack(), probed_at + 1.0)
    assert known.opens_at(probed_at + 1.0) is None
    known.on_start(probed_at + 1.0)
    assert known.opens_at(probed_at + 1.0) is not None, "it goes alone as well"


def test_a_pause_that_the_platform_asks_for_is_told_once_and_so_is_its_end() -> None:
    known, told = health()
    known.on_answer(Throttled(5.0), 10.0)
    known.on_answer(Throttled(5.0), 10.1)
    known.tell_resumed(Accepted(), 14.0)
    known.tell_resumed(Throttled(5.0), 15.5)
    known.tell_resumed(Accepted(), 16.0)
    known.tell_resumed(Accepted(), 17.0)
    assert told == [
        ("delivery.paused", {"cause": "throttled", "seconds": 5.0}),
        ("delivery.resumed", {"cause": "throttled", "seconds": 6.0}),
    ]
