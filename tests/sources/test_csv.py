"""Rows, rejections and refusals of CSV files."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialfeed.errors import FixSource
from dialfeed.sources.base import MALFORMED_SCHEMA, ROW, Chunk, Source
from dialfeed.sources.csv import CsvSource
from dialfeed.sources.csvtable import Table
from dialfeed.sources.windows import Window

Row = tuple[int, tuple[str | None, ...]]
Rejected = tuple[int, str, str | None]
FEW, MANY, QUOTES = "row.too_few_cells", "row.too_many_cells", "row.broken_quotes"
NUL, LARGE = "row.nul_byte", "row.too_large"
MARK = b"\xef\xbb\xbf"


@dataclass
class Content:
    """Everything a source says, whatever its chunks are."""

    header: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)
    malformed: list[Rejected] = field(default_factory=list)
    blank: int = 0

    def add(self, chunk: Chunk) -> None:
        """Add a chunk, and check that it has the columns that were promised."""
        columns = [ROW, *(str(index) for index in range(len(self.header)))]
        assert chunk.rows.schema == pl.Schema(zip(columns, [pl.Int64, *[pl.String] * len(self.header)], strict=True))
        assert chunk.malformed.schema == MALFORMED_SCHEMA
        self.rows += [(row, tuple(cells)) for row, *cells in chunk.rows.rows()]
        self.malformed += chunk.malformed.rows()
        self.blank += chunk.blank

    @property
    def numbers(self) -> list[int]:
        """The row numbers of rows and rejections, ascending."""
        return sorted([row for row, _ in self.rows] + [row for row, _, _ in self.malformed])


def read_all(source: Source) -> Content:
    content = Content(source.describe().header)
    for chunk in source.chunks():
        content.add(chunk)
    return content


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that each example of a property test writes anew."""
    return tmp_path_factory.mktemp("csv") / "contacts.csv"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "contacts.csv"


# --- ugly files ---------------------------------------------------------------------------------------------------

HEADER = b"phone,name\n"

