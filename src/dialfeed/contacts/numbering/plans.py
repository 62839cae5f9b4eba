"""The numbering plan of a calling code as intervals: its automaton, walked once for each length of a number."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata, PhoneNumberDesc

from dialfeed.contacts.kinds import KINDS
from dialfeed.contacts.numbering.automaton import Automaton, Part, UnsupportedPatternError
from dialfeed.contacts.numbering.verdicts import (
    ASK,
    EITHER,
    FIXED,
    INVALID,
    MOBILE,
    MOST_DIGITS,
    NO_AREA_CODE,
    PREFIXED,
    REGION_NUMBERS,
    TOO_LONG,
    TOO_SHORT,
    pack,
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """One description of the metadata inside the automaton: its positions, and the lengths it allows."""

    first: int
    last: int
    lengths: tuple[int, ...]

    def allows(self, length: int) -> bool:
        return not self.lengths or length in self.lengths


@dataclass(frozen=True, slots=True)
class _RegionRules:
    """What decides whether a number belongs to a region, and of what kind it is.

    Attributes:
        region: Index into `REGIONS`.
        leading: The digits that claim a number for the region, where regions share a calling code.
        general: What every number of the region matches ("the library wants both").
        kinds: Index into `KINDS` and rule of each kind that the region has.
        one_pattern: Fixed lines and mobiles cannot be told apart.
    """

    region: int
    leading: Part | None
    general: _Rule
    kinds: tuple[tuple[int, _Rule], ...]
    one_pattern: bool


@dataclass(frozen=True, slots=True)
class _CodeRules:
    """The rules of one calling code, in one automaton."""

    automaton: Automaton
    regions: tuple[_RegionRules, ...]
    prefix: Part | None
    lengths: tuple[int, ...]
    local_lengths: tuple[int, ...]

    def failure(self, length: int) -> int:
        """The verdict on a number of this length that matches no rule, as the library's ``is_possible_number`` says."""
        if length in self.local_lengths:
            return NO_AREA_CODE
        if length < self.lengths[0]:
            return TOO_SHORT
        return TOO_LONG if length > self.lengths[-1] else INVALID


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A region's rules cut down to one length of number; sets of positions are bits."""

    region: int
    leading: int | None
    general: int
    special: tuple[tuple[int, int], ...]
    fixed: int
    mobile: int
    one_pattern: bool

    def kind(self, state: int) -> int:
        """Index into `KINDS` of a number that ends in ``state``; 0 where it is none of the region's."""
        if not state & self.general:
            return 0
        for kind, last in self.special:
            if state & last:
                return kind
        if state & self.fixed:
            return EITHER if self.one_pattern or state & self.mobile else FIXED
        return MOBILE if not self.one_pattern and state & self.mobile else 0


_Runs: TypeAlias = tuple[tuple[int, int], ...]


class _Walk:
    """All numbers of one length under one calling code, as runs ``(offset, class)`` of equal class."""

    def __init__(self, rules: _CodeRules, length: int) -> None:
        self._automaton = rules.automaton
        self._candidates = tuple(_candidate(region, length) for region in rules.regions)
        self._prefix = rules.prefix.last if rules.prefix else 0
        self._failure = rules.failure(length)
        self._known: dict[tuple[int, int], _Runs] = {}
        self._start = _start(rules, length)
        self._length = length

    def runs(self) -> _Runs:
        """The runs over ``0 .. 10**length - 1``."""
        return self._split(self._start, self._length)

    def _beyond(self, state: int, remaining: int) -> _Runs:
        key = (state, remaining)
        runs = self._known.get(key)
        if runs is None:
            runs = self._known[key] = self._measure(state, remaining)
        return runs

    def _measure(self, state: int, remaining: int) -> _Runs:
        if remaining == 0 or state == 0:
            return ((0, self._class(state)),)
        return self._split(self._automaton.after(state), remaining)

    def _split(self, positions: int, remaining: int) -> _Runs:
        width = 10 ** (remaining - 1)
        runs: list[tuple[int, int]] = []
        previous = -1
        for digit in range(10):
            for offset, kind in self._beyond(self._automaton.reading(positions, digit), remaining - 1):
                if kind != previous:
                    runs.append((digit * width + offset, kind))
                    previous = kind
        return tuple(runs)

    def _class(self, state: int) -> int:
        prefixed = PREFIXED if state & self._prefix else 0
        for candidate in self._candidates:
            if candidate.leading is not None and not state & candidate.leading:
                continue
            kind = candidate.kind(state)
            if kind:
                return pack(kind, candidate.region) | prefixed
            if candidate.leading is not None:  # claimed by its leading digits, so no other region is asked
                break
        return self._failure | prefixed


