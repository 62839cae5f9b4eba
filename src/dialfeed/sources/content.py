"""The bytes of a source, wherever they lie: read from first to last, as often as needed, and the same each time."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Protocol

from dialfeed.errors import FixSource
from dialfeed.sources.files import FileBlocks, Stamp, changed, open_file, reasons_of

_BLOCK_BYTES = 1 << 20


class Passage(Protocol):
    """One passage through the bytes of a source."""

    @property
    def sha256(self) -> str | None:
        """SHA-256 in hex of the bytes as they were received; known once the last block was read."""
        ...

    def blocks(self) -> Generator[bytes]:
        """Stream the bytes.

        Raises:
            FixSource: They cannot be read, or are not what they were before.
        """
        ...


class Content(Protocol):
    """Bytes that can be read more than once."""

    @property
    def name(self) -> str:
        """The source as the user named it, without a secret."""
        ...

    def passage(self, block_bytes: int) -> Passage:
        """Begin a passage from the first byte, in blocks of about `block_bytes`."""
        ...

    def look(self, block_bytes: int = _BLOCK_BYTES) -> Generator[bytes]:
        """Stream the bytes without a hash, to find out what they are.

        Raises:
            FixSource: As `Passage.blocks`.
        """
        ...


class FileContent:
    """A file on this machine. It must stay as it was when it was first read.

    Args:
        path: The file.
        name: What to call it; its path, unless given.
        sha256: The SHA-256 of the bytes that the file was made from, if it is not to be that of the file itself.
    """

    def __init__(self, path: Path, *, name: str | None = None, sha256: str | None = None) -> None:
        self.path = path
        self.name = str(path) if name is None else name
        self._received = sha256
        self._stamp: Stamp | None = None
        self._first: FileBlocks | None = None

    def passage(self, block_bytes: int) -> Passage:
        """Begin a passage (see `Content`)."""
        expected = self._stamp or (self._first.stamp if self._first else None)
        file = FileBlocks(self.path, block_bytes, expected=expected, name=self.name, received=self._received)
        self._first = self._first or file
        return file

    def look(self, block_bytes: int = _BLOCK_BYTES) -> Generator[bytes]:
        """Stream the bytes without a hash (see `Content`)."""
        with reasons_of(self.name), open_file(self.path, self.name) as file:
            stamp = Stamp.of(os.fstat(file.fileno()))
            self._stamp = self._stamp or (self._first.stamp if self._first else None) or stamp
            if stamp != self._stamp:
                raise changed(self.name)
            while block := file.read(block_bytes):
                yield block

    def digest(self) -> str:
        """Read the whole file for its hash, and make sure that it is still what it was.

        Raises:
            FixSource: It cannot be read, or was changed.
        """
        passage = self.passage(_BLOCK_BYTES)
        for _ in passage.blocks():
            pass
        return str(passage.sha256)

    def stamp(self) -> Stamp:
        """What tells this state of the file from another.

        Raises:
            FixSource: There is no such file.
        """
        with open_file(self.path, self.name) as file:
            return Stamp.of(os.fstat(file.fileno()))


def head(content: Content, count: int) -> bytes:
    """The first `count` bytes; fewer where there are no more.

    Raises:
        FixSource: The content cannot be read.
    """
    found = b""
    with closing(content.look(max(count, 1 << 12))) as blocks:
        for block in blocks:
            found += block
            if len(found) >= count:
                break
    return found[:count]


def spool(blocks: Iterable[bytes], name: str, *, received: Callable[[], str | None] = lambda: None) -> FileContent:
    """Keep bytes that come only once, or that must be read from several places, in a private temporary file.

    The file can be read by its owner only. Where the system allows it, it has no name any more when this returns, so
    that nothing is left of it even if the process is killed; else it goes when the content does.

    Args:
        blocks: The bytes.
        name: The source as the user named it.
        received: Tells, once the last block was read, the hash that stands for the source, if not the file's own.

    Raises:
        FixSource: There is no room for it.
    """
    number, path = tempfile.mkstemp(prefix="dialfeed-")
    file = os.fdopen(number, "wb")
    try:
        for block in blocks:
            file.write(block)
        file.flush()
        content = FileContent(_nameless(number, Path(path)), name=name, sha256=received())
    except BaseException as error:
        _remove(file, Path(path))
        if not isinstance(error, OSError):
            raise
        raise FixSource(
            f"'{name}' cannot be kept in the temporary folder: {error.strerror}.",
            advice="Make room there, or name another folder in TMPDIR.",
        ) from None
    weakref.finalize(content, _remove, file, Path(path))
    return content


def as_file(content: Content) -> FileContent:
    """The content as a file that can be read from several places; its hash stays that of the bytes received.

    Raises:
        FixSource: The content cannot be read.
    """
    if isinstance(content, FileContent):
        return content
    passage = content.passage(_BLOCK_BYTES)
    with closing(passage.blocks()) as blocks:
        return spool(blocks, content.name, received=lambda: passage.sha256)


def _nameless(number: int, path: Path) -> Path:
    """Take the file's name away if it can still be opened through the process's own list of open files."""
    by_number = Path(f"/proc/self/fd/{number}")
    if not by_number.exists():
        return path
    path.unlink()
    return by_number


def _remove(file: IO[bytes], path: Path) -> None:
    with suppress(OSError):
        file.close()
    path.unlink(missing_ok=True)
