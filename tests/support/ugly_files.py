"""The files that contact centres really get, each with what must come of it. Every number is made up for fiction."""

# ruff: noqa: E501, RUF001 - XML is kept in one line, and people have names in other scripts

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import xlsxwriter  # type: ignore[import-untyped]
from workbook_files import As, Cell, Formula, Sheet, ods, ods_cell, raw_xlsx, xls, xlsb, xlsx, zipped

from dialfeed.sources.options import SourceOptions
from dialfeed.sources.packing import zstd_module

Rows = Sequence[tuple[str | None, ...]]
FEW, MANY, QUOTES, NUL = "row.too_few_cells", "row.too_many_cells", "row.broken_quotes", "row.nul_byte"
A, B = "+12025550100", "+12025550101"
TEXT = f"phone,name\n{A},Ann\n{B},Zoë\n"
TABLE: Rows = [(A, "Ann"), (B, "Zoë")]


@dataclass(frozen=True)
class Facts:
    """What is read: rows with their numbers, malformed records, blank ones, the header, and some of the facts."""

    rows: Rows
    header: tuple[str, ...] = ("phone", "name")
    numbers: tuple[int, ...] | None = None
    malformed: tuple[tuple[int, str], ...] = ()
    blank: int = 0
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """Why nothing is read: a part of the sentence or the advice."""

    told: str


@dataclass(frozen=True)
class Ugly:
    """A file, how it is asked for, and what must come of it."""

    file: str
    content: Callable[[], bytes]
    expected: Facts | Refused
    options: SourceOptions = field(default_factory=SourceOptions)


def _file(file: str, content: bytes | Callable[[], bytes], expected: Facts | Refused, **options: Any) -> Ugly:
    return Ugly(file, content if callable(content) else lambda: content, expected, SourceOptions(**options))


def every() -> dict[str, Ugly]:
    """All of them by name."""
    return dict(
        (
            *encodings(),
            *delimiters(),
            *headers(),
            *records(),
            *packed(),
            *spreadsheets(),
            *columns(),
            *jsons(),
            *strangers(),
        )
    )


# --- encodings ------------------------------------------------------------------------------------------------------


def encodings() -> Iterator[tuple[str, Ugly]]:
    for name in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"):
        told = {"utf-8-sig": "utf-8"}.get(name, name)
        yield name, _file("a.csv", TEXT.encode(name), Facts(TABLE, facts={"encoding": told}))
    big = b"\xfe\xff" + TEXT.encode("utf-16-be")
    yield "UTF-16, big end first, with mark", _file("a.csv", big, Facts(TABLE, facts={"encoding_known_by": "mark"}))
    for name, people in PEOPLE.items():
        table: Rows = [(f"+120255501{index:02}", person) for index, person in enumerate(people)]
        text = "phone,name\n" + "".join(f"{phone},{person}\n" for phone, person in table)
        facts = {"encoding": name, "encoding_known_by": "words"}
        yield f"people in {name}", _file("a.csv", text.encode(name), Facts(table, facts=facts))
    for name, who in NOT_WESTERN.items():
        table = [(f"+120255501{index:02}", person) for index, person in enumerate(who.split())]
        text = "phone,name\n" + "".join(f"{phone},{person}\n" for phone, person in table)
        yield f"{name} in cp1250", _file("a.csv", text.encode("cp1250"), Facts(table, facts={"encoding": "cp1250"}))
    for name in SHORT:
        yield f"{name} alone in cp1250", _file("a.csv", f"phone,name\n1,{name}\n".encode("cp1250"), SAY_WHICH)
    for name, person in {"koi8-r": "Иван", "gb18030": "王伟", "shift_jis": "山田太郎"}.items():
        content = f"phone,name\n1,{person}\n".encode(name)
        yield f"doubtful {name}", _file("a.csv", content, Refused(name))
        yield f"{name}, told", _file("a.csv", content, Facts([("1", person)]), encoding=name)
    late = b"phone,name\n" + b"+12025550100,Ann\n" * 20_000 + b"+12025550101,Zo\xeb\n"
    many: Rows = [(A, "Ann")] * 20_000 + [(B, "Zoë")]
    yield "a letter of Windows-1252 far down", _file("a.csv", late, Facts(many, facts={"encoding": "cp1252"}))
    mixed = TEXT.encode() + b"+12025550102,Zo\xeb\n"
    yield "UTF-8 told, Windows-1252 within", _file("a.csv", mixed, Refused("row 4"), encoding="utf-8")
    yield (
        "two encodings in one file",
        _file("a.csv", "phone,name\n1,Łukasz\n2,Żółć\n".encode() + b"3,Zo\xeb\n", Refused("encoding")),
    )
    escapes = "phone,name\n1,山田\n".encode("iso2022_jp")
    yield "Japanese in seven bits", _file("a.csv", escapes, Refused("iso2022_jp"))
    yield "half a UTF-16 character at the end", _file("a.csv", TEXT.encode("utf-16") + b"x", Refused("UTF-16"))


