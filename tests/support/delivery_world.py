"""A platform, a clock and a supply made of numbers, so that thousands of faulty deliveries run in seconds."""

from __future__ import annotations

import asyncio
import math
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dialfeed.delivery.answers import Accepted, Answer, HeldBack, NotSent, Refused, Throttled, TooLarge, Unknown, Words
from dialfeed.delivery.batches import Batch, Span
from dialfeed.delivery.loop import Delivery
from dialfeed.delivery.policy import Policy
from dialfeed.delivery.ports import Contacts, Identity, Leaving, Pace, Permit, Suppression
from dialfeed.delivery.settle import Patience
from dialfeed.delivery.sizes import size_limit
from dialfeed.errors import CheckFile, FixConnection
from dialfeed.ledger.ledger import Ledger

BUCKETS = ("delivered", "refused", "unknown", "failed", "suppressed")


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next thing that is due."""

    def __init__(self, began: float = 0.0) -> None:
        super().__init__()
        self._virtual = began

    def time(self) -> float:
        return self._virtual

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self._virtual = max(self._virtual, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


@dataclass
class VirtualClock:
    """Delivery's clock on a virtual loop."""

    loop: VirtualLoop

    def now(self) -> float:
        return self.loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True)
class Numbers:
    """The contacts of a batch: their places."""

    places: Sequence[int]
    asked: Callable[[], bool]

    @property
    def body(self) -> bytes:
        return b""

    def identities(self) -> Sequence[Identity]:
        return [(str(place), None, None) for place in self.places]

    def may_leave(self) -> bool:
        return self.asked()


@dataclass
class NumberSupply:
    """Cuts the numbers up to `total` into batches, and tells who has opted out."""

    total: int
    most: int
    cut_before: int = 0
    place: int = 0
    opted_out: Callable[[int], bool] = lambda _: False

    def remaining(self) -> int:
        return self.total - self.place

    def cut(self) -> tuple[Span, ...] | None:
        if not self.remaining():
            return None
        start = self.place
        self.place = min(self.total, start + size_limit(self.cut_before, self.most))
        self.cut_before += 1
        return ((start, self.place),)

    def load(self, batch: Batch) -> Contacts:
        return Numbers(batch.places(), lambda: not self.suppressed(batch))

    def suppressed(self, batch: Batch) -> Sequence[Suppression]:
        return [
            Suppression(position, "phone", "suppressed.internal_dnc:internal", "")
            for position, place in enumerate(batch.places())
            if self.opted_out(place)
        ]


@dataclass(frozen=True)
class Faults:
    """How often what goes wrong, as shares of requests, and what the platform does not take."""

    throttled: float = 0.0
    not_sent: float = 0.0
    lost_before: float = 0.0
    lost_after: float = 0.0
    lost_late: float = 0.0
    short: float = 0.0
    unnamed: float = 0.0
    poison: frozenset[int] = frozenset()
    names_poison: bool = True
    in_part: bool = False
    largest: int = 10_000
    lag: float = 0.0
    lag_jitter: float = 0.0
    latency: float = 0.1
    late: float = 1.5
    tells_count: bool = True
    foreign: Sequence[tuple[float, int]] = ()
    down: tuple[float, float] = (0.0, 0.0)


