"""Phones become E.164 as libphonenumber reads them, and the wrong subscriber is never dialled."""

from __future__ import annotations

import random
import re
import runpy
import subprocess
import sys
from pathlib import Path

import phonenumbers
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import re_util

from dialfeed.contacts import numbering
from dialfeed.contacts.phone import METADATA_VERSION, PHONE_SCHEMA, normalise_phones
from dialfeed.contacts.reasons import BY_CODE

BENCH = runpy.run_path(str(Path(__file__).parents[2] / "bench" / "phones.py"))

Row = tuple[str | None, ...]
Cell = tuple[str | None, str | None]


def normalise(*rows: Cell, details: bool = True) -> list[Row]:
    values, regions = zip(*rows, strict=True)
    return normalise_phones(
        pl.Series(values, dtype=pl.String), pl.Series(regions, dtype=pl.String), details=details
    ).rows()


def accepted(typed: str, region: str | None) -> tuple[str | None, str | None]:
    """The number and the repair of an accepted cell."""
    e164, code, _, repair, _, _ = normalise((typed, region))[0]
    assert code is None
    return e164, repair


def rejected(typed: str, region: str | None) -> str | None:
    """The reason of a rejected cell."""
    row = normalise((typed, region))[0]
    assert [row[0], *row[2:]] == [None] * 5
    return row[1]


# --- facts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "region", "row"),
    [
        ("+12125550100", None, ("+12125550100", None, "fixed_line_or_mobile", None, None, "US")),
        ("+12125550100", "DE", ("+12125550100", None, "fixed_line_or_mobile", None, None, "US")),
        ("(212) 555-0100", "US", ("+12125550100", None, "fixed_line_or_mobile", None, None, "US")),
        ("+1 416 555 0100", "GB", ("+14165550100", None, "fixed_line_or_mobile", None, None, "CA")),
        ("+1 876 555 0100", None, ("+18765550100", None, "mobile", None, None, "JM")),
        ("800-555-0199", "US", ("+18005550199", None, "toll_free", None, None, "US")),
        ("020 7946 0000", "GB", ("+442079460000", None, "fixed_line", None, None, "GB")),
        ("+4402079460000", None, ("+442079460000", None, "fixed_line", None, None, "GB")),
        ("0491 570 006", "AU", ("+61491570006", None, "mobile", None, None, "AU")),
        ("01 99 00 12 34", "FR", ("+33199001234", None, "fixed_line", None, None, "FR")),
        ("+39 06 1234 5678", None, ("+390612345678", None, "fixed_line", None, None, "IT")),
        ("+800 1234 5678", None, ("+80012345678", None, "toll_free", None, None, "001")),
        (
            "212-555-0100 x12",
            "US",
            ("+12125550100", None, "fixed_line_or_mobile", "phone.extension_dropped", "12", "US"),
        ),
        (
            "tel:+1-212-555-0100;ext=12",
            None,
            ("+12125550100", None, "fixed_line_or_mobile", "phone.extension_dropped", "12", "US"),
        ),
    ],
)
def test_a_number_is_normalised_with_what_is_known_of_it(typed: str, region: str | None, row: Row) -> None:
    assert normalise((typed, region)) == [row]


