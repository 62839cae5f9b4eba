"""How a source was read, in words: what was detected or told of it, and what a spreadsheet hides in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from dialfeed.reports.findings import found
from dialfeed.reports.summary import Finding

_NAMED: Final = {"\t": "tab", " ": "blank"}
_KNOWN_BY: Final = {
    "mark": "by its byte-order mark",
    "bytes": "by its bytes",
    "words": "by its words",
    "counts": "by its counts",
    "hint": "as its first line says",
    "option": "as you said",
    "nothing": "there is only one column",
}


def how_read(facts: Mapping[str, Any]) -> str:
    """One line: format, packing, encoding, delimiter, sheet and header row, each with how it is known.

    Args:
        facts: Those of a source's description.
    """
    return ", ".join(_parts(facts))


def _parts(facts: Mapping[str, Any]) -> Iterator[str]:
    yield str(facts.get("format", "unknown"))
    if "compression" in facts:
        yield f"packed with {facts['compression']}" + (f" (file {facts['member']})" if "member" in facts else "")
    if "encoding" in facts:
        yield f"{facts['encoding']}{_because(facts.get('encoding_known_by'))}"
    if "delimiter" in facts:
        shown = _NAMED.get(facts["delimiter"], repr(facts["delimiter"]))
        yield f"delimiter {shown}{_because(facts.get('delimiter_known_by'))}"
    if "sheet" in facts:
        yield f"sheet '{facts['sheet']}'"
    if "header_row" in facts:
        yield f"column names in row {facts['header_row']}" if facts["header_row"] else "no row of column names"


def _because(known_by: object) -> str:
    return f" ({_KNOWN_BY[str(known_by)]})" if known_by in _KNOWN_BY else ""


def hidden_findings(facts: Mapping[str, Any]) -> Iterator[Finding]:
    """What a spreadsheet does not show, or shows in another way than it was read."""
    if rows := facts.get("hidden_rows"):
        filtered = " by a filter or by hand" if facts.get("filtered") else ""
        yield found(
            "source.hidden_rows", f"{_many(rows, 'row')} hidden{filtered} in the sheet, and read like the others."
        )
    if columns := facts.get("hidden_columns"):
        told = f"{_many(columns, 'column')} hidden in the sheet, and read like the others."
        yield found("source.hidden_columns", told)
    if sheets := [name for name in facts.get("hidden_sheets", ()) if name != facts.get("sheet")]:
        yield found("source.hidden_sheets", f"{_many(len(sheets), 'sheet')} hidden in the workbook, and not read.")
    if formulas := facts.get("formulas"):
        cells = _many(formulas, "cell")
        yield found("source.formulas", f"{cells} the result of a formula, as it was when the workbook was saved.")
    if waiting := facts.get("uncalculated"):
        told = (
            f"{_many(waiting, 'formula')} not calculated when the workbook was saved, and read as the formula itself."
        )
        yield found(
            "source.uncalculated", told, "Open the workbook in Excel or LibreOffice, save it, and give that in."
        )
    if merged := facts.get("merged_cells"):
        groups = _many(merged, "group")
        yield found("source.merged_cells", f"{groups} merged cells: only the first cell of each has a value.")


def _many(count: int, what: str) -> str:
    verbs = {
        "row": "is|are",
        "column": "is|are",
        "sheet": "is|are",
        "cell": "is|are",
        "formula": "was|were",
        "group": "of|of",
    }
    one, more = verbs[what].split("|")
    return f"1 {what} {one}" if count == 1 else f"{count:,} {what}s {more}"
