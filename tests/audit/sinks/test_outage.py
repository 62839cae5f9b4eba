"""A server is stopped, or killed, while a run writes its trail, and started again: nothing lost, order kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import orjson
import pytest
from own_servers import OWN
from sink_servers import RECEIVERS, Receiver
from sink_world import write_events
from weed import wait_for

from dialfeed.audit.check import check
from dialfeed.audit.sinks.open import Means, open_sinks
from dialfeed.audit.sinks.shipping import Shipping, Terms

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
    firsts: dict[int, bytes] = {}
    numbers = []
    for line in receiver.lines():
        numbers.append(orjson.loads(line)["n"])
        assert firsts.setdefault(numbers[-1], line) == line, "a repeat is the same event"
    assert [*firsts] == sorted(firsts), "in their order"
    assert check([line + b"\n" for line in firsts.values()], last_hash=standing.hash).problems == []
    assert receiver.keeps_repeats or len(numbers) == len(firsts)
