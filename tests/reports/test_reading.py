"""How a source was read is told in words, and nothing a spreadsheet hides is kept quiet."""

from __future__ import annotations

import pytest

from dialfeed.reports.reading import hidden_findings, how_read


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        (
            {"format": "csv", "encoding": "cp1252", "encoding_known_by": "words", "delimiter": ";",
             "delimiter_known_by": "counts", "header_row": 2},
            "csv, cp1252 (by its words), delimiter ';' (by its counts), column names in row 2",
        ),
        (
            {"format": "csv", "compression": "zip", "member": "a.csv", "encoding": "utf-8", "encoding_known_by":
             "option", "delimiter": "\t", "delimiter_known_by": "hint", "header_row": 0},
            (
                "csv, packed with zip (file a.csv), utf-8 (as you said), delimiter tab (as its first line says), "
                "no row of column names"
            ),
        ),
        ({"format": "ods", "sheet": "List", "header_row": 1}, "ods, sheet 'List', column names in row 1"),
        ({"format": "parquet"}, "parquet"),
        ({"format": "postgresql", "of": "something new"}, "postgresql"),
    ],
)  # fmt: skip
def test_what_was_detected_is_one_line(facts: dict[str, object], told: str) -> None:
    assert how_read(facts) == told


def test_what_a_spreadsheet_hides_is_told() -> None:
    facts = {"hidden_rows": 1, "filtered": True, "hidden_columns": 2, "hidden_sheets": ["x"], "formulas": 3,
             "uncalculated": 2, "merged_cells": 1}  # fmt: skip
    findings = list(hidden_findings(facts))
    assert [(each.code, each.severity) for each in findings] == [
        ("source.hidden_rows", "warning"), ("source.hidden_columns", "warning"), ("source.hidden_sheets", "info"),
        ("source.formulas", "info"), ("source.uncalculated", "warning"), ("source.merged_cells", "warning"),
    ]  # fmt: skip
    assert findings[0].sentence == "1 row is hidden by a filter or by hand in the sheet, and read like the others."
    assert findings[1].sentence == "2 columns are hidden in the sheet, and read like the others."
    assert findings[4].sentence.startswith("2 formulas were not calculated")
    assert list(hidden_findings({"format": "xlsx", "hidden_sheets": []})) == []