NOT_WESTERN = {
    "Hungarians": "Kovács Szabó Győző Erdős Németh Jenő Szűcs Lőrincz Tóth",
    "Croats": "Kovačević Marić Petrović Lučić Babić Jurić Horvat Đorđević",
    "Czechs": "Dvořák Kučera Sedláček Němec Kolář Černý Růžička Jiří",
    "Poles": "Łukasz Michał Paweł Kamiński Szymański Wójcik Święcicki",
}
"""Names whose bytes are letters in Windows-1252 too, in an order that no western language has."""
SHORT = ("Petrović", "Sedláček", "Jenő", "Vaněk")
"""Names that leave two encodings possible."""
SAY_WHICH = Refused("--encoding")
PEOPLE = {
    "cp1252": ("José García", "Müller", "Søren Kjær", "François Lefèvre", "O’Brien", "João Gonçalves", "PEÑA"),
    "cp1250": ("Łukasz Wałęsa", "Jiří Dvořák", "Győző Kovács", "Željko Šimić", "Michał"),
    "cp1254": ("Şahin Yılmaz", "Özgür Çağlar", "Gökşin Işık"),
    "cp1257": ("Jānis Bērziņš", "Kęstutis", "Ģirts"),
    "cp1253": ("Γιώργος Παπαδόπουλος", "Ελένη Αντωνίου", "Αθηνά"),
    "cp850": ("José García", "Müller", "Zoë"),
    "mac-roman": ("José García", "Müller", "François"),
}


# --- delimiters and quotes ------------------------------------------------------------------------------------------


def delimiters() -> Iterator[tuple[str, Ugly]]:
    german = "phone;name;sum\n" + f"{A};Ann;1.234,50\n{B};Zoë;0,99\n" * 3
    table: Rows = [(A, "Ann", "1.234,50"), (B, "Zoë", "0,99")] * 3
    header = ("phone", "name", "sum")
    yield "decimal commas in every row", _file("a.csv", german.encode(), Facts(table, header, facts={"delimiter": ";"}))
    for delimiter in (",", ";", "\t", "|", ":", "^", "~", "\x1f", "\x01"):
        text = TEXT.replace(",", delimiter).encode()
        yield f"delimiter {delimiter!r}", _file("a.csv", text, Facts(TABLE, facts={"delimiter": delimiter}))
    yield "delimiter told by name", _file("a.txt", TEXT.replace(",", "\t").encode(), Facts(TABLE), delimiter="tab")
    hint = b"sep=;\r\n" + TEXT.replace(",", ";").encode()
    yield "hint", _file("a.csv", hint, Facts(TABLE, numbers=(3, 4), facts={"delimiter_known_by": "hint"}))
    commas = "phone;name\n1;Smith, Ann\n2;Jones, Zoë\n".encode()
    yield "commas within cells", _file("a.csv", commas, Facts([("1", "Smith, Ann"), ("2", "Jones, Zoë")]))
    yield "two delimiters that both fit", _file("a.csv", b"a;b,c;d\n1;2,3;4\n", Refused("it could be ',' or ';'"))
    told = Facts([("1", "2,3", "4")], header=("a", "b,c", "d"))
    yield "two delimiters, one told", _file("a.csv", b"a;b,c;d\n1;2,3;4\n", told, delimiter=";")
    yield (
        "one column",
        _file(
            "a.csv",
            b"phone\n1\n2\n",
            Facts([("1",), ("2",)], header=("phone",), facts={"delimiter_known_by": "nothing"}),
        ),
    )
    single = b"'phone','name'\n'1','a,b'\n'2','say \"hi\"'\n"
    yield (
        "apostrophes around cells",
        _file("a.csv", single, Facts([("1", "a,b"), ("2", 'say "hi"')], facts={"quote": "'"})),
    )
    inches = b'phone\tname\n1\t5" pipe\n2\t"x\n'
    yield "quotes are text", _file("a.tsv", inches, Facts([("1", '5" pipe'), ("2", '"x')]), quote="")
    yield "quotes in the middle", _file("a.tsv", inches, Facts([], malformed=((2, QUOTES), (3, QUOTES))))
    full = b'"phone","name"\r\n"1","a ""b"""\r\n'
    yield "every cell in quotes", _file("a.csv", full, Facts([("1", 'a "b"')], facts={"quoting": "all"}))


# --- headers --------------------------------------------------------------------------------------------------------