@pytest.mark.parametrize(
    ("typed", "region", "e164", "repair"),
    [
        # compliance.md section 9: what the library says first is another subscriber
        ("30123456.0", "DE", "+4930123456", "phone.repaired_decimal"),
        ("3456789012.0", "IT", "+393456789012", "phone.repaired_decimal"),
        ("212-555-0100 (home)", "US", "+12125550100", "phone.annotation_dropped"),
        ("1.2125550100E+10", "US", "+12125550100", "phone.repaired_scientific"),
        ("'+12125550100", None, "+12125550100", "phone.repaired_text_marker"),
        ('="2125550100"', "US", "+12125550100", "phone.repaired_text_marker"),
        ("12125550100", "US", "+12125550100", None),
        ("4930123456", "DE", "+4930123456", None),  # the national reading is no number
        ("55800123456", "BR", "+55800123456", "phone.repaired_plus"),  # only with a plus is it one
        ("612345678", "HU", "+3612345678", "phone.repaired_trunk_zero"),  # 06 1 234 5678 without its zero
        ("612345678.0", "HU", "+3612345678", "phone.repaired_trunk_zero"),
        ("+39331123456", "IT", "+39331123456", None),
        ("331 123456", "IT", "+39331123456", None),  # no spreadsheet writes blanks
        ("3311234567", "IT", "+393311234567", None),
        ("+52 1 55 1234 5678", None, "+525512345678", "phone.repaired_former_prefix"),
        ("+5215512345678", None, "+525512345678", "phone.repaired_former_prefix"),
        ("5215512345678.0", "MX", "+525512345678", "phone.repaired_former_prefix"),
        ("011 52 1 55 1234 5678", "US", "+525512345678", "phone.repaired_former_prefix"),
        ("044 55 1234 5678", "MX", "+525512345678", "phone.repaired_former_prefix"),
        ("+52 01 55 1234 5678", None, "+525512345678", "phone.repaired_former_prefix"),
        ("1 999 123 4567", "MX", "+529991234567", "phone.repaired_former_prefix"),  # 999 is no area of North America
        ("7911123456", "GB", "+447911123456", None),  # the library asks for no trunk zero
        ("030/23125000", "DE", "+493023125000", None),
        ("0xx11 96123-4567", "BR", "+5511961234567", None),
        ("1-800-FLOWERS", "US", "+18003569377", "phone.vanity"),
        ("+1 800 GO FEDEX", None, "+18004633339", "phone.vanity"),
        ("1-800-411-0100", "US", "+18004110100", None),  # N11 stands for a service behind area codes only
    ],
)
def test_one_reading_is_accepted(typed: str, region: str | None, e164: str, repair: str | None) -> None:
    assert accepted(typed, region) == (e164, repair)


@pytest.mark.parametrize(
    ("typed", "region", "code"),
    [
        ("2125550100", None, "phone.no_country"),
        ("12125550100", None, "phone.no_country"),
        ("2125550100", "XX", "phone.no_country"),
        ("5550100", "US", "phone.no_area_code"),
        ("212-555-01", "US", "phone.too_short"),
        ("+1 212", None, "phone.too_short"),
        ("+1 212 555 0100 0100", None, "phone.too_long"),
        ("212-155-0100", "US", "phone.invalid"),
        ("07700 900123", "GB", "phone.invalid"),  # reserved for drama, and not in the library's plan
        ("331123456", "IT", "phone.ambiguous"),  # a mobile number of old, or 0331 123456 without its zero
        ("331123456.0", "IT", "phone.ambiguous"),
        ("1 55 1234 5678", "MX", "phone.ambiguous"),  # +1 551 234 5678 in New Jersey, or the former 1 of Mexico
        ("15512345678", "MX", "phone.ambiguous"),
        ("+52 1 155 123 4567", None, "phone.too_long"),
        ("+52 044 55 1234 567", None, "phone.too_long"),
        ("11 8765-4321", "BR", "phone.former_form"),
        ("+551187654321", None, "phone.former_form"),
        ("+55 11 1765 4321", None, "phone.invalid"),
        ("+225 07 12 34 56", None, "phone.former_form"),
        ("+22997123456", None, "phone.former_form"),
        ("15 1234 5678", "AR", "phone.former_form"),
        ("+54 9 15 1234 5678", None, "phone.former_form"),
        ("+999 123 456", "US", "phone.unknown_country_code"),
        ("212-911-0100", "US", "phone.service_code"),
        ("+12124110100", None, "phone.service_code"),
        ("4915112345678", "DE", "phone.ambiguous"),
        ("212345678", "IT", "phone.leading_zero_lost"),
        ("21-234-5678", "IT", "phone.invalid"),  # no spreadsheet writes hyphens
        ("2523458986", "KR", "phone.invalid"),  # 02 is no carrier code, and dropping the 2 would be a guess
        ("212-555-XXXX", "US", "phone.masked"),
        ("030 12345x7", "DE", "phone.masked"),
        ("@SUM(2125550100)", "US", "phone.formula"),
        ("212-555-0100 do not call", "US", "phone.annotated"),
        ("030 23125 nicht", "DE", "phone.annotated"),
        ("212-NOT-CALL", "US", "phone.annotated"),
        ("212-555-HOPE", "US", "phone.annotated"),
        ("1-800-CONTACTS", "US", "phone.annotated"),
        ("212-555-0100 / 212-555-0101", "US", "phone.several_numbers"),
        ("030 23125000/01", "DE", "phone.several_numbers"),
        ("2125550100 2125550101", "US", "phone.several_numbers"),
        ("2125550100; 2125550101", "US", "phone.several_numbers"),
        ("1.21256E+10", "US", "phone.precision_lost"),
        ("-866", "US", "phone.negative"),
        ("15.01.2024", "DE", "phone.date"),
        ("#N/A", "US", "phone.spreadsheet_error"),
        ("n/a", "US", "phone.not_a_number"),
    ],
)
def test_no_reading_and_two_readings_are_rejected(typed: str, region: str | None, code: str) -> None:
    assert rejected(typed, region) == code


