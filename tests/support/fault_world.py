"""Whole imports over real HTTP against a sandbox that fails in ways a seed decides, and what must hold after each.

Waiting is shortened in two ways: the settings are small, and the run's clock hurries (`SPEED` seconds a second). So
the time that the client is patient for, in the real seconds of the sandbox, is `GRACE` and `LAG` below.
"""

from __future__ import annotations

import asyncio
import csv
import json
import random
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import chaos

from dialfeed.config import Plan, resolve
from dialfeed.coordination.budget import Budget, open_budget
from dialfeed.delivery.ports import Permit
from dialfeed.delivery.sizes import CLASSES, size_limit
from dialfeed.ledger.ledger import Ledger
from dialfeed.pipeline import import_file
from dialfeed.running.order import Order
from dialfeed.running.run import Result
from dialfeed.runs.going_on import resume_run
from dialfeed.sandbox import Fault, FaultPlan, SandboxServer, Settings
from dialfeed.sandbox.traffic import worst_window

SPEED = 6.0
"""Seconds that the run's clock counts in one real second."""

GRACE, LAG = 3.0, 12.0
"""The client's `settle_grace` and `count_lag`: half a second and two seconds of the sandbox's time."""

BUCKETS = {
    "delivered": "delivered.csv", "duplicate": "duplicates.csv", "invalid": "rejected.csv",
    "suppressed": "suppressed.csv", "refused": "refused.csv", "unknown": "unknown.csv", "failed": "failed.csv",
}  # fmt: skip

FIELDS = ("externalId", "firstName", "phone", "email", "doNotCall", "doNotEmail", "Note")


class HurriedClock:
    """Time as it passes, `SPEED` times as fast."""

    def now(self) -> float:
        return time.monotonic() * SPEED

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / SPEED)


# --- what is imported ---------------------------------------------------------------------------------------------


def contact_line(number: int, note: str = "") -> str:
    """One good, made-up contact, different from all others in its externalId and e-mail."""
    phone = f"+1212555{100 + number % 100:04}"
    return f"C-{number:06},Ada,{phone},person{number}@example.com,no,no,{note}\n"


def write_contacts(path: Path, count: int, poison: frozenset[int] = frozenset()) -> None:
    """A file of `count` contacts; the platform will not take those in `poison`."""
    lines = [contact_line(number, "x" * 90 if number in poison else "") for number in range(count)]
    path.write_text(",".join(FIELDS) + "\n" + "".join(lines), "utf-8")


# --- what goes wrong ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scenario:
    """One import and what goes wrong with it.

    Attributes:
        seed: What all of it was drawn from.
        settings: How the platform behaves.
        plan: What goes wrong.
        client: The run's settings.
        contacts: How many contacts there are.
        poison: Contacts that the platform does not take.
        unsettled: Why contacts may stay unknown, or nothing where everything can be settled.
    """

    seed: int
    settings: Settings
    plan: FaultPlan
    client: Mapping[str, Any]
    contacts: int
    poison: frozenset[int] = frozenset()
    unsettled: str = ""


def lossy(chance: random.Random) -> list[Fault]:
    """Faults after which nobody knows whether a batch was stored."""
    when: Any = chance.choice(("before_write", "after_write"))
    share = chance.choice((0.03, 0.06, 0.12))
    return [
        Fault("status", status=chance.choice((500, 502, 503, 504)), share=share, when=when),
        Fault("cut_after_upload", share=share, when=when, reset=chance.random() < 0.5),
        Fault("stall", share=share / 3, when=when),
        Fault("delay", share=share / 3, seconds=2.0, when="after_write"),
        Fault("trickle", share=share / 3, seconds=3.0),
        Fault("html", share=share, status=chance.choice((200, 502, 503)), when=when),
        Fault("truncated_json", share=share),
        Fault("wrong_length", share=share),
        Fault("close_on_next", share=share, reset=chance.random() < 0.5),
        Fault("delayed_write", share=share, seconds=chance.choice((0.05, 0.2))),
        Fault("cut_during_upload", share=share, size=chance.choice((1, 5000)), reset=chance.random() < 0.5),
    ]


