"""The bytes of a list file: as it lies there, compressed, or each of the files of a zip archive.

Registers hand out zip archives with one file for each area code, or one for all. How much may come out of an archive
is bounded, over all its files together.
"""

from __future__ import annotations

import codecs
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dialfeed.errors import FixSource
from dialfeed.sources.ahead import read_ahead
from dialfeed.sources.archive import EMPTY_ZIP_MAGIC, ZIP_MAGIC, Member, choose_member, members, opened
from dialfeed.sources.bounds import Bounds
from dialfeed.sources.content import Content, FileContent, head
from dialfeed.sources.encodings import foreign_mark
from dialfeed.sources.options import MAX_RATIO
from dialfeed.sources.packing import Unpacked, packing_of

BLOCK_BYTES: Final = 4 << 20
LIST_BOUNDS: Final = Bounds(max_bytes=32 << 30, max_ratio=MAX_RATIO)
"""A whole country as tagged text takes 7 GB; its digits shrink to a fifth, never to a two-hundred-and-fiftieth."""
_MOST_MEMBERS: Final = 5_000
_HEAD: Final = 4096


@dataclass(frozen=True, slots=True)
class Part:
    """One text of a list file.

    Attributes:
        name: The name that may tell its area code.
        member: Its name in the archive; empty where there is only one.
        content: Its bytes.
    """

    name: str
    member: str
    content: Content


class ListFile:
    """A list file.

    Args:
        path: Where it is.
        bounds: How much may come out of it.
    """

    def __init__(self, path: Path, bounds: Bounds = LIST_BOUNDS) -> None:
        self.path = path
        self._bounds = bounds
        self._file = FileContent(path)
        self._sha256: str | None = None
        self._unpacked = 0

    @property
    def sha256(self) -> str:
        """The SHA-256 of the file as it lies there, in hex.

        Raises:
            FixSource: It was changed since it was first read.
        """
        self._sha256 = self._sha256 or self._file.digest()
        return self._sha256

    def parts(self) -> list[Part]:
        """The texts in it, by name.

        Raises:
            FixSource: It cannot be read, or is damaged or encrypted.
        """
        start = head(self._file, _HEAD)
        if not start.startswith((ZIP_MAGIC, EMPTY_ZIP_MAGIC)):
            packing = packing_of(start)
            content = Unpacked(self._file, packing, self._bounds) if packing else self._file
            return [Part(self.path.name, "", content)]
        with opened(self._file) as archive:
            found = members(archive)
        names = sorted({each.filename for each in found})
        if not names or len(found) > _MOST_MEMBERS:
            raise FixSource(
                f"The zip archive '{self.path}' holds {len(found):,} files.", advice="Unpack it, and name the list."
            )
        if len(names) < len(found) or any(each.flag_bits & 1 for each in found):
            for name in names:
                choose_member(self._file, name, self._bounds)  # refuses one that is encrypted, or there twice
        single = len(names) == 1
        return [Part(Path(name).name, "" if single else name, Member(self._file, name, self._bounds)) for name in names]

    def blocks(self, parts: list[Part]) -> Generator[tuple[Part, Generator[bytes]]]:
        """Stream each part, in blocks of some megabytes.

        Raises:
            FixSource: More comes out than may, it is damaged, or it is text of two bytes a character.
        """
        for part in parts:
            with closing(read_ahead(self._blocks(part))) as blocks:
                yield part, blocks

    def _blocks(self, part: Part) -> Generator[bytes]:
        """The bytes of a part without a byte-order mark; those of a file on its own are hashed on the way."""
        if part.member:
            yield from self._bounded(_text(part, part.content.look(BLOCK_BYTES)))
            return
        passage = part.content.passage(BLOCK_BYTES)
        yield from _text(part, passage.blocks())
        self._sha256 = passage.sha256

    def _bounded(self, blocks: Generator[bytes]) -> Generator[bytes]:
        """Watch how much comes out of all files of an archive together."""
        size = self.path.stat().st_size
        for block in blocks:
            self._unpacked += len(block)
            self._bounds.check(str(self.path), packed=size, unpacked=self._unpacked)
            yield block


def _text(part: Part, blocks: Generator[bytes]) -> Generator[bytes]:
    with closing(blocks):
        for number, block in enumerate(blocks):
            if number == 0 and (mark := foreign_mark(block)):
                raise FixSource(f"'{part.name}' is {mark} text.", advice="Save it as UTF-8, and name that file.")
            yield block if number else block.removeprefix(codecs.BOM_UTF8)
