"""The parts of a workbook that is a zip archive, and the XML in them: streamed, and bounded against bombs."""

from __future__ import annotations

import posixpath
import struct
import zipfile
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Final
from xml.parsers import expat

from dialfeed.sources.archive import opened
from dialfeed.sources.bounds import Bounds
from dialfeed.sources.content import FileContent
from dialfeed.sources.sheets import damaged, encrypted

_PIECE: Final = 1 << 18
Attributes = dict[str, str]


class DamagedError(Exception):
    """A part of a workbook is missing or makes no sense."""


@dataclass(frozen=True, slots=True)
class Package:
    """An open workbook."""

    name: str
    archive: zipfile.ZipFile
    bounds: Bounds

    def has(self, part: str) -> bool:
        """Whether there is such a part."""
        return part in self.archive.NameToInfo

    def pieces(self, part: str) -> Generator[bytes]:
        """Stream a part.

        Raises:
            DamagedError: There is no such part.
            FixSource: It is larger than it may be.
        """
        if not self.has(part):
            raise DamagedError
        packed, given = self.archive.getinfo(part).compress_size, 0
        with self.archive.open(part) as file:
            while piece := file.read(_PIECE):
                given += len(piece)
                self.bounds.check(self.name, packed=packed, unpacked=given)
                yield piece

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """What a part refers to: by id, the kind and the part."""
        folder, name = posixpath.split(part)
        found: dict[str, tuple[str, str]] = {}

        def start(tag: str, attributes: Attributes) -> None:
            if tag == "Relationship" and attributes.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/" + folder, attributes["Target"])).lstrip("/")
                found[attributes["Id"]] = (attributes["Type"].rpartition("/")[2], target)

        relations = f"{folder}/_rels/{name}.rels".lstrip("/")
        if self.has(relations):
            parse(self.pieces(relations), start)
        return found


@contextmanager
def package(content: FileContent, bounds: Bounds) -> Generator[Package]:
    """Open a workbook.

    Raises:
        FixSource: It is damaged, protected, or larger than it may be.
    """
    try:
        with opened(content) as archive:
            if any(each.flag_bits & 0x1 for each in archive.infolist()):
                raise encrypted(content.name)
            yield Package(content.name, archive, bounds)
    except (DamagedError, expat.ExpatError, LookupError, ValueError, OverflowError, struct.error):
        raise damaged(content.name) from None


def nothing(*_: object) -> None:
    """A handler that does nothing."""


def xml_parser(
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] = nothing,
    text: Callable[[str], None] = nothing,
) -> expat.XMLParserType:
    """A parser of XML without a document type, which workbooks do not have and attacks do.

    Handlers get the names of elements and attributes without the prefix of their namespace.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 1 << 16

    def refuse(*_: object) -> None:
        raise DamagedError

    def plain_start(tag: str, attributes: Attributes) -> None:
        if ":" in tag:
            tag = tag.rpartition(":")[2]
        start(tag, attributes)

    def plain_end(tag: str) -> None:
        end(tag.rpartition(":")[2] if ":" in tag else tag)

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = plain_start
    parser.EndElementHandler = plain_end
    parser.CharacterDataHandler = text
    return parser


def parse(
    pieces: Generator[bytes],
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] = nothing,
    text: Callable[[str], None] = nothing,
) -> None:
    """Parse a whole part.

    Raises:
        DamagedError: It has a document type.
        ExpatError: It is no XML.
    """
    parser = xml_parser(start, end, text)
    with closing(pieces):
        for piece in pieces:
            parser.Parse(piece, False)  # noqa: FBT003 - its second argument has no name
    parser.Parse(b"", True)  # noqa: FBT003 - its second argument has no name
