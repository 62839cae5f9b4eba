"""The ledger: one SQLite file a run, which knows of every batch whether it may be on the list.

A row is written and synced before a body leaves, and again when its outcome is known. So whatever instant the
process dies at, each contact is either certainly delivered, certainly not, or in a batch that is `open`, which
means unknown until settled. That a batch is about to leave is synced to the disk before it does (`Ledger.synced`);
its outcome is written at once and synced with the next one. Should a power failure take it, the batch is `open`, and
is settled like any other. A sync takes a few milliseconds, on a busy disk a hundred, so it is waited for beside
whatever else is under way.

The tables can be read with any SQLite tool. States of a batch: ``open`` (sent or about to be), ``delivered``,
``waiting`` (not stored, to be sent), ``unknown`` (could not be settled), ``failed`` (not stored, given up),
``divided`` (replaced by its parts) and ``refused`` (nothing of it is left).
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from dialfeed.delivery.batches import Batch, Span
from dialfeed.delivery.ports import Division, Parts, Suppression
from dialfeed.errors import FixSettings
from dialfeed.files import sync_file

_SCHEMA = """
create table if not exists fact (name text primary key, value text not null) without rowid;
create table if not exists batch (
  id integer primary key,
  root integer not null,
  start integer not null,
  stop integer not null,
  size integer not null,
  spans text not null,
  state text not null,
  attempts integer not null default 0,
  status integer,
  cause text not null default '',
  settled text not null default '',
  stored_unnamed integer not null default 0,
  ids text
);
create index if not exists batch_state on batch (state);
create index if not exists batch_start on batch (start);
create table if not exists refusal (
  place integer primary key,
  batch integer not null,
  code text not null,
  field text not null,
  words text not null
) without rowid;
create table if not exists suppression (
  place integer not null,
  field text not null,
  batch integer not null,
  reasons text not null,
  at text not null,
  primary key (place, field)
) without rowid;
"""

_FORMAT = 3
"""Of what a run remembers: the tables, and the facts that `dialfeed.steps` puts among them. It counts up with every
change to either, so that a run is gone on with by no version that would not find what it needs; a ledger that tells no
format is one of format 1."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One contact that the platform refused: its place among the contacts to send, and why."""

    place: int
    code: str
    field: str
    words: str


@dataclass(frozen=True, slots=True)
class Suppressed:
    """One field of a contact that was fit to be sent and was not, and why (`dialfeed.delivery.ports.Suppression`)."""

    place: int
    field: str
    reasons: str
    at: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One batch as the ledger holds it; `ids` are the platform's, by position, as far as it told them."""

    batch: Batch
    state: str
    status: int | None
    cause: str
    settled: str
    stored_unnamed: int
    ids: Sequence[str | None]


def _no_check(point: str) -> None:
    """A checkpoint that does nothing."""
    del point


