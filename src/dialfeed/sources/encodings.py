"""From the bytes of a file to UTF-8 text that is known to be valid, block by block."""

from __future__ import annotations

import codecs
from collections.abc import Generator, Iterator
from itertools import chain

UTF8 = "utf-8"
FOREIGN_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
"""Byte-order marks of encodings whose bytes are not those of ASCII; the longer ones first."""

_PIECE = 1 << 20  # a decoded text takes up to four times its bytes: decode in pieces to keep that small


class UndecodableError(Exception):
    """Bytes that have no meaning in the encoding; all text before them has been passed on.

    Args:
        offset: Where they stand in the file.
    """

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


def foreign_mark(head: bytes) -> str | None:
    """The name of the encoding whose byte-order mark a file begins with, if that is not UTF-8."""
    return next((name for mark, name in FOREIGN_MARKS.items() if head.startswith(mark)), None)


def known_encoding(name: str) -> str:
    """The usual name of an encoding that Python knows.

    Raises:
        ValueError: There is no such encoding, or it is not one of text.
    """
    try:
        "".encode(name)
        return codecs.lookup(name).name
    except LookupError:
        raise ValueError(f"not an encoding: {name!r}") from None


def as_utf8(blocks: Iterator[bytes], encoding: str) -> Generator[bytes]:
    """Turn the blocks of a file into blocks of valid UTF-8 that hold whole characters only.

    Args:
        blocks: The bytes of the file.
        encoding: The file's encoding (`known_encoding`).

    Yields:
        UTF-8 without byte-order mark.

    Raises:
        UndecodableError: At the first byte that has no meaning, after all text before it was passed on.
    """
    text = _checked(blocks) if encoding == UTF8 else _converted(blocks, encoding)
    for block in text:
        if block:
            yield block.removeprefix(codecs.BOM_UTF8)
            break
    yield from text


def _checked(blocks: Iterator[bytes]) -> Generator[bytes]:
    """Pass on UTF-8 as it is; a block may end up to three bytes earlier."""
    offset, rest = 0, b""
    for block in blocks:
        text = rest + block if rest else block
        length, sound = _utf8_length(text)
        yield text[:length]
        offset += length
        if not sound:
            raise UndecodableError(offset)
        rest = text[length:]
    if rest:
        raise UndecodableError(offset)


def _converted(blocks: Iterator[bytes], encoding: str) -> Generator[bytes]:
    """Decode another encoding, and encode it as UTF-8."""
    decoder = codecs.getincrementaldecoder(encoding)()
    offset = 0
    for block in chain(blocks, (b"",)):
        state = decoder.getstate()
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            sound = error.start - len(state[0])  # the bytes kept back from the block before come first
            decoder.setstate(state)
            if sound > 0:
                yield decoder.decode(block[:sound]).encode()
            raise UndecodableError(offset + sound) from None
        yield text.encode()
        offset += len(block)


def _utf8_length(text: bytes) -> tuple[int, bool]:
    """How many bytes from the start are whole UTF-8 characters, and whether what follows can still become one."""
    if text.isascii():
        return len(text), True
    view, done = memoryview(text), 0
    while done < len(text):
        try:
            _, used = codecs.utf_8_decode(view[done : done + _PIECE])  # an unfinished character at the end is no error
        except UnicodeDecodeError as error:
            return done + error.start, False
        if not used:
            break
        done += used
    return done, True
