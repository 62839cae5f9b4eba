"""A look at the first rows of a source costs no second reading, and takes nothing away from the one that follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dialfeed.sources.base import Chunk, Description, Source
from dialfeed.sources.begun import Begun
from dialfeed.sources.open import open_source
from dialfeed.sources.options import SourceOptions

# Row 3 has a cell too many, and row 5 is blank.
TEXT = b"phone,name\n1,a\n2,b,\n3,c\n\n" + b"".join(b"%d,x\n" % number for number in range(4, 40))


@dataclass
class Counted:
    """A source that counts how often it is read, and whether every reading came to an end."""

    source: Source
    begun: int = 0
    ended: int = 0

    def describe(self) -> Description:
        return self.source.describe()

    def chunks(self) -> Iterator[Chunk]:
        self.begun += 1
        try:
            yield from self.source.chunks()
        finally:
            self.ended += 1

    def sha256(self) -> str:
        return self.source.sha256()


def source(folder: Path, content: bytes = TEXT, block: int = 1 << 20) -> Source:
    path = folder / "a.csv"
    path.write_bytes(content)
    return open_source(path, SourceOptions(block_bytes=block))


def numbers(rows: pl.DataFrame | None) -> list[int] | None:
    return None if rows is None else rows["_row"].to_list()


@pytest.mark.parametrize("block", [3, 16, 64, 1 << 20])
def test_the_first_rows_do_not_depend_on_the_size_of_a_chunk(tmp_path: Path, block: int) -> None:
    begun = Begun(source(tmp_path, block=block))
    found = [numbers(begun.first_rows(count)) for count in (2, 4, 3, 1)]
    assert found == [[2], [2, 4, 6], [2, 4], [2]]
    assert numbers(begun.first_rows(1000)) == [2, 4, *range(6, 42)]


@pytest.mark.parametrize("block", [3, 64, 1 << 20])
@pytest.mark.parametrize("count", [1, 20, 1000])
def test_what_was_looked_at_comes_again_in_the_same_passage(
    tmp_path: Path, read_all: Callable[..., Any], block: int, count: int
) -> None:
    plain = read_all(source(tmp_path, block=block))
    counted = Counted(source(tmp_path, block=block))
    begun = Begun(counted)
    begun.first_rows(count)
    begun.first_rows(count)
    assert read_all(begun) == plain
    assert (counted.begun, counted.ended) == (1, 1)
    assert read_all(begun) == plain


@pytest.mark.parametrize("content", [b"phone,name\n", b"phone,name\n1,2,3\n"])
def test_a_source_without_rows_shows_none_and_loses_no_record(
    tmp_path: Path, read_all: Callable[..., Any], content: bytes
) -> None:
    begun = Begun(source(tmp_path, content))
    assert begun.first_rows(1000) is None
    assert read_all(begun) == read_all(source(tmp_path, content))


def test_a_passage_that_nobody_goes_on_with_is_ended(tmp_path: Path, read_all: Callable[..., Any]) -> None:
    counted = Counted(source(tmp_path, block=16))
    begun = Begun(counted)
    begun.first_rows(1)
    assert (counted.begun, counted.ended) == (1, 0)
    begun.close()
    begun.close()
    assert (counted.begun, counted.ended) == (1, 1)
    assert read_all(begun) == read_all(source(tmp_path, block=16))
