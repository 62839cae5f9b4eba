"""Guards against the wrong file: what a run is about to load, compared with what its list is used to.

Numbers in, verdicts out. Each guard has a name, by which a user insists (`--insist NAME`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dialfeed.wording import counted

if TYPE_CHECKING:  # the settings name the guards, and `--help` opens no history
    from dialfeed.coordination.history import PastRun

USUAL = 10
"""How many of the last runs say what is usual."""

ENOUGH = 3
"""So many runs make a habit; with fewer, sizes and shares are not judged."""

TIMES_THE_SIZE = 10
TIMES_THE_SHARE = 3
POINTS = 0.05
"""A share is far from history when it is more than three times the largest seen, and five points above it."""

FEW_ROWS = 10
"""So few rows are no share: one bad row of eight says nothing of the file."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a run is about to load.

    Attributes:
        sha256: Of the source's content.
        rows: Rows of the source.
        rejected: Rows that are not fit to load.
        suppressed: Rows that may not be called or written to, on every channel or on some.
        ready: Contacts fit to send.
        count: How many contacts the list has; None where that is not known.
        capacity: How many it takes; None where that is not known.
        identities: Pseudonym of the identities of the contacts fit to send; empty without contacts.
    """

    sha256: str
    rows: int
    rejected: int = 0
    suppressed: int = 0
    ready: int = 0
    count: int | None = None
    capacity: int | None = None
    identities: str = ""

    @property
    def room(self) -> int | None:
        """How many contacts more the list takes; None where that is not known."""
        return None if self.count is None or self.capacity is None else max(0, self.capacity - self.count)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a guard says.

    Attributes:
        guard: Its name.
        sentence: The comparison, where the guard stops the run; else empty.
        facts: The numbers that were compared, for the audit trail.
    """

    guard: str
    sentence: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def stops(self) -> bool:
        """Whether the file looks wrong."""
        return bool(self.sentence)


def judge(load: Load, past: Sequence[PastRun]) -> list[Verdict]:
    """What every guard says.

    Args:
        load: What is about to be loaded.
        past: Earlier runs into the same list, oldest first.
    """
    usual = [each for each in past if each.finished and each.delivered and each.rows][-USUAL:]
    return [
        same_content(load, past),
        empty(load, usual),
        size(load, usual),
        rejected(load, usual),
        suppressed(load, usual),
        room(load),
    ]


def same_content(load: Load, past: Sequence[PastRun]) -> Verdict:
    """The same content has been loaded into this list, or a run that was loading it has not come to its end.

    It is the same by its bytes, or by who is in it: a file that was exported anew holds the same contacts in another
    order or form, and so may the mended rows of another run. A list that holds fewer contacts now than were delivered
    then has been emptied since: it may be loaded again.
    """
    name = "same-content"
    facts: dict[str, Any] = {"sha256": load.sha256, "identities": load.identities}
    loaded = [each for each in past if each.delivered or not each.finished]
    same = [each for each in loaded if each.sha256 == load.sha256 or _same_contacts(load, each)]
    if not same:
        return Verdict(name, facts=facts)
    last = same[-1]
    facts |= {"earlier_run": last.run, "delivered": last.delivered, "finished": last.finished, "count": load.count}
    if load.count is not None and load.count < max(last.delivered, 1):
        return Verdict(name, facts=facts)
    what, were = ("content", "was") if last.sha256 == load.sha256 else ("contacts", "were")
    if not last.finished:
        sentence = f"Run {last.run} was loading the same {what} into this list and has not come to its end: "
        return Verdict(name, sentence + f"`dialfeed resume {last.run}` goes on with it.", facts)
    sentence = f"The same {what} {were} loaded into this list on {last.time[:10]} (run {last.run}, "
    return Verdict(name, sentence + f"{counted(last.delivered, 'contact')} delivered).", facts)


def _same_contacts(load: Load, earlier: PastRun) -> bool:
    return bool(load.identities) and earlier.identities == load.identities


def empty(load: Load, usual: Sequence[PastRun]) -> Verdict:
    """A source without rows, where earlier ones had some."""
    facts = {"rows": load.rows, "runs": len(usual)}
    if load.rows or not usual:
        return Verdict("empty", facts=facts)
    sentence = f"The file has a header and no rows; the last one for this list had {usual[-1].rows:,}."
    return Verdict("empty", sentence, facts)


def size(load: Load, usual: Sequence[PastRun]) -> Verdict:
    """Ten times as many rows as usual."""
    if len(usual) < ENOUGH:
        return Verdict("size", facts={"rows": load.rows, "runs": len(usual)})
    median = sorted(each.rows for each in usual)[len(usual) // 2]
    facts = {"rows": load.rows, "runs": len(usual), "median": median}
    if load.rows < TIMES_THE_SIZE * median:
        return Verdict("size", facts=facts)
    sentence = (
        f"The file has {counted(load.rows, 'row')}; the last {len(usual)} for this list had {median:,} in the middle."
    )
    return Verdict("size", sentence, facts)


def rejected(load: Load, usual: Sequence[PastRun]) -> Verdict:
    """Many more rejected rows than usual."""
    return _share("rejected", "rejected", load, usual, lambda each: each.rejected)


def suppressed(load: Load, usual: Sequence[PastRun]) -> Verdict:
    """Many more suppressed rows than usual, or many fewer: then the flags may have got lost."""
    more = _share("suppressed", "suppressed, wholly or in part", load, usual, lambda each: each.suppressed)
    if more.stops or len(usual) < ENOUGH:
        return more
    share, least = load.suppressed / max(1, load.rows), min(each.suppressed / each.rows for each in usual)
    facts = more.facts | {"least": round(least, 4)}
    missing = least * load.rows - load.suppressed
    if not (share * TIMES_THE_SHARE < least and least - share >= POINTS and missing >= FEW_ROWS):
        return Verdict("suppressed", facts=facts)
    sentence = (
        f"Only {_percent(share)} of the rows are suppressed, wholly or in part; in the last {len(usual)} files for "
    )
    told = f"{sentence}this list it was at least {_percent(least)}. Are the do-not-call flags there?"
    return Verdict("suppressed", told, facts)


def room(load: Load) -> Verdict:
    """More contacts than the list has room for."""
    facts = {"ready": load.ready, "count": load.count, "capacity": load.capacity}
    if load.room is None or load.ready <= load.room:
        return Verdict("room", facts=facts)
    sentence = f"The file has {counted(load.ready, 'contact')} fit to send and the list has room for {load.room:,}: "
    return Verdict("room", f"{sentence}it has {load.count:,} of {load.capacity:,}.", facts)


GUARDS = ("same-content", "empty", "size", "rejected", "suppressed", "room")
"""The names of the guards, in the order in which they judge."""


def _share(
    name: str, what: str, load: Load, usual: Sequence[PastRun], part: Callable[[Load | PastRun], int]
) -> Verdict:
    share = part(load) / max(1, load.rows)
    facts: dict[str, Any] = {"rows": load.rows, name: part(load), "runs": len(usual)}
    if len(usual) < ENOUGH:
        return Verdict(name, facts=facts)
    most = max(part(each) / each.rows for each in usual)
    facts["most"] = round(most, 4)
    far = share > TIMES_THE_SHARE * most and share - most >= POINTS and part(load) >= FEW_ROWS
    if not far:
        return Verdict(name, facts=facts)
    sentence = f"{_percent(share)} of the rows are {what} ({part(load):,} of {load.rows:,}); in the last {len(usual)} "
    return Verdict(name, f"{sentence}files for this list it was at most {_percent(most)}.", facts)


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
