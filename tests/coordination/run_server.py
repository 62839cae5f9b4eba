"""A program: a server that prints its port, and answers lines that each tell when they were let go.

Once its input ends it prints of each line when it arrived, and what it told.
"""

from __future__ import annotations

import asyncio
import sys
import time

arrivals: list[tuple[float, float]] = []


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        arrivals.append((time.monotonic(), float(line)))
        writer.write(b"answer\n")
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)
    print(*(moment for arrival in arrivals for moment in arrival))


asyncio.run(main())
