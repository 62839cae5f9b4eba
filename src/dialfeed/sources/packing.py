"""Compressed bytes: gzip and zstd, unpacked on the way, bounded against bombs."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from dialfeed.errors import FixSource
from dialfeed.optional import needed
from dialfeed.sources.bounds import Bounds
from dialfeed.sources.content import Content, Passage

Packing = Literal["gzip", "zstd"]
_MAGIC: Final[tuple[tuple[bytes, Packing], ...]] = ((b"\x1f\x8b\x08", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))
_PIECE: Final = 1 << 20
_READ: Final = 1 << 18  # so much is taken at once
_ADVICE: Final = "Copy or export it again; if it stays so, unpack it with another program and name what comes out."


def packing_of(head: bytes) -> Packing | None:
    """How bytes that begin so are compressed."""
    return next((packing for magic, packing in _MAGIC if head.startswith(magic)), None)


class _Stream(Protocol):
    """One compressed stream, from its first byte to its last."""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Take more bytes in, and hand out what comes of them, at most `_PIECE` bytes at once."""
        ...

    @property
    def rest(self) -> bytes | None:
        """What follows the stream; None while it has not come to its end."""
        ...


class _Gzip:
    def __init__(self) -> None:
        self._engine = zlib.decompressobj(wbits=31)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        while data:
            yield self._engine.decompress(data, _PIECE)
            data = self._engine.unconsumed_tail

    @property
    def rest(self) -> bytes | None:
        return self._engine.unused_data if self._engine.eof else None


class _Zstd:
    def __init__(self) -> None:
        self._engine: Any = zstd_module().ZstdDecompressor()

    def pieces(self, data: bytes) -> Iterator[bytes]:
        yield self._engine.decompress(data, _PIECE)
        while not (self._engine.eof or self._engine.needs_input):
            yield self._engine.decompress(b"", _PIECE)

    @property
    def rest(self) -> bytes | None:
        return self._engine.unused_data if self._engine.eof else None


_STREAMS: Final[dict[Packing, type[_Gzip | _Zstd]]] = {"gzip": _Gzip, "zstd": _Zstd}


def zstd_module() -> Any:
    """The module of Python 3.14, or what brings it to earlier ones.

    Raises:
        FixSettings: It is not installed.
    """
    try:
        return importlib.import_module("compression.zstd")
    except ModuleNotFoundError:
        return needed("backports.zstd", extra="zstd", purpose="read zstd files")


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
        with closing(packed), closing(self._pieces(packed)) as pieces:
            yield from in_blocks(pieces, block_bytes)

    def _pieces(self, packed: Iterator[bytes]) -> Generator[bytes]:
        """Unpack one stream after another, and watch how much comes out."""
        taken = given = 0
        stream: _Stream | None = None
        for block in packed:
            ended = taken > 0 and stream is None
            taken += len(block)
            data = block.lstrip(b"\0") if ended else block  # a tape or a download may be filled up with zeros
            while data:
                stream = stream or _STREAMS[self.packing]()
                for piece in self._intact(stream.pieces(data)):
                    given += len(piece)
                    self.bounds.check(self.name, packed=taken, unpacked=given)
                    yield piece
                rest = stream.rest
                data = b"" if rest is None else rest.lstrip(b"\0")
                stream = stream if rest is None else None
        if stream is not None:
            raise FixSource(f"'{self.name}' ends in the middle of its {self.packing} data.", advice=_ADVICE)

    def _intact(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        errors = (zlib.error, *((zstd_module().ZstdError,) if self.packing == "zstd" else ()))
        try:
            yield from pieces
        except errors:
            raise FixSource(f"The {self.packing} data of '{self.name}' is damaged.", advice=_ADVICE) from None


@dataclass(frozen=True, slots=True)
class _UnpackedPassage:
    content: Unpacked
    packed: Passage
    block_bytes: int

    @property
    def sha256(self) -> str | None:
        return self.packed.sha256

    def blocks(self) -> Generator[bytes]:
        return self.content.unpack(self.packed.blocks(), self.block_bytes)


def in_blocks(pieces: Iterable[bytes], block_bytes: int) -> Generator[bytes]:
    """Join and cut pieces to blocks of one size; only the last one may be smaller."""
    pending: list[bytes] = []
    size = 0
    for piece in pieces:
        pending.append(piece)
        size += len(piece)
        if size < block_bytes:
            continue
        text = b"".join(pending)
        whole = size - size % block_bytes
        for start in range(0, whole, block_bytes):
            yield text[start : start + block_bytes]
        pending, size = [text[whole:]], size - whole
    if size:
        yield b"".join(pending)
