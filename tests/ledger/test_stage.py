"""The stage: what a power failure leaves of it is all of it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from syncs import Syncs

from dialfeed.contacts.fields import WITHHELD
from dialfeed.contacts.findings import ROW
from dialfeed.ledger.stage import Stage, Staged, StageWriter, staged


def chunk(first: int, size: int) -> Staged:
    numbers = range(first, first + size)
    raw = pl.DataFrame(
        {"0": [f"C-{number}" for number in numbers], "1": [f"+1212555{number:04}" for number in numbers]}
    )
    contacts = raw.rename({"0": "externalId", "1": "phone"}).with_columns(
        pl.Series(ROW, numbers, dtype=pl.Int64), email=pl.lit(None, dtype=pl.String)
    )
    return staged(contacts, raw, {"externalId": "0", "phone": "1"})


def test_a_sealed_stage_is_on_the_disk_before_anybody_may_rely_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file with all of its bytes, then the names of the files."""
    syncs = Syncs(monkeypatch)
    with StageWriter(tmp_path) as writer:
        for number in range(3):
            writer.add(chunk(1000 * number, 1000))
        writer.seal()
    files = {file.stat().st_ino: file.stat().st_size for file in tmp_path.iterdir()}
    assert len(files) == 3 + 2
    assert {inode: syncs.sizes.get(inode) for inode in files} == files
    assert syncs.order[-1] == tmp_path.stat().st_ino


def test_the_same_contacts_are_known_in_any_order_and_in_chunks_of_any_size(tmp_path: Path) -> None:
    def identities(*chunks: tuple[int, int]) -> str:
        folder = tmp_path / str(chunks)
        folder.mkdir()
        with StageWriter(folder) as writer:
            for first, size in chunks:
                writer.add(chunk(first, size))
            return writer.seal().identities

    whole = identities((0, 40))
    assert identities((30, 10), (0, 30)) == whole
    assert identities((0, 40), (7, 3), (7, 3)) == whole, "with duplicates"
    assert identities((0, 39)) != whole
    assert identities((1, 40)) != whole
    assert identities() == ""


def test_a_stage_reads_back_what_was_staged(tmp_path: Path) -> None:
    with StageWriter(tmp_path) as writer:
        writer.add(chunk(0, 1))
        writer.add(chunk(1, 9))
        writer.add(chunk(5, 10))
        writer.seal()
    stage = Stage(tmp_path)
    assert (stage.size, stage.duplicates) == (15, 5)
    told = [name for piece in stage.chunks() for name in piece.contacts["externalId"]]
    assert told == [f"C-{number}" for number in range(15)]
    assert stage.at(12).contacts[ROW].to_list() == list(range(10, 15))
    assert pl.concat(stage.duplicate_rows())["_survivor_row"].to_list() == list(range(5, 10))


def test_chunks_are_found_by_any_place_that_they_hold(tmp_path: Path) -> None:
    """Of the second chunk nothing is left but duplicates, and an empty one is not staged."""
    with StageWriter(tmp_path) as writer:
        for first, size in ((0, 10), (3, 4), (99, 0), (10, 5), (15, 1)):
            writer.add(chunk(first, size))
        stage = writer.seal()
    assert len([*tmp_path.glob("0*.arrow")]) == 4
    held = [(0, 10), (10, 15), (15, 16)]
    for start, stop in held:
        for place in range(start, stop):
            found = stage.at(place)
            assert (found.start, found.stop, stage.end_of(place)) == (start, stop, stop)
            assert found.contacts[ROW].to_list() == list(range(start, stop))
    assert [[piece.start for piece in stage.chunks(place) if len(piece.contacts)] for place in (0, 9, 10, 14, 15)] == [
        [0, 10, 15], [0, 10, 15], [10, 15], [10, 15], [15],
    ]  # fmt: skip
    assert stage.at(14) is stage.at(10), "the last one is kept at hand"
    assert [frame[ROW].to_list() for frame in stage.duplicate_rows()] == [[3, 4, 5, 6]]


def test_a_part_of_a_chunk_is_the_one_with_the_place(tmp_path: Path) -> None:
    with StageWriter(tmp_path) as writer:
        writer.add(chunk(0, 3))
        writer.add(chunk(3, 10))
        stage = writer.seal()
    whole = stage.at(5)
    for place in range(3, 13):
        start = 3 + (place - 3) // 4 * 4
        assert stage.start_of_part(place, 4) == start
        part = whole.part(start, 4)
        assert (part.start, part.stop) == (start, min(start + 4, 13))
        assert part.contacts.equals(whole.contacts[start - 3 : start + 1])
        assert part.raw.equals(whole.raw[start - 3 : start + 1])


