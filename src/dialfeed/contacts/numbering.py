"""The world's numbering plans as sorted tables: libphonenumber's verdict on a whole column at once.

The library judges one number at a time with a row of regular expressions. These use nothing but digits, digit classes,
groups, alternatives and counts, so the rules of a calling code are one finite automaton over digits. Walked once for
each length, it yields the intervals of E.164 numbers (as integers) that share a verdict: 49,000 for the whole world,
compiled in half a second, and only for the calling codes that occur. A column is then judged by one binary search.

What is written in national form, or with a prefix that has to go first, takes `_dial` and `_strip_prefix`: the
library's own ``parse``, step by step, over columns. What neither can say (more than 19 digits, a pattern of a kind
not seen yet) goes to the library itself, once for each distinct text and region.

Sources: the metadata of the `phonenumbers` package; `dependencies.md` section A and "Surprises and traps".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import phonenumbers
import polars as pl
from numpy.typing import NDArray
from phonenumbers.phonemetadata import PhoneMetadata, PhoneNumberDesc

METADATA_VERSION: Final[str] = phonenumbers.__version__
"""Version of the numbering metadata, for reports: "Metadata moves between releases" (`compliance.md` section 9)."""

VALID, TOO_SHORT, TOO_LONG, NO_AREA_CODE, INVALID, UNKNOWN_COUNTRY_CODE, NO_COUNTRY = range(7)
_ASK, _UNSEEN = 14, 15

VERDICT_CODES: Final[tuple[str | None, ...]] = (
    None,
    "phone.too_short",
    "phone.too_long",
    "phone.no_area_code",
    "phone.invalid",
    "phone.unknown_country_code",
    "phone.no_country",
)
"""Reason code of each verdict; valid has none."""

KINDS: Final[tuple[str | None, ...]] = (
    None,
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
    "fixed_line",
    "mobile",
    "fixed_line_or_mobile",
)
"""libphonenumber's types, in the order in which the library tries them."""

WORLD: Final = "001"
"""What the library calls the region of a calling code without a country (+800, +883)."""

REGIONS: Final[tuple[str | None, ...]] = (None, *sorted(phonenumbers.SUPPORTED_REGIONS), WORLD)
_REGION_NUMBERS: Final[dict[str | None, int]] = {region: number for number, region in enumerate(REGIONS)}

_FIXED, _MOBILE, _EITHER = 9, 10, 11
_KIND_SHIFT, _REGION_SHIFT = 4, 8
_PREFIXED: Final = 1 << 17
_MOST_DIGITS: Final = 19  # all that is below 10**19 fits into 64 bits
_HOPELESS: Final = 40  # digits: no international, national and calling code can explain so many

Integers: TypeAlias = NDArray[np.uint64]
Classes: TypeAlias = NDArray[np.uint32]
Rows: TypeAlias = NDArray[np.integer]


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """Verdicts on a column, one element a row.

    Attributes:
        numbers: The E.164 number without its plus; meaningless where the verdict is not `VALID`.
        classes: Packed verdict, kind and region; the functions `verdicts`, `kinds` and `regions` unpack it.
    """

    numbers: Integers
    classes: Classes

    def verdicts(self) -> Classes:
        """Index into `VERDICT_CODES`."""
        return self.classes & np.uint32(15)

    def kinds(self) -> Classes:
        """Index into `KINDS`; 0 where the number is not valid."""
        return (self.classes >> np.uint32(_KIND_SHIFT)) & np.uint32(15)

    def regions(self) -> Classes:
        """Index into `REGIONS`; 0 where the number is not valid."""
        return (self.classes >> np.uint32(_REGION_SHIFT)) & np.uint32(511)


def _pack(kind: int, region: int) -> int:
    return VALID | kind << _KIND_SHIFT | region << _REGION_SHIFT


# --- patterns to an automaton -----------------------------------------------------------------------------------------


class UnsupportedPatternError(ValueError):
    """The metadata hold a pattern of a kind that the tables cannot say."""


