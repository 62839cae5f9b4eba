"""Several files as one source."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import polars as pl

from dialfeed.errors import FixSource
from dialfeed.sources.base import ROW, Chunk, Description, Hashed, Source


class SeveralSources(Hashed):
    """Sources with the same header, one after the other.

    Row numbers go on from one source to the next: the header of the second one follows the last row of the first.
    The description tells, once all was read, how many rows stand before each source (``files``). The hash is that of
    the sources' hashes (32 bytes each), one after the other.

    Args:
        name: All of them as the user named them.
        openers: What opens each one; a source is opened when its turn comes.
    """

    def __init__(self, name: str, openers: Sequence[Callable[[], Source]]) -> None:
        self._name = name
        self._openers = openers
        self._sources: list[Source] = []
        self._before: list[int] = []

    def describe(self) -> Description:
        """Compare the headers of all sources.

        Raises:
            FixSource: One of them cannot be read, or has another header.
        """
        self._sources = self._sources or [opener() for opener in self._openers]
        descriptions = [source.describe() for source in self._sources]
        first = descriptions[0]
        for other in descriptions[1:]:
            if other.header != first.header:
                raise _other_header(first, other)
        facts: dict[str, Any] = {"format": "several", "files": [_told(each) for each in descriptions]}
        for told, before in zip(facts["files"], self._before, strict=False):
            told["rows_before"] = before
        return Description(self._name, first.header, facts)

    def chunks(self) -> Iterator[Chunk]:
        """Stream the rows of one source after the other.

        Raises:
            FixSource: As `describe`, or any of the sources.
        """
        self._sha256, self._before = None, []
        self.describe()
        digest, last = hashlib.sha256(), 0
        for source in self._sources:
            self._before.append(last)
            header_row = source.describe().facts.get("header_row", 0)
            last = yield from _moved(source, last, header_row)
            digest.update(bytes.fromhex(source.sha256()))
        self._sha256 = digest.hexdigest()


def _moved(source: Source, by: int, last: int) -> Generator[Chunk, None, int]:
    """The chunks of a source with other row numbers; returns the last number that was used."""
    for chunk in source.chunks():
        last = max(last, *(_last(frame) for frame in (chunk.rows, chunk.malformed)))
        moved = pl.col(ROW) + by
        yield Chunk(chunk.rows.with_columns(moved), chunk.malformed.with_columns(moved), chunk.blank)
    return last + by


def _last(frame: pl.DataFrame) -> int:
    return int(frame[ROW][-1]) if frame.height else 0


def _told(description: Description) -> dict[str, Any]:
    return {"path": description.path, **description.facts}


def _other_header(first: Description, other: Description) -> FixSource:
    missing = [name for name in first.header if name not in other.header]
    extra = [name for name in other.header if name not in first.header]
    differences = [f"lacks {_names(missing)}"] * bool(missing) + [f"has {_names(extra)} besides"] * bool(extra)
    told = " and ".join(differences) or "has its columns in another order"
    return FixSource(
        f"'{other.path}' does not have the header of '{first.path}': it {told}.",
        advice="Import it on its own, or give all files the same columns in the same order.",
    )


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:5]) + (" …" if len(names) > 5 else "")
