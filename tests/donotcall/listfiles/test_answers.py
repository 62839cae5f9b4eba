"""Result files: each answer has one meaning, and one that is not known is never taken for a cleared number."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from dialfeed.donotcall.facts import Verdict
from dialfeed.donotcall.listfiles.answers import AnswerColumns, answer_forms, read_answers
from dialfeed.donotcall.listfiles.base import Fault, Malformed
from dialfeed.errors import FixSettings

Write = Callable[..., Path]

CLEAR, LISTED, NO_DATA = int(Verdict.CLEAR), int(Verdict.LISTED), int(Verdict.NO_DATA)


def read(path: Path, form: str, **settings: object) -> tuple[pl.DataFrame, list[Malformed]]:
    chunks = list(read_answers(path, form, **{"region": "US", **settings}))  # type: ignore[arg-type]
    answers = pl.concat([chunk.answers for chunk in chunks])
    assert sum(chunk.lines for chunk in chunks) == len(answers) + sum(chunk.malformed_count for chunk in chunks)
    return answers, [each for chunk in chunks for each in chunk.malformed]


def test_an_australian_wash_marks_registered_numbers(written: Write) -> None:
    path = written("Number,Registered\n0491570006,Y\n0491 570 110,N\n0255501234,I\n")
    answers, malformed = read(path, "wash", region="AU")
    assert answers.rows() == [
        (61491570006, LISTED, None, "Y"),
        (61491570110, CLEAR, None, "N"),
        (61255501234, NO_DATA, None, "I"),
    ]
    assert malformed == []


def test_reassigned_numbers_have_the_date_that_was_asked_about(written: Write) -> None:
    path = written(
        "Number,Date,Result\n2125550100,2026-01-05,yes\n2125550101,20260106,No\n2125550102,01/07/2026,no data\n"
    )
    assert read(path, "reassigned")[0].rows() == [
        (12125550100, LISTED, date(2026, 1, 5), "yes"),
        (12125550101, CLEAR, date(2026, 1, 6), "No"),
        (12125550102, NO_DATA, date(2026, 1, 7), "no data"),
    ]


def test_one_date_may_stand_for_all_rows(written: Write) -> None:
    path = written("phone,result\n2125550100,no\n")
    answers, _ = read(path, "reassigned", asked_for=date(2026, 1, 5))
    assert answers["asked_for"].to_list() == [date(2026, 1, 5)]


@pytest.mark.parametrize(("codes", "verdict"), [("CWY", CLEAR), ("DPSLFVEGOHX", LISTED), ("IMB", NO_DATA)])
def test_the_codes_of_dnc_com(written: Write, codes: str, verdict: int) -> None:
    path = written("Phone,Code\n" + "".join(f"21255501{at:02},{code}\n" for at, code in enumerate(codes)))
    answers, malformed = read(path, "dnc.com")
    assert answers["verdict"].to_list() == [verdict] * len(codes)
    assert answers["code"].to_list() == list(codes)
    assert malformed == []


def test_what_is_not_known_is_malformed_and_never_clear(written: Write) -> None:
    path = written(
        "Number,Date,Result\n2125550100,2026-01-05,maybe\n21255501,2026-01-05,no\n2125550102,soon,no\n2125550103,,\n"
    )
    answers, malformed = read(path, "reassigned")
    assert answers.is_empty()
    assert [(each.line, each.fault, each.shape) for each in malformed] == [
        (2, Fault.UNKNOWN_ANSWER, "AAAAA"),
        (3, Fault.NOT_A_NUMBER, "99999999"),
        (4, Fault.NOT_A_DATE, "AAAA"),
        (5, Fault.EMPTY, ""),
    ]


def test_columns_can_be_named_and_there_may_be_no_header(written: Write) -> None:
    columns = AnswerColumns(number="1", answer="2", header=False)
    assert len(read(written("2125550100,Y\n2125550101,N\n"), "wash", columns=columns)[0]) == 2
    named = AnswerColumns(number="a", answer="b")
    assert len(read(written("a,b\n2125550100,Y\n"), "wash", columns=named)[0]) == 1


@pytest.mark.parametrize("header", ["a,result", "number,b", "number,phone"])
def test_no_column_is_guessed(written: Write, header: str) -> None:
    with pytest.raises(FixSettings, match="not certain which column"):
        read(written(f"{header}\n2125550100,Y\n"), "wash")


def test_an_unknown_form_names_the_known_ones(written: Write) -> None:
    with pytest.raises(FixSettings, match="reassigned"):
        read(written("x"), "dnc")
    assert answer_forms() == ["wash", "reassigned", "dnc.com"]
