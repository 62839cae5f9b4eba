"""A clock that a test holds, a real Redis, and programs that run beside the test."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

REDIS = "redis://127.0.0.1:6379/0"
Run = Callable[..., "subprocess.Popen[str]"]
Takers = Callable[..., "tuple[float, list[subprocess.Popen[str]]]"]


class HeldClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self, now: float = 1000.0) -> None:
        self.time = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)
        self.time += seconds


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def organisation() -> str:
    """An organisation that nobody else uses."""
    return uuid.uuid4().hex


@pytest.fixture
def redis_url(organisation: str) -> Iterator[str]:
    """A real Redis, left as it was found; without one the test is skipped, except in CI, where it fails."""
    client = redis.Redis.from_url(REDIS, socket_connect_timeout=1)
    try:
        try:
            client.ping()
        except redis.exceptions.ConnectionError as fault:
            if os.environ.get("CI"):
                pytest.fail(f"CI runs these tests with a Redis at 127.0.0.1:6379, and there is none: {fault}")
            pytest.skip("no Redis at 127.0.0.1:6379")
        yield REDIS
        for key in client.scan_iter(f"*{organisation}*"):
            client.delete(key)
    finally:
        client.close()


@pytest.fixture
def run() -> Iterator[Run]:
    """Starts one of this folder's programs; what still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "error", str(Path(__file__).with_name(program)), *map(str, arguments)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        with process:
            process.kill()


@pytest.fixture
def takers(run: Run) -> Takers:
    """Starts so many of `run_takers.py` with the same arguments; gives when they begin, all ready by then."""

    def start(count: int, *arguments: object) -> tuple[float, list[subprocess.Popen[str]]]:
        started = [run("run_takers.py", *arguments) for _ in range(count)]
        for taker in started:
            assert taker.stdout
            assert taker.stdout.readline() == "ready\n"
        begin = time.monotonic() + 0.1
        for taker in started:
            assert taker.stdin
            taker.stdin.write(f"{begin}\n")
            taker.stdin.flush()
        return begin, started

    return start
