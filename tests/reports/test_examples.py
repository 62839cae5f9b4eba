"""Examples show where to look, and at most the country code and two digits of a phone."""

from __future__ import annotations

import re
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialfeed.reports.examples import LOOKED_AT, MOST, Example, _told, examples, masked


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("+1 212 555 0142", "+1 … 42"),
        ("+49 30 23125-007", "+49 … 07"),
        ("+353 20 910 0011", "+353 … 11"),
        ("(212) 555-0142", "… 42"),
        ("0301 2345", "… 45"),
        ("555-01", ""),
        ("+1.21256E+10", ""),
        ("Ada Lovelace 2125550142", ""),
        ("ada212555@example.com", ""),
        ("", ""),
    ],
)
def test_of_a_phone_at_most_country_code_and_two_digits_are_shown(cell: str, shown: str) -> None:
    assert masked(cell) == shown


@settings(deadline=None)
@given(st.text("0123456789+-() ./xX@aé\u0661\u0662", max_size=25))
def test_no_cell_shows_more(cell: str) -> None:
    shown = masked(cell)
    assert re.fullmatch(r"(\+\d{1,3} )?… \d\d|", shown)
    assert sum(character.isdigit() for character in shown) <= 5


def test_each_reason_has_its_first_rows(tmp_path: Path) -> None:
    lines = [f'+1 212 555 01{n:02},{n},phone; email,phone.invalid; email.no_at,"a; b"' for n in range(10, 20)]
    lines.insert(0, "short,3,phone,phone.invalid,a")
    (tmp_path / "rejected.csv").write_text("Phone,_row,_field,_code,_message\n" + "\n".join(lines) + "\n")
    (tmp_path / "duplicates.csv").write_text(
        "Phone,_row,_survivor_row,_code,_message\nx,9,4,duplicate.same_identity,m\n"
    )
    (tmp_path / "unknown.csv").write_bytes(b"")
    counts = {"phone.invalid": 11, "email.no_at": 10, "duplicate.same_identity": 1}
    found = examples(tmp_path, {"phone": "Phone"}, counts)
    assert found["phone.invalid"] == [
        Example(3, "phone"),
        Example(10, "phone", "+1 … 10"),
        Example(11, "phone", "+1 … 11"),
    ]
    assert [example.row for example in found["email.no_at"]] == [10, 11, 12]
    assert all(not example.shown for example in found["email.no_at"])
    assert found["duplicate.same_identity"] == [Example(9, survivor=4)]
    assert max(map(len, found.values())) <= MOST


def test_a_folder_without_row_files_has_no_examples(tmp_path: Path) -> None:
    assert examples(tmp_path, {"phone": "Phone"}, {"phone.invalid": 3}) == {}


def test_a_large_file_is_read_no_further_than_needed(tmp_path: Path) -> None:
    rows = "".join(f"x,{n},phone,phone.invalid,m\n" for n in range(2, LOOKED_AT + 10))
    (tmp_path / "rejected.csv").write_text(f"Phone,_row,_field,_code,_message\n{rows}x,9,phone,phone.masked,m\n")
    with mock.patch("dialfeed.reports.examples._told", wraps=_told) as read:
        assert len(examples(tmp_path, {}, {"phone.invalid": 99})["phone.invalid"]) == MOST
        assert read.call_count == MOST
        assert "phone.masked" not in examples(tmp_path, {}, {"phone.invalid": 99, "phone.masked": 1})
        assert read.call_count == MOST + LOOKED_AT


def test_no_file_is_read_for_reasons_that_its_rows_cannot_have(tmp_path: Path) -> None:
    rows = "".join(f"x,{n},phone,phone.invalid,m\n" for n in range(2, 100))
    (tmp_path / "rejected.csv").write_text(f"Phone,_row,_field,_code,_message\n{rows}")
    (tmp_path / "suppressed.csv").write_text(f"Phone,_row,_field,_code,_message\n{rows}")
    (tmp_path / "duplicates.csv").write_text(
        "Phone,_row,_survivor_row,_code,_message\nx,9,4,duplicate.same_identity,m\n"
    )
    counts = {"phone.invalid": 98, "duplicate.same_identity": 1}
    with mock.patch("dialfeed.reports.examples._told", wraps=_told) as read:
        found = examples(tmp_path, {}, counts)
    assert read.call_count == MOST + 1
    assert {code: len(rows) for code, rows in found.items()} == {"phone.invalid": MOST, "duplicate.same_identity": 1}


def test_a_reason_that_this_version_does_not_know_is_found_in_any_file(tmp_path: Path) -> None:
    for name, row in (("rejected.csv", 2), ("refused.csv", 7)):
        (tmp_path / name).write_text(f"Phone,_row,_field,_code,_message\nx,{row},phone,phone.of_old,m\n")
    assert examples(tmp_path, {}, {"phone.of_old": 2}) == {"phone.of_old": [Example(2, "phone"), Example(7, "phone")]}
