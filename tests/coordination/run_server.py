"""A program: a server that prints its port, answers lines, and prints when each arrived once its input ends."""

from __future__ import annotations

import asyncio
import sys
import time

arrivals: list[float] = []


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.readline():
        arrivals.append(time.monotonic())
        writer.write(b"answer\n")
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)
    print(*arrivals)


asyncio.run(main())
