"""Takes CEF apart, by the rules of its specification: header by `|`, extension by ` key=`, escapes with a backslash."""

from __future__ import annotations

import re

_KEY = re.compile(r"(?:^| )([A-Za-z0-9_]+)=")


def parse_cef(text: str) -> tuple[list[str], dict[str, str]]:
    """Header fields and extension."""
    parts = re.split(r"(?<!\\)\|", text, maxsplit=7)
    assert len(parts) == 8, text
    *header, extension = parts
    assert header[0] == "CEF:0"
    keys = [match for match in _KEY.finditer(extension) if not _escaped(extension, match.end() - 1)]
    ends = [match.start() for match in keys[1:]] + [len(extension)]
    told = {match[1]: _plain(extension[match.end() : end]) for match, end in zip(keys, ends, strict=True)}
    return [re.sub(r"\\(.)", r"\1", each) for each in header], told


def _escaped(text: str, place: int) -> bool:
    before = text[:place]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "r": "\r"}.get(match[1], match[1]), text)
