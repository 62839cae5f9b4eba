"""Writing an index: into a file of its own, synced, then renamed over the old one.

Whoever has the old index open keeps it. A builder that dies leaves a file behind, which the next one that builds in the
same folder removes; builders that run at the same time do not see each other, and the last to finish wins.
"""

from __future__ import annotations

import os
import secrets
import zlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from dialfeed.donotcall.blocks import Digits, Encoded, encode
from dialfeed.donotcall.indexfile import ENTRY, HEADER_BYTES, DamagedIndex, Entries, Header, packed_footer
from dialfeed.errors import FixSettings
from dialfeed.files import open_private, sync_folder, try_lock

_SUFFIX: Final = ".building"
_BUFFER: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Built:
    """An index that was written.

    Attributes:
        path: Where it is.
        records: How many numbers it holds.
        blocks: How many blocks.
        size: Its size in bytes.
        already_absent: In a change, numbers to be removed that were not there: an earlier change may be missing.
    """

    path: Path
    records: int
    blocks: int
    size: int
    already_absent: int = 0


class IndexWriter:
    """Writes blocks in ascending order to a temporary file beside `path`; as a context manager, removes what is left.

    Args:
        path: The index to make or to replace.

    Raises:
        FixSettings: Its folder cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        _remove_leftovers(path)
        self._temporary, self._handle = _begin(path)
        self._file = os.fdopen(self._handle, "r+b", _BUFFER)
        self._rows: list[tuple[int, ...]] = []
        self._end = 0
        with disk_errors(path):
            self._write(b"\0" * HEADER_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close; a file that was not published goes."""
        with suppress(OSError):
            self._file.close()  # what a full disk refused has been told by then
        self._temporary.unlink(missing_ok=True)

    def add(self, block: int, digits: Digits) -> None:
        """Append a block; one without numbers is left out.

        Args:
            block: Higher than all before.
            digits: Strictly increasing.
        """
        if len(digits):
            self.copy(block, encode(digits))

    def copy(self, block: int, encoded: Encoded) -> None:
        """Append a block as it is kept.

        Raises:
            FixSettings: The disk is full or refuses.
        """
        kind, first, span, records, data = encoded
        self._rows.append((block, self._end, len(data), records, first, span, kind, zlib.crc32(data)))
        with disk_errors(self.path):
            self._write(data)

    def entries(self) -> Entries:
        """The directory of what was written so far."""
        return np.array(self._rows, ENTRY)

    def read(self, entry: np.void) -> Encoded:
        """Read a block back."""
        with disk_errors(self.path):
            self._file.flush()
        encoded = read_block(self._handle, entry)
        if encoded is None:
            raise DamagedIndex(self.path.name, "was damaged while it was being built")
        return encoded

    def publish(self, facts: Mapping[str, Any]) -> Built:
        """Write directory and header, sync, and put the index in its place.

        Raises:
            FixSettings: The disk is full or refuses; the old index stays as it is.
        """
        entries = self.entries()
        directory, said = packed_footer(entries, facts)
        records = int(entries["records"].sum(dtype=np.uint64))
        size = self._end + len(directory) + len(said)
        header = Header(len(entries), records, self._end, size, len(said), zlib.crc32(said, zlib.crc32(directory)))
        with disk_errors(self.path):
            self._write(directory + said)
            self._file.seek(0)
            self._file.write(header.packed())
            self._file.flush()
            os.fsync(self._handle)
            self._temporary.replace(self.path)
            sync_folder(self.path.parent)
        return Built(self.path, records, len(entries), size)

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._end += len(data)


def read_block(handle: int, entry: np.void) -> Encoded | None:
    """Read a block and check it.

    It is read with a system call, not through a memory map: what the disk cannot give back is an answer then, and not
    the end of the process.

    Returns:
        The block; None if it is damaged or cannot be read.
    """
    size = int(entry["size"])
    try:
        data = os.pread(handle, size, int(entry["offset"]))
    except OSError:
        return None
    if len(data) != size or zlib.crc32(data) != entry["checksum"]:
        return None
    return Encoded(int(entry["kind"]), int(entry["first"]), int(entry["span"]), int(entry["records"]), data)


@contextmanager
def disk_errors(path: Path) -> Generator[None]:
    """Say in a sentence that the disk is full, or why it refuses."""
    try:
        yield
    except OSError as fault:
        raise FixSettings(
            f"The do-not-call index '{path.name}' cannot be written: {fault.strerror or fault}.",
            advice=f"Make room in {path.parent} and try again; what was there before is unchanged.",
        ) from None


def _begin(path: Path) -> tuple[Path, int]:
    """Open a temporary file that is locked, which tells that its builder is alive."""
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}{_SUFFIX}")
        handle = open_private(temporary)
        if try_lock(handle, temporary) and os.fstat(handle).st_nlink:
            return temporary, handle
        os.close(handle)  # taken for a leftover between opening and locking


def _remove_leftovers(path: Path) -> None:
    """Remove what builders of this index left that are no more."""
    for leftover in path.parent.glob(f".{path.name}.*{_SUFFIX}"):
        try:
            handle = os.open(leftover, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            continue  # gone, or not ours to touch
        try:
            if try_lock(handle, leftover):
                leftover.unlink(missing_ok=True)
        finally:
            os.close(handle)
