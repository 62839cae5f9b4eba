"""Records of JSON: what is read many at once is what is read one by one."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialfeed.errors import FixSource
from dialfeed.sources import jsonlines
from dialfeed.sources.base import ROW
from dialfeed.sources.jsonshapes import Shapes
from dialfeed.sources.open import open_source
from dialfeed.sources.options import SourceOptions

NAMES = ("phone", "first name", "Straße", "phone2", "x.y*")
VALUES = (
    '"+12025550100"', '"Zoë"', '"Zo\\u00eb"', '"a\\"b\\\\"', '"},{"', '"\\"phone\\":1"', '"null"', '""', '":"', '"\t"',
    '"🙂"', '"\\ud83d\\ude42"', '"\\ud800"', '"\\x"', '"\\u00"', "12125550100.0", "-0", "1e5", "007", "+1", "1.", ".5",
    "true", "false", "null", "NaN", "Infinity", "{}", "[]", '{"phone":1}', "nul", "",
)  # fmt: skip
BLANKS = ("", "", "", " ", "\t", "\r", "  ")


@st.composite
def records(draw: st.DrawFn) -> str:
    """A record as programs write it, now and then with a mistake."""
    blank = st.sampled_from(BLANKS)
    names = draw(st.permutations(NAMES))[: draw(st.integers(0, len(NAMES)))] if draw(st.booleans()) else list(NAMES)
    if draw(st.integers(0, 9)) == 0:
        names = [*names, draw(st.sampled_from((*NAMES, "other")))]
    usual = st.sampled_from(VALUES[:4])
    value = st.sampled_from(VALUES) if draw(st.integers(0, 2)) == 0 else usual
    quoted = [json.dumps(name) if draw(st.booleans()) else f'"{name}"' for name in names]
    fields = [f"{draw(blank)}{name}{draw(blank)}:{draw(blank)}{draw(value)}{draw(blank)}" for name in quoted]
    text = f"{draw(blank)}{{{','.join(fields)}}}{draw(blank)}"
    if draw(st.integers(0, 5)) == 0:
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(("", ",", '"', "}", "{", ":", "\\", "x"))) + text[at + 1 :]
    return text


FIRST = json.dumps(dict.fromkeys(NAMES, "+12025550100"))


@contextmanager
def one_by_one() -> Iterator[None]:
    """Read no records together."""
    patch = pytest.MonkeyPatch()
    patch.setattr(Shapes, "read", lambda self, _: self._nothing)
    yield
    patch.undo()


def outcome(read_all: Callable[..., Any], path: Path, **options: Any) -> object:
    try:
        return read_all(open_source(path, SourceOptions(**options))).table
    except FixSource as refusal:
        return str(refusal)


@pytest.mark.parametrize("kind", ["jsonl", "json"])
def test_records_read_together_are_what_they_are_one_by_one(
    kind: str, tmp_path: Path, read_all: Callable[..., Any]
) -> None:
    @settings(max_examples=60, deadline=None)
    @given(st.lists(records(), max_size=6), st.sampled_from((7, 100, 1 << 20)), st.sampled_from((1, 3, 1000)))
    def check(written: list[str], block_bytes: int, chunk_rows: int) -> None:
        between = "\n" if kind == "jsonl" else ",\n"
        text = between.join([FIRST, *written])
        path = tmp_path / "a"
        path.write_bytes((text if kind == "jsonl" else f"[{text}]").encode())
        with one_by_one():
            expected = outcome(read_all, path)
        assert outcome(read_all, path, block_bytes=block_bytes, chunk_rows=chunk_rows) == expected

    check()


def test_an_ordinary_record_is_not_read_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else nothing is wrong but the speed, and nobody would notice."""
    lines = [FIRST] * 50 + ["{" + FIRST[1:-1].replace("Stra\\u00dfe", "Straße") + " }\r"] * 50
    lines += [json.dumps({"x.y*": 1.50, "phone": None})] * 50
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    source = open_source(path)
    source.describe()
    strange: list[int] = []
    monkeypatch.setattr(jsonlines, "fields_of_text", lambda _, number: strange.append(number))
    rows = pl.concat(chunk.rows for chunk in source.chunks())
    assert strange == []
    assert rows.row(-1) == (150, None, None, None, None, "1.5")


def test_many_columns_are_read_together_too(tmp_path: Path, read_all: Callable[..., Any]) -> None:
    names = [f"column {index}" for index in range(300)]
    rows = [{name: f"{index} {name}" for name in names} for index in range(20)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    told = read_all(open_source(path))
    assert told.header == tuple(names)
    assert told.rows == [tuple(row.values()) for row in rows]


def test_texts_are_read_in_any_order_of_fields_and_none_twice() -> None:
    shapes = Shapes(("a", "b"), ("a", "b"))
    texts = ['{"a":"1","b":2}', '{"b":2,"a":"1"}', '{"b":"\\u0041"}', '{"a":1,"a":2}', '{"a":"1","b":2,}', None, "{}"]
    rows = shapes.read(pl.Series(texts))
    assert rows.rows() == [(0, "1", "2"), (1, "1", "2"), (2, None, "A")]
    assert rows.schema == {ROW: pl.Int64, "0": pl.String, "1": pl.String}


@pytest.mark.parametrize("names", [("a", 'b"'), ("a", ":"), ("a", "b,c"), ("a", ""), ("a", "\\")])
def test_names_that_could_be_taken_for_something_else_are_left_to_the_decoder(names: tuple[str, ...]) -> None:
    assert Shapes(names, names).read(pl.Series([json.dumps(dict.fromkeys(names, 1))] * 9)).is_empty()


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_lines_are_cut_behind_line_ends_and_a_large_one_is_not_held(size: int) -> None:
    chance = random.Random(size)
    for _ in range(200):
        text = b"".join(chance.choice((b"a", b"\n", b"bcd")) for _ in range(chance.randrange(30)))
        blocks = [text[start : start + size] for start in range(0, len(text), size)]
        windows = list(jsonlines.whole_lines(blocks, 1 << 20))
        assert b"\n".join(windows) == text.removesuffix(b"\n")
        assert all(len(window) <= 5 + size for window in jsonlines.whole_lines([b"xxxx"] * 100, 4))


@pytest.mark.parametrize("limit", range(14, 24))
def test_a_line_that_is_too_large_is_one_malformed_record_wherever_it_is_cut(limit: int, tmp_path: Path) -> None:
    path = tmp_path / "contacts.jsonl"
    path.write_text('{"a":"1"}\n{"a":"ÿ漢😀ÿ漢😀ÿ漢😀ÿ漢😀"}\n{"a":"2"}\n{"a":"ÿ漢😀ÿ漢😀ÿ漢😀ÿ漢😀"}', "utf-8")
    chunks = list(open_source(path, SourceOptions(max_record_bytes=limit, block_bytes=8)).chunks())
    assert [row for chunk in chunks for row in chunk.rows.rows()] == [(1, "1"), (3, "2")]
    assert [row for chunk in chunks for row in chunk.malformed.rows()] == [
        (2, "row.too_large", None),
        (4, "row.too_large", None),
    ]
