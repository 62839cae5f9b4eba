"""Each form of a list of numbers is read to the last line, and what is no number is counted and shown masked."""

from __future__ import annotations

import gzip
import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pytest
import xlsxwriter  # type: ignore[import-untyped] # it has no types
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialfeed.donotcall.building import build
from dialfeed.donotcall.index import PRESENT, Index
from dialfeed.donotcall.listfiles import lines
from dialfeed.donotcall.listfiles.base import Fault, ListFormat, Malformed
from dialfeed.donotcall.listfiles.reading import ListReading, read_list
from dialfeed.errors import FixSettings, FixSource
from dialfeed.sources.bounds import Bounds

laws = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
XML = (
    "<list type='full' level='ac' val='416'>\n <ac val='416'>\n  <ph val='5550100' /> <ph val='5550101' />\n"
    " </ac>\n</list>"
)


def written(folder: Path, content: bytes | str, name: str = "list.txt") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def zipped(folder: Path, members: dict[str, bytes | str], name: str = "list.zip") -> Path:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return folder / name


def numbers(reading: ListReading) -> list[int]:
    return [number for chunk in reading for number in chunk.numbers.tolist()]


def read(path: Path, authority: str = "us", **settings: object) -> tuple[ListFormat, list[int], list[Malformed]]:
    reading = read_list(path, authority=authority, **settings)  # type: ignore[arg-type]
    found = numbers(reading)
    assert reading.totals.lines == len(found) + reading.totals.malformed
    assert reading.totals.records == len(found)
    assert reading.totals.blocks == {number // 10**7 for number in found}
    return reading.format, found, reading.totals.shown


AREA_TEXT, AREA_XML, PLAIN, TABLE = ListFormat
UK = [441632960000, 447700900123, 442079460001]

FORMS: dict[str, tuple[str, str, ListFormat, list[int]]] = {
    "split": ("us", "416,5550100\n212,5550101\n", AREA_TEXT, [14165550100, 12125550101]),
    "joined": ("us", "4165550100\n2125550101\n", AREA_TEXT, [14165550100, 12125550101]),
    "both": ("ca", "4165550100\n212,5550101\n", AREA_TEXT, [14165550100, 12125550101]),
    "line ends of Windows, blanks, no last line end": (
        "us",
        "416,5550100  \r\n\r\n \t\r\n212,5550101",
        AREA_TEXT,
        [14165550100, 12125550101],
    ),
    "byte-order mark": ("us", "\ufeff416,5550100\n", AREA_TEXT, [14165550100]),
    "state": ("state:FL", "8505550100\n", AREA_TEXT, [18505550100]),
    "zeros": ("ca", "416,0000123\n", AREA_TEXT, [14160000123]),
    "tags": ("ca", XML, AREA_XML, [14165550100, 14165550101]),
    "tags under the list": ("ca", "<list level='ac' val='416'><ph val='5550100'/></list>", AREA_XML, [14165550100]),
    "tags that are not well-formed": (
        "ca",
        (
            "<?xml version='1.0'?><list type='full' level='all' val='' />\n<ac val='416'><ph val='5550100'/></ac>\n"
            "<AC VAL=\"604\"><PH  VAL = \"5550101\"></PH>\n<ph type='x' val='5550102'/></AC></list>\n"
        ),
        AREA_XML,
        [14165550100, 16045550101, 16045550102],
    ),
    "international": (
        "internal",
        "+12125550100\n+442079460001\n+4915112345678\n",
        PLAIN,
        [12125550100, 442079460001, 4915112345678],
    ),
    "typed by people": (
        "us",
        "(212) 555-0100\n+1 212 555 0101\n1-212-555-0102\n",
        PLAIN,
        [12125550100, 12125550101, 12125550102],
    ),
    "national": ("uk", "01632 960000\n07700900123\n020 7946 0001\n", PLAIN, UK),
    "one column": ("uk", "telephone\n01632960000\n07700900123\n02079460001\n", TABLE, UK),
    "a column among others": (
        "uk",
        "Date,Telephone,Status\n2026-11-01,01632960000,A\n2026-11-01,07700900123,A\n",
        TABLE,
        UK[:2],
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_recognised_and_read(tmp_path: Path, name: str) -> None:
    authority, content, form, expected = FORMS[name]
    assert read(written(tmp_path, content), authority) == (form, expected, [])


@pytest.mark.parametrize("name", [name for name in FORMS if FORMS[name][2] is not TABLE])
def test_every_form_is_read_compressed(tmp_path: Path, name: str) -> None:
    authority, content, form, expected = FORMS[name]
    packed = [written(tmp_path, gzip.compress(content.encode()), "list.gz"), zipped(tmp_path, {"list.txt": content})]
    assert [read(path, authority) for path in packed] == [(form, expected, [])] * 2


def test_all_files_of_an_archive_are_read(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"ca_604.txt": "604,5550101\n604,555\n", "ca_416.txt": "416,5550100\n"})
    malformed = Malformed(2, Fault.NOT_A_NUMBER, "999,999", "ca_604.txt")
    assert read(path, "ca") == (AREA_TEXT, [14165550100, 16045550101], [malformed])


def test_a_workbook_is_a_table(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "list.xlsx") as book:
        sheet = book.add_worksheet()
        for row, cells in enumerate([("Name", "Phone"), ("Ada", "+12125550100"), ("Bob", "2125550101")]):
            sheet.write_row(row, 0, cells)
    assert read(tmp_path / "list.xlsx")[:2] == (TABLE, [12125550100, 12125550101])


def test_a_column_is_named_by_its_title_or_its_number(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n2125550100,2125550101\n")
    assert [read(path, column=column)[1] for column in ("a", "2")] == [[12125550100], [12125550101]]
    for column in ("c", "3", None):
        with pytest.raises(FixSettings, match="which column"):
            numbers(read_list(path, TABLE, authority="us", column=column))


def test_the_hash_is_that_of_the_file_as_it_lies_there(tmp_path: Path) -> None:
    for path in (
        written(tmp_path, "416,5550100\n"),
        written(tmp_path, gzip.compress(b"416,5550100\n"), "list.gz"),
        zipped(tmp_path, {"a.txt": "416,5550100\n", "b.txt": "212,5550100\n"}),
    ):
        reading = read_list(path, authority="us")
        numbers(reading)
        assert reading.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


# --- what is malformed ------------------------------------------------------------------------------------------------

BAD_TEXT = (
    "416,5550100\n416,555010\n\n416;5550101\n116,5550102\n416,55501023\n4165550\n416,555O100\nno number\n"
    "-4165550100\n416,5550103\n"
)
BAD_TAGS = (
    "<list level='all' val=''>\n<ph val='5550100'/>\n<ac val='416'><ph val='5550100'/>\n<ph val='123'/>\n"
    "<ph val='555010x'/>\n5550101\n<ph val='5550102'\n<ph val='5550103'/><zz/>\n</ac>"
    "<ac val='12'><ph val='5550104'/></ac>\n</list> x"
)
FAULTS: dict[str, tuple[str, ListFormat, list[tuple[int, Fault, str]]]] = {
    "text": (
        BAD_TEXT,
        AREA_TEXT,
        [
            (2, Fault.NOT_A_NUMBER, "999,999999"),
            (4, Fault.NOT_A_NUMBER, "999;9999999"),
            (5, Fault.AREA_CODE, "999,9999999"),
            (6, Fault.NOT_A_NUMBER, "999,99999999"),
            (7, Fault.NOT_A_NUMBER, "9999999"),
            (8, Fault.NOT_A_NUMBER, "999,999A999"),
            (9, Fault.NOT_A_NUMBER, "AA AAAAAA"),
            (10, Fault.NOT_A_NUMBER, "-9999999999"),
        ],
    ),
    "tags": (
        BAD_TAGS,
        AREA_XML,
        [
            (2, Fault.NO_AREA_CODE, "<AA AAA='9999999'/>"),
            (4, Fault.NOT_A_NUMBER, "<AA AAA='999'/>"),
            (5, Fault.NOT_A_NUMBER, "<AA AAA='999999A'/>"),
            (6, Fault.NOT_A_TAG, "9999999"),
            (7, Fault.NOT_A_TAG, "<AA AAA='9999999'?"),
            (8, Fault.NOT_A_TAG, "<AA/>"),
            (9, Fault.AREA_CODE, "<AA AAA='99'>"),
            (9, Fault.NO_AREA_CODE, "<AA AAA='9999999'/>"),
            (10, Fault.NOT_A_TAG, "A"),
        ],
    ),
    "plain": (
        "+12125550100\n212-555-XXXX\n+1212\n+02125550100\n+1234567890123456\nada@example.com\n12125550100\n",
        PLAIN,
        [
            (2, Fault.NOT_A_NUMBER, "999-999-AAAA"),
            (3, Fault.NOT_A_NUMBER, "+9999"),
            (4, Fault.NOT_A_NUMBER, "+99999999999"),
            (5, Fault.NOT_A_NUMBER, "+9999999999999999"),
            (6, Fault.NOT_A_NUMBER, "AAA@AAAAAAA.AAA"),
        ],
    ),
    "table": (
        'id,phone\n1,2125550100\n2,\n3,212555\n4\n5,"2125550101"\n',
        TABLE,
        [(3, Fault.EMPTY, ""), (4, Fault.NOT_A_NUMBER, "999999"), (5, Fault.NOT_A_ROW, "9")],
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_malformed_line_is_counted_and_shown_by_its_shape(tmp_path: Path, name: str) -> None:
    content, form, expected = FAULTS[name]
    found = read(written(tmp_path, content))
    assert found[0] is form
    assert [(each.line, each.fault, each.shape) for each in found[2]] == expected


def test_all_malformed_lines_are_counted_and_the_first_are_shown(tmp_path: Path) -> None:
    reading = read_list(written(tmp_path, "212,5550100\n" + "x\n" * 5_000), authority="us")
    numbers(reading)
    assert (reading.totals.malformed, len(reading.totals.shown)) == (5_000, 100)


@laws
@given(st.text("0123456789,\r\n x", max_size=300))
def test_no_line_is_dropped_in_silence(tmp_path: Path, text: str) -> None:
    """Each line is a number, malformed or blank, whatever it is; and the numbers are those that a person sees."""
    path = written(tmp_path, "212,5550100\n" + text)
    _, found, malformed = read(path, kind=AREA_TEXT)
    said = [line.rstrip(" \r") for line in text.split("\n")]
    sound = [line for line in said if line.replace(",", "", 1).isdigit() and len(line.replace(",", "", 1)) == 10]
    sound = [line for line in sound if line[0] in "23456789" and line.find(",") in {-1, 3}]
    assert found[1:] == [int("1" + line.replace(",", "")) for line in sound]
    assert len(malformed) == len([line for line in said if line]) - len(sound)


@laws
@given(
    st.lists(st.integers(0, 10**16 - 1) | st.integers(0, 999)),
    st.lists(st.text("0123456789:/;? x", min_size=1, max_size=17)),
)
def test_digits_become_integers_exactly(read_integers: list[int], others: list[str]) -> None:
    texts = [str(number) for number in read_integers] + others
    found = next(lines.lines_of(["\n".join([*texts, ""]).encode()], "x")) if texts else None
    if found is not None:
        values, sound = lines.integers(found.text, found.starts, found.ends)
        expected = [int(text) if (kept := text.rstrip()).isdigit() and len(kept) <= 16 else None for text in texts]
        assert [int(value) if good else None for value, good in zip(values, sound, strict=True)] == expected


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["212.txt", "us-212-2026-11-01.txt", "212_full.xml"])
def test_a_list_of_another_area_code_than_its_name_tells_is_refused(tmp_path: Path, name: str) -> None:
    content = XML if name.endswith("xml") else "212,5550100\n416,5550100\n"
    with pytest.raises(FixSource, match="area code 212, and holds numbers of 416"):
        read(written(tmp_path, content, name))
    assert 14165550100 in read(written(tmp_path, content, name), check_name=False)[1]


def test_a_list_of_another_area_code_than_its_place_in_an_archive_tells_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FixSource, match="area code 604"):
        read(zipped(tmp_path, {"416.txt": "416,5550100\n", "604.txt": "416,5550100\n"}, "all.zip"))


def test_a_tag_of_another_area_code_than_that_of_the_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FixSource, match="area code 416"):
        read(written(tmp_path, XML.replace("<ac val='416'>", "<ac val='604'>")))


@pytest.mark.parametrize("declared", ["<!DOCTYPE list [<!ENTITY a 'x'>]>", "<!doctype list>", "<!ENTITY a 'x'>"])
def test_document_types_and_entities_are_refused(tmp_path: Path, declared: str) -> None:
    with pytest.raises(FixSource, match="document type"):
        read(written(tmp_path, declared + XML.replace("5550100", "&a;"), "list.xml"))


def test_a_tag_with_two_values_is_malformed(tmp_path: Path) -> None:
    content = XML.replace("val='5550100'", "val='5550100' val='5550102'")
    assert [each.fault for each in read(written(tmp_path, content), "ca")[2]] == [Fault.NOT_A_NUMBER]


@pytest.mark.parametrize("end", ["</list>", " />\n </ac>\n</list>", ">\n</list>"])
def test_tags_that_end_before_the_list_does_are_refused_whatever_a_person_accepts(tmp_path: Path, end: str) -> None:
    assert XML.endswith(end)
    with pytest.raises(FixSource, match="</list> is missing"):
        read(written(tmp_path, XML.removesuffix(end), "list.xml"))


@pytest.mark.parametrize("kind", ["type='change'", 'TYPE = "delta"', "type=''", "type=change", "type='full' type='x'"])
def test_tags_of_another_kind_than_a_full_list_are_refused(tmp_path: Path, kind: str) -> None:
    assert XML.startswith("<list type='full'")
    with pytest.raises(FixSource, match="not a full list"):
        read(written(tmp_path, XML.replace("type='full'", kind), "list.xml"))


@pytest.mark.parametrize("kind", ["", "type='FULL'", 'type = "full"'])
def test_tags_of_a_full_list_may_say_so_in_other_words_or_not_at_all(tmp_path: Path, kind: str) -> None:
    content = written(tmp_path, XML.replace("type='full'", kind), "list.xml")
    assert read(content)[1:] == read(written(tmp_path, XML, "other.xml"))[1:]


def test_an_entity_is_not_resolved(tmp_path: Path) -> None:
    assert len(read(written(tmp_path, XML.replace("5550100", "&#53;550100")), "ca")[2]) == 1


@pytest.mark.parametrize("content", ["", "\n\n", " \r\n"])
def test_an_empty_list_holds_nothing_and_nothing_malformed(tmp_path: Path, content: str) -> None:
    assert read(written(tmp_path, content))[1:] == ([], [])


def test_tagged_text_without_a_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FixSource, match="no tagged list"):
        read(written(tmp_path, "<html><body>Sign in</body></html>"))


def test_text_of_two_bytes_a_character_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FixSource, match="UTF-16"):
        read(written(tmp_path, "212,5550100\n".encode("utf-16")), kind=AREA_TEXT)


