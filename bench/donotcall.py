"""The do-not-call index at the size of the United States' registry: 258.5 million numbers (`compliance.md` 1.1).

Run it with ``python -m bench.donotcall``; ``--numbers`` makes the registry smaller, ``--folder`` keeps text and index,
and ``--ask`` only asks the index that is there. The registry is made up and seeded: 350 area codes of very different
sizes, in each of them some exchanges full, some thin and some not in use. What is asked is half on the list.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import shutil
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dialfeed.donotcall.blocks import join
from dialfeed.donotcall.building import build, change
from dialfeed.donotcall.index import PRESENT, Index
from dialfeed.donotcall.listfiles.reading import read_list

AREAS = 350
EXCHANGES = np.arange(200, 1000)
COLUMN = 1_000_000
COLUMNS = 16
CHECKED = 4
INDEX = "registry.index"

Numbers = NDArray[np.uint64]


def main() -> None:
    """Make the registry, build the index, ask it, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--numbers", type=int, default=258_500_000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--ask", action="store_true")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="dialfeed-bench-"))
    try:
        folder.mkdir(exist_ok=True)
        registry = Registry(options.numbers, options.seed)
        if not options.ask:
            make(registry, folder)
        measure(registry, folder / INDEX)
    finally:
        if options.folder is None:
            shutil.rmtree(folder)


class Registry:
    """A made-up registry: the same numbers for the same size and seed."""

    def __init__(self, numbers: int, seed: int) -> None:
        self.seed = seed
        chance = np.random.default_rng(seed)
        assigned = [code for code in range(201, 990) if code % 100 != 11]
        self.areas = np.sort(chance.choice(assigned, AREAS, replace=False))
        weights = chance.lognormal(0, 0.8, AREAS)
        self.shares = np.minimum(numbers * weights / weights.sum(), 5_000_000)
        for _ in range(20):
            self.shares = np.minimum(self.shares * numbers / self.shares.sum(), 5_000_000)

    def digits(self, at: int) -> NDArray[np.uint32]:
        """The last seven digits of the numbers of an area code."""
        chance = np.random.default_rng((self.seed, at))
        weights = np.where(chance.random(len(EXCHANGES)) < 0.15, 0, chance.beta(2, 2, len(EXCHANGES)))
        density = np.minimum(weights * self.shares[at] / (weights.sum() * 10_000), 1)
        density = np.minimum(density * self.shares[at] / max(density.sum() * 10_000, 1), 1)
        listed = chance.random((len(EXCHANGES), 10_000), np.float32) < density[:, None]
        return (np.flatnonzero(listed) + 2_000_000).astype(np.uint32)

    def numbers(self, at: int) -> Numbers:
        """The numbers of an area code."""
        return self.digits(at) + np.uint64((1000 + int(self.areas[at])) * 10**7)

    def write(self, path: Path) -> None:
        """Write the registry as the full list of a whole country."""
        with path.open("wb") as file:
            for at in range(AREAS):
                digits = self.digits(at)
                lines = np.empty((len(digits), 12), np.uint8)
                lines[:, :4] = np.frombuffer(b"%03d," % self.areas[at], np.uint8)
                rest = digits.copy()
                for column in range(10, 3, -1):
                    rest, digit = np.divmod(rest, np.uint32(10))
                    lines[:, column] = digit + ord("0")
                lines[:, 11] = ord("\n")
                file.write(lines.tobytes())


def make(registry: Registry, folder: Path) -> None:
    text, path = folder / "registry.txt", folder / INDEX
    if not text.exists():
        registry.write(text)
    print(f"text: {text.stat().st_size / 1e9:.2f} GB, {AREAS} area codes; load average {os.getloadavg()[0]:.1f}")
    started, used = time.perf_counter(), time.process_time()
    reading = read_list(text, authority="us")
    built = build(path, (chunk.numbers for chunk in reading), facts={"id": "us-national"})
    seconds, processor = time.perf_counter() - started, time.process_time() - used
    print(
        f"build from text: {seconds:.1f} s, {built.records / seconds:,.0f} lines/s; {processor:.1f} s of processor time"
    )
    print(f"numbers: {built.records:,}, malformed {reading.totals.malformed}, SHA-256 known: {bool(reading.sha256)}")
    print(f"index: {built.size / 1e6:.1f} MB, {built.blocks} blocks")
    del reading
    print(f"memory of the build at most: {peak():.0f} MB")
    updates(path, folder)


def measure(registry: Registry, path: Path) -> None:
    print(f"load average {os.getloadavg()[0]:.1f}")
    told = asked(path, registry)
    for name, value in told.items():
        print(f"{name}: {value}")
    exact(path, registry)


def updates(path: Path, folder: Path) -> None:
    """One area code replaced, all others copied."""
    index = Index.open(path)
    block = int(index.blocks[100])
    fresh = join(block, index.digits(block)[::2])
    started = time.perf_counter()
    change(path, folder / "changed.index", replaced={block: fresh}, facts={"id": "us-national"})
    print(f"replacing one area code: {time.perf_counter() - started:.2f} s")
    started = time.perf_counter()
    damaged = index.verify()
    print(f"verifying the whole index: {time.perf_counter() - started:.2f} s, {len(damaged)} damaged blocks")
    (folder / "changed.index").unlink()


