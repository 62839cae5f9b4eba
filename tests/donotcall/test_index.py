"""The index answers exactly, whatever is in it, in whatever order it came, and never wrongly where it is damaged."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dialfeed.donotcall.blocks import BLOCK_SIZE, Numbers, decode, distinct, encode
from dialfeed.donotcall.building import build, change
from dialfeed.donotcall.index import ABSENT, DAMAGED, PRESENT, Index
from dialfeed.donotcall.indexfile import HEADER_BYTES, DamagedIndex
from dialfeed.donotcall.writing import Built

FACTS = {"id": "us-national", "covers": ["212", "415"]}

laws = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

_anywhere = st.integers(1, 10**15 - 1)
_together = st.builds(
    lambda block, low: block * BLOCK_SIZE + low,
    st.sampled_from([1212, 1415, 44770, 496990, 99_999_999]),
    st.integers(0, 200),
)
_edges = st.sampled_from([1212 * BLOCK_SIZE, 1213 * BLOCK_SIZE - 1, 1213 * BLOCK_SIZE, 1, 10**15 - 1])
_numbers = st.lists(_anywhere | _together | _edges, max_size=200)


def array(numbers: Iterable[int]) -> Numbers:
    return np.array(list(numbers), np.uint64)


def made(folder: Path, numbers: Iterable[int], name: str = "index", **settings: int) -> Path:
    return build(folder / name, [array(numbers)], facts=FACTS, **settings).path


def dense(block: int = 1212, count: int = 5_000) -> list[int]:
    return list(range(block * BLOCK_SIZE + 5550000, block * BLOCK_SIZE + 5550000 + 2 * count, 2))


def sparse(block: int = 1415, count: int = 50) -> list[int]:
    return list(range(block * BLOCK_SIZE, (block + 1) * BLOCK_SIZE, BLOCK_SIZE // count))


@laws
@given(_numbers, _numbers)
def test_answers_are_those_of_a_set(tmp_path: Path, listed: list[int], asked: list[int]) -> None:
    index = Index.open(made(tmp_path, listed))
    near = [number + step for number in listed for step in (-1, 1)]
    questions = [*listed, *asked, *near]
    expected = [PRESENT if number in set(listed) else ABSENT for number in questions]
    assert index.look_up(array(questions)).tolist() == expected
    assert index.records == len(set(listed))
    assert sorted({number // BLOCK_SIZE for number in listed}) == index.blocks.tolist()


@laws
@given(_numbers, st.randoms(use_true_random=False), st.integers(1, 50), st.integers(1, 7))
def test_neither_order_nor_chunks_nor_repetition_change_the_file(
    tmp_path: Path, listed: list[int], chance: object, batch: int, parts: int
) -> None:
    expected = made(tmp_path, sorted(set(listed)), "sorted").read_bytes()
    shuffled = [*listed, *listed[::3]]
    chance.shuffle(shuffled)  # type: ignore[attr-defined] # a `random.Random`
    chunks = np.array_split(array(shuffled), parts)
    assert build(tmp_path / "shuffled", chunks, facts=FACTS, batch=batch).path.read_bytes() == expected


@laws
@given(_numbers)
def test_all_numbers_come_out_again_in_order(tmp_path: Path, listed: list[int]) -> None:
    index = Index.open(made(tmp_path, listed))
    assert [number for part in index.numbers() for number in part.tolist()] == sorted(set(listed))


@laws
@given(st.sets(st.integers(0, BLOCK_SIZE - 1) | st.integers(5550100, 5550199), min_size=1))
def test_a_block_is_what_was_put_in_and_takes_the_smaller_form(digits: set[int]) -> None:
    given_digits = np.array(sorted(digits), np.uint32)
    encoded = encode(given_digits)
    assert decode(encoded).tolist() == given_digits.tolist()
    assert len(encoded.data) < min(4.5 * len(digits) + 8, (max(digits) - min(digits)) // 8 + 1) + 8


def test_a_column_of_dense_and_sparse_blocks_is_answered_exactly(tmp_path: Path) -> None:
    chance = np.random.default_rng(5)
    base = np.uint64(1212 * BLOCK_SIZE)
    drawn = base + chance.integers(0, 10**6, 80_000, np.uint64)
    listed = distinct(np.sort(np.concatenate([drawn, array(sparse())])))
    index = Index.open(build(tmp_path / "index", [listed], facts=FACTS).path)
    asked = np.concatenate(
        [base + chance.integers(0, 10**6, 150_000, np.uint64), array(sparse()) + np.uint64(1), listed]
    )
    known = set(listed.tolist())
    assert (index.look_up(asked) == PRESENT).tolist() == [number in known for number in asked.tolist()]


def test_an_index_of_nothing_answers_too(tmp_path: Path) -> None:
    index = Index.open(made(tmp_path, []))
    assert (index.records, index.blocks.tolist(), index.verify()) == (0, [], [])
    assert index.look_up(array([0, 12125550100])).tolist() == [ABSENT, ABSENT]
    assert index.look_up(array([])).tolist() == []


def test_integers_of_other_kinds_are_the_same_numbers(tmp_path: Path) -> None:
    listed = [12125550100, 442079460001]
    path = build(tmp_path / "index", [np.array([]), np.array(listed, np.int64)], facts=FACTS).path
    assert Index.open(path).look_up(np.array(listed, np.int64)).tolist() == [PRESENT, PRESENT]


def test_the_facts_of_the_list_are_in_the_file(tmp_path: Path) -> None:
    index = Index.open(made(tmp_path, [12125550100]))
    assert index.facts == FACTS


def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    assert made(tmp_path, [12125550100]).stat().st_mode & 0o777 == 0o600


# --- damage -----------------------------------------------------------------------------------------------------------


@laws
@given(st.integers(0, 10**9), st.integers(0, 7))
@example(0, 0)
def test_a_flipped_bit_anywhere_is_found_and_gives_no_wrong_answer(tmp_path: Path, place: int, bit: int) -> None:
    listed = sorted([*dense(), *sparse()])
    path = made(tmp_path, listed)
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 1 << bit
    path.write_bytes(data)
    asked = array([*listed, *(number + 1 for number in listed)])
    try:
        index = Index.open(path)
    except DamagedIndex:
        return
    answers, expected = index.look_up(asked), np.isin(asked, array(listed))
    damaged = asked // np.uint64(BLOCK_SIZE) == index.verify()[0]
    assert len(index.verify()) == 1
    assert (answers[damaged] == DAMAGED).all()
    assert np.array_equal(answers[~damaged], expected[~damaged])
    with pytest.raises(DamagedIndex):
        list(index.numbers())


@laws
@given(st.integers(0, 10**9), st.binary(max_size=9))
def test_an_index_that_is_cut_off_or_too_long_is_not_opened(tmp_path: Path, end: int, more: bytes) -> None:
    path = made(tmp_path, [*dense(), *sparse()])
    data = path.read_bytes()
    for changed in (data[: end % len(data)], *((data + more,) if more else ())):
        path.write_bytes(changed)
        with pytest.raises(DamagedIndex):
            Index.open(path)


@pytest.mark.parametrize(
    "content", [b"", b"x", b"2125550100\n" * 100, b"\0" * 4096], ids=["empty", "short", "list", "zeros"]
)
def test_what_is_no_index_is_not_opened(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "index").write_bytes(content)
    with pytest.raises(DamagedIndex, match="index"):
        Index.open(tmp_path / "index")


def test_a_file_that_loses_its_end_while_it_is_open_answers_damaged(tmp_path: Path) -> None:
    path = made(tmp_path, [*dense(), *sparse()])
    index = Index.open(path)
    os.truncate(path, HEADER_BYTES + 8)
    assert set(index.look_up(array([*dense()[:9], *sparse()[:9]])).tolist()) == {DAMAGED}
    assert index.verify() == [1212, 1415]


def test_a_missing_index_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="There is no file"):
        Index.open(tmp_path / "nothing")


def test_an_index_that_is_replaced_stays_what_it_was_for_who_has_it_open(tmp_path: Path) -> None:
    index = Index.open(made(tmp_path, [12125550100]))
    made(tmp_path, [12125550101])
    assert index.look_up(array([12125550100, 12125550101])).tolist() == [PRESENT, ABSENT]
    assert Index.open(tmp_path / "index").look_up(array([12125550100, 12125550101])).tolist() == [ABSENT, PRESENT]


def test_threads_share_an_index(tmp_path: Path) -> None:
    listed = array([*dense(), *sparse()])
    index = Index.open(made(tmp_path, listed.tolist()))
    asked = np.concatenate([listed, listed + np.uint64(1)])
    wrong: list[int] = []

    def work() -> None:
        wrong.append(int((index.look_up(asked) != np.isin(asked, listed)).sum()))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [0] * 8


# --- changes ----------------------------------------------------------------------------------------------------------


@laws
@given(_numbers, _numbers, _numbers, st.sets(_together, max_size=20))
def test_a_change_is_the_same_to_the_byte_as_building_anew(
    tmp_path: Path, before: list[int], added: list[int], removed: list[int], replacement: set[int]
) -> None:
    removed = [*removed, *before[::4]]
    blocks = {number // BLOCK_SIZE for number in replacement} | {1415}
    replaced = {block: array(n for n in replacement if n // BLOCK_SIZE == block) for block in blocks}
    old = made(tmp_path, before, "old")
    built = change(old, tmp_path / "new", replaced=replaced, added=array(added), removed=array(removed), facts=FACTS)
    start = {number for number in before if number // BLOCK_SIZE not in blocks} | replacement
    expected = start - set(removed) | set(added)
    assert built.path.read_bytes() == made(tmp_path, expected, "rebuilt").read_bytes()
    assert built.already_absent == len(set(removed) - start)


def test_a_change_may_replace_the_index_that_it_starts_from(tmp_path: Path) -> None:
    path = made(tmp_path, [*dense(), *sparse()])
    change(path, path, removed=array(dense()), facts=FACTS)
    assert Index.open(path).blocks.tolist() == [1415]


def test_a_damaged_block_stops_a_change_unless_it_is_replaced(tmp_path: Path) -> None:
    path = made(tmp_path, [*dense(), *sparse()])
    data = bytearray(path.read_bytes())
    data[HEADER_BYTES + 3] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedIndex):
        change(path, tmp_path / "new", added=array([14155550100]), facts=FACTS)
    change(path, tmp_path / "new", replaced={1212: array(dense())}, facts=FACTS)
    assert Index.open(tmp_path / "new").verify() == []


def test_a_block_is_not_replaced_by_numbers_of_another(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1212"):
        change(made(tmp_path, dense()), tmp_path / "new", replaced={1212: array(sparse())}, facts=FACTS)


# --- what the disk does -----------------------------------------------------------------------------------------------


def test_two_builders_at_once_do_not_harm_each_other(tmp_path: Path) -> None:
    lists = [dense(1212 + n, 20_000) for n in range(4)]
    done: list[Built] = []

    def work(listed: list[int]) -> None:
        done.extend(
            build(tmp_path / "index", np.array_split(array(listed[::-1]), 9), facts=FACTS, batch=999) for _ in range(3)
        )

    threads = [threading.Thread(target=work, args=(listed,)) for listed in lists]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 12
    index = Index.open(tmp_path / "index")
    assert index.verify() == []
    assert [number for part in index.numbers() for number in part.tolist()] in lists
    assert [file.name for file in tmp_path.iterdir()] == ["index"]


def test_what_a_dead_builder_left_is_removed_and_a_living_one_is_not(tmp_path: Path) -> None:
    left = tmp_path / ".index.0123456789ab.building"
    left.write_bytes(b"half")

    def numbers() -> Iterable[Numbers]:
        yield array(dense())
        made(tmp_path, sparse())
        yield array(sparse())

    build(tmp_path / "index", numbers(), facts=FACTS)
    assert not left.exists()
    assert Index.open(tmp_path / "index").records == len(dense()) + len(sparse())


def test_a_builder_that_fails_leaves_the_old_index_and_nothing_else(tmp_path: Path) -> None:
    before = made(tmp_path, dense()).read_bytes()

    def numbers() -> Iterable[Numbers]:
        yield array(sparse())
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError):
        build(tmp_path / "index", numbers(), facts=FACTS)
    assert (tmp_path / "index").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["index"]
