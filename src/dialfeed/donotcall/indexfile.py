"""What an index looks like on disk, and the checks that nothing of it is damaged.

    header      64 bytes: what follows, with a checksum of its own
    blocks      one after another, each at a multiple of 8 bytes
    directory   40 bytes a block: where it is, its form, its checksum
    facts       JSON: which list this is

The header carries the checksum of directory and facts, the directory that of each block: every byte of the file is
under one of them. All integers are little-endian; checksums are CRC-32.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from dialfeed.donotcall.blocks import BLOCK_SIZE, SPARSE, buckets
from dialfeed.errors import FixSource

ENTRY: Final = np.dtype(
    [
        ("block", "<u8"),
        ("offset", "<u8"),
        ("size", "<u4"),
        ("records", "<u4"),
        ("first", "<u4"),
        ("span", "<u4"),
        ("kind", "<u4"),
        ("checksum", "<u4"),
    ]
)
"""A block in the directory: its number, where its bytes are and how many, and the fields of `blocks.Encoded`."""

Entries: TypeAlias = NDArray[np.void]

HEADER_BYTES: Final = 64
_MAGIC: Final = b"DFDNC\r\n\0"
_VERSION: Final = 1
_HEADER: Final = struct.Struct("<8sIIQQQII12x")
_SUM: Final = struct.Struct("<I")


class DamagedIndex(FixSource):
    """An index is not what was written: its list must not be used to clear any number.

    Args:
        what: What is wrong with it.
    """

    def __init__(self, name: str, what: str) -> None:
        super().__init__(
            f"The do-not-call index '{name}' {what}.", advice="Load the list again from the file that it came from."
        )


class Header(NamedTuple):
    """What the first bytes of an index say.

    Attributes:
        entries: How many blocks there are.
        records: How many numbers.
        directory: Where the directory begins.
        size: The size of the whole file in bytes.
        facts: The size of the facts in bytes.
        checksum: That of directory and facts.
    """

    entries: int
    records: int
    directory: int
    size: int
    facts: int
    checksum: int

    def packed(self) -> bytes:
        """The header as it is written."""
        said = _HEADER.pack(_MAGIC, _VERSION, *self)
        return said + _SUM.pack(zlib.crc32(said))


@dataclass(frozen=True, slots=True)
class Footer:
    """What stands behind the blocks.

    Attributes:
        entries: The directory, by block.
        facts: Which list this is.
    """

    entries: Entries
    facts: dict[str, Any]


def packed_footer(entries: Entries, facts: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Directory and facts as they are written; the same facts always give the same bytes."""
    return entries.tobytes(), orjson.dumps(dict(facts), option=orjson.OPT_SORT_KEYS)


def read_header(name: str, data: bytes, size: int) -> Header:
    """Read the header.

    Args:
        name: What to call the index.
        data: Its first bytes.
        size: The size of the file.

    Raises:
        DamagedIndex: It is no index, is of an unknown version, is damaged, or is not as long as it was.
    """
    if len(data) < HEADER_BYTES or not data.startswith(_MAGIC):
        raise DamagedIndex(name, "is not a do-not-call index, or its beginning is damaged")
    said, checksum = data[: _HEADER.size], data[_HEADER.size : HEADER_BYTES]
    if _SUM.pack(zlib.crc32(said)) != checksum:
        raise DamagedIndex(name, "has a damaged header")
    _, version, *fields = _HEADER.unpack(said)
    if version != _VERSION:
        raise DamagedIndex(name, f"is of version {version}, which this release does not know")
    header = Header(*fields)
    if header.size != size:
        raise DamagedIndex(name, f"has {size:,} bytes instead of {header.size:,}")
    return header


def read_footer(name: str, header: Header, data: bytes) -> Footer:
    """Read directory and facts.

    Args:
        name: What to call the index.
        header: Its header.
        data: What stands behind the blocks.

    Raises:
        DamagedIndex: They are damaged.
    """
    if zlib.crc32(data) != header.checksum or len(data) != header.entries * ENTRY.itemsize + header.facts:
        raise DamagedIndex(name, "has a damaged directory")
    entries = np.frombuffer(data, ENTRY, header.entries)
    if not _sound(entries, header):
        raise DamagedIndex(name, "has a directory that contradicts itself")
    return Footer(entries, orjson.loads(data[header.entries * ENTRY.itemsize :]))


def _sound(entries: Entries, header: Header) -> bool:
    """Whether a directory makes sense: no look-up may leave its block, whoever wrote the file."""
    ends = entries["offset"] + entries["size"]
    records, span = entries["records"].astype(np.int64), entries["span"].astype(np.int64)
    needed = np.where(entries["kind"] == SPARSE, 4 * (records + buckets(records, span)[1] + 1), (span + 7) // 8)
    return bool(
        (entries["block"][1:] > entries["block"][:-1]).all()
        and (entries["kind"] <= SPARSE).all()
        and (entries["offset"] >= HEADER_BYTES).all()
        and (entries["offset"] % 8 == 0).all()
        and (ends <= header.directory).all()
        and (records > 0).all()
        and (records <= span).all()
        and (entries["size"] >= needed).all()
        and (entries["first"].astype(np.uint64) + entries["span"] <= BLOCK_SIZE).all()
        and entries["records"].sum(dtype=np.uint64) == header.records
    )