class _Part(NamedTuple):
    """A piece of a pattern inside the automaton.

    Attributes:
        empty: Whether it matches the empty text.
        first: The positions it may begin with, as bits.
        last: The positions it may end with, as bits.
    """

    empty: bool
    first: int
    last: int


_NOTHING: Final = _Part(empty=True, first=0, last=0)
_ANY_DIGIT: Final = frozenset(range(10))
_CLASS: Final = re.compile(r"(?:[0-9](?:-[0-9])?)+")
_CLASS_RANGE: Final = re.compile(r"([0-9])(?:-([0-9]))?")


class _Automaton:
    """Glushkov's automaton: each digit of a pattern is a position, and a state is the set of positions reached.

    Sets of positions are the bits of an int. All patterns of a calling code live in one automaton.
    """

    def __init__(self) -> None:
        self._follow: list[int] = []
        self._reads = [0] * 10
        self._after: dict[int, int] = {}

    def add(self, pattern: str) -> _Part:
        """Add a pattern of the metadata.

        Raises:
            UnsupportedPatternError: It holds more than digits, classes, groups, alternatives and counts.
        """
        part, end = self._alternatives(pattern, 0)
        if end != len(pattern):
            raise UnsupportedPatternError(pattern[end:])
        return part

    def add_prefix(self, pattern: str) -> _Part:
        """Add a pattern that is met as soon as the number begins with it (and not with the empty text)."""
        part = self.add(pattern)
        rest = self._position(_ANY_DIGIT)
        self._link(part.last | rest, rest)
        return _Part(empty=False, first=part.first, last=part.last | rest)

    def after(self, state: int) -> int:
        """The positions that may follow a state, whatever the next digit is."""
        known = self._after.get(state)
        if known is None:
            known = self._after[state] = self._followers(state)
        return known

    def reading(self, positions: int, digit: int) -> int:
        """The state reached when ``digit`` is read at one of the ``positions``."""
        return positions & self._reads[digit]

    def _followers(self, state: int) -> int:
        union = 0
        for position in _bits(state):
            union |= self._follow[position]
        return union

    def _alternatives(self, pattern: str, at: int) -> tuple[_Part, int]:
        part, at = self._sequence(pattern, at)
        while pattern[at : at + 1] == "|":
            other, at = self._sequence(pattern, at + 1)
            part = _Part(part.empty or other.empty, part.first | other.first, part.last | other.last)
        return part, at

    def _sequence(self, pattern: str, at: int) -> tuple[_Part, int]:
        whole = _NOTHING
        while at < len(pattern) and pattern[at] not in "|)":
            part, at = self._counted(pattern, at)
            whole = self._join(whole, part)
        return whole, at

    def _counted(self, pattern: str, at: int) -> tuple[_Part, int]:
        part, end = self._atom(pattern, at)
        least, most, after = _count(pattern, end)
        whole = _NOTHING
        for copy in range(most):
            if copy:  # each repetition needs positions of its own
                part, _ = self._atom(pattern, at)
            whole = self._join(whole, part if copy < least else part._replace(empty=True))
        return whole, after

    def _atom(self, pattern: str, at: int) -> tuple[_Part, int]:
        if pattern[at] == "(":
            part, end = self._alternatives(pattern, at + 3 if pattern.startswith("(?:", at) else at + 1)
            if pattern[end : end + 1] != ")":
                raise UnsupportedPatternError(pattern[at:])
            return part, end + 1
        digits, end = _digit_class(pattern, at)
        bit = self._position(digits)
        return _Part(empty=False, first=bit, last=bit), end

    def _join(self, left: _Part, right: _Part) -> _Part:
        self._link(left.last, right.first)
        return _Part(
            left.empty and right.empty,
            left.first | right.first if left.empty else left.first,
            right.last | left.last if right.empty else right.last,
        )

    def _link(self, last: int, first: int) -> None:
        for position in _bits(last):
            self._follow[position] |= first

    def _position(self, digits: Iterable[int]) -> int:
        bit = 1 << len(self._follow)
        self._follow.append(0)
        for digit in digits:
            self._reads[digit] |= bit
        return bit


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