UGLY: dict[str, tuple[bytes, list[Row], list[Rejected], int]] = {
    "line feeds": (HEADER + b"1,a\n2,b\n", [(2, ("1", "a")), (3, ("2", "b"))], [], 0),
    "carriage return and line feed": (b"phone,name\r\n1,a\r\n2,b\r\n", [(2, ("1", "a")), (3, ("2", "b"))], [], 0),
    "lone carriage returns": (b"phone,name\r1,a\r2,b\r", [(2, ("1", "a")), (3, ("2", "b"))], [], 0),
    "lone carriage returns and quotes": (b'phone,name\r1,"a\rb"\r"2",b', [(2, ("1", "a\rb")), (3, ("2", "b"))], [], 0),
    "mixed line ends": (
        b'phone,name\r\n1,a\n2,"b"\r3,c\r\n',
        [(2, ("1", "a")), (3, ("2", "b")), (4, ("3", "c"))],
        [],
        0,
    ),
    "no final line end": (HEADER + b"1,a\n2,b", [(2, ("1", "a")), (3, ("2", "b"))], [], 0),
    "no final line end after an empty cell": (HEADER + b"1,", [(2, ("1", None))], [], 0),
    "header only": (HEADER, [], [], 0),
    "header only, without line end": (b"phone,name", [], [], 0),
    "byte-order mark": (MARK + HEADER + b"1,a\n", [(2, ("1", "a"))], [], 0),
    "byte-order mark and quoted header": (MARK + b'"phone","name"\r\n1,a\r\n', [(2, ("1", "a"))], [], 0),
    "byte-order mark at the start of a row belongs to the cell": (
        HEADER + MARK + b"1,a\n",
        [(2, ("\ufeff1", "a"))],
        [],
        0,
    ),
    "rows that begin like a compressed file": (
        HEADER + b"x\x01,a\nx^,b\nx\xda\x80,c\n",
        [(2, ("x\x01", "a")), (3, ("x^", "b")), (4, ("x\u0680", "c"))],
        [],
        0,
    ),
    "cells are not trimmed": (HEADER + b"  1 ,\ta \n", [(2, ("  1 ", "\ta "))], [], 0),
    "cells of blanks are not empty": (HEADER + b" , \n", [(2, (" ", " "))], [], 0),
    "empty cells are null, quoted or not": (
        HEADER + b',\n"",""\n1,""\n',
        [(2, (None, None)), (3, (None, None)), (4, ("1", None))],
        [],
        0,
    ),
    "words for nothing are text": (HEADER + b"NULL,NaN\n#1,null\n", [(2, ("NULL", "NaN")), (3, ("#1", "null"))], [], 0),
    "doubled quotes": (
        HEADER + b'"1","a ""b"" c"\n2,""""\n3,""""""\n',
        [(2, ("1", 'a "b" c')), (3, ("2", '"')), (4, ("3", '""'))],
        [],
        0,
    ),
    "quoted delimiters and line ends": (
        HEADER + b'1,"a,b"\n2,"c\nd"\n3,"e\r\nf\r"\r\n4,g\n',
        [(2, ("1", "a,b")), (3, ("2", "c\nd")), (4, ("3", "e\r\nf\r")), (5, ("4", "g"))],
        [],
        0,
    ),
    "blank lines count but are no rows": (
        HEADER + b'\n1,a\n\r\n\r\n2,"b"\n\n',
        [(3, ("1", "a")), (6, ("2", "b"))],
        [],
        4,
    ),
    "blank lines before the header count": (b"\n\r\nphone,name\n1,a\n", [(4, ("1", "a"))], [], 0),
    "too few and too many cells": (
        HEADER + b"1\n2,b\n3,c,\n4,d,e\n5,f\n",
        [(3, ("2", "b")), (6, ("5", "f"))],
        [(2, FEW, "1"), (4, MANY, "3,c,"), (5, MANY, "4,d,e")],
        0,
    ),
    "few and many in balance": (HEADER + b"1\n2,b,b\n", [], [(2, FEW, "1"), (3, MANY, "2,b,b")], 0),
    "few and many in balance after a good row": (
        HEADER + b"1,a\n2\n3,b,\n",
        [(2, ("1", "a"))],
        [(3, FEW, "2"), (4, MANY, "3,b,")],
        0,
    ),
    "a line of blanks is not blank": (HEADER + b"  \n1,a\n", [(3, ("1", "a"))], [(2, FEW, "  ")], 0),
    "quote in the middle of a cell": (
        HEADER + b'1,5" pipe\n2,b\n3,a "b" c\r\n4,d\n',
        [(3, ("2", "b")), (5, ("4", "d"))],
        [(2, QUOTES, '1,5" pipe'), (4, QUOTES, '3,a "b" c')],
        0,
    ),
    "quote after a blank": (HEADER + b'1, "a"\n2,b\n', [(3, ("2", "b"))], [(2, QUOTES, '1, "a"')], 0),
    "text after a closing quote": (
        HEADER + b'1,"a" \n2,"b"c\n3,d\n',
        [(4, ("3", "d"))],
        [(2, QUOTES, '1,"a" '), (3, QUOTES, '2,"b"c')],
        0,
    ),
    "a quote never closed": (
        HEADER + b'1,a\n2,"b\n3,c\n4,d\n',
        [(2, ("1", "a")), (4, ("3", "c")), (5, ("4", "d"))],
        [(3, QUOTES, '2,"b')],
        0,
    ),
    "a quote never closed in the last line": (HEADER + b'1,a\n2,"b', [(2, ("1", "a"))], [(3, QUOTES, '2,"b')], 0),
    "a quote closed in the wrong place lines later": (
        HEADER + b'1,"a\n2,b\n"3",c\n4,"d"\n',
        [(3, ("2", "b")), (4, ("3", "c")), (5, ("4", "d"))],
        [(2, QUOTES, '1,"a')],
        0,
    ),
    "a broken record keeps its line end out": (
        HEADER + b'1,"a\r\n2,b\r\n',
        [(3, ("2", "b"))],
        [(2, QUOTES, '1,"a')],
        0,
    ),
    "NUL in a row": (HEADER + b"1,a\0b\n2,c\n", [(3, ("2", "c"))], [(2, NUL, "1,a\0b")], 0),
    "NUL in a quoted cell of two lines": (
        HEADER + b'1,"a\n\0"\n2,c\n',
        [(3, ("2", "c"))],
        [(2, NUL, '1,"a\n\0"')],
        0,
    ),
    "one column": (b"phone\n1\n\n2\n", [(2, ("1",)), (4, ("2",))], [], 1),
    "one column, quoted, with an empty cell": (
        b'"phone"\n"1"\n""\n"2',
        [(2, ("1",)), (3, (None,))],
        [(4, QUOTES, '"2')],
        0,
    ),
    "one column with a delimiter": (b"phone\n1\n2,3\n4\n", [(2, ("1",)), (4, ("4",))], [(3, MANY, "2,3")], 0),
    "a delimiter at the end of every line": (
        b"phone,name,\n1,a,\n2,b\n",
        [(2, ("1", "a", None))],
        [(3, FEW, "2,b")],
        0,
    ),
    "letters of other scripts": (
        "phone,name\n1,Zoë\n2,Łukasz\n3,山田\n4,😀\n".encode(),
        [(2, ("1", "Zoë")), (3, ("2", "Łukasz")), (4, ("3", "山田")), (5, ("4", "😀"))],
        [],
        0,
    ),
    "line ends of Unicode are text": (
        "phone,name\n1,a\u2028b\x85c\x0bd\x0ce\n".encode(),
        [(2, ("1", "a\u2028b\x85c\x0bd\x0ce"))],
        [],
        0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UGLY)
def test_an_ugly_file_has_the_expected_rows(name: str, path: Path) -> None:
    text, rows, malformed, blank = UGLY[name]
    path.write_bytes(text)
    content = read_all(CsvSource(path))
    assert (content.rows, content.malformed, content.blank) == (rows, malformed, blank)


@pytest.mark.parametrize("name", UGLY)
def test_an_ugly_file_is_the_same_in_blocks_of_any_size(name: str, path: Path) -> None:
    path.write_bytes(UGLY[name][0])
    contents = [read_all(CsvSource(path, block_bytes=size)) for size in (1, 2, 5, 1 << 20)]
    assert contents == contents[:1] * len(contents)


@pytest.mark.parametrize(
    ("text", "header"),
    [
        (b"a,b\n", ("a", "b")),
        (MARK + b'"a","b, c"\n', ("a", "b, c")),
        (b' a ,"b\nc"\r\n', ("a", "b\nc")),
        (b'a,"say ""b"""\n', ("a", 'say "b"')),
        (b"a,,a\n", ("a", "", "a")),
        (b"a,b,\n", ("a", "b", "")),
        (b"\n\na", ("a",)),
        (b"x,y\n", ("x", "y")),
    ],
)
def test_the_header_is_told_without_mark_quotes_and_surrounding_blanks(
    text: bytes, header: tuple[str, ...], path: Path
) -> None:
    path.write_bytes(text)
    for block_bytes in (1, 7, 1 << 20):
        assert CsvSource(path, block_bytes=block_bytes).describe().header == header


def test_the_description_tells_where_the_header_was_found(path: Path) -> None:
    path.write_bytes(b"\n\na;b\n")
    description = CsvSource(path, delimiter=";").describe()
    assert description.path == str(path)
    assert description.facts == {"format": "csv", "encoding": "utf-8", "delimiter": ";", "header_row": 3}


@pytest.mark.parametrize("delimiter", [";", "\t", "|", " "])
def test_another_delimiter_takes_the_place_of_the_comma(delimiter: str, path: Path) -> None:
    path.write_text(f'a{delimiter}b\n1,2{delimiter}3\n"4{delimiter}5"{delimiter}6\n', encoding="utf-8")
    content = read_all(CsvSource(path, delimiter=delimiter))
    assert content.rows == [(2, ("1,2", "3")), (3, (f"4{delimiter}5", "6"))]


@pytest.mark.parametrize("options", [{"delimiter": '"'}, {"delimiter": ""}, {"delimiter": "§"}, {"delimiter": "\r"}])
def test_a_character_that_cannot_be_a_delimiter_is_a_mistake(options: dict[str, str], path: Path) -> None:
    with pytest.raises(ValueError, match="delimiter"):
        CsvSource(path, **options)  # type: ignore[arg-type]  # a table of text options


ENCODED = "phone,name\n1,Zoë\n\n2,山田\n3,b\n"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32", "gb18030", "shift_jis", "cp1252"])
@pytest.mark.parametrize("block_bytes", [1, 3, 7, 1 << 20])
def test_another_encoding_is_read_when_it_is_named(encoding: str, block_bytes: int, path: Path) -> None:
    path.write_bytes(ENCODED.encode(encoding, errors="replace"))
    readable = ENCODED.encode(encoding, errors="replace").decode(encoding)
    content = read_all(CsvSource(path, encoding=encoding, block_bytes=block_bytes))
    assert content.rows == [(2, ("1", readable[13:16])), (4, ("2", readable[20:22])), (5, ("3", "b"))]


@pytest.mark.parametrize(
    ("encoding", "good", "bad", "row"),
    [
        ("cp1252", "phone,name\n1,ë\n2,", b"\x81\n3,b\n", 3),
        ("utf-16-le", "phone,name\n1,山\n\n3,", b"\x00\xdc\n\0", 4),
        ("shift_jis", "phone,name\n1,山\n2,", b"\x80,b\n", 3),
        ("gb18030", "phone,name\n1,山\n2,", b"\xff,b\n", 3),
        ("ascii", "phone,name\n1,a\n2,", b"\xeb\n", 3),
        ("utf-16-le", "phone,name\n1,a", b"\n", 2),
    ],
)
def test_a_byte_that_another_encoding_does_not_know_is_told_by_row_and_place(
    encoding: str, good: str, bad: bytes, row: int, path: Path
) -> None:
    path.write_bytes(good.encode(encoding) + bad)
    expected = f"is not {encoding.upper()}: row {row}, byte {len(good.encode(encoding))}, "
    for block_bytes in (1, 2, 3, 5, 1 << 20):
        assert expected in outcome(CsvSource(path, encoding=encoding, block_bytes=block_bytes))


@pytest.mark.parametrize("encoding", ["utf-9", "hex"])
def test_an_unknown_encoding_is_a_mistake(encoding: str, path: Path) -> None:
    with pytest.raises(ValueError, match="encoding"):
        CsvSource(path, encoding=encoding)


# --- laws ---------------------------------------------------------------------------------------------------------

CELLS = st.text(
    st.one_of(st.sampled_from('",\n\r ;x\ufeff'), st.characters(codec="utf-8", exclude_characters="\0")), max_size=6
)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=8)
)
STYLES = st.sampled_from(["all\n", "all\r", "all\r\n", "minimal\r\n"])
UGLY_BITS = [b'"', b",", b"\n", b"\r", b"\r\n", b'",', b',"', b'"\n', b"\0", b"a", b"1,b\n", '"é"'.encode()]
UGLY_TEXT = st.lists(st.sampled_from(UGLY_BITS), max_size=40).map(b"".join)


