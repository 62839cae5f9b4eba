"""Row files say what became of each contact, whether they were written beside the delivery or at its end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from syncs import Syncs

from dialfeed.contacts.findings import ROW
from dialfeed.delivery.answers import Words
from dialfeed.delivery.batches import Batch
from dialfeed.delivery.ports import Parts
from dialfeed.ledger.folder import RunFolder
from dialfeed.ledger.ledger import Ledger
from dialfeed.ledger.stage import StageWriter, staged
from dialfeed.reports.rowfiles import ContactRows
from dialfeed.steps.record import FILES, Recorder

CHUNK, CHUNKS = 20, 3
REFUSED = Words("refused.by_platform", "no such area", "phone")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run of sixty contacts in three chunks."""
    made = RunFolder("run", tmp_path)
    made.stage.mkdir()
    with StageWriter(made.stage) as writer:
        for first in range(0, CHUNK * CHUNKS, CHUNK):
            names = [f"C-{number}" for number in range(first, first + CHUNK)]
            rows = pl.DataFrame({ROW: range(first + 2, first + CHUNK + 2), "externalId": names})
            contacts = rows.with_columns(phone=pl.lit("+12125550142"), email=pl.lit(None, dtype=pl.String))
            writer.add(staged(contacts, rows.select(pl.col("externalId").alias("0")), {"externalId": "0"}))
        writer.seal()
    return made


def send(ledger: Ledger, start: int, stop: int) -> Batch:
    return ledger.opened(ledger.create(((start, stop),)))


def deliver(ledger: Ledger, start: int, stop: int) -> None:
    ledger.delivered(send(ledger, start, stop), status=201, ids={0: f"id-{start}"})


def recorder(folder: RunFolder) -> Recorder:
    return Recorder(folder, ["externalId"], [])


def written(folder: RunFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.path.glob("*.csv")}


def end(ledger: Ledger) -> None:
    """The last twenty: some unknown, some refused, some not sent."""
    ledger.unknown(send(ledger, 40, 45), cause="cut", status=None)
    parts = Parts(207, "contacts refused", delivered=(1, 2, 3, 4), refused={0: REFUSED})
    ledger.divided(send(ledger, 45, 50), parts)


def test_files_are_the_same_whenever_their_rows_were_written(folder: RunFolder) -> None:
    with Ledger(folder.ledger) as ledger:
        beside = recorder(folder)
        deliver(ledger, 0, 25)
        assert beside.advance()
        deliver(ledger, 25, 40)
        assert beside.advance()
        end(ledger)
        assert not beside.advance()
        told = beside.finish(ledger)
        first = written(folder)
        assert recorder(folder).finish(ledger) == told
        assert written(folder) == first
    assert first.keys() == set(FILES)
    assert told.rows == {"delivered": 44, "refused": 1, "unknown": 5, "failed": 10}
    assert first["delivered.csv"].count(b"\n") == 1 + 44
    assert b"no such area" in first["refused.csv"]


def test_rows_that_are_written_beside_the_delivery_are_synced_beside_it(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left for the end does not grow with the run."""
    synced = Syncs(monkeypatch).sizes
    with Ledger(folder.ledger) as ledger:
        deliver(ledger, 0, 60)
        beside = recorder(folder)
        assert beside.advance()
        rows = (folder.stage / "delivered.csv").stat()
        assert 0 < synced[rows.st_ino] == rows.st_size
        beside.finish(ledger)


@pytest.mark.parametrize(
    ("what", "becomes"),
    [
        ("is on its way", lambda _, __: None),
        ("is unknown", lambda ledger, batch: ledger.unknown(batch, cause="cut", status=None)),
        ("waits", lambda ledger, batch: ledger.absent(batch, cause="HTTP 429")),
        ("was given up", lambda ledger, batch: ledger.failed(batch, cause="HTTP 503")),
    ],
)
def test_a_chunk_is_not_written_while_more_may_become_of_one_of_its_contacts(
    folder: RunFolder, what: str, becomes: Callable[[Ledger, Batch], None]
) -> None:
    with Ledger(folder.ledger) as ledger:
        deliver(ledger, 0, CHUNK - 1)
        batch = send(ledger, CHUNK - 1, CHUNK)
        becomes(ledger, batch)
        deliver(ledger, CHUNK, CHUNK * CHUNKS)
        beside = recorder(folder)
        assert not beside.advance(), what
        ledger.delivered(batch, status=201, ids={})
        assert [beside.advance() for _ in range(CHUNKS + 1)] == [True, True, True, False]
        beside.finish(ledger)


def test_no_part_of_a_file_is_in_the_folder_of_the_run(folder: RunFolder) -> None:
    """Whoever asks whether a row was delivered would take what is not in it for not delivered."""
    with Ledger(folder.ledger) as ledger:
        deliver(ledger, 0, 60)
        beside = recorder(folder)
        assert beside.advance()
        assert written(folder) == {}
        beside.finish(ledger)
    assert written(folder).keys() == set(FILES)


def test_what_cannot_be_written_beside_the_delivery_is_written_at_its_end(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with Ledger(folder.ledger) as ledger:
        deliver(ledger, 0, 60)
        beside = recorder(folder)
        assert beside.advance()
        with monkeypatch.context() as disk:
            disk.setattr(ContactRows, "write", full)
            assert not beside.advance()
        assert not beside.advance()
        assert beside.finish(ledger).rows == {"delivered": 60}
    assert written(folder)["delivered.csv"].count(b"\n") == 1 + 60


def test_that_they_cannot_be_written_at_the_end_either_is_told(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ContactRows, "write", full)
    with Ledger(folder.ledger) as ledger:
        deliver(ledger, 0, 60)
        beside = recorder(folder)
        assert not beside.advance()
        with pytest.raises(OSError, match="No space left"):
            beside.finish(ledger)
    assert written(folder) == {}
