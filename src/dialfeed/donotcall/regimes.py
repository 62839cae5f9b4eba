"""The rules of each kind of list, read from `data/regimes.toml`: whose numbers, how old it may be, what absence means.

Sources: `compliance.md` sections 0, 1.1, 1.4, 1.5, 1.7, 1.8, 2 and 7; each rule names its own, and the day of its last
review.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, cast

from dialfeed.donotcall import packs
from dialfeed.donotcall.facts import Channel
from dialfeed.errors import FixSettings

_TABLES = {"pack", "deadline", "shrinking", "widening"}


@dataclass(frozen=True, slots=True)
class Regime:
    """The rules of one authority's list.

    Attributes:
        authority: As the user writes it: `us`, `state:FL`.
        title: For people.
        model: `full` for a file of everybody on the list, `result` for answers to submitted numbers.
        clears_always: Whether absence counts as a check in every run, or only where no such list is named.
        channels: What such a list may hold.
        territory: Regions, states (`US-FL`) or `EVERYWHERE`.
        area_codes: Whether it is obtained by area codes.
        answers: How its result files are written (`listfiles.answers`); empty where there are none.
        query_dates: Whether each answer is the answer for a date.
        max_age: From the moment it was obtained; None where it does not age.
        age_known: Whether the rule says how old it may be, or the user has to.
        ends: The day from which it clears nobody.
        mark: How sure the rule is: H, M or L.
        source: Sections of `compliance.md`.
        reviewed: When it was last looked at.
    """

    authority: str
    title: str
    model: Literal["full", "result"]
    clears_always: bool
    channels: tuple[Channel, ...]
    territory: tuple[str, ...]
    area_codes: bool
    answers: str
    query_dates: bool
    max_age: timedelta | None
    age_known: bool
    ends: date | None
    mark: str
    source: str
    reviewed: date

    def age_of(self, stated: timedelta | None) -> timedelta | None:
        """How old a list may be, given what the user states.

        Raises:
            FixSettings: Nothing is known, or the user wants more than a rule that is certain.
        """
        if stated is None:
            if not self.age_known:
                raise FixSettings(
                    f"How old a list of {self.authority} may be is not known: it differs by state.",
                    advice="Say it with --max-age, for example --max-age 90d.",
                )
            return self.max_age
        if self.max_age is not None and stated > self.max_age and self.mark == "H":
            raise FixSettings(
                f"A list of {self.authority} may be {self.max_age.days} days old at most (source: {self.source}).",
                advice="Leave out --max-age, or give a shorter one.",
            )
        return stated

    def valid_until(self, obtained: datetime, age: timedelta | None) -> datetime | None:
        """The last moment at which a list that was obtained then clears anybody."""
        ends = datetime(self.ends.year, self.ends.month, self.ends.day, tzinfo=UTC) if self.ends else None
        limits = [limit for limit in (obtained + age if age is not None else None, ends) if limit is not None]
        return min(limits, default=None)


@dataclass(frozen=True, slots=True)
class Deadline:
    """By when an opt-out must be in force.

    Attributes:
        regions: Of whose numbers; empty for any.
        channel: Of which channel; None for phones.
        days: Calendar days.
        business_days: Monday to Friday.
    """

    regions: tuple[str, ...]
    channel: str | None
    days: int
    business_days: int


def regime_of(authority: str) -> Regime:
    """The rules of an authority.

    Raises:
        FixSettings: There is no such authority.
    """
    name, _, state = authority.partition(":")
    rule = _rules().get(name)
    if name in _TABLES or rule is None or bool(state) != ("states" in rule):
        raise FixSettings(f"There is no authority {authority!r}.", advice=f"It is one of {', '.join(authorities())}.")
    if state and state not in rule["states"]:
        raise FixSettings(
            f"No list of the state {state!r} is known.",
            advice=f"States with a list of their own: {', '.join(rule['states'])}. Others: --authority custom.",
        )
    return _regime(authority, rule, (f"US-{state}",) if state else tuple(rule["regions"]))


def authorities() -> list[str]:
    """How authorities are written."""
    return [f"{name}:XX" if "states" in rule else name for name, rule in _rules().items() if name not in _TABLES]


@lru_cache(maxsize=1 << 12)  # opt-outs come in thousands, and most are received now
def must_apply_by(received: datetime, region: str | None, channel: str) -> datetime:
    """By when an opt-out must be in force at the latest, at the strictest rule that fits; else at once.

    Args:
        received: When it was received, with its zone.
        region: The number's region; None for an e-mail.
        channel: `phone` or `email`.
    """
    fitting = [
        one
        for one in _deadlines()
        if (one.channel or "phone") == channel and (not one.regions or region in one.regions)
    ]
    return min((_add(received, one) for one in fitting), default=received)


def widens_from() -> date:
    """The day from which an opt-out from one topic counts for all (`compliance.md` section 0, item 12)."""
    return cast("date", _rules()["widening"]["from"])


def shrinks_too_much(before: int, after: int) -> bool:
    """Whether a list has lost so many records that it was perhaps not obtained as a whole."""
    rule = _rules()["shrinking"]
    return bool(before >= rule["records"] and after < before * (1 - rule["share"]))


def rule_pack() -> dict[str, str]:
    """Id and SHA-256 of the rules, for the evidence."""
    return packs.rule_pack("regimes").told()


def _add(received: datetime, rule: Deadline) -> datetime:
    moment = received + timedelta(days=rule.days)
    for _ in range(rule.business_days):
        moment += timedelta(days=1)
        while moment.weekday() >= 5:
            moment += timedelta(days=1)
    return moment


def _regime(authority: str, rule: dict[str, Any], territory: tuple[str, ...]) -> Regime:
    age = rule.get("max_age")
    return Regime(
        authority=authority,
        title=rule["title"],
        model=rule["model"],
        clears_always=rule["clears"] == "always",
        channels=tuple(rule["channels"]),
        territory=territory,
        area_codes=rule.get("area_codes", False),
        answers=rule.get("answers", ""),
        query_dates=rule.get("query_dates", False),
        max_age=timedelta(days=age) if isinstance(age, int) else None,
        age_known=age is not None,
        ends=rule.get("ends"),
        mark=rule["mark"],
        source=rule["source"],
        reviewed=rule["reviewed"],
    )


def _deadlines() -> list[Deadline]:
    return [
        Deadline(tuple(one.get("regions", ())), one.get("channel"), one.get("days", 0), one.get("business_days", 0))
        for one in _rules()["deadline"]
    ]


def _rules() -> dict[str, Any]:
    return packs.rule_pack("regimes").rules
