"""The compiled numbering plans give libphonenumber's verdict on every number."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import phonenumbers
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers.phonemetadata import PhoneMetadata

from dialfeed.contacts import numbering
from dialfeed.contacts.numbering import dialling, library, plans, tables, verdicts
from dialfeed.contacts.numbering.automaton import Automaton, Part, UnsupportedPatternError
from dialfeed.contacts.reasons import BY_CODE

BENCH = runpy.run_path(str(Path(__file__).parents[2] / "bench" / "phones.py"))
EVERYWHERE = frozenset(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)

Judged = tuple[str | None, str | None, str | None, str | None]


def judge(text: str, region: str | None = None) -> Judged:
    """Number, reason, kind and region."""
    found = numbering.resolve(pl.Series([text]), pl.Series([region], dtype=pl.String))
    code = numbering.VERDICT_CODES[found.verdicts()[0]]
    number = None if code else f"+{found.numbers[0]}"
    return number, code, numbering.KINDS[found.kinds()[0]], numbering.REGIONS[found.regions()[0]]


# --- agreement with the library ---------------------------------------------------------------------------------------


def test_the_tables_and_the_library_agree_on_numbers_of_all_regions() -> None:
    written = pl.concat(BENCH["corpus"](form, 6_000, seed=11) for form in BENCH["FORMS"])
    assert BENCH["disagreements"](written).rows() == []


def test_they_agree_at_both_ends_of_every_interval_and_between() -> None:
    written = BENCH["interval_ends"](EVERYWHERE)
    assert len(written) > 100_000
    assert BENCH["disagreements"](written.sample(30_000, seed=5)).rows() == []


def test_they_agree_on_the_examples_of_all_regions_and_kinds() -> None:
    written = [(f"+{code}{national}", None) for _, code, national in BENCH["examples"]()]
    written += [(national, region) for region, _, national in BENCH["examples"]()]
    assert BENCH["disagreements"](BENCH["frame"](written)).rows() == []


@settings(deadline=None)  # the first example compiles
@given(st.from_regex(r"\+?[0-9]{1,24}", fullmatch=True), st.sampled_from([*BENCH["REGIONS"], None, "ZZ", "001"]))
def test_they_agree_on_any_digits_in_any_region(text: str, region: str | None) -> None:
    assert BENCH["disagreements"](BENCH["frame"]([(text, region)])).rows() == []


def test_a_comparison_with_a_wrong_table_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BENCH["disagreements"].__globals__, "numbering", _Lying())
    assert BENCH["disagreements"](BENCH["frame"]([("+12125550100", None)])).height == 1


class _Lying:
    """The module with a `resolve` that takes every number for another."""

    VALID = numbering.VALID
    resolve_by_library = staticmethod(numbering.resolve_by_library)

    @staticmethod
    def resolve(texts: pl.Series, regions: pl.Series) -> numbering.Resolved:
        found = numbering.resolve(texts, regions)
        return numbering.Resolved(found.numbers + np.uint64(1), found.classes)


@pytest.mark.parametrize("form", [BENCH["with_example_tails"], BENCH["national"], BENCH["north_american"]])
def test_the_library_is_not_asked_about_usual_numbers(form: Callable[..., Any]) -> None:
    assert BENCH["share_asked"](BENCH["corpus"](form, 2_000, seed=3)) == 0


def test_the_library_is_asked_once_about_each_distinct_strange_number(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str | None]] = []

    def ask(text: str, region: str | None) -> tuple[int, int]:
        asked.append((text, region))
        return 12125550100, numbering.VALID

    monkeypatch.setattr(library, "ask_library", ask)
    long = "1" * 22
    texts = pl.Series([long, "+12125550100", long, long])
    found = numbering.resolve(texts, pl.Series(["US", "US", "US", None], dtype=pl.String))
    assert sorted(asked, key=str) == sorted([(long, "US"), (long, None)], key=str)
    assert found.numbers.tolist() == [12125550100] * 4


# --- facts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "region", "number", "kind", "home"),
    [
        ("+12125550100", None, "+12125550100", "fixed_line_or_mobile", "US"),
        ("2125550100", "US", "+12125550100", "fixed_line_or_mobile", "US"),
        ("12125550100", "US", "+12125550100", "fixed_line_or_mobile", "US"),
        ("+14165550100", "US", "+14165550100", "fixed_line_or_mobile", "CA"),
        ("+18005550199", None, "+18005550199", "toll_free", "US"),
        ("+442079460000", None, "+442079460000", "fixed_line", "GB"),
        ("+4402079460000", None, "+442079460000", "fixed_line", "GB"),
        ("02079460000", "GB", "+442079460000", "fixed_line", "GB"),
        ("00442079460000", "DE", "+442079460000", "fixed_line", "GB"),
        ("011442079460000", "US", "+442079460000", "fixed_line", "GB"),
        ("+00442079460000", "DE", "+442079460000", "fixed_line", "GB"),
        ("03023125000", "DE", "+493023125000", "fixed_line", "DE"),
        ("0612345678", "IT", "+390612345678", "fixed_line", "IT"),
        ("+80012345678", None, "+80012345678", "toll_free", "001"),
        ("0111512345678", "AR", "+5491112345678", "mobile", "AR"),
        ("01511961234567", "BR", "+5511961234567", "mobile", "BR"),
        ("0612345678", "HU", "+3612345678", "fixed_line", "HU"),
    ],
)
def test_a_number_is_read_as_it_is_dialled(text: str, region: str | None, number: str, kind: str, home: str) -> None:
    assert judge(text, region) == (number, None, kind, home)


@pytest.mark.parametrize(
    ("text", "region", "code"),
    [
        ("2125550100", None, "phone.no_country"),
        ("2125550100", "ZZ", "phone.no_country"),
        ("5550100", "US", "phone.no_area_code"),
        ("+1212555", None, "phone.too_short"),
        ("1", "US", "phone.too_short"),
        ("", "US", "phone.too_short"),
        ("+1", None, "phone.too_short"),
        ("+49", None, "phone.too_short"),
        ("+121255501000", None, "phone.too_long"),
        ("+12125550100" * 4, None, "phone.too_long"),
        ("9" * 400, "US", "phone.too_long"),
        ("+10125550100", None, "phone.invalid"),
        ("+999123456", None, "phone.unknown_country_code"),
        ("+0123456", None, "phone.unknown_country_code"),
        ("+0442079460000", "GB", "phone.unknown_country_code"),
        ("+4949697415942", None, "phone.invalid"),  # one pattern of the library matches, the general one does not
    ],
)
def test_a_refusal_says_what_is_wrong(text: str, region: str | None, code: str) -> None:
    assert judge(text, region)[:2] == (None, code)


def test_every_verdict_has_a_reason_in_the_catalogue() -> None:
    assert {code for code in numbering.VERDICT_CODES if code} <= BY_CODE.keys()


def test_kinds_are_the_types_of_the_library() -> None:
    types = {phonenumbers.PhoneNumberType.to_string(kind).lower() for kind in phonenumbers.PhoneNumberType.values()}
    assert {kind for kind in numbering.KINDS if kind} == types - {"unknown"}


# --- laws -------------------------------------------------------------------------------------------------------------


def test_an_answer_does_not_depend_on_what_was_asked_before() -> None:
    written = BENCH["corpus"](BENCH["with_example_tails"], 60, seed=2)
    whole = numbering.resolve(written["text"], written["region"])
    fresh = tables.World()
    numbers = written["text"].str.slice(1).cast(pl.UInt64).to_numpy()
    one_by_one = [fresh.classify(numbers[[place]])[0] for place in range(len(numbers))]
    at_once = tables.World().classify(numbers)
    assert one_by_one == at_once.tolist()
    plain = at_once < verdicts.PREFIXED
    assert whole.classes[plain].tolist() == at_once[plain].tolist()


def test_a_column_without_rows_has_no_verdicts() -> None:
    nothing = pl.Series([], dtype=pl.String)
    assert len(numbering.resolve(nothing, nothing).classes) == 0
    assert len(numbering.resolve_by_library(nothing, nothing).classes) == 0


def test_no_number_of_its_input_is_changed() -> None:
    numbers = np.array([4402079460000, 12125550100], np.uint64)
    found = numbering.resolve_international(numbers)
    assert numbers.tolist() == [4402079460000, 12125550100]
    assert found.numbers.tolist() == [442079460000, 12125550100]


# --- the automaton ----------------------------------------------------------------------------------------------------


def accepts(automaton: Automaton, part: Part, text: str) -> bool:
    positions, state = part.first, 0
    for digit in text:
        state = automaton.reading(positions, int(digit))
        positions = automaton.after(state)
    return bool(state & part.last) if text else part.empty


PIECES = st.recursive(
    st.sampled_from(["0", "7", "\\d", "[13]", "[2-5]", "[0-24-9]"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        inner.map(lambda one: f"({one})?"),
        inner.map(lambda one: f"(?:{one}){{2}}"),
        inner.map(lambda one: f"(?:{one}){{1,3}}"),
    ),
    max_leaves=6,
)


@settings(deadline=None)  # the first example compiles
@given(PIECES, st.lists(st.text("0123457", max_size=8), min_size=1, max_size=20))
def test_the_automaton_matches_what_the_pattern_matches(pattern: str, texts: list[str]) -> None:
    automaton = Automaton()
    part = automaton.add(pattern)
    for text in texts:
        assert accepts(automaton, part, text) == bool(re.fullmatch(pattern, text)), (pattern, text)


@settings(deadline=None)  # the first example compiles
@given(PIECES, st.text("0123457", min_size=1, max_size=8))
def test_a_prefix_is_met_as_soon_as_the_number_begins_with_it(pattern: str, text: str) -> None:
    automaton = Automaton()
    part = automaton.add_prefix(pattern)
    begins = any(re.fullmatch(pattern, text[:size]) for size in range(1, len(text) + 1))
    assert accepts(automaton, part, text) == begins


@pytest.mark.parametrize("pattern", ["(?!0)1", "1*", "a", "[^1]", "(1", "1)", "1.", "\\D", "(?=1)2"])
def test_a_pattern_of_an_unknown_kind_is_refused(pattern: str) -> None:
    with pytest.raises(UnsupportedPatternError):
        Automaton().add(pattern)


@pytest.fixture
def strange_metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Austria with a pattern of a kind that the tables cannot say."""
    plan = PhoneMetadata.metadata_for_region("AT", None)
    assert plan is not None
    assert plan.general_desc is not None
    monkeypatch.setattr(plan.general_desc, "_mutable", True, raising=False)
    monkeypatch.setattr(plan.general_desc, "national_number_pattern", r"(?=\d)\d{5,12}")
    caches: tuple[Any, ...] = (plans.blocks_of, dialling.dialling_of, tables.world)
    for cached in caches:
        cached.cache_clear()
    yield
    monkeypatch.undo()
    for cached in caches:
        cached.cache_clear()


@pytest.mark.usefixtures("strange_metadata")
def test_what_the_tables_cannot_say_is_asked_of_the_library() -> None:
    assert judge("+4312345678")[:2] == ("+4312345678", None)
    assert judge("012345678", "AT")[:2] == ("+4312345678", None)
    assert judge("+43012345678")[:2] == ("+4312345678", None)
    assert judge("+493023125000")[:2] == ("+493023125000", None)
    assert [BENCH["share_asked"](BENCH["frame"]([(text, None)])) for text in ("+4312345678", "+493023125000")] == [1, 0]


def test_importing_the_module_reads_no_plan_of_any_region() -> None:
    program = "import sys, dialfeed.contacts.numbering; print([m for m in sys.modules if '.data.region_' in m])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_version_of_the_metadata_is_the_library_s() -> None:
    assert phonenumbers.__version__ == numbering.METADATA_VERSION
