"""The front door: a list file, whatever it is written in, as chunks of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from dialfeed.donotcall.facts import EVERYWHERE
from dialfeed.donotcall.listfiles.areatext import area_code_in_name, area_text, check_area_code
from dialfeed.donotcall.listfiles.areaxml import area_xml
from dialfeed.donotcall.listfiles.base import ListChunk, ListFormat, Totals
from dialfeed.donotcall.listfiles.changes import layout_of
from dialfeed.donotcall.listfiles.packed import LIST_BOUNDS, ListFile, Part
from dialfeed.donotcall.listfiles.plain import AMERICAN, plain_text
from dialfeed.donotcall.listfiles.tables import open_table, plain_title, table_chunks
from dialfeed.donotcall.regimes import regime_of
from dialfeed.errors import FixSource
from dialfeed.sources.bounds import Bounds
from dialfeed.sources.content import head

_LOOK: Final = 1 << 16
_LINES: Final = 20
_WORKBOOK: Final = ("xl/", "[Content_Types].xml", "content.xml")
_TABLE_MAGIC: Final = (b"PAR1", b"ARROW1", b"\xd0\xcf\x11\xe0", b"{", b"[")
_SPLIT: Final = re.compile(rb"[0-9]{3},[0-9]{7}")
_JOINED: Final = re.compile(rb"[2-9][0-9]{9}")
_DELIMITER: Final = re.compile(rb"[,;\t|]")


class ListReading:
    """A list file that is being read: iterate over it for its chunks, once.

    Attributes:
        path: The file.
        format: How it is written.
        region: The country of numbers in national form; None where there are none.
        totals: What was counted so far; all of it, once the last chunk was read.
    """

    def __init__(
        self,
        file: ListFile,
        format: ListFormat,  # noqa: A002 - the word of the command line
        region: str | None,
        *,
        column: str | None,
        check_name: bool,
        bounds: Bounds,
    ) -> None:
        self.path = file.path
        self.format = format
        self.region = region
        self.totals = Totals()
        self._file = file
        self._column = column
        self._check_name = check_name
        self._bounds = bounds

    def __iter__(self) -> Iterator[ListChunk]:
        """Stream the list; whether one without any number is taken is for the caller to say.

        Raises:
            FixSource: The file is damaged, or holds other numbers than its name tells.
            FixSettings: It is not certain which column holds the numbers.
        """
        for chunk in self._table() if self.format is ListFormat.TABLE else self._texts():
            self.totals.add(chunk)
            yield chunk

    @property
    def sha256(self) -> str:
        """The SHA-256 of the file as it lies there, in hex.

        Raises:
            FixSource: It was changed since it was first read.
        """
        return self._file.sha256

    def _table(self) -> Iterator[ListChunk]:
        yield from table_chunks(open_table(self.path, self._bounds), self.region, self._column)

    def _texts(self) -> Iterator[ListChunk]:
        for part, blocks in self._file.blocks(self._file.parts()):
            if self.format is ListFormat.PLAIN:
                yield from plain_text(blocks, str(self.path), self.region, part.member)
                continue
            read = area_text if self.format is ListFormat.AREA_TEXT else area_xml
            for chunk in read(blocks, str(self.path), part.member):
                self._check(chunk, part)
                yield chunk

    def _check(self, chunk: ListChunk, part: Part) -> None:
        if self._check_name:
            for name in {self.path.name, part.name}:
                check_area_code(chunk.numbers, area_code_in_name(name), name)


def read_list(
    path: Path,
    kind: ListFormat | None = None,
    *,
    authority: str,
    region: str | None = None,
    column: str | None = None,
    check_name: bool = True,
    bounds: Bounds = LIST_BOUNDS,
) -> ListReading:
    """Open a list of phone numbers; plain, gzip, zstd, or all the files of a zip archive.

    Args:
        path: The file.
        kind: How it is written; None to find out.
        authority: Whose list it is (`regimes.regime_of`); its country is that of numbers in national form.
        region: Another country (ISO 3166-1 alpha-2) for them.
        column: The column of a table that holds the numbers, by its name or its number from 1.
        check_name: Whether an area code in the name of a file must be that of its numbers.
        bounds: How much may come out of a compressed file.

    Raises:
        FixSource: The file cannot be read, or it is not certain how it is written.
        FixSettings: There is no such authority.
    """
    file = ListFile(path, bounds)
    region = region or region_of_authority(authority)
    kind = kind or (ListFormat.TABLE if column is not None else detect(file, region))
    return ListReading(file, kind, region, column=column, check_name=check_name, bounds=bounds)


def region_of_authority(authority: str) -> str | None:
    """The country of an authority's numbers; None where it has none.

    Raises:
        FixSettings: There is no such authority.
    """
    first = regime_of(authority).territory[0]
    return None if first == EVERYWHERE else first[:2]


def detect(file: ListFile, region: str | None) -> ListFormat:
    """Find out how a list is written, by its first lines and the country of its numbers.

    Raises:
        FixSource: It cannot be read, or it is a list of changes.
    """
    start = _start(file)
    if start is None:
        return ListFormat.TABLE
    if start.startswith(b"<"):
        return ListFormat.AREA_XML
    lines = _first_lines(start)
    if layout_of(lines) is not None:
        raise FixSource(
            f"'{file.path}' looks like a list of changes, not like a whole list.",
            advice="Apply it to the list it was made for, as changes; or get the whole list, which is more certain.",
        )
    if region in AMERICAN and any(_SPLIT.fullmatch(line) or _JOINED.fullmatch(line) for line in lines):
        return ListFormat.AREA_TEXT
    header = len(lines) > 1 and not re.search(rb"[0-9]", lines[0])
    return ListFormat.TABLE if header or any(map(_DELIMITER.search, lines)) else ListFormat.PLAIN


def looks_like_table(file: ListFile, titles: Sequence[str]) -> bool:
    """Whether a list of texts is a table: a workbook, lines with delimiters, or a first line that is a known title.

    Raises:
        FixSource: It cannot be read.
    """
    start = _start(file)
    if start is None:
        return True
    lines = _first_lines(start)
    titled = bool(lines) and plain_title(lines[0].decode("utf-8", "replace")) in titles
    return titled or any(map(_DELIMITER.search, lines))


def _start(file: ListFile) -> bytes | None:
    """The beginning of the text; None where the file is a workbook or another table that is no text."""
    parts = file.parts()
    if any(part.member.startswith(_WORKBOOK) for part in parts):
        return None
    start = head(parts[0].content, _LOOK).removeprefix(b"\xef\xbb\xbf").lstrip()
    return None if start.startswith(_TABLE_MAGIC) else start


def _first_lines(start: bytes) -> list[bytes]:
    return [line.strip() for line in islice(start.splitlines(), _LINES) if line.strip()]
