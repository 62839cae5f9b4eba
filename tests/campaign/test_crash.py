"""The crash campaign: real processes, killed with SIGKILL at any instant; each contact once, told once."""

from __future__ import annotations

import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from chaos import LONG, SEEDS, in_groups
from crash_world import CrashWorld, crash_world

from dialfeed.sandbox import Fault, FaultPlan

pytestmark = pytest.mark.campaign

PLAN = FaultPlan(
    rules=(
        Fault("rate_limited", at=(3,), retry_after="decimals", seconds=0.1),
        Fault("cut_after_upload", at=(6, 9), when="after_write"),
        Fault("delayed_write", at=(12,), seconds=0.2),
        Fault("status", at=(15,), status=503),
    )
)
"""With two poisoned contacts and no retries, an import under this plan reaches every point."""

POISON = frozenset({10, 250})
OPTIONS = {"poison": POISON, "flags": ("--batch-contacts", "40", "--retries", "0")}

LEDGER_POINTS = {
    f"{side} {write}"
    for side in ("before", "after")
    for write in ("facts", "open", "delivered", "absent", "unknown", "failed", "divided")
}
OTHER_POINTS = {
    "before send", "after send", "before staging a chunk", "before sealing", "after sealing", "before delivered rows",
    "after delivered rows", "before other rows", "before trail run.started", "before trail run.finished",
    "after trail run.finished", "before replacing .summary.json.part", "after replacing .summary.json.part",
}  # fmt: skip
CLEARING_POINTS = {"before clearing", "amid clearing", "after clearing"}

QUICK = [
    ("after facts", 1), ("before sealing", 1), ("before open", 1), ("after open", 3), ("before send", 5),
    ("after send", 6), ("before delivered", 2), ("after delivered", 4), ("before unknown", 1), ("after divided", 1),
    ("before delivered rows", 1), ("before replacing .summary.json.part", 1),
]  # fmt: skip


def killed_at(world: CrashWorld, point: str, nth: int, *, moved: bool = False) -> None:
    """Die there, go on, and check."""
    assert world.killed_at(point, nth, *world.import_arguments), f"{point} is not reached {nth} times"
    if moved:
        world.move_to_another_machine()
    world.complete()
    world.check()


def each_in_its_world(folder: Path, deaths: list[tuple[str, int]], *, moved: bool = False) -> None:
    """Several deaths at once, each in a world of its own."""

    def one(number: int, death: tuple[str, int]) -> str:
        try:
            with crash_world(folder / str(number), PLAN, **OPTIONS) as world:
                killed_at(world, *death, moved=moved)
        except Exception as error:  # noqa: BLE001 - told with those of the others
            return f"{death}: {type(error).__name__}: {error}\n"
        return ""

    with ThreadPoolExecutor(3) as pool:
        failures = [told for told in pool.map(one, range(len(deaths)), deaths) if told]
    assert not failures, "\n".join(failures)


def test_every_named_point_is_reached(tmp_path: Path) -> None:
    """Or the campaign below would kill nobody there, and call it a success."""
    with crash_world(tmp_path, PLAN, **OPTIONS) as world:
        reached = world.points(*world.import_arguments)
        assert reached.keys() >= LEDGER_POINTS | OTHER_POINTS
        again = world.points(*world.resume_arguments)
        assert again.keys() >= {"before reopen", "after reopen"} | CLEARING_POINTS
        world.complete()
        world.check()


@pytest.mark.parametrize("first", range(0, len(QUICK), 4))
def test_a_process_killed_at_a_named_point_is_resumed(tmp_path: Path, first: int) -> None:
    each_in_its_world(tmp_path, QUICK[first : first + 4])


def test_a_run_killed_in_mid_delivery_goes_on_on_another_machine(tmp_path: Path) -> None:
    """From its folder alone: the source and everything that runs share stay behind."""
    each_in_its_world(tmp_path, [("after open", 4), ("after send", 7)], moved=True)


def test_a_resume_that_is_killed_is_resumed(tmp_path: Path) -> None:
    with crash_world(tmp_path, PLAN, **OPTIONS) as world:
        assert world.killed_at("after open", 8, *world.import_arguments)
        for point in ("before reopen", "after reopen", "before send", "after delivered"):
            assert world.killed_at(point, 1, *world.resume_arguments), point
        world.complete()
        world.check()
        assert world.kills == 5


@pytest.mark.parametrize("point", ["before clearing", "amid clearing", "after clearing"])
def test_a_run_killed_while_it_clears_up_stays_complete(tmp_path: Path, point: str) -> None:
    with crash_world(tmp_path) as world:
        assert world.killed_at(point, 1, *world.import_arguments)
        world.complete(most=1)
        world.check()


@pytest.mark.skipif(not LONG, reason="the long campaign only")
@pytest.mark.parametrize("part", range(12))
def test_a_process_killed_at_every_named_point_is_resumed(tmp_path: Path, part: int) -> None:
    """Every point, the first, the middle and the last time that it is reached."""
    with crash_world(tmp_path / "points", PLAN, **OPTIONS) as world:
        reached = world.points(*world.import_arguments)
    deaths = [
        (point, nth)
        for point, times in sorted(reached.items())
        for nth in sorted(
            {1, (times + 1) // 2, max(1, times - 1)}
        )  # the order of answers decides whether there is a last
    ]
    each_in_its_world(tmp_path, deaths[part::12])


# --- at random moments --------------------------------------------------------------------------------------------


def killed_at_random(folder: Path, seed: int) -> int:
    """An import and its resumptions, each killed after a time that is drawn; the last may live."""
    chance = random.Random(f"crash:{seed}")
    faults = (
        Fault("status", share=0.05, status=503, when=chance.choice(("before_write", "after_write"))),
        Fault("cut_after_upload", share=0.05, when="after_write"),
        Fault("rate_limited", share=0.05, retry_after="decimals", seconds=0.1, limit=5),
        Fault("delayed_write", share=0.03, seconds=0.2),
    )
    most = chance.choice((40, 300))
    options = {"contacts": most * 40, "flags": ("--batch-contacts", str(most))}
    with crash_world(folder, FaultPlan(seed, faults), **options) as world:
        arguments = world.import_arguments
        for _ in range(chance.randint(1, 3)):
            process = world.start(*arguments)
            time.sleep(chance.uniform(0.3, 2.5))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            world.kills += process.returncode == -signal.SIGKILL
            if (world.run_dir / "ledger.sqlite").exists():
                arguments = world.resume_arguments
        if chance.random() < 0.3 and (world.run_dir / "stage" / "stage.json").exists():
            world.move_to_another_machine()
        world.complete()
        world.check()
        return world.kills


@pytest.mark.parametrize("seeds", in_groups(SEEDS // 4, 6), ids=str)
def test_a_process_killed_at_a_random_moment_is_resumed(tmp_path: Path, seeds: range) -> None:
    failures = []
    with ThreadPoolExecutor(3) as pool:
        running = {seed: pool.submit(killed_at_random, tmp_path / str(seed), seed) for seed in seeds}
        for seed, future in running.items():
            error = future.exception()
            if error is not None:
                failures.append(f"seed {seed}: {type(error).__name__}: {error}\n")
    assert not failures, "\n".join(failures)
