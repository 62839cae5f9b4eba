"""Whether a server's own clock sees more requests in a second than the rate, on a machine that is too busy.

    python -m bench.pace [ROUNDS [BURNERS]]

Each round imports for ten seconds at 50 requests a second while BURNERS other processes compute. Requests
count from when they were let go, as they did once, or from when they leave. The sandbox has precedence where the
system lets it (root), so that it is the client that is held up, as with a server elsewhere.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from bench.run import sandbox

RATE = 50
SECONDS = 10
CONTACTS = 20

_LET_GO = """
import dialfeed.coordination.gate as gate
async def nothing(self, permit): pass
gate.Gate.leave = nothing
"""
_RUN = "from dialfeed.cli import main; main()"

WAYS = {"when they were let go": _LET_GO + _RUN, "when they leave": _RUN}


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """So many processes that do nothing but compute."""
    with ExitStack() as running:
        for _ in range(processes):
            burner = running.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            running.callback(burner.kill)
        yield


def worst_second(way: str, folder: Path, burners: int) -> tuple[int, float]:
    """The most requests in any second, as the server saw it, and the requests a second on the whole."""
    file = folder / "contacts.csv"
    rows = (f"C{n},+1212555{100 + n % 9900:04},no,no" for n in range(RATE * SECONDS * CONTACTS))
    file.write_text("externalId,phone,doNotCall,doNotEmail\n" + "\n".join(rows) + "\n")
    with sandbox("unlimited") as env:
        with suppress(PermissionError):
            for child in subprocess.check_output(["pgrep", "-P", str(os.getpid())], text=True).split():
                os.setpriority(os.PRIO_PROCESS, int(child), -15)
        command = [sys.executable, "-c", way, "import", str(file), "--list", "Bench", "--rate", str(RATE), "--json"]
        flags = ["--batch-contacts", str(CONTACTS), "--run-dir", str(folder / "run")]
        home = {"DIALFEED_HOME": str(folder / "home")}
        with busy(burners):
            told = subprocess.run(
                [*command, *flags], env={**os.environ, **env, **home}, capture_output=True, text=True, check=True
            )
        with urllib.request.urlopen(f"{env['CXONE_BASE_URL']}/_sandbox/stats") as answer:
            worst: int = json.load(answer)["worst_second"]["requests"]
        return worst, RATE * SECONDS / json.loads(told.stdout)["seconds"]["deliver"]


def main() -> None:
    """Rounds of both ways in turns."""
    given = [int(each) for each in sys.argv[1:]]
    rounds, burners = [*given, *(6, 2)[len(given) :]]
    seen: dict[str, list[tuple[int, float]]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, way in WAYS.items():
            with tempfile.TemporaryDirectory(prefix="dialfeed-pace-") as folder:
                seen[name].append(worst_second(way, Path(folder), burners))
    print("| requests count from | worst second of each round | requests a second |\n| --- | --- | --- |")
    for name, found in seen.items():
        speed = sum(each for _, each in found) / len(found)
        print(f"| {name} | {', '.join(str(worst) for worst, _ in found)} | {speed:.1f} |")


if __name__ == "__main__":
    main()
