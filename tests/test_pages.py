"""Documentation that is made from the code says what the code says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dialfeed.contacts.reasons import BY_CODE, CATALOGUE
from dialfeed.pages import PAGES
from dialfeed.reports.fields import FIELDS
from dialfeed.reports.summary import Summary
from dialfeed.runs.following import Status
from dialfeed.runs.seen import Seen

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == PAGES[name](), "run `make docs`"


def test_pages_are_written_into_a_new_folder_and_asked_for_where_none_is_named(tmp_path: Path) -> None:
    made = [sys.executable, "-m", "dialfeed.pages"]
    assert subprocess.run([*made, tmp_path / "new" / "docs"], check=True, capture_output=True).stderr == b""
    assert {path.name for path in (tmp_path / "new" / "docs").iterdir()} == PAGES.keys()
    asked = subprocess.run(made, check=False, capture_output=True, text=True)
    assert (asked.returncode, asked.stderr) == (1, "Name the folder: python -m dialfeed.pages docs\n")


def test_every_value_of_a_summary_is_told() -> None:
    rows = flat(Summary("run", "folder", "import").as_dict())
    assert list(FIELDS) == rows


def test_every_value_of_a_run_that_is_looked_at_is_told() -> None:
    now = datetime.now(UTC)
    seen = Seen(
        "", "", "", "", 0, "", "", {}, now, now, "", "", "", rehearsal=False, keep_until="", purged=False, hold=False
    )
    told = Status(seen, "", {}, None, None, 0, 0, 0).as_dict(now)
    page = PAGES["json.md"]().partition("## A run as it is seen")[2]
    assert [name for name in told if f"`{name}`" not in page] == []


def flat(
    told: Mapping[str, Any], parts: Collection[str] = ("list", "rows", "platform_count", "later_runs", "seconds")
) -> list[str]:
    """The names of a summary; those below the parts that always have the same names with a dot."""
    return [
        name
        for each, below in told.items()
        for name in ([f"{each}.{one}" for one in below] if each in parts else [each])
    ]


def test_every_reason_has_a_code_of_its_own_and_words_for_people() -> None:
    assert len(BY_CODE) == len(CATALOGUE)
    for reason in CATALOGUE:
        assert reason.title
        assert reason.sentence.endswith(".")
        assert reason.remedy.endswith(".")
        assert reason.bucket == "none" or reason.severity == "error", reason.code
