"""What kind of file some bytes are: by their content first; a name only tells where the content does not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from dialfeed.errors import FixSource
from dialfeed.sources.archive import EMPTY_ZIP_MAGIC, ZIP_MAGIC, choose_member, opened
from dialfeed.sources.bounds import Bounds
from dialfeed.sources.columnar import ARROW_MAGIC, ARROW_STREAM_MAGIC, PARQUET_MAGIC
from dialfeed.sources.content import Content, as_file, head
from dialfeed.sources.options import Format, SourceOptions
from dialfeed.sources.packing import Unpacked, packing_of

HEAD_BYTES: Final = 4096
_MOST_LAYERS: Final = 3
_OLE_MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAGIC: Final[tuple[tuple[bytes, Format], ...]] = (
    (PARQUET_MAGIC, "parquet"),
    (ARROW_MAGIC, "arrow"),
    (ARROW_STREAM_MAGIC, "arrow"),
    (_OLE_MAGIC, "xls"),
    (b"\x09\x08\x10\x00\x00\x06\x05\x00", "xls"),
)
_UNREADABLE: Final = (
    (b"BZh", "a bzip2 file", "Unpack it"),
    (b"\xfd7zXZ\x00", "an xz file", "Unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Unpack it"),
    (b"Rar!", "a RAR archive", "Unpack it"),
    (b"%PDF", "a PDF document", "Export the contacts as CSV or Excel"),
    (b"{\\rtf", "a text document (RTF)", "Export the contacts as CSV or Excel"),
    (b"\x89PNG", "a picture", "Export the contacts as CSV or Excel"),
    (b"\xff\xd8\xff", "a picture", "Export the contacts as CSV or Excel"),
    (b"PARE", "an encrypted Parquet file", "Decrypt it"),
    (b"FEA1", "a Feather file of version 1", "Write it as Parquet"),
    (b"Obj\x01", "an Avro file", "Write it as Parquet"),
    (b"ORC", "an ORC file", "Write it as Parquet"),
    (b"-----BEGIN PGP", "an encrypted file (PGP)", "Decrypt it"),
)
_MARKUP: Final = re.compile(rb"\s*<(?:!doctype|html|table|head|\?xml|body|meta|style)", re.IGNORECASE)
_OBJECTS: Final = re.compile(r"\s*\{\s*(?:\"|\})")
_ARRAY: Final = re.compile(r"\s*\[\s*(?:\{|\[|\]|\")")


@dataclass(frozen=True, slots=True)
class Recognised:
    """A source's bytes without their packing, and what they are.

    Attributes:
        content: The bytes.
        kind: What they are.
        facts: How they were packed.
    """

    content: Content
    kind: Format
    facts: dict[str, Any] = field(default_factory=dict)


def recognise(content: Content, options: SourceOptions) -> Recognised:
    """Take off the packing and tell the format.

    Raises:
        FixSource: It is no format that can be read, or its packing is damaged.
        FixSettings: What unpacks it is not installed.
    """
    bounds = Bounds(options.max_expanded_bytes, options.max_ratio)
    facts: dict[str, Any] = {}
    for _ in range(_MOST_LAYERS):
        start = head(content, HEAD_BYTES)
        packing = packing_of(start)
        if packing:
            content = Unpacked(content, packing, bounds)
            _packed_in(facts, packing)
        elif start.startswith((ZIP_MAGIC, EMPTY_ZIP_MAGIC)):
            content = as_file(content)
            if book := _workbook(content):
                return Recognised(content, _as_said(options.format, book, content.name), facts)
            content = choose_member(content, options.member, bounds)
            _packed_in(facts, "zip")
            facts["member"] = content.member
        else:
            return Recognised(content, options.format or _format(content.name, start), facts)
    raise FixSource(
        f"'{content.name}' is packed again and again.", advice="Unpack it, and name the file with the rows."
    )


def _packed_in(facts: dict[str, Any], packing: str) -> None:
    facts["compression"] = f"{facts['compression']}, {packing}" if "compression" in facts else packing


def _workbook(content: Content) -> Format | None:
    """Which kind of workbook a zip archive is, if any."""
    with opened(as_file(content)) as archive:
        names = set(archive.namelist())
        if "xl/workbook.xml" in names:
            return "xlsx"
        if "xl/workbook.bin" in names:
            return "xlsb"
        if {"mimetype", "content.xml"} <= names and b"spreadsheet" in archive.open("mimetype").read(200):
            return "ods"
        if any(name.startswith(("xl/", "word/", "ppt/")) for name in names) and "[Content_Types].xml" in names:
            return "xlsx" if any(name.startswith("xl/") for name in names) else None
    return None


def _as_said(said: Format | None, found: Format, name: str) -> Format:
    if said is not None and said != found:
        raise FixSource(f"'{name}' is {found}, not {said}.", advice="Leave --format out.")
    return found


def _format(name: str, start: bytes) -> Format:
    for magic, what, remedy in _UNREADABLE:
        if start.startswith(magic):
            raise FixSource(f"'{name}' is {what}.", advice=f"{remedy}, and name the file that comes out.")
    if start[257:262] == b"ustar":
        raise FixSource(f"'{name}' is a tar archive.", advice="Unpack it, and name the file with the rows.")
    if _MARKUP.match(start.removeprefix(b"\xef\xbb\xbf")):
        raise FixSource(
            f"'{name}' is a web page or XML, whatever its name says.",
            advice="Open it in Excel, check what it shows, and save it as an Excel workbook or as CSV UTF-8.",
        )
    by_magic = next((kind for magic, kind in _MAGIC if start.startswith(magic)), None)
    return by_magic or _text_format(start)


def _text_format(start: bytes) -> Format:
    text = start.replace(b"\0", b"").decode("latin-1").lstrip("\xff\xfe\xef\xbb\xbf")
    if _OBJECTS.match(text):
        return "jsonl"
    return "json" if _ARRAY.match(text) else "csv"
