"""Mutations: of bytes, and of what is inside an archive, so that damage reaches further than the check sums."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
import zlib
from collections.abc import Callable

Mutate = Callable[[bytes], bytes]

TOKENS = (
    b'"', b'""', b"'", b",", b";", b"\t", b"|", b"\r", b"\n", b"\r\n", b"\x00", b"\xef\xbb\xbf", b"\xff\xfe",
    b"\xfe\xff", b"\xff", b"\x80", b"\xc3\xa9", b"\xed\xa0\x80", b"{", b"}", b"[", b"]", b":", b"\\", b"\\ud800",
    b"\\u0000", b"null", b"true", b"NaN", b"-0", b"1e999", b"1.0", b"007", b'{"a":', b"<", b">", b"</", b"/>",
    b"<c ", b'r="A1"', b'r="XFD1"', b't="s"', b's="9"', b"<v>", b"</v>", b"&#0;", b"&amp;", b"&x;", b"<!DOCTYPE x [",
    b"<![CDATA[", b"2147483648", b"-1", b"99999999999999999999", b"\x00\x00\x00\x80", b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff", b"PK\x03\x04", b"PAR1", b"+12025550100", b'table:number-rows-repeated="1048576"',
    b'hidden="1"',
)  # fmt: skip


def of_bytes(chance: random.Random) -> Mutate:
    """Change bytes at a few places."""

    def mutate(data: bytes) -> bytes:
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            data = _once(data, chance)
        return data

    return mutate


def _once(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    size = min(chance.choice((1, 1, 2, 4, 16, 200)), len(data) - at)
    before, piece, after = data[:at], data[at : at + size], data[at + size :]
    other = chance.randrange(len(data) + 1)
    new = chance.choice(
        (
            b"",
            piece + piece,
            chance.choice(TOKENS),
            chance.choice(TOKENS) + piece,
            chance.randbytes(size),
            data[other : other + chance.choice((1, 8, 300))],
            bytes(byte ^ (1 << chance.randrange(8)) for byte in piece),
        )
    )
    return before + new + after if chance.random() < 0.97 else before


def inside(mutate: Mutate, chance: random.Random) -> Mutate:
    """Mutate what is in a zip archive or in gzip data, and pack it again; now and then the packing itself."""

    def deep(data: bytes) -> bytes:
        if chance.random() < 0.15:
            return mutate(data)
        if data.startswith(b"PK"):
            return _in_zip(data, mutate, chance)
        return _in_gzip(data, mutate) if data.startswith(b"\x1f\x8b") else mutate(data)

    return deep


def _in_zip(data: bytes, mutate: Mutate, chance: random.Random) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = [(each.filename, archive.read(each)) for each in archive.infolist() if each.file_size < 1 << 20]
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it can only be mutated as bytes
        return mutate(data)
    if not parts:
        return mutate(data)
    chosen = chance.randrange(len(parts))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for index, (name, part) in enumerate(parts):
            archive.writestr(name, mutate(part) if index == chosen else part)
    return out.getvalue()


def _in_gzip(data: bytes, mutate: Mutate) -> bytes:
    try:
        return gzip.compress(mutate(gzip.decompress(data)), mtime=0)
    except (OSError, EOFError, zlib.error):
        return mutate(data)
