"""The command answers at once: heavy imports wait until they are needed."""

from __future__ import annotations

import subprocess
import sys

import dialfeed

HEAVY = ("polars", "numpy", "aiohttp", "phonenumbers", "email_validator", "rich", "orjson", "sqlite3")


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from dialfeed.cli import main\n"
        "sys.argv = ['dialfeed', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "import" in done.stdout


def test_every_command_has_help() -> None:
    listed = subprocess.run([sys.executable, "-m", "dialfeed", "--help"], capture_output=True, text=True, check=True)
    names = [line.split()[0] for line in listed.stdout.partition("Commands:")[2].splitlines() if line.strip()]
    assert {"demo", "import", "validate", "resume", "settle", "lists", "doctor", "sandbox"} <= set(names)


def test_every_name_of_the_python_api_is_there() -> None:
    for name in dialfeed.__all__:
        assert getattr(dialfeed, name) is not None
