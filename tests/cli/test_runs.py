"""Runs are listed, followed and reported on from outside, without a trace in them."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import command
import pytest
from html_page import Page
from tenant import Tenant
from waiting import wait_for

from dialfeed.ledger.folder import held, is_held
from dialfeed.sandbox import Fault, FaultPlan

HEADER = "externalId,phone,doNotCall,doNotEmail\n"


def contacts(count: int, wrong: int = 0) -> str:
    return HEADER + "".join(
        f"{n},{'oops' if n < wrong else f'+1212555{100 + n % 100:04}'},no,no\n" for n in range(count)
    )


def listed(tenant: Tenant) -> dict[str, dict[str, Any]]:
    return {each["folder"]: each for each in tenant.run("runs", "--runs-dir", tenant.folder, "--json").json}


def delivered(tenant: Tenant, run: Path) -> int:
    """How many contacts are known to be on the list, while the run goes on."""
    return int(tenant.run("status", run, "--json").json["contacts"].get("delivered", 0))


@contextmanager
def running(tenant: Tenant, run: Path) -> Iterator[Any]:
    """An import in a process of its own whose batches take long after the first, until the faults are lifted."""
    tenant.sandbox.set_faults(FaultPlan(1, (Fault("delay", after=1, share=1.0, seconds=5.0),)))
    file = tenant.write(contacts(120), "slow.csv")
    arguments = ("--list", tenant.list_id, "--run-dir", run, "--batch-contacts", "10", "--in-flight", "1")
    process = command.start("import", file, *arguments, env=tenant.env)
    try:
        trail = run / "audit.jsonl"
        wait_for(lambda: process.poll() is not None or (trail.exists() and b"batch.answered" in trail.read_bytes()))
        wait_for(lambda: process.poll() is not None or delivered(tenant, run))  # the ledger hears of it after the trail
        assert process.poll() is None, process.communicate()
        yield process
    finally:
        process.kill()
        process.communicate()


def test_all_runs_are_listed_with_what_is_left_to_do(tenant: Tenant) -> None:
    file = tenant.write(contacts(20, wrong=2))
    tenant.import_file(file)
    tenant.run("validate", file, "--run-dir", tenant.folder / "checked")
    tenant.import_file(file, "--run-dir", tenant.folder / "guarded", "--max-rejected", "0")
    tenant.import_file(tenant.write(contacts(5), "good.csv"), "--run-dir", tenant.folder / "good", "--insist", "all")
    tenant.import_file(file, "--run-dir", tenant.folder / "rehearsed", "--dry-run")
    assert "import (rehearsal)" in tenant.run("runs", "--runs-dir", tenant.folder).out
    stopped = tenant.run("status", tenant.folder / "guarded").out
    assert "Stopped: The same content was loaded" in stopped
    assert "Next:" not in stopped
    assert ": 18 not sent\n" in stopped
    runs = listed(tenant)
    told = {Path(folder).name: (each["status"], each["command"], each["can"]) for folder, each in runs.items()}
    assert told == {
        "run": ("PARTIAL_FAILURE", "import", "retry"),
        "checked": ("PARTIAL_FAILURE", "validate", ""),
        "guarded": ("STOPPED", "import", ""),
        "good": ("SUCCESS", "import", ""),
        "rehearsed": ("STOPPED", "import", ""),
    }
    run = runs[str(tenant.folder / "run")]
    assert (run["rows"]["read"], run["rows"]["delivered"], run["list"]) == (20, 18, "Spring")
    assert 0 <= run["age_seconds"] < 100
    table = tenant.run("runs", "--runs-dir", tenant.folder).out.splitlines()
    assert [line.split()[0] for line in table[1:]] == [each["run"] for each in runs.values()]


def test_there_may_be_no_run_yet(tenant: Tenant) -> None:
    assert tenant.run("runs", "--runs-dir", tenant.folder / "nothing").out == "There is no run yet.\n"


def test_a_run_under_way_is_running_and_a_killed_one_has_died(tenant: Tenant) -> None:
    run = tenant.folder / "run"
    with running(tenant, run) as process:
        now = tenant.run("status", run, "--json")
        assert now.code == 0
        assert (now.json["status"], now.json["stage"], now.json["can"]) == ("RUNNING", "delivering", "")
        assert 0 < now.json["contacts"]["delivered"] < 120
        assert now.json["contacts"]["ready"] == 120
        assert now.json["seconds_left"] > 0
        seen = listed(tenant)[str(run)]
        assert (seen["status"], seen["list"]) == ("RUNNING", "Spring")
        process.send_signal(signal.SIGKILL)
        process.wait()
    died = tenant.run("status", run, "--json")
    assert died.code == 3
    assert (died.json["status"], died.json["can"]) == ("DIED", "resume")
    assert died.json["next"] == f"dialfeed resume {died.json['run']}"


def test_a_status_leaves_no_trace(tenant: Tenant) -> None:
    run = tenant.folder / "run"
    tenant.import_file(tenant.write(contacts(20)))
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in run.iterdir() if path.is_file()}
    for path in run.iterdir():
        path.chmod(0o400)
    run.chmod(0o500)
    try:
        assert tenant.run("status", run).code == 0
        assert tenant.run("runs", "--runs-dir", tenant.folder).code == 0
    finally:
        run.chmod(0o700)
    assert {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in run.iterdir()} == before


def test_who_looks_at_a_run_does_not_stand_in_the_way_of_who_works_on_it(tmp_path: Path) -> None:
    with held(tmp_path):
        assert is_held(tmp_path)
    assert not is_held(tmp_path)
    for _ in range(50):
        assert not is_held(tmp_path)
        with held(tmp_path):
            pass


def test_a_run_is_watched_until_it_ends_with_its_exit_code(tenant: Tenant) -> None:
    run = tenant.folder / "run"
    with running(tenant, run):
        watching = command.start("status", run, "--watch", "--every", "0.1", "--json", env=tenant.env)
        assert watching.stdout is not None
        first = watching.stdout.readline()
        tenant.sandbox.set_faults(FaultPlan(1, ()))
        out, err = watching.communicate(timeout=120)
    assert watching.returncode == 0, err
    looks = [json.loads(line) for line in (first + out).splitlines()]
    assert [looks[0]["status"], looks[-1]["status"]] == ["RUNNING", "SUCCESS"]
    counts = [look["contacts"]["delivered"] for look in looks]
    assert counts == sorted(counts)
    assert counts[-1] == 120


def test_the_exit_code_of_a_status_is_that_of_the_run(tenant: Tenant) -> None:
    run = tenant.folder / "run"
    assert tenant.import_file(tenant.write(contacts(20, wrong=1))).code == 4
    assert tenant.run("status", run).code == 4
    assert tenant.run("status", run, "--watch").code == 4
    assert tenant.run("status", "20200101T000000Z-000000").code == 1


def test_a_report_is_drawn_again_from_the_folder_alone(tenant: Tenant, tmp_path: Path) -> None:
    tenant.import_file(tenant.write(contacts(20, wrong=1)))
    moved = tmp_path / "elsewhere"
    shutil.copytree(tenant.folder / "run", moved)
    before = (moved / "report.html").read_bytes()
    (moved / "report.html").unlink()
    assert tenant.run("report", moved).out.strip() == str(moved / "report.html")
    assert (moved / "report.html").read_bytes() == before
    target = tmp_path / "mine.html"
    assert tenant.run("report", moved, "--output", target, "--json").json == {"file": str(target)}
    assert target.read_bytes() == before


@pytest.mark.parametrize("flags", [(), ("--compare", "first")])
def test_a_run_without_an_end_has_no_report(tenant: Tenant, flags: tuple[str, ...]) -> None:
    tenant.import_file(tenant.write(contacts(3)))
    (tenant.folder / "run" / "summary.json").unlink()
    told = tenant.run(
        "report", tenant.folder / "run", *(str(tenant.folder / "run") if f == "first" else f for f in flags)
    )
    assert told.code == 1
    assert "dialfeed status" in told.err


def test_two_runs_are_compared_on_a_page_and_in_words(tenant: Tenant) -> None:
    tenant.import_file(tenant.write(contacts(20, wrong=2)))
    second = tenant.folder / "second"
    tenant.import_file(tenant.write(contacts(30, wrong=9), "more.csv"), "--run-dir", second, "--max-rejected", "9")
    told = tenant.run("report", tenant.folder / "run", "--compare", second)
    assert told.code == 0, told.err
    assert "The second run read 10 rows more (20, then 30)." in told.out
    page = Page(Path(told.out.splitlines()[-1]).read_text("utf-8"))
    assert ["invalid", "2", "9", "+7"] in page.table("Rows by bucket")
