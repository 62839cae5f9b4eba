"""The rules of calling hours: dated data, each with its source, its mark of trust and the day it was last looked at.

They are read from the data pack in `data/` and, where counsel says otherwise, from a file of the user's in the same
form: its rules replace those of the pack for each jurisdiction that it names. Sources: `compliance.md` section 0,
item 15 (stricter on conflict, show the source, let counsel override), and 1.6.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from dialfeed.contacts.numbering import METADATA_VERSION
from dialfeed.donotcall.hours.calendars import SATURDAY, Calendar
from dialfeed.donotcall.hours.clocks import TZDATA_VERSION
from dialfeed.donotcall.hours.places import zip_table_version
from dialfeed.donotcall.hours.rulesfile import Pack, Rule, Stretch, read_pack
from dialfeed.errors import FixSettings

UnknownPlace: TypeAlias = Literal["narrow", "block"]

UNKNOWN: Final = "unknown"
"""The jurisdiction of a contact whose place nothing tells."""
ANY_COUNTRY: Final = "*"
"""The jurisdiction whose rules hold in countries without rules of their own."""

DATA_FILES: Final = ("area_codes.toml", "holidays.toml", "hours.toml", "platform_hours.toml", "zips.toml", "zones.toml")


@dataclass(frozen=True, eq=False)
class HourRules:
    """What counts for the hours of a run.

    Attributes:
        pack: The rules in force: those of the data pack, with those of counsel in their place.
        sha256: Of the files of the data pack.
        counsel_sha256: Of counsel's file; None without one.
        counsel_version: What it calls itself.
    """

    pack: Pack
    sha256: str
    counsel_sha256: str | None = None
    counsel_version: str | None = None

    @classmethod
    def load(cls, counsel: Path | None = None, *, unknown: UnknownPlace | None = None) -> HourRules:
        """The rules of the data pack, and what counsel replaces.

        Args:
            counsel: A file of rules in the form of `data/hours.toml` and `data/holidays.toml`.
            unknown: What to do where nothing tells a contact's place; None for what the rules say.

        Raises:
            FixSettings: Counsel's file cannot be read, or a rule in it is not whole.
        """
        rules = _packed()
        if counsel is not None:
            rules = rules.with_counsel(_bytes_of(counsel), str(counsel))
        return replace(rules, pack=replace(rules.pack, unknown=unknown)) if unknown else rules

    def with_counsel(self, content: bytes, name: str) -> HourRules:
        """These rules, with those of counsel in the place of every rule for a jurisdiction that they name.

        Raises:
            FixSettings: A rule is not whole.
        """
        theirs = read_pack({name: content}, base=self.pack)
        named = {rule.jurisdiction for rule in theirs.rules}
        merged = replace(
            theirs,
            rules=(*(rule for rule in self.pack.rules if rule.jurisdiction not in named), *theirs.rules),
            calendars={**self.pack.calendars, **theirs.calendars},
            closed=(*self.pack.closed, *theirs.closed),
            version=self.pack.version,
            review_due=self.pack.review_due,
        )
        return replace(
            self, pack=merged, counsel_sha256=hashlib.sha256(content).hexdigest(), counsel_version=theirs.version
        )

    def facts(self) -> dict[str, Any]:
        """What the evidence records of the rules: versions and SHA-256, and the policies."""
        return {
            "rule_pack": self.pack.version,
            "rule_pack_sha256": self.sha256,
            "review_due": self.pack.review_due.isoformat(),
            "counsel": self.counsel_version,
            "counsel_sha256": self.counsel_sha256,
            "tzdata": TZDATA_VERSION,
            "phonenumbers": METADATA_VERSION,
            "zip_table": zip_table_version(),
            "area_code_states": self.pack.area_code_states,
            "unknown_place": self.pack.unknown,
        }

    def presumes(self, jurisdiction: str) -> bool:
        """Whether a state takes everybody with one of its area codes to live there (`compliance.md` 1.6: FL, OK)."""
        return any(rule.presumes == "area_code" for rule in self._by_jurisdiction.get(jurisdiction, ()))

    def applying(self, jurisdictions: Iterable[str], day: date) -> tuple[Rule, ...]:
        """The rules in force on a day: those of each jurisdiction, and those of a state's country."""
        names = dict.fromkeys(name for each in sorted(jurisdictions) for name in self._lineage(each))
        return tuple(rule for name in names for rule in self._by_jurisdiction.get(name, ()) if rule.in_force(day))

    def closing(self, rule: Rule, day: date) -> str | None:
        """Why a rule's jurisdiction allows no calls on a day, whatever its hours; None where it does."""
        for closed in self.pack.closed:
            if closed.jurisdiction == rule.jurisdiction and closed.first <= day <= closed.last:
                return closed.because
        calendar = self.calendar_of(rule)
        return calendar.holiday_on(day) if calendar else None

    def calendar_of(self, rule: Rule) -> Calendar | None:
        """The holidays that a rule keeps."""
        return self.pack.calendars[rule.holidays] if rule.holidays else None

    def stretches(self, rule: Rule, day: date) -> tuple[Stretch, ...]:
        """The hours of a rule on a day, by its clock; none on a day without calls."""
        if self.closing(rule, day) is not None:
            return ()
        weekday = day.weekday()
        return rule.mon_fri if weekday < SATURDAY else rule.sat if weekday == SATURDAY else rule.sun

    def _lineage(self, jurisdiction: str) -> tuple[str, ...]:
        """A state's country and the state; a country without rules stands under those for any country."""
        country = self._covered.get(jurisdiction[:2], jurisdiction[:2])
        if jurisdiction == UNKNOWN:
            return (UNKNOWN,)
        if country not in self._by_jurisdiction:
            return (ANY_COUNTRY,)
        return (country, jurisdiction) if jurisdiction != country else (country,)

    @cached_property
    def _by_jurisdiction(self) -> dict[str, tuple[Rule, ...]]:
        grouped: dict[str, tuple[Rule, ...]] = {}
        for rule in self.pack.rules:
            grouped[rule.jurisdiction] = (*grouped.get(rule.jurisdiction, ()), rule)
        return grouped

    @cached_property
    def _covered(self) -> dict[str, str]:
        return {country: rule.jurisdiction for rule in self.pack.rules for country in rule.covers}


@lru_cache(maxsize=1)
def _packed() -> HourRules:
    folder = resources.files("dialfeed.donotcall") / "data"
    content = {name: (folder / name).read_bytes() for name in DATA_FILES}
    return HourRules(
        read_pack({name: content[name] for name in ("hours.toml", "holidays.toml")}, base=None),
        sha256=_digest(content),
    )


def _digest(content: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256()
    for name, data in sorted(content.items()):
        whole.update(f"{name} {len(data)}\n".encode() + data)
    return whole.hexdigest()


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        raise FixSettings(
            f"The file of calling hours {str(file)!r} cannot be read: {fault.strerror}.",
            advice="Name another with --hours-rules, or leave it out.",
        ) from fault
