"""Which row holds the column names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from dialfeed.errors import FixSource

SAMPLE_ROWS: Final = 20
"""Among so many rows the header is looked for."""

_EMAIL: Final = re.compile(r"\s*[^@\s]+@[^@\s]+\.[^@\s]+\s*")
_PHONE: Final = re.compile(r"""[\s'"=]*\+?(?:[\s().\-/]*[0-9]){7,15}[\s'"]*""")
_DATE: Final = re.compile(
    r"\s*(?:[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4})\b.*", re.DOTALL
)

Cells = Sequence[str | None]


def find_header(rows: Sequence[Cells], name: str, numbers: Sequence[int] | None = None) -> int:
    """Find the header among the first rows of a table.

    Titles above it (a single cell where the table is wider) are passed over. A row that looks like a contact is no
    header: its phone number would become the name of a column, and its person would not be called.

    Args:
        rows: The cells of each row, blank rows included.
        name: The source as the user named it.
        numbers: The number of each row; from 1 on, unless given.

    Returns:
        The position of the header in `rows`; that of the first row that is not blank, where no row stands out.

    Raises:
        FixSource: The first row looks like a contact.
    """
    filled = [(position, cells) for position, row in enumerate(rows) if (cells := _filled(row))]
    if not filled:
        return 0
    wide = max(len(cells) for _, cells in filled) > 2
    titles = [len(cells) == 1 and wide for _, cells in filled]
    position, cells = filled[titles.index(False)] if False in titles else filled[0]
    if any(looks_like_contact(cell) for cell in cells):
        row = numbers[position] if numbers else position + 1
        raise FixSource(
            f"Row {row} of '{name}' looks like a contact, not like column names.",
            advice="Write the column names into the first row, or say with --header-row where they are (0: nowhere).",
        )
    return position


def looks_like_contact(cell: str) -> bool:
    """Whether a cell holds a phone number or an e-mail address."""
    return bool(_EMAIL.fullmatch(cell) or (_PHONE.fullmatch(cell) and not _DATE.fullmatch(cell)))


def column_names(width: int) -> tuple[str, ...]:
    """Names for the columns of a table without a header."""
    return tuple(f"column {number + 1}" for number in range(width))


def _filled(row: Cells) -> list[str]:
    return [cell for cell in row if cell is not None and cell.strip()]