def test_wellformed_csv_has_the_rows_that_the_standard_library_sees(scratch: Path) -> None:
    @settings(max_examples=80, deadline=None)
    @given(TABLES, STYLES, st.integers(1, 64))
    def check(table: list[list[str]], style: str, block_bytes: int) -> None:
        text = io.StringIO(newline="")
        line_end = style.removeprefix("all").removeprefix("minimal")
        csv.writer(
            text, quoting=csv.QUOTE_ALL if style.startswith("all") else csv.QUOTE_MINIMAL, lineterminator=line_end
        ).writerows([["h"] * len(table[0]), *table])
        scratch.write_bytes(text.getvalue().encode())
        expected = list(csv.reader(io.StringIO(text.getvalue(), newline=""), strict=True))
        content = read_all(CsvSource(scratch, block_bytes=block_bytes))
        assert [[cell or "" for cell in cells] for _, cells in content.rows] == expected[1:]
        assert [row for row, _ in content.rows] == list(range(2, len(expected) + 1))
        assert not content.malformed

    check()


@pytest.mark.parametrize("seed", range(2))
def test_a_large_wellformed_file_has_the_rows_that_the_standard_library_sees(seed: int, path: Path) -> None:
    """Large enough for polars to share out the text among threads, with line ends in many quoted cells."""
    chance = random.Random(seed)
    cells = ["", "a", "b,c", 'd "e"', "f\ng", "h\r\n", "\n\n", '"', "é" * 30, "x" * 200]
    table = [chance.choices(cells, k=4) for _ in range(20_000)]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["h"] * 4, *table])
    content = read_all(CsvSource(path, block_bytes=1 << 20))
    assert [[cell or "" for cell in cells] for _, cells in content.rows] == table
    assert not content.malformed


