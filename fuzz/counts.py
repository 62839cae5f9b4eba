"""How many records a file has, counted in a way of its own: no code of the readers is used.

Each count is that of the records below the header, blank ones included, as a reader must account for them: rows,
malformed records and blank ones together.
"""

from __future__ import annotations

import io
import json
from typing import Any

import polars as pl

Facts = dict[str, Any]


def records_of(data: bytes, facts: Facts) -> int | None:
    """Count the records of a file without packing.

    Args:
        data: The file.
        facts: What the reader told of it (format, encoding, delimiter …).

    Returns:
        The count; None where there is no other way to count than the reader's.
    """
    count = {"csv": _of_csv, "jsonl": _of_lines, "json": _of_array, "parquet": _of_parquet}.get(facts["format"])
    return count(data, facts) if count else None


def _of_csv(data: bytes, facts: Facts) -> int:
    text = data.decode(facts["encoding"]).removeprefix("\ufeff")
    quote, delimiter = facts["quote"], facts["delimiter"]
    count, at = 0, 0
    while at < len(text):
        at = _after_record(text, at, quote, delimiter)
        count += 1
    return count - int(facts["header_row"])


def _after_record(text: str, start: int, quote: str, delimiter: str) -> int:
    """Where the record after the one at `start` begins: behind the line, unless its quotes hold more lines together."""
    at = start
    while True:
        if quote and text.startswith(quote, at):
            at = _after_quotes(text, at, quote)
            if at < 0:
                return _after_line(text, start)
        else:
            while at < len(text) and text[at] not in f"{delimiter}\r\n":
                if quote and text[at] == quote:
                    return _after_line(text, start)
                at += 1
        if at < len(text) and text[at] == delimiter:
            at += 1
        elif at == len(text) or text[at] in "\r\n":
            return _after_line(text, at)
        else:
            return _after_line(text, start)


def _after_quotes(text: str, at: int, quote: str) -> int:
    """Where a quoted cell ends; -1 for nowhere."""
    at += 1
    while True:
        at = text.find(quote, at)
        if at < 0 or not text.startswith(quote, at + 1):
            return at if at < 0 else at + 1
        at += 2


def _after_line(text: str, at: int) -> int:
    while at < len(text) and text[at] not in "\r\n":
        at += 1
    return at + (2 if text.startswith("\r\n", at) else 1)


def _of_lines(data: bytes, facts: Facts) -> int:
    text = data.decode(facts["encoding"]).removeprefix("\ufeff")
    return text.count("\n") + (not text.endswith("\n") and bool(text))


def _of_array(data: bytes, facts: Facts) -> int:
    return len(json.loads(data.decode(facts["encoding"]).removeprefix("\ufeff"), strict=False))


def _of_parquet(data: bytes, _: Facts) -> int:
    return pl.scan_parquet(io.BytesIO(data)).select(pl.len()).collect().item()  # type: ignore[no-any-return]
