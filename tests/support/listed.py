"""Lists of numbers and addresses that tests hold in their hands, as the scrub sees lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import polars as pl

from dialfeed.donotcall.facts import ListFacts, Moments, Numbers, Verdict, Verdicts


def number(text: str) -> int:
    return int(text.removeprefix("+"))


@dataclass
class Listed:
    """Says a verdict of some numbers, and another of all others."""

    authority: str = "us"
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    otherwise: Verdict = Verdict.CLEAR
    clears: bool = True
    name: str = ""
    received: Mapping[str, str] = field(default_factory=dict)

    @property
    def facts(self) -> ListFacts:
        states = {Verdict.STALE: "stale", Verdict.DAMAGED: "damaged", Verdict.MISSING: "missing"}
        return ListFacts(
            id=self.name or self.authority.replace(":", "-").lower(),
            version=3,
            authority=self.authority,
            obtained_at=datetime(2026, 11, 1, tzinfo=UTC),
            state=states.get(self.otherwise, "ready"),  # type: ignore[arg-type]
        )

    def look_up(self, numbers: Numbers, states: pl.Series | None = None) -> Verdicts:
        del states
        said = {number(text): verdict for text, verdict in self.verdicts.items()}
        return np.array([said.get(int(each), self.otherwise) for each in numbers], dtype=np.uint8)

    def since(self, numbers: Numbers) -> Moments:
        known = {number(text): moment for text, moment in self.received.items()}
        return np.array([known.get(int(each), "NaT") for each in numbers], dtype="datetime64[s]")


@dataclass
class ListedTexts:
    """The same for addresses or accounts."""

    channel: str = "email"
    listed: Iterable[str] = ()
    authority: str = "custom"
    otherwise: Verdict = Verdict.CLEAR
    name: str = "texts"

    @property
    def facts(self) -> ListFacts:
        return ListFacts(id=self.name, authority=self.authority, channel=self.channel)  # type: ignore[arg-type]

    def look_up(self, values: pl.Series) -> Verdicts:
        said = {text.lower() for text in self.listed}
        return np.array(
            [
                Verdict.OUTSIDE if each is None else Verdict.LISTED if each.lower() in said else self.otherwise
                for each in values
            ],
            dtype=np.uint8,
        )

    def since(self, values: pl.Series) -> Moments:
        return np.full(len(values), "NaT", dtype="datetime64[s]")
