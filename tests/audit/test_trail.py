"""The audit trail: whatever is done to a line, it shows, and what a process leaves behind can be gone on with."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import lru_cache
from pathlib import Path
from unittest import mock

import orjson
import pytest

from dialfeed.audit.check import check, read_line
from dialfeed.audit.trail import Trail, line_hash
from dialfeed.errors import CheckFile

EVENTS = 1000


def write_trail(path: Path, events: int = EVENTS) -> str:
    trail = Trail(path, "run-1")
    trail.append("run.started", command="import", operator="somebody")
    for number in range(events - 2):
        trail.append("batch.sent", batch=number, contacts=1000, attempt=1)
    trail.append("run.finished", status="SUCCESS", exit_code=0)
    trail.close()
    return trail.last_hash


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[bytes], str]]:
    """A whole trail; while it is used, a line that was read before is not hashed again, which is most of the work."""
    path = tmp_path_factory.mktemp("trail") / "audit.jsonl"
    last = write_trail(path)
    with mock.patch("dialfeed.audit.check.read_line", lru_cache(maxsize=None)(read_line)):
        yield path.read_bytes().splitlines(keepends=True), last


def first_bad(lines: list[bytes], last: str) -> int | None:
    found = check(lines, last_hash=last)
    return None if found.whole else found.problems[0].line


def rewritten(line: bytes, **facts: object) -> bytes:
    """A line with other facts and a hash that is right for them."""
    changed = orjson.loads(line) | facts
    del changed["hash"]
    return orjson.dumps({**changed, "hash": line_hash(changed)}) + b"\n"


def test_a_whole_trail_has_no_problems(trail: tuple[list[bytes], str]) -> None:
    lines, last = trail
    found = check(lines, last_hash=last)
    assert (found.whole, found.lines, found.run) == (True, EVENTS, "run-1")


def test_each_changed_line_is_named(trail: tuple[list[bytes], str]) -> None:
    lines, last = trail
    for place in range(EVENTS):
        changed = orjson.dumps(orjson.loads(lines[place]) | {"contacts": 999}) + b"\n"
        assert first_bad([*lines[:place], changed, *lines[place + 1 :]], last) == place + 1


def test_each_line_with_a_new_and_right_hash_shows_at_the_line_after_it(trail: tuple[list[bytes], str]) -> None:
    lines, last = trail
    for place in range(EVENTS):
        forged = rewritten(lines[place], contacts=999)
        assert first_bad([*lines[:place], forged, *lines[place + 1 :]], last) == place + 2


def test_each_removed_line_shows_where_it_was(trail: tuple[list[bytes], str]) -> None:
    lines, last = trail
    for place in range(EVENTS):
        assert first_bad([*lines[:place], *lines[place + 1 :]], last) == place + 1


def test_each_repeated_line_and_each_foreign_line_shows_where_it_stands(trail: tuple[list[bytes], str]) -> None:
    lines, last = trail
    for place in range(EVENTS):
        assert first_bad([*lines[: place + 1], *lines[place:]], last) == place + 2
        foreign = rewritten(lines[place], event="batch.settled")
        assert first_bad([*lines[: place + 1], foreign, *lines[place + 1 :]], last) == place + 2


def test_each_swap_of_neighbours_and_three_hundred_of_others_show_at_the_first_of_them(
    trail: tuple[list[bytes], str],
) -> None:
    lines, last = trail
    chance = random.Random("swaps")
    far = [tuple(sorted(chance.sample(range(EVENTS), 2))) for _ in range(300)]
    for one, other in [*zip(range(EVENTS - 1), range(1, EVENTS), strict=True), *far]:
        swapped = list(lines)
        swapped[one], swapped[other] = lines[other], lines[one]
        assert first_bad(swapped, last) == one + 1


def test_each_cut_off_tail_shows_by_the_last_hash(trail: tuple[list[bytes], str]) -> None:
    lines, last = trail
    for place in range(EVENTS):
        assert first_bad(lines[:place], last) == place + 1
        assert not check(lines[:place], hashes=[last]).whole, "or by a hash that was signed"


def test_lines_added_at_the_end_show_by_the_last_hash(trail: tuple[list[bytes], str], tmp_path: Path) -> None:
    lines, last = trail
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"".join(lines))
    longer = Trail(path, "run-1")
    longer.append("batch.sent", batch=1, contacts=1)
    longer.close()
    assert first_bad(path.read_bytes().splitlines(keepends=True), last) == EVENTS + 2


def test_every_changed_byte_shows_in_its_line(trail: tuple[list[bytes], str]) -> None:
    """Also where the JSON means the same: blanks, escapes, the order of keys, line ends, a key told twice."""
    lines, last = trail
    chance = random.Random("bytes")
    for _ in range(EVENTS):
        place = chance.randrange(EVENTS)
        flipped = bytearray(lines[place])
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
        damaged = b"".join([*lines[:place], bytes(flipped), *lines[place + 1 :]])
        assert first_bad(damaged.splitlines(keepends=True), last) == place + 1
    same = {
        "blank": lines[4].replace(b":", b": ", 1),
        "escape": lines[4].replace(b'"batch.sent"', b'"\\u0062atch.sent"'),
        "order": orjson.dumps(dict(reversed(orjson.loads(lines[4]).items()))) + b"\n",
        "line end": lines[4].replace(b"\n", b"\r\n"),
        "told twice": lines[4].replace(b'{"n"', b'{"contacts":1,"n"'),
        "another number": lines[4].replace(b'"contacts":1000', b'"contacts":1000.0'),
    }
    for what, line in same.items():
        assert line != lines[4]
        assert check([*lines[:4], line, *lines[5:]], last_hash=last).problems[0].line == 5, what


def test_a_trail_that_was_numbered_anew_shows_at_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    write_trail(path, 3)
    lines: list[bytes] = []
    previous = "0" * 64
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True), 2):
        lines.append(rewritten(line, n=number, previous=previous))
        previous = orjson.loads(lines[-1])["hash"]
    assert [problem.line for problem in check(lines, last_hash=previous).problems] == [1, 2, 3]


def test_hashes_that_lines_must_have_are_looked_for_among_all_lines(trail: tuple[list[bytes], str]) -> None:
    lines, last = trail
    kept = [orjson.loads(lines[place])["hash"] for place in (0, 250)]
    assert check(lines, last_hash=last, hashes=[*kept, last]).whole
    assert [problem.line for problem in check(lines, hashes=[*kept, "1" * 64]).problems] == [EVENTS + 1]


@pytest.mark.parametrize(("bad", "told"), [(1, 1), (20, 20), (21, 20), (30, 20)])
def test_all_problems_are_counted_and_the_first_twenty_are_told(bad: int, told: int) -> None:
    found = check([b"nothing\n"] * bad)
    assert (found.whole, found.wrong, [problem.line for problem in found.problems]) == (
        False,
        bad,
        list(range(1, told + 1)),
    )


def test_lines_of_another_run_do_not_pass_for_this_one(tmp_path: Path) -> None:
    lines: list[bytes] = []
    for run in ("run-1", "run-2"):
        path = tmp_path / run
        write_trail(path, 3)
        lines += path.read_bytes().splitlines(keepends=True)
    assert check(lines).problems[0].line == 4
    assert not check([]).whole


# --- a process that dies, a disk that is full ---------------------------------------------------------------------


def files_open() -> int:
    """How many this process has open."""
    return sum(1 for _ in Path("/dev/fd").iterdir())


def events_of(path: Path) -> list[str]:
    return [json.loads(line)["event"] for line in path.read_bytes().splitlines()]


def test_a_trail_is_continued_after_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    first = Trail(path, "run-1")
    first.append("run.started")
    first.close()
    with path.open("ab") as file:
        file.write(b'{"n":2,"time":"20')
    second = Trail(path, "run-1")
    second.append("run.finished")
    second.close()
    assert check(path.read_bytes().splitlines(keepends=True), last_hash=second.last_hash).whole
    assert events_of(path) == ["run.started", "trail.recovered", "run.finished"]
    assert json.loads(path.read_bytes().splitlines()[1])["torn_bytes"] == 17


def test_a_trail_that_holds_nothing_but_a_torn_line_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b'{"n":1,')
    trail = Trail(path, "run-1")
    trail.close()
    assert check(path.read_bytes().splitlines(keepends=True), last_hash=trail.last_hash).whole
    assert events_of(path) == ["trail.recovered"]


def test_the_end_of_a_long_trail_is_found_without_reading_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    write_trail(path, 5000)
    longest = Trail(path, "run-1")
    longest.append("source.read", facts={"files": ["x" * 100] * 2000})  # longer than what is read at once
    longest.close()
    read, pread = 0, os.pread

    def counting(file: int, length: int, at: int) -> bytes:
        nonlocal read
        read += length
        return pread(file, length, at)

    with mock.patch("dialfeed.audit.trail.os.pread", counting):
        again = Trail(path, "run-1")
        again.close()
    assert (again.number, again.last_hash) == (longest.number, longest.last_hash)
    assert read < path.stat().st_size / 2


@pytest.mark.parametrize(
    "changed",
    [
        lambda line: line[:-20] + b"\n", lambda line: line.replace(b"SUCCESS", b"success"), lambda _: b"[]\n",
        lambda line: rewritten(line, n="3"), lambda line: line.replace(b'"n":3', b'"n":4'),
    ],
)  # fmt: skip
def test_a_last_line_that_was_changed_is_not_built_upon(tmp_path: Path, changed: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "audit.jsonl"
    write_trail(path, 3)
    *before_it, last = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*before_it, changed(last)]))
    before = files_open()
    with pytest.raises(CheckFile, match="audit verify"):
        Trail(path, "run-1")
    assert files_open() == before, "a command may look at many runs"


@pytest.mark.parametrize("fault", [None, OSError(5, "Input/output error")])
def test_a_closed_trail_holds_no_file_whether_or_not_it_could_be_synced(tmp_path: Path, fault: OSError | None) -> None:
    before = files_open()
    trail = Trail(tmp_path / "audit.jsonl", "run-1")
    with (
        mock.patch("dialfeed.audit.trail.os.fsync", side_effect=fault),
        pytest.raises(OSError, match="Input") if fault else nullcontext(),
    ):
        trail.close()
    assert files_open() == before


@pytest.mark.parametrize("taken", [0, 10])
def test_a_line_that_does_not_fit_on_the_disk_leaves_the_trail_whole(tmp_path: Path, taken: int) -> None:
    path = tmp_path / "audit.jsonl"
    trail = Trail(path, "run-1")
    trail.append("run.started")
    calls, write = 0, os.write

    def full(file: int, content: bytes) -> int:
        nonlocal calls
        calls += 1
        if calls > 1 or not taken:
            raise OSError(28, "No space left on device")
        return write(file, content[:taken])

    with mock.patch("dialfeed.audit.trail.os.write", side_effect=full), pytest.raises(OSError, match="space"):
        trail.append("batch.sent", batch=1)
    trail.append("run.finished")
    trail.close()
    assert check(path.read_bytes().splitlines(keepends=True), last_hash=trail.last_hash).whole
    assert events_of(path) == ["run.started", "run.finished"]


def test_lines_of_single_batches_are_synced_within_a_second_and_all_others_at_once(tmp_path: Path) -> None:
    now, synced = 100.0, 0

    def count(_: int) -> None:
        nonlocal synced
        synced += 1

    with (
        mock.patch("dialfeed.audit.trail.os.fsync", count),
        mock.patch("dialfeed.audit.trail.time.monotonic", side_effect=lambda: now),
    ):
        trail = Trail(tmp_path / "audit.jsonl", "run-1")
        seen = []
        for event, later in (("run.started", 0.0), ("batch.sent", 0.5), ("batch.answered", 0.4), ("batch.sent", 0.2)):
            now += later
            trail.append(event)
            seen.append(synced)
        trail.append("guard.judged")
        trail.close()
    assert seen == [1, 1, 1, 2]
    assert synced == 4, "the guard's line, and the end"


def test_whoever_hears_a_trail_hears_every_line_once(tmp_path: Path) -> None:
    heard: list[str] = []
    trail = Trail(tmp_path / "audit.jsonl", "run-1")
    trail.hear = lambda line: heard.append(line["hash"])
    trail.append("run.started")
    trail.append("run.finished")
    trail.close()
    assert heard == [orjson.loads(line)["hash"] for line in (tmp_path / "audit.jsonl").read_bytes().splitlines()]