def test_rows_numbers_and_verdicts_do_not_depend_on_the_size_of_a_block(scratch: Path) -> None:
    @settings(max_examples=80, deadline=None)
    @given(UGLY_TEXT, st.integers(1, 64), st.integers(6, 80))
    def check(text: bytes, block_bytes: int, limit: int) -> None:
        scratch.write_bytes(HEADER + text)
        in_one = read_all(CsvSource(scratch, max_record_bytes=limit + len(HEADER)))
        in_blocks = read_all(CsvSource(scratch, max_record_bytes=limit + len(HEADER), block_bytes=block_bytes))
        assert in_blocks == in_one

    check()


def test_each_record_is_a_row_a_rejection_or_blank(scratch: Path) -> None:
    @settings(max_examples=80, deadline=None)
    @given(UGLY_TEXT, st.integers(1, 64))
    def check(text: bytes, block_bytes: int) -> None:
        scratch.write_bytes(HEADER + text)
        content = read_all(CsvSource(scratch, block_bytes=block_bytes))
        numbers = content.numbers
        assert len(set(numbers)) == len(numbers)
        assert [row for row, _ in content.rows] == sorted(row for row, _ in content.rows)
        records = len(numbers) + content.blank
        assert all(2 <= number < 2 + records for number in numbers)

    check()


