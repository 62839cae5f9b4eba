"""What every kind of workbook can do."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from dialfeed.errors import FixSource

MOST_COLUMNS = 16_384
MOST_ROWS = 1_048_576


@dataclass(frozen=True, slots=True)
class SheetName:
    """A sheet.

    Attributes:
        name: As it stands on its tab.
        visible: Its tab is shown.
    """

    name: str
    visible: bool = True


class SheetRow(NamedTuple):
    """A row of a sheet that has cells.

    Attributes:
        number: As the spreadsheet shows it, from 1 on.
        cells: From the first column on; an empty cell is None.
    """

    number: int
    cells: list[str | None]


@dataclass(slots=True)
class Tally:
    """What was met while a sheet was read; complete at its end.

    Attributes:
        hidden_rows: Rows with cells that are not shown, by hand or by a filter.
        hidden_columns: Columns that are not shown.
        merged_cells: Groups of cells that were made one; only the first of them has a value.
        formulas: Cells with the result of a formula, as it was when the workbook was saved.
        uncalculated: Cells with a formula whose result is not there; they are read as the formula.
        filtered: The sheet has a filter.
    """

    hidden_rows: int = 0
    hidden_columns: int = 0
    merged_cells: int = 0
    formulas: int = 0
    uncalculated: int = 0
    filtered: bool = False


class Book(Protocol):
    """A workbook."""

    @property
    def sheets(self) -> tuple[SheetName, ...]:
        """Its sheets with cells, in the order of their tabs."""
        ...

    def rows(self, sheet: str, tally: Tally) -> Generator[SheetRow]:
        """Stream the rows of a sheet that have cells, in order; `tally` is filled on the way.

        Raises:
            FixSource: The workbook is damaged.
        """
        ...


def damaged(name: str) -> FixSource:
    """The refusal of a workbook that cannot be read."""
    return FixSource(
        f"The workbook '{name}' is damaged, or uses what cannot be read.",
        advice="Open it in Excel, let it be repaired, and save it as a new workbook (.xlsx) or as CSV UTF-8.",
    )


def encrypted(name: str) -> FixSource:
    """The refusal of a workbook with a password."""
    return FixSource(
        f"The workbook '{name}' is protected with a password.",
        advice="Open it in Excel, remove the password (File, Info, Protect Workbook), and save it.",
    )
