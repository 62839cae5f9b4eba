"""What a user may say about a source; whatever is not said is detected, and told in the description's facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

Format = Literal["csv", "jsonl", "json", "parquet", "arrow", "xlsx", "xlsb", "xls", "ods"]
FORMATS: Final[tuple[Format, ...]] = ("csv", "jsonl", "json", "parquet", "arrow", "xlsx", "xlsb", "xls", "ods")
WORKBOOKS: Final = frozenset({"xlsx", "xlsb", "xls", "ods"})

BLOCK_BYTES: Final = 4 << 20
CHUNK_ROWS: Final = 50_000
MAX_RECORD_BYTES: Final = 64 << 20
MAX_EXPANDED_BYTES: Final = 64 << 30
MAX_RATIO: Final = 250


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How to read a source. None means: detect it.

    Attributes:
        format: One of `FORMATS`.
        delimiter: The ASCII character between two cells of a CSV file.
        quote: The character around a CSV cell that holds a delimiter: ``"`` or ``'``; empty where quotes are text.
        encoding: The encoding of a text file, by a name that Python knows.
        header_row: The row with the column names, as a spreadsheet numbers rows; 0 where there is none.
        sheet: The name of a workbook's sheet.
        member: The name of a file in a zip archive.
        query: The SQL query of a database.
        password: The password of a database, where its address has none.
        block_bytes: How much to read at once. Has no influence on rows, numbers and verdicts.
        chunk_rows: How many rows to hand on at once, where rows are not read by bytes. Has no influence either.
        max_record_bytes: The largest record of a text file; a larger one is rejected.
        max_expanded_bytes: The most bytes that a compressed source may unpack to.
        max_ratio: How many times larger than its compressed bytes a source may become.
    """

    format: Format | None = None
    delimiter: str | None = None
    quote: str | None = None
    encoding: str | None = None
    header_row: int | None = None
    sheet: str | None = None
    member: str | None = None
    query: str | None = None
    password: str | None = field(default=None, repr=False)
    block_bytes: int = BLOCK_BYTES
    chunk_rows: int = CHUNK_ROWS
    max_record_bytes: int = MAX_RECORD_BYTES
    max_expanded_bytes: int = MAX_EXPANDED_BYTES
    max_ratio: int = MAX_RATIO