def test_one_bad_row_never_harms_another(scratch: Path) -> None:
    good = {
        b"1,a": ("1", "a"),
        b'2,"b"': ("2", "b"),
        b'"3",c': ("3", "c"),
        b'4,"d, e"': ("4", "d, e"),
        b'5,""': ("5", None),
    }
    # None of these ends in a quote: it would close what an earlier line opened, and the text would be well-formed.
    bad = [b"x", b"y,z,z", b'6,"f', b'"7,g', b'8,"h"i', b"9,\0", b'10,5" x', b'11,5" x 6" y', b'"""j']

    @settings(max_examples=80, deadline=None)
    @given(st.lists(st.sampled_from([*good, *bad]), max_size=14), st.integers(1, 64))
    def check(lines: list[bytes], block_bytes: int) -> None:
        scratch.write_bytes(HEADER + b"".join(line + b"\n" for line in lines))
        content = read_all(CsvSource(scratch, block_bytes=block_bytes))
        assert content.rows == [(row, good[line]) for row, line in enumerate(lines, start=2) if line in good]
        assert [raw for _, _, raw in content.malformed] == [line.decode() for line in lines if line not in good]

    check()


def test_any_bytes_are_read_or_refused(scratch: Path) -> None:
    @settings(max_examples=80, deadline=None)
    @given(st.one_of(st.binary(max_size=80), UGLY_TEXT), st.integers(1, 64))
    def check(text: bytes, block_bytes: int) -> None:
        scratch.write_bytes(text)
        told = {outcome(CsvSource(scratch, block_bytes=size)) for size in (block_bytes, 1 << 20)}
        assert len(told) == 1

    check()


def outcome(source: Source) -> str:
    """What comes of reading: the content, or the sentence of the refusal."""
    try:
        return repr(read_all(source))
    except FixSource as refusal:
        return refusal.sentence