@dataclass
class NumberPlatform:
    """A contact list of numbers. What it stores, it stores at a time, whether or not the sender still lives."""

    faults: Faults
    chance: random.Random
    clock: VirtualClock
    existing: int = 0
    writes: list[tuple[float, tuple[int, ...]]] = field(default_factory=list)
    asked: list[tuple[float, tuple[int, ...]]] = field(default_factory=list)
    requests: int = 0
    counts: int = 0

    def stored(self) -> list[int]:
        return [place for _, places in self.writes for place in places]

    async def count(self) -> int | None:
        self.counts += 1
        await asyncio.sleep(self.faults.latency / 2)
        if self._is_down():
            raise FixConnection("down")
        if not self.faults.tells_count:
            return None
        seen = self.clock.now() - self.faults.lag - self.chance.random() * self.faults.lag_jitter
        foreign = sum(size for when, size in self.faults.foreign if when <= seen)
        return self.existing + foreign + sum(len(places) for when, places in self.writes if when <= seen)

    async def send(self, contacts: Contacts, leaving: Leaving) -> Answer:
        leaving()
        self.requests += 1
        places = [int(identity[0] or 0) for identity in contacts.identities()]
        self.asked.append((self.clock.now(), tuple(places)))
        kind = self._draw()
        await asyncio.sleep(self.faults.latency * self.chance.uniform(0.5, 1.5))
        if self._is_down():
            return self.chance.choice((NotSent("down"), Unknown("HTTP 503", 503)))
        if kind == "throttled":
            return Throttled(self.chance.choice((0.5, 2.0, 5.0)))
        if kind == "not_sent":
            return NotSent("cut during upload")
        if kind == "lost_before":
            return Unknown("HTTP 502", 502)
        if len(places) > self.faults.largest:
            return TooLarge()
        poisoned = [position for position, place in enumerate(places) if place in self.faults.poison]
        words = Words("refused.by_platform", "bad")
        if poisoned and self.faults.in_part:
            good = tuple(place for place in places if place not in self.faults.poison)
            answer = await self._store(kind, good)
            return replace(answer, refused=dict.fromkeys(poisoned, words)) if isinstance(answer, Accepted) else answer
        if poisoned:
            named = dict.fromkeys(poisoned, words) if self.faults.names_poison else {}
            return Refused(named, words, 400)
        return await self._store(kind, tuple(places))

    async def _store(self, kind: str, places: tuple[int, ...]) -> Answer:
        if kind == "lost_late":
            self.writes.append((self.clock.now() + self.faults.late * self.chance.random(), places))
            return Unknown("HTTP 504", 504)
        if kind == "unnamed" and len(places) > 1:
            half = len(places) // 2
            self.writes.append((self.clock.now(), places[:half]))
            return Accepted(unaccounted=tuple(range(len(places))), stored_unnamed=half, status=200)
        self.writes.append((self.clock.now(), places))
        await asyncio.sleep(self.faults.latency / 4)
        if kind == "lost_after":
            return Unknown("the connection was cut")
        if kind == "short" and len(places) > 1:
            gone = tuple(sorted(self.chance.sample(range(len(places)), max(1, len(places) // 10))))
            return Accepted(unaccounted=gone, status=201)
        return Accepted(status=201)

    def _draw(self) -> str:
        drawn = self.chance.random()
        for kind in ("throttled", "not_sent", "lost_before", "lost_after", "lost_late", "short", "unnamed"):
            drawn -= getattr(self.faults, kind)
            if drawn < 0:
                return kind
        return "good"

    def _is_down(self) -> bool:
        return self.faults.down[0] <= self.clock.now() < self.faults.down[1]


class Killed(BaseException):
    """The process is gone."""


@dataclass
class FreePace:
    """A pace without a limit that remembers pauses."""

    clock: VirtualClock
    until: float = 0.0
    pauses: list[float] = field(default_factory=list)

    async def take(self) -> Permit:
        await asyncio.sleep(max(0.0, self.until - self.clock.now()))
        return Permit(self.clock.now())

    async def leave(self, permit: Permit) -> None:
        pass

    async def penalise(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.until = max(self.until, self.clock.now() + seconds)


@dataclass
class PacedPlatform:
    """A carrier that takes from the pace before it sends, as the real client does."""

    platform: NumberPlatform
    pace: Pace

    async def count(self) -> int | None:
        return await self.platform.count()

    async def send(self, contacts: Contacts, leaving: Leaving) -> Answer:
        await self.pace.take()
        if not contacts.may_leave():
            return HeldBack()
        return await self.platform.send(contacts, leaving)


class LedgerOfAWorld(Ledger):
    """The real ledger on the world's disk, which takes no time: time is virtual, and knows nothing of threads."""

    def __init__(self, world: World) -> None:
        super().__init__(world.folder / "ledger.sqlite", checkpoint=world.reached)
        self._world = world

    async def synced(self) -> None:
        if self._world.power_fails:
            self._world.sync()


@dataclass
class World:
    """One delivery under faults, from its first process to its last.

    Attributes:
        make_pace: The budget of requests of each process.
        stops_at: When the run is asked to stop; None for never.
        power_fails: A process that is killed takes with it all that was not synced to the disk.
        opt_outs: Who opts out, and when.
        unreadable_at: When the list of those who have cannot be read any more.
    """

    folder: Path
    total: int
    faults: Faults
    seed: int
    most: int = 1000
    policy: Policy = field(default_factory=lambda: Policy(patience=Patience(grace=3.0, quiet=1.0, lag=20.0)))
    events: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    kill_at: Callable[[str], bool] = field(default=lambda _: False)
    power_fails: bool = False
    opt_outs: Mapping[int, float] = field(default_factory=dict)
    unreadable_at: float = math.inf
    make_pace: Callable[[VirtualClock], Pace] = FreePace
    stops_at: float | None = None
    processes: int = 0
    ended_at: float = 0.0

    def __post_init__(self) -> None:
        self.loop = VirtualLoop()
        self.clock = VirtualClock(self.loop)
        self.platform = NumberPlatform(self.faults, random.Random(self.seed), self.clock, existing=self.seed % 700)
        self.delivery: Delivery | None = None

    def run(self) -> None:
        """Deliver; whenever the process is killed, a new one goes on a while later."""
        chance = random.Random(self.seed + 1)
        while True:
            self.processes += 1
            try:
                self.loop.run_until_complete(self._process(chance))
            except Killed:
                self._bury()
                continue
            break
        self.ended_at = self.loop.time()
        self._end_tasks()
        self.loop.close()

    async def _process(self, chance: random.Random) -> None:
        with LedgerOfAWorld(self) as ledger:
            ledger.reopen_failed()
            if ledger.fact("baseline") is None:
                ledger.remember(baseline=[await self.platform.count()])
            batches, place = ledger.cut_up_to()
            pace = self.make_pace(self.clock)

            def observe(event: str, /, **facts: Any) -> None:
                self.events.append((event, facts))

            stop = asyncio.Event()
            if self.stops_at is not None:
                self.loop.call_at(self.stops_at, stop.set)
            self.delivery = Delivery(
                PacedPlatform(self.platform, pace),
                ledger,
                NumberSupply(self.total, self.most, batches, place, self._has_opted_out),
                pace,
                self.clock,
                self.policy,
                ledger.fact("baseline")[0],
                observe,
                stop,
                chance.random,
            )
            await self.delivery.run()

    def _has_opted_out(self, place: int) -> bool:
        if self.clock.now() >= self.unreadable_at:
            raise CheckFile("The list cannot be read.")
        return self.opt_outs.get(place, math.inf) <= self.clock.now()

    def reached(self, point: str) -> None:
        """A point at which the process may be killed."""
        if self.kill_at(point):
            raise Killed

    def sync(self) -> None:
        """Keep what is on the disk for certain: the ledger as it is now."""
        shutil.rmtree(self.folder / "disk", ignore_errors=True)
        (self.folder / "disk").mkdir()
        for file in self.folder.glob("ledger.sqlite*"):
            shutil.copy(file, self.folder / "disk")

    def _lose_power(self) -> None:
        """Nothing is left but what was synced."""
        for file in self.folder.glob("ledger.sqlite*"):
            file.unlink()
        for file in (self.folder / "disk").glob("*[!m]"):  # the index of the journal is never on the disk
            shutil.copy(file, self.folder)

    def _bury(self) -> None:
        """End all that is left of a killed process."""
        if self.power_fails:
            self._lose_power()
        self._end_tasks()

    def _end_tasks(self) -> None:
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0.01))

    def outcomes(self) -> dict[str, list[int]]:
        """Places by what the ledger says of them."""
        found: dict[str, list[int]] = {name: [] for name in BUCKETS}
        names = {"open": "unknown", "waiting": "failed"}
        with Ledger(self.folder / "ledger.sqlite") as ledger:
            for entry in ledger.entries():
                found[names.get(entry.state, entry.state)].extend(entry.batch.places())
            found["refused"].extend(refusal.place for refusal in ledger.refusals())
            found["suppressed"].extend({each.place for each in ledger.suppressions()})
            found["failed"].extend(range(ledger.cut_up_to()[1], self.total))
        return found

    def check(self, *, settled: bool = True) -> None:
        """Law 1 and law 2: every contact in one bucket, and on the list exactly if it was delivered."""
        found = self.outcomes()
        everything = sorted(place for places in found.values() for place in places)
        assert everything == list(range(self.total)), "each contact is in exactly one bucket"
        stored = self.platform.stored()
        assert len(stored) == len(set(stored)), "no contact is on the list twice"
        assert set(found["delivered"]) <= set(stored), "what is delivered is on the list"
        assert set(stored) <= {*found["delivered"], *found["unknown"]}, "what is on the list was not given up"
        if settled:
            assert not found["unknown"], "what can be settled is settled"
            assert sorted(found["delivered"]) == sorted(stored)
        late = {
            place
            for when, places in self.platform.asked
            for place in places
            if self.opt_outs.get(place, math.inf) <= when
        }
        assert not late, "nobody leaves who has opted out by then"
        assert set(found["suppressed"]) <= self.opt_outs.keys(), "nobody else is held back"


def killing(world: World, writes: Sequence[int]) -> Callable[[str], bool]:
    """A `kill_at` that kills one process after so many writes to the ledger since the first request, then the next."""
    left = list(writes)

    def kill_at(_: str) -> bool:
        if not world.platform.requests or not left:
            return False
        left[0] -= 1
        if left[0]:
            return False
        del left[0]
        return True

    return kill_at
