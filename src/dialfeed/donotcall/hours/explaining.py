"""The hours of one contact, explained: what each source tells, which laws were read, what they leave, and when next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from dialfeed.contacts.reasons import BY_CODE
from dialfeed.donotcall.hours.clocks import as_text, days_around, minutes_of, zone
from dialfeed.donotcall.hours.columns import doubts_of, evidence_of, hours_on
from dialfeed.donotcall.hours.genesys import ZIP_TRAP, predict
from dialfeed.donotcall.hours.places import NOWHERE, Place
from dialfeed.donotcall.hours.rules import HourRules
from dialfeed.donotcall.hours.rulesfile import Rule, Stretch
from dialfeed.donotcall.hours.windows import Day, Span, clocks_of
from dialfeed.donotcall.hours.zones import Evidence, Whereabouts

SEARCHED_DAYS: Final = 15
"""How far ahead the next hours are looked for: over the longest run of holidays."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One rule on the day.

    Attributes:
        rule: The rule.
        clocks: The zones by whose clocks it was read.
        stretches: Its hours; none on a day without calls.
        closing: The holiday or emergency that closes the day; None otherwise.
    """

    rule: Rule
    clocks: tuple[str, ...]
    stretches: tuple[Stretch, ...]
    closing: str | None

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "jurisdiction": self.rule.jurisdiction,
            "clocks": list(self.clocks),
            "hours": [_hours(stretch) for stretch in self.stretches],
            "closed_for": self.closing,
            "calls_per_day": self.rule.calls_per_day,
            "source": self.rule.source,
            "mark": self.rule.mark,
            "reviewed": self.rule.reviewed.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """The hours of one contact.

    Attributes:
        evidence: What each source tells.
        where: Where the contact may be.
        day: The calendar day that is explained.
        hours: What it holds.
        readings: The rules that were read.
        callable_now: Whether it may be called at the moment that was asked about.
        next: The next hours from then on, those that run already included; None within `SEARCHED_DAYS`.
        facts: Versions of the rules and tables.
        silent: The sources that were given and tell no place.
        zip_trap: Whether Genesys Cloud would give fewer hours for the ZIP code.
    """

    evidence: Evidence
    where: Whereabouts
    day: date
    hours: Day
    readings: tuple[Reading, ...]
    callable_now: bool
    next: Span | None
    facts: dict[str, Any]
    silent: tuple[str, ...]
    zip_trap: bool

    @property
    def doubts(self) -> tuple[str, ...]:
        """Reason codes of what is not certain, and of what a platform would make of it."""
        doubts = doubts_of(self.where, self.hours)
        return (*doubts, ZIP_TRAP) if self.zip_trap else doubts

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON; holds nothing of the number or the address themselves."""
        return {
            "day": self.day.isoformat(),
            "time_zone": self.where.zone,
            "possible_zones": sorted(self.where.zones),
            "jurisdictions": sorted(self.where.jurisdictions),
            "callable": [_span_dict(span) for span in self.hours.spans],
            "callable_now": self.callable_now,
            "next": _span_dict(self.next) if self.next else None,
            "doubts": [{"code": code, "meaning": BY_CODE[code].sentence} for code in self.doubts],
            "evidence": dict(_told(self.evidence)),
            "telling_nothing": list(self.silent),
            "rules": [reading.as_dict() for reading in self.readings],
            "versions": self.facts,
        }


def explain_hours(
    number: int | None,
    zip_code: str | None,
    state: str | None,
    zone_name: str | None,
    now: datetime,
    *,
    rules: HourRules,
    country: str | None = None,
    landline: bool = False,
    day: date | None = None,
) -> Explanation:
    """Explain the hours of one contact.

    Args:
        number: E.164 as an integer without the plus.
        zip_code: Its ZIP or postal code.
        state: Its state or province, by code or name.
        zone_name: Its time zone, by the IANA database's name.
        now: The moment that is asked about.
        rules: What the laws are.
        country: ISO 3166-1.
        landline: Whether the line is verified not to be mobile.
        day: The calendar day to explain; None for today, where the contact is.
    """
    evidence = evidence_of(number, zip_code, state, zone_name, country, landline=landline)
    given = {"time_zone": zone_name, "zip": zip_code, "state": state, "country": country, "number": number}
    today = day or _today(hours_on(evidence, now.date(), rules)[0], now)
    where, hours = hours_on(evidence, today, rules)
    coming = next(_spans_from(evidence, now, rules), None)
    return Explanation(
        evidence=evidence,
        where=where,
        day=today,
        hours=hours,
        readings=tuple(_readings(where, today, rules)),
        callable_now=coming is not None and coming[0] <= minutes_of(now),
        next=coming,
        facts=rules.facts(),
        silent=_silent(evidence, given),
        zip_trap=number is not None and predict(zip_code, (number,), today).trap,
    )


def _today(where: Whereabouts, now: datetime) -> date:
    first = min(where.zones, default=None)
    return now.astimezone(zone(first)).date() if first else now.date()


def _spans_from(evidence: Evidence, now: datetime, rules: HourRules) -> Iterator[Span]:
    """The spans that are not over yet, in order."""
    moment = minutes_of(now)
    days = days_around(now, SEARCHED_DAYS)
    spans: Sequence[Span] = sorted(span for day in days for span in hours_on(evidence, day, rules)[1].spans)
    return (span for span in spans if span[1] > moment)


def _readings(where: Whereabouts, day: date, rules: HourRules) -> Iterator[Reading]:
    for rule in rules.applying(where.jurisdictions, day):
        yield Reading(rule, clocks_of(rule, where.zones), rules.stretches(rule, day), rules.closing(rule, day))


def _by_source(evidence: Evidence) -> dict[str, Place]:
    return {
        "time_zone": evidence.zone,
        "zip": evidence.postal,
        "state": evidence.state,
        "country": evidence.country,
        "number": evidence.number,
    }


def _silent(evidence: Evidence, given: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(source for source, place in _by_source(evidence).items() if given[source] and place == NOWHERE)


def _told(evidence: Evidence) -> Iterator[tuple[str, dict[str, list[str]]]]:
    for source, place in _by_source(evidence).items():
        if place != NOWHERE:
            yield source, {"zones": sorted(place.zones), "jurisdictions": sorted(place.jurisdictions)}


def _span_dict(span: Span) -> dict[str, str]:
    return {"from": as_text(span[0]), "until": as_text(span[1])}


def _hours(stretch: Stretch) -> str:
    first, last = (f"{minute // 60:02}:{minute % 60:02}" for minute in stretch)
    return f"{first}-{last}"
