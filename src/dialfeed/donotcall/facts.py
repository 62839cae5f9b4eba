"""What a do-not-call list says of a number, and what is known of the list: the words of this room.

"Not on the list" is three different answers: checked and absent, not checked, and not covered (`compliance.md` section
0, item 2). So a list answers with a `Verdict`, never with yes or no.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.uint64]
"""E.164 numbers as integers without the plus: 12125550100."""
Verdicts: TypeAlias = NDArray[np.uint8]
"""One `Verdict` a row."""
Moments: TypeAlias = "NDArray[np.datetime64]"
"""Points in time, UTC, whole seconds (`datetime64[s]`); NaT where there is none."""

Channel: TypeAlias = Literal["phone", "email", "account", "all"]
"""What a list holds; `all` is an internal list, which holds phones and e-mails."""
Kind: TypeAlias = Literal["full", "result", "internal"]
"""A file of everybody who is on the list, the answers to numbers that were submitted, or opt-outs one by one."""
State: TypeAlias = Literal["ready", "stale", "damaged", "missing"]

EVERYWHERE: Final = "*"
"""The territory of a list that speaks of every number."""


class Verdict(IntEnum):
    """What one list says of one number, e-mail or account."""

    OUTSIDE = 0
    """Not in the list's territory; the list says nothing of it."""
    CLEAR = 1
    """Checked, and not on the list."""
    NOT_COVERED = 2
    """In the list's territory, but not in the part that was obtained; so it was not checked."""
    LISTED = 3
    """On the list."""
    SCOPED = 4
    """On an internal list, for the topic of this run or because the run names none."""
    NO_DATA = 5
    """The register has no answer for this number and date (`compliance.md` 1.8)."""
    STALE = 6
    """The list is older than it may be, so it clears nobody."""
    DAMAGED = 7
    """The list, or the part of it that holds this number, cannot be trusted."""
    MISSING = 8
    """The list was named, and is not there."""


@dataclass(frozen=True, slots=True)
class ListFacts:
    """What is known of one version of a list.

    Attributes:
        id: The list's name in the home folder.
        version: Counts the list's versions from 1; of an internal list, how many entries it has had.
        authority: Whose list it is: `us`, `state:FL`, `internal` (the keys of `data/regimes.toml`).
        channel: What it holds.
        kind: How it says it.
        territory: Regions (`US`), states (`US-FL`) or `EVERYWHERE`: the numbers that it speaks of.
        coverage: The area codes that were obtained; None for all.
        obtained_at: When the file was obtained from the authority, UTC; of a list made of parts, the oldest part.
        obtained_by: Who obtained it.
        account: The subscription or licence, masked.
        sha256: Of the file it was made from, or of the parts' hashes.
        records: How many numbers, e-mails or accounts it holds.
        malformed: Lines that could not be read and that a person has accepted.
        base_version: The version that a change list was applied to.
        valid_until: The last moment at which it clears anybody; None where it does not age.
        state: Whether it can be used.
        path: Where it lies; not for evidence.
        accepted: Who accepted what against a guard, when and why.
    """

    id: str
    version: int = 0
    authority: str = ""
    channel: Channel = "phone"
    kind: Kind = "full"
    territory: tuple[str, ...] = (EVERYWHERE,)
    coverage: tuple[str, ...] | None = None
    obtained_at: datetime | None = None
    obtained_by: str = ""
    account: str = ""
    sha256: str = ""
    records: int = 0
    malformed: int = 0
    base_version: int | None = None
    valid_until: datetime | None = None
    state: State = "ready"
    path: Path | None = None
    accepted: tuple[dict[str, Any], ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """The facts for the evidence (`compliance.md` section 5): plain values, times in ISO 8601 and UTC."""
        return {
            "list_id": self.id,
            "version": self.version,
            "state": self.state,
            "authority": self.authority,
            "channel": self.channel,
            "kind": self.kind,
            "territory": list(self.territory),
            "coverage": _coverage(self),
            "obtained_at": iso(self.obtained_at),
            "obtained_by": self.obtained_by,
            "account": self.account,
            "sha256": self.sha256,
            "records": self.records,
            "malformed": self.malformed,
            "base_version": self.base_version,
            "valid_until": iso(self.valid_until),
            "accepted": list(self.accepted),
        }


def _coverage(facts: ListFacts) -> str | list[str]:
    if facts.kind == "result":
        return "the numbers that were submitted"
    return "all" if facts.coverage is None else list(facts.coverage)


class PhoneList(Protocol):
    """A list of numbers that a run is scrubbed against."""

    @property
    def facts(self) -> ListFacts:
        """What is known of the list."""
        ...

    @property
    def clears(self) -> bool:
        """Whether CLEAR here counts as checked.

        Registers always do; company lists only in a run that names no register.
        """
        ...

    def look_up(self, numbers: Numbers, states: pl.Series | None = None) -> Verdicts:
        """The `Verdict` on each number.

        Args:
            numbers: The numbers.
            states: The state of each contact as two letters or a name, null where it is not known; a state's list
                speaks of the state's area codes and of whoever lives there (`compliance.md` 1.6).
        """
        ...

    def since(self, numbers: Numbers) -> Moments:
        """When the latest opt-out in force was received, for what a consent must be later than; NaT elsewhere."""
        ...


class TextList(Protocol):
    """A list of e-mail addresses or of accounts that a run is scrubbed against."""

    @property
    def facts(self) -> ListFacts:
        """What is known of the list."""
        ...

    def look_up(self, values: pl.Series) -> Verdicts:
        """The `Verdict` on each value: e-mails in any case, accounts exactly; OUTSIDE for null.

        CLEAR, LISTED and SCOPED speak of the value; STALE, DAMAGED and MISSING of the list, and then of every value.
        """
        ...

    def since(self, values: pl.Series) -> Moments:
        """When the latest opt-out in force was received; NaT elsewhere."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """The lists of a run, in the order in which they were named.

    A list that is missing, or of which not even the description can be read, may have held anything: it is among the
    lists of every channel.
    """

    phone: Sequence[PhoneList]
    email: Sequence[TextList]
    account: Sequence[TextList]

    @property
    def facts(self) -> list[ListFacts]:
        """The facts of each list once, in order of id."""
        told = [one.facts for one in self.phone] + [one.facts for one in (*self.email, *self.account)]
        every = {facts.id: facts for facts in told}
        return [every[name] for name in sorted(every)]

    @property
    def valid_until(self) -> datetime | None:
        """The earliest moment at which one of the lists expires; None where none does."""
        return min((one.valid_until for one in self.facts if one.valid_until is not None), default=None)


def iso(moment: datetime | None) -> str | None:
    """A moment in ISO 8601 and UTC, to the second or as fine as it is."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def never(count: int) -> Moments:
    """NaT for each of `count` rows."""
    return np.full(count, np.datetime64("NaT", "s"))
