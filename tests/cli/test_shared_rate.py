"""One budget for the whole organisation: runs side by side never exceed the rate together."""

from __future__ import annotations

import json
import os
from pathlib import Path

import command
import pytest
import redis
from tenant import Tenant

REDIS = "redis://127.0.0.1:6379"
RATE = 20


def contacts(folder: Path, count: int) -> Path:
    lines = [f"{n},+1212555{n % 10_000:04},no,no" for n in range(count)]
    path = folder / "many.csv"
    path.write_text("externalId,phone,doNotCall,doNotEmail\n" + "\n".join(lines) + "\n")
    return path


def redis_answers() -> bool:
    try:
        return bool(redis.Redis.from_url(REDIS, socket_timeout=1).ping())
    except redis.RedisError:
        return False


@pytest.mark.parametrize("limiter", [None, REDIS])
def test_two_runs_keep_to_one_rate(tenant: Tenant, limiter: str | None) -> None:
    """Each run has a home of its own where Redis shares the budget, as on two machines."""
    if limiter and not redis_answers():
        assert "CI" not in os.environ, "Redis must be there in CI"
        pytest.skip("no Redis on this machine")
    file = contacts(tenant.folder, 1000)
    runs = []
    for number in range(2):
        list_id = tenant.sandbox.add_list(f"Side by side {number}")
        env = tenant.env | ({"DIALFEED_HOME": str(tenant.folder / f"home-{number}")} if limiter else {})
        flags: list[str | Path] = ["--rate", str(RATE)]
        flags += ["--batch-contacts", "50", "--run-dir", tenant.folder / f"run-{number}", "--json"]
        flags += ["--limiter", limiter] if limiter else []
        runs.append(command.start("import", file, "--list", list_id, *flags, env=env))
    for run in runs:
        out, err = run.communicate(timeout=60)
        assert run.returncode == 0, err
        assert json.loads(out)["rows"]["delivered"] == 1000
    worst = tenant.sandbox.stats()["worst_second"]["requests"]
    assert RATE / 2 < worst <= RATE + 1, "one start may look closer to another from the server than it was"
