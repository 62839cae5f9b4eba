"""The run never waits for a sink; what a sink has not got when the run ends waits on the disk."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sink_world import Away, MemorySink, destination, refuses, write_events
from waiting import wait_for

from dialfeed.audit.sinks.courier import Destination
from dialfeed.audit.sinks.cursor import CursorFile, remembered
from dialfeed.audit.sinks.shipping import Shipping, Terms


def shipping(folder: Path, *to: Destination, grace: float = 5.0, again: bool = False) -> Shipping:
    made = Shipping(folder, to, Terms(grace, attempts=3, again=again))
    made.start()
    return made


def test_events_are_sent_while_they_are_written(tmp_path: Path) -> None:
    sink = MemorySink()
    active = shipping(tmp_path, destination(sink))
    trail = write_events(tmp_path, 3)
    wait_for(lambda: sink.numbers == [1, 2, 3])
    trail.append("run.finished")
    trail.close()
    (standing,) = active.finish()
    assert (standing.acknowledged, standing.hash, standing.waiting) == (4, trail.last_hash, 0)
    assert sink.numbers == [1, 2, 3, 4]
    assert sink.closed


def test_the_sinks_of_a_run_are_known_before_its_first_event(tmp_path: Path) -> None:
    active = shipping(tmp_path, destination(MemorySink()))
    assert remembered(tmp_path) == {"memory": "https://sink.example/audit#memory"}
    active.finish()


def test_a_sink_that_hangs_takes_no_longer_than_its_grace_and_harms_no_other(tmp_path: Path) -> None:
    hung, well = MemorySink(), MemorySink()
    hung.gate.clear()
    active = shipping(tmp_path, destination(hung), destination(well, "https://well.example/#well"), grace=0.3)
    write_events(tmp_path, 5).close()
    told = {each.name: each for each in active.finish()}
    assert (told["memory"].waiting, told["memory"].reason) == (5, "it does not answer")
    assert (told["well"].waiting, well.numbers) == (0, [1, 2, 3, 4, 5])
    hung.gate.set()
    wait_for(lambda: hung.closed)
    assert hung.numbers == [1, 2, 3, 4, 5]


def test_a_sink_that_was_failing_is_tried_once_more_and_not_waited_for(tmp_path: Path) -> None:
    away = Away()
    sink = MemorySink(answer=away)
    active = shipping(tmp_path, destination(sink), grace=3600.0)
    write_events(tmp_path, 2).close()
    wait_for(lambda: sink.told)
    (standing,) = active.finish()
    assert (standing.waiting, standing.reason) == (2, "the connection is refused")


def test_a_sink_that_comes_back_gets_everything_when_it_is_shipped_again(tmp_path: Path) -> None:
    away = Away()
    sink = MemorySink(answer=away)
    active = shipping(tmp_path, destination(sink), grace=0.1)
    write_events(tmp_path, 12).close()
    active.finish()
    away.away = False
    (standing,) = shipping(tmp_path, destination(sink)).finish(while_moving=True)
    assert (standing.waiting, sink.numbers) == (0, [*range(1, 13)])


def test_two_shippers_at_once_send_each_event_once(tmp_path: Path) -> None:
    write_events(tmp_path, 60).close()
    first, second = MemorySink(most=3), MemorySink(most=3)
    both = [shipping(tmp_path, destination(sink)) for sink in (first, second)]
    standings = [each.finish(while_moving=True)[0] for each in both]
    assert sorted(first.numbers + second.numbers) == [*range(1, 61)]
    assert [standing.waiting for standing in standings] == [0, 0]


def test_a_shipper_that_finds_another_at_work_says_so(tmp_path: Path) -> None:
    write_events(tmp_path, 2).close()
    with CursorFile(tmp_path, "memory").locked() as ours:
        assert ours
        (standing,) = shipping(tmp_path, destination(MemorySink()), grace=0.2).finish()
    assert (standing.waiting, standing.reason) == (2, "another process is sending")


def test_refused_events_are_told_and_can_be_sent_again(tmp_path: Path) -> None:
    write_events(tmp_path, 20).close()
    sink = MemorySink(answer=refuses(5))
    (standing,) = shipping(tmp_path, destination(sink)).finish()
    assert (standing.waiting, standing.dead) == (0, 1)
    sink.answer = lambda _: None
    (standing,) = shipping(tmp_path, destination(sink), again=True).finish()
    assert (standing.dead, sink.numbers[-1]) == (0, 5)


@pytest.mark.parametrize("name", ["memory.json", "memory.lock", "memory.dead.jsonl"])
def test_what_is_kept_is_private(tmp_path: Path, name: str) -> None:
    write_events(tmp_path, 2).close()
    shipping(tmp_path, destination(MemorySink(answer=refuses(1)))).finish()
    assert (tmp_path / "shipped" / name).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "shipped").stat().st_mode & 0o777 == 0o700


def test_no_thread_is_left_behind(tmp_path: Path) -> None:
    write_events(tmp_path, 2).close()
    shipping(tmp_path, destination(MemorySink())).finish()
    wait_for(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("sink-")])