def headers() -> Iterator[tuple[str, Ugly]]:
    title = f"Campaign 12,,\n\nphone,name,city\n{A},Ann,X\n".encode()
    yield (
        "a title above",
        _file("a.csv", title, Facts([(A, "Ann", "X")], ("phone", "name", "city"), (4,), facts={"header_row": 3})),
    )
    bare = f"{A},Ann\n{B},Zoë\n".encode()
    yield "no header", _file("a.csv", bare, Refused("looks like a contact"))
    yield "no header, told", _file("a.csv", bare, Facts(TABLE, ("column 1", "column 2"), (1, 2)), header_row=0)
    yield "an e-mail for a header", _file("a.csv", b"Ann,ann@example.com\n", Refused("looks like a contact"))
    second = f"Telefon,Name\nphone,name\n{A},Ann\n".encode()
    yield "two headers, one told", _file("a.csv", second, Facts([(A, "Ann")], numbers=(3,)), header_row=2)
    yield "a header row beyond the end", _file("a.csv", TEXT.encode(), Refused("--header-row"), header_row=9)
    dated = b"phone,2026-01-02\n1,x\n"
    yield "a date for a name", _file("a.csv", dated, Facts([("1", "x")], ("phone", "2026-01-02")))
    yield "blanks around names", _file("a.csv", b" phone , name\n1,a\n", Facts([("1", "a")]))
    yield "empty", _file("a.csv", b"", Refused("is empty"))
    yield "blank lines only", _file("a.csv", b"\n\r\n", Refused("blank"))
    yield "header only", _file("a.csv", b"phone,name\n", Facts([]))


# --- records --------------------------------------------------------------------------------------------------------


def records() -> Iterator[tuple[str, Ugly]]:
    short = f"phone,name\n{A}\n{B},Zoë\n1,2,3\n".encode()
    yield (
        "too few and too many",
        _file("a.csv", short, Facts([(B, "Zoë")], numbers=(3,), malformed=((2, FEW), (4, MANY)))),
    )
    lines = b'phone,name\n1,"a\nb"\n2,c\n'
    yield "a cell of two lines", _file("a.csv", lines, Facts([("1", "a\nb"), ("2", "c")]))
    yield (
        "a quote never closed",
        _file("a.csv", b'phone,name\n1,"a\n2,b\n', Facts([("2", "b")], numbers=(3,), malformed=((2, QUOTES),))),
    )
    yield (
        "NUL bytes",
        _file("a.csv", b"phone,name\n1,a\0b\n2,c\n", Facts([("2", "c")], numbers=(3,), malformed=((2, NUL),))),
    )
    yield "blank lines between", _file("a.csv", b"phone,name\n\n1,a\n\n", Facts([("1", "a")], numbers=(3,), blank=2))
    twice = Facts(TABLE, numbers=(3, 5), blank=3)
    yield "two carriage returns before each line feed", _file("a.csv", TEXT.replace("\n", "\r\r\n").encode(), twice)
    mixed = f"phone,name\r\n{A},Ann\r{B},Zoë\n".encode()
    yield "three kinds of line ends", _file("a.csv", mixed, Facts(TABLE))
    end = Facts(TABLE, malformed=((4, FEW),))
    yield "the mark of DOS at the end", _file("a.csv", TEXT.encode() + b"\x1a", end)
    yield "two byte-order marks", _file("a.csv", b"\xef\xbb\xbf" * 2 + TEXT.encode(), Facts(TABLE))
    odd = "phone,name\n1,a\u2028b\x0b\x85c\n".encode()
    yield "line ends that are none", _file("a.csv", odd, Facts([("1", "a\u2028b\x0b\x85c")]))
    yield "lone carriage returns", _file("a.csv", TEXT.replace("\n", "\r").encode(), Facts(TABLE))
    marks = b'phone,name\n"=""2025550100""",\'+12025550101\n1.2125550100E+10,#REF!\n'
    damage: Rows = [('="2025550100"', "'+12025550101"), ("1.2125550100E+10", "#REF!")]
    yield "what spreadsheets leave behind", _file("a.csv", marks, Facts(damage))
    yield "a record larger than it may be", _file(
        "a.csv", b"phone,name\n1," + b"x" * 200 + b"\n2,b\n", Facts([("2", "b")], numbers=(3,), malformed=((2, "row.too_large"),)),
        max_record_bytes=100,
    )  # fmt: skip


# --- compressed -----------------------------------------------------------------------------------------------------


