"""A look into a ledger that another process may be writing: read only, and without a trace.

Nothing is created, changed or held: each look reads one snapshot and lets go. The writer does not notice, except that
its log is shortened a moment later.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dialfeed.errors import FixSettings


@dataclass(frozen=True, slots=True)
class Glance:
    """What a ledger holds at one moment.

    Attributes:
        facts: What the run remembers, by name.
        contacts: Contacts in batches of each state; refused ones under ``refused``, and those who opted out before they
            were sent under ``suppressed``.
        batches: Batches of each state.
        cut: Contacts that have been cut into batches so far.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    contacts: dict[str, int] = field(default_factory=dict)
    batches: dict[str, int] = field(default_factory=dict)
    cut: int = 0


def glance(path: Path) -> Glance:
    """Look into a ledger; an empty glance where there is none, or where its first process died before it was made.

    Raises:
        FixSettings: The file is not a ledger.
    """
    if not path.is_file():
        return Glance()
    try:
        with closing(_open(path)) as db:
            db.execute("begin")
            return _seen(db)
    except sqlite3.DatabaseError as error:
        if "no such table" in str(error):
            return Glance()
        raise FixSettings(f"{path} cannot be read as a ledger ({error}).") from error


def _open(path: Path) -> sqlite3.Connection:
    """Where nobody writes, the file is read as it lies; else with its log, which the writer has made."""
    log = path.with_name(f"{path.name}-wal")
    how = "mode=ro" if log.exists() else "immutable=1"
    return sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True, timeout=2, isolation_level=None)


def _seen(db: sqlite3.Connection) -> Glance:
    facts = {name: json.loads(value) for name, value in db.execute("select name, value from fact")}
    query = "select state, sum(size), count(*) from batch where state <> 'divided' group by state"
    states = list(db.execute(query))
    contacts = {state: int(size) for state, size, _ in states}
    contacts["refused"] = int(db.execute("select count(*) from refusal").fetchone()[0])
    contacts["suppressed"] = int(db.execute("select count(distinct place) from suppression").fetchone()[0])
    cut = db.execute("select coalesce(max(stop), 0) from batch where id = root").fetchone()[0]
    return Glance(facts, contacts, {state: number for state, _, number in states}, int(cut))