class Ledger:
    """Opens or creates the ledger of a run folder.

    Args:
        path: The SQLite file.
        checkpoint: Called with the name of a point before and after each write, so that a test can end the
            process there.

    Raises:
        FixSettings: The file was made by another version, or is not a ledger.
    """

    def __init__(self, path: Path, *, checkpoint: Callable[[str], None] = _no_check) -> None:
        self._checkpoint = checkpoint
        self._log = path.with_name(f"{path.name}-wal")
        self._db = sqlite3.connect(path, isolation_level=None, timeout=10)
        path.chmod(0o600)
        try:
            self._db.execute("pragma journal_mode=wal")
            self._db.execute("pragma synchronous=full")
            self._db.executescript(_SCHEMA)
            self._db.execute(
                "insert into fact select 'format', ? where not exists (select 1 from fact)", (json.dumps(_FORMAT),)
            )
            made_by = self.fact("format", 1)
        except sqlite3.DatabaseError as error:
            raise FixSettings(f"{path} cannot be read as a ledger ({error}).") from error
        if made_by != _FORMAT:
            self._db.close()
            raise FixSettings(
                f"The run in {path.parent} was begun by another version of dialfeed (its ledger has format {made_by}, "
                f"and this version reads {_FORMAT}).",
                advice="Go on with the version that began it: `versions` in its summary.json tells which that is.",
            )
        self._next = 1 + int(self._one("select coalesce(max(id), 0) from batch"))
        self._stored = self._count_stored()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; harmless to repeat."""
        self._db.close()

    # --- facts of the run ---------------------------------------------------------------------------------------

    def remember(self, **facts: Any) -> None:
        """Keep named facts (JSON values) durably, in one step."""
        with self._write("facts", synced=True):
            self._db.executemany(
                "insert into fact values (?, ?) on conflict (name) do update set value = excluded.value",
                [(name, json.dumps(value)) for name, value in facts.items()],
            )

    def fact(self, name: str, default: Any = None) -> Any:
        """A fact of the run, or the default."""
        row = self._db.execute("select value from fact where name = ?", (name,)).fetchone()
        return default if row is None else json.loads(row[0])

    # --- Journal: what delivery tells ---------------------------------------------------------------------------

    def unfinished(self) -> tuple[list[Batch], list[Batch]]:
        """Batches that may have been sent, and batches still to send.

        A batch of which the platform stored some contacts without saying which stays unknown for good: no count
        can name them.
        """
        lost = self._batches("state in ('open', 'unknown') and stored_unnamed = 0")
        return list(lost), list(self._batches("state = 'waiting'"))

    def stored(self) -> int:
        """How many contacts are known to be on the list through this run, named or not."""
        return self._stored

    def stores_in_part(self) -> bool:
        """Whether a batch was accepted of which not all contacts were."""
        query = (
            "select exists (select 1 from batch where stored_unnamed > 0) or exists"
            " (select 1 from refusal join batch on batch.id = refusal.batch where batch.status < 300)"
        )
        return bool(self._one(query))

    def requests(self, root: int) -> int:
        """How many batches came from `root`."""
        return int(self._one("select count(*) from batch where root = ?", root))

    def cut_up_to(self) -> tuple[int, int]:
        """How many batches have been cut from the supply, and the place behind the last of them."""
        row = self._db.execute("select count(*), coalesce(max(stop), 0) from batch where id = root").fetchone()
        return int(row[0]), int(row[1])

    def create(self, spans: tuple[Span, ...]) -> Batch:
        """A new batch, in memory only until it is opened."""
        batch = Batch(self._next, spans, root=self._next)
        self._next += 1
        return batch

    def waits(self, batch: Batch) -> None:
        """Remember a new batch that others are sent before."""
        with self._write("waits"):
            self._put(batch, "waiting")

    def opened(self, batch: Batch) -> Batch:
        """Remember, before the body leaves, that this batch may be on the list."""
        batch = replace(batch, attempts=batch.attempts + 1)
        with self._write("open"):
            self._put(batch, "open")
        return batch

    async def synced(self) -> None:
        """Return when all that was told before also survives a power failure.

        What SQLite has committed is whole in its log, from which it is read after a power failure; that the log has a
        place in its folder is synced with the first facts.
        """
        await asyncio.to_thread(sync_file, self._log)

    def delivered(self, batch: Batch, *, status: int | None, ids: Mapping[int, str], settled: str = "") -> None:
        """Every contact of the batch is on the list."""
        with self._write("delivered"):
            self._close(batch, "delivered", status=status, settled=settled, ids=_dump_ids(ids))
        self._stored += batch.size

    def absent(self, batch: Batch, *, cause: str, settled: str = "") -> None:
        """Nothing of the batch is on the list; it waits."""
        with self._write("absent"):
            self._close(batch, "waiting", cause=cause, settled=settled)

    def failed(self, batch: Batch, *, cause: str) -> None:
        """Nothing of the batch is on the list, and it is not sent again in this run."""
        with self._write("failed"):
            self._close(batch, "failed", cause=cause)

    def unknown(self, batch: Batch, *, cause: str, status: int | None) -> None:
        """The batch may be on the list."""
        with self._write("unknown"):
            self._close(batch, "unknown", cause=cause, status=status)

    def suppressed(self, batch: Batch, found: Sequence[Suppression]) -> Batch | None:
        """Replace a batch that is not on its way by those of it who may still be sent; None if nobody may."""
        places, gone = batch.places(), {each.position for each in found}
        left = [position for position in range(batch.size) if position not in gone]
        with self._write("suppressed", synced=True):
            self._put(batch, "divided", cause="opted out")
            self._db.executemany(
                "insert or replace into suppression values (?, ?, ?, ?, ?)",
                [(places[each.position], each.field, batch.id, each.reasons, each.at) for each in found],
            )
            return self._part(batch, left, "waiting", Parts(None, "opted out")) if left else None

    def divided(self, batch: Batch, parts: Parts) -> Division:
        """Replace a batch by its parts."""
        places = batch.places()
        with self._write("divided"):
            self._close(batch, "divided", status=parts.status, cause=parts.cause)
            for position, words in (parts.refused or {}).items():
                row = (places[position], batch.id, words.code, words.field, words.text)
                self._db.execute("insert or replace into refusal values (?, ?, ?, ?, ?)", row)
            if parts.delivered:
                self._put_delivered_part(batch, parts)
            unknown = self._part(batch, parts.unknown, "unknown", parts) if parts.unknown else None
            resend = tuple(self._part(batch, group, "waiting", parts) for group in parts.resend if group)
        self._stored += len(parts.delivered) + (parts.unknown_stored or 0)
        return Division(unknown, resend)

    def _put_delivered_part(self, batch: Batch, parts: Parts) -> None:
        child = self._part(batch, parts.delivered, "delivered", parts)
        order = {position: index for index, position in enumerate(sorted(parts.delivered))}
        ids = {order[position]: name for position, name in (parts.ids or {}).items() if position in order}
        self._db.execute("update batch set ids = ? where id = ?", (_dump_ids(ids), child.id))

    def _part(self, batch: Batch, positions: Iterable[int], state: str, parts: Parts) -> Batch:
        child = Batch(self._next, batch.select(positions), root=batch.root, attempts=0)
        self._next += 1
        self._put(child, state, status=parts.status, cause=parts.cause)
        if state == "unknown" and parts.unknown_stored:
            self._db.execute("update batch set stored_unnamed = ? where id = ?", (parts.unknown_stored, child.id))
        return child

    def doubt(self) -> list[Batch]:
        """Let what a count has settled be unknown again. Returns the batches that had been delivered by it."""
        by_count = "state = 'delivered' and settled <> ''"
        with self._write("doubt"):
            doubted = list(self._batches(by_count))
            self._db.execute(f"update batch set state = 'unknown', settled = '' where {by_count}")  # noqa: S608 - ours
        self._stored = self._count_stored()
        return doubted

    # --- what reports ask ---------------------------------------------------------------------------------------

    def settled_up_to(self) -> int:
        """The place up to which every contact is on the list or refused: nothing more will become of them.

        What is on the list by a count alone can still be doubted.
        """
        query = (
            "select coalesce((select min(start) from batch where state in ('open', 'waiting', 'unknown', 'failed')"
            " or state = 'delivered' and settled <> ''), (select max(stop) from batch), 0)"
        )
        return int(self._one(query))

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[Entry]:
        """The batches, divided ones left out, that touch places from `start` up to `stop`."""
        rows = self._db.execute(
            "select id, spans, root, attempts, state, status, cause, settled, stored_unnamed, ids from batch"
            " where state <> 'divided' and stop > ? and start < ? order by id",
            (start, 1 << 62 if stop is None else stop),
        )
        for number, spans, root, attempts, state, status, cause, settled, unnamed, ids in rows:
            batch = Batch(number, _load_spans(spans), root, attempts)
            yield Entry(batch, state, status, cause, settled, unnamed, _load_ids(ids))

    def refusals(self, start: int = 0, stop: int | None = None) -> list[Refusal]:
        """The refused contacts with places from `start` up to `stop`, in order."""
        rows = self._db.execute(
            "select place, code, field, words from refusal where place >= ? and place < ? order by place",
            (start, 1 << 62 if stop is None else stop),
        )
        return [Refusal(*row) for row in rows]

    def suppressions(self, start: int = 0, stop: int | None = None) -> list[Suppressed]:
        """Who was fit to be sent and was not, with places from `start` up to `stop`, in order."""
        rows = self._db.execute(
            "select place, field, reasons, at from suppression where place >= ? and place < ? order by place, field",
            (start, 1 << 62 if stop is None else stop),
        )
        return [Suppressed(*row) for row in rows]

    def contacts_by_state(self) -> dict[str, int]:
        """How many contacts are in batches of each state; refused ones under ``refused``.

        Those who opted out before they were sent are under ``suppressed``.
        """
        states = dict(self._db.execute("select state, sum(size) from batch where state <> 'divided' group by state"))
        states["refused"] = int(self._one("select count(*) from refusal"))
        states["suppressed"] = int(self._one("select count(distinct place) from suppression"))
        return states

    def batches_sent(self) -> int:
        """How many batches were sent at least once."""
        return int(self._one("select count(*) from batch where attempts > 0"))

    def settled_by(self) -> dict[str, int]:
        """How many batches were settled after a lost answer, by how."""
        query = "select settled, count(*) from batch where settled <> '' group by settled order by settled"
        return dict(self._db.execute(query))

    def reopen_failed(self) -> int:
        """Let batches that were given up wait again, for a resumed run. Returns how many."""
        with self._write("reopen"):
            return self._db.execute("update batch set state = 'waiting', attempts = 0 where state = 'failed'").rowcount

    # --- SQLite -------------------------------------------------------------------------------------------------

    @contextmanager
    def _write(self, name: str, *, synced: bool = False) -> Iterator[None]:
        self._checkpoint(f"before {name}")
        self._db.execute("pragma synchronous=full" if synced else "pragma synchronous=normal")
        self._db.execute("begin immediate")
        try:
            yield
            self._db.execute("commit")
        except BaseException:
            if self._db.in_transaction:  # SQLite has rolled back by itself where there was no room
                self._db.execute("rollback")
            raise
        self._checkpoint(f"after {name}")

    def _put(self, batch: Batch, state: str, *, status: int | None = None, cause: str = "") -> None:
        key = (batch.id, batch.root, batch.spans[0][0], batch.spans[-1][1], batch.size)
        self._db.execute(
            "insert into batch (id, root, start, stop, size, spans, state, attempts, status, cause)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do update"
            " set state = excluded.state, attempts = excluded.attempts, status = excluded.status,"
            " cause = excluded.cause",
            (*key, json.dumps(batch.spans), state, batch.attempts, status, cause),
        )

    def _close(
        self,
        batch: Batch,
        state: str,
        *,
        status: int | None = None,
        cause: str = "",
        settled: str = "",
        ids: bytes | None = None,
    ) -> None:
        self._db.execute(
            "update batch set state = ?, attempts = ?, status = ?, cause = ?, ids = ?,"
            " settled = case when ? = '' then settled else ? end where id = ?",
            (state, batch.attempts, status, cause, ids, settled, settled, batch.id),
        )

    def _batches(self, where: str) -> Iterator[Batch]:
        query = f"select id, spans, root, attempts from batch where {where} order by id"  # noqa: S608 - ours
        for number, spans, root, attempts in self._db.execute(query):
            yield Batch(number, _load_spans(spans), root, attempts)

    def _count_stored(self) -> int:
        query = (
            "select coalesce(sum(case when state = 'delivered' then size else stored_unnamed end), 0) from batch"
            " where state in ('delivered', 'unknown')"
        )
        return int(self._one(query))

    def _one(self, query: str, *values: Any) -> Any:
        return self._db.execute(query, values).fetchone()[0]


def _load_spans(text: str) -> tuple[Span, ...]:
    return tuple((start, stop) for start, stop in json.loads(text))


def _dump_ids(ids: Mapping[int, str]) -> bytes | None:
    """Ids as a JSON list by position, null where there is none."""
    return orjson.dumps([ids.get(position) for position in range(max(ids) + 1)]) if ids else None


def _load_ids(text: bytes | None) -> list[str | None]:
    return [] if text is None else orjson.loads(text)