def harmless(chance: random.Random) -> list[Fault]:
    """Faults that cost time only."""
    form: Any = chance.choice(("decimals", "body", "past_date", "negative"))
    return [
        Fault("rate_limited", share=chance.choice((0.05, 0.2)), retry_after=form, seconds=0.2, limit=6),
        Fault("status", status=503, share=0.05, retry_after="seconds", seconds=1.0, limit=3),
        Fault("close_after_answer", share=0.2),
        Fault("delay", share=0.1, seconds=0.05),
        Fault("trickle", share=0.1, seconds=0.05),
        Fault("revoke_tokens", at=(chance.randrange(5, 20), chance.randrange(30, 40))),
    ]


def beside(chance: random.Random) -> list[Fault]:
    """Faults of the other routes."""
    return [
        Fault("status", target="count", status=503, share=0.2, limit=8),
        Fault("rate_limited", target="count", share=0.2, retry_after="decimals", seconds=0.1, limit=4),
        Fault("truncated_json", target="count", share=0.1, limit=3),
        Fault("cut_after_upload", target="count", share=0.1, limit=4),
        Fault("status", target="token", status=chance.choice((500, 503)), at=(2,)),
        Fault("rate_limited", target="token", at=(2,), retry_after="decimals", seconds=0.2),
        Fault("delay", target="token", share=0.5, seconds=0.1),
        Fault("cut_after_upload", target="token", at=(1, 3)),
        Fault("status", target="lists", status=502, first=1),
    ]


def drawn(chance: random.Random, rules: list[Fault], most: int) -> list[Fault]:
    return chance.sample(rules, chance.randint(1, most))


def scenario(seed: int) -> Scenario:
    """The import that belongs to a seed: its platform, its faults, its sizes."""
    chance = random.Random(f"faults:{seed}")
    most = chance.choice((40, 150, 300, 1000))
    batches = {40: 30, 150: 30, 300: 25, 1000: 12}[most]
    contacts = most * batches + chance.randrange(most)
    answer: Any = chance.choice(("array", "array", "array", "array", "counts", "empty", "job", "per_contact", "short"))
    path_form: Any = chance.choice(("bracket", "contacts", "pointer", "jsonpath"))
    in_part = answer == "per_contact" or (answer in {"counts", "job"} and chance.random() < 0.5)
    nameless = not in_part and chance.random() < 0.3
    poison = frozenset(chance.sample(range(contacts), chance.choice((0, 0, 2, 5))))
    jitter = chance.choice((0.0, 0.0, 0.1))
    settings = Settings(
        rate_limit=50,
        retry_after="decimals",
        answer=answer,
        partial=in_part,
        path_form="none" if nameless else path_form,
        max_cell=64,
        max_errors=chance.choice((None, 1)),
        count_lag_s=chance.choice((0.0, 0.0, 0.1, 0.4)),
        count_lag_jitter_s=jitter,
        token_ttl_s=chance.choice((3600.0, 3600.0, 1.0)),
        token_claimed_s=chance.choice((None, 3600.0)),
        page_style=chance.choice(("number", "string", "url", "path")),
        seed=seed,
    )
    rules = drawn(chance, lossy(chance), 3) + drawn(chance, harmless(chance), 3) + drawn(chance, beside(chance), 2)
    chance.shuffle(rules)
    client = {"batch_contacts": most, "rate": "50"}
    # a count does not tell who of a lost batch is stored where the platform stores a part of it, nor can the
    # leftovers of short answers, which have any size, be told apart from lost batches
    unsettled = "part of a batch" if in_part and poison else "short answers" if answer == "short" else ""
    return Scenario(seed, settings, FaultPlan(seed, tuple(rules)), client, contacts, poison, unsettled)


DISTURBANCES = ("another writer", "no count", "partly stored")


def disturbed(seed: int) -> Scenario:
    """An import whose lost answers cannot all be settled."""
    calm = scenario(seed)
    chance = random.Random(f"disturbed:{seed}")
    why = chance.choice(DISTURBANCES)
    rules = [*lossy(chance)[:3], *calm.plan.rules]
    calm = replace(calm, settings=replace(calm.settings, answer="array", partial=False), unsettled=why)
    if why == "another writer":
        rules.append(Fault("other_writer", share=0.3, keep=160, limit=2))
        calm = told_apart(calm)
    elif why == "no count":
        calm = replace(calm, settings=replace(calm.settings, count_field="missing"))
    else:
        rules.insert(0, Fault("partial_store", share=0.1, keep=200, limit=1, status=chance.choice((500, 502, 503))))
        calm = told_apart(calm)
    return replace(calm, plan=FaultPlan(seed, tuple(rules)))


