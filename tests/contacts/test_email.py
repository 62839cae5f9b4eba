"""E-mail addresses get the verdict and the form that email-validator gives them, and a useful reason."""

from __future__ import annotations

import runpy
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialfeed.contacts import email
from dialfeed.contacts.email import EMAIL_SCHEMA, normalise_emails
from dialfeed.contacts.reasons import BY_CODE

BENCH = runpy.run_path(str(Path(__file__).parents[2] / "bench" / "emails.py"))


def judge(*values: str | None) -> list[tuple[str | None, str | None, str | None]]:
    return normalise_emails(pl.Series(values, dtype=pl.String)).rows()


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("anna@example.com", "anna@example.com"),
        ("Anna@Example.COM", "Anna@example.com"),
        ("ANNA@EXAMPLE.COM", "ANNA@example.com"),
        ("o'brien+list@mail.example.co.uk", "o'brien+list@mail.example.co.uk"),
        (" anna@example.com\u00a0", "anna@example.com"),
        ("\ufeffanna\u200b@example.com", "anna@example.com"),
        ("anna@example.com;", "anna@example.com"),
        ("mailto:anna@example.com", "anna@example.com"),
        ("MAILTO:Anna@Example.com?subject=Hello", "Anna@example.com"),
        ("jürgen@example.com", "jürgen@example.com"),
        ("anna@xn--exmple-cua.com", "anna@exämple.com"),
        ("anna@EXÄMPLE.com", "anna@exämple.com"),
        ("jose\u0301@example.com", "jos\u00e9@example.com"),
        ("anna@\u212aelvin.com", "anna@kelvin.com"),
        ("Anna@\u017fample.com", "Anna@sample.com"),
        ("anna@x.tests", "anna@x.tests"),
        ("anna@test.example.com", "anna@test.example.com"),
        (f"{'a' * 64}@example.com", f"{'a' * 64}@example.com"),
    ],
)
def test_an_address_has_one_normal_form(typed: str, form: str) -> None:
    assert judge(typed) == [(form, None, None)]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("anna", "email.no_at"),
        ("n/a", "email.no_at"),
        (";", "email.no_at"),
        ("<>", "email.no_at"),
        ("anna at example.com", "email.no_at"),
        ("anna\uff20example.com", "email.no_at"),
        ("x" * 100_000, "email.no_at"),
        ("anna@example.com, bob@example.com", "email.several_addresses"),
        ("anna@example.com;bob@example.com", "email.several_addresses"),
        ("anna@example.com / bob@example.com", "email.several_addresses"),
        ("anna@example.com bob@example.com", "email.several_addresses"),
        ("mailto:anna@example.com,bob@example.com", "email.several_addresses"),
        ('"bob@example.com" <anna@example.com>', "email.several_addresses"),
        ("Anna <anna@example.com>, Bob <bob@example.com>", "email.several_addresses"),
        ("an na@example.com", "email.spaces"),
        ("anna@ example.com", "email.spaces"),
        ("anna\t@example.com", "email.spaces"),
        (f"anna@{'x' * 250}.com", "email.too_long"),
        ("anna@" + "x" * 100_000, "email.too_long"),
        ("anna@localhost", "email.reserved_domain"),
        ("anna@printer.local", "email.reserved_domain"),
        ("anna@example.TEST", "email.reserved_domain"),
        ("anna@no.invalid", "email.reserved_domain"),
        ("anna@", "email.bad_domain"),
        ("anna@example", "email.bad_domain"),
        ("anna@example..com", "email.bad_domain"),
        ("anna@-example.com", "email.bad_domain"),
        ("anna@example.com.", "email.bad_domain"),
        ("anna@example.c0m1", "email.bad_domain"),
        ("anna@192.0.2.1", "email.bad_domain"),
        ("anna@[192.0.2.1]", "email.bad_domain"),
        (f"anna@{'x' * 64}.com", "email.bad_domain"),
        ("@example.com", "email.bad_name"),
        (".anna@example.com", "email.bad_name"),
        ("anna..b@example.com", "email.bad_name"),
        ('"anna"@example.com', "email.bad_name"),
        ("anna(home)@example.com", "email.bad_name"),
        ("anna@@example.com", "email.invalid"),
        ("anna@b@example.com", "email.invalid"),
    ],
)
def test_a_refusal_says_what_is_wrong(typed: str, code: str) -> None:
    assert judge(typed) == [(None, code, None)]


