"""A country is read from its code, its names and its dialling code, and never guessed."""

from __future__ import annotations

import phonenumbers
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.contacts.country import ALIASES, COUNTRY_SCHEMA, SHARED_NAMES, normalise_countries
from dialfeed.contacts.country_names import COUNTRY_NAMES
from dialfeed.contacts.reasons import BY_CODE

ROWS = [" ".join(row.split()).split("; ") for row in COUNTRY_NAMES.replace("\n ", " ").strip().split("\n")]
CODES = [row[0] for row in ROWS]


def read(*values: str | None) -> list[tuple[str | None, str | None]]:
    return normalise_countries(pl.Series(values, dtype=pl.String)).rows()


@pytest.mark.parametrize(
    ("code", "written"),
    [
        (
            "US",
            "US; us; U.S.; U. S.; USA; U.S.A.; United States; the United States; Estados Unidos; États-Unis; EE. UU.",
        ),
        (
            "GB",
            "GB; UK; U.K.; United Kingdom; Great Britain; England; scotland; Großbritannien; Royaume-Uni; Reino Unido",
        ),
        ("DE", "DE; DEU; Germany; DEUTSCHLAND; Alemania; Allemagne; Alemanha; +49; 0049; + 49; 49; 49.0; 276"),
        ("AT", "AT; Österreich; Oesterreich; Osterreich; Austria; +43; 43; 040"),
        ("CH", "CH; Schweiz; Suisse; Svizzera; Switzerland; Suiza; +41; 0041; 41; 756"),
        ("FR", "+33; 0033; 33; FRA"),
        ("PT", "351; +351; 620"),
        ("AF", "+93; 93; 004"),
        ("ES", "ES; ESP; España; ESPANA; Spain; Espagne; Spanien"),
        ("NL", "NL; Nederland; The Netherlands; Holland; Pays-Bas"),
        ("CI", "CI; Côte d'Ivoire; Cote d\u2019Ivoire; Ivory Coast; Elfenbeinküste"),
        ("KR", "KR; South Korea; Republic of Korea; Südkorea; Corea del Sur; 대한민국"),
        ("JP", "JP; 日本; Japón"),
        ("RU", "RU; Россия; Russian Federation"),
        ("MM", "MM; Myanmar; Burma; Myanmar (Burma)"),
        ("LC", "LC; St. Lucia; Saint Lucia; ST LUCIA"),
        ("BA", "BA; Bosnia & Herzegovina; Bosnia and Herzegovina; Bosnia-Herzegovina; Bosnien"),
        ("CD", "CD; DR Congo; Congo, Democratic Republic of the"),
        ("HK", "HK; Hong Kong; Hongkong"),
        ("XK", "XK; Kosovo; +383"),
        ("NA", "NA; Namibia; NAM; +264"),
    ],
)
def test_a_country_is_known_by_what_people_write(code: str, written: str) -> None:
    names = written.split("; ")
    assert dict(zip(names, read(*names), strict=True)) == dict.fromkeys(names, (code, None))


@pytest.mark.parametrize(
    "name",
    ["+1", "001", "1", "7", "007", "39", "+44", "+7", "+39", "+61", "Congo", "Korea", "Virgin Islands", "St. Martin"],
)
def test_what_stands_for_several_countries_is_ambiguous(name: str) -> None:
    assert read(name) == [(None, "country.ambiguous")]


@pytest.mark.parametrize("number", ["380", "31", "31.0", "40", "44", "212", "352"])
def test_a_number_that_is_a_dialling_code_here_and_a_number_of_iso_there_is_not_guessed(number: str) -> None:
    assert read(number) == [(None, "country.ambiguous_number")]


@pytest.mark.parametrize("written", ["+380", "00380"])
def test_a_sign_or_two_zeros_make_it_a_dialling_code(written: str) -> None:
    assert read(written) == [("UA", None)]


@pytest.mark.parametrize(
    "name",
    [
        "ZZ",
        "EU",
        "x",
        "unknown",
        "4",
        "08",
        "999",
        "1000",
        "4.5",
        "+4",
        "+800",
        "+999",
        "N/A",
        "n.a.",
        "n/a",
        "na",
        "c/o",
        "-",
        "?",
        "Atlantis",
        "+",
    ],
)
def test_what_names_no_country_is_unknown(name: str) -> None:
    assert read(name) == [(None, "country.unknown")]