@pytest.mark.parametrize("nothing", [None, "", "  ", "\u00a0", "\u200b", "'"])
def test_an_absent_number_is_neither_accepted_nor_rejected(nothing: str | None) -> None:
    assert normalise((nothing, "US")) == [(None,) * 6]


def test_each_row_gets_its_own_answer() -> None:
    rows: list[Cell] = [
        ("(212) 555-0100", "US"),
        ("+12125550101", None),
        (None, "US"),
        ("nobody", "US"),
        ("+442079460000", "US"),
        ("020 7946 0001", "GB"),
        ("", None),
        ("+1999", None),
        ("(212) 555-0100", "GB"),
        ("(212) 555-0100", "US"),
    ]
    assert normalise(*rows) == [normalise(row)[0] for row in rows]


def test_a_column_without_rows_has_its_columns() -> None:
    nothing = pl.Series([], dtype=pl.String)
    assert normalise_phones(nothing, nothing).schema == PHONE_SCHEMA


@pytest.mark.parametrize("typed", ["+12125550100", "(212) 555-0100", "nobody", None])
def test_the_columns_are_the_same_for_any_column(typed: str | None) -> None:
    column = pl.Series([typed], dtype=pl.String)
    assert normalise_phones(column, pl.Series(["US"])).schema == PHONE_SCHEMA


def test_without_details_only_kind_and_region_are_left_out() -> None:
    rows: list[Cell] = [("+12125550100", None), ("212-555-0100 x12", "US"), ("+1", None), ("30123456.0", "DE")]
    plain = [(e164, code, None, repair, extension, None) for e164, code, _, repair, extension, _ in normalise(*rows)]
    assert normalise(*rows, details=False) == plain


# --- the library ------------------------------------------------------------------------------------------------------