def _count(pattern: str, at: int) -> tuple[int, int, int]:
    """Read ``?``, ``{n}`` or ``{n,m}``: least, most and where the pattern goes on."""
    if pattern[at : at + 1] == "?":
        return 0, 1, at + 1
    if pattern[at : at + 1] != "{":
        return 1, 1, at
    end = pattern.index("}", at)
    least, _, most = pattern[at + 1 : end].partition(",")
    return int(least), int(most or least), end + 1


def _digit_class(pattern: str, at: int) -> tuple[Iterable[int], int]:
    if pattern.startswith("\\d", at):
        return _ANY_DIGIT, at + 2
    if pattern[at] == "[":
        end = pattern.index("]", at)
        return _class_members(pattern[at + 1 : end]), end + 1
    if pattern[at] in "0123456789":
        return (int(pattern[at]),), at + 1
    raise UnsupportedPatternError(pattern[at:])


def _class_members(inside: str) -> set[int]:
    if not _CLASS.fullmatch(inside):
        raise UnsupportedPatternError(inside)
    members: set[int] = set()
    for first, last in _CLASS_RANGE.findall(inside):
        members.update(range(int(first), int(last or first) + 1))
    return members


# --- an automaton to intervals ----------------------------------------------------------------------------------------


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
    leading: _Part | None
    general: _Rule
    kinds: tuple[tuple[int, _Rule], ...]
    one_pattern: bool


@dataclass(frozen=True, slots=True)
class _CodeRules:
    """The rules of one calling code, in one automaton."""

    automaton: _Automaton
    regions: tuple[_RegionRules, ...]
    prefix: _Part | None
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
            return _EITHER if self.one_pattern or state & self.mobile else _FIXED
        return _MOBILE if not self.one_pattern and state & self.mobile else 0


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
        prefixed = _PREFIXED if state & self._prefix else 0
        for candidate in self._candidates:
            if candidate.leading is not None and not state & candidate.leading:
                continue
            kind = candidate.kind(state)
            if kind:
                return _pack(kind, candidate.region) | prefixed
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
        special=tuple((kind, positions) for kind, positions in last.items() if kind < _FIXED),
        fixed=last.get(_FIXED, 0),
        mobile=last.get(_MOBILE, 0),
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


def _metadata(calling_code: int, region: str) -> PhoneMetadata:
    found = PhoneMetadata.metadata_for_region_or_calling_code(calling_code, region)
    if found is None:
        raise UnsupportedPatternError(f"no metadata for +{calling_code} {region}")
    return found


def _general(plan: PhoneMetadata) -> PhoneNumberDesc:
    if plan.general_desc is None:
        raise UnsupportedPatternError(f"no general description for {plan.id}")
    return plan.general_desc


def _rule(automaton: _Automaton, description: PhoneNumberDesc) -> _Rule:
    part = automaton.add(description.national_number_pattern or "")
    return _Rule(part.first, part.last, tuple(description.possible_length))


def _region_rules(automaton: _Automaton, calling_code: int, region: str, *, shared: bool) -> _RegionRules:
    plan = _metadata(calling_code, region)
    described = [(kind, getattr(plan, name)) for kind, name in enumerate(KINDS[:_EITHER]) if name]
    present = [(kind, desc) for kind, desc in described if desc and desc.national_number_pattern]
    return _RegionRules(
        region=_REGION_NUMBERS[region],
        leading=automaton.add_prefix(plan.leading_digits) if shared and plan.leading_digits else None,
        general=_rule(automaton, _general(plan)),
        kinds=tuple((kind, _rule(automaton, desc)) for kind, desc in present),
        one_pattern=plan.same_mobile_and_fixed_line_pattern,
    )