def packed() -> Iterator[tuple[str, Ugly]]:
    text = TEXT.encode()
    zstd = zstd_module().compress
    yield "gzip", _file("a.csv.gz", gzip.compress(text), Facts(TABLE, facts={"compression": "gzip"}))
    yield "gzip without its name", _file("a.csv", gzip.compress(text), Facts(TABLE))
    yield "gzip in two parts", _file("a.gz", gzip.compress(text[:20]) + gzip.compress(text[20:]), Facts(TABLE))
    yield "gzip filled up with zeros", _file("a.gz", gzip.compress(text) + bytes(600), Facts(TABLE))
    yield "gzip cut off", _file("a.gz", gzip.compress(text)[:-9], Refused("ends in the middle"))
    yield "gzip with something behind it", _file("a.gz", gzip.compress(text) + b"more", Refused("damaged"))
    wrong = bytearray(gzip.compress(text))
    wrong[-8] ^= 1
    yield "gzip with a wrong checksum", _file("a.gz", bytes(wrong), Refused("damaged"))
    yield "gzip bomb by ratio", _file("a.gz", lambda: gzip.compress(bytes(80 << 20), 9), Refused("times its size"))
    yield (
        "gzip bomb by size",
        _file("a.gz", gzip.compress(b"phone\n" + b"1\n" * 5000), Refused("10,000 bytes"), max_expanded_bytes=10_000),
    )
    yield "zstd", _file("a.csv.zst", zstd(text), Facts(TABLE, facts={"compression": "zstd"}))
    yield "zstd in two frames", _file("a.zst", zstd(text[:20]) + zstd(text[20:]), Facts(TABLE))
    yield "zstd cut off", _file("a.zst", zstd(text * 9)[:-5], Refused("zstd data"))
    yield "zstd bomb", _file("a.zst", lambda: zstd(bytes(80 << 20)), Refused("times its size"))
    yield (
        "zip",
        _file(
            "a.zip",
            zipped({"list/contacts.csv": text}),
            Facts(TABLE, facts={"compression": "zip", "member": "list/contacts.csv"}),
        ),
    )
    clutter = zipped({"__MACOSX/._c.csv": b"x", "c.csv": text, ".DS_Store": b"x"})
    yield "zip from a Mac", _file("a.zip", clutter, Facts(TABLE, facts={"member": "c.csv"}))
    two = zipped({"a.csv": text, "b.csv": b"phone\n1\n"})
    yield "zip of two", _file("a.zip", two, Refused("'a.csv', 'b.csv'"))
    yield "zip of two, one told", _file("a.zip", two, Facts([("1",)], ("phone",)), member="b.csv")
    yield "zip without the one told", _file("a.zip", two, Refused("holds no file 'c.csv'"), member="c.csv")
    nameless = zipped({"a": text}).replace(b"a", b"\0")
    yield "zip with a file without a name", _file("a.zip", nameless, Refused("holds no file"))
    yield "zip of nothing", _file("a.zip", zipped({}), Refused("holds no file"))
    yield "zip cut off", _file("a.zip", zipped({"a.csv": text})[:-30], Refused("damaged"))
    yield "zip bomb", _file("a.zip", lambda: zipped({"a.csv": bytes(80 << 20)}), Refused("times its size"))
    yield "zip with a password", _file("a.zip", _encrypted(zipped({"a.csv": text})), Refused("password"))
    yield (
        "gzip within zip",
        _file("a.zip", zipped({"a.csv.gz": gzip.compress(text)}), Facts(TABLE, facts={"compression": "zip, gzip"})),
    )
    yield "packed four times", _file("a.gz", _again(text, 4), Refused("again and again"))
    yield "Parquet within gzip", _file("a.gz", lambda: gzip.compress(parquet()), Facts(TABLE, numbers=(1, 2)))
    yield (
        "Excel within zip",
        _file("a.zip", zipped({"a.xlsx": xlsx({"S": Sheet([("phone", "name"), *TABLE])})}), Facts(TABLE)),
    )


def _again(content: bytes, times: int) -> bytes:
    for _ in range(times):
        content = gzip.compress(content)
    return content


def _encrypted(archive: bytes) -> bytes:
    """With the mark of encryption in both headers of each file."""
    out = bytearray(archive)
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = out.find(signature)
        while place >= 0:
            out[place + at] |= 1
            place = out.find(signature, place + 4)
    return bytes(out)


# --- spreadsheets ---------------------------------------------------------------------------------------------------

CONTACTS = {"Contacts": Sheet([("phone", "name"), *TABLE])}