# --- refusals -----------------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing in it": (b"", "is empty"),
    "a byte-order mark only": (MARK, "is empty"),
    "blank lines only": (b"\n\r\n\r", "only blank lines"),
    "no name in the header": (b',"",  \n1,2,3\n', "no column name"),
    "a quote in the header never closed": (b'phone,"name\n1,2\n', "quotes in the header"),
    "UTF-16 with mark, little end first": ("phone,name\n1,a\n".encode("utf-16"), "is UTF-16, not UTF-8"),
    "UTF-16 with mark, big end first": (b"\xfe\xff\0p\0h", "is UTF-16, not UTF-8"),
    "UTF-32 with mark": ("phone,name\n".encode("utf-32"), "is UTF-32, not UTF-8"),
    "UTF-32 with mark, big end first": (b"\0\0\xfe\xff\0\0\0p", "is UTF-32, not UTF-8"),
    "UTF-16 without mark": ("phone,name\n1,a\n".encode("utf-16-le"), "looks like UTF-16"),
    "one byte for a letter in the header": ("phone,prénom\n".encode("cp1252"), "row 1, byte 8,"),
    "one byte for a letter in a row": ("phone,name\n1,a\n2,Zoë\n3,b\n".encode("cp1252"), "row 3, byte 19,"),
    "one byte for a letter after a mark": (MARK + "phone,name\n1,Zoë\n".encode("cp1252"), "row 2, byte 18,"),
    "a letter cut off at the end": ("phone,name\n1,Zoë".encode()[:-1], "row 2, byte 15,"),
    "a letter cut off before a line end": (b"phone,name\n1,\xe2\x82\n2,b\n", "row 2, byte 13,"),
    "half of a surrogate pair": (b"phone,name\n\n1,\xed\xa0\x80\n", "row 3, byte 14,"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_holds_no_contacts_is_refused_in_a_sentence(name: str, path: Path) -> None:
    text, expected = REFUSED[name]
    path.write_bytes(text)
    for block_bytes in (1, 3, 1 << 20):
        with pytest.raises(FixSource) as caught:
            read_all(CsvSource(path, block_bytes=block_bytes))
        assert expected in caught.value.sentence
        assert caught.value.sentence.endswith(".")
        assert caught.value.advice


def test_each_refusal_has_its_own_sentence(path: Path) -> None:
    sentences = set()
    for text, _ in REFUSED.values():
        path.write_bytes(text)
        sentences.add(outcome(CsvSource(path)))
    assert len(sentences) == len(REFUSED) - 3  # empty twice, UTF-16 twice, UTF-32 twice


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FixSource, match="There is no file"):
        CsvSource(tmp_path / "none.csv").describe()


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FixSource, match="is a folder"):
        CsvSource(tmp_path).describe()


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FixSource, match="not a regular file"):
        CsvSource(tmp_path / "pipe").describe()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (PermissionError(13, "Permission denied"), "may not be read"),
        (OSError(5, "Input/output error"), "Input/output error"),
    ],
)
def test_a_file_that_the_system_keeps_back_is_refused(
    error: OSError, sentence: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise error

    path.write_bytes(HEADER)
    monkeypatch.setattr("dialfeed.sources.files.FileIO", refuse)
    with pytest.raises(FixSource, match=sentence):
        CsvSource(path).describe()


def test_bytes_that_are_not_utf8_stop_the_reading_far_down(path: Path) -> None:
    rows = b"".join(b"%d,a\n" % row for row in range(2, 100_002))
    path.write_bytes(HEADER + rows + "100002,Zoë\n".encode("cp1252"))
    with pytest.raises(FixSource, match=r"row 100002, byte"):
        read_all(CsvSource(path, block_bytes=1 << 16))


# --- large records ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quoted", [False, True])
def test_a_cell_of_ten_megabytes_is_a_cell(quoted: bool, path: Path) -> None:
    cell = ("a\nb" if quoted else "ab") * 3_500_000
    path.write_text(
        f"phone,name\n1,{cell if not quoted else chr(34) + cell + chr(34)}\n2,b\n", encoding="utf-8", newline=""
    )
    content = read_all(CsvSource(path, block_bytes=1 << 20))
    assert content.rows == [(2, ("1", cell)), (3, ("2", "b"))]


@pytest.mark.parametrize("block_bytes", [1, 10, 64, 1 << 20])
def test_a_record_that_is_too_large_is_rejected_alone(block_bytes: int, path: Path) -> None:
    at_limit = b"1," + b"a" * 98
    path.write_bytes(HEADER + at_limit + b"\n2," + b"a" * 99 + b"\r\n3,b\n4," + b'"c' * 4_000 + b"\r5,d\n")
    content = read_all(CsvSource(path, block_bytes=block_bytes, max_record_bytes=100))
    assert content.rows == [(2, ("1", "a" * 98)), (4, ("3", "b")), (6, ("5", "d"))]
    assert content.malformed == [(3, LARGE, None), (5, LARGE, None)]


def test_many_short_lines_are_cut_in_parts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialfeed.sources.records.MAX_LINES", 64)
    lines = [b'"1",a', b"", b"x", b'2,"' + b"\n" * 100 + b'"', b'3,"b', b"4,c"] * 50
    path.write_bytes(HEADER + b"".join(line + b"\n" for line in lines))
    content = read_all(CsvSource(path))
    assert [cells for _, cells in content.rows] == [("1", "a"), ("2", "\n" * 100), ("4", "c")] * 50
    assert [raw for _, _, raw in content.malformed] == ["x", '3,"b'] * 50
    assert content.blank == 50
    assert content.rows[-1][0] == 1 + len(lines)


def test_a_quoted_record_that_would_become_too_large_is_broken_and_its_lines_are_read(path: Path) -> None:
    lines = b"".join(b"%d,a\n" % row for row in range(3, 53))
    path.write_bytes(HEADER + b'2,"never closed\n' + lines + b'53,"b"\n')
    content = read_all(CsvSource(path, block_bytes=16, max_record_bytes=100))
    assert content.malformed == [(2, QUOTES, '2,"never closed')]
    assert content.numbers == list(range(2, 54))


def test_a_header_that_is_too_large_is_refused(path: Path) -> None:
    path.write_bytes(b"a" * 200 + b"\n1\n")
    with pytest.raises(FixSource, match="too large for a header"):
        CsvSource(path, max_record_bytes=100, block_bytes=30).describe()


# --- streaming ----------------------------------------------------------------------------------------------------


@pytest.fixture
def long_file(path: Path) -> Path:
    """20,000 rows, about 350 KB."""
    path.write_text("phone,name\n" + "".join(f"{row},{row**3}\n" for row in range(20_000)), encoding="utf-8")
    return path


def source_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("dialfeed-source")]


