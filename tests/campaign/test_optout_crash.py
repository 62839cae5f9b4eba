"""People opt out of a run whose process is killed: each contact is in one bucket, and nobody is sent after that."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from crash_world import CrashWorld, crash_world

from dialfeed.sandbox import Fault, FaultPlan

pytestmark = pytest.mark.campaign

PLAN = FaultPlan(rules=(Fault("cut_after_upload", at=(2,), when="before_write"), Fault("cut_during_upload", at=(4,))))
OPTIONS = {"flags": ("--batch-contacts", "40", "--dnc", "internal")}

FIRST, SECOND = (3, 45, 130, 400, 401), (131, 500)
"""Who opts out after the first process has died, and after the second one has."""


def mail(number: int) -> str:
    return f"person{number}@example.com"


def opt_out(world: CrashWorld, *who: str) -> None:
    outcome = world.run("dnc", "add", "--internal", *who)
    assert outcome.code == 0, outcome.err


def on_the_list(world: CrashWorld) -> set[str]:
    return {contact["externalId"] for contact in world.sandbox.contacts(world.list_id)}


@pytest.mark.parametrize(
    ("point", "nth"),
    [
        ("before suppressed", 1),
        ("after suppressed", 1),
        ("before replacing .suppressed.csv.part", 1),
    ],
)
def test_a_run_that_is_killed_where_it_leaves_somebody_out_goes_on(tmp_path: Path, point: str, nth: int) -> None:
    with crash_world(tmp_path, PLAN, **OPTIONS) as world:
        opt_out(world, "+16465550199")
        assert world.killed_at("after open", 5, *world.import_arguments)
        gone = {f"C-{number:06}" for number in (*FIRST, *SECOND)}
        opt_out(world, *map(mail, FIRST))
        before = on_the_list(world)
        assert world.killed_at(point, nth, *world.resume_arguments), f"{point} is not reached {nth} times"
        assert on_the_list(world) & {f"C-{number:06}" for number in FIRST} <= before
        opt_out(world, *map(mail, SECOND))
        late = on_the_list(world)
        world.complete()
        world.check()
        assert on_the_list(world) & gone <= before | late
        assert not on_the_list(world) & {"C-000400", "C-000401"}
        with (world.run_dir / "suppressed.csv").open(newline="") as file:
            assert {row["externalId"] for row in csv.DictReader(file)} == gone - on_the_list(world)