def test_a_list_of_changes_is_not_taken_for_a_whole_list(tmp_path: Path) -> None:
    with pytest.raises(FixSource, match="list of changes"):
        read(written(tmp_path, "2125550100,2026-11-01T08:00:00,A\n2125550101,2026-11-01T08:00:00,D\n"))


@pytest.mark.parametrize("form", ["gz", "zip"])
def test_a_bomb_is_refused(tmp_path: Path, form: str) -> None:
    bomb = (b"2" * 60_000 + b"\n") * 1_200
    path = (
        written(tmp_path, gzip.compress(bomb, 1), "list.gz") if form == "gz" else zipped(tmp_path, {"list.txt": bomb})
    )
    with pytest.raises(FixSource, match="times its size"):
        read(path, kind=AREA_TEXT, bounds=Bounds(1 << 40, 100))


def test_a_bomb_in_many_files_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path, {f"{number}.txt": b"x\n" * 50_000 for number in range(10, 40)})
    with pytest.raises(FixSource, match="more than 1,000,000 bytes"):
        read(path, kind=AREA_TEXT, bounds=Bounds(1_000_000, 10_000))


def test_a_text_without_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FixSource, match="no list has them"):
        read(written(tmp_path, b"2" * 9_000_000), kind=AREA_TEXT)


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"list.txt": "\n".join(f"212,555{number:04}" for number in range(9_999))})
    data = bytearray(path.read_bytes())
    data[5_000] ^= 255
    with pytest.raises(FixSource, match="damaged"):
        read(written(tmp_path, bytes(data), "list.zip"), kind=AREA_TEXT)