def told_apart(calm: Scenario) -> Scenario:
    """The same with sizes that 160, 200 or 320 contacts too many cannot lead from one choice of batches to another.

    Otherwise a count cannot tell such contacts from batches (decision 0004). Of batches up to 500, in whole cycles, two
    choices of as many differ by less than 100, and one with a batch more by more than 400.
    """
    contacts = sum(size_limit(number, 500) for number in range(3 * CLASSES))
    return replace(calm, poison=frozenset(), client={**calm.client, "batch_contacts": 500}, contacts=contacts)


# --- one import ---------------------------------------------------------------------------------------------------


@dataclass
class Starts:
    """Remembers of every budget of requests, by its home folder, when requests left."""

    by_home: defaultdict[Path, list[float]] = field(default_factory=lambda: defaultdict(list))

    def open(self, url: str | None, home: Path, *more: Any, **named: Any) -> Budget:
        """A budget as it is, with a note of when each request left."""
        budget = open_budget(url, home, *more, **named)
        leave, times = budget.leave, self.by_home[home]

        async def remembered(permit: Permit) -> None:
            await leave(permit)
            times.append(time.monotonic())

        budget.leave = remembered  # type: ignore[method-assign]
        return budget


@contextmanager
def hurried() -> Iterator[Starts]:
    """All runs of this process have a clock that hurries and a pace that is watched."""
    starts = Starts()
    with (
        mock.patch("dialfeed.running.assembly.RealClock", HurriedClock),
        mock.patch("dialfeed.running.assembly.open_budget", starts.open),
    ):
        yield starts


def run_all(scenarios: Iterable[Scenario], folder: Path, *, at_once: int = 6) -> None:
    """Run scenarios, several at once since they mostly wait; all failures are told together."""

    def run(each: Scenario) -> str:
        place = folder / str(each.seed)
        place.mkdir()
        try:
            Campaign(each, place, starts).run()
        except Exception as error:  # noqa: BLE001 - told with those of the others
            return f"{type(error).__name__}: {error}\n"
        shutil.rmtree(place)
        return ""

    with hurried() as starts, ThreadPoolExecutor(at_once) as pool:
        failures = [told for told in pool.map(run, scenarios) if told]
    assert not failures, "\n".join(failures)


@dataclass
class Campaign:
    """One scenario in a folder: its import, as often as needed, and what must hold in the end."""

    scenario: Scenario
    folder: Path
    starts: Starts
    results: list[Result] = field(default_factory=list)

    @property
    def run_dir(self) -> Path:
        return self.folder / "run"

    def settings(self, sandbox: SandboxServer) -> dict[str, Any]:
        """What the user says on the command line and in the environment."""
        return {
            "base_url": sandbox.url,
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            "home": str(self.folder / "home"),
            "limiter": "local",
            "request_timeout": 0.8,
            "settle_grace": GRACE,
            "count_lag": LAG,
            "max_rejected": "100%",
            **self.scenario.client,
        }

    def run(self, *, most: int = 6) -> None:
        """Import, then resume until nothing is left to do; check, and report."""
        file = self.folder / "contacts.csv"
        write_contacts(file, self.scenario.contacts, self.scenario.poison)
        with SandboxServer(self.scenario.settings) as sandbox:
            list_id = sandbox.add_list("Spring", count=self.scenario.seed % 500)
            sandbox.set_faults(self.scenario.plan)
            given = self.settings(sandbox)

            def plan_of(remembered: Mapping[str, Any]) -> Plan:
                return resolve(given, environ={}, remembered=remembered)

            order = Order((str(file),), plan_of({}), list_id, run_dir=self.run_dir)
            self.results.append(import_file(order))
            while not self._ended and len(self.results) < most:
                self.results.append(resume_run(self.run_dir, plan_of))
            check_run(self, sandbox, list_id)

    @property
    def last(self) -> Result:
        return self.results[-1]

    @property
    def _ended(self) -> bool:
        rows = self.last.rows
        return not rows.failed and (not rows.unknown or bool(self.scenario.unsettled)) and self.last.error is None