def spreadsheets() -> Iterator[tuple[str, Ugly]]:
    makers: dict[str, Callable[..., bytes]] = {"xlsx": xlsx, "xlsb": xlsb, "xls": xls, "ods": ods}
    for kind, make in makers.items():
        yield (
            f"{kind}: text",
            _file(f"a.{kind}", make(CONTACTS), Facts(TABLE, facts={"format": kind, "sheet": "Contacts"})),
        )
        yield f"{kind}: under another name", _file("a.csv", make(CONTACTS), Facts(TABLE))
        typed: Sequence[Sequence[Cell]] = [
            ("phone", "name"),
            (12025550100, True),
            (As(123, "0000000"), 12.5),
            (2025550100.0, -866),
        ]
        seen: Rows = [("12025550100", "TRUE"), ("0000123", "12.5"), ("2025550100", "-866")]
        yield f"{kind}: numbers as typed", _file(f"a.{kind}", make({"S": Sheet(typed)}), Facts(seen))
        gap = [("phone", "name"), None, ("1", "a"), (), ("2", None), ("3", "c", "d")]
        sheet = Sheet([row or () for row in gap])
        found = Facts([("1", "a"), ("2", None)], numbers=(3, 5), malformed=((6, MANY),), blank=2)
        yield f"{kind}: gaps and a cell too many", _file(f"a.{kind}", make({"S": sheet}), found)
        hidden = {"S": Sheet([("phone", "name"), *TABLE], hidden_rows=[2])}
        yield f"{kind}: a hidden row", _file(f"a.{kind}", make(hidden), Facts(TABLE, facts={"hidden_rows": 1}))
        two = {**CONTACTS, "Notes": Sheet([("x",)])}
        yield f"{kind}: two sheets", _file(f"a.{kind}", make(two), Refused("'Contacts', 'Notes' have rows"))
        yield f"{kind}: two sheets, one told", _file(f"a.{kind}", make(two), Facts(TABLE), sheet="Contacts")
        yield (
            f"{kind}: no such sheet",
            _file(f"a.{kind}", make(two), Refused("It has 'Contacts', 'Notes'"), sheet="contacts"),
        )
        old = {"Old": Sheet([("x",)], hidden=True), **CONTACTS, "Empty": Sheet([])}
        yield (
            f"{kind}: a hidden sheet and an empty one",
            _file(f"a.{kind}", make(old), Facts(TABLE, facts={"hidden_sheets": ["Old"]})),
        )
        secret = {"Contacts": Sheet([("phone",), ("1",)], hidden=True), "Empty": Sheet([])}
        if kind != "xls":
            yield f"{kind}: only a hidden sheet has rows", _file(f"a.{kind}", make(secret), Refused("(hidden)"))
        titled = {"S": Sheet([("Report",), (), ("phone", "name", "x"), ("1", "a", "b")])}
        below = Facts([("1", "a", "b")], ("phone", "name", "x"), (4,), facts={"header_row": 3})
        yield f"{kind}: a title above", _file(f"a.{kind}", make(titled), below)
        yield f"{kind}: empty", _file(f"a.{kind}", make({"S": Sheet([])}), Refused("is empty"))
        yield f"{kind}: cut off", _file(f"a.{kind}", make(CONTACTS)[:-200], Refused("damaged"))
    yield from _excel_tricks()
    yield from _dated()
    yield from _odd_documents()


