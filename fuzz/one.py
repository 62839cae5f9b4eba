"""Fuzz one kind of file in this process, or judge one input again.

    python -m fuzz.one csv --seconds 600
    python -m fuzz.one csv .fuzz/csv/found/crash-…

With atheris, coverage leads the mutations; without it, they are blind. The first input that breaks a law is kept, and
ends the process with another status than 0.
"""

from __future__ import annotations

import argparse
import faulthandler
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from fuzz.mutate import inside, of_bytes
from fuzz.targets import MOST_BYTES, TARGETS, seeds

TIMEOUT = 30
"""Seconds for one input, read twice."""
MOST_MEGABYTES = 1500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("input", type=Path, nargs="?")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--folder", type=Path, default=Path(".fuzz"))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.input:
        from fuzz.judge import judge  # noqa: PLC0415 - the other ways import it under a tracer

        with tempfile.TemporaryDirectory() as folder:
            print(repr(judge(options.input.read_bytes(), Path(folder)))[:4000])
        return
    corpus = options.folder / options.target
    (corpus / "found").mkdir(parents=True, exist_ok=True)
    try:
        import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore] # noqa: F401, PLC0415 - where it can be had
    except ImportError:
        blind(options.target, corpus, options.seconds, options.seed)
    else:
        guided(options.target, corpus, options.seconds, options.seed)


def guided(target: str, corpus: Path, seconds: float, seed: int) -> None:
    """Let libFuzzer choose the inputs by the branches they take in `dialfeed.sources`."""
    import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore] # noqa: PLC0415

    with atheris.instrument_imports(include=["dialfeed.sources"]):
        from fuzz.judge import judge  # noqa: PLC0415
    scratch = Path(tempfile.mkdtemp(prefix="dialfeed-fuzz-"))
    first = scratch / "seeds"
    first.mkdir()
    for number, data in enumerate(seeds()[target]):
        (first / f"seed-{number:03}").write_bytes(data)

    def mutate(data: bytes, max_size: int, number: int) -> bytes:
        chance = random.Random(number)
        blindly = of_bytes(chance)
        piecewise = blindly if chance.random() < 0.5 else lambda piece: bytes(atheris.Mutate(piece, len(piece) + 64))
        return inside(piecewise, chance)(data)[:max_size]

    arguments = [
        sys.argv[0], str(corpus), str(first), f"-max_total_time={int(seconds)}", f"-timeout={TIMEOUT}",
        f"-rss_limit_mb={MOST_MEGABYTES}", f"-max_len={MOST_BYTES}", f"-seed={seed}",
        f"-artifact_prefix={corpus}/found/", "-print_final_stats=1", "-mutate_depth=1", "-cross_over=0",
    ]  # fmt: skip
    atheris.Setup(arguments, lambda data: judge(data, scratch) and None, custom_mutator=mutate)
    atheris.Fuzz()


def blind(target: str, corpus: Path, seconds: float, seed: int) -> None:
    """Mutate seeds at random."""
    from fuzz.judge import judge  # noqa: PLC0415

    chance = random.Random(seed)
    inputs, count, end = seeds()[target], 0, time.process_time() + seconds
    with tempfile.TemporaryDirectory() as folder:
        while time.process_time() < end:
            data = inside(of_bytes(chance), chance)(chance.choice(inputs))[:MOST_BYTES]
            found = corpus / "found" / f"input-{seed}-{count}"
            found.write_bytes(data)
            faulthandler.dump_traceback_later(TIMEOUT, exit=True)
            judge(data, Path(folder))
            faulthandler.cancel_dump_traceback_later()
            if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > MOST_MEGABYTES << 10:
                raise MemoryError(found)
            found.unlink()
            count += 1
    print(f"stat::number_of_executed_units: {count}", file=sys.stderr)


if __name__ == "__main__":
    main()
