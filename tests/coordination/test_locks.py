"""One run at a time for each contact list: with real processes, killed ones included."""

from __future__ import annotations

import multiprocessing
import os
import signal
import stat
import subprocess
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from dialfeed import files
from dialfeed.coordination import locks
from dialfeed.coordination.locks import Holder, ListLock, ListLocked, lock_file
from dialfeed.errors import CheckFile, FixSettings

Run = Callable[..., subprocess.Popen[str]]
URL = "https://example.com"


def lock(home: Path, run_id: str, list_id: str = "spring", *, insist: bool = False, url: str = URL) -> ListLock:
    """A lock as this test's own runs ask for it."""
    at = datetime(2026, 11, 23, 7, 40, tzinfo=UTC)
    return ListLock(home, url, list_id, run_id=run_id, run_folder=Path("runs") / run_id, insist=insist, now=lambda: at)


def said(process: subprocess.Popen[str]) -> str:
    """The next line that a program prints."""
    assert process.stdout
    return process.stdout.readline().rstrip("\n")


def test_a_second_run_is_refused_and_told_of_the_first(run: Run, tmp_path: Path) -> None:
    first = run("run_lock.py", tmp_path, "spring", "run-1")
    assert said(first) == "holds - -"
    second = run("run_lock.py", tmp_path, "spring", "run-2")
    refusal = said(second)
    assert refusal.startswith("refused 6 Run run-1 is loading this contact list")
    assert f"process {first.pid} on" in refusal
    assert "runs/run-1" in refusal
    assert "--even-if-locked" in refusal


def test_a_run_on_another_list_is_not_refused(run: Run, tmp_path: Path) -> None:
    for list_id in ("spring", "summer"):
        assert said(run("run_lock.py", tmp_path, list_id, "run")) == "holds - -"
    with lock(tmp_path, "run", "spring", url="https://other.example.com") as other:
        assert other.held


def test_a_run_that_has_ended_leaves_the_list_free_and_nothing_to_take_over(run: Run, tmp_path: Path) -> None:
    first = run("run_lock.py", tmp_path, "spring", "run-1")
    assert said(first)
    first.communicate(timeout=10)
    with lock(tmp_path, "run-2") as second:
        assert (second.held, second.taken_over, second.overridden) == (True, None, None)


def test_a_killed_runs_list_is_free_at_once_and_told_as_taken_over(run: Run, tmp_path: Path) -> None:
    first = run("run_lock.py", tmp_path, "spring", "run-1")
    assert said(first)
    first.send_signal(signal.SIGKILL)
    first.wait(10)
    with lock(tmp_path, "run-2") as second:
        assert second.held
        assert second.taken_over
        assert (second.taken_over.run_id, second.taken_over.pid) == ("run-1", first.pid)
        assert second.taken_over.run_folder == "runs/run-1"
    with lock(tmp_path, "run-3") as third:
        assert third.taken_over is None


def test_who_insists_goes_on_beside_the_first_run_and_takes_nothing_from_it(run: Run, tmp_path: Path) -> None:
    assert said(run("run_lock.py", tmp_path, "spring", "run-1"))
    second = run("run_lock.py", tmp_path, "spring", "run-2", "insist")
    assert said(second) == "insists - run-1"
    second.communicate(timeout=10)
    with pytest.raises(ListLocked, match="run-1"), lock(tmp_path, "run-3"):
        pass


def test_a_forked_child_that_outlives_its_run_does_not_keep_the_lock(run: Run, tmp_path: Path) -> None:
    first = run("run_lock.py", tmp_path, "spring", "run-1", "fork")
    child = int(said(first))
    try:
        first.send_signal(signal.SIGKILL)
        first.wait(10)
        with lock(tmp_path, "run-2") as second:
            assert second.held
            assert second.taken_over
    finally:
        os.kill(child, signal.SIGKILL)


def child_leaves(held: ListLock) -> None:
    """In a forked child: leave the parent's lock."""
    held.__exit__(None, None, None)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_that_leaves_does_not_free_its_parents_lock(tmp_path: Path) -> None:
    with lock(tmp_path, "run-1") as held:
        child = multiprocessing.get_context("fork").Process(target=child_leaves, args=(held,))
        child.start()
        child.join(10)
        assert child.exitcode == 0
        with pytest.raises(ListLocked, match="run-1"), lock(tmp_path, "run-2"):
            pass


