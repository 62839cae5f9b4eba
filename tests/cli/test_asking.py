"""Commands that only ask leave the home folder as it is: no key, no note, no history, no list."""

from __future__ import annotations

from pathlib import Path

import pytest
from tenant import Tenant

ASKING = (
    ("dnc", "check", "+12125550100"),
    ("dnc", "list"),
    ("dnc", "status"),
    ("dnc", "versions", "internal"),
    ("evidence", "+12125550100"),
    ("forget", "+12125550100", "--dry-run"),
    ("hours", "+12125550100"),
    ("purge", "--due", "--dry-run"),
    ("runs",),
    ("explain",),
    ("audit", "ship", "--all"),
)


def state(home: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in sorted(home.rglob("*"))}


@pytest.mark.parametrize("words", ASKING, ids=" ".join)
def test_a_question_leaves_nothing_in_the_home_folder(tenant: Tenant, words: tuple[str, ...]) -> None:
    home = tenant.folder / "home"
    tenant.run(*words)
    assert state(home) == {}, "in an empty one"
    tenant.run("dnc", "add", "--internal", "+12125550100")
    before = state(home)
    tenant.run(*words)
    assert state(home) == before
