"""Load: the process that delivers at the platform's full rate stays as it is, for as long as it takes."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pytest
from chaos import LONG
from crash_world import CrashWorld, crash_world

pytestmark = pytest.mark.campaign


@dataclass(frozen=True)
class Sample:
    """A look at a process.

    Attributes:
        at: When, in seconds.
        resident: Memory, MiB.
        files: Open file descriptors.
        sockets: Those of them that are sockets.
        requests: Batches that the platform has seen by then.
    """

    at: float
    resident: float
    files: int
    sockets: int
    requests: int


def look_at(process: subprocess.Popen[str], world: CrashWorld) -> Sample | None:
    """A sample; None where the process has just ended."""
    proc = Path(f"/proc/{process.pid}")
    with suppress(OSError):
        links = []
        for entry in (proc / "fd").iterdir():
            with suppress(OSError):  # closed between listing and reading
                links.append(str(entry.readlink()))
        pages = int((proc / "statm").read_text().split()[1])
        resident = pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
        asked = world.sandbox.stats(tally=False)["requests"]
        requests = sum(sum(answers.values()) for route, answers in asked.items() if route.endswith("/contacts"))
        return Sample(
            time.monotonic(), resident, len(links), sum(link.startswith("socket:") for link in links), requests
        )
    return None


def watched(world: CrashWorld) -> list[Sample]:
    """Samples of an import, from its first batch to its last."""
    process = world.start(*world.import_arguments)
    samples: list[Sample] = []
    while process.poll() is None:
        sample = look_at(process, world)
        if sample is not None and sample.requests >= 20 and sample.resident:
            samples.append(sample)
        time.sleep(0.1)
    _, err = process.communicate()
    assert process.returncode == 0, err
    # after the last batch the row files are written, which has its own needs
    return [sample for sample in samples if sample.requests < samples[-1].requests]


def check_flat(samples: list[Sample], *, in_flight: int, growth: float) -> None:
    """The last quarter is like the one before it.

    By the median, since the row files, a chunk of which is written now and then, need memory for a moment; and not
    against the first half, in which the process still takes what it needs for good.
    """
    assert len(samples) >= 10
    quarter = max(len(samples) // 4, 3)
    before, late = samples[-2 * quarter : -quarter], samples[-quarter:]
    assert median(each.resident for each in late) - median(each.resident for each in before) < growth
    assert max(each.sockets for each in samples) <= in_flight + 4
    assert max(each.files for each in late) <= max(each.files for each in before) + 4


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks at the process through /proc")
def test_delivery_at_the_full_rate_leaks_nothing(tmp_path: Path) -> None:
    """At 50 requests a second: 4 seconds, or 40 in the long campaign."""
    seconds = 40 if LONG else 4
    flags = ("--batch-contacts", "20", "--rate", "50", "--people-files", "none")
    with crash_world(tmp_path, contacts=seconds * 50 * 20, flags=flags) as world:
        world.sandbox.configure(latency_s=0.0, rate_limit=50)
        samples = watched(world)
        world.check()
        check_flat(samples, in_flight=8, growth=6.0)


@pytest.mark.skipif(not LONG, reason="the long campaign only")
def test_as_many_requests_as_ten_minutes_bring_leak_nothing(tmp_path: Path) -> None:
    """40,000 requests, more than 50 a second make in ten minutes, as fast as they go."""
    flags = ("--batch-contacts", "10", "--rate", "unlimited", "--people-files", "none")
    with crash_world(tmp_path, contacts=400_000, flags=flags) as world:
        world.sandbox.configure(latency_s=0.0)
        samples = watched(world)
        world.check()
        check_flat(samples, in_flight=8, growth=10.0)
