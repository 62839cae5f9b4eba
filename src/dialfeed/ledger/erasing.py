"""Erasing in a ledger what it tells of single contacts, whichever version of dialfeed has made it.

What was overwritten does not stay behind in the file or its log.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from dialfeed.errors import FixSettings


def erase_contacts(path: Path) -> None:
    """Empty the platform's ids, and its words about those it refused.

    Raises:
        FixSettings: The file is not a ledger.
    """
    with _erasing(path) as database:
        database.execute("update batch set ids = null where ids is not null")
        database.execute("update refusal set words = '' where words <> ''")


def erase_words(path: Path, forms: Sequence[str]) -> None:
    """Empty the platform's words about a refused contact where they repeat one of some texts, in any case.

    Raises:
        FixSettings: The file is not a ledger.
    """
    with _erasing(path) as database:
        for form in forms:
            database.execute("update refusal set words = '' where instr(lower(words), ?) > 0", (form.lower(),))


@contextmanager
def _erasing(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(path, timeout=10)) as database:
            database.execute("pragma secure_delete=on")
            with database:
                yield database
            database.execute("vacuum")
            database.execute("pragma wal_checkpoint(truncate)")
    except sqlite3.DatabaseError as error:
        raise FixSettings(f"{path} cannot be read as a ledger ({error}).") from error
