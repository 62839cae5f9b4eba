"""Ugly files: each is read right, or refused with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ugly_files import Facts, Refused, Ugly, every

from dialfeed.errors import DialfeedError
from dialfeed.sources.open import open_source

UGLY = every()
SMALL = {name: ugly for name, ugly in UGLY.items() if "bomb" not in name and "far down" not in name}


def written(folder: Path, ugly: Ugly) -> Path:
    path = folder / ugly.file
    path.write_bytes(ugly.content())
    return path


def test_there_are_enough_of_them() -> None:
    assert len(UGLY) >= 150
    assert sum(isinstance(ugly.expected, Refused) for ugly in UGLY.values()) >= 50


@pytest.mark.parametrize("name", UGLY)
def test_an_ugly_file_is_read_right_or_refused_with_its_reason(
    name: str, tmp_path: Path, read_all: Callable[..., Any]
) -> None:
    ugly = UGLY[name]
    path = written(tmp_path, ugly)
    if isinstance(ugly.expected, Refused):
        with pytest.raises(DialfeedError) as refusal:
            read_all(open_source(path, ugly.options))
        assert ugly.expected.told in str(refusal.value)
        assert refusal.value.advice
        return
    told = read_all(open_source(path, ugly.options))
    assert told.header == ugly.expected.header
    assert told.rows == ugly.expected.rows
    assert tuple(told.malformed) == ugly.expected.malformed
    assert told.blank == ugly.expected.blank
    assert {key: told.facts.get(key) for key in ugly.expected.facts} == ugly.expected.facts
    assert told.numbers == numbers(ugly.expected)


def numbers(expected: Facts) -> list[int]:
    """The row numbers: those that are named, else from row 2 on without a gap."""
    return list(expected.numbers or range(2, 2 + len(expected.rows)))


@pytest.mark.parametrize("name", SMALL)
def test_an_ugly_file_is_the_same_in_blocks_of_any_size(
    name: str, tmp_path: Path, read_all: Callable[..., Any]
) -> None:
    ugly = SMALL[name]
    path = written(tmp_path, ugly)
    outcomes = []
    for size in (3, 64, 1 << 20):
        try:
            outcomes.append(read_all(open_source(path, replace(ugly.options, block_bytes=size, chunk_rows=size))).table)
        except DialfeedError as refusal:
            outcomes.append((str(refusal),))
    assert outcomes == outcomes[:1] * 3
