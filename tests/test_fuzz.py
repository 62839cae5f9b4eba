"""The judge of the fuzzing finds what it is there to find, and the readers keep its laws on seeds and mutations."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fuzz import judge as judging
from fuzz.counts import records_of
from fuzz.judge import Told, judge
from fuzz.mutate import inside, of_bytes
from fuzz.targets import TARGETS, seeds

from dialfeed.sources.base import Chunk
from dialfeed.sources.open import open_source

CSV = b"phone,name\n+12025550100,Ann\n\n+12025550101,Bo,x\n+12025550102,Zoe\n"
FACTS = {"format": "csv", "encoding": "utf-8", "delimiter": ",", "quote": '"', "header_row": 1}


class Faulty:
    """A source that loses its last row, or fails with an exception of its own."""

    def __init__(self, source: Any, fault: Exception | None) -> None:
        self._source = source
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def chunks(self) -> Iterator[Chunk]:
        if self._fault:
            raise self._fault
        for chunk in self._source.chunks():
            yield Chunk(chunk.rows.filter(chunk.rows["_row"] != 5), chunk.malformed, chunk.blank)


@pytest.mark.parametrize("fault", [None, IndexError("list index out of range")])
def test_a_lost_row_and_a_traceback_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception | None
) -> None:
    assert isinstance(judge(CSV, tmp_path), Told)
    monkeypatch.setattr(judging, "open_source", lambda *asked: Faulty(open_source(*asked), fault))
    with pytest.raises(type(fault) if fault else AssertionError):
        judge(CSV, tmp_path)


@pytest.mark.parametrize(
    ("text", "records"),
    [
        (b"a,b\n1,2\n", 1), (b"a,b\n\n\n", 2), (b'a,b\n1,"x\ny"\n3,4', 2), (b'a,b\n1,"x\ny\n3,4\n', 3),
        (b"a,b\r1,2\r\n\r", 2),        (b'a,b\n1,2"\n"",""\n', 2), (b'a,b\n"1" ,2\n', 1),
    ],
)  # fmt: skip
def test_records_are_counted_by_the_grammar(text: bytes, records: int) -> None:
    assert records_of(text, FACTS) == records


def test_every_kind_of_file_has_seeds() -> None:
    assert seeds().keys() == set(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_seeds_and_mutations_keep_the_laws(target: str, tmp_path: Path) -> None:
    chance = random.Random(target)
    files = seeds()[target]
    for data in chance.sample(files, min(2, len(files))):
        judge(data, tmp_path)
    mutate = inside(of_bytes(chance), chance)
    for _ in range(4):
        judge(mutate(chance.choice(files)), tmp_path)
