"""Several processes that share a budget together keep to the rate, and use it; so a server sees it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.Popen[str]]
RATE = 50
SECONDS = 2.5
WAKE_UP = 1.0


def worst_second(starts: list[float]) -> int:
    """The most starts in any half-open second."""
    return max(sum(first <= start < first + 1.0 for start in starts) for first in starts)


def times(process: subprocess.Popen[str]) -> list[float]:
    """What a program printed at its end."""
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    return [float(word) for word in output.split()]


@pytest.fixture(params=["file", "redis"])
def url(request: pytest.FixtureRequest) -> str:
    """Both budgets that processes can share."""
    return str(request.getfixturevalue("redis_url")) if request.param == "redis" else "file"


def best_of_three(measure: Callable[[], tuple[float, ...]]) -> tuple[float, ...]:
    """The measurement with the least busy second, of up to three.

    A machine under load may hold a process back for more than the margin between being let through and looking at
    the clock. That happens now and then; a fault in the pace happens every time.
    """
    best = measure()
    for _ in range(2):
        if best[0] > RATE:
            best = min(best, measure())
    return best


def test_three_processes_share_fifty_a_second(url: str, run: Run, tmp_path: Path, organisation: str) -> None:
    def measure() -> tuple[float, ...]:
        begin = time.monotonic() + WAKE_UP
        takers = [run("run_takers.py", url, tmp_path, organisation, RATE, SECONDS, begin) for _ in range(3)]
        starts = [[start for start in times(taker) if start <= begin + SECONDS] for taker in takers]
        together = [start for own in starts for start in own]
        return worst_second(together), len(together), min(map(len, starts)) / len(together)

    worst, total, smallest_share = best_of_three(measure)
    assert worst <= RATE
    assert total >= 0.9 * RATE * SECONDS
    assert smallest_share > 0.1


def test_a_servers_own_clock_sees_no_second_with_more_than_fifty(run: Run, tmp_path: Path, organisation: str) -> None:
    def measure() -> tuple[float, ...]:
        server = run("run_server.py")
        assert server.stdout
        port = server.stdout.readline().strip()
        begin = time.monotonic() + WAKE_UP
        takers = [run("run_takers.py", "file", tmp_path, organisation, RATE, SECONDS, begin, port) for _ in range(2)]
        sent = sum(len([start for start in times(taker) if start <= begin + SECONDS]) for taker in takers)
        arrivals = times(server)
        return worst_second(arrivals), len(arrivals), sent

    worst, arrived, sent = best_of_three(measure)
    assert worst <= RATE
    assert arrived == sent >= 0.9 * RATE * SECONDS
