"""What every kind of database can do, and how it tells what is wrong without telling what is private."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Generator, Sequence
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import SplitResult, unquote
from uuid import UUID

from dialfeed.errors import FixSource
from dialfeed.sources.cellvalues import SINGLE_EXACT, plain_number, rounded_number

Cells = Sequence[str | None]
Batch = Sequence[Cells | None]
"""Rows as text; None for one with bytes that are no text."""


class Query(Protocol):
    """A query on a database."""

    @property
    def kind(self) -> str:
        """Which database."""
        ...

    @property
    def name(self) -> str:
        """The database's address without its password."""
        ...

    @property
    def text(self) -> str:
        """The query."""
        ...

    def columns(self) -> tuple[str, ...]:
        """Ask for the names of the columns.

        Raises:
            FixSource: The database cannot be reached, or refuses the query.
        """
        ...

    def batches(self, size: int) -> Generator[Batch]:
        """Stream the rows in an order of the query's own, `size` at once.

        Raises:
            FixSource: As `columns`; or the query fails on the way.
        """
        ...


def masked(address: SplitResult) -> str:
    """An address without its password and its parameters, which may hold one."""
    user = f"{address.username}@" if address.username else ""
    port = f":{address.port}" if address.port else ""
    return f"{address.scheme}://{user}{address.hostname or ''}{port}{address.path}"


def database_file(address: SplitResult) -> str:
    """The path in an address like ``sqlite:////data/x.db`` or ``sqlite:///x.db`` (relative)."""
    return unquote(address.path.removeprefix("/"))


def as_text(value: Any) -> str | None:
    """A value of a row as a person would type it.

    Raises:
        ValueError: It is bytes that are no text, or a list or a record.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal | UUID):
        return str(value)
    if isinstance(value, float):
        return plain_number(repr(value).removesuffix(".0"))
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    raise ValueError


def row_as_text(row: Sequence[Any], rounded: Collection[int] = (), exact_below: float = SINGLE_EXACT) -> Cells | None:
    """A row as text; None if it has a value that is none.

    Args:
        row: Its values.
        rounded: The places of floating-point numbers of 32 bits, which lose the last digits of a phone number.
        exact_below: From where on they do.
    """
    try:
        cells = [as_text(value) for value in row]
    except ValueError:
        return None
    for place in rounded:
        cell = cells[place]
        cells[place] = None if cell is None else rounded_number(cell, exact_below)
    return cells


def unreachable(name: str, told: str) -> FixSource:
    """Why a database lets nobody in, as far as its message tells; the message itself may hold private things."""
    told = told.lower()
    if "password" in told or "authentication" in told or "access denied" in told:
        return FixSource(
            f"The database {name} refuses the user name or the password.",
            advice="Check both; the password may be given apart from the address.",
        )
    if "does not exist" in told or "unknown database" in told:
        return FixSource(f"There is no such database or user: {name}.", advice="Check the address.")
    return FixSource(
        f"The database {name} cannot be reached.", advice="Check the address, and that this machine may connect to it."
    )


def refused(name: str, code: str, message: str = "") -> FixSource:
    """Why a database does not run a query.

    Args:
        name: The database.
        code: Its code for the failure.
        message: What it says, if that is known to name nothing but tables and columns.
    """
    told = f": {message}" if message else ""
    return FixSource(
        f"The database {name} refuses the query (code {code}){told}.",
        advice="Try the query in the database's own client, with a user who may only read.",
    )