def test_rows_come_in_chunks_of_about_a_block(long_file: Path) -> None:
    heights = [chunk.rows.height for chunk in CsvSource(long_file, block_bytes=1 << 14).chunks()]
    assert sum(heights) == 20_000
    assert len(heights) > 15
    assert max(heights) < 3_000


def test_the_hash_is_that_of_the_bytes_and_known_at_the_end(long_file: Path) -> None:
    long_file.write_bytes(MARK + long_file.read_bytes())
    source = CsvSource(long_file, block_bytes=1 << 14)
    chunks = source.chunks()
    next(chunks)
    with pytest.raises(RuntimeError, match="once all chunks"):
        source.sha256()
    for _ in chunks:
        pass
    assert source.sha256() == hashlib.sha256(long_file.read_bytes()).hexdigest()


def test_a_source_can_be_read_twice(long_file: Path) -> None:
    source = CsvSource(long_file)
    assert read_all(source) == read_all(source)


def test_a_caller_who_stops_early_leaves_no_thread_and_no_open_file(long_file: Path) -> None:
    chunks = CsvSource(long_file, block_bytes=1 << 12).chunks()
    next(chunks)
    assert source_threads()
    chunks.close()  # type: ignore[attr-defined]  # a generator, which the interface need not promise
    assert not source_threads()


def test_no_thread_is_left_at_the_end_or_after_a_refusal(long_file: Path) -> None:
    read_all(CsvSource(long_file))
    assert not source_threads()
    long_file.write_bytes(long_file.read_bytes() + b"1,\xff\n")
    with pytest.raises(FixSource):
        read_all(CsvSource(long_file, block_bytes=1 << 12))
    assert not source_threads()


def test_the_next_chunk_is_made_while_the_caller_works_on_this_one(
    long_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = threading.Semaphore(0)
    take = Table.take

    def counted(table: Table, window: Window) -> tuple[Chunk, int]:
        made.release()
        return take(table, window)

    monkeypatch.setattr(Table, "take", counted)
    chunks = CsvSource(long_file, block_bytes=1 << 12).chunks()
    next(chunks)
    assert all(made.acquire(timeout=5) for _ in range(2))
    chunks.close()  # type: ignore[attr-defined]  # a generator, which the interface need not promise


def test_no_more_than_one_chunk_is_made_ahead(long_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    take = Table.take

    def counted(table: Table, window: Window) -> tuple[Chunk, int]:
        made.append(len(window.text))
        return take(table, window)

    monkeypatch.setattr(Table, "take", counted)
    ahead = []
    for used, _ in enumerate(CsvSource(long_file, block_bytes=1 << 12).chunks(), start=1):
        time.sleep(0.001)
        ahead.append(len(made) - used)
    assert max(ahead) <= 1


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"1,late\n")


def shorten(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def touch(path: Path) -> None:
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))


@pytest.mark.parametrize("change", [append, shorten, touch])
def test_a_file_that_changes_while_it_is_read_is_refused(change: Callable[[Path], None], long_file: Path) -> None:
    source = CsvSource(long_file, block_bytes=1 << 14)
    chunks = source.chunks()
    next(chunks)
    change(long_file)
    with pytest.raises(FixSource, match="changed while"):
        list(chunks)
    with pytest.raises(RuntimeError):
        source.sha256()


@pytest.mark.parametrize("change", [append, shorten, touch])
def test_a_file_that_changes_between_header_and_rows_is_refused(
    change: Callable[[Path], None], long_file: Path
) -> None:
    source = CsvSource(long_file)
    source.describe()
    change(long_file)
    with pytest.raises(FixSource, match="changed while"):
        list(source.chunks())
