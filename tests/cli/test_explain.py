"""What a reason code means, asked on the command line."""

from __future__ import annotations

import command
import pytest

from dialfeed.contacts.reasons import BY_CODE


@pytest.mark.parametrize("asked", ["phone.too_short", " Phone.Too_Short "])
def test_a_code_is_explained_with_what_to_do(asked: str) -> None:
    outcome = command.run("explain", asked)
    reason = BY_CODE["phone.too_short"]
    assert outcome.code == 0
    for part in (reason.code, reason.title, reason.sentence, reason.remedy, "invalid"):
        assert part in outcome.out


def test_a_code_is_explained_to_a_machine() -> None:
    reason = BY_CODE["phone.vanity"]
    assert command.run("explain", "phone.vanity", "--json").json == {
        "code": reason.code, "title": reason.title, "sentence": reason.sentence, "remedy": reason.remedy,
        "severity": "warning", "bucket": "none",
    }  # fmt: skip


def test_without_a_code_all_are_listed_by_code() -> None:
    listed = [line.split()[0] for line in command.run("explain").out.splitlines() if line]
    assert listed == sorted(BY_CODE)
    assert [each["code"] for each in command.run("explain", "--json").json] == listed


@pytest.mark.parametrize(
    ("asked", "near"),
    [("phone.to_short", "phone.too_short"), ("too_short", "phone.too_short"), ("email", "email.")],
)
def test_an_unknown_code_names_the_nearest(asked: str, near: str) -> None:
    outcome = command.run("explain", asked)
    assert outcome.code == 1
    assert near in outcome.err
    assert outcome.out == ""


def test_a_code_like_no_other_leads_to_the_list() -> None:
    outcome = command.run("explain", "zzzzzz")
    assert outcome.code == 1
    assert "dialfeed explain" in outcome.err
