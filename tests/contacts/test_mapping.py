"""The header alone decides which column is which contact field, and nothing is guessed."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.contacts.fields import CONTACT_FIELDS, RESERVED_COLUMNS
from dialfeed.contacts.mapping import (
    SYNONYMS,
    ColumnMapping,
    header_fingerprint,
    is_numbered,
    map_headers,
    match_key,
    problems,
)
from dialfeed.contacts.reasons import BY_CODE

COMPLETE = ("externalId", "firstName", "lastName", "phone", "email", "countryCode", "doNotCall", "doNotEmail")
FLAGS = ("doNotCall", "doNotEmail")
NAMES = [(name.strip(), field) for field, names in SYNONYMS.items() for name in names.split(",")]


def codes(mapped: ColumnMapping) -> list[str]:
    return [problem.code for problem in mapped.problems]


def told(mapped: ColumnMapping) -> str:
    return " ".join(f"{problem.sentence} {problem.remedy}" for problem in mapped.problems)


def test_a_file_with_the_fields_own_names_has_no_problem() -> None:
    mapped = map_headers(COMPLETE)
    assert mapped.problems == ()
    assert mapped.usable
    assert list(mapped.fields.items()) == [(field, place) for place, field in enumerate(CONTACT_FIELDS)]
    assert {column.why for column in mapped.columns} == {"exact"}


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        (
            (
                "Customer ID",
                "Given Name",
                "Surname",
                "Mobile Number",
                "E-Mail Address",
                "Country",
                "DNC",
                "Unsubscribed",
            ),
            COMPLETE,
        ),
        (
            (
                "Número de cliente",
                "Nombre",
                "Apellidos",
                "Teléfono",
                "Correo electrónico",
                "País",
                "No llamar",
                "No enviar email",
            ),
            COMPLETE,
        ),
        (
            ("Identifiant", "Prénom", "Nom", "N° de téléphone", "Courriel", "Pays", "Ne pas appeler", "Désabonné"),
            COMPLETE,
        ),
        (
            ("Kundennummer", "Vorname", "Nachname", "Rufnummer", "E-Mail", "Land", "Nicht anrufen", "Keine E-Mail"),
            COMPLETE,
        ),
        (
            (
                "ID do cliente",
                "Nome",
                "Sobrenome",
                "Telemóvel",
                "Endereço de e-mail",
                "País",
                "Não ligar",
                "Não enviar e-mail",
            ),
            COMPLETE,
        ),
        (
            ("LAST_NAME", "First-Name", "do.not.call", "Do Not Email", "PHONE"),
            ("lastName", "firstName", *FLAGS, "phone"),
        ),
        (("\ufeffPhone", " e mail ", "donotcall", "doNotEmail?"), ("phone", "email", *FLAGS)),
    ],
)
def test_headers_in_five_languages_are_understood(header: tuple[str, ...], fields: tuple[str, ...]) -> None:
    mapped = map_headers(header)
    assert [column.target for column in mapped.columns] == list(fields)
    assert mapped.problems == ()


@pytest.mark.parametrize(("name", "field"), NAMES)
def test_every_synonym_stands_for_one_field(name: str, field: str) -> None:
    others = [own for own in CONTACT_FIELDS if own != field]
    mapped = map_headers([name, *others])
    assert mapped.fields == {own: (0 if own == field else others.index(own) + 1) for own in CONTACT_FIELDS}
    assert mapped.columns[0].why == "synonym"


def test_no_synonym_is_listed_twice_or_is_a_fields_own_name() -> None:
    counts = Counter(match_key(name) for name, _ in NAMES)
    assert [key for key, count in counts.items() if count > 1] == []
    assert counts.keys().isdisjoint(match_key(field) for field in CONTACT_FIELDS)
    assert "" not in counts


@pytest.mark.parametrize(
    "name", ["Name", "Opt in", "Do not contact", "Account ID", "Number", "Do not mail", "Phone 2", "Consent"]
)
def test_a_name_with_more_than_one_meaning_passes_through(name: str) -> None:
    mapped = map_headers(["phone", *FLAGS, name])
    assert mapped.columns[-1].why == "passed through"
    assert mapped.passed_through == {name: 3}


def test_a_fields_own_name_wins_over_a_synonym() -> None:
    mapped = map_headers(["Mobile", "Phone", *FLAGS])
    assert mapped.fields["phone"] == 1
    assert mapped.passed_through == {"Mobile": 0}
    assert mapped.usable


def test_two_synonyms_for_one_field_are_a_problem_that_an_override_settles() -> None:
    header = ["Mobile", "Home Phone", *FLAGS]
    contested = map_headers(header)
    assert codes(contested) == ["header.two_columns_for_one_field"]
    assert not contested.usable
    assert '"Mobile" (column 1)' in told(contested)
    assert '"Home Phone" (column 2)' in told(contested)
    settled = map_headers(header, overrides={"home phone": "phone"})
    assert settled.problems == ()
    assert (settled.fields["phone"], settled.passed_through) == (1, {"Mobile": 0})


def test_a_field_twice_under_its_own_name_is_a_problem() -> None:
    assert codes(map_headers(["phone", "Phone", *FLAGS])) == ["header.two_columns_for_one_field"]
    assert map_headers(["phone", "Phone", *FLAGS], overrides={"#2": "-"}).fields["phone"] == 0


@pytest.mark.parametrize("target", ["", "-", " - "])
def test_an_override_can_leave_a_column_out(target: str) -> None:
    mapped = map_headers(["phone", "mobile", "Notes", *FLAGS], overrides={"Notes": target, "phone": target})
    assert mapped.fields["phone"] == 1
    assert [column.why for column in mapped.columns[:3]] == ["ignored", "synonym", "ignored"]
    assert mapped.passed_through == {}


@pytest.mark.parametrize("column", ["Kontaktweg A", "kontaktweg_a", "#2", " KONTAKTWEG-A "])
@pytest.mark.parametrize("field", ["phone", "PHONE"])
def test_an_override_names_a_column_by_name_or_by_place(column: str, field: str) -> None:
    mapped = map_headers(["email", "Kontaktweg A", *FLAGS], overrides={column: field})
    assert mapped.fields["phone"] == 1
    assert mapped.columns[1].why == "override"
    assert mapped.problems == ()


def test_a_column_that_is_called_like_a_place_is_found_by_its_name() -> None:
    assert map_headers(["email", "#1", *FLAGS], overrides={"#1": "phone"}).fields["phone"] == 1


def test_the_very_name_of_a_column_wins_over_a_like_name() -> None:
    mapped = map_headers(["TEL", "tel", *FLAGS], overrides={"tel": "phone"})
    assert (mapped.fields["phone"], mapped.passed_through) == (1, {"TEL": 0})


@pytest.mark.parametrize("column", ["Fax", "#5", "#0", "#", ""])
def test_an_override_for_an_unknown_column_is_a_problem(column: str) -> None:
    mapped = map_headers(["phone", "", *FLAGS], overrides={column: "email"})
    assert codes(mapped) == ["header.unknown_column", "header.blank_name"]


@pytest.mark.parametrize("field", ["telephone", "_row", "#1"])
def test_an_override_to_an_unknown_field_is_a_problem(field: str) -> None:
    mapped = map_headers(["phone", "Fax", *FLAGS], overrides={"Fax": field})
    assert codes(mapped) == ["header.unknown_field"]


def test_two_overrides_to_one_field_are_a_problem_unless_it_is_a_channel() -> None:
    header = ["phone", "a", "b", *FLAGS]
    assert codes(map_headers(header, overrides={"a": "lastName", "b": "lastName"})) == [problems.TWO_COLUMNS]
    mapped = map_headers(["a", "b", *FLAGS], overrides={"b": "phone", "a": "phone"})
    assert mapped.problems == ()
    assert (mapped.fields["phone"], mapped.others, mapped.beside) == (1, {"phone": {"a": 0}}, ["a"])


def test_one_override_that_means_two_columns_tells_no_order() -> None:
    assert codes(map_headers(["Tel", "Tel", *FLAGS], overrides={"tel": "phone"})) == [problems.TWO_COLUMNS]
    assert map_headers(["Tel", "Tel", *FLAGS], overrides={"#2": "phone", "#1": "phone"}).fields["phone"] == 1


def test_an_order_settles_which_of_several_columns_is_tried_first() -> None:
    header = ["Home Phone", "Mobile", "phone", *FLAGS, "mail", "email"]
    mapped = map_headers(header, orders={"phone": ["mobile", "phone"], "email": ["mail", "email"]})
    assert mapped.problems == ()
    assert (mapped.fields["phone"], mapped.fields["email"]) == (1, 5)
    assert mapped.others == {"phone": {"other phone": 2}, "email": {"other email": 6}}
    assert mapped.beside == ["Home Phone", "other phone", "other email"]
    assert codes(map_headers(header, orders={"phone": ["Fax"]})) == ["header.unknown_column"]


def test_a_stated_field_needs_no_column_and_may_have_none() -> None:
    assert map_headers(["phone"], stated=FLAGS).problems == ()
    assert codes(map_headers(["phone", "DNC"], stated=FLAGS)) == [problems.STATED_AND_MAPPED]
    assert map_headers(["phone", "DNC"], stated=FLAGS, overrides={"DNC": "-"}).problems == ()


@pytest.mark.parametrize(
    "name", ["Full Name", "Nombre completo", "Nom complet", "Vollständiger Name", "Nome completo", "fullName"]
)
def test_a_full_name_is_known_in_five_languages(name: str) -> None:
    mapped = map_headers(["phone", name, *FLAGS])
    assert (mapped.full_name, mapped.problems, mapped.passed_through) == (1, (), {})


def test_a_full_name_beside_a_first_or_last_name_passes_through_unless_it_is_mapped() -> None:
    header = ["phone", "Full Name", "Last Name", *FLAGS]
    assert map_headers(header).passed_through == {"Full Name": 1}
    assert codes(map_headers(header, overrides={"Full Name": "fullName"})) == [problems.TWO_COLUMNS]
    mapped = map_headers(header, overrides={"Full Name": "fullName", "Last Name": "-"})
    assert (mapped.full_name, mapped.problems) == (1, ())


@pytest.mark.parametrize(
    ("name", "numbered"),
    [
        ("Col7", True), ("Column 7", True), ("F3", True), ("Spalte_2", True), ("Unnamed: 4", True), ("7", True),
        ("Order", False), ("Order 7", False), ("Col", False), ("Phone2", False), ("", False),
    ],
)  # fmt: skip
def test_a_name_that_only_counts_columns_means_nothing(name: str, numbered: bool) -> None:
    assert is_numbered(name) is numbered


def test_values_tell_what_no_name_tells() -> None:
    mapped = map_headers(["Col7", "Col8", *FLAGS], evidence={0: "phone"})
    assert mapped.usable
    assert (mapped.fields["phone"], codes(mapped)) == (0, [problems.BY_VALUES])
    contested = map_headers(["Col7", "Col8", *FLAGS], evidence={0: "phone", 1: "phone"})
    assert codes(contested)[0] == problems.TWO_COLUMNS
    assert map_headers(["phone", "Col8", *FLAGS], evidence={1: "phone"}).fields["phone"] == 0


def test_the_columns_of_a_platforms_own_export_are_ignored() -> None:
    header = ["inin-outbound-id", "phone", *FLAGS, "Callable", "ContactCallable", "CallRecordLastAttempt-phone", "City"]
    assert map_headers(header).passed_through == {"City": 7}
    assert map_headers(header, overrides={"inin-outbound-id": "externalId"}).fields["externalId"] == 0
    mapped = map_headers(["id", "externalId", "contactListId", "phone", *FLAGS])
    assert (mapped.passed_through, mapped.fields["externalId"]) == ({}, 1)


def test_a_name_that_only_looks_like_a_platforms_passes_through_alone() -> None:
    assert map_headers(["phone", "Callable", *FLAGS]).passed_through == {"Callable": 1}
    assert map_headers(["phone", "id", *FLAGS]).fields["externalId"] == 1


def test_a_column_cannot_pass_through_under_the_name_of_a_field_that_went_to_another() -> None:
    header = ["phone", "Mobile", *FLAGS]
    assert codes(map_headers(header, overrides={"Mobile": "phone"})) == ["header.duplicate_name"]
    assert map_headers(header, overrides={"Mobile": "phone", "phone": "-"}).fields["phone"] == 1


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (("firstName", *FLAGS), ["header.no_channel"]),
        (("phone", "doNotEmail"), ["header.no_flag"]),
        (("email", "doNotCall"), ["header.no_flag"]),
        (("email",), ["header.no_flag"]),
        ((), ["header.no_channel", "header.no_flag"]),
        (("phone", *FLAGS, "City", "City"), ["header.duplicate_name"]),
        (("phone", *FLAGS, "City", "CITY "), ["header.duplicate_name"]),
        (("phone", *FLAGS, "City", "C-ity"), []),
        (("phone", *FLAGS, "", " \u00a0"), ["header.blank_name"]),
        (("phone", *FLAGS, "x" * 128), []),
        (("phone", *FLAGS, "x" * 129), ["header.too_long"]),
        (("phone", *FLAGS, *(f"c{n}" for n in range(47))), []),
        (("phone", *FLAGS, *(f"c{n}" for n in range(48))), ["header.too_many_columns"]),
        (("phone", *FLAGS, *([""] * 60)), ["header.blank_name"]),
    ],
)
def test_what_is_wrong_with_a_header_is_told(header: tuple[str, ...], expected: list[str]) -> None:
    mapped = map_headers(header)
    assert codes(mapped) == expected
    assert mapped.usable == (set(expected) <= {"header.blank_name"})


def test_limits_belong_to_the_platform() -> None:
    header = ["phone", *FLAGS, "a", "x" * 200]
    assert codes(map_headers(header, most_columns=4, longest_name=200)) == ["header.too_many_columns"]
    assert codes(map_headers(header, most_columns=None, longest_name=None)) == []


def test_a_column_without_a_name_can_be_mapped_by_its_place() -> None:
    mapped = map_headers(["", *FLAGS], overrides={"#1": "phone"})
    assert mapped.fields["phone"] == 0
    assert mapped.problems == ()


@pytest.mark.parametrize(
    "first", [("Anna", "+1 212 555 0100"), ("anna@example.com", "true"), ("Anna", "2125550100"), ("(212) 555-0100",)]
)
def test_a_missing_header_is_recognised_and_its_data_is_not_quoted(first: tuple[str, ...]) -> None:
    mapped = map_headers([*first, "Anna", "Anna"])
    assert codes(mapped) == ["header.looks_like_data"]
    assert "555" not in told(mapped)
    assert "nna" not in told(mapped)


def test_a_date_as_the_name_of_a_column_is_not_data_while_there_is_a_channel() -> None:
    assert map_headers(["phone", *FLAGS, "2026-11-23", "20261123"]).usable


@pytest.mark.parametrize("name", sorted(RESERVED_COLUMNS))
def test_columns_that_dialfeed_wrote_are_ignored_when_a_mended_file_comes_back(name: str) -> None:
    mapped = map_headers([*COMPLETE, name, name.upper()])
    assert mapped.problems == ()
    assert [column.target for column in mapped.columns[-2:]] == [None, None]


def test_the_quote_that_keeps_a_name_from_being_a_formula_comes_off() -> None:
    assert map_headers(["phone", *FLAGS, "'=Sum", "'quoted"]).passed_through == {"=Sum": 3, "'quoted": 4}


def test_every_problem_is_in_the_catalogue_with_its_severity() -> None:
    defined = {value for name, value in vars(problems).items() if name.isupper() and str(value).startswith("header.")}
    assert defined == {code for code in BY_CODE if code.startswith("header.")}
    assert {code for code in defined if BY_CODE[code].severity == "warning"} == {
        "header.blank_name",
        problems.BY_VALUES,
        problems.NOT_USED,
        problems.PASSES_UNASKED,
        problems.EMPTY_FLAG,
    }
    found = map_headers(["phone", "", "x" * 129, "a", "a"], overrides={"b": "phone", "x" * 129: "foo"}, most_columns=1)
    assert all(BY_CODE[problem.code].severity == problem.severity for problem in found.problems)
    assert found.problems[-1].severity == "warning"


def test_a_mapping_is_described_column_by_column() -> None:
    mapped = map_headers(["phone", "Correo", "T", "City", "_row", *FLAGS], overrides={"T": "lastName"})
    assert mapped.describe()[:5] == [
        ("phone", "phone", "exact"),
        ("Correo", "email", "synonym"),
        ("T", "lastName", "override"),
        ("City", "City", "passed through"),
        ("_row", "", "ignored"),
    ]


def test_the_fingerprint_is_of_the_cleaned_names_in_their_order() -> None:
    fingerprint = header_fingerprint(["phone", "City"])
    assert re.fullmatch("[0-9a-f]{64}", fingerprint)
    assert map_headers(["\ufeffphone ", "City"]).fingerprint == fingerprint
    different = [["City", "phone"], ["phone", "city"], ["phone", "City", ""], ["phone,City"], ["phoneCity", ""]]
    assert fingerprint not in {header_fingerprint(header) for header in different}


def test_the_fingerprint_stays_the_same_between_releases() -> None:
    assert header_fingerprint(["phone"]) == "a4b7d53e7005c5ea00a3f83cb2b58e5a4c0713dda96e681efe6985372ccd4c60"


def test_a_very_wide_header_is_told_in_short_sentences() -> None:
    mapped = map_headers(["phone", *FLAGS, *([""] * 16_000)])
    assert codes(mapped) == ["header.blank_name"]
    assert len(told(mapped)) < 300


@given(
    st.sampled_from([*NAMES, *((field, field) for field in CONTACT_FIELDS)]),
    st.sampled_from([str.upper, str.lower, str.title, str.swapcase]),
    st.sampled_from(["", " ", "_", "-", ".", "\u00a0", "\u200b"]),
)
def test_case_blanks_and_punctuation_in_a_header_do_not_matter(
    named: tuple[str, str], change: type[str], between: str
) -> None:
    name, field = named
    typed = between.join(["", *change(name).replace(" ", between or " "), ""])
    assert map_headers([typed]).columns[0].target == field


@given(
    st.lists(
        st.sampled_from([name for name, _ in NAMES]) | st.sampled_from(COMPLETE) | st.text(max_size=8), max_size=12
    )
)
def test_every_column_ends_somewhere_and_every_field_has_one_column_at_most(header: list[str]) -> None:
    mapped = map_headers(header)
    assert [column.position for column in mapped.columns] == list(range(len(header)))
    for column in mapped.columns:
        assert (column.target is None) == (column.why == "ignored")
    if mapped.usable:
        targets = [column.target for column in mapped.columns if column.target is not None]
        assert len(targets) == len(set(targets)) == len(mapped.fields) + len(mapped.passed_through)
