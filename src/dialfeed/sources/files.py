"""The bytes of a file: in blocks, hashed on the way, and refused when the file changes meanwhile."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from dialfeed.errors import FixSource


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one state of a file from another without reading it."""

    device: int
    inode: int
    size: int
    modified_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """The stamp in what `os.stat` says."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


@dataclass(slots=True)
class FileBlocks:
    """One passage through a file.

    Attributes:
        path: The file.
        block_bytes: About how much to read at once.
        expected: The stamp that the file must have, if it was opened before.
        name: What to call the file; its path, unless given.
        received: The hash of the bytes that the file was made from, if it is not to be that of the file itself.
        stamp: The file's stamp when it was opened; known once the first block was read.
        sha256: SHA-256 of all bytes in hex; known once the last block was read.
    """

    path: Path
    block_bytes: int
    expected: Stamp | None = None
    name: str | None = None
    received: str | None = None
    stamp: Stamp | None = field(default=None, init=False)
    sha256: str | None = field(default=None, init=False)

    def blocks(self) -> Generator[bytes]:
        """Stream the file; a block ends with a line feed where there is one near, which spares a copy later.

        Raises:
            FixSource: The file cannot be read, or is no longer what it was when it was opened.
        """
        digest = hashlib.sha256()
        name = self.name or str(self.path)
        with reasons_of(name), open_file(self.path, name) as file:
            self.stamp = Stamp.of(os.fstat(file.fileno()))
            self._expect(self.expected or self.stamp)
            while block := _read_block(file, self.block_bytes):
                digest.update(block)
                yield block
            self._expect(Stamp.of(os.fstat(file.fileno())))
            if file.tell() != self.stamp.size:
                raise changed(name)
        self.sha256 = self.received or digest.hexdigest()

    def _expect(self, stamp: Stamp) -> None:
        if stamp != self.stamp:
            raise changed(self.name or str(self.path))


def open_file(path: Path, name: str | None = None) -> FileIO:
    """Open a regular file for reading.

    Args:
        path: The file.
        name: What to call it; its path, unless given.

    Raises:
        FixSource: There is no such file, it is not a regular file, or it may not be read.
    """
    name = name or str(path)
    with reasons_of(name):
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise FixSource(f"'{name}' is a folder, not a file.", advice="Name one file inside it.")
        if not stat.S_ISREG(mode):
            raise FixSource(
                f"'{name}' is not a regular file (it is a pipe or a device).",
                advice="Save the rows to a file first, then name that file.",
            )
        return FileIO(path)


@contextmanager
def reasons_of(name: str) -> Generator[None]:
    """Say in a sentence why the system refuses to open or to read a file."""
    try:
        yield
    except FileNotFoundError:
        raise FixSource(
            f"There is no file '{name}'.",
            advice="Check the name and the folder; the path is relative to where you are.",
        ) from None
    except PermissionError:
        raise FixSource(
            f"The file '{name}' may not be read by this user.",
            advice="Change its permissions, or run as a user who may read it; close other programs that hold it.",
        ) from None
    except OSError as error:
        raise FixSource(
            f"The file '{name}' cannot be read: {error.strerror or type(error).__name__}.",
            advice="Copy it to a local disk and try again.",
        ) from None


def changed(name: str) -> FixSource:
    """The refusal of a file that does not stay as it is."""
    return FixSource(
        f"The file '{name}' was changed while it was being read.",
        advice="Wait until the program that writes it has finished, then start again.",
    )


def _read_block(file: FileIO, block_bytes: int) -> bytes:
    """Read a block, and up to the next line feed if it is less than 1/256 of a block away."""
    here = file.tell()
    file.seek(block_bytes, os.SEEK_CUR)
    near = file.read(block_bytes >> 8).find(b"\n") + 1
    file.seek(here)
    return _read_full(file, block_bytes + near)


def _read_full(file: FileIO, count: int) -> bytes:
    """Read `count` bytes, fewer only at the end of the file (the system may hand over less at once)."""
    block = file.read(count)
    while block and len(block) < count and (more := file.read(count - len(block))):
        block += more
    return block