def _excel_tricks() -> Iterator[tuple[str, Ugly]]:
    def numbers(*cells: str, styles: str = "") -> bytes:
        rows = "".join(f'<row r="{row}"><c r="A{row}"{cell}</c></row>' for row, cell in enumerate(cells, start=2))
        head = '<row r="1"><c r="A1" t="inlineStr"><is><t>phone</t></is></c></row>'
        return raw_xlsx(head + rows, styles=styles)

    def only(*cells: str) -> Facts:
        return Facts([(cell,) for cell in cells], ("phone",))

    exact = numbers(
        "><v>1.2025550100000001E+10</v>", "><v>1.23456789012345E+15</v>", "><v>1234567890123450</v>", "><v>1E-3</v>"
    )
    lost = only("12025550100", "1.23456789012345E+15", "1.23456789012345E+15", "0.001")
    yield "xlsx: digits that were lost", _file("a.xlsx", exact, lost)
    kinds = numbers(
        ' t="b"><v>0</v>', ' t="e"><v>#REF!</v>', ' t="str"><f>A1</f><v>+1202</v>', ' t="d"><v>2026-01-02T00:00:00</v>'
    )
    yield "xlsx: kinds of cells", _file("a.xlsx", kinds, only("FALSE", "#REF!", "+1202", "2026-01-02"))
    runs = raw_xlsx(
        '<row><c t="s"><v>0</v></c></row><row><c t="s"><v>1</v></c></row>',
        strings='<si><t>phone</t></si><si><r><t>+1</t></r><r><t xml:space="preserve"> 2</t></r><rPh><t>no</t></rPh></si>',
    )
    yield "xlsx: rich text, no addresses", _file("a.xlsx", runs, only("+1 2"))
    prefixed = raw_xlsx(
        '<x:row r="1"><x:c r="A1" t="inlineStr"><x:is><x:t>phone</x:t></x:is></x:c></x:row><x:row r="5"><x:c r="A5"><x:v>7</x:v></x:c></x:row>',
        prefix="x",
    )
    yield "xlsx: with a prefix", _file("a.xlsx", prefixed, Facts([("7",)], ("phone",), (5,), blank=3))
    plus = xlsx(
        {"S": Sheet([("phone",), (As(442079460000, "+0"),), (As(442079460000, '"00"0'),), (As(1234, "#,##0"),)])}
    )
    yield "xlsx: signs that a format adds", _file("a.xlsx", plus, only("+442079460000", "00442079460000", "1234"))
    masked = xlsx(
        {
            "S": Sheet(
                [("phone",), (As(2025550100, "[<=9999999]###-####;(###) ###-####"),), (As(12025550100, "0.00E+00"),)]
            )
        }
    )
    yield "xlsx: masks that only arrange", _file("a.xlsx", masked, only("2025550100", "12025550100"))
    formula = xlsx({"S": Sheet([("phone",), (Formula("1-212-555-0100", -866.0),), (Formula('"+1"&"202"', "+1202"),)])})
    yield "xlsx: formulas", _file("a.xlsx", formula, Facts([("-866",), ("+1202",)], ("phone",), facts={"formulas": 2}))
    waiting = numbers(
        "><f>B1&amp;C1</f><v></v>", "><f>A1</f>", ' t="str"><f>A1</f><v></v>', "><f>A1</f><v>7</v>", "><v>8</v>"
    )
    told = Facts(
        [("=B1&C1",), ("=A1",), ("7",), ("8",)],
        ("phone",),
        (2, 3, 5, 6),
        blank=1,
        facts={"uncalculated": 2, "formulas": 2},
    )
    yield "xlsx: formulas without a result", _file("a.xlsx", waiting, told)
    zeros = as_xlsxwriter_leaves_it(("doNotCall", "=IF(A1,TRUE,FALSE)"), ("phone", "+12025550100"))
    unknown = Facts([("=IF(A1,TRUE,FALSE)", A)], ("doNotCall", "phone"), facts={"uncalculated": 1})
    yield "xlsx: formulas with 0 for a result", _file("a.xlsx", zeros, unknown)
    filtered = xlsx({"S": Sheet([("phone",), ("1",), ("2",)], hidden_rows=[1], filtered=True)})
    yield (
        "xlsx: a filter",
        _file("a.xlsx", filtered, Facts([("1",), ("2",)], ("phone",), facts={"filtered": True, "hidden_rows": 1})),
    )
    merged = xlsx({"S": Sheet([("phone", "name"), ("1", "a"), ("2", "b")], merged=[(3, 0, 4, 0)])})
    yield "xlsx: merged cells", _file("a.xlsx", merged, Facts([("1", "a"), ("2", "b")], facts={"merged_cells": 1}))
    entity = '<!DOCTYPE x [<!ENTITY a "aaaa">]>'
    yield "xlsx: with a document type", _file("a.xlsx", raw_xlsx("<row/>", before=entity), Refused("damaged"))
    yield (
        "xlsx: rows that go back",
        _file("a.xlsx", raw_xlsx('<row r="3"><c r="A3"><v>1</v></c></row><row r="2"/>'), Refused("damaged")),
    )
    bomb = raw_xlsx("<row/>", strings=" " * (80 << 20))
    yield "xlsx: bomb", _file("a.xlsx", bomb, Refused("times its size"))
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(900)
    yield "xlsx: with a password", _file("a.xlsx", ole, Refused("password"))
    yield "xls: nothing behind its mark", _file("a.xls", ole[:8] + bytes(2000), Refused("damaged"))


def _dated() -> Iterator[tuple[str, Ugly]]:
    cells: Sequence[Sequence[Cell]] = [
        ("when",),
        (As(46024, "yyyy-mm-dd"),),
        (As(46024.5, "dd/mm/yyyy hh:mm"),),
        (As(0.75, "hh:mm"),),
        (As(12025550100, "yyyy-mm-dd"),),
    ]
    seen: Rows = [("2026-01-02",), ("2026-01-02 12:00:00",), ("18:00:00",), ("12025550100",)]
    for kind, make in {"xlsx": xlsx, "xlsb": xlsb, "xls": xls}.items():
        yield f"{kind}: dates", _file(f"a.{kind}", make({"S": Sheet(cells)}), Facts(seen, ("when",)))
    values = {"date": "2026-01-02", "time": "PT18H00M00S"}
    rows = "".join(
        f'<table:table-row><table:table-cell office:value-type="{kind}" office:{kind}-value="{value}"><text:p>x</text:p></table:table-cell></table:table-row>'
        for kind, value in values.items()
    )
    yield (
        "ods: dates",
        _file("a.ods", ods({"S": Sheet([("when",)])}, tail=rows), Facts([("2026-01-02",), ("18:00:00",)], ("when",))),
    )