def test_of_many_threads_one_gets_the_list(tmp_path: Path) -> None:
    barrier, outcomes, together = threading.Barrier(8), [], threading.Barrier(8)

    def ask(number: int) -> None:
        barrier.wait(10)
        try:
            with lock(tmp_path, f"run-{number}"):
                together.wait(10)
                outcomes.append("held")
        except ListLocked:
            outcomes.append("refused")
            together.wait(10)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(outcomes) == ["held"] + ["refused"] * 7


def test_the_lock_is_left_when_the_run_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), lock(tmp_path, "run-1"):
        raise RuntimeError
    with lock(tmp_path, "run-2") as second:
        assert second.taken_over is None


def test_the_file_says_who_holds_the_list_and_is_for_its_owner_only(tmp_path: Path) -> None:
    file = lock_file(tmp_path / "home", URL, "spring")
    umask = os.umask(0)
    try:
        with lock(tmp_path / "home", "run-1"):
            told = orjson.loads(file.read_bytes())
    finally:
        os.umask(umask)
    assert Holder(**told) == Holder(
        "run-1", "runs/run-1", os.getpid(), os.uname().nodename, "2026-11-23T07:40:00+00:00"
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert "spring" not in file.name


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"run_id": 1}', b"null", b"\xff", b'{"pid": "x"}'])
def test_a_file_that_says_nothing_readable_blocks_nobody(content: bytes, tmp_path: Path) -> None:
    file = lock_file(tmp_path, URL, "spring")
    file.parent.mkdir()
    file.write_bytes(content)
    with lock(tmp_path, "run-1") as held:
        assert held.held
        assert held.taken_over is None
        file.write_bytes(content)
        with pytest.raises(CheckFile, match="Another run"), lock(tmp_path, "run-2"):
            pass


def test_a_short_name_after_a_long_one_is_read_right(run: Run, tmp_path: Path) -> None:
    first = run("run_lock.py", tmp_path, "spring", "run-with-a-much-longer-name")
    assert said(first)
    first.send_signal(signal.SIGKILL)
    first.wait(10)
    with lock(tmp_path, "run-2"), pytest.raises(ListLocked, match="Run run-2 is loading"), lock(tmp_path, "run-3"):
        pass


def test_a_name_that_is_just_being_written_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    with lock(tmp_path, "run-1"):
        file = lock_file(tmp_path, URL, "spring")
        name = file.read_bytes()
        file.write_bytes(b"")

        def write_it_at_the_second(seconds: float) -> None:
            waits.append(seconds)
            file.write_bytes(name if len(waits) == 2 else name[:20])

        monkeypatch.setattr("dialfeed.coordination.locks.time.sleep", write_it_at_the_second)
        with pytest.raises(ListLocked, match="Run run-1 is loading"), lock(tmp_path, "run-2"):
            pass
    assert len(waits) == 2
    assert 0 < sum(waits) < 1


def test_a_list_has_one_lock_however_its_platform_s_url_is_written(tmp_path: Path) -> None:
    files_of = {lock_file(tmp_path, url, "spring") for url in (URL, f"{URL}/", URL.upper())}
    assert len(files_of) == 1
    assert lock_file(tmp_path, URL, "Spring") not in files_of, "ids of lists are another matter"


def test_a_lock_that_was_left_is_not_held_and_is_left_only_once(tmp_path: Path) -> None:
    left = lock(tmp_path, "run-1")
    with left:
        held = [left.held]
    assert [*held, left.held] == [True, False]
    with (tmp_path / "another").open("w") as other:  # may have the number that the lock's file had
        left.forget()
        other.write("still open")


def test_a_lock_file_deleted_under_way_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deleted between opening and locking: the lock must be on the file that the next run will open."""
    file, real = lock_file(tmp_path, URL, "spring"), files.try_lock
    deleted: list[Path] = []

    def delete_first(handle: int, path: Path) -> bool:
        if not deleted:
            file.unlink()
            deleted.append(path)
        return real(handle, path)

    with monkeypatch.context() as patch:
        patch.setattr(locks, "try_lock", delete_first)
        held = lock(tmp_path, "run-1").__enter__()
    with pytest.raises(ListLocked, match="run-1"), lock(tmp_path, "run-2"):
        pass
    held.__exit__(None, None, None)


def test_a_home_that_cannot_be_used_is_a_fault_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(FixSettings, match="cannot be used"), lock(tmp_path / "home", "run-1"):
        pass


def test_a_disk_without_locks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(FixSettings, match="No locks available"), lock(tmp_path, "run-1"):
        pass


def test_a_full_disk_does_not_keep_a_run_from_its_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with lock(tmp_path, "run-1"), pytest.raises(ListLocked, match="Another run"), lock(tmp_path, "run-2"):
            pass
