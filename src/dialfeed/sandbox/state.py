"""All that a running sandbox remembers. Belongs to one event loop; nothing in here waits or reads a clock itself."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field, fields
from functools import partial
from typing import TYPE_CHECKING, Any

from dialfeed.sandbox.faults import Fault, FaultPlan, Injector
from dialfeed.sandbox.reply import Refusal
from dialfeed.sandbox.rules import Rules
from dialfeed.sandbox.store import ContactList
from dialfeed.sandbox.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dialfeed.sandbox.rules import Contact, FieldError
    from dialfeed.sandbox.settings import Settings


@dataclass(frozen=True, slots=True)
class Job:
    """Contacts that were taken and will be stored.

    Attributes:
        done_at: When it ends, monotonic seconds.
        outcome: How it ends: ``succeeded`` or ``failed``.
        accepted: Contacts it stores.
        errors: What was wrong with the others.
    """

    done_at: float
    outcome: str
    accepted: int
    errors: tuple[FieldError, ...]


@dataclass(slots=True)
class State:
    """One organisation on the platform.

    Attributes:
        settings: How it behaves.
        clock: Monotonic seconds.
        wall: Seconds since 1970.
        lists: Contact lists by id, in the order in which they were made.
        tokens: When each valid token expires, monotonic seconds.
        tokens_issued: How many tokens were ever given out.
        jobs: Jobs by id.
        traffic: What came in.
        injector: What goes wrong.
        rules: The measures for contacts, made from the settings.
    """

    settings: Settings
    clock: Callable[[], float]
    wall: Callable[[], float]
    lists: dict[str, ContactList] = field(default_factory=dict)
    tokens: dict[str, float] = field(default_factory=dict)
    tokens_issued: int = 0
    jobs: dict[str, Job] = field(default_factory=dict)
    traffic: Traffic = field(default_factory=Traffic)
    injector: Injector = field(default_factory=Injector)
    rules: Rules = field(init=False)
    _first: Settings = field(init=False)
    _serial: int = 0
    _writes: int = 0
    _due: list[tuple[float, int, Callable[[float], None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rules = Rules.of(self.settings)
        self._first = self.settings

    def reset(self) -> None:
        """Forget everything and go back to the first settings."""
        fresh = State(self._first, self.clock, self.wall)
        for member in fields(self):
            setattr(self, member.name, getattr(fresh, member.name))

    # --- time and settings --------------------------------------------------------------------------------------------

    def now(self) -> float:
        """The monotonic time, after doing what was due until then."""
        now = self.clock()
        while self._due and self._due[0][0] <= now:
            when, _, action = heapq.heappop(self._due)
            action(when)
        return now

    def server_time(self) -> float:
        """What the platform takes for the time, seconds since 1970."""
        return self.wall() + self.settings.clock_skew_s

    def later(self, when: float, action: Callable[[float], None]) -> None:
        """Do something at a time to come; it is done when somebody looks, with its own time as argument."""
        heapq.heappush(self._due, (when, self.serial(), action))

    @property
    def pending(self) -> int:
        """How many things are still to be done later."""
        return len(self._due)

    def change(self, settings: Settings) -> None:
        """Behave otherwise from now on."""
        self.settings = settings
        self.rules = Rules.of(settings)

    def serial(self) -> int:
        """A number that was not used before."""
        self._serial += 1
        return self._serial

    # --- lists and writes ---------------------------------------------------------------------------------------------

    def add_list(self, name: str, identity: str | None, count: int) -> ContactList:
        """Make a contact list.

        Raises:
            ValueError: There is one with this id.
        """
        identity = identity or f"{self.serial():08x}-11f7-4000-8000-dea1feed0000"
        if identity in self.lists:
            raise ValueError(f"There is a contact list with the id {identity!r}.")
        made = ContactList(identity, name, initial=count)
        made.count.add(count, self.clock())
        self.lists[identity] = made
        return made

    def find_list(self, identity: str) -> ContactList:
        """The contact list with this id.

        Raises:
            Refusal: 404.
        """
        if identity not in self.lists:
            raise Refusal(404, "not.found", "There is no contact list with this id.")
        return self.lists[identity]

    def store(self, target: ContactList, contacts: Sequence[Contact], body: bytes, now: float) -> list[str]:
        """Store contacts that were judged good, and take their unique keys; none make no batch.

        Returns:
            Their ids in order.
        """
        if not contacts:
            return []
        key = self.settings.unique_key
        if key:
            target.keys.update(contact[key] for contact in contacts if key in contact)
        prefix = f"c0117ac7-0000-4000-8000-{self.serial():09x}"
        return target.store(prefix, contacts, body, self._visible_at(now))

    def store_later(self, target: ContactList, contacts: Sequence[Contact], body: bytes, when: float) -> None:
        """Store contacts at a time to come, unless one of their unique keys is taken by then."""
        key = self.settings.unique_key
        wanted = {contact[key] for contact in contacts if key in contact} if key else set()

        def write(now: float) -> None:
            if target.keys.isdisjoint(wanted):
                self.store(target, contacts, body, now)

        self.later(when, write)

    def _visible_at(self, now: float) -> float:
        self._writes += 1
        settings = self.settings
        if not settings.count_lag_jitter_s:
            return now + settings.count_lag_s
        drawn = random.Random(f"{settings.seed}:lag:{self._writes}").random()  # noqa: S311  chance to be repeated
        return now + settings.count_lag_s + drawn * settings.count_lag_jitter_s

    # --- faults -------------------------------------------------------------------------------------------------------

    def set_faults(self, plan: FaultPlan) -> None:
        """Go by another plan; requests are numbered anew, and its times count from now."""
        self.injector.change(plan)
        start = self.now()
        for fault in plan.rules:
            for seconds in fault.at_s:
                self.later(start + seconds, partial(self._timed, fault, plan))

    def _timed(self, fault: Fault, plan: FaultPlan, now: float) -> None:
        if self.injector.plan is plan:
            self.injector.injected[fault.kind] += 1
            self.other_writer(fault, "", now)

    def other_writer(self, fault: Fault, list_id: str, now: float) -> None:
        """Somebody else adds contacts to the fault's list, else to the one given, else to all."""
        wanted = fault.list_id or list_id
        for identity, target in self.lists.items():
            if wanted in {"", identity}:
                target.add_foreign(1 if fault.keep is None else fault.keep, self._visible_at(now))

    # --- what it tells of itself --------------------------------------------------------------------------------------

    def overview(self) -> dict[str, Any]:
        """Everything that `stats` tells, but the tallies of stored contacts."""
        now = self.now()
        traffic = self.traffic
        requests: dict[str, dict[str, int]] = {}
        for (route, status), times in sorted(traffic.answers.items()):
            requests.setdefault(route, {})[status] = times
        return {
            "lists": {identity: _list_overview(one, now) for identity, one in self.lists.items()},
            "requests": requests,
            "worst_second": {
                "requests": traffic.worst_second("contacts", "lists", "count", "job", "other"),
                "contact_posts": traffic.worst_second("contacts"),
            },
            "max_concurrent": {name: traffic.most(name) for name in ("all", "contacts", "token")},
            "tokens": {"requests": len(traffic.arrivals.get("token", ())), "issued": self.tokens_issued},
            "faults": dict(sorted(self.injector.injected.items())),
            "pending_writes": self.pending,
        }


def _list_overview(one: ContactList, now: float) -> dict[str, Any]:
    return {
        "name": one.name,
        "initial": one.initial,
        "foreign": one.foreign,
        "stored": one.stored,
        "total": one.total,
        "shown": one.count.peek(now),
        "batches": len(one.batches),
    }
