"""Runs the benchmarks and prints the tables of `docs/benchmarks.md`: `make bench`.

Every figure that carries a verdict is a ratio within one run. Each measurement is a process of its own, so that its
peak memory is its own; rival and ours take turns, and the median of their ratios counts.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.files import write
from dialfeed.delivery.pace import Limit

ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))

_COPY = """
import sys, time, polars as pl
began = time.perf_counter()
pl.scan_csv(sys.argv[1], infer_schema=False).sink_ndjson(sys.argv[2])
print(time.perf_counter() - began)
"""


@dataclass(frozen=True)
class Measured:
    """One process: what it printed, its seconds on the clock and on the processors, its peak memory in MB."""

    out: str
    wall: float
    cpu: float
    peak: float


def measure(*command: str, env: dict[str, str] | None = None) -> Measured:
    """Run a command to its end."""
    with tempfile.TemporaryFile("w+") as out:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, env=_as_installed(env or {}))
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        return Measured(out.read(), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _as_installed(env: dict[str, str]) -> dict[str, str]:
    """The environment of a command: what is installed has its bytecode beside it, so it is not compiled each time."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | env


def dialfeed(*arguments: str, env: dict[str, str] | None = None) -> tuple[Measured, dict[str, Any]]:
    """Run the command with --json; the progress goes nowhere."""
    measured = measure(
        "sh", "-c", 'exec "$0" -m dialfeed "$@" 2>/dev/null', sys.executable, *arguments, "--json", env=env
    )
    return measured, json.loads(measured.out)


@contextmanager
def sandbox(rate: str) -> Iterator[dict[str, str]]:
    """A sandbox in a process of its own, and the environment that leads there."""
    command = [sys.executable, "-m", "dialfeed", "sandbox", "--port", "0", "--list", "Bench", "--rate", rate]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    exported = process.stdout.readline().removeprefix("export ").split()
    try:
        yield dict(each.split("=", 1) for each in exported)
    finally:
        process.terminate()
        process.wait()


def prepare(file: Path, folder: Path) -> Iterator[str]:
    """Steps 1 to 6 against a bare engine copy of the same file to JSON lines."""
    ratios, speeds, copies, ours, peaks = [], [], [], [], []
    for number in range(ROUNDS):
        copy = float(measure(sys.executable, "-c", _COPY, str(file), str(folder / "copy.jsonl")).out)
        arguments = ("import", str(file), "--list", "x", "--dry-run", "--default-country", "US")
        measured, summary = dialfeed(*arguments, "--run-dir", str(folder / f"prepare-{number}"))
        prepared = summary["seconds"]["prepare"]
        ratios.append(prepared / copy)
        speeds.append(ROWS / prepared)
        copies.append(copy)
        ours.append(prepared)
        peaks.append(measured.peak)
    yield f"| bare copy to JSON lines | {spread(copies)} s | |"
    yield f"| prepare | {spread(ours)} s | {spread(speeds, 0)} rows/s |"
    yield f"| **ratio** (at most 6) | **{spread(ratios)}** | |"
    yield f"| peak memory (under 700) | {max(peaks):.0f} MB | |"


def deliver(file: Path, folder: Path, rate: str, rounds: int) -> Iterator[str]:
    """The whole import into a sandbox in another process."""
    totals, peaks = [], []
    for number in range(rounds):
        with sandbox(rate) as env:
            run = folder / f"deliver-{rate}-{number}"
            arguments = ("import", str(file), "--list", "Bench", "--default-country", "US", "--rate", rate)
            measured, summary = dialfeed(
                *arguments, "--run-dir", str(run), env={**env, "DIALFEED_HOME": str(folder / "home")}
            )
            rows = summary["rows"]
            assert summary["platform_count"]["after"] == rows["delivered"], summary
            totals.append(summary["seconds"]["total"])
            peaks.append(measured.peak)
    speeds = [ROWS / total for total in totals]
    seconds = summary["seconds"]
    yield f"| whole import | {spread(totals)} s | {spread(speeds, 0)} contacts/s |"
    parts = seconds["prepare"], seconds["deliver"], seconds["total"] - seconds["prepare"] - seconds["deliver"]
    yield f"| of which prepare, deliver, all else (last run) | {' s, '.join(f'{part:.2f}' for part in parts)} s | |"
    if rate != "unlimited":
        floor = ROWS / 1000 / float(rate)
        ratios = [total / floor for total in totals]
        delivered_floor = rows["delivered"] / 1000 / float(rate)
        what = f"total against the floor of rows / {1000 * float(rate):,.0f}"
        yield f"| **{what}** (at most 1.15) | **{spread(ratios)}** | |"
        yield f"| delivery against the floor of what is delivered | {seconds['deliver'] / delivered_floor:.3f} | |"
        unused = seconds["deliver"] / Limit.per_second(float(rate)).gap - summary["batches"]
        yield f"| places of the pace that no request took, of {summary['batches'] + unused:.0f} | {unused:.0f} | |"
    yield f"| peak memory (under 700) | {max(peaks):.0f} MB | |"


def spread(values: list[float], digits: int = 2) -> str:
    """Median, and from least to most."""
    if len(values) == 1:
        return f"{values[0]:,.{digits}f}"
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def main() -> None:
    """Everything, in order."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {ROWS:,} rows, load {os.getloadavg()[0]:.1f}\n")
    with tempfile.TemporaryDirectory(prefix="dialfeed-bench-") as name:
        folder = Path(name)
        file = write(folder / "contacts.csv", ROWS)
        parts = {
            "Prepare": prepare(file, folder),
            "Import without a rate limit": deliver(file, folder, "unlimited", 3),
            "Import at 50 requests a second": deliver(file, folder, "50", 1),
        }
        for title, lines in parts.items():
            print(f"## {title}\n\n| what | median (least to most) | |\n| --- | --- | --- |", flush=True)
            for line in lines:
                print(line, flush=True)
            print()


if __name__ == "__main__":
    main()
