"""A server is stopped, or killed, while a run writes its trail, and started again: nothing lost, order kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import command
import orjson
import pytest
from crash_world import crash_world
from own_servers import OWN
from sink_servers import RECEIVERS, Receiver
from sink_world import write_events
from waiting import wait_for

from dialfeed.audit.check import check
from dialfeed.audit.sinks.open import Means, open_sinks
from dialfeed.audit.sinks.shipping import Shipping, Terms
from dialfeed.sandbox import Fault, FaultPlan

MADE: dict[str, Callable[[], AbstractContextManager[Receiver]]] = {**RECEIVERS, **OWN}


@pytest.fixture(params=MADE)
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    with MADE[request.param]() as made:
        yield made


def test_a_server_that_dies_while_a_run_goes_on_gets_everything(receiver: Receiver, tmp_path: Path) -> None:
    destinations = open_sinks([receiver.address], Means(receiver.secrets, 2.0))
    destinations[0].sink.linger = 0.02
    shipping = Shipping(tmp_path, destinations, Terms(grace=40.0))
    shipping.start()
    writing = threading.Event()

    def write() -> None:
        trail = write_events(tmp_path, 1)
        while not writing.wait(0.005):
            trail.append("batch.answered", batch=trail.number, answer="Accepted", status=201)
        trail.append("run.finished", status="SUCCESS", exit_code=0, rows={"read": 1}, reasons={})
        trail.close()

    writer = threading.Thread(target=write)
    writer.start()
    cursor = tmp_path / f"shipped/{receiver.kind}.json"
    wait_for(lambda: orjson.loads(cursor.read_bytes())["n"] > 20)
    receiver.stop()
    time.sleep(0.2)
    receiver.start()
    time.sleep(0.2)
    writing.set()
    writer.join()
    (standing,) = shipping.finish(while_moving=True)
    assert (standing.waiting, standing.dead, standing.reason) == (0, 0, "")
    assert check(arrived(receiver), last_hash=standing.hash).problems == []


def arrived(receiver: Receiver) -> list[bytes]:
    """The trail as the receiver has it: in its order, with repeats that are known as such and left out."""
    firsts: dict[int, bytes] = {}
    numbers = []
    for line in receiver.lines():
        numbers.append(orjson.loads(line)["n"])
        assert firsts.setdefault(numbers[-1], line) == line, "a repeat is the same event"
    assert [*firsts] == sorted(firsts), "in their order"
    assert receiver.keeps_repeats or len(numbers) == len(firsts)
    return [line + b"\n" for line in firsts.values()]


THROTTLED = FaultPlan(rules=(Fault("rate_limited", after=3, share=1.0, retry_after="decimals", seconds=0.1),))
"""The platform takes three batches, and no other until there is another plan: so long the run is in its middle."""


@pytest.mark.parametrize("kind", [*OWN, "webhook", "syslog-tls"])
def test_a_whole_run_goes_on_beside_a_server_that_dies_twice(kind: str, tmp_path: Path) -> None:
    """It comes back once while the run delivers, and once after the run has ended, which did not wait for it."""
    with MADE[kind]() as receiver, crash_world(tmp_path, THROTTLED, contacts=240) as world:
        trail, cursor = world.run_dir / "audit.jsonl", world.run_dir / f"shipped/{receiver.kind}.json"
        sink = ("--sink", receiver.address, "--sink-grace", "0.2")
        env = {**world.env, **receiver.secrets}
        running = command.start(*world.import_arguments, *sink, env=env)
        world.started.append(running)
        wait_for(lambda: written(trail) and acknowledged(cursor) >= first_answer(trail))
        receiver.stop()
        before = written(trail)
        wait_for(lambda: written(trail) > before + 4)  # a run that waited for its sink would write no more
        receiver.start()
        wait_for(lambda: acknowledged(cursor) > before, 180.0)  # it is tried again at ever longer intervals
        receiver.stop()
        world.sandbox.set_faults(FaultPlan())
        _, told = running.communicate(timeout=120)
        assert running.returncode == 0, told
        summary = orjson.loads((world.run_dir / "summary.json").read_bytes())
        assert summary["rows"]["delivered"] == 240
        assert [each["code"] for each in summary["findings"]] == ["sink.waiting"]
        receiver.start()
        shipped = command.run("audit", "ship", world.run_dir, "--patience", "60", env=env)
        assert shipped.code == 0, shipped.out + shipped.err
        assert arrived(receiver) == trail.read_bytes().splitlines(keepends=True)


def written(trail: Path) -> int:
    """How many events a trail has."""
    return trail.read_bytes().count(b"\n") if trail.is_file() else 0


def first_answer(trail: Path) -> float:
    """The number of the first answer to a batch."""
    answers = (line for line in trail.read_bytes().splitlines() if b'"batch.answered"' in line)
    return float(next((orjson.loads(line)["n"] for line in answers), "inf"))


def acknowledged(cursor: Path) -> int:
    """Up to which event the sink has them."""
    return int(orjson.loads(cursor.read_bytes())["n"]) if cursor.is_file() else 0