# --- what must hold -----------------------------------------------------------------------------------------------


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def outcome_of(run_dir: Path) -> dict[str, list[str]]:
    """The externalIds in each of the run's row files."""
    return {name: [row["externalId"] for row in read_rows(run_dir / file)] for name, file in BUCKETS.items()}


@dataclass(frozen=True)
class Books:
    """What a run says of its contacts, beside what the platform has stored.

    Attributes:
        run_dir: The run's folder.
        stored: The externalIds on the list, one for each contact there.
        everybody: How many contacts were imported.
        found: The externalIds in each of the run's row files.
    """

    run_dir: Path
    stored: list[str]
    everybody: int
    found: dict[str, list[str]]

    @classmethod
    def of(cls, run_dir: Path, sandbox: SandboxServer, list_id: str, everybody: int) -> Books:
        """As they stand now."""
        stored = [contact["externalId"] for contact in sandbox.contacts(list_id)]
        return cls(run_dir, stored, everybody, outcome_of(run_dir))

    @property
    def lost(self) -> set[str]:
        """Who is told as delivered and is not on the list."""
        return set(self.found["delivered"]) - set(self.stored)

    @property
    def doubled(self) -> list[str]:
        """Who is on the list more than once."""
        return [name for name, times in Counter(self.stored).items() if times > 1]

    def unknown(self) -> Counter[str]:
        """How many contacts are unknown, by the cause of it."""
        causes: Counter[str] = Counter()
        with Ledger(self.run_dir / "ledger.sqlite") as ledger:
            for entry in ledger.entries():
                if entry.state in {"unknown", "open"}:
                    causes[entry.cause] += entry.batch.size
        return causes

    def note(self, sandbox: SandboxServer, **figures: Any) -> None:
        """Tell this run's figures to the campaign's report."""
        stats = sandbox.stats(tally=False)
        chaos.note(
            contacts=self.everybody,
            delivered=len(self.found["delivered"]),
            lost=len(self.lost),
            doubled=len(self.doubled),
            unknown=self.unknown(),
            faults=stats["faults"],
            requests=sum(sum(each.values()) for each in stats["requests"].values()),
            worst_came_in=stats["worst_second"]["requests"],
            **figures,
        )

    def check(self, *, settled: bool) -> None:
        """Law 1 and law 2."""
        found = self.found
        rows = json.loads((self.run_dir / "summary.json").read_text("utf-8"))["rows"]
        assert {name: len(each) for name, each in found.items()} == {name: rows[name] for name in found}
        assert sum(len(each) for each in found.values()) == rows["read"] == self.everybody
        assert len({name for each in found.values() for name in each}) == self.everybody, "each is in one bucket"
        assert not self.doubled, f"{len(self.doubled)} contacts are on the list twice: {self.doubled[:5]}"
        assert not self.lost, f"{len(self.lost)} delivered contacts are not on the list"
        assert set(self.stored) <= {*found["delivered"], *found["unknown"]}, "what is on the list was given up"
        if settled:
            assert not found["unknown"], "what can be settled is settled"
            assert not found["failed"]


def check_run(campaign: Campaign, sandbox: SandboxServer, list_id: str) -> None:
    """Everything that must hold after a scenario."""
    wanted = campaign.scenario
    books = Books.of(campaign.run_dir, sandbox, list_id, wanted.contacts)
    found = books.found
    rate = float(wanted.client.get("rate", 50))
    worst = worst_window(campaign.starts.by_home[campaign.folder / "home"])
    settled = campaign.last.summary.settled
    books.note(sandbox, unsettled=wanted.unsettled, settled=settled, rate=rate, worst_let_go=worst)
    try:
        books.check(settled=not wanted.unsettled)
        assert not found["failed"]
        if not wanted.unsettled:
            assert sorted(found["refused"]) == [f"C-{number:06}" for number in sorted(wanted.poison)]
        expected = {5} if found["unknown"] else {4} if found["refused"] else {0}
        assert campaign.last.exit_code in expected
        assert worst <= rate, "no second held more starts than the rate"
        assert sandbox.stats()["max_concurrent"]["token"] <= 1, "one token request at a time"
    except AssertionError as error:
        ends = [(result.exit_code, str(result.error or "")) for result in campaign.results]
        raise AssertionError(f"{error}\nseed {wanted.seed}: {wanted}\nends: {ends}") from error
