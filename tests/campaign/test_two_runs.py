"""Two runs on one contact list: the second is refused with the first one's id, and harms nothing."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from crash_world import CrashWorld, crash_world
from waiting import wait_for

pytestmark = pytest.mark.campaign


@contextmanager
def delivering(folder: Path) -> Iterator[tuple[CrashWorld, subprocess.Popen[str]]]:
    """A run that is in mid-delivery, and stays there until the platform answers faster."""
    with crash_world(folder, contacts=2000) as world:
        world.sandbox.configure(latency_s=2.0)
        process = world.start(*world.import_arguments)
        wait_for(lambda: world.sandbox.contacts(world.list_id))
        try:
            yield world, process
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()


def run_id(world: CrashWorld) -> str:
    with sqlite3.connect(world.run_dir / "ledger.sqlite") as ledger:
        told: str = json.loads(ledger.execute("select value from fact where name = 'run'").fetchone()[0])
    ledger.close()
    return told


def second_import(world: CrashWorld, *flags: str) -> list[str]:
    arguments = list(world.import_arguments)
    arguments[arguments.index("--run-dir") + 1] = str(world.folder / "second")
    return [*arguments, *flags]


def test_the_second_run_is_refused_with_the_first_ones_id(tmp_path: Path) -> None:
    with delivering(tmp_path) as (world, first):
        outcome = world.run(*second_import(world))
        assert outcome.code == 6
        assert run_id(world) in outcome.err
        assert "--even-if-locked" in outcome.err
        world.sandbox.configure(latency_s=0.0)
        assert first.wait(timeout=60) == 0
        world.check()


def test_a_second_run_that_insists_is_let_through(tmp_path: Path) -> None:
    with delivering(tmp_path) as (world, first):
        world.sandbox.configure(latency_s=0.0)
        other = world.folder / "other.csv"
        other.write_text(world.file.read_text("utf-8").replace("C-", "D-").replace("person", "other"), "utf-8")
        arguments = second_import(world, "--even-if-locked")
        arguments[1] = str(other)
        assert world.run(*arguments).code == 0
        assert first.wait(timeout=60) == 0
        stored = [contact["externalId"] for contact in world.sandbox.contacts(world.list_id)]
        assert len(stored) == len(set(stored)) == 4000


def test_a_lock_left_by_a_killed_process_holds_nobody_up(tmp_path: Path) -> None:
    with delivering(tmp_path) as (world, first):
        first.send_signal(signal.SIGKILL)
        first.communicate()
        world.sandbox.configure(latency_s=0.0)
        (lock,) = (world.home / "locks").glob("*.json")
        assert lock.read_bytes(), "the dead run's name is still there"
        world.complete()
        world.check()


def test_resuming_a_run_that_is_still_running_harms_nothing(tmp_path: Path) -> None:
    with delivering(tmp_path) as (world, first):
        outcome = world.run(*world.resume_arguments)
        assert outcome.code == 6
        world.sandbox.configure(latency_s=0.0)
        assert first.wait(timeout=60) == 0
        world.check()


def test_resuming_with_a_wrong_setting_can_be_repeated_with_the_right_one(tmp_path: Path) -> None:
    with delivering(tmp_path) as (world, first):
        first.send_signal(signal.SIGKILL)
        first.communicate()
        world.sandbox.configure(latency_s=0.0)
        assert world.run(*world.resume_arguments, "--base-url", "http://example.com").code == 1
        world.complete()
        world.check()