def as_xlsxwriter_leaves_it(*columns: tuple[str, str]) -> bytes:
    """A workbook whose formulas hold 0 until Excel calculates them, as its mark says."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    page = book.add_worksheet()
    for number, cells in enumerate(columns):
        page.write_column(0, number, cells)
    book.close()
    return out.getvalue()


def _odd_documents() -> Iterator[tuple[str, Ugly]]:
    same = f'<table:table-row table:number-rows-repeated="3">{ods_cell(7)}</table:table-row>'
    endless = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    yield (
        "ods: repeated rows",
        _file("a.ods", ods({"S": Sheet([("phone",)])}, tail=same + endless), Facts([("7",)] * 3, ("phone",))),
    )
    waiting = '<table:table-row><table:table-cell table:formula="of:=[.B1]"/></table:table-row>'
    told = Facts([("=[.B1]",)], ("phone",), facts={"uncalculated": 1})
    yield "ods: a formula without a result", _file("a.ods", ods({"S": Sheet([("phone",)])}, tail=waiting), told)
    many = f'<table:table-row table:number-rows-repeated="99999999">{ods_cell(7)}</table:table-row>'
    yield "ods: a row repeated for ever", _file("a.ods", ods({"S": Sheet([("phone",)])}, tail=many), Refused("damaged"))
    spaced = '<table:table-row><table:table-cell><office:annotation><text:p>no</text:p></office:annotation><text:p>a<text:s text:c="2"/>b<text:tab/><text:line-break/></text:p></table:table-cell></table:table-row>'
    yield (
        "ods: blanks and a comment",
        _file("a.ods", ods({"S": Sheet([("name",)])}, tail=spaced), Facts([("a  b\t\n",)], ("name",))),
    )
    yield (
        "ods: with a password",
        _file(
            "a.ods",
            zipped(
                {
                    "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
                    "content.xml": b"\x00\x01",
                    "META-INF/manifest.xml": "<m><manifest:encryption-data/></m>",
                }
            ),
            Refused("password"),
        ),
    )
    yield (
        "a text document",
        _file("a.docx", zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>"}), Refused("2 files")),
    )


# --- Parquet and Arrow ----------------------------------------------------------------------------------------------


def parquet(frame: pl.DataFrame | None = None) -> bytes:
    """The table as Parquet."""
    out = io.BytesIO()
    (pl.DataFrame(TABLE, schema=["phone", "name"], orient="row") if frame is None else frame).write_parquet(out)
    return out.getvalue()


def columns() -> Iterator[tuple[str, Ugly]]:
    first = Facts(TABLE, numbers=(1, 2))
    yield "Parquet", _file("a.parquet", parquet(), first)
    frame = pl.DataFrame(TABLE, schema=["phone", "name"], orient="row")
    for name, method in {"Arrow file": "write_ipc", "Arrow stream": "write_ipc_stream"}.items():
        out = io.BytesIO()
        getattr(frame, method)(out)
        yield name, _file("a.arrow", out.getvalue(), first)
    typed = pl.DataFrame(
        {
            "phone": [12025550100, None],
            "x": [12025550100.0, 1e16],
            "y": [True, None],
            "z": [2.5, float("nan")],
            "e": ["", " "],
        }
    )
    found: Rows = [("12025550100", "12025550100", "true", "2.5", None), (None, "1e+16", None, "NaN", " ")]
    yield "Parquet: types", _file("a.parquet", parquet(typed), Facts(found, ("phone", "x", "y", "z", "e"), (1, 2)))
    moments = pl.select(
        d=pl.date(2026, 1, 2),
        t=pl.datetime(2026, 1, 2, 3, 4, 5),
        h=pl.time(3, 4, 5),
        m=pl.lit("1.50").cast(pl.Decimal(9, 2)),
    )
    when: Rows = [("2026-01-02", "2026-01-02 03:04:05", "03:04:05", "1.50")]
    singles = pl.DataFrame({"phone": [12125550101.0, 16777215.0, None, float("nan"), 0.5]}, {"phone": pl.Float32})
    lost: Rows = [("1.212555e+10",), ("16777215",), (None,), ("NaN",), ("0.5",)]
    yield "Parquet: numbers of 32 bits", _file("a.parquet", parquet(singles), Facts(lost, ("phone",), (1, 2, 3, 4, 5)))
    yield "Parquet: moments", _file("a.parquet", parquet(moments), Facts(when, ("d", "t", "h", "m"), (1,)))
    yield "Parquet: lists", _file("a.parquet", parquet(pl.DataFrame({"phones": [["1"]]})), Refused("holds lists"))
    yield "Parquet: bytes", _file("a.parquet", parquet(pl.DataFrame({"phone": [b"1"]})), Refused("holds bytes"))
    yield "Parquet: cut off", _file("a.parquet", parquet()[:-30], Refused("damaged"))
    yield (
        "Parquet: damaged within",
        _file("a.parquet", parquet()[:30] + b"\xff" * 40 + parquet()[70:], Refused("damaged")),
    )
    yield "Parquet: encrypted", _file("a.parquet", b"PARE" + bytes(100), Refused("encrypted"))


# --- JSON -----------------------------------------------------------------------------------------------------------


def jsons() -> Iterator[tuple[str, Ugly]]:
    lines = f'{{"phone": "{A}", "name": "Ann"}}\n\n{{"name": "Zo\\u00eb", "phone": "{B}"}}\n'.encode()
    yield "JSON lines", _file("a.jsonl", lines, Facts(TABLE, numbers=(1, 3), blank=1))
    yield "JSON lines with a mark", _file("a.jsonl", b"\xef\xbb\xbf" + lines, Facts(TABLE, numbers=(1, 3), blank=1))
    exact = b'{"phone": 12025550100, "name": 1.20}\n{"phone": 1.2125550100E+10, "name": 123456789012345678901}\n'
    typed: Rows = [("12025550100", "1.20"), ("1.2125550100E+10", "123456789012345678901")]
    yield "JSON lines: numbers digit by digit", _file("a.jsonl", exact, Facts(typed, numbers=(1, 2)))
    mixed = b'{"phone": "1"}\n{"phone": ["2"]}\n{"phone": {"x": 1}}\n[1]\n"x"\n{"phone": 1\n{"phone": 1, "phone": 2}\n{"phone": NaN}\n{"phone": "\\ud800"}\n{"phone": true}\n{"phone": null}\n{}\n'
    bad = (
        (2, "row.nested"),
        (3, "row.nested"),
        (4, "row.not_an_object"),
        (5, "row.not_an_object"),
        (6, "row.not_an_object"),
        (7, "row.repeated_field"),
        (8, "row.not_an_object"),
        (9, "row.not_an_object"),
    )
    yield (
        "JSON lines: all that is no record",
        _file("a.jsonl", mixed, Facts([("1",), ("true",), (None,), (None,)], ("phone",), (1, 10, 11, 12), bad)),
    )
    late = b'{"phone": 1}\n' * 1000 + b'{"phone": 2, "doNotCall": true}\n'
    yield (
        "JSON lines: a field that comes late",
        _file(
            "a.jsonl", late, Facts([("1",)] * 1000, ("phone",), tuple(range(1, 1001)), ((1001, "row.unknown_field"),))
        ),
    )
    array = f' [ {{"phone":"{A}","name":"Ann"}} ,\n{{"phone":"{B}","name":"Zoë"}} ] \n'.encode()
    yield "JSON array", _file("a.json", array, Facts(TABLE, numbers=(1, 2)))
    yield "JSON array: empty", _file("a.json", b"[]", Refused("is empty"))
    yield "JSON array: cut off", _file("a.json", array[:-8], Refused("not well-formed after record 1"))
    yield "JSON array: something behind it", _file("a.json", array + b"x", Refused("not well-formed"))
    yield "JSON array: of numbers", _file("a.json", b"[1, 2]", Refused("first record"), format="json")
    yield "JSON array: nested", _file("a.json", b'[{"a": {"b": 1}}]', Refused("holds a list or an object"))
    yield (
        "JSON array: one element that is none",
        _file(
            "a.json", b'[{"a": 1}, 7, {"a": 2}]', Facts([("1",), ("2",)], ("a",), (1, 3), ((2, "row.not_an_object"),))
        ),
    )
    yield "JSON over several lines", _file("a.json", b'{\n  "phone": "1"\n}\n', Refused("one object a line"))
    yield "JSON in UTF-16", _file("a.json", array.decode().encode("utf-16"), Facts(TABLE, numbers=(1, 2)))


# --- what is no list of contacts ------------------------------------------------------------------------------------


def strangers() -> Iterator[tuple[str, Ugly]]:
    yield (
        "a web page called xls",
        _file("a.xls", b"<html><table><tr><td>1</td></tr></table></html>", Refused("web page")),
    )
    yield "XML of Excel 2003", _file("a.xls", b'<?xml version="1.0"?>\n<Workbook/>', Refused("XML"))
    yield "PDF", _file("a.csv", b"%PDF-1.7\n", Refused("PDF"))
    yield "a picture", _file("a.csv", b"\x89PNG\r\n\x1a\n", Refused("picture"))
    yield "tar", _file("a.tar", tar({"a.csv": TEXT.encode()}), Refused("tar archive"))
    yield "tar within gzip", _file("a.tgz", gzip.compress(tar({"a.csv": TEXT.encode()})), Refused("tar archive"))
    yield "bzip2", _file("a.csv.bz2", b"BZh91AY&SY", Refused("bzip2"))
    yield "xz", _file("a.csv.xz", b"\xfd7zXZ\x00", Refused("xz"))
    yield "7-Zip", _file("a.7z", b"7z\xbc\xaf\x27\x1c", Refused("7-Zip"))
    yield "SQLite without a query", _file("a.db", b"SQLite format 3\0" + bytes(100), Refused("needs a query"))


def tar(files: dict[str, bytes]) -> bytes:
    """A tar archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()
