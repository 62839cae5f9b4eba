"""Events reach a sink in their order, each at least once; none is lost, and none blocks those behind it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sink_world import Away, MemorySink, destination, refuses, write_events

from dialfeed.audit.sinks.base import Acknowledged, Answer, Event, Later, Refused, read_event
from dialfeed.audit.sinks.courier import Courier, Destination, Moment
from dialfeed.audit.sinks.cursor import CursorFile

MOMENT = Moment(lambda: datetime(2026, 1, 1, tzinfo=UTC), lambda: 0.0)


def courier(folder: Path, to: Destination, attempts: int = 3) -> Courier:
    file = CursorFile(folder, to.address.name)
    file.begin(to.address.text)
    return Courier(folder / "audit.jsonl", to, file, attempts, MOMENT)


def carry(carrier: Courier, most: int = 1000) -> list[float]:
    """Step until nothing waits; the waits that were asked for."""
    waits: list[float] = []
    while (wait := carrier.step()) is not None and len(waits) < most:
        waits.append(wait)
    return [wait for wait in waits if wait]


def test_all_events_arrive_in_order_in_batches(tmp_path: Path) -> None:
    write_events(tmp_path, 25).close()
    sink = MemorySink()
    carry(courier(tmp_path, destination(sink)))
    assert sink.told == [[*range(1, 11)], [*range(11, 21)], [*range(21, 26)]]
    assert [event.facts["batch"] for event in sink.kept] == [*range(1, 26)]


def test_a_new_process_goes_on_behind_what_was_acknowledged(tmp_path: Path) -> None:
    write_events(tmp_path, 12).close()
    sink = MemorySink()
    courier(tmp_path, destination(sink)).step()
    carry(courier(tmp_path, destination(sink)))
    assert sink.numbers == [*range(1, 13)]


def test_after_a_refusal_batches_grow_again(tmp_path: Path) -> None:
    write_events(tmp_path, 40).close()
    sink = MemorySink(answer=refuses(1))
    carry(courier(tmp_path, destination(sink)))
    assert [len(batch) for batch in sink.told] == [10, 5, 2, 1, 2, 4, 8, 10, 10, 5]
    assert sink.numbers == [*range(2, 41)]


def test_a_sink_that_acknowledges_nothing_has_failed_each_time(tmp_path: Path) -> None:
    write_events(tmp_path, 2).close()
    carrier = courier(tmp_path, destination(MemorySink(answer=lambda _: Acknowledged(0))))
    assert [carrier.step() is not None, carrier.step() is not None, carrier.failures] == [True, True, 2]


def test_why_a_refused_event_is_not_taken_the_second_time_is_told(tmp_path: Path) -> None:
    write_events(tmp_path, 1).close()
    sink = MemorySink(answer=refuses(1))
    carry(courier(tmp_path, destination(sink)))
    sink.answer = lambda _: Later("it is away")
    carrier = courier(tmp_path, destination(sink))
    carrier.again()
    assert (carrier.standing().dead, carrier.standing().reason) == (1, "it is away")


@pytest.mark.parametrize("name", ["n", "time", "run", "event", "previous", "hash"])
def test_a_line_that_lacks_a_part_or_has_one_of_another_kind_is_no_event(tmp_path: Path, name: str) -> None:
    write_events(tmp_path, 1).close()
    told = json.loads((tmp_path / "audit.jsonl").read_bytes())
    assert read_event(json.dumps(told).encode()) is not None
    for other in ([told[name]], None, "1" if name == "n" else 1):
        assert read_event(json.dumps(told | {name: other}).encode()) is None
    del told[name]
    assert read_event(json.dumps(told).encode()) is None


def test_the_first_event_of_a_trail_is_sent_again_too(tmp_path: Path) -> None:
    write_events(tmp_path, 3).close()
    sink = MemorySink(answer=refuses(1, 3))
    carry(courier(tmp_path, destination(sink)))
    sink.answer = lambda _: None
    carrier = courier(tmp_path, destination(sink))
    carrier.again()
    assert sink.numbers == [2, 1, 3]
    assert carrier.standing().dead == 0


def test_a_sink_of_a_run_without_a_trail_waits_for_nothing(tmp_path: Path) -> None:
    assert courier(tmp_path, destination(MemorySink())).standing().waiting == 0


def test_a_cursor_that_cannot_be_read_lets_everything_be_sent_again(tmp_path: Path) -> None:
    write_events(tmp_path, 3).close()
    sink = MemorySink()
    carry(courier(tmp_path, destination(sink)))
    (tmp_path / "shipped/memory.json").write_bytes(b'{"address":"https://sink.example/audit#memory","n":"3"}')
    carry(courier(tmp_path, destination(sink)))
    assert sink.numbers == [1, 2, 3, 1, 2, 3]


def test_a_torn_last_line_waits_until_it_is_whole(tmp_path: Path) -> None:
    trail = write_events(tmp_path, 2)
    trail.close()
    whole = (tmp_path / "audit.jsonl").read_bytes()
    (tmp_path / "audit.jsonl").write_bytes(whole[:-20])
    sink = MemorySink()
    carrier = courier(tmp_path, destination(sink))
    carry(carrier)
    assert sink.numbers == [1]
    (tmp_path / "audit.jsonl").write_bytes(whole)
    carry(carrier)
    assert sink.numbers == [1, 2]


def test_a_trail_that_was_recovered_after_a_torn_line_goes_on(tmp_path: Path) -> None:
    write_events(tmp_path, 2).close()
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(b'{"n":3,"time":"20')
    sink = MemorySink()
    carrier = courier(tmp_path, destination(sink))
    carry(carrier)
    write_events(tmp_path, 1, start=3).close()
    carry(carrier)
    assert [event.name for event in sink.kept] == ["batch.sent", "batch.sent", "trail.recovered", "batch.sent"]


def test_one_event_that_is_refused_is_laid_aside_with_its_reason(tmp_path: Path) -> None:
    write_events(tmp_path, 25).close()
    sink = MemorySink(answer=refuses(7, 21))
    carrier = courier(tmp_path, destination(sink))
    assert carry(carrier) == []
    assert sink.numbers == [n for n in range(1, 26) if n not in {7, 21}]
    dead = [json.loads(line) for line in (tmp_path / "shipped/memory.dead.jsonl").read_bytes().splitlines()]
    assert [(each["n"], each["reason"]) for each in dead] == [(7, "too strange"), (21, "too strange")]
    assert (carrier.standing().waiting, carrier.standing().dead) == (0, 2)


def test_what_was_refused_can_be_sent_again(tmp_path: Path) -> None:
    write_events(tmp_path, 10).close()
    sink = MemorySink(answer=refuses(7, 9))
    carry(courier(tmp_path, destination(sink)))
    sink.answer = refuses(9)
    carrier = courier(tmp_path, destination(sink))
    carrier.again()
    assert sink.numbers == [1, 2, 3, 4, 5, 6, 8, 10, 7]
    assert carrier.standing().dead == 1
    assert [each["n"] for each in CursorFile(tmp_path, "memory").dead()] == [9]


def test_a_sink_that_is_away_is_asked_less_and_less_often_and_loses_nothing(tmp_path: Path) -> None:
    write_events(tmp_path, 5).close()
    away = Away()
    sink = MemorySink(answer=away)
    carrier = courier(tmp_path, destination(sink))
    waits = [carrier.step() for _ in range(10)]
    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert waits[-1] == 40.0
    assert carrier.standing().reason == "the connection is refused"
    away.away = False
    carry(carrier)
    assert sink.numbers == [1, 2, 3, 4, 5]
    assert carrier.standing().reason == ""


def test_a_sink_that_asks_for_time_gets_it(tmp_path: Path) -> None:
    write_events(tmp_path, 1).close()
    carrier = courier(tmp_path, destination(MemorySink(answer=lambda _: Later("busy", after=17.0))))
    assert carrier.step() == 17.0


def test_an_event_that_a_sink_fails_on_does_not_block_the_others_for_ever(tmp_path: Path) -> None:
    write_events(tmp_path, 9).close()

    def fails(events: Sequence[Event]) -> Answer | None:
        return Later("status 500", suspect=True) if any(event.n == 4 for event in events) else None

    sink = MemorySink(answer=fails)
    first = courier(tmp_path, destination(sink))
    for _ in range(6):
        first.step()
    carry(courier(tmp_path, destination(sink)))  # tries are counted over processes
    assert sink.numbers == [1, 2, 3, 5, 6, 7, 8, 9]
    assert sink.told.count([4]) == 3
    assert [each["reason"] for each in CursorFile(tmp_path, "memory").dead()] == ["status 500"]


def test_a_fault_in_a_sink_is_an_answer(tmp_path: Path) -> None:
    write_events(tmp_path, 1).close()

    def breaks(events: Sequence[Event]) -> Answer | None:
        raise ZeroDivisionError(f"{len(events)} s3cr3t")

    carrier = courier(tmp_path, destination(MemorySink(answer=breaks)))
    assert carrier.step() == 0.5
    assert carrier.standing().reason == "dialfeed itself failed (ZeroDivisionError)"


@pytest.mark.parametrize("place", [0, 3, 6])
def test_a_trail_that_was_changed_behind_the_sink_is_not_sent_on(tmp_path: Path, place: int) -> None:
    write_events(tmp_path, 7).close()
    path = tmp_path / "audit.jsonl"
    sink = MemorySink(most=5)
    courier(tmp_path, destination(sink)).step()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:place], *lines[place + 1 :], b""]) if place < 6 else b"".join(lines[:4]))
    carrier = courier(tmp_path, destination(sink))
    assert carrier.step() is None
    assert carrier.finished
    assert sink.numbers == [1, 2, 3, 4, 5]
    assert carrier.standing().waiting > 0
    assert "no longer goes on" in carrier.standing().reason


def test_a_sink_that_moved_to_another_address_gets_everything(tmp_path: Path) -> None:
    write_events(tmp_path, 3).close()
    carry(courier(tmp_path, destination(MemorySink())))
    other = MemorySink()
    carry(courier(tmp_path, destination(other, "https://elsewhere.example/audit#memory")))
    assert other.numbers == [1, 2, 3]


@given(
    st.lists(st.sampled_from(["take", "some", "later", "refuse", "suspect", "die"]), max_size=25),
    st.integers(1, 14),
    st.integers(1, 6),
)
@settings(max_examples=40, deadline=None)
def test_whatever_a_sink_does_nothing_is_lost_and_order_is_kept(
    tmp_path_factory: pytest.TempPathFactory, moods: list[str], count: int, most: int
) -> None:
    folder = tmp_path_factory.mktemp("moods")
    write_events(folder, count).close()
    left = iter(moods)

    def moody(events: Sequence[Event]) -> Answer | None:
        mood = next(left, "take")
        answers: dict[str, Answer] = {
            "later": Later("away"),
            "suspect": Later("status 500", suspect=True),
            "refuse": Refused("strange"),
            "some": Acknowledged(events[len(events) // 2].n),
        }
        return answers.get(mood)

    sink = MemorySink(most=most, answer=moody)
    carrier = courier(folder, destination(sink))
    for mood in moods:
        if mood == "die":
            carrier = courier(folder, destination(sink))
        carrier.step()
    carry(carrier)
    dead = [each["n"] for each in CursorFile(folder, "memory").dead()]
    assert sorted({*sink.numbers, *dead}) == [*range(1, count + 1)]
    firsts = list(dict.fromkeys(sink.numbers))
    assert firsts == sorted(firsts)


class Killed(BaseException):
    """What nothing catches."""


@pytest.mark.parametrize("nth", range(1, 9))
@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("what", ["write", "bury"])
def test_a_process_may_die_between_any_two_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, place: str, nth: int
) -> None:
    """Killed just before, or just after, the nth time that something is kept on the disk."""
    write_events(tmp_path, 14).close()
    sink = MemorySink(most=4, answer=refuses(3, 4, 11))
    plain, left = getattr(CursorFile, what), [nth]

    def dying(self: CursorFile, *arguments: object) -> None:
        left[0] -= 1
        if left[0] == 0 and place == "before":
            raise Killed
        plain(self, *arguments)
        if left[0] == 0:
            raise Killed

    CursorFile(tmp_path, "memory").begin(destination(sink).address.text)
    monkeypatch.setattr(CursorFile, what, dying)
    with contextlib.suppress(Killed):
        carry(Courier(tmp_path / "audit.jsonl", destination(sink), CursorFile(tmp_path, "memory"), 3, MOMENT))
    monkeypatch.setattr(CursorFile, what, plain)
    carry(courier(tmp_path, destination(sink)))
    taken = [n for n in range(1, 15) if n not in {3, 4, 11}]
    assert sorted(set(sink.numbers)) == taken
    assert list(dict.fromkeys(sink.numbers)) == taken
    assert [each["n"] for each in CursorFile(tmp_path, "memory").dead()] == [3, 4, 11]
