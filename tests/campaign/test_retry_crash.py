"""A retry killed with SIGKILL in its middle and resumed closes its rows in the first run's report, each once."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from chaos import LONG
from crash_world import FLAGS, CrashWorld, crash_world

from dialfeed.audit.check import check

pytestmark = pytest.mark.campaign

GOOD, BAD = 30, 130
BATCH = ("--batch-contacts", "40")

QUICK = [("after open", 2), ("before delivered rows", 1), ("before trail rows.retried", 1)]
"""Between batches, while files are written, and before the first run's report is brought up to date."""

POINTS = [
    *QUICK, ("before facts", 1), ("before sealing", 1), ("before open", 1), ("after send", 2), ("before delivered", 3),
    ("before replacing .summary.json.part", 1), ("after trail rows.retried", 1),
    ("before replacing .summary.json.part", 2),
]  # fmt: skip


def first_run(world: CrashWorld) -> None:
    lines = [f"C-{n:03},{f'+1212555{100 + n:04}' if n < GOOD else 'oops'},no,no\n" for n in range(GOOD + BAD)]
    world.file.write_text("externalId,phone,doNotCall,doNotEmail\n" + "".join(lines), "utf-8")
    assert world.run(*world.import_arguments).code == 4


def mended(world: CrashWorld) -> Path:
    """What a person gives back."""
    with (world.run_dir / "rejected.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    path = world.folder / "mended.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(row | {"phone": f"+1312555{number + 100:04}"} for number, row in enumerate(rows))
    return path


def gone_on(world: CrashWorld, retry: list[str]) -> None:
    """Do what the command says, until nothing is left to do."""
    for _ in range(4):
        begun = sorted((world.run_dir / "retries").glob("*/"))
        outcome = world.run("resume", begun[-1].name) if begun else world.run(*retry)
        if outcome.code == 1:  # it ended before it knew a row: there is nothing to resume
            outcome = world.run(*retry)
        if outcome.code == 0:
            return
    raise AssertionError(f"the retry does not end: {outcome}")


@pytest.mark.parametrize(("point", "nth"), POINTS if LONG else QUICK)
def test_a_retry_killed_anywhere_closes_its_rows_once(tmp_path: Path, point: str, nth: int) -> None:
    with crash_world(tmp_path) as world:
        first_run(world)
        retry = ["retry", str(world.run_dir), str(mended(world)), *BATCH, *FLAGS[:6]]
        assert world.killed_at(point, nth, *retry), f"{point} is not reached {nth} times"
        gone_on(world, retry)
        told = json.loads((world.run_dir / "summary.json").read_bytes())
        assert (told["rows"]["delivered"], told["rows"]["invalid"], told["exit_code"]) == (GOOD + BAD, 0, 0)
        stored = [each["externalId"] for each in world.sandbox.contacts(world.list_id)]
        assert sorted(stored) == [f"C-{n:03}" for n in range(GOOD + BAD)]
        trail = (world.run_dir / "audit.jsonl").read_bytes().splitlines(keepends=True)
        assert check(trail, last_hash=told["audit_hash"]).whole
        again = world.run(*retry, "--json")
        assert (again.code, again.rows["read"]) == (0, 0)
        assert len(world.sandbox.contacts(world.list_id)) == GOOD + BAD