def asked(path: Path, registry: Registry) -> dict[str, Any]:
    """Ask in a process of its own, so that its memory is that of the index alone."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(ask, (str(path), registry.seed))


def ask(path: str, seed: int) -> dict[str, Any]:
    forget(path)
    before = memory()
    started = time.perf_counter()
    index = Index.open(Path(path))
    opened = time.perf_counter() - started
    columns = list(questions(index, seed))
    forget(path)
    index = Index.open(Path(path))
    cold = [seconds(index, column) for column in columns]
    warm = [seconds(index, column) for _ in range(5) for column in columns]
    pairs = [(processor_seconds(index, column), bare_seconds(path, column)) for column in columns]
    ratios = sorted(ours / bare for ours, bare in pairs)
    after = memory()
    return {
        "open": f"{opened * 1000:.1f} ms",
        "first column, nothing in memory, all blocks checked": f"{cold[0]:.2f} s",
        "first 16 columns from there": f"{COLUMN * COLUMNS / sum(cold) / 1e6:.1f} M look-ups/s",
        "warm, columns of 1,000,000": f"{COLUMN / statistics.median(warm) / 1e6:.1f} M look-ups/s "
        f"({COLUMN / max(warm) / 1e6:.1f} to {COLUMN / min(warm) / 1e6:.1f})",
        "by processor time": f"{COLUMN / statistics.median(ours for ours, _ in pairs) / 1e6:.1f} M look-ups/s",
        "processor time against a bare gather of as many bytes from the same map": f"{statistics.median(ratios):.1f} "
        f"({ratios[0]:.1f} to {ratios[-1]:.1f})",
        "memory allocated at most, by open and look-ups": f"{allocated(path, columns[0]):.1f} MB",
        "memory that files stand behind": f"{after['Rss'] - after['Anonymous']:.0f} MB "
        f"({before['Rss'] - before['Anonymous']:.0f} MB before)",
    }


def questions(index: Index, seed: int) -> Iterator[Numbers]:
    """Columns of numbers, half of them on the list, from all area codes and in no order."""
    chance = np.random.default_rng(seed)
    listed = [
        part[chance.integers(0, len(part), COLUMN * COLUMNS // 2 // len(index.blocks) + 1)] for part in index.numbers()
    ]
    known = chance.permutation(np.concatenate(listed))
    for column in range(COLUMNS):
        half = known[column * COLUMN // 2 : (column + 1) * COLUMN // 2]
        blocks = index.blocks[chance.integers(0, len(index.blocks), COLUMN - len(half))]
        others = blocks * np.uint64(10**7) + chance.integers(2_000_000, 10**7, len(blocks), np.uint64)
        yield chance.permutation(np.concatenate([half, others]))


def exact(path: Path, registry: Registry) -> None:
    """Every number of several area codes against a set of those that are listed."""
    index = Index.open(path)
    wrong = 0
    for at in np.linspace(0, AREAS - 1, CHECKED).astype(int):
        numbers = registry.numbers(int(at))
        listed = set(numbers.tolist())
        first = int(numbers[0]) // 10**7 * 10**7
        answers = index.look_up(np.arange(first, first + 10**7).astype(np.uint64)) == PRESENT
        wrong += sum(answer != (first + place in listed) for place, answer in enumerate(answers.tolist()))
    print(f"exactness: {CHECKED * 10**7:,} numbers of {CHECKED} area codes against a set: {wrong} wrong answers")


def seconds(index: Index, column: Numbers) -> float:
    started = time.perf_counter()
    index.look_up(column)
    return time.perf_counter() - started


def processor_seconds(index: Index, column: Numbers) -> float:
    started = time.thread_time()
    index.look_up(column)
    return time.thread_time() - started


def bare_seconds(path: str, column: Numbers) -> float:
    """What it takes to fetch one byte for each number from anywhere in the file."""
    mapped = np.memmap(path, np.uint8, "r")
    places = (column % np.uint64(len(mapped))).astype(np.int64)
    mapped[places]
    started = time.thread_time()
    mapped[places]
    return time.thread_time() - started


def allocated(path: str, column: Numbers) -> float:
    """What is allocated at most while an index is opened, checked and asked a column, in MB."""
    tracemalloc.start()
    Index.open(Path(path)).look_up(column)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 1e6


def forget(path: str) -> None:
    """Let the system drop the file from its memory."""
    os.sync()
    handle = os.open(path, os.O_RDONLY)
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(handle)


def memory() -> dict[str, float]:
    """Of this process, in MB: all that is resident, and what no file stands behind."""
    told = Path("/proc/self/smaps_rollup").read_text()
    return {name: int(size) / 1024 for name, size in re.findall(r"(Rss|Anonymous): +(\d+) kB", told)}


def peak() -> float:
    told = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", told)[0]) / 1024


if __name__ == "__main__":
    main()
