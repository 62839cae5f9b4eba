"""Several processes that share a budget together keep to the rate, and use it; so a server sees it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

Run = Callable[..., subprocess.Popen[str]]
Takers = Callable[..., tuple[float, list[subprocess.Popen[str]]]]
RATE = 50
SECONDS = 2.5


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
    """What takers did together: how many they were, the busiest second, all starts, the fewest of one of them."""

    takers: int
    worst: int
    total: int
    fewest: int

    @property
    def good(self) -> bool:
        return self.worst <= RATE and self.total >= 0.6 * RATE * SECONDS and self.fewest > 0.1 * self.total

    @property
    def passable(self) -> bool:
        """Good for a machine that has much else to do.

        Each process is held back at one place at a time, so that it misdates one start; and what it slept too long it
        did not use. Takers who do not share would come to `takers` times the rate.
        """
        return self.worst <= RATE + self.takers and self.total >= 0.2 * RATE * SECONDS and self.fewest > 0


def best_of_three(measure: Callable[[], Measured]) -> Measured:
    """The first good one of up to three measurements, else one that is passable, else the last.

    A machine under load may hold a process back, between being let through and looking at the clock, for longer than
    the margin. That happens now and then; a fault in the pace happens every time.
    """
    found: list[Measured] = []
    while len(found) < 3 and not (found and found[-1].good):
        found.append(measure())
    return max(found, key=lambda measured: (measured.good, measured.passable))


def test_three_processes_share_fifty_a_second(url: str, takers: Takers, tmp_path: Path, organisation: str) -> None:
    def measure() -> Measured:
        begin, started = takers(3, url, tmp_path, organisation, RATE, SECONDS)
        starts = [[start for start in times(taker) if start <= begin + SECONDS] for taker in started]
        together = [start for own in starts for start in own]
        return Measured(3, worst_second(together), len(together), min(map(len, starts)))

    measured = best_of_three(measure)
    assert measured.passable, measured


def test_a_servers_own_clock_sees_no_second_with_more_than_fifty(
    run: Run, takers: Takers, tmp_path: Path, organisation: str
) -> None:
    def measure() -> Measured:
        server = run("run_server.py")
        assert server.stdout
        port = server.stdout.readline().strip()
        begin, started = takers(2, "file", tmp_path, organisation, RATE, SECONDS, port)
        sent = [len([start for start in times(taker) if start <= begin + SECONDS]) for taker in started]
        arrivals = times(server)
        assert len(arrivals) == sum(sent)
        return Measured(3, worst_second(arrivals), len(arrivals), min(sent))  # the server dates late as well

    measured = best_of_three(measure)
    assert measured.passable, measured