# --- chunks, and into an index ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "tags"])
@pytest.mark.parametrize("size", [61, 1_000, 1_021])
def test_the_size_of_blocks_changes_nothing(
    tmp_path: Path, form: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = [12125550100 + step for step in range(0, 9_000, 3)]
    middle = "".join(f"212,{number % 10**7:07}\n" for number in listed)
    if form == "tags":
        tags = "".join(f"<ph val='{number % 10**7:07}' />\n" for number in listed)
        middle = f"<list level='ac' val='212'><ac val='212'>\n{tags}</ac></list>"
    path = written(tmp_path, middle)
    monkeypatch.setattr("dialfeed.donotcall.listfiles.packed.BLOCK_BYTES", size)
    assert read(path)[1:] == (listed, [])


def test_a_list_becomes_an_index(tmp_path: Path) -> None:
    path = written(
        tmp_path, "".join(f"{area},{number:07}\n" for area in (212, 415) for number in range(5550100, 5570200, 7))
    )
    reading = read_list(path, authority="us")
    built = build(tmp_path / "index", (chunk.numbers for chunk in reading), facts={"sha256": "x"})
    assert (built.records, built.blocks) == (reading.totals.records, 2)
    assert (
        Index.open(built.path).look_up(np.array(numbers(read_list(path, authority="us")), np.uint64)) == PRESENT
    ).all()


def test_an_archive_with_a_file_twice_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "list.zip", "w") as archive:
        archive.writestr("a.txt", "212,5550100\n")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.txt", "212,5550101\n")
    with pytest.raises(FixSource, match="several files"):
        read(tmp_path / "list.zip")


def test_an_archive_with_a_password_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"a.txt": "212,5550100\n", "b.txt": "212,5550101\n"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(FixSource, match="password"):
        read(written(tmp_path, bytes(data), "locked.zip"))
