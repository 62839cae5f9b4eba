"""Several processes that share a budget together keep to the rate, and use it; so a server sees it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from dialfeed.delivery.pace import MARGIN

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
class Use:
    """What takers made of a budget: all starts, and the fewest of one of them."""

    total: int
    fewest: int

    @property
    def good(self) -> bool:
        return self.total >= 0.6 * RATE * SECONDS and self.fewest > 0.1 * self.total

    @property
    def passable(self) -> bool:
        """Good for a machine that has much else to do: what a process slept too long it did not use."""
        return self.total >= 0.2 * RATE * SECONDS and self.fewest > 0


def best_of_three(measure: Callable[[], Use]) -> Use:
    """The first good one of up to three measurements, else one that is passable, else the last."""
    found: list[Use] = []
    while len(found) < 3 and not (found and found[-1].good):
        found.append(measure())
    return max(found, key=lambda use: (use.good, use.passable))


def test_three_processes_share_fifty_a_second(url: str, takers: Takers, tmp_path: Path, organisation: str) -> None:
    """The budget lets no more go in any second, however busy the machine is; how well it is used depends on that."""

    def measure() -> Use:
        _, started = takers(3, url, tmp_path, organisation, RATE, SECONDS)
        starts = [times(taker) for taker in started]
        assert worst_second([start for own in starts for start in own]) <= RATE
        return Use(sum(map(len, starts)), min(map(len, starts)))

    use = best_of_three(measure)
    assert use.passable, use


def test_a_servers_own_clock_sees_no_second_with_more_than_fifty(
    run: Run, takers: Takers, tmp_path: Path, organisation: str
) -> None:
    """Beside those that were on their way for longer than the margin allows: a busy machine holds up either side."""

    def measure() -> Use:
        server = run("run_server.py")
        assert server.stdout
        port = server.stdout.readline().strip()
        _, started = takers(2, "file", tmp_path, organisation, RATE, SECONDS, port)
        sent = [len(times(taker)) for taker in started]
        told = times(server)
        came = [*zip(told[::2], told[1::2], strict=True)]
        assert len(came) == sum(sent)
        quickest = min(arrival - start for arrival, start in came)
        assert worst_second([arrival for arrival, start in came if arrival - start <= quickest + MARGIN]) <= RATE
        return Use(sum(sent), min(sent))

    use = best_of_three(measure)
    assert use.passable, use
