"""The ledger: what it was told survives, and what must survive a power failure is synced."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from syncs import Syncs

from dialfeed.delivery.answers import Words
from dialfeed.delivery.batches import Batch
from dialfeed.delivery.ports import Parts, Suppression
from dialfeed.errors import FixSettings
from dialfeed.ledger.erasing import erase_contacts, erase_words
from dialfeed.ledger.ledger import Ledger
from dialfeed.ledger.reading import glance

FULL, NORMAL = 2, 1


def test_a_batch_is_on_the_disk_before_it_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of SQLite's log is, so whatever was committed before."""
    synced = Syncs(monkeypatch).sizes
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.opened(ledger.create(((0, 10),)))
        asyncio.run(ledger.synced())
        log = (tmp_path / "ledger.sqlite-wal").stat()
        assert synced == {log.st_ino: log.st_size}


def test_what_a_power_failure_leaves_of_a_batch_that_has_left_is_the_batch(tmp_path: Path) -> None:
    """The log alone holds it, beside what was there before."""
    for name in ("run", "disk"):
        (tmp_path / name).mkdir()
    with Ledger(tmp_path / "run" / "ledger.sqlite") as ledger:
        ledger.remember(baseline={"count": 7})
        shutil.copy(tmp_path / "run" / "ledger.sqlite", tmp_path / "disk")
        ledger.opened(ledger.create(((0, 10),)))
        shutil.copy(tmp_path / "run" / "ledger.sqlite-wal", tmp_path / "disk")
    with Ledger(tmp_path / "disk" / "ledger.sqlite") as ledger:
        assert ledger.fact("baseline") == {"count": 7}
        assert [batch.spans for batch in ledger.unfinished()[0]] == [((0, 10),)]


def test_facts_and_suppressions_are_on_the_disk_when_they_are_told(tmp_path: Path) -> None:
    """The rest may be forgotten with the power: it is found out again, at the cost of a settling."""
    synced: dict[str, int] = {}

    def checkpoint(point: str) -> None:
        when, _, write = point.partition(" ")
        if when == "after":
            synced[write] = ledger._db.execute("pragma synchronous").fetchone()[0]

    ledger = Ledger(tmp_path / "ledger.sqlite", checkpoint=checkpoint)
    with ledger:
        ledger.remember(baseline={"count": 7})
        batch = ledger.opened(ledger.create(((0, 10),)))
        ledger.unknown(batch, cause="cut", status=None)
        ledger.delivered(batch, status=201, ids={})
        ledger.suppressed(ledger.create(((10, 20),)), [Suppression(0, "phone", "suppressed.internal_dnc", "")])
    assert synced == {"facts": FULL, "open": NORMAL, "unknown": NORMAL, "delivered": NORMAL, "suppressed": FULL}


def test_what_was_told_is_there_for_the_next_process(tmp_path: Path) -> None:
    words = Words("refused.by_platform", "no such area", "phone")
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        first, second, third, fourth = (ledger.opened(ledger.create(((at, at + 10),))) for at in (0, 10, 20, 30))
        ledger.delivered(first, status=201, ids={0: "a", 9: "b"})
        ledger.unknown(second, cause="no answer in time", status=None)
        ledger.absent(third, cause="HTTP 429")
        ledger.divided(fourth, Parts(207, "contacts refused", delivered=(0, 1), refused={2: words}, resend=((3, 4),)))
        ledger.create(((40, 50),))  # never opened: nobody was told of it
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        lost, waiting = ledger.unfinished()
        assert [(batch.spans, batch.attempts) for batch in lost] == [(((10, 20),), 1)]
        assert [batch.spans for batch in waiting] == [((20, 30),), ((33, 35),)]
        assert ledger.stored() == 12
        assert [(each.place, each.code, each.words) for each in ledger.refusals()] == [(32, words.code, words.text)]
        assert ledger.cut_up_to() == (4, 40)
        assert ledger.create(((40, 50),)).id > max(batch.id for batch in waiting)


PARTS = Parts(
    207,
    "some of them",
    delivered=(5, 1),
    refused={2: Words("refused.by_platform", "no such area", "phone")},
    unknown=(0, 3, 7),
    unknown_stored=2,
    resend=((4, 6), (), (8, 9)),
    ids={1: "one", 5: "five", 9: "is not delivered"},
)