def _code_rules(calling_code: int) -> _CodeRules:
    automaton = _Automaton()
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[calling_code]
    shared = len(regions) > 1
    rules = tuple(_region_rules(automaton, calling_code, region, shared=shared) for region in regions)
    main = _metadata(calling_code, regions[0])
    prefix = (main.national_prefix_for_parsing or "").replace("$", "")
    general = _general(main)
    return _CodeRules(
        automaton=automaton,
        regions=rules,
        prefix=automaton.add_prefix(prefix) if prefix else None,
        lengths=tuple(general.possible_length),
        local_lengths=tuple(general.possible_length_local_only),
    )


_Block: TypeAlias = tuple[int, int, _Runs]  # first number, width, runs of classes inside


@cache
def _blocks(calling_code: int) -> tuple[_Block, ...]:
    """Everything that begins with a calling code, up to the most digits: one block for each length."""
    spaces = range(_MOST_DIGITS + 1 - len(str(calling_code)))
    try:
        rules = _code_rules(calling_code)
    except UnsupportedPatternError:
        return tuple(_uniform(calling_code, length, _ASK) for length in spaces)
    return tuple(
        (calling_code * 10**length, 10**length, _Walk(rules, length).runs())
        if length > 1
        else _uniform(calling_code, length, TOO_SHORT)
        for length in spaces
    )


def _uniform(calling_code: int, length: int, verdict: int) -> _Block:
    return calling_code * 10**length, 10**length, ((0, verdict),)


# --- intervals to verdicts --------------------------------------------------------------------------------------------


class _Table(NamedTuple):
    """Calling codes, sorted first numbers of their intervals, the class of each, and a short cut for North America.

    Most numbers of most columns begin with +1. ``american`` holds one class for each block of 10,000 numbers (area code
    and exchange), `_MIXED` where a block holds more than one: an index in place of a search, five times as fast.
    """

    codes: frozenset[int]
    starts: Integers
    classes: Classes
    american: Classes

    def look_up(self, numbers: Integers) -> Classes:
        # What is below the first block wraps around, and ends up far above the last one.
        blocks = numbers // _BLOCK - _FIRST_BLOCK
        american = blocks < np.uint64(len(self.american))
        if not american.all():
            classes = np.full(len(numbers), _MIXED, np.uint32)
            classes[american] = self.american[blocks[american]]
        else:
            classes = self.american[blocks]
        rest = np.flatnonzero(classes == _MIXED)
        if rest.size:
            classes[rest] = self._search(numbers[rest])
        return classes

    def _search(self, numbers: Integers) -> Classes:
        return self.classes[np.searchsorted(self.starts, numbers, side="right") - 1]


_BLOCK: Final = np.uint64(10**4)
_FIRST_BLOCK: Final = np.uint64(10**6)
_MIXED: Final = 13


def _table(calling_codes: frozenset[int]) -> _Table:
    """The table of some calling codes; all others are `_UNSEEN`, and what is no calling code is unknown."""
    blocks: list[_Block] = []
    for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        lengths = range(_MOST_DIGITS + 1 - len(str(code)))
        blocks += _blocks(code) if code in calling_codes else [_uniform(code, length, _UNSEEN) for length in lengths]
    starts, classes = zip(*_merged(_spread(sorted(blocks))), strict=True)
    american = _american() if 1 in calling_codes else np.zeros(0, np.uint32)
    return _Table(calling_codes, np.array(starts, np.uint64), np.array(classes, np.uint32), american)


