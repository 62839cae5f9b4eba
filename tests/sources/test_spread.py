"""Rows from all over a source, kept in passing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dialfeed.sources.base import Source
from dialfeed.sources.open import open_source
from dialfeed.sources.options import SourceOptions
from dialfeed.sources.spread import Spread


def source(folder: Path, rows: int, block: int) -> Source:
    path = folder / "a.csv"
    path.write_text("phone,name\n" + "".join(f"{number},x\n" for number in range(rows)))
    return open_source(path, SourceOptions(block_bytes=block))


@pytest.mark.parametrize("rows", [0, 1, 7, 10, 11, 100, 1000])
@pytest.mark.parametrize("block", [3, 64, 1 << 20])
def test_rows_are_kept_from_first_to_last_whatever_the_size_of_a_chunk(
    tmp_path: Path, read_all: Callable[..., Any], rows: int, block: int
) -> None:
    plain = read_all(source(tmp_path, rows, block))
    spread = Spread(source(tmp_path, rows, block), 10)
    assert spread.rows() is None
    assert read_all(spread) == plain
    kept = spread.rows()
    distance = 1 << ((rows + 1) // 10).bit_length()
    expected = [number for number in plain.numbers if number % distance == 0]
    assert ([] if kept is None else kept["_row"].to_list()) == expected
    assert len(expected) <= 10
