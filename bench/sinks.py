"""What sinks cost a run, and how fast a trail is shipped.

    python bench/sinks.py [--contacts 40000] [--rounds 5] [--events 20000]

First, an import into the sandbox without a sink, with a webhook that takes everything, and with three sinks that do
not (one hangs, one refuses connections, one answers 503), by turns; told are the medians of the seconds that delivery
took, and of the ratios to the run without a sink of the same round. Then one trail is shipped to each receiver that
runs here, and to the same file copied line by line with fsync, which is what no sink can be faster than.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from crash_world import crash_world
from sink_servers import KEY, RECEIVERS
from sink_world import write_events
from webhook_receiver import WebhookReceiver
from weed import free_ports

from dialfeed.api import import_contacts
from dialfeed.audit.sinks.open import Means, open_sinks
from dialfeed.audit.sinks.shipping import Shipping, Terms
from dialfeed.sandbox import FaultPlan

SECRETS = {f"DIALFEED_SINK_{name}_SECRET": KEY.decode() for name in ("WEBHOOK", "TAKES", "HANGS", "REFUSES", "BUSY")}

FLAGS = ("--rate", "unlimited")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=20_000)
    options = parser.parse_args()
    with sinks() as kinds:
        rounds = [
            {kind: delivery(options.contacts, where) for kind, where in kinds.items()} for _ in range(options.rounds)
        ]
    print(f"{'sinks of the run':<44}{'delivery s':>12}{'ratio':>8}")
    for kind in kinds:
        ratio = statistics.median(each[kind] / each["none"] for each in rounds)
        print(f"{kind:<44}{statistics.median(each[kind] for each in rounds):>12.2f}{ratio:>8.2f}")
    print(f"\n{'receiver':<44}{'events/s':>12}{'to copy':>8}")
    copied = copy_rate(options.events)
    for name in RECEIVERS:
        rate = ship_rate(name, options.events)
        print(f"{name:<44}{rate:>12,.0f}{rate / copied:>8.2f}", flush=True)


@contextmanager
def sinks() -> Iterator[dict[str, tuple[str, ...]]]:
    """Addresses of sinks that take everything, and of those that take nothing."""
    taking, busy = WebhookReceiver(KEY), WebhookReceiver(KEY)
    busy.answer = lambda _: (503, {})
    with ExitStack() as stack:
        stack.callback(taking.close)
        stack.callback(busy.close)
        deaf = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        where = "http://127.0.0.1:{}/#{}"
        bad = ((deaf.getsockname()[1], "hangs"), (free_ports(1)[0], "refuses"), (busy.port, "busy"))
        yield {
            "none": (),
            "a webhook that takes everything": (where.format(taking.port, "takes"),),
            "three: one hangs, one is away, one is busy": tuple(where.format(*each) for each in bad),
        }


def delivery(contacts: int, where: tuple[str, ...]) -> float:
    """Seconds that delivery took."""
    with (
        tempfile.TemporaryDirectory() as name,
        crash_world(Path(name), FaultPlan(), contacts=contacts, flags=FLAGS) as world,
    ):
        world.sandbox.configure(latency_s=0.02)
        os.environ["DIALFEED_HOME"] = str(world.home)
        result = import_contacts(
            world.file,
            list=world.list_id,
            run_dir=world.run_dir,
            base_url=world.sandbox.url,
            client_id=world.sandbox.client_id,
            client_secret=world.sandbox.client_secret,
            limiter="local",
            rate="unlimited",
            batch_contacts=100,
            max_rejected="100%",
            sinks=where,
            sink_secrets=SECRETS,
            sink_grace=0.1,
        )
        return result.summary.deliver_seconds


def copy_rate(events: int) -> float:
    """Lines a second, copied and synced each."""
    with tempfile.TemporaryDirectory() as name:
        write_events(Path(name), events).close()
        lines = (Path(name) / "audit.jsonl").read_bytes().splitlines(keepends=True)[:2000]
        began = time.perf_counter()
        with (Path(name) / "copy").open("wb") as file:
            for line in lines:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        return len(lines) / (time.perf_counter() - began)


def ship_rate(name: str, events: int) -> float:
    """Events a second, with the receiver behind a gate on this machine."""
    with tempfile.TemporaryDirectory() as folder, RECEIVERS[name]() as receiver:
        write_events(Path(folder), events).close()
        to = open_sinks([receiver.address], Means(receiver.secrets, 30.0))
        shipping = Shipping(Path(folder), to, Terms(grace=60.0))
        began = time.perf_counter()
        shipping.start()
        (standing,) = shipping.finish(while_moving=True)
        assert standing.waiting == 0
        return events / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