def _candidate(rules: _RegionRules, length: int) -> _Candidate:
    possible = rules.general.allows(length)
    last = {kind: rule.last for kind, rule in rules.kinds if possible and rule.allows(length)}
    return _Candidate(
        region=rules.region,
        leading=rules.leading.last if rules.leading else None,
        general=rules.general.last if possible else 0,
        special=tuple((kind, positions) for kind, positions in last.items() if kind < FIXED),
        fixed=last.get(FIXED, 0),
        mobile=last.get(MOBILE, 0),
        one_pattern=rules.one_pattern,
    )


def _start(rules: _CodeRules, length: int) -> int:
    """The positions that the first digit of a number of this length may take."""
    start = rules.prefix.first if rules.prefix else 0
    for region in rules.regions:
        start |= region.leading.first if region.leading else 0
        if region.general.allows(length):
            start |= region.general.first
            for _, rule in region.kinds:
                start |= rule.first if rule.allows(length) else 0
    return start


def metadata_of(calling_code: int, region: str) -> PhoneMetadata:
    """The library's metadata of a region.

    Raises:
        UnsupportedPatternError: There is none.
    """
    found = PhoneMetadata.metadata_for_region_or_calling_code(calling_code, region)
    if found is None:
        raise UnsupportedPatternError(f"no metadata for +{calling_code} {region}")
    return found


def general_of(plan: PhoneMetadata) -> PhoneNumberDesc:
    """What all numbers of a plan look like.

    Raises:
        UnsupportedPatternError: The plan does not say.
    """
    if plan.general_desc is None:
        raise UnsupportedPatternError(f"no general description for {plan.id}")
    return plan.general_desc


def _rule(automaton: Automaton, description: PhoneNumberDesc) -> _Rule:
    part = automaton.add(description.national_number_pattern or "")
    return _Rule(part.first, part.last, tuple(description.possible_length))


def _region_rules(automaton: Automaton, calling_code: int, region: str, *, shared: bool) -> _RegionRules:
    plan = metadata_of(calling_code, region)
    described = [(kind, getattr(plan, name)) for kind, name in enumerate(KINDS[:EITHER]) if name]
    present = [(kind, desc) for kind, desc in described if desc and desc.national_number_pattern]
    return _RegionRules(
        region=REGION_NUMBERS[region],
        leading=automaton.add_prefix(plan.leading_digits) if shared and plan.leading_digits else None,
        general=_rule(automaton, general_of(plan)),
        kinds=tuple((kind, _rule(automaton, desc)) for kind, desc in present),
        one_pattern=plan.same_mobile_and_fixed_line_pattern,
    )


def _code_rules(calling_code: int) -> _CodeRules:
    automaton = Automaton()
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[calling_code]
    shared = len(regions) > 1
    rules = tuple(_region_rules(automaton, calling_code, region, shared=shared) for region in regions)
    main = metadata_of(calling_code, regions[0])
    prefix = (main.national_prefix_for_parsing or "").replace("$", "")
    general = general_of(main)
    return _CodeRules(
        automaton=automaton,
        regions=rules,
        prefix=automaton.add_prefix(prefix) if prefix else None,
        lengths=tuple(general.possible_length),
        local_lengths=tuple(general.possible_length_local_only),
    )


Block: TypeAlias = tuple[int, int, _Runs]  # first number, width, runs of classes inside


@cache
def blocks_of(calling_code: int) -> tuple[Block, ...]:
    """Everything that begins with a calling code, up to the most digits: one block for each length."""
    spaces = range(MOST_DIGITS + 1 - len(str(calling_code)))
    try:
        rules = _code_rules(calling_code)
    except UnsupportedPatternError:
        return tuple(uniform_block(calling_code, length, ASK) for length in spaces)
    return tuple(
        (calling_code * 10**length, 10**length, _Walk(rules, length).runs())
        if length > 1
        else uniform_block(calling_code, length, TOO_SHORT)
        for length in spaces
    )


def uniform_block(calling_code: int, length: int, verdict: int) -> Block:
    """All numbers of one length, with one verdict."""
    return calling_code * 10**length, 10**length, ((0, verdict),)