def test_what_becomes_of_the_parts_of_a_batch_is_told_part_by_part(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        whole = ledger.opened(ledger.create(((0, 4), (20, 26))))
        division = ledger.divided(whole, PARTS)
        settled = ledger.opened(ledger.create(((30, 33),)))
        ledger.delivered(settled, status=201, ids={2: "last"}, settled="by the count")
        stored = ledger.stored()
    assert division.unknown
    assert division.unknown.spans == ((0, 1), (3, 4), (23, 24))
    assert [batch.spans for batch in division.resend] == [((20, 21), (22, 23)), ((24, 26),)]
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        told = [(each.batch.spans, each.state, each.status, each.cause, each.settled) for each in ledger.entries()]
        assert told == [
            (((1, 2), (21, 22)), "delivered", 207, "some of them", ""),
            (((0, 1), (3, 4), (23, 24)), "unknown", 207, "some of them", ""),
            (((20, 21), (22, 23)), "waiting", 207, "some of them", ""),
            (((24, 26),), "waiting", 207, "some of them", ""),
            (((30, 33),), "delivered", 201, "", "by the count"),
        ]
        assert [(each.ids, each.stored_unnamed) for each in ledger.entries()] == [
            (["one", "five"], 0), ([], 2), ([], 0), ([], 0), ([None, None, "last"], 0),
        ]  # fmt: skip
        assert ledger.contacts_by_state() == {"delivered": 5, "unknown": 3, "waiting": 4, "refused": 1, "suppressed": 0}
        assert (stored, ledger.stored()) == (7, 7), "two of the unknown are on the list, whoever they are"
        assert ledger.unfinished()[0] == [], "and no count will ever tell who"
        assert ledger.requests(whole.root) == 5
        assert (ledger.batches_sent(), ledger.settled_by()) == (2, {"by the count": 1})
        assert [each.batch.spans[0] for each in ledger.entries(0, 1)] == [(0, 1)]
        assert [each.batch.spans[0] for each in ledger.entries(25, 30)] == [(24, 26)]
        assert [each.place for each in ledger.refusals(2, 3)] == [2]
        assert ledger.refusals(3) == ledger.refusals(0, 2) == []


BAD = {0: Words("refused.by_platform", "no such area", "phone")}


@pytest.mark.parametrize(
    ("parts", "in_part"),
    [
        (Parts(207, "contacts refused", delivered=(1, 2), refused=BAD), True),
        (Parts(200, "contacts refused", refused=BAD), True),
        (Parts(200, "some of them", unknown=(0, 1, 2), unknown_stored=2), True),
        (Parts(201, "some of them", delivered=(0,), unknown=(1, 2)), False),
        (Parts(400, "contacts refused", refused=BAD, resend=((1, 2),)), False),
    ],
)
def test_a_platform_that_accepts_a_batch_without_some_of_it_stores_batches_in_part(
    tmp_path: Path, parts: Parts, in_part: bool
) -> None:
    """One that refuses the whole batch and names a contact does not, nor one that tells of fewer than it stored."""
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert not ledger.stores_in_part()
        ledger.divided(ledger.opened(ledger.create(((0, 3),))), parts)
        assert ledger.stores_in_part() is in_part


def test_what_is_forgotten_is_nowhere_in_the_ledgers_files(tmp_path: Path) -> None:
    """Nor is what was overwritten before: the platform's first words about a contact, and longer ids."""
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger._db.execute("pragma secure_delete=off")  # some builds of SQLite have it on from the start
        batch = ledger.opened(ledger.create(((0, 10),)))
        for words in ("Zebulonmark is longer than what comes after it", "Quillonmark"):
            ledger.divided(batch, Parts(400, "refused", refused={1: Words("refused.by_platform", words)}))
        ledger.delivered(batch, status=201, ids=dict.fromkeys(range(10), "Extmark"))
        ledger.delivered(batch, status=201, ids={0: "Notemark"})
        erase_contacts(tmp_path / "ledger.sqlite")
        assert [(each.code, each.words) for each in ledger.refusals()] == [("refused.by_platform", "")]
        assert [each.ids for each in ledger.entries()] == [[]]
        left = b"".join(file.read_bytes() for file in sorted(tmp_path.iterdir()))
    assert [mark for mark in (b"Zebulonmark", b"Quillonmark", b"Extmark", b"Notemark") if mark in left] == []


def test_words_that_repeat_a_text_are_nowhere_in_the_ledgers_files_and_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    said = {1: "Zebulon@Example.com is no address", 2: "Quillon is no name"}
    with Ledger(path) as ledger:
        batch = ledger.opened(ledger.create(((0, 10),)))
        refused = {place: Words("refused.by_platform", words) for place, words in said.items()}
        ledger.divided(batch, Parts(400, "refused", refused=refused))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("delete from fact where name = 'format'")  # whichever version has made it
    erase_words(path, ["zebulon@example.com", "nobody"])
    with closing(sqlite3.connect(path)) as database:
        assert [words for (words,) in database.execute("select words from refusal order by place")] == ["", said[2]]
    assert b"Zebulon" not in b"".join(file.read_bytes() for file in sorted(tmp_path.iterdir()))


def test_what_is_no_ledger_is_not_erased_in(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"not a database, but something of that length" * 100)
    with pytest.raises(FixSettings, match="ledger"):
        erase_contacts(tmp_path / "other")


def test_the_journal_is_written_ahead_so_that_a_reader_holds_nobody_up(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger, closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as reader:
        reader.execute("begin")
        assert reader.execute("select count(*) from batch").fetchone() == (0,)
        ledger.opened(ledger.create(((0, 10),)))


def test_nothing_more_becomes_of_contacts_before_the_first_batch_that_is_not_settled(tmp_path: Path) -> None:
    words = Words("refused.by_platform", "no such area", "phone")
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert ledger.settled_up_to() == 0
        first, second, third = (ledger.opened(ledger.create(((at, at + 10),))) for at in (0, 10, 20))
        ledger.delivered(third, status=201, ids={})
        assert ledger.settled_up_to() == 0
        ledger.delivered(first, status=201, ids={})
        assert ledger.settled_up_to() == 10
        parts = Parts(207, "contacts refused", delivered=(0, 1), refused={2: words}, resend=(tuple(range(3, 10)),))
        [rest] = ledger.divided(second, parts).resend
        assert ledger.settled_up_to() == 13
        ledger.delivered(ledger.opened(rest), status=201, ids={})
        assert ledger.settled_up_to() == 30


def test_what_a_count_has_settled_can_be_doubted_and_is_unknown_then(tmp_path: Path) -> None:
    """Whether it was found on the list, or not and was sent again: only its own answer puts a batch beyond doubt."""
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        found, again, answered, failed = (ledger.opened(ledger.create(((at, at + 10),))) for at in (0, 10, 20, 30))
        ledger.delivered(answered, status=201, ids={})
        ledger.delivered(found, status=502, ids={}, settled="count")
        ledger.absent(again, cause="HTTP 502", settled="count")
        ledger.delivered(ledger.opened(again), status=201, ids={})
        ledger.failed(failed, cause="HTTP 502")
        assert ledger.settled_up_to() == 0, "its row may have to go into another file"
        assert [batch.id for batch in ledger.doubt()] == [found.id, again.id]
        assert ledger.doubt() == []
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert [entry.state for entry in ledger.entries()] == ["unknown", "unknown", "delivered", "failed"]
        assert (ledger.stored(), ledger.settled_by()) == (10, {})
        assert [batch.id for batch in ledger.unfinished()[0]] == [found.id, again.id]


def test_a_batch_that_waits_for_others_is_not_forgotten(tmp_path: Path) -> None:
    """What is cut after it may be sent before it; the next process must not begin behind both."""
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        first, second = ledger.create(((0, 10),)), ledger.create(((10, 20),))
        ledger.waits(first)
        ledger.opened(second)
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        lost, waiting = ledger.unfinished()
        assert [batch.spans for batch in lost] == [second.spans]
        assert [(batch.spans, batch.attempts) for batch in waiting] == [(first.spans, 0)]
        assert ledger.cut_up_to() == (2, 20)


def test_an_open_batch_of_a_dead_process_is_unknown_and_not_waiting(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.opened(ledger.create(((0, 10),)))
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        lost, waiting = ledger.unfinished()
        assert [batch.size for batch in lost] == [10]
        assert waiting == []


def test_only_what_was_given_up_is_reopened(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        first, second = (ledger.opened(ledger.create(((at, at + 10),))) for at in (0, 10))
        ledger.failed(first, cause="HTTP 503")
        ledger.unknown(second, cause="HTTP 503", status=503)
        assert ledger.reopen_failed() == 1
        lost, waiting = ledger.unfinished()
        assert [batch.spans for batch in lost] == [second.spans]
        assert [(batch.spans, batch.attempts) for batch in waiting] == [(first.spans, 0)]


def test_a_file_that_is_no_ledger_of_ours_is_told(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"not a database, but something of that length" * 100)
    with pytest.raises(FixSettings, match="ledger"):
        Ledger(tmp_path / "other")
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.remember(format=999)
    with pytest.raises(FixSettings, match="999"):
        Ledger(tmp_path / "ledger.sqlite")


def test_a_ledger_that_tells_no_format_was_made_before_there_was_one_to_tell(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        ledger.remember(run="20261126T074012Z-9d9ae8")
    Ledger(path).close()  # it is one of ours
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("delete from fact where name = 'format'")
    with pytest.raises(FixSettings, match="format 1") as told:
        Ledger(path)
    assert "the version that began it" in told.value.advice


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite"):
        assert (tmp_path / "ledger.sqlite").stat().st_mode & 0o777 == 0o600


def test_who_is_suppressed_leaves_the_batch_and_the_others_wait(tmp_path: Path) -> None:
    """Of a batch that nobody has been told of, of one that waits, and of one in which nobody is left."""
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        new, waiting, whole = ledger.create(((0, 10),)), ledger.create(((10, 20),)), ledger.create(((20, 21),))
        ledger.waits(waiting)
        rest = ledger.suppressed(new, [Suppression(3, "phone", "a b", "t"), Suppression(3, "email", "a", "t")])
        assert rest is not None
        assert rest.spans == ((0, 3), (4, 10))
        ledger.suppressed(waiting, [Suppression(0, "phone", "a", "t")])
        assert ledger.suppressed(whole, [Suppression(0, "phone", "a", "t")]) is None
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        lost, left = ledger.unfinished()
        assert lost == []
        assert [batch.spans for batch in left] == [rest.spans, ((11, 20),)]
        assert [(each.place, each.field) for each in ledger.suppressions()] == [
            (3, "email"), (3, "phone"), (10, "phone"), (20, "phone"),
        ]  # fmt: skip
        assert [each.place for each in ledger.suppressions(4, 20)] == [10]
        assert ledger.cut_up_to() == (3, 21)
        assert ledger.contacts_by_state() == {"waiting": 18, "refused": 0, "suppressed": 3}
        assert ledger.batches_sent() == 0
    assert glance(tmp_path / "ledger.sqlite").contacts == {"waiting": 18, "refused": 0, "suppressed": 3}


def test_half_a_write_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch is divided in one step: a fault in the middle leaves it as it was."""
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        batch = ledger.opened(ledger.create(((0, 10),)))

        def full(*_: object, **__: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(ledger, "_put", full)
        with pytest.raises(sqlite3.OperationalError):
            ledger.divided(batch, Parts(400, "refused", refused={0: Words("refused.by_platform", "")}, resend=((1,),)))
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert ledger.refusals() == []
        assert [each.state for each in ledger.entries()] == ["open"]


def test_a_ledger_without_room_says_so_and_goes_on_when_there_is_some(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        (pages,) = ledger._db.execute("pragma page_count").fetchone()
        ledger._db.execute(f"pragma max_page_count={pages}")
        opened: list[Batch] = []
        with pytest.raises(sqlite3.OperationalError, match="full"):
            opened.extend(iter(lambda: ledger.opened(ledger.create(((0, 10),))), None))
        ledger._db.execute("pragma max_page_count=1000000")
        assert [entry.batch for entry in ledger.entries()] == opened
        ledger.delivered(opened[-1], status=201, ids={})
        assert ledger.stored() == 10
