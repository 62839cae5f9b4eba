"""The catalogue of findings knows what the code tells, and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import dialfeed
from dialfeed.contacts import reasons
from dialfeed.reports.findings import BY_CODE, CATALOGUE, found

SOURCES = Path(dialfeed.__file__).parent


def told_in_the_code() -> Iterator[str]:
    """The code of every finding that is made anywhere."""
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "found":
                code = node.args[0]
                assert isinstance(code, ast.Constant), f"{path.name}:{node.lineno} tells a finding by no fixed code"
                yield str(code.value)


def test_every_finding_that_the_code_tells_is_in_the_catalogue_and_the_other_way_round() -> None:
    assert set(told_in_the_code()) == BY_CODE.keys()


def test_every_finding_has_a_code_of_its_own_and_words_for_people() -> None:
    assert len(BY_CODE) == len(CATALOGUE)
    assert not BY_CODE.keys() & reasons.BY_CODE.keys(), "a code must mean one thing"
    for kind in CATALOGUE:
        assert kind.title
        assert kind.sentence.endswith(".")
        assert kind.remedy.endswith(".")


def test_a_finding_is_as_severe_as_the_catalogue_says_unless_told_otherwise() -> None:
    assert found("verify.missing", "One is missing.").severity == "error"
    assert found("mapping.drift", "A column is new.").severity == "warning"
    assert found("mapping.drift", "A column is new.", severity="info").severity == "info"
