"""The pages in a real browser: nothing is asked of the network, and axe-core finds nothing against them.

`tools/browser.sh` brings what this needs; without it the test says what is missing and is passed over.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import told_runs

from dialfeed.reports.comparison import compared
from dialfeed.reports.examples import Example
from dialfeed.reports.html.page import render, render_comparison
from dialfeed.reports.story import story_of

SCRIPT = Path(__file__).parents[2] / "support" / "browser.mjs"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dialfeed-browser"


def browser() -> str:
    """Where Chromium is, or why the test cannot run."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None or shutil.which("node") is None:
        pytest.skip("needs Chromium and Node.js; tools/browser.sh brings them")
    if not (CACHE / "node_modules" / "axe-core").is_dir():
        pytest.skip(f"needs axe-core in {CACHE}; tools/browser.sh brings it")
    return found


def pages(folder: Path) -> list[Path]:
    """One page of each kind, with everything that a page can show."""
    findings = [
        {"code": f"verify.{severity}", "severity": severity, "sentence": "Something was found.", "remedy": "Look."}
        for severity in ("error", "warning", "info")
    ]
    some = [*findings, {"code": "source.blank_lines", "severity": "info", "sentence": "Blank.", "remedy": ""}]
    full = told_runs.summary(
        lists=told_runs.LISTS, scrub={"decisions": {"block": 3}, "hours": {"day": "2026-11-27"}}, findings=some,
        list={"id": "4711", "name": "x" * 300}, source={"path": "y" * 300, "sha256": "ab" * 32},
        fields={"phone": "z" * 300}, error="The platform does not take contacts any more.", settled={"count": 2},
        retries=[{"run": "r", "rows": 9, "delivered": 3, "invalid": 1, "refused": 0}],
    )  # fmt: skip
    shown = {"phone.too_short": [Example(17, "phone", "+1 … 42")], "duplicate.same_identity": [Example(9, survivor=4)]}
    course = list(told_runs.delivery(900))
    summaries, stories = (
        [full, told_runs.summary(rows=dict.fromkeys(full["rows"], 11_234_567))],
        [story_of(course), story_of(told_runs.delivery(9))],
    )
    comparison = compared(summaries[0], stories[0], summaries[1], stories[1])
    made = {
        "full": render(full, course, examples=shown),
        "good": render(told_runs.summary(status="SUCCESS", exit_code=0, next=""), told_runs.delivery(3)),
        "checked": render(told_runs.summary(command="validate"), []),
        "stopped": render(told_runs.summary(status="STOPPED", error="A guard."), []),
        "compared": render_comparison(comparison, summaries, stories),
    }
    for name, html in made.items():
        (folder / f"{name}.html").write_text(html, "utf-8")
    return [folder / f"{name}.html" for name in made]


def look(files: list[Path]) -> list[dict[str, Any]]:
    done = subprocess.run(
        ["node", SCRIPT, browser(), *files], cwd=CACHE, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    looks: list[dict[str, Any]] = json.loads(done.stdout)
    return looks


def test_pages_ask_nothing_of_the_network_and_are_open_to_everybody(tmp_path: Path) -> None:
    browser()
    files = pages(tmp_path)
    looks = look(files)
    assert len(looks) == 4 * len(files)
    assert sum(each["violations"] is not None for each in looks) == 4 + len(files) - 1
    for each in looks:
        where = f"{Path(each['file']).name} in {each['view']}"
        assert each["requests"] == [f"file://{each['file']}"], where
        assert each["logged"] == [], where
        assert each["violations"] in ([], None), where
        assert each["wider"] <= 0, where
        assert each["cut"] == [], f"numbers stand outside of {where}"
    charts = {(Path(each["file"]).stem, each["view"]): each["shown"] for each in looks}
    assert charts["full", "light"] == charts["full", "phone"] == 4  # each in the one of its two widths that fits
