"""A sandbox with one contact list, and clients that talk to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest
from client_world import ClientWorld, people

from dialfeed.delivery.answers import Answer
from dialfeed.sandbox import Fault, FaultPlan, SandboxServer, Settings


@dataclass
class Rig:
    """A sandbox, one list of it, and a client."""

    sandbox: SandboxServer
    list_id: str
    world: ClientWorld

    def strike(self, kind: Any, **parameters: Any) -> None:
        """Let one fault strike: the first request to its target, unless told otherwise."""
        when = {} if parameters.keys() & {"share", "at", "every", "first"} else {"first": 1}
        self.sandbox.set_faults(FaultPlan(rules=(Fault(kind, **{**when, **parameters}),)))

    def send(self, contacts: pl.DataFrame | None = None) -> Answer:
        return self.world.send(self.list_id, people(10) if contacts is None else contacts)

    @property
    def stored(self) -> int:
        count: int = self.sandbox.stats(tally=False)["lists"][self.list_id]["stored"]
        return count

    def requests(self, target: str) -> dict[str, int]:
        """How often each status was answered by the routes whose name ends so."""
        found: dict[str, int] = {}
        for route, statuses in self.sandbox.stats(tally=False)["requests"].items():
            if route.endswith(target):
                found |= statuses
        return found


MakeRig = Callable[..., Rig]


@pytest.fixture
def make_rig() -> Iterator[MakeRig]:
    with ExitStack() as running:

        def make(timeout: float = 5.0, **settings: Any) -> Rig:
            sandbox = running.enter_context(SandboxServer(Settings(**{"rate_limit": None, **settings})))
            return Rig(sandbox, sandbox.add_list("Spring"), ClientWorld(sandbox.url, timeout=timeout))

        yield make


@pytest.fixture
def rig(make_rig: MakeRig) -> Rig:
    return make_rig()
