"""One file out of a zip archive."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Final

from dialfeed.errors import FixSource
from dialfeed.sources.bounds import Bounds
from dialfeed.sources.content import Content, FileContent, Passage, as_file
from dialfeed.sources.files import changed
from dialfeed.sources.packing import in_blocks

ZIP_MAGIC: Final = b"PK\x03\x04"
EMPTY_ZIP_MAGIC: Final = b"PK\x05\x06"
_PIECE: Final = 1 << 20
_CLUTTER: Final = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
_SHOWN: Final = 10
_ADVICE: Final = "Copy or export it again; if it stays so, unpack it with another program and name what comes out."


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive (`dialfeed.sources.content.Content`).

    Attributes:
        archive: The archive.
        member: The file's name in it.
        bounds: How much may come out.
    """

    archive: FileContent
    member: str
    bounds: Bounds

    @property
    def name(self) -> str:
        """The archive as the user named it."""
        return self.archive.name

    def passage(self, block_bytes: int) -> Passage:
        """Begin a passage."""
        return _MemberPassage(self, block_bytes)

    def look(self, block_bytes: int = _PIECE) -> Generator[bytes]:
        """Stream the file.

        Raises:
            FixSource: It is damaged, encrypted or larger than it may be; or the archive was changed.
        """
        with closing(self._pieces()) as pieces:
            yield from in_blocks(pieces, block_bytes)

    def _pieces(self) -> Generator[bytes]:
        stamp, given = self.archive.stamp(), 0
        with opened(self.archive) as archive, archive.open(self.member) as file:
            packed = archive.getinfo(self.member).compress_size
            while piece := file.read(_PIECE):
                given += len(piece)
                self.bounds.check(self.name, packed=packed, unpacked=given)
                yield piece
        if self.archive.stamp() != stamp:
            raise changed(self.name)


@dataclass(slots=True)
class _MemberPassage:
    content: Member
    block_bytes: int
    sha256: str | None = None

    def blocks(self) -> Generator[bytes]:
        yield from self.content.look(self.block_bytes)
        self.sha256 = self.content.archive.digest()


@contextmanager
def opened(content: FileContent) -> Generator[zipfile.ZipFile]:
    """Open a zip archive, and say in a sentence what is wrong with it or with what is read from it.

    Raises:
        FixSource: It is damaged, or uses what cannot be read.
    """
    damaged = f"The zip archive '{content.name}' is damaged."
    try:
        with zipfile.ZipFile(content.path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, UnicodeDecodeError, ValueError, OSError):
        raise FixSource(damaged, advice=_ADVICE) from None
    except NotImplementedError:
        raise FixSource(
            f"The zip archive '{content.name}' is compressed in a way that dialfeed does not know.", advice=_ADVICE
        ) from None


def members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files of an archive, without folders and what systems leave behind."""
    return [
        each
        for each in archive.infolist()
        if each.filename  # damaged archives have files without a name
        and not each.is_dir()
        and not any(
            each.filename.startswith(c) or each.filename.endswith("/" + c) or each.filename == c for c in _CLUTTER
        )
    ]


def choose_member(content: Content, wanted: str | None, bounds: Bounds) -> Member:
    """Find the file to read.

    Args:
        content: The archive.
        wanted: The file's name; None where the archive has only one.
        bounds: How much may come out.

    Raises:
        FixSource: There is no such file, none at all or several; it is encrypted; or the archive is damaged.
    """
    file = as_file(content)
    with opened(file) as archive:
        found = members(archive)
        chosen = _chosen(file.name, found, wanted)
        if chosen.flag_bits & 0x1:
            raise FixSource(
                f"The zip archive '{file.name}' is protected with a password.",
                advice="Unpack it with the password, and name the file that comes out.",
            )
    return Member(file, chosen.filename, bounds)


def _chosen(name: str, found: list[zipfile.ZipInfo], wanted: str | None) -> zipfile.ZipInfo:
    names = [each.filename for each in found]
    told = ", ".join(f"'{each}'" for each in names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
    if not found:
        raise FixSource(f"The zip archive '{name}' holds no file.", advice="Export the contacts again.")
    if wanted is None and len(found) > 1:
        raise FixSource(
            f"The zip archive '{name}' holds {len(found)} files: {told}.",
            advice="Say which one is meant with --member.",
        )
    if wanted is not None and names.count(wanted) != 1:
        what = "several files" if wanted in names else "no file"
        raise FixSource(f"The zip archive '{name}' holds {what} '{wanted}'.", advice=f"It holds {told}.")
    return found[0] if wanted is None else found[names.index(wanted)]