def test_a_column_that_is_sent_as_it_was_read_is_held_once(tmp_path: Path) -> None:
    """And one that normalising changed twice; both read back under their own names."""
    raw = pl.DataFrame({"0": ["a", "b"], "1": ["(212) 555-0100", "(212) 555-0101"], "2": ["false", "true"]})
    contacts = pl.DataFrame(
        {ROW: [1, 2], "externalId": ["a", "b"], "phone": ["+12125550100", "+12125550101"], "doNotCall": [False, True]}
    )
    kept = staged(contacts, raw, {"externalId": "0", "phone": "1", "doNotCall": "2", "gone": "2"})
    assert kept.same == {"externalId": "0"}
    assert kept.frame.columns == [ROW, "phone", "doNotCall", "raw.0", "raw.1", "raw.2"]
    with StageWriter(tmp_path) as writer:
        writer.add(kept)
        found = writer.seal().at(0)
    assert found.contacts.equals(contacts)
    assert found.raw.equals(raw)
    assert found.withheld.columns == []


def test_what_was_withheld_of_contacts_is_kept_apart_and_is_a_part_of_nobody(tmp_path: Path) -> None:
    raw = pl.DataFrame({"0": ["a", "b"]})
    contacts = pl.DataFrame({ROW: [1, 2], "externalId": ["a", "b"], f"{WITHHELD}phone": ["+12125550100", None]})
    with StageWriter(tmp_path) as writer:
        writer.add(staged(contacts, raw, {"externalId": "0"}))
        found = writer.seal().at(0)
    assert found.contacts.columns == [ROW, "externalId"]
    assert found.withheld.to_dict(as_series=False) == {f"{WITHHELD}phone": ["+12125550100", None]}
    assert found.part(1, 1).withheld.to_dict(as_series=False) == {f"{WITHHELD}phone": [None]}


def test_a_stage_of_nobody_is_read_as_one(tmp_path: Path) -> None:
    with StageWriter(tmp_path) as writer:
        stage = writer.seal()
    assert (stage.size, stage.duplicates) == (0, 0)
    assert [*stage.chunks(), *stage.duplicate_rows()] == []


def test_contacts_that_are_looked_at_once_more_are_staged_and_compared_as_they_are_then(tmp_path: Path) -> None:
    """From the first of three chunks three contacts go and one gets another phone; the others are left alone."""

    def work(contacts: pl.DataFrame) -> pl.DataFrame | None:
        if contacts[ROW][0] != 0:
            return None
        phone = pl.when(pl.col(ROW) == 9).then(pl.lit("+12125559999")).otherwise("phone").alias("phone")
        return contacts.filter(~pl.col(ROW).is_in([5, 6, 7])).with_columns(phone)

    with StageWriter(tmp_path) as writer:
        for first, size in ((0, 10), (5, 10), (20, 5)):
            writer.add(chunk(first, size))
        (before,) = writer.revise(work, {"externalId": "0", "phone": "1"})
        writer.add(chunk(8, 1))
        writer.seal()
    stage = Stage(tmp_path)
    assert before[ROW].to_list() == list(range(10))
    assert before["1"].to_list() == [f"+1212555{number:04}" for number in range(10)]
    assert [(piece.start, piece.contacts[ROW].to_list()) for piece in stage.chunks() if len(piece.contacts)] == [
        (0, [0, 1, 2, 3, 4, 8, 9]),
        (7, [5, 6, 7, 9, 10, 11, 12, 13, 14]),
        (16, [20, 21, 22, 23, 24]),
    ]
    assert stage.at(6).contacts["phone"].to_list()[-2:] == ["+12125550008", "+12125559999"]
    assert stage.at(6).raw["1"].to_list()[-2:] == ["+12125550008", "+12125550009"], "as it was read"
    assert pl.concat(stage.duplicate_rows()).select(ROW, "_survivor_row").rows() == [(8, 8), (8, 8)]


def test_a_chunk_that_could_not_be_synced_is_told_before_the_stage_counts_as_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(file: Path) -> None:
        if file.name.startswith("0"):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr("dialfeed.ledger.stage.sync_file", broken)
    with StageWriter(tmp_path) as writer:
        writer.add(chunk(0, 10))
        with pytest.raises(OSError, match="Input/output"):
            writer.seal()
    assert not (tmp_path / "stage.json").exists()


def test_a_stage_that_is_given_up_leaves_no_thread_behind(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), StageWriter(tmp_path) as writer:  # noqa: PT012 - the writer is what is tested
        writer.add(chunk(0, 10))
        raise KeyboardInterrupt
    assert not (tmp_path / "stage.json").exists()
    assert writer._syncing._shutdown
