"""What libraries write to the standard error themselves does not reach a user of the command line."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import os, sys
from dialfeed import streams
{apart}
os.write(2, b"before\\n")
try:
    with streams.without_native_lines():
        os.write(2, b"thread 'async-executor-0' panicked\\n")
        print("ours", file=sys.stderr)
        {end}
except ValueError:
    pass
os.write(2, b"after\\n")
print("told", file=sys.stderr)
"""
PANIC = "thread 'async-executor-0' panicked"


@pytest.mark.parametrize(
    ("apart", "end", "expected"),
    [
        ("streams.set_apart()", "pass", ["before", "ours", "after", "told"]),
        ("streams.set_apart()", "raise ValueError", ["before", "ours", "told"]),
        ("", "pass", ["before", PANIC, "ours", "after", "told"]),
        ("sys.stderr = None", "pass", ["before", PANIC, "after"]),
    ],
)
def test_lines_of_a_library_are_turned_away_where_ours_are_set_apart(apart: str, end: str, expected: list[str]) -> None:
    script = SCRIPT.format(apart=apart, end=end)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == expected
