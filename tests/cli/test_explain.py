"""What the code of a reason or a finding means, asked on the command line."""

from __future__ import annotations

import command
import pytest

from dialfeed.contacts import reasons
from dialfeed.reports import findings


@pytest.mark.parametrize("asked", ["phone.too_short", " Phone.Too_Short "])
def test_a_code_is_explained_with_what_to_do(asked: str) -> None:
    outcome = command.run("explain", asked)
    reason = reasons.BY_CODE["phone.too_short"]
    assert outcome.code == 0
    for part in (reason.code, reason.title, reason.sentence, reason.remedy, "invalid"):
        assert part in outcome.out


def test_a_code_is_explained_to_a_machine() -> None:
    reason = reasons.BY_CODE["phone.vanity"]
    assert command.run("explain", "phone.vanity", "--json").json == {
        "code": reason.code, "title": reason.title, "sentence": reason.sentence, "remedy": reason.remedy,
        "severity": "warning", "bucket": "none",
    }  # fmt: skip


def test_a_finding_is_explained_to_people_and_machines() -> None:
    told, finding = command.run("explain", "Verify.Missing"), findings.BY_CODE["verify.missing"]
    assert told.code == 0
    for part in (finding.code, finding.title, finding.sentence, finding.remedy, "error, about the run"):
        assert part in told.out
    assert command.run("explain", "verify.missing", "--json").json == {
        "code": finding.code, "title": finding.title, "sentence": finding.sentence, "remedy": finding.remedy,
        "severity": "error",
    }  # fmt: skip


def test_without_a_code_all_are_listed_by_code() -> None:
    listed = [line.split()[0] for line in command.run("explain").out.splitlines() if line]
    assert listed == sorted([*reasons.BY_CODE, *findings.BY_CODE])
    assert [each["code"] for each in command.run("explain", "--json").json] == listed


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("phone.to_short", "phone.too_short"), ("too_short", "phone.too_short"), ("email", "email."),
        ("verify.missin", "verify.missing"), ("not_drawn", "report.not_drawn"), ("sink", "sink.waiting"),
    ],
)  # fmt: skip
def test_an_unknown_code_names_the_nearest(asked: str, near: str) -> None:
    outcome = command.run("explain", asked)
    assert outcome.code == 1
    assert near in outcome.err
    assert outcome.out == ""


def test_a_code_like_no_other_leads_to_the_list() -> None:
    outcome = command.run("explain", "zzzzzz")
    assert outcome.code == 1
    assert "dialfeed explain" in outcome.err