@pytest.mark.parametrize(
    ("typed", "form", "warning"),
    [
        ("'anna@example.com", "anna@example.com", "email.text_marker"),
        ("'Anna@Example.com'", "Anna@example.com", "email.text_marker"),
        ("'@example.com", "'@example.com", None),
        ('="anna@example.com"', "anna@example.com", "email.text_marker"),
        ('"anna@example.com"', "anna@example.com", "email.text_marker"),
        ("'info@example.com", "info@example.com", "email.text_marker"),
        ("o'brien@example.com", "o'brien@example.com", None),
        ("info@example.com", "info@example.com", "email.role"),
        ("INFO@Example.com", "info@example.com", "email.role"),
        ("Kontakt@example.com", "Kontakt@example.com", "email.role"),
        ("information@example.com", "information@example.com", None),
        ("anna.info@example.com", "anna.info@example.com", None),
        ("anna@mailinator.com", "anna@mailinator.com", "email.disposable"),
        ("Anna@Mailinator.COM", "Anna@mailinator.com", "email.disposable"),
        ("info@mailinator.com", "info@mailinator.com", "email.disposable"),
        ("anna@mailinator.com.example.org", "anna@mailinator.com.example.org", None),
        ("anna@notmailinator.com", "anna@notmailinator.com", None),
        ("Anna B. <anna@example.com>", "anna@example.com", "email.display_name"),
        ('"B, Anna" <Anna@Example.com>;', "Anna@example.com", "email.display_name"),
        ("<anna@example.com>", "anna@example.com", "email.display_name"),
        ("Anna <mailto:anna@example.com>", "anna@example.com", "email.display_name"),
        ("Anna@example.com <anna@example.com>", "anna@example.com", "email.display_name"),
        ("Desk <info@mailinator.com>", "info@mailinator.com", "email.display_name"),
    ],
)
def test_a_finding_is_told_and_the_address_goes_on(typed: str, form: str, warning: str | None) -> None:
    assert judge(typed) == [(form, None, warning)]


def test_a_refused_address_in_brackets_has_no_finding() -> None:
    assert judge("Anna <anna@localhost>") == [(None, "email.reserved_domain", None)]


@pytest.mark.parametrize("nothing", [None, "", " ", "\u200b"])
def test_an_absent_address_is_neither_accepted_nor_refused(nothing: str | None) -> None:
    assert judge(nothing) == [(None, None, None)]


def test_each_row_gets_its_own_answer() -> None:
    typed = ["b@example.com", None, "x", "Anna@Example.com", "x", "", "a <c@example.com>", "info@example.com"]
    assert judge(*typed) == [judge(value)[0] for value in typed]


def test_an_empty_column_gives_an_empty_frame() -> None:
    assert normalise_emails(pl.Series([], dtype=pl.String)).schema == EMAIL_SCHEMA


def test_the_column_of_the_caller_is_left_alone() -> None:
    typed = pl.Series("mail", ["Anna@Example.com", "x"])
    normalise_emails(typed)
    assert typed.to_list() == ["Anna@Example.com", "x"]


def test_the_codes_are_in_the_catalogue_with_their_severity() -> None:
    codes = {value for name, value in vars(email).items() if name.isupper() and str(value).startswith("email.")}
    findings = {email.DISPLAY_NAME, email.TEXT_MARKER, email.DISPOSABLE, email.ROLE}
    assert len(codes) == 12
    assert {code: BY_CODE[code].severity == "warning" for code in codes} == {code: code in findings for code in codes}


def test_verdict_and_form_agree_with_the_library_on_a_damaged_corpus() -> None:
    assert BENCH["disagreements"](6_000, seed=7) == []


LOOKS_LIKE_AN_ADDRESS = r"([a-zA-Z.+_ -][a-zA-Z.+_' -]{0,5})?@?[a-zA-Z0-9.@-]{0,9}(\.[a-zA-Z]{1,9})?"
"""But for an apostrophe in front, which is how a spreadsheet marks text."""


@given(st.lists(st.from_regex(LOOKS_LIKE_AN_ADDRESS, fullmatch=True), max_size=8))
def test_verdict_and_form_agree_with_the_library_on_what_looks_like_an_address(values: list[str]) -> None:
    plain = [value.strip(" ") for value in values]
    assert [form for form, _, _ in judge(*values)] == [BENCH["library_form"](value) for value in plain]


@given(st.lists(st.sampled_from(["localhos", "local", "localhost", "test", "onion", "arpa", "invalid"]), max_size=4))
def test_no_reserved_domain_is_taken_for_an_ordinary_one(names: list[str]) -> None:
    typed = [f"anna@x.{name}{tail}" for name in names for tail in ("", "s", ".com")]
    assert [form for form, _, _ in judge(*typed)] == [BENCH["library_form"](address) for address in typed]


@given(
    st.lists(st.none() | st.text(max_size=30) | st.sampled_from(["anna@example.com", "<a@example.com", "@", "a@b>"]))
)
def test_a_value_is_accepted_or_refused_or_absent_and_never_two_of_these(values: list[str | None]) -> None:
    for form, code, warning in judge(*values):
        assert form is None or code is None
        assert warning is None or form is not None


def test_what_is_accepted_is_accepted_again_unchanged() -> None:
    first = normalise_emails(pl.Series(list(BENCH["corpus"](2_000, seed=3))))["email"]
    assert normalise_emails(first)["email"].to_list() == first.to_list()
    assert first.null_count() < 1_900
