"""Compressed bytes: gzip and zstd, unpacked on the way, bounded against bombs."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from dialfeed.errors import FixSettings, FixSource
from dialfeed.sources.bounds import Bounds
from dialfeed.sources.content import Content, Passage

Packing = Literal["gzip", "zstd"]
_MAGIC: Final[tuple[tuple[bytes, Packing], ...]] = ((b"\x1f\x8b\x08", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))
_PIECE: Final = 1 << 20
_READ: Final = 1 << 18  # so much is decompressed at once: the bounds are checked that often
_ADVICE: Final = "Copy or export it again; if it stays so, unpack it with another program and name what comes out."


class _Unpacker(Protocol):
    """One compressed stream, from its first byte to its last."""

    eof: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """The next piece, at most `max_length` bytes of it."""
        ...

    def pending(self) -> bytes | None:
        """Input to hand in again; None when everything was taken in and came out."""
        ...


def packing_of(head: bytes) -> Packing | None:
    """How bytes that begin so are compressed."""
    return next((packing for magic, packing in _MAGIC if head.startswith(magic)), None)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What is in compressed content (`dialfeed.sources.content.Content`).

    Attributes:
        packed: The compressed content.
        packing: How it is compressed.
        bounds: How much may come out.
    """

    packed: Content
    packing: Packing
    bounds: Bounds

    @property
    def name(self) -> str:
        """The source as the user named it."""
        return self.packed.name

    def passage(self, block_bytes: int) -> Passage:
        """Begin a passage."""
        return _UnpackedPassage(self, self.packed.passage(_READ), block_bytes)

    def look(self, block_bytes: int = _PIECE) -> Generator[bytes]:
        """Stream what comes out, without a hash."""
        return self.unpack(self.packed.look(_READ), block_bytes)

    def unpack(self, packed: Generator[bytes], block_bytes: int) -> Generator[bytes]:
        """Stream what comes out of a stream, in blocks.

        Raises:
            FixSource: It is damaged, ends in the middle, or is larger than it may be.
            FixSettings: What unpacks it is not installed.
        """
        with closing(packed):
            yield from in_blocks(self._pieces(packed), block_bytes)

    def _pieces(self, packed: Iterator[bytes]) -> Generator[bytes]:
        taken = given = 0
        stream: _Unpacker | None = None
        for block in packed:
            taken += len(block)
            rest: bytes | None = block
            while rest:
                if stream is None:
                    rest = rest.lstrip(b"\0") if given or taken > len(block) else rest  # padding after a stream
                    if not rest:
                        break
                    stream = _UNPACKERS[self.packing]()
                piece, rest = self._piece(stream, rest)
                given += len(piece)
                self.bounds.check(self.name, packed=taken, unpacked=given)
                yield piece
                if stream.eof:
                    rest, stream = stream.unused_data, None
        if stream is not None:
            raise FixSource(f"'{self.name}' ends in the middle of its {self.packing} data.", advice=_ADVICE)

    def _piece(self, stream: _Unpacker, data: bytes) -> tuple[bytes, bytes | None]:
        try:
            piece = stream.decompress(data, _PIECE)
        except Exception as error:  # noqa: BLE001 - each library has its own error for damaged data
            if isinstance(error, MemoryError):
                raise
            raise FixSource(f"The {self.packing} data of '{self.name}' is damaged.", advice=_ADVICE) from None
        return piece, stream.pending()
