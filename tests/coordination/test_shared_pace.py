"""Several processes that share a budget together keep to the rate, and use it; so a server sees it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Measured:
    """What takers did together: the busiest second, all starts, the smallest process' share of them."""

    worst: int
    total: int
    smallest_share: float

    @property
    def good(self) -> bool:
        return self.worst <= RATE and self.total >= 0.6 * RATE * SECONDS and self.smallest_share > 0.1


def best_of_three(measure: Callable[[], Measured]) -> Measured:
    """The first good one of up to three measurements, else the last.

    A machine under load may hold a process back, between being let through and looking at the clock, for longer than
    the margin. That happens now and then; a fault in the pace happens every time.
    """
    for _ in range(2):
        measured = measure()
        if measured.good:
            return measured
    return measure()


def test_three_processes_share_fifty_a_second(url: str, run: Run, tmp_path: Path, organisation: str) -> None:
    def measure() -> Measured:
        begin = time.monotonic() + WAKE_UP
        takers = [run("run_takers.py", url, tmp_path, organisation, RATE, SECONDS, begin) for _ in range(3)]
        starts = [[start for start in times(taker) if start <= begin + SECONDS] for taker in takers]
        together = [start for own in starts for start in own]
        return Measured(worst_second(together), len(together), min(map(len, starts)) / len(together))

    measured = best_of_three(measure)
    assert measured.good, measured


def test_a_servers_own_clock_sees_no_second_with_more_than_fifty(run: Run, tmp_path: Path, organisation: str) -> None:
    def measure() -> Measured:
        server = run("run_server.py")
        assert server.stdout
        port = server.stdout.readline().strip()
        begin = time.monotonic() + WAKE_UP
        takers = [run("run_takers.py", "file", tmp_path, organisation, RATE, SECONDS, begin, port) for _ in range(2)]
        sent = [len([start for start in times(taker) if start <= begin + SECONDS]) for taker in takers]
        arrivals = times(server)
        assert len(arrivals) == sum(sent)
        return Measured(worst_second(arrivals), len(arrivals), min(sent) / sum(sent))

    measured = best_of_three(measure)
    assert measured.good, measured
