"""The budget in a file: whatever happens to the file, the clock or another process, it neither opens nor blocks."""

from __future__ import annotations

import asyncio
import fcntl
import multiprocessing
import os
import platform
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from waiting import wait_for

from dialfeed import files
from dialfeed.coordination import file_budget
from dialfeed.coordination.file_budget import FileBudget, budget_file
from dialfeed.coordination.gate import Wait
from dialfeed.delivery.pace import Limit, from_bytes
from dialfeed.errors import FixSettings, ResumeRun

TEN = Limit.per_second(10)
Run = Callable[..., subprocess.Popen[str]]
Takers = Callable[..., tuple[float, list[subprocess.Popen[str]]]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def budget(file: Path, clock: Any) -> Iterator[FileBudget]:
    """A budget on the held clock."""
    budget = FileBudget(file, TEN, now=clock.now, sleep=clock.sleep)
    yield budget
    asyncio.run(budget.close())


def take(budget: FileBudget, times: int, clock: Any) -> list[float]:
    """The starts of so many takes."""

    async def scenario() -> list[float]:
        starts = []
        for _ in range(times):
            await budget.take()
            starts.append(clock.now())
        return starts

    return asyncio.run(scenario())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(data=st.data())
def test_a_damaged_record_neither_opens_the_gate_nor_blocks_it(data: st.DataObject, file: Path, clock: Any) -> None:
    """Torn at any byte, or with any bit turned: everybody waits one window, and then goes on as usual."""
    file.unlink(missing_ok=True)
    budget = FileBudget(file, TEN, now=clock.now, sleep=clock.sleep)
    take(budget, 10, clock)
    stored = bytearray(file.read_bytes())
    place = data.draw(st.integers(0, len(stored) - 1))
    stored[place] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(stored if data.draw(st.booleans()) else stored[: max(1, place)])
    damaged_at = clock.now()
    starts = take(budget, 12, clock)
    assert starts[0] == pytest.approx(damaged_at + TEN.window)
    assert starts[-1] - starts[0] == pytest.approx(11 * TEN.gap, rel=0.02)
    asyncio.run(budget.close())


def test_a_file_that_is_deleted_under_way_is_made_anew_and_shared_again(
    budget: FileBudget, file: Path, clock: Any
) -> None:
    take(budget, 3, clock)
    file.unlink()
    other = FileBudget(file, TEN, now=clock.now, sleep=clock.sleep)
    starts = [*take(budget, 1, clock), *take(other, 1, clock), *take(budget, 1, clock)]
    asyncio.run(other.close())
    assert starts[2] - starts[0] == pytest.approx(2 * TEN.gap)


def test_a_clock_that_begins_anew_stalls_for_a_window_and_not_for_days(budget: FileBudget, clock: Any) -> None:
    clock.time = 1e7
    take(budget, 10, clock)
    clock.time = 5.0
    starts = take(budget, 3, clock)
    assert 5.0 < starts[0] <= 5.0 + TEN.window + 1.0
    assert starts[2] - starts[0] <= 2 * TEN.gap + 0.005


def test_a_pause_from_before_the_clock_began_anew_ends(budget: FileBudget, clock: Any) -> None:
    clock.time = 1e7
    asyncio.run(budget.penalise(200.0))
    clock.time = 5.0
    assert take(budget, 1, clock)[0] <= 305.1


def test_the_record_stays_small_however_long_it_is_used(budget: FileBudget, file: Path, clock: Any) -> None:
    take(budget, 200, clock)
    pace = from_bytes(TEN, file.read_bytes())
    assert len(pace.starts) <= TEN.count
    assert file.stat().st_size < 200


def test_the_file_and_its_folder_are_for_their_owner_only(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "budget").mkdir(parents=True, mode=0o755)
    umask = os.umask(0)
    try:
        file = budget_file(home, "organisation")
        asyncio.run(FileBudget(file, TEN).close())
    finally:
        os.umask(umask)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_new_start_of_the_machine_has_a_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = budget_file(tmp_path, "organisation")
    assert budget_file(tmp_path, "organisation") == first
    monkeypatch.setattr(file_budget, "machine_mark", lambda: "another start")
    assert budget_file(tmp_path, "organisation") != first


def test_files_of_long_ago_are_deleted_and_those_in_use_are_not(tmp_path: Path) -> None:
    old, new, foreign = (budget_file(tmp_path, "x").with_name(name) for name in ("a.pace1", "b.pace1", "notes.txt"))
    long_ago = time.time() - file_budget.KEPT - 60
    for path in (old, new, foreign):
        path.touch()
    os.utime(old, (long_ago, long_ago))
    os.utime(foreign, (long_ago, long_ago))
    budget_file(tmp_path, "x")
    assert (old.exists(), new.exists(), foreign.exists()) == (False, True, True)


def test_without_a_start_of_the_machine_to_know_its_name_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert file_budget.machine_mark()

    def refuse(*_: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", refuse)
    assert file_budget.machine_mark() == platform.node()


def test_a_holder_that_never_lets_go_ends_the_run_with_advice(budget: FileBudget, file: Path, clock: Any) -> None:
    with file.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ResumeRun, match="does not let go"):
            take(budget, 1, clock)
    assert take(budget, 1, clock)


def test_a_holder_that_lets_go_late_is_waited_for(budget: FileBudget, file: Path, clock: Any) -> None:
    async def scenario() -> None:
        with file.open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            taker = asyncio.create_task(budget.take())
            for _ in range(20):
                await asyncio.sleep(0)
            assert not taker.done()
        await taker

    asyncio.run(scenario())
    assert max(clock.slept) < 0.01


def test_a_full_disk_ends_the_run_with_advice(budget: FileBudget, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(ResumeRun, match="No space left"):
            take(budget, 1, clock)
        patch.setattr(os, "pwrite", lambda *_: 3)
        with pytest.raises(ResumeRun, match="full"):
            take(budget, 1, clock)
    assert take(budget, 1, clock)


@pytest.mark.parametrize("broken", ["file", "link"])
def test_a_home_that_cannot_be_used_is_a_fault_of_the_settings(broken: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    if broken == "file":
        home.write_text("not a folder")
        with pytest.raises(FixSettings, match="cannot be used"):
            budget_file(home, "organisation")
    else:
        (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(FixSettings, match="cannot be used"):
            FileBudget(tmp_path / "link", TEN)
        assert not (tmp_path / "elsewhere").exists()


def test_a_closed_budget_opens_again_when_it_is_used(budget: FileBudget, clock: Any) -> None:
    asyncio.run(budget.close())
    asyncio.run(budget.close())
    assert asyncio.run(budget.status()).recent == 0
    assert len(take(budget, 2, clock)) == 2


def child_asks(budget: FileBudget, answers: Any) -> None:
    """In a forked child: asks for the lock of the budget it inherited."""
    with budget._locked() as mine:
        answers.put(mine)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_shares_the_budget_and_not_the_lock(budget: FileBudget) -> None:
    context = multiprocessing.get_context("fork")
    answers: Any = context.SimpleQueue()
    for held in (True, False):
        with budget._locked() if held else nullcontext():
            child = context.Process(target=child_asks, args=(budget, answers))
            child.start()
            child.join(10)
            assert answers.get() is not held


def test_a_file_deleted_between_opening_and_locking_takes_no_start_with_it(
    budget: FileBudget, file: Path, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = files.try_lock
    deleted: list[Path] = []

    def delete_first(handle: int, path: Path) -> bool:
        if not deleted:
            file.unlink()
            deleted.append(path)
        return real(handle, path)

    monkeypatch.setattr(file_budget, "try_lock", delete_first)
    take(budget, 1, clock)
    assert len(from_bytes(TEN, file.read_bytes()).starts) == 1


def test_who_had_the_last_start_lets_the_others_be_first_at_the_next(
    budget: FileBudget, file: Path, clock: Any
) -> None:
    async def scenario() -> tuple[object, object]:
        other = FileBudget(file, TEN, now=clock.now, sleep=clock.sleep)
        await budget.take()
        waits = await budget._start(), await other._start()
        await other.close()
        return waits

    ours, theirs = asyncio.run(scenario())
    assert isinstance(ours, Wait)
    assert isinstance(theirs, Wait)
    assert (ours.seconds, theirs.seconds) == pytest.approx((TEN.gap + 0.001, TEN.gap))


def test_when_a_holder_is_killed_in_mid_write_the_others_go_on(file: Path, run: Run) -> None:
    budget = FileBudget(file, Limit.per_second(50))

    async def scenario() -> float:
        await budget.take()
        holder = run("run_holder.py", file)
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        taker = asyncio.create_task(budget.take())
        await asyncio.sleep(0.05)
        assert not taker.done()
        holder.send_signal(signal.SIGKILL)
        killed_at = time.monotonic()
        await taker
        waited = time.monotonic() - killed_at
        await budget.take()
        await budget.close()
        return waited

    assert asyncio.run(scenario()) > 1.0, "one window, since what stood in the file is lost"
    assert len(from_bytes(budget._limit, file.read_bytes()).starts) == 2


def test_processes_that_are_killed_take_nothing_with_them(takers: Takers, tmp_path: Path) -> None:
    """Killed at any point of a take, three times over; the survivor gets the whole rate at once.

    What it asks to wait for is counted, not how long that took: a busy machine gives the processor back late.
    """
    home, organisation = tmp_path / "home", "organisation"
    _, victims = takers(3, "file", home, organisation, 50, 30)
    shared = budget_file(home, organisation)
    wait_for(lambda: shared.exists() and shared.stat().st_size)  # they are taking
    for victim in victims:
        victim.kill()
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(seconds)

    async def scenario() -> None:
        budget = FileBudget(shared, Limit.per_second(50), sleep=sleep)
        for _ in range(20):
            await budget.take()
        await budget.close()

    asyncio.run(scenario())
    assert sum(waits) < 1.0
