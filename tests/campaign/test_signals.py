"""SIGINT and SIGTERM: no new batch, those under way are waited for within a bound, and how to go on is told."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from crash_world import CrashWorld, crash_world
from fault_world import outcome_of
from waiting import LONG, wait_for

from dialfeed.sandbox import Fault, FaultPlan

pytestmark = pytest.mark.campaign

PROMPT = 100.0
"""Seconds within which a process ends that does not wait for what takes longer: a stall, a pause, a time limit. All of
those take about 300 seconds, so that a machine with much else to do is no reason to fail."""

"""Seconds after which a process that does not end at all is given up."""

SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


@contextmanager
def slow_world(
    folder: Path, *rules: Fault, contacts: int = 4000, size: int = 40, latency: float = 0.1
) -> Iterator[CrashWorld]:
    """A platform that takes a while for each batch."""
    flags = ("--batch-contacts", str(size), "--people-files", "none")
    with crash_world(folder, FaultPlan(rules=rules), contacts=contacts, flags=flags) as world:
        world.sandbox.configure(latency_s=latency)
        yield world


def stored(world: CrashWorld) -> int:
    count: int = world.sandbox.stats(tally=False)["lists"][world.list_id]["stored"]
    return count


def is_delivering(world: CrashWorld) -> Callable[[], bool]:
    return lambda: stored(world) >= 100


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_in_mid_delivery_waits_for_the_answers(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with slow_world(tmp_path, contacts=9000, size=300, latency=0.4) as world:
        process = world.start(*world.import_arguments)
        wait_for(is_delivering(world))
        process.send_signal(number)
        out, err = process.communicate(timeout=LONG)
        assert process.returncode == code, err
        assert "dialfeed resume" in out + err
        assert "Traceback" not in err
        found = outcome_of(world.run_dir)
        assert found["unknown"] == [], "the answers under way were waited for"
        assert 0 < len(found["delivered"]) == stored(world) < world.contacts
        world.sandbox.configure(latency_s=0.0)
        assert world.run(*world.resume_arguments).code == 0
        world.check()


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_answers_that_do_not_come_are_waited_for_within_a_bound(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Each answer comes a while after the one before it, and two never: the bound is for all of them together."""
    late = [Fault("delay", at=(place,), seconds=0.7 * (1 + rank)) for rank, place in enumerate((3, 5, 7, 8, 9, 10))]
    rules = (Fault("stall", at=(4, 6), when="after_write"), *late)
    with slow_world(tmp_path, *rules, contacts=9000, size=300) as world:
        process = world.start(*world.import_arguments, "--stop-within", "1", "--request-timeout", "300")
        wait_for(lambda: world.sandbox.stats(tally=False)["faults"].get("stall", 0) == 2)
        began = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=LONG)
        assert time.monotonic() - began < PROMPT
        assert process.returncode == code
        assert "dialfeed resume" in out + err
        assert outcome_of(world.run_dir)["unknown"], "what was under way is unknown until it is settled"
        world.sandbox.set_faults(FaultPlan())
        assert world.run(*world.resume_arguments, "--request-timeout", "0.5").code == 0
        world.check()


def test_a_second_signal_ends_the_process_at_once_and_loses_nothing(tmp_path: Path) -> None:
    rules = (Fault("stall", at=(4,), when="after_write"),)
    with slow_world(tmp_path, *rules) as world:
        process = world.start(*world.import_arguments, "--request-timeout", "300")
        wait_for(lambda: world.sandbox.stats(tally=False)["faults"].get("stall", 0) > 0)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert process.poll() is None, "it waits"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=LONG)
        assert process.returncode in {-signal.SIGTERM, 143}
        world.sandbox.configure(latency_s=0.0)
        world.complete()
        world.check()


def test_a_signal_during_a_long_pause_does_not_wait_for_its_end(tmp_path: Path) -> None:
    """A platform that asks for minutes: what was not sent is not unknown."""
    rules = (Fault("rate_limited", at=(3,), retry_after="seconds", seconds=290.0),)
    with slow_world(tmp_path, *rules) as world:
        # a budget of its own, or the run that goes on would wait for the platform's 290 seconds as well
        process = world.start(*world.import_arguments, "--stop-within", "2", "--limiter", "local")
        wait_for(lambda: world.sandbox.stats(tally=False)["faults"].get("rate_limited", 0) > 0)
        time.sleep(0.3)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=LONG)
        assert time.monotonic() - began < PROMPT
        assert process.returncode == 143
        world.sandbox.configure(latency_s=0.0)
        world.complete()
        world.check()


def test_a_signal_while_a_lost_answer_is_settled_leaves_it_unknown(tmp_path: Path) -> None:
    rules = (Fault("cut_after_upload", at=(4,), when="before_write"),)
    with slow_world(tmp_path, *rules) as world:
        process = world.start(*world.import_arguments, "--count-lag", "600")
        audit = world.run_dir / "audit.jsonl"
        wait_for(lambda: audit.exists() and b"settling.started" in audit.read_bytes())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LONG)
        assert process.returncode == 130
        assert "dialfeed resume" in out + err
        assert len(outcome_of(world.run_dir)["unknown"]) == 40
        world.sandbox.configure(latency_s=0.0)
        assert world.run(*world.resume_arguments, "--count-lag", "12").code == 0
        world.check()


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_while_the_file_is_read_sends_nothing_and_the_run_can_be_resumed(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with slow_world(tmp_path, contacts=60_000, size=1000) as world:
        world.sandbox.configure(latency_s=0.0)
        process = world.start(*world.import_arguments, "--chunk-bytes", "20000")
        wait_for(lambda: len(list((world.run_dir / "stage").glob("*.arrow"))) >= 2)
        process.send_signal(number)
        out, err = process.communicate(timeout=LONG)
        assert process.returncode == code, err
        assert "dialfeed resume" in out + err
        assert stored(world) == 0
        assert world.run(*world.resume_arguments).code == 0
        world.check()


def test_a_signal_during_a_slow_sign_in_is_heeded_at_once(tmp_path: Path) -> None:
    with slow_world(tmp_path, Fault("stall", target="token", share=1.0), contacts=200) as world:
        process = world.start(*world.import_arguments, "--request-timeout", "300")
        wait_for(lambda: world.sandbox.stats(tally=False)["faults"].get("stall", 0) > 0)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=LONG)
        assert time.monotonic() - began < PROMPT
        assert process.returncode == 130, err
        assert stored(world) == 0
        world.sandbox.set_faults(FaultPlan())
        world.complete()
        world.check()
