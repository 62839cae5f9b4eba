"""What a contact must be: `cxone-v2-dialect.md` section 3, without any connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.sandbox import Settings
from dialfeed.sandbox.countries import ALPHA_2
from dialfeed.sandbox.rules import Rules, find_errors, is_clean

if TYPE_CHECKING:
    from collections.abc import Callable

ARABIC_DIGITS = {ord("0") + digit: 0x660 + digit for digit in range(10)}
RULES = Rules.of(Settings())

GOOD: dict[str, dict[str, Any]] = {
    "all columns": {},
    "phone only": {"email": ...},
    "e-mail only": {"phone": ...},
    "no identifier and no names": {"externalId": ..., "firstName": ..., "lastName": ...},
    "shortest phone": {"phone": "+12"},
    "longest phone": {"phone": "+123456789012345"},
    "no country": {"countryCode": ...},
    "both flags": {"doNotCall": True, "doNotEmail": True},
    "other column": {"segment": "gold"},
    "empty text": {"segment": ""},
    "longest cell": {"segment": "x" * 512},
    "longest cell beyond ASCII": {"segment": "ü" * 512},
    "longest header": {"h" * 128: "x"},
    "fifty columns": {f"column{number}": "x" for number in range(42)},
    "line end in a text": {"segment": "a\nb"},
}

BAD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "phone without plus": ({"phone": "12025550100"}, ["phone"]),
    "phone with zero first": ({"phone": "+02025550100"}, ["phone"]),
    "phone too short": ({"phone": "+1"}, ["phone"]),
    "phone too long": ({"phone": "+1234567890123456"}, ["phone"]),
    "phone with blanks": ({"phone": "+1 202 555 0100"}, ["phone"]),
    "phone with a line end": ({"phone": "+12025550100\n"}, ["phone"]),
    "two phones": ({"phone": "+12025550100\n+12025550101"}, ["phone"]),
    "phone in other digits": ({"phone": "+1" + "2025550100".translate(ARABIC_DIGITS)}, ["phone"]),
    "phone empty": ({"phone": ""}, ["phone"]),
    "phone as number": ({"phone": 12025550100}, ["phone"]),
    "phone null": ({"phone": None}, ["phone"]),
    "neither phone nor e-mail": ({"phone": ..., "email": ...}, ["phone"]),
    "e-mail without at": ({"email": "person.example.com"}, ["email"]),
    "e-mail with two at": ({"email": "a@b@example.com"}, ["email"]),
    "e-mail with a blank": ({"email": "a b@example.com"}, ["email"]),
    "e-mail empty": ({"email": ""}, ["email"]),
    "e-mail null": ({"email": None}, ["email"]),
    "country in small letters": ({"countryCode": "us"}, ["countryCode"]),
    "country of three letters": ({"countryCode": "USA"}, ["countryCode"]),
    "country that is none": ({"countryCode": "ZZ"}, ["countryCode"]),
    "country empty": ({"countryCode": ""}, ["countryCode"]),
    "flag missing": ({"doNotCall": ...}, ["doNotCall"]),
    "other flag missing": ({"doNotEmail": ...}, ["doNotEmail"]),
    "both flags missing": ({"doNotCall": ..., "doNotEmail": ...}, ["doNotCall", "doNotEmail"]),
    "flag null": ({"doNotCall": None}, ["doNotCall"]),
    "flag as text": ({"doNotCall": "true"}, ["doNotCall"]),
    "flag as number": ({"doNotEmail": 1}, ["doNotEmail"]),
    "text null": ({"firstName": None}, ["firstName"]),
    "text as number": ({"externalId": 7}, ["externalId"]),
    "text as flag": ({"lastName": True}, ["lastName"]),
    "text as list": ({"segment": ["gold"]}, ["segment"]),
    "text as object": ({"segment": {}}, ["segment"]),
    "cell too long": ({"segment": "x" * 513}, ["segment"]),
    "header too long": ({"h" * 129: "x"}, ["h" * 129]),
    "header empty": ({"": "x"}, [""]),
    "fifty-one columns": ({f"column{number}": "x" for number in range(43)}, ["column42"]),
    "three things at once": ({"phone": "1", "email": None, "doNotCall": 0}, ["phone", "email", "doNotCall"]),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_contact_within_the_rules_is_taken(name: str, make_contact: Callable[..., dict[str, Any]]) -> None:
    batch = [make_contact(1), make_contact(2, **GOOD[name])]
    assert is_clean(batch, set(), RULES)
    assert find_errors(batch, set(), RULES) == []


@pytest.mark.parametrize("name", BAD)
def test_a_contact_that_breaks_a_rule_is_refused_at_its_column(
    name: str, make_contact: Callable[..., dict[str, Any]]
) -> None:
    changes, columns = BAD[name]
    batch = [make_contact(1), make_contact(2, **changes), make_contact(3)]
    errors = find_errors(batch, set(), RULES)
    assert not is_clean(batch, set(), RULES)
    assert [(error.index, error.column) for error in errors] == [(1, column) for column in columns]


@pytest.mark.parametrize("member", [None, 1, "text", [], True])
def test_a_contact_that_is_no_object_is_refused_as_a_whole(
    member: object, make_contact: Callable[..., dict[str, Any]]
) -> None:
    batch = [make_contact(1), member]
    assert not is_clean(batch, set(), RULES)
    assert [(error.index, error.column) for error in find_errors(batch, set(), RULES)] == [(1, "")]


def test_the_plus_may_be_left_out_where_the_settings_say_so(make_contact: Callable[..., dict[str, Any]]) -> None:
    batch = [make_contact(phone="12025550100"), make_contact(phone="+12025550100")]
    assert is_clean(batch, set(), Rules.of(Settings(plus_required=False)))
    assert not is_clean(batch, set(), RULES)


def test_columns_are_counted_over_the_whole_list(make_contact: Callable[..., dict[str, Any]]) -> None:
    known = {f"old{number}" for number in range(42)}
    assert is_clean([make_contact()], known, RULES)
    batch = [make_contact(1), make_contact(2, one="x"), make_contact(3)]
    assert not is_clean(batch, known, RULES)
    assert [(error.index, error.column) for error in find_errors(batch, known, RULES)] == [(1, "one")]


def test_a_list_above_its_columns_still_takes_contacts_without_new_ones(
    make_contact: Callable[..., dict[str, Any]],
) -> None:
    known = {f"old{number}" for number in range(60)} | make_contact().keys()
    assert is_clean([make_contact()], known, RULES)
    assert find_errors([make_contact()], known, RULES) == []


def test_no_error_message_holds_the_value(make_contact: Callable[..., dict[str, Any]]) -> None:
    for changes, _ in BAD.values():
        for error in find_errors([make_contact(**changes)], set(), RULES):
            assert "2025550100" not in error.message
            assert "example" not in error.message


def test_there_are_249_countries_of_two_letters() -> None:
    assert len(ALPHA_2) == 249
    assert {"US", "GB", "DE", "XK", "UK", "EU"} & ALPHA_2 == {"US", "GB", "DE"}


COLUMNS = st.sampled_from(["externalId", "phone", "email", "countryCode", "doNotCall", "doNotEmail", "a", "b", "c", ""])
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 1),
    st.floats(0, 1),
    st.sampled_from(["+12025550100", "+1\n+2", "a@example.com", "US", "us", "", "\n", "x" * 20, "x" * 21]),
    st.lists(st.integers(), max_size=1),
)
NEARLY = st.fixed_dictionaries(
    {"doNotCall": st.booleans(), "doNotEmail": st.booleans(), "phone": st.just("+12025550100")},
    optional={name: st.sampled_from(["x", "US", "a@example.com"]) for name in ("a", "b", "c", "email", "countryCode")},
)
TIGHT = Rules.of(Settings(max_columns=6, max_cell=20))


@given(
    batch=st.lists(st.one_of(NEARLY, st.dictionaries(COLUMNS, CELLS, max_size=7), CELLS), max_size=4),
    known=st.sets(st.sampled_from("abcdefgh")),
)
def test_the_quick_and_the_thorough_judgement_always_agree(batch: list[Any], known: set[str]) -> None:
    assert is_clean(batch, known, TIGHT) is (find_errors(batch, known, TIGHT) == [])
