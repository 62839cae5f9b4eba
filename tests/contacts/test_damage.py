"""Damaged cells are read where one reading is possible, and rejected with their reason elsewhere."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialfeed.contacts import damage
from dialfeed.contacts.damage import BLANK, LABELS, Reading, read_cell, read_cells
from dialfeed.contacts.reasons import BY_CODE

# Each table: what is in the cell, and what it says.


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("2125550100", "2125550100"),
        ("+12125550100", "+12125550100"),
        ("(212) 555-0100", "2125550100"),
        ("212.555.0100", "2125550100"),
        ("212/555-0100", "2125550100"),
        ("+1 (212) 555-0100", "+12125550100"),
        ("(+44) 20 7946 0000", "+442079460000"),
        ("+ 44 20 7946 0000", "+442079460000"),
        ("++442079460000", "+442079460000"),
        ("+44 (0)20 7946 0000", "+4402079460000"),
        ("  212 555 0100 ", "2125550100"),
        ("212-555-0100,", "2125550100"),
        ("- (212) 555-0100", "2125550100"),
        ("[212] 555-0100", "2125550100"),
        ("99.99.00.12.00", "9999001200"),
        ("555.0000", "5550000"),
        ("0201.000", "0201000"),
        ("5-5-5-0100", "5550100"),
        ("99-99-9999", "99999999"),
        ("32.12.2024", "32122024"),
        ("12-32-2024", "12322024"),
        ("31.13.2024", "31132024"),
        ("00.12.2024", "00122024"),
    ],
)
def test_usual_punctuation_is_left_out(cell: str, text: str) -> None:
    assert read_cell(cell)._replace(rival=None, rival_code=None) == Reading(text)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("\u202a+1 212 555 0100\u202c", "+12125550100"),  # bidi marks, as copied from a phone
        ("212\u00a0555\u202f0100", "2125550100"),  # no-break space, narrow no-break space
        ("212\u2009555\u30000100", "2125550100"),  # thin space, ideographic space
        ("212\u200b555\ufeff0100", "2125550100"),  # zero-width space, byte order mark
        ("212\u00ad555\u00ad0100", "2125550100"),  # soft hyphens
        ("212\u2011555\u20120100", "2125550100"),  # no-break hyphen, figure dash
        ("212\u2212555\u30fc0100", "2125550100"),  # minus sign, katakana long sound
        ("212\u00b7555\u20220100", "2125550100"),  # middle dot, bullet
        ("\uff0b\uff11\uff12\uff11\uff12\uff15\uff15\uff15\uff10\uff11\uff10\uff10", "+12125550100"),  # full width
        ("\uff08212\uff09\u3000555\uff0d0100", "2125550100"),  # full-width punctuation
        ("\u0662\u0661\u0662\u0665\u0665\u0665\u0660\u0661\u0660\u0660", "2125550100"),  # Arabic-Indic digits
        ("\u0968\u0967\u0968 555 0100", "2125550100"),  # Devanagari digits
        ("2125550100\n", "2125550100"),
        ("\t2125550100\r\n", "2125550100"),
        ("2125550100\0", "2125550100"),
    ],
)
def test_invisible_and_foreign_signs_are_read_by_their_unicode_class(cell: str, text: str) -> None:
    assert read_cell(cell) == Reading(text)


@pytest.mark.parametrize(
    "cell",
    ["\u2460\u2461\u2460 555 0100", "212555010\u00b2", "21255501\u00bd0", "\u2168 212 555 0100", "2\ufe0f125550100"],
)
def test_signs_that_only_look_like_digits_are_not_read(cell: str) -> None:
    assert read_cell(cell).text is None


@pytest.mark.parametrize("cell", ["", " ", "\u00a0\u200b", "\ufeff", "'", '=""', "\n"])
def test_a_blank_cell_says_nothing(cell: str) -> None:
    assert read_cell(cell) == BLANK


@pytest.mark.parametrize(
    ("cell", "text", "repair"),
    [
        ("30123456.0", "30123456", "phone.repaired_decimal"),
        ("12125550100.00", "12125550100", "phone.repaired_decimal"),
        ("12125550100,0", "12125550100", "phone.repaired_decimal"),
        ("+12125550100.0", "+12125550100", "phone.repaired_decimal"),
        ("12125550100.000000", "12125550100", "phone.repaired_decimal"),
        ("30123.0", "30123", "phone.repaired_decimal"),
        ("12125550100\u200e.0", "12125550100", "phone.repaired_decimal"),
        ("2,125,550,100", "2125550100", "phone.repaired_decimal"),
        ("2,125,550,100.00", "2125550100", "phone.repaired_decimal"),
        ("2.125.550.100,00", "2125550100", "phone.repaired_decimal"),
        ("1.2125550100E+10", "12125550100", "phone.repaired_scientific"),
        ("1,2125550100e10", "12125550100", "phone.repaired_scientific"),
        ("+1.2125550100E+10", "+12125550100", "phone.repaired_scientific"),
        ("12125550100E0", "12125550100", "phone.repaired_scientific"),
        ("1.21255501000E+10", "12125550100", "phone.repaired_scientific"),
        ("9.007199254740993E+15", "9007199254740993", "phone.repaired_scientific"),  # a float would say ...992
        ("'+12125550100", "+12125550100", "phone.repaired_text_marker"),
        ("\u2019212-555-0100", "2125550100", "phone.repaired_text_marker"),
        ('="2125550100"', "2125550100", "phone.repaired_text_marker"),
        ('"(212) 555-0100"', "2125550100", "phone.repaired_text_marker"),
        ("'12125550100.0", "12125550100", "phone.repaired_decimal"),
    ],
)
def test_a_number_of_which_all_digits_are_left_is_repaired(cell: str, text: str, repair: str) -> None:
    assert read_cell(cell) == Reading(text, repair=repair)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("1.21256E+10", "phone.precision_lost"),
        ("+1.21256E+10", "phone.precision_lost"),
        ("1,21256E+10", "phone.precision_lost"),
        ("4.4E+11", "phone.precision_lost"),
        ("1E10", "phone.precision_lost"),
        ("1.212555010E+10", "phone.precision_lost"),  # one digit short
        ("1.21255501005E+10", "phone.fraction"),
        ("12125550100.5", "phone.fraction"),
        ("30123456,75", "phone.fraction"),
        ("212555.0100E-3", "phone.not_a_number"),
        ("01 99 00 12.00", "phone.ambiguous"),  # a decimal, or two digits behind a dot
        ("-866", "phone.negative"),
        ("-2125550100", "phone.negative"),
        ("\u22122125550100", "phone.negative"),
        ("-866.0", "phone.negative"),
        ("2024-01-15", "phone.date"),
        ("15.01.2024", "phone.date"),
        ("01/15/2024", "phone.date"),
        ("1/5/24", "phone.date"),
        ("15-01-24", "phone.date"),
        ("2024-01-15 10:30:00", "phone.date"),
        ("2024-01-15T10:30:00Z", "phone.date"),
        ("15.01.2024 10:30", "phone.date"),
        ("31.12.2024", "phone.date"),
        ("12/31/2024", "phone.date"),
        ("=1-212-555-0100", "phone.formula"),
        ("=12125550100", "phone.formula"),
        ("+SUM(2125550100)", "phone.formula"),
        ("@SUM(2125550100)", "phone.formula"),
        ('=HYPERLINK("tel:2125550100")', "phone.formula"),
        ("SUM(A1:A3)", "phone.formula"),
        ("'=1-2", "phone.formula"),
        ("#N/A", "phone.spreadsheet_error"),
        ("#REF!", "phone.spreadsheet_error"),
        ("#DIV/0!", "phone.spreadsheet_error"),
        ("#NAME?", "phone.spreadsheet_error"),
        ("#BEZUG!", "phone.spreadsheet_error"),
        ("#\u00dcBERLAUF!", "phone.spreadsheet_error"),
        ("########", "phone.masked"),
    ],
)
def test_a_number_that_a_spreadsheet_has_spoilt_is_rejected(cell: str, code: str) -> None:
    assert read_cell(cell) == Reading(code=code)


@pytest.mark.parametrize(
    "cell",
    [
        "212-555-XXXX",
        "212-555-01xx",
        "xxx-xxx-0100",
        "+49 30 1234**",
        "***",
        "212-555-01??",
        "212-555-____",
        "+49 30 1234...",
        "+49 30 1234\u2026",
        "212 555 \u2022\u2022\u2022\u2022",
        "030 12345---",
        "*67 212 555 0100",
    ],
)
def test_hidden_digits_are_not_guessed(cell: str) -> None:
    assert read_cell(cell) == Reading(code="phone.masked")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("212-555-0100 (home)", "2125550100"),
        ("Home: 212-555-0100", "2125550100"),
        ("Home (212) 555-0100", "2125550100"),
        ("(home) +1 212 555 0100 [work]", "+12125550100"),
        ("Tel. +1 212 555 0100", "+12125550100"),
        ("B\u00fcro: 030 23125000", "03023125000"),
        ("m: 2125550100", "2125550100"),
        ("2125550100 m", "2125550100"),
        ("t\u00e9l\u00e9phone : 01 99 00 12 34", "0199001234"),
        ("MOBILE 2125550100", "2125550100"),
    ],
)
def test_a_known_label_beside_a_number_is_dropped(cell: str, text: str) -> None:
    assert read_cell(cell) == Reading(text, repair="phone.annotation_dropped")


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("old: 212-555-0100", "phone.annotated"),
        ("212-555-0100 (Fax)", "phone.annotated"),
        ("NOT 212-555-0100", "phone.annotated"),
        ("no 212-555-0100", "phone.annotated"),
        ("2125550100home", "phone.annotated"),
        ("home2125550100", "phone.annotated"),
        ("212 home 555 0100", "phone.annotated"),
        ("212-555-010O", "phone.annotated"),  # the letter, not the digit
        ("030 23125-DW 12", "phone.annotated"),
        ("mobile = 2125550100", "phone.annotated"),
        ("mobile @ 2125550100", "phone.annotated"),
        ("oops 12345x7", "phone.annotated"),  # nothing was read that an extension could belong to
        ("oops 12345 ext. 7", "phone.annotated"),
        ("Phone 1: 212-555-0100", "phone.not_a_number"),
        ("0\u0431305550100", "phone.annotated"),
        ("n/a", "phone.not_a_number"),
        ("none", "phone.not_a_number"),
        ("ada@example.com", "phone.not_a_number"),
        ("sip:12125550100@example.com", "phone.annotated"),
        ("-", "phone.not_a_number"),
        ("10:30", "phone.not_a_number"),
        ("$ 2125550100", "phone.not_a_number"),
        ("50 %", "phone.not_a_number"),
        ("212+5550100", "phone.not_a_number"),
        ("212\\555\\0100", "phone.not_a_number"),
        ("# 2125550100", "phone.not_a_number"),
        ("2125550100, 0101", "phone.not_a_number"),
    ],
)
def test_what_only_a_person_can_read_is_rejected(cell: str, code: str) -> None:
    assert read_cell(cell) == Reading(code=code)


@pytest.mark.parametrize(
    "cell",
    [
        "2125550100;2125550101",
        "212-555-0100, 212-555-0101",
        "212-555-0100 or 212-555-0101",
        "030 23125000 und 030 23125001",
        "2125550100|2125550101",
        "2125550100 & 2125550101",
        "2125550100\n2125550101",
        "+12125550100 +12125550101",
        "+12125550100+12125550101",
        "home 2125550100, work 2125550101",
        "5550100,5550101",
    ],
)
def test_several_numbers_in_a_cell_are_told(cell: str) -> None:
    assert read_cell(cell) == Reading(code="phone.several_numbers")


@pytest.mark.parametrize(
    ("cell", "text", "rival"),
    [
        ("212-555-0100 / 212-555-0101", "21255501002125550101", "2125550100"),
        ("030/23125000", "03023125000", "030"),
        ("030 23125000/01", "0302312500001", "03023125000"),
        ("2125550100 2125550101", "21255501002125550101", "2125550100"),
        ("+12125550100 0302312500", "+121255501000302312500", "+12125550100"),
    ],
)
def test_what_may_be_a_first_number_is_told_as_a_rival(cell: str, text: str, rival: str) -> None:
    assert read_cell(cell) == Reading(text, rival=rival, rival_code="phone.several_numbers")


@pytest.mark.parametrize(
    ("cell", "text", "extension"),
    [
        ("212-555-0100 x12", "2125550100", "12"),
        ("212-555-0100 ext. 12", "2125550100", "12"),
        ("212-555-0100 Extension: 12", "2125550100", "12"),
        ("212-555-0100 extn 12#", "2125550100", "12"),
        ("212-555-0100 #12", "2125550100", "12"),
        ("212-555-0100 - 503#", "2125550100", "503"),
        ("212-555-0100,,12", "2125550100", "12"),
        ("212-555-0100 anexo 12", "2125550100", "12"),
        ("212-555-0100 \u0434\u043e\u0431. 12", "2125550100", "12"),
        ("212-555-0100;ext=12", "2125550100", "12"),
        ("tel:+1-212-555-0100;ext=12", "+12125550100", "12"),
        ("TEL:555-0100;ext=12;phone-context=+1-212", "+12125550100", "12"),
    ],
)
def test_an_extension_is_kept_apart(cell: str, text: str, extension: str) -> None:
    reading = read_cell(cell)
    assert reading == Reading(text, repair="phone.extension_dropped", extension=extension)


def test_an_x_without_a_blank_may_also_hide_a_digit() -> None:
    assert read_cell("030 12345x7") == Reading(
        "03012345", None, "phone.extension_dropped", "7", rival="0301234507", rival_code="phone.masked"
    )


@pytest.mark.parametrize(
    ("cell", "reading"),
    [
        ("tel:+1-212-555-0100", Reading("+12125550100")),
        ("tel:2125550100;phone-context=example.com", Reading("2125550100")),
        ("tel:+12125550100;isub=1", Reading("+12125550100")),
        ("callto:+12125550100", Reading("+12125550100")),
        (
            "tel:2125550100;ext=1;isub=2;phone-context=example.com",
            Reading("2125550100", None, "phone.extension_dropped", "1"),
        ),
        ("tel:+12125550100;verstat=no", Reading(code="phone.not_a_number")),
        ("tel:+1%20212", Reading(code="phone.not_a_number")),
    ],
)
def test_a_uri_is_read_by_its_own_rules(cell: str, reading: Reading) -> None:
    assert read_cell(cell) == reading


@pytest.mark.parametrize(
    ("cell", "text", "rival"),
    [
        ("1-800-FLOWERS", "18003569377", "1800"),
        ("+1 800 GO FEDEX", "+18004633339", "+1800"),
        ("1-800-4MY-APPLE", "1800469" + "27753", "18004"),
        ("0800 FLOWERS", "08003569377", "0800"),
    ],
)
def test_letters_are_read_as_keypad_digits_under_reserve(cell: str, text: str, rival: str) -> None:
    assert read_cell(cell) == Reading(text, repair="phone.vanity", rival=rival, rival_code="phone.annotated")


@pytest.mark.parametrize("cell", ["1-800-GO", "FLOWERS", "1-800-HOME-212", "1-800-FL\u00d6WERS", "1-800-XXXXXXX"])
def test_other_letters_are_no_vanity_number(cell: str) -> None:
    assert read_cell(cell).text is None


def test_the_placeholder_for_a_brazilian_carrier_is_no_hidden_digit() -> None:
    assert read_cell("0xx11 96123-4567") == Reading("011961234567")
    assert read_cell("+55 (0XX11) 96123-4567") == Reading("+55011961234567")


# --- laws -------------------------------------------------------------------------------------------------------------

SIGNS = "0123456789" * 3 + "+-()./ ,;:'\"=xXeE#&|~[]*_@\u00a0\u200b\u2013\u00b7\uff11\u202a\n\tabhome"
SHAPES = st.sampled_from(
    [
        "ddd-ddd-dddd", "(ddd) ddd-dddd", "dddddddddd.0", "ddddddddddd,00", "'+ddddddddddd", '="dddddddd"',
        "dddd-d-d", "dd.dd.dd", "+dd ddd ddddd / ddd dddd", "ddddddddd ddddddddddd", "d,ddd,ddd,ddd.00", "ddd ddd.00",
        "+dd (d) dd dddd dddd/", "ddddddd.ddd", "dddddddd.dd ", "ddd/ddddddd", "d.dddddE+1d", "d,ddddddddddE1d",
        "ddd-ddd-dddd xdd", "dd/dd/dddd",
    ]
)  # fmt: skip


@st.composite
def cells(draw: st.DrawFn) -> str:
    """A number in a known shape with a sign put in, or any signs."""
    if draw(st.booleans()):
        signs: str = draw(st.text(SIGNS, max_size=22))
        return signs
    digits = iter(draw(st.text("0123456789", min_size=24, max_size=24)))
    text = "".join(next(digits) if sign == "d" else sign for sign in draw(SHAPES))
    place, sign = draw(st.tuples(st.integers(0, len(text)), st.sampled_from(["", *SIGNS])))
    return f"{text[:place]}{sign}{text[place:]}"


@settings(deadline=None)
@given(st.lists(cells(), min_size=1, max_size=30))
def test_a_column_says_what_each_of_its_cells_says(column: list[str]) -> None:
    assert read_cells(pl.Series(column)).rows() == [tuple(read_cell(cell)) for cell in column]


@settings(deadline=None)
@given(st.one_of(cells(), st.text(max_size=40)))
def test_a_reading_is_digits_or_a_reason_and_no_digit_is_invented(cell: str) -> None:
    reading = read_cell(cell)
    assert reading.text is None or reading.code is None
    for text in (reading.text, reading.rival):
        assert text is None or (text.lstrip("+").isdecimal() and text.isascii() and text.count("+") <= 1)
    written = [str(int(sign)) if sign.isdecimal() else sign for sign in cell]
    if reading.text and reading.repair != "phone.vanity":
        rest = iter(written)
        assert all(digit in rest for digit in reading.text.lstrip("+"))


@settings(deadline=None)
@given(st.text(SIGNS, max_size=30))
def test_reading_what_was_read_changes_nothing(cell: str) -> None:
    text = read_cell(cell).text
    if text:
        assert read_cell(text) == Reading(text)


def test_an_empty_column_is_read_as_an_empty_frame() -> None:
    assert read_cells(pl.Series([], dtype=pl.String)).schema == damage.READING_SCHEMA


def test_a_cell_of_any_length_is_read_in_time() -> None:
    for cell in (
        "1" * 50_000,
        "1 " * 20_000,
        "x" * 50_000,
        "(" * 50_000,
        "1-" * 20_000 + "x",
        "a" * 50_000,
        "#" * 9_999,
    ):
        assert read_cell(cell) == Reading(code="phone.not_a_number")
        assert read_cells(pl.Series([cell]))["code"].to_list() == ["phone.not_a_number"]


def test_labels_are_compared_in_lower_case_and_are_no_lookalikes_of_digits() -> None:
    assert all(label == label.casefold() for label in LABELS)
    assert LABELS.isdisjoint({"o", "l", "i", "s", "b", "x", "fax", "no", "not", "old"})


def test_every_code_is_in_the_catalogue() -> None:
    constants = (value for value in vars(damage).values() if isinstance(value, str) and value.startswith("phone."))
    assert set(constants) <= BY_CODE.keys()
