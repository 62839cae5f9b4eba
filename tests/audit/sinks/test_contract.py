"""What every sink does, against a real receiver that goes away, hangs and comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
from sink_servers import RECEIVERS, Receiver
from sink_world import RUN, write_events

from dialfeed.audit.check import check
from dialfeed.audit.sinks.base import Later, Reached
from dialfeed.audit.sinks.courier import Courier, Destination, Moment
from dialfeed.audit.sinks.cursor import CursorFile
from dialfeed.audit.sinks.open import Means, open_sinks
from dialfeed.moments import utc_now

TIMEOUT = 1.0
EVENTS = 60

Connect = Callable[[], Destination]


@pytest.fixture(params=RECEIVERS)
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    with RECEIVERS[request.param]() as made:
        yield made


@pytest.fixture
def connect(receiver: Receiver) -> Iterator[Connect]:
    made: list[Destination] = []

    def another() -> Destination:
        made.extend(open_sinks([receiver.address], Means(receiver.secrets, TIMEOUT)))
        made[-1].sink.most = 20
        return made[-1]

    yield another
    for each in made:
        each.sink.close()


def courier(folder: Path, to: Destination) -> Courier:
    file = CursorFile(folder, to.address.name)
    file.begin(to.address.text)
    return Courier(folder / "audit.jsonl", to, file, 3, Moment(utc_now, lambda: 0.0))


def carry(carrier: Courier) -> None:
    """Step until nothing waits, with the patience that a server needs to come back."""
    deadline = time.monotonic() + 30
    while (wait := carrier.step()) is not None:
        assert time.monotonic() < deadline, carrier.reason
        time.sleep(min(wait, 0.2))


def lines(folder: Path) -> list[bytes]:
    return (folder / "audit.jsonl").read_bytes().splitlines()


def without_repeats(receiver: Receiver) -> list[bytes]:
    """As a receiver should see it: the first of those with the same run, number and hash."""
    told = receiver.lines()
    firsts: dict[tuple[str, int, str], bytes] = {}
    for event, line in zip(receiver.events, told, strict=True):
        firsts.setdefault((event["run"], event["n"], event["hash"]), line)
    kept = list(firsts.values())
    assert receiver.keeps_repeats or len(kept) == len(told)
    return kept


def test_every_event_arrives_whole_and_in_order(receiver: Receiver, connect: Connect, tmp_path: Path) -> None:
    trail = write_events(tmp_path, EVENTS)
    trail.append("run.finished", status="SUCCESS", exit_code=0, rows={"read": 5}, reasons={"phone.short": 2})
    trail.close()
    carry(courier(tmp_path, connect()))
    assert receiver.lines() == lines(tmp_path)


def test_the_trail_can_be_verified_from_what_arrived(receiver: Receiver, connect: Connect, tmp_path: Path) -> None:
    trail = write_events(tmp_path, 30)
    trail.append("odd", text='ünïcode ☎ \\ " \n = | ]', number=1.5, none=None, deep={"b": [1, {"a": -0.25}]})
    trail.close()
    carry(courier(tmp_path, connect()))
    arrived = check([line + b"\n" for line in receiver.lines()], last_hash=trail.last_hash)
    assert arrived.problems == []


def test_a_server_that_is_away_at_first_gets_everything(receiver: Receiver, connect: Connect, tmp_path: Path) -> None:
    write_events(tmp_path, EVENTS).close()
    receiver.stop()
    carrier = courier(tmp_path, connect())
    assert carrier.step()
    assert carrier.standing().waiting == EVENTS
    assert carrier.standing().reason
    receiver.start()
    carry(carrier)
    assert without_repeats(receiver) == lines(tmp_path)


def test_a_server_that_goes_away_in_the_middle_loses_nothing(
    receiver: Receiver, connect: Connect, tmp_path: Path
) -> None:
    trail = write_events(tmp_path, 20)
    carrier = courier(tmp_path, connect())
    carry(carrier)
    receiver.stop()
    for number in range(21, 41):
        trail.append("batch.answered", batch=number, answer="Accepted", status=201)
    assert carrier.step()
    receiver.start()
    trail.append("run.finished", status="SUCCESS", exit_code=0, rows={"read": 5}, reasons={})
    trail.close()
    carry(carrier)
    told = without_repeats(receiver)
    assert told == lines(tmp_path)
    assert orjson.loads(told[-1])["hash"] == trail.last_hash


def test_a_server_that_hangs_is_given_up_in_time_and_asked_again(
    receiver: Receiver, connect: Connect, tmp_path: Path
) -> None:
    write_events(tmp_path, EVENTS).close()
    carrier = courier(tmp_path, connect())
    carrier.step()
    receiver.hang()
    assert carrier.step()
    assert carrier.standing().waiting
    receiver.stop()
    receiver.start()
    carry(carrier)
    assert without_repeats(receiver) == lines(tmp_path)


def test_events_told_again_are_known_as_repeats(receiver: Receiver, connect: Connect, tmp_path: Path) -> None:
    write_events(tmp_path, 30).close()
    carry(courier(tmp_path, connect()))
    (tmp_path / f"shipped/{receiver.kind}.json").unlink()
    carry(courier(tmp_path, connect()))
    assert without_repeats(receiver) == lines(tmp_path)


def test_two_runs_keep_apart(receiver: Receiver, connect: Connect, tmp_path: Path) -> None:
    to = connect()
    for run in (RUN, "20260101T000000Z-fedcba"):
        (tmp_path / run).mkdir()
        write_events(tmp_path / run, 5, run).close()
        carry(courier(tmp_path / run, to))
    runs = [each["run"] for each in receiver.events]
    assert (runs.count(RUN), len(runs)) == (5, 10)


def test_a_probe_tells_whether_it_can_be_reached_and_sends_nothing(
    receiver: Receiver, connect: Connect, tmp_path: Path
) -> None:
    assert isinstance(connect().sink.probe(), Reached)
    write_events(tmp_path, 3).close()
    carry(courier(tmp_path, connect()))
    assert isinstance(connect().sink.probe(), Reached)
    assert receiver.lines() == lines(tmp_path), "the events, and nothing of the probes"
    receiver.stop()
    assert isinstance(connect().sink.probe(), Later)
    receiver.start()
    receiver.hang()
    assert isinstance(connect().sink.probe(), Later), "it is given up in time"