@pytest.mark.parametrize("nothing", [None, "", " \u00a0"])
def test_an_absent_country_is_neither_known_nor_unknown(nothing: str | None) -> None:
    assert read(nothing) == [(None, None)]


def test_each_row_gets_its_own_answer() -> None:
    assert read("Spain", None, "x", "Spain", "+1") == [
        ("ES", None),
        (None, None),
        (None, "country.unknown"),
        ("ES", None),
        (None, "country.ambiguous"),
    ]


def test_an_empty_column_gives_an_empty_frame() -> None:
    assert normalise_countries(pl.Series([], dtype=pl.String)).schema == COUNTRY_SCHEMA


def test_the_table_holds_the_249_countries_of_iso_3166_and_kosovo() -> None:
    assert len(CODES) == len(set(CODES)) == 250
    assert len({row[1] for row in ROWS}) == 250


def test_every_code_and_name_of_the_table_finds_its_country_or_is_known_to_be_shared() -> None:
    sharing = {code for codes in SHARED_NAMES.values() for code in codes}
    for code, _, _, *names in ROWS:
        allowed = {(code, None), (None, "country.ambiguous")} if code in sharing else {(code, None)}
        assert set(read(code, *names)) <= allowed
        assert read(code) == [(code, None)]


def test_every_alias_finds_its_country_and_is_not_in_the_table_already() -> None:
    for code, names in ALIASES.items():
        aliases = [name.strip() for name in names.split(",")]
        assert read(*aliases) == [(code, None)] * len(aliases)
        assert not set(aliases) & {name for row in ROWS for name in row}


def test_every_shared_name_is_ambiguous() -> None:
    assert read(*SHARED_NAMES) == [(None, "country.ambiguous")] * len(SHARED_NAMES)


def test_every_region_that_phones_are_read_by_is_a_country_of_the_table() -> None:
    islands_with_a_reserved_code = {"AC", "TA"}  # Ascension, Tristan da Cunha: SH in ISO 3166-1
    assert phonenumbers.SUPPORTED_REGIONS - set(CODES) == islands_with_a_reserved_code


def test_a_dialling_code_is_accepted_exactly_if_one_country_has_it() -> None:
    for number, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        known = [region for region in regions if region in CODES]
        expected = {0: (None, "country.unknown"), 1: (known[0] if known else None, None)}
        assert read(f"+{number}") == [expected.get(len(known), (None, "country.ambiguous"))]


def test_a_bare_number_is_read_only_where_dialling_codes_and_numbers_of_iso_leave_one_country() -> None:
    numbered = {row[2]: row[0] for row in ROWS}
    for number in range(1, 1000):
        regions = set(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(number, ())) & set(CODES)
        in_iso = {numbered[f"{number:03}"]} if f"{number:03}" in numbered else set()
        possible = regions | (in_iso if regions or number >= 100 else set())
        ((country, code),) = read(str(number))
        assert country == (possible.pop() if len(possible) == 1 else None)
        assert (code is None) == (country is not None)


def test_the_codes_are_in_the_catalogue() -> None:
    assert {"country.unknown", "country.ambiguous", "country.ambiguous_number"} <= BY_CODE.keys()


@given(st.sampled_from([name for row in ROWS for name in row if name != "NA"]), st.integers(0, 2))
def test_case_and_surrounding_blanks_do_not_matter(name: str, case: int) -> None:
    changed = (name.upper(), name.lower(), name.swapcase())[case]
    # A few letters become two by a change of case and do not come back; where they do, so does the country.
    if changed.lower() == name.lower():
        assert read(f" {changed}\u00a0") == read(name)


@given(st.lists(st.none() | st.text(max_size=12) | st.sampled_from(CODES)))
def test_text_has_a_country_or_a_code_and_never_both(values: list[str | None]) -> None:
    frame = normalise_countries(pl.Series(values, dtype=pl.String))
    assert frame.schema == COUNTRY_SCHEMA
    for country, code in frame.iter_rows():
        assert country is None or code is None
        assert country is None or country in CODES
