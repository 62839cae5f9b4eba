"""What `dialfeed map` shows of a file: each column, what it becomes and why, and what its values look like.

No value is shown, only its shape with every letter and digit hidden.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Any

import polars as pl

from dialfeed.config import Plan
from dialfeed.contacts.evidence import content, main_kind, shapes, share
from dialfeed.contacts.mapping import MappedColumn
from dialfeed.errors import FixSource
from dialfeed.reports.reading import how_read
from dialfeed.running.assembly import open_source
from dialfeed.sources.begun import Begun
from dialfeed.steps.columns import Settled, forget_columns, remember_columns, settle_columns

_TITLES = {"column": "COLUMN", "field": "FIELD", "why": "WHY", "values": "VALUES"}
_WIDEST = 40


def view_mapping(
    where: Sequence[str], plan: Plan, contact_list: str | None = None, *, save: bool = False, forget: bool = False
) -> dict[str, Any]:
    """The mapping of a file as it would be used now.

    Args:
        where: The source.
        plan: What the user says of its columns.
        contact_list: Compare with what this list was last loaded from.
        save: Remember it, for this header and for the list.
        forget: Forget first what is remembered of this header.

    Returns:
        `source` (how it is read), `columns`, `problems`, `differences`, `fingerprint`, `remembered` (when, or empty),
        `saved`, `exit_code`.

    Raises:
        FixSource: The file cannot be read, or a mapping with errors is to be saved.
        FixSettings: What is remembered cannot be read or written.
    """
    with closing(Begun(open_source(where, plan))) as source:
        description = source.describe()
        settled = settle_columns(source, plan, contact_list)
        if forget and forget_columns(settled, plan):
            settled = settle_columns(source, plan, contact_list)
    if save:
        _save(settled, plan, contact_list)
    drifted = settled.drifted and not (plan.accept_drift or save)
    return {
        "source": description.facts,
        "columns": [_column(column, settled.sample) for column in settled.mapping.columns],
        "problems": [asdict(problem) for problem in settled.mapping.problems],
        "differences": [asdict(difference) for difference in settled.differences],
        "fingerprint": settled.fingerprint,
        "remembered": settled.reused,
        "saved": save,
        "exit_code": 6 if drifted else 0 if settled.mapping.usable else 1,
    }


def view_as_text(view: Mapping[str, Any]) -> str:
    """The same for people."""
    return "\n".join(_lines(view))


def _save(settled: Settled, plan: Plan, contact_list: str | None) -> None:
    for problem in settled.mapping.problems:
        if problem.severity == "error":
            raise FixSource(f"{problem.sentence} Nothing was saved.", advice=problem.remedy)
    remember_columns(settled, plan, [contact_list or ""])


def _column(column: MappedColumn, sample: pl.DataFrame | None) -> dict[str, Any]:
    told = {"column": column.name or f"#{column.position + 1}", "field": column.target or "", "why": column.why}
    if column.rank:
        told["field"] = f"{column.target} ({column.rank + 1}.)"
    if sample is None:
        return {**told, "values": ""}
    values = sample[str(column.position)]
    return {**told, "values": _values(values)}


def _values(values: pl.Series) -> str:
    counted = content(values)
    if counted["rows"] == counted["empty"]:
        return "empty"
    kind = main_kind(counted) or "mixed"
    empty = share(counted, "empty")
    told = f"{kind}: {', '.join(shapes(values))}" if kind not in {"flag", "email"} else kind
    return f"{told}; {empty:.0%} empty" if empty else told


def _lines(view: Mapping[str, Any]) -> Iterator[str]:
    yield f"Read as {how_read(view['source'])}.\n"
    rows = [_TITLES, *view["columns"]]
    widths = {name: min(_WIDEST, max(len(str(row[name])) for row in rows)) for name in _TITLES}
    for row in rows:
        yield "  ".join(_short(str(row[name])).ljust(widths[name]) for name in _TITLES).rstrip()
    if view["remembered"]:
        yield f"\nRemembered since {view['remembered'][:10]}; --forget forgets it."
    for problem in view["problems"]:
        yield f"\n{problem['severity']}: {problem['sentence']}\n  {problem['remedy']}"
    if view["differences"]:
        yield "\nSince the list was last loaded:"
        yield from (f"  {difference['sentence']}" for difference in view["differences"])
    if view["saved"]:
        yield "\nSaved; the next import of a file with this header uses it."


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
