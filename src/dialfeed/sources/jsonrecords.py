"""Rows of JSON: one object a line, or an array of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from itertools import islice
from typing import Any, Final

from dialfeed.errors import FixSource
from dialfeed.sources.base import Chunk, Description
from dialfeed.sources.content import Content
from dialfeed.sources.encodings import UndecodableError, as_utf8, known_encoding
from dialfeed.sources.tables import Blanks, Malformed, Record, Row, chunks_of

_SAMPLE: Final = 1000
"""So many records are looked at for their fields; one that comes up later is no column."""

Fields = tuple[tuple[str, str | None], ...]
Found = Fields | Malformed | None
"""The fields of a record, or why it has none; None for a blank line."""


class _BadConstantError(ValueError):
    """NaN or Infinity, which JSON does not have."""


def _no_constant(_: str) -> str:
    raise _BadConstantError


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=tuple, parse_int=str, parse_float=str, parse_constant=_no_constant, strict=False
)
"""Keeps numbers as they were typed, and fields that come twice."""


class JsonSource:
    """JSON lines, or a JSON array of objects.

    A record of JSON lines has the number of its line, one of an array its place in the array, from 1 on. Columns are
    the fields of the first records in the order in which they come up; a field that is missing is an empty cell.
    Numbers are told as they stand there, digit by digit.

    Args:
        content: The text.
        array: It is an array, not lines.
        encoding: The text's encoding.
        block_bytes: How much to read at once.
        chunk_rows: How many rows to hand on at once.
        max_record_bytes: The largest record; a larger one is rejected in lines, and refused in an array.
        facts: What else to tell in the description.
    """

    def __init__(
        self,
        content: Content,
        *,
        array: bool,
        encoding: str,
        block_bytes: int,
        chunk_rows: int,
        max_record_bytes: int,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self._content = content
        self._array = array
        self._encoding = known_encoding(encoding)
        self._block_bytes = block_bytes
        self._chunk_rows = chunk_rows
        self._limit = max_record_bytes
        self._facts = dict(facts or {})
        self._sha256: str | None = None

    def describe(self) -> Description:
        """Read the first records for their fields.

        Raises:
            FixSource: The text cannot be read, or its first record is no object with single values.
        """
        facts = {"format": "json" if self._array else "jsonl", "encoding": self._encoding, **self._facts}
        return Description(self._content.name, tuple(name.strip() for name in self._fields()), facts)

    def chunks(self) -> Iterator[Chunk]:
        """Stream the rows.

        Raises:
            FixSource: As `describe`; or an array is not well-formed further down.
        """
        self._sha256 = None
        names = self._fields()
        passage = self._content.passage(self._block_bytes)
        with closing(self._found(passage.blocks())) as found:
            records = (_record(number, each, names) for number, each in enumerate(found, start=1))
            yield from chunks_of(records, len(names), self._chunk_rows)
        self._sha256 = passage.sha256

    def sha256(self) -> str:
        """The SHA-256 of the text's bytes in hex.

        Raises:
            RuntimeError: `chunks` was not exhausted yet.
        """
        if self._sha256 is None:
            raise RuntimeError("the hash is known once all chunks were read")
        return self._sha256

    def _fields(self) -> dict[str, int]:
        """The names of all fields of the first records, and their places."""
        name = self._content.name
        with closing(self._found(self._content.look(1 << 18))) as found:
            sample = [each for each in islice(found, _SAMPLE) if each is not None]
        if not sample:
            raise FixSource(f"The file '{name}' is empty.", advice="Export the contacts again.")
        if isinstance(sample[0], Malformed):
            raise _useless(name, sample[0].code)
        names = (field for each in sample if not isinstance(each, Malformed) for field, _ in each)
        fields = {field: place for place, field in enumerate(dict.fromkeys(names))}
        if not any(map(str.strip, fields)):
            raise FixSource(f"The records of '{name}' have no fields.", advice="Export the contacts again.")
        return fields

    def _found(self, blocks: Generator[bytes]) -> Generator[Found]:
        """The records of the text, one by one."""
        with closing(blocks), closing(as_utf8(blocks, self._encoding)) as text:
            try:
                yield from self._elements(text) if self._array else self._lines(text)
            except UndecodableError as error:
                told = self._encoding.upper()
                raise FixSource(
                    f"The file '{self._content.name}' is not {told}: byte {error.offset} is no character.",
                    advice="Save it again as UTF-8, or say with encoding how it is written.",
                ) from None

    def _lines(self, text: Iterable[bytes]) -> Generator[Found]:
        for number, line in enumerate(lines(text, self._limit), start=1):
            if line is None:
                yield Malformed(number, "row.too_large", None)
            elif line.strip():
                yield _line(line.decode(), number)
            else:
                yield None

    def _elements(self, text: Iterable[bytes]) -> Generator[Found]:
        try:
            for number, (value, raw) in enumerate(elements(text, self._limit), start=1):
                yield _fields_of(raw, number, value)
        except ArrayError as error:
            raise FixSource(
                f"The JSON array in '{self._content.name}' is not well-formed after record {error.number}.",
                advice="Export it again; or write one object a line, so that one bad record does not harm the others.",
            ) from None


def _record(number: int, found: Found, names: dict[str, int]) -> Record:
    if found is None:
        return Blanks(1)
    if isinstance(found, Malformed):
        return found
    cells: list[str | None] = [None] * len(names)
    for name, cell in found:
        place = names.get(name)
        if place is None:
            return Malformed(number, "row.unknown_field", _raw(found))
        cells[place] = cell
    return Row(number, cells)


def _line(raw: str, number: int) -> Fields | Malformed:
    try:
        return _fields_of(raw, number, _DECODER.decode(raw))
    except (ValueError, RecursionError):
        return Malformed(number, "row.not_an_object", raw)


def _fields_of(raw: str, number: int, pairs: Any) -> Fields | Malformed:
    """The fields of one decoded record, as text."""
    if not isinstance(pairs, tuple):
        return Malformed(number, "row.not_an_object", raw)
    if len({name for name, _ in pairs}) < len(pairs):
        return Malformed(number, "row.repeated_field", raw)
    if any(isinstance(value, tuple | list) for _, value in pairs):
        return Malformed(number, "row.nested", raw)
    fields = tuple((name, _text(value)) for name, value in pairs)
    return fields if _encodable(raw, fields) else Malformed(number, "row.not_an_object", raw)


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else ("true" if value else "false")


def _encodable(raw: str, fields: Fields) -> bool:
    r"""Whether the text is free of half characters, which only an escape like ``\ud800`` can bring in."""
    if "\\u" not in raw:
        return True
    try:
        "".join(f"{name}{cell}" for name, cell in fields).encode()
    except UnicodeEncodeError:
        return False
    return True


def _raw(fields: Fields) -> str:
    return json.dumps(dict(fields), ensure_ascii=False)


def _useless(name: str, code: str) -> FixSource:
    what = {
        "row.nested": "holds a list or an object inside",
        "row.repeated_field": "has a field twice",
        "row.too_large": "is too large",
    }.get(code, "is not a JSON object")
    return FixSource(
        f"The first record of '{name}' {what}.",
        advice='Write one object a line, with single values only: {"phone": "+12025550100", "name": "Ann"}.',
    )


# --- lines ----------------------------------------------------------------------------------------------------------


def lines(text: Iterable[bytes], limit: int) -> Generator[bytes | None]:
    """Cut text at line feeds; None stands for a line that is larger than `limit`, which is never held."""
    rest, too_large = b"", False
    for block in text:
        first, *more = block.split(b"\n")
        rest = b"" if too_large else rest + first
        too_large = too_large or len(rest) > limit
        if more:
            yield None if too_large else rest
            yield from (None if len(line) > limit else line for line in more[:-1])
            rest, too_large = more[-1], len(more[-1]) > limit
    if too_large or rest:
        yield None if too_large else rest


# --- arrays ---------------------------------------------------------------------------------------------------------


class ArrayError(Exception):
    """An array that is not well-formed.

    Args:
        number: How many of its elements are.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


