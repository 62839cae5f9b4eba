"""Fuzz every reader for a budget of processor time; `make fuzz`, or ``FUZZ_SECONDS=300 make fuzz``.

Each kind of file has a process of its own, one after the other, and its share of the budget. What it has learnt is
kept in `.fuzz/`, so that the next run goes on from there; `.fuzz/KIND/found/` holds inputs that broke a law,
`.fuzz/KIND/log` what was said. Ends with status 1 if there is any.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from fuzz.targets import TARGETS

FOLDER = Path(".fuzz")
_INPUTS = re.compile(r"stat::number_of_executed_units: (\d+)")


@dataclass(frozen=True)
class Piece:
    """What came of one kind of file."""

    target: str
    inputs: int
    seconds: float
    status: int

    @property
    def line(self) -> str:
        found = "none" if self.status == 0 else f"see {FOLDER}/{self.target}/log"
        return f"| {self.target} | {self.inputs:,} | {self.seconds:,.0f} | {found} |"


def main() -> None:
    targets = [target for target in TARGETS if target in sys.argv[1:] or not sys.argv[1:]]
    budget = float(os.environ.get("FUZZ_SECONDS", "3600"))
    print("| kind | inputs | processor seconds | laws broken |\n| --- | --- | --- | --- |", flush=True)
    pieces = []
    for target in targets:
        pieces.append(fuzz(target, budget / len(targets)))
        print(pieces[-1].line, flush=True)
    broken = [piece for piece in pieces if piece.status]
    for piece in broken:
        for path in sorted((FOLDER / piece.target / "found").iterdir()):
            print(f"again: python -m fuzz.one {piece.target} {path}", flush=True)
    sys.exit(bool(broken))


def fuzz(target: str, seconds: float) -> Piece:
    """Fuzz one kind of file until its processor time is used up, in pieces, since libFuzzer knows real time only."""
    inputs, used, status = 0, 0.0, 0
    log = FOLDER / target / "log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as said:
        while used < seconds and not status:
            before = processor_seconds()
            command = [sys.executable, "-m", "fuzz.one", target, f"--seconds={max(5, min(seconds - used, 120)):.0f}"]
            command.append(f"--seed={int(used) + 1}")
            told = subprocess.run(
                command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
            )
            said.write(told.stdout)
            said.flush()
            inputs += sum(map(int, _INPUTS.findall(told.stdout)))
            used += max(processor_seconds() - before, 0.1)
            status = told.returncode
    return Piece(target, inputs, used, status)


def processor_seconds() -> float:
    """What the children have used."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