@cache
def _american() -> Classes:
    """The class of each block of 10,000 numbers from +1 000 000 0000 on."""
    runs = next(runs for _, width, runs in _blocks(1) if width == 10**10)
    ends = (*(start for start, _ in runs[1:]), 10**10)
    classes = np.full(10**6, _MIXED, np.uint32)
    for (start, kind), end in zip(runs, ends, strict=True):
        classes[-(-start // 10**4) : end // 10**4] = kind  # whole blocks only
    return classes


def first_numbers(calling_codes: frozenset[int]) -> Integers:
    """Where the verdict changes among the numbers of some calling codes, in ascending order, for comparisons."""
    starts = (first + offset for code in calling_codes for first, _, runs in _blocks(code) for offset, _ in runs)
    return np.array(sorted(starts), np.uint64)


def _spread(blocks: Iterable[_Block]) -> Iterator[tuple[int, int]]:
    """Runs over all numbers: the blocks' own, and the gaps between them."""
    yield 0, TOO_SHORT
    end = 100  # below, the library does not even look for a calling code
    for first, width, runs in blocks:
        if first > end:
            yield end, UNKNOWN_COUNTRY_CODE
        if first >= 100:
            yield from ((first + offset, kind) for offset, kind in runs)
            end = first + width
    yield end, UNKNOWN_COUNTRY_CODE


def _merged(runs: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    previous = -1
    for start, kind in runs:
        if kind != previous:
            yield start, kind
        previous = kind


class _World:
    """The table of the calling codes met so far. It grows; an answer never depends on what it has met before."""

    def __init__(self) -> None:
        self._table = _table(frozenset())

    def classify(self, numbers: Integers) -> Classes:
        """The class of numbers in international form, none of them longer than `_MOST_DIGITS` digits."""
        table = self._table  # one table from here on, whatever other threads put in its place
        classes = table.look_up(numbers)
        unseen = classes == _UNSEEN
        if unseen.any():
            table = self._table = _table(table.codes | _calling_codes(numbers[unseen]))
            classes = table.look_up(numbers)
        return classes


@lru_cache(maxsize=1)
def _world() -> _World:
    return _World()


def _calling_codes(numbers: Integers) -> frozenset[int]:
    """The calling codes of numbers that have one."""
    starts = pl.Series(numbers, dtype=pl.UInt64).cast(pl.String).str.slice(0, 3).unique()
    return frozenset(_calling_code(start) for start in starts)


@cache
def _calling_code(start: str) -> int:
    codes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    return next((int(start[:size]) for size in (1, 2, 3) if int(start[:size]) in codes), 0)


# --- what the library's parse does with a written number, over columns ------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Dialling:
    """How numbers are written in one region; the patterns are anchored and use ASCII digits only.

    Attributes:
        code: The calling code.
        abroad: The international prefixes (IDD), and what follows them as the only group.
        prefix: The national prefix and carrier codes, or None.
        groups: How many groups ``prefix`` captures.
        rewrite: What replaces the prefix where its last group took part, or None.
        general: What every national number matches.
        lengths: The possible lengths of a national number.
        local_lengths: The lengths that lack an area code.
    """

    code: str
    abroad: str
    prefix: str | None
    groups: int
    rewrite: str | None
    general: str
    lengths: tuple[int, ...]
    local_lengths: tuple[int, ...]

    def too_long(self, digits: pl.Series) -> pl.Series:
        """Whether numbers have more digits than any of the region."""
        sizes = digits.str.len_bytes()
        return (sizes > self.lengths[-1]) & ~sizes.is_in(self.local_lengths)

    def complete(self, digits: pl.Series) -> pl.Series:
        """Whether numbers are long enough for what was stripped to have been a prefix."""
        return digits.str.len_bytes().is_in(self.lengths) | self.too_long(digits)


def _ascii(pattern: str) -> str:
    """A pattern for columns, where a bare digit sign would mean the digits of every script."""
    _Automaton().add(pattern.replace("$", ""))  # raises where the pattern is of a kind not known here
    return pattern.replace("\\d", "[0-9]")


@cache
def _dialling(calling_code: int, region: str) -> _Dialling | None:
    """How numbers are written in a region; None where the metadata say it in a way not known here."""
    try:
        return _read_dialling(calling_code, _metadata(calling_code, region))
    except UnsupportedPatternError:
        return None


def _read_dialling(calling_code: int, plan: PhoneMetadata) -> _Dialling:
    general = _general(plan)
    prefix = plan.national_prefix_for_parsing
    rewrite = plan.national_prefix_transform_rule
    abroad = _ascii(plan.international_prefix) if plan.international_prefix else _NEVER
    return _Dialling(
        code=str(calling_code),
        abroad=f"^(?:{abroad})([0-9]*)$",
        prefix=f"^(?:{_ascii(prefix)})" if prefix else None,
        groups=re.compile(prefix).groups if prefix else 0,
        rewrite=re.sub(r"\\([0-9])", r"${\1}", rewrite) if rewrite else None,
        general=f"^(?:{_ascii(general.national_number_pattern or '')})$",
        lengths=tuple(general.possible_length),
        local_lengths=tuple(general.possible_length_local_only),
    )


_NEVER: Final = "[^0-9]"  # a pattern that no digits match


def _main_dialling(calling_code: int) -> _Dialling | None:
    return _dialling(calling_code, phonenumbers.region_code_for_country_code(calling_code))


def _strip_prefix(digits: pl.Series, dialling: _Dialling) -> pl.Series:
    """Take away the national prefix and carrier code, unless that turns a possible number into an impossible one."""
    if dialling.prefix is None:
        return digits
    stripped = _without_prefix(digits, dialling.prefix, dialling.groups, dialling.rewrite)
    spoilt = (stripped != digits) & ~stripped.str.contains(dialling.general)
    if spoilt.any():
        spoilt &= digits.str.contains(dialling.general)
        return digits.zip_with(spoilt, stripped)
    return stripped


def _without_prefix(digits: pl.Series, prefix: str, groups: int, rewrite: str | None) -> pl.Series:
    stripped = digits.str.replace(prefix, "")
    if rewrite is None:
        return stripped
    rewritten = digits.str.replace(prefix, rewrite)
    return rewritten.zip_with(digits.str.extract(prefix, groups).is_not_null(), stripped)


class _Dialled(NamedTuple):
    """Numbers as dialled in one region, turned into international digits.

    Attributes:
        digits: The international digits.
        abroad: Whether an international prefix came first, so that a national prefix may still follow.
        unknown: Whether a plus stood before digits that are no calling code, and nothing else explains them.
    """

    digits: pl.Series
    abroad: pl.Series
    unknown: pl.Series


def _dial(digits: pl.Series, plus: pl.Series, dialling: _Dialling) -> _Dialled:
    """What the library makes of digits without a usable plus, in a region.

    Args:
        digits: ASCII digits, two or more, no plus.
        plus: Whether there was a plus with no calling code behind it; the library then tries without.
        dialling: The region's ways.
    """
    abroad = digits.str.extract(dialling.abroad)
    is_abroad = abroad.is_not_null() & ~abroad.fill_null("0").str.starts_with("0")
    own = ~is_abroad & digits.str.starts_with(dialling.code)
    national = digits
    if own.any():
        own, national = _without_own_code(digits, own, dialling)
    unknown = plus & ~is_abroad & ~own
    return _Dialled(abroad.zip_with(is_abroad, _national(national, own, dialling)), is_abroad, unknown)


def _without_own_code(digits: pl.Series, own: pl.Series, dialling: _Dialling) -> tuple[pl.Series, pl.Series]:
    """Take away the region's own calling code where that makes a better number: where, and what is left."""
    rest = _strip_prefix(digits.str.slice(len(dialling.code)), dialling)
    better = ~digits.str.contains(dialling.general) & rest.str.contains(dialling.general)
    own &= better | dialling.too_long(digits)
    return own, rest.zip_with(own, digits)


def _national(digits: pl.Series, own: pl.Series, dialling: _Dialling) -> pl.Series:
    """International digits of national ones; behind the own calling code, the rules are those of its main region."""
    stripped = _strip_possible(digits, dialling)
    main = _main_dialling(int(dialling.code))
    if main is not None and own.any():
        stripped = _strip_possible(digits, main).zip_with(own, stripped)
    return dialling.code + stripped


def _strip_possible(digits: pl.Series, dialling: _Dialling) -> pl.Series:
    stripped = _strip_prefix(digits, dialling)
    return stripped.zip_with(dialling.complete(stripped), digits)


# --- the whole column -------------------------------------------------------------------------------------------------


def resolve(texts: pl.Series, regions: pl.Series) -> Resolved:
    """Judge written numbers as libphonenumber does.

    Args:
        texts: ASCII digits, with or without one plus in front; no nulls.
        regions: The region that each number is dialled in (ISO 3166-1 alpha-2, upper case), or null.

    Returns:
        One verdict a row.
    """
    digits = texts.str.strip_prefix("+")
    plus = texts.str.starts_with("+").to_numpy()
    sizes = digits.str.len_bytes().to_numpy()
    result = Resolved(np.zeros(len(texts), np.uint64), np.full(len(texts), NO_COUNTRY, np.uint32))
    _resolve_abroad(result, np.flatnonzero(plus), digits.filter(pl.Series(plus)))
    home = ~plus | (result.verdicts() == UNKNOWN_COUNTRY_CODE)
    _resolve_home(result, pl.DataFrame({"digits": digits, "plus": plus, "region": regions}), home)
    result.classes[sizes > _MOST_DIGITS] = _ASK
    result.classes[sizes > _HOPELESS] = TOO_LONG
    result.classes[sizes < np.where(plus, 3, 2)] = TOO_SHORT
    asked = np.flatnonzero(result.verdicts() == _ASK)
    if asked.size:
        _resolve_slowly(result, asked, texts, regions)
    return result


def resolve_by_library(texts: pl.Series, regions: pl.Series) -> Resolved:
    """The same verdicts as `resolve`, by asking the library about each row: the reference, and 500 times slower."""
    answers = [ask_library(text, region) for text, region in zip(texts, regions, strict=True)]
    numbers, classes = zip(*answers, strict=True) if answers else ((), ())
    return Resolved(np.array(numbers, np.uint64), np.array(classes, np.uint32))


def resolve_international(numbers: Integers) -> Resolved:
    """Judge numbers in international form, given as integers of at most 19 digits."""
    classes = _world().classify(numbers)
    prefixed = np.flatnonzero(classes & np.uint32(_PREFIXED))
    if not prefixed.size:
        return Resolved(numbers, classes)
    result = Resolved(numbers.copy(), classes)
    _resolve_prefixed(result, prefixed)
    return result


def _resolve_abroad(result: Resolved, where: Rows, digits: pl.Series) -> None:
    """Settle rows in international form; digits that begin with 0 have no calling code."""
    if where.size:
        found = resolve_international(_integers(digits))
        result.numbers[where] = found.numbers
        result.classes[where] = np.where(digits.str.starts_with("0").to_numpy(), UNKNOWN_COUNTRY_CODE, found.classes)


def _resolve_prefixed(result: Resolved, where: Rows) -> None:
    """Settle international numbers with something to strip behind the calling code, such as +44 (0)20."""
    digits = pl.Series(result.numbers[where], dtype=pl.UInt64).cast(pl.String)
    starts = digits.str.slice(0, 3)
    codes = starts.replace_strict({start: _calling_code(start) for start in starts.unique()}, return_dtype=pl.Int64)
    groups = pl.DataFrame({"row": where, "digits": digits, "code": codes}).partition_by("code", as_dict=True)
    for (code,), group in groups.items():
        rows, dialling = group["row"].to_numpy(), _main_dialling(code)
        if dialling is None:
            result.classes[rows] = _ASK
        else:
            national = _strip_possible(group["digits"].str.slice(len(dialling.code)), dialling)
            _settle(result, rows, dialling.code + national)


def _resolve_home(result: Resolved, rows: pl.DataFrame, home: NDArray[np.bool_]) -> None:
    """Settle the rows that need a region, region by region (columns ``digits``, ``plus``, ``region``)."""
    known = pl.Series(home) & rows["region"].is_in(phonenumbers.SUPPORTED_REGIONS)
    if not known.any():
        return
    groups = rows.with_row_index("row").filter(known).partition_by("region", as_dict=True)
    for (region,), group in groups.items():
        dialling = _dialling(phonenumbers.country_code_for_region(region), region)
        if dialling is None:
            result.classes[group["row"].to_numpy()] = _ASK
        else:
            _resolve_region(result, group, dialling)


def _resolve_region(result: Resolved, group: pl.DataFrame, dialling: _Dialling) -> None:
    where = group["row"].to_numpy()
    dialled = _dial(group["digits"], group["plus"], dialling)
    _settle(result, where[~dialled.abroad.to_numpy()], dialled.digits.filter(~dialled.abroad))
    _resolve_abroad(result, where[dialled.abroad.to_numpy()], dialled.digits.filter(dialled.abroad))
    result.classes[where[dialled.unknown.to_numpy()]] = UNKNOWN_COUNTRY_CODE


def _settle(result: Resolved, where: Rows, digits: pl.Series) -> None:
    """Enter the verdict on international digits from which nothing is to be stripped any more."""
    numbers = _integers(digits)
    classes = _world().classify(numbers) & np.uint32(_PREFIXED - 1)
    result.numbers[where] = numbers
    result.classes[where] = np.where(digits.str.len_bytes().to_numpy() > _MOST_DIGITS, _ASK, classes)


def _integers(digits: pl.Series) -> Integers:
    """Digits as integers; what does not fit is 0 (its length tells)."""
    return digits.cast(pl.UInt64, strict=False).fill_null(0).to_numpy()


# --- the library itself -----------------------------------------------------------------------------------------------


def _resolve_slowly(result: Resolved, where: Rows, texts: pl.Series, regions: pl.Series) -> None:
    """Ask the library about some rows, once for each distinct text and region."""
    asked = pl.DataFrame({"text": texts, "region": regions}).gather(where)
    distinct = asked.unique()
    found = resolve_by_library(distinct["text"], distinct["region"])
    answers = distinct.with_columns(number=pl.Series(found.numbers), kind=pl.Series(found.classes))
    answered = asked.join(answers, on=["text", "region"], how="left", nulls_equal=True, maintain_order="left")
    result.numbers[where] = answered["number"].to_numpy()
    result.classes[where] = answered["kind"].to_numpy()


def ask_library(text: str, region: str | None) -> tuple[int, int]:
    """The library's verdict on one written number: the E.164 number without its plus (0 if none), and its class."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        return 0, _parse_failure(
            error.error_type, lost=region not in phonenumbers.SUPPORTED_REGIONS and not text.startswith("+")
        )
    if not phonenumbers.is_valid_number(number):
        return 0, _POSSIBLE.get(phonenumbers.is_possible_number_with_reason(number), INVALID)
    home = phonenumbers.region_code_for_number(number)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return int(e164[1:]), _pack(_KIND_OF_TYPE[phonenumbers.number_type(number)], _REGION_NUMBERS[home])


_POSSIBLE: Final = {
    phonenumbers.ValidationResult.TOO_SHORT: TOO_SHORT,
    phonenumbers.ValidationResult.TOO_LONG: TOO_LONG,
    phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY: NO_AREA_CODE,
}
_KIND_OF_TYPE: Final = {
    getattr(phonenumbers.PhoneNumberType, kind.upper()): number for number, kind in enumerate(KINDS) if kind
}


def _parse_failure(error: int, *, lost: bool) -> int:
    """The verdict on what the library cannot parse; ``lost`` is a number that neither names nor is given a country."""
    if error == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
        return NO_COUNTRY if lost else UNKNOWN_COUNTRY_CODE
    return TOO_LONG if error == phonenumbers.NumberParseException.TOO_LONG else TOO_SHORT
