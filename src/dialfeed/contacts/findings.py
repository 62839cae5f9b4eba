"""The frame in which rules tell what they found: one line for each row, field and reason code."""

from __future__ import annotations

import polars as pl

ROW = "_row"
"""The row number column: the number a spreadsheet shows."""

FINDINGS_SCHEMA = pl.Schema({ROW: pl.Int64, "field": pl.String, "code": pl.String})
"""Row number, contact field (or empty for the whole row), reason code of the catalogue."""


def findings(rows: pl.Series, field: str, codes: pl.Series) -> pl.DataFrame:
    """The rows that have a code, as findings.

    Args:
        rows: Row numbers.
        field: The contact field that the codes are about.
        codes: Reason codes, null where there is nothing to tell; as long as `rows`.
    """
    found = codes.is_not_null()
    if not found.any():
        return pl.DataFrame(schema=FINDINGS_SCHEMA)
    return pl.DataFrame({ROW: rows.filter(found), "code": codes.filter(found)}).select(
        ROW, field=pl.lit(field, dtype=pl.String), code="code"
    )


def count_by_code(frame: pl.DataFrame) -> dict[str, int]:
    """How many findings there are of each code."""
    return dict(frame.group_by("code").len().sort("code").iter_rows())