_BEGIN: Final = re.compile(r"[ \t\r\n]*\[[ \t\r\n]*")
_BETWEEN: Final = re.compile(r"[ \t\r\n]*([,\]])[ \t\r\n]*")


def elements(text: Iterable[bytes], limit: int) -> Generator[tuple[Any, str]]:
    """Decode the elements of an array one by one; at most one is held.

    Args:
        text: UTF-8 in blocks of whole characters.
        limit: The largest element.

    Yields:
        The element as `_DECODER` reads it, and its text.

    Raises:
        ArrayError: The array is not well-formed, or an element is too large.
    """
    window = _Growing(iter(text), limit)
    if not window.match(_BEGIN):
        raise ArrayError(0)
    number = 0
    if window.peek() == "]":
        window.at += 1
    else:
        while True:
            yield window.value(number)
            number += 1
            if window.separator(number) == "]":
                break
    window.expect_end(number)


class _Growing:
    """Text that grows as it is read, and is forgotten behind the place that was reached."""

    def __init__(self, blocks: Iterator[bytes], limit: int) -> None:
        self._blocks = blocks
        self._limit = limit
        self._text = ""
        self._ended = False
        self.at = 0

    def grow(self) -> bool:
        """Read on, at least as much as there is; False at the end."""
        parts = [self._text[self.at :]]
        wanted = size = len(parts[0])
        while size <= 2 * wanted and not self._ended:
            block = next(self._blocks, None)
            self._ended = block is None
            parts.append((block or b"").decode())
            size += len(parts[-1])
        self._text, self.at = "".join(parts), 0
        return size > wanted

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Match here, and go behind it; reads on while the text ends before the match is certain."""
        while True:
            match = pattern.match(self._text, self.at)
            if (match is None or match.end() == len(self._text)) and self._room() and self.grow():
                continue
            if match:
                self.at = match.end()
            return match

    def peek(self) -> str:
        return self._text[self.at : self.at + 1]

    def value(self, number: int) -> tuple[Any, str]:
        """Decode a value, and go behind it."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self.at)
            except (ValueError, RecursionError):
                end = len(self._text)
            if end < len(self._text):
                raw = self._text[self.at : end]
                self.at = end
                return value, raw
            if not self._room() or not self.grow():
                raise ArrayError(number)

    def separator(self, number: int) -> str:
        match = self.match(_BETWEEN)
        if not match:
            raise ArrayError(number)
        return match[1]

    def expect_end(self, number: int) -> None:
        """Nothing but blanks may follow."""
        while True:
            if self._text[self.at :].strip(" \t\r\n"):
                raise ArrayError(number)
            self.at = len(self._text)
            if not self.grow():
                return

    def _room(self) -> bool:
        return len(self._text) - self.at <= self._limit