def library(typed: str, region: str | None) -> str | None:
    re_util.enable_pattern_cache()
    try:
        number = phonenumbers.parse(typed, region)
    except phonenumbers.NumberParseException:
        return None
    valid = phonenumbers.is_valid_number(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if valid else None


def punctuated(count: int, *, seed: int) -> list[Cell]:
    """Numbers of all regions in national and international form, with blanks and punctuation put in."""
    chance = random.Random(seed)
    made: list[Cell] = []
    for _ in range(count):
        text, region = BENCH["national"](chance) if chance.random() < 0.6 else BENCH["with_example_tails"](chance)
        for _ in range(chance.randrange(5)):
            place = chance.randrange(1, len(text) + 1)
            text = text[:place] + chance.choice(BENCH["BLANKS"]) + text[place:]
        if not re.search(r"\.0+\W*$", text):  # that is a decimal point, for us
            made.append((text, region))
    return made


REPAIRS = {"phone.repaired_plus", "phone.repaired_former_prefix"}
PROTECTIONS = {
    "phone.ambiguous", "phone.fraction", "phone.service_code", "phone.several_numbers", "phone.date", "phone.masked",
    "phone.not_a_number",
}  # fmt: skip


def test_only_the_protections_differ_from_the_library() -> None:
    """An accepted number is the library's; what it takes and we don't has the reason of a protection."""
    cells = punctuated(5_000, seed=4)
    differing: dict[str, int] = {}
    for cell, (e164, code, _, repair, _, _) in zip(cells, normalise(*cells), strict=True):
        typed = cell[0]
        assert typed is not None
        read = library(typed.replace("\u202a", ""), cell[1])
        if e164 != read:
            reason = str(repair or code)
            differing[reason] = differing.get(reason, 0) + 1
            assert (e164 is None and code in PROTECTIONS) or repair in REPAIRS
    assert sum(differing.values()) < 125, differing


def test_of_two_readings_that_are_numbers_none_is_taken() -> None:
    """What begins with the region's own calling code is accepted only where both readings agree, or one is none."""
    cells = [(code + national, region) for region, code, national in BENCH["examples"]() if region not in {"US", "CA"}]
    ambiguous = 0
    for cell, (e164, code, *_) in zip(cells, normalise(*cells), strict=True):
        readings = {library(cell[0], cell[1]), library("+" + cell[0], None)} - {None}
        if len(readings) > 1:
            ambiguous += 1
            assert (e164, code) == (None, "phone.ambiguous")
        elif e164:
            assert {e164} == readings
    assert ambiguous > 5


# --- laws -------------------------------------------------------------------------------------------------------------

REGION = st.sampled_from(["US", "CA", "GB", "DE", "IT", "AR", "BR", "HU", "FR", "AT", "NC", "ZZ", None])
TYPED = st.one_of(
    st.none(),
    st.text("0123456789+-() ./,xE'=#abc\u00a0\uff11\n", max_size=24),
    st.from_regex(r"\+?[0-9]{5,16}(\.0)?", fullmatch=True),
    st.from_regex(r"\+(1|44|49|39)[0-9]{8,11}", fullmatch=True),
    st.text(max_size=30),
)
CELLS = st.lists(st.tuples(TYPED, REGION), min_size=1, max_size=25)


@settings(max_examples=50, deadline=None)
@given(CELLS, st.integers(0, 25))
def test_answers_do_not_depend_on_how_a_column_is_cut(cells: list[Cell], place: int) -> None:
    halves = [half for half in (cells[:place], cells[place:]) if half]
    assert normalise(*cells) == [row for half in halves for row in normalise(*half)]


@settings(max_examples=50, deadline=None)
@given(CELLS)
def test_a_row_is_accepted_or_rejected_or_absent(cells: list[Cell]) -> None:
    for (typed, _), (e164, code, kind, repair, extension, region) in zip(cells, normalise(*cells), strict=True):
        if e164 is None:
            assert kind is repair is extension is region is None
            assert code is not None or not any(sign.isalnum() for sign in typed or "")
        else:
            assert code is None
            assert kind in numbering.KINDS
            assert region in numbering.REGIONS
        assert code is None or (BY_CODE[code].severity, BY_CODE[code].bucket) == ("error", "invalid")
        assert repair is None or (BY_CODE[repair].severity, BY_CODE[repair].bucket) == ("warning", "none")


@settings(max_examples=50, deadline=None)
@given(CELLS)
def test_a_normalised_number_is_its_own_normal_form(cells: list[Cell]) -> None:
    numbers = [row[0] for row in normalise(*cells) if row[0]]
    if numbers:
        again = normalise(*((number, None) for number in numbers))
        assert [row[:2] for row in again] == [(number, None) for number in numbers]


@settings(max_examples=50, deadline=None)
@given(CELLS)
def test_the_library_holds_every_accepted_number_valid(cells: list[Cell]) -> None:
    for row in normalise(*cells):
        if row[0]:
            number = phonenumbers.parse(row[0])
            assert phonenumbers.is_valid_number(number)
            assert phonenumbers.region_code_for_number(number) == row[5]


# --- the house --------------------------------------------------------------------------------------------------------


def test_reasons_of_the_verdicts_are_all_in_the_catalogue() -> None:
    codes = {
        row[1] for row in normalise(*((text, "US") for text in ("1", "x", "+1" * 9, "1E9", "=1", "#N/A", "5550100")))
    }
    assert codes - {None} <= BY_CODE.keys()


def test_the_version_of_the_metadata_is_known() -> None:
    assert phonenumbers.__version__ == METADATA_VERSION


def test_importing_the_module_compiles_nothing() -> None:
    program = (
        "import sys, dialfeed.contacts.phone as phone; "
        "print([m for m in sys.modules if '.data.region_' in m], phone.numbering.tables.world.cache_info().currsize)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[] 0"
