"""`kill -9` at every named point and at random moments: resumed, each contact is on the list exactly once."""

from __future__ import annotations

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import command
import pytest
from tenant import Tenant

from dialfeed.sandbox import Fault, FaultPlan

DRIVER = Path(command.__file__).with_name("crash_driver.py")
LONG = os.environ.get("DIALFEED_CAMPAIGN") == "long"
CONTACTS = 7500
POINTS = [
    *(f"{when} {write}" for when in ("before", "after") for write in ("open", "delivered", "absent", "unknown")),
    "before divided", "after divided", "before facts", "after facts", "before send", "after send", "stage", "seal",
    "record",
]  # fmt: skip
FLAGS = ("--default-country", "US", "--settle-grace", "0.5", "--count-lag", "3", "--chunk-bytes", "65536", "--json")


def write_file(folder: Path) -> Path:
    """Contacts of which the platform refuses two."""
    path = folder / "contacts.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["externalId", "phone", "doNotCall", "doNotEmail"])
        rows.writerows([f"E{n}", f"+1212{2000000 + n}", "no", "no"] for n in range(CONTACTS))
    return path


def trouble(seed: int) -> FaultPlan:
    """Answers lost before and after the write, and some 429s."""
    return FaultPlan(
        seed=seed,
        rules=(
            Fault("status", status=502, at=(2,)),
            Fault("cut_after_upload", at=(4,), when="after_write"),
            Fault("status", status=503, share=0.05),
            Fault("rate_limited", share=0.05, retry_after="decimals", seconds=0.2),
            Fault("status", status=413, at=(6,)),
        ),
    )


def killed_import(tenant: Tenant, file: Path, point: str, times: int) -> int:
    arguments = ["import", file, "--list", tenant.list_id, "--run-dir", tenant.folder / "run", *FLAGS]
    process = subprocess.run(
        [sys.executable, DRIVER, point, str(times), *map(str, arguments)],
        env={**os.environ, **tenant.env},
        capture_output=True,
        check=False,
        timeout=120,
    )
    return process.returncode


def check(tenant: Tenant, outcome: command.Outcome) -> None:
    """Every contact is on the list once, and the summary says so."""
    assert outcome.code == 0, outcome.err + outcome.out
    stored = [contact["externalId"] for contact in tenant.stored]
    assert len(stored) == len(set(stored)) == CONTACTS
    assert outcome.rows["delivered"] == CONTACTS
    with (tenant.folder / "run" / "delivered.csv").open() as told:
        assert {row["externalId"] for row in csv.DictReader(told)} == set(stored)
    assert outcome.json["platform_count"] == {"before": 77, "after": 77 + CONTACTS}


@pytest.mark.parametrize("times", [1, 2, 3, 5] if LONG else [2])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_named_point_and_resumed_each_contact_is_there_once(tenant: Tenant, point: str, times: int) -> None:
    tenant.sandbox.set_faults(trouble(times))
    ended = killed_import(tenant, write_file(tenant.folder), point, times)
    assert ended in {-signal.SIGKILL, 0}, "killed, or the point was passed less often than that"
    if (point, times) != ("before facts", 1):
        check(tenant, tenant.run("resume", tenant.folder / "run", *FLAGS[2:6], "--json"))


def test_a_run_killed_before_it_began_says_so(tenant: Tenant) -> None:
    assert killed_import(tenant, write_file(tenant.folder), "before facts", 1) == -signal.SIGKILL
    resumed = tenant.run("resume", tenant.folder / "run")
    assert (resumed.code, tenant.stored) == (1, [])
    assert "Import the file again" in resumed.err


def test_the_points_are_passed(tenant: Tenant) -> None:
    """A point that is never passed would prove nothing."""
    tenant.sandbox.set_faults(trouble(1))
    ended = [
        killed_import(
            Tenant(tenant.sandbox, tenant.list_id, _fresh(tenant, point)), write_file(tenant.folder), point, 1
        )
        for point in ("before divided", "after unknown", "after absent", "seal", "record")
    ]
    assert ended == [-signal.SIGKILL] * 5


def _fresh(tenant: Tenant, point: str) -> Path:
    folder = tenant.folder / point.replace(" ", "-")
    folder.mkdir()
    tenant.sandbox.set_faults(trouble(1))
    return folder


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(60 if LONG else 4))
def test_killed_again_and_again_at_random_moments(tenant: Tenant, seed: int) -> None:
    """The run folder moves to another machine in the middle: a copy of it, and a home of its own."""
    chance = random.Random(seed)
    tenant.sandbox.set_faults(trouble(seed))
    tenant.sandbox.configure(latency_s=0.05)
    arguments: list[str | Path] = ["import", write_file(tenant.folder), "--list", tenant.list_id, *FLAGS[:-1]]
    run = tenant.folder / "run"
    process = command.start(*arguments, "--run-dir", run, env=tenant.env)
    for life in range(3):
        until = time.monotonic() + 20
        while life == 0 and not (run / "stage" / "stage.json").exists() and time.monotonic() < until:
            time.sleep(0.02)  # a process needs a while to begin; what is killed earlier is tested by point
        time.sleep(chance.uniform(0.0, 1.6))
        process.kill()
        process.communicate()
        home = tenant.folder / f"home-{life}"
        shutil.move(run, tenant.folder / f"moved-{life}")
        shutil.move(tenant.folder / f"moved-{life}", run)
        process = command.start("resume", run, *FLAGS[2:6], env=tenant.env | {"DIALFEED_HOME": str(home)})
    process.communicate(timeout=120)
    check(tenant, tenant.run("resume", run, *FLAGS[2:6], "--json"))
