"""A program: takes from a shared budget for a while with eight workers, and prints when each request was let go.

That is told by the budget, on its own clock: what counts, whatever held this program up afterwards.

Arguments: url (or ``file``), home, organisation, rate, seconds. It says that it is ready, and begins at the time
(CLOCK_MONOTONIC) on the line that it reads then.
With a port as sixth, each request is sent there, a line with that time; the server's answer is awaited.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from dialfeed.coordination.budget import Budget, open_budget


async def worker(budget: Budget, until: float, port: int | None, starts: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port) if port else (None, None)
    while True:
        permit = await budget.take()
        if time.monotonic() > until:
            break
        starts.append(float(permit.mark))
        await budget.leave(permit)
        if reader and writer:
            writer.write(f"{permit.mark}\n".encode())
            await reader.readline()
    if writer:
        writer.close()
        await writer.wait_closed()


async def main() -> None:
    url, home, organisation, rate, seconds, *port = sys.argv[1:]
    budget = open_budget(None if url == "file" else url, Path(home), organisation, float(rate))
    starts: list[float] = []
    print("ready", flush=True)
    begin = float(sys.stdin.readline())
    await asyncio.sleep(begin - time.monotonic())
    until = begin + float(seconds)
    await asyncio.gather(*(worker(budget, until, int(port[0]) if port else None, starts) for _ in range(8)))
    await budget.close()
    print(*starts)


asyncio.run(main())
