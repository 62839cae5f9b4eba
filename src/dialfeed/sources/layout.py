"""How a CSV text is laid out: its delimiter, its quotes, and where its header is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dialfeed.errors import FixSource
from dialfeed.sources import records
from dialfeed.sources.content import Content
from dialfeed.sources.csvtable import Dialect, ReaderMismatchError
from dialfeed.sources.encodings import UndecodableError, as_utf8
from dialfeed.sources.headers import SAMPLE_ROWS, find_header
from dialfeed.sources.quotes import QUOTE, requoted
from dialfeed.sources.records import Records
from dialfeed.sources.windows import Window

SAMPLE_BYTES: Final = 256 << 10
_USUAL: Final = (",", ";", "\t", "|")
_UNUSUAL: Final = (":", "^", "~", "\x1f", "\x01")
_NAMED: Final = {"\t": "tab", "\x1f": "unit separator (\\x1f)", "\x01": "\\x01"}
SPOKEN: Final = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "pipe", " ": "space"}
"""Words for delimiters that a shell would take for something of its own."""

_HINT: Final = re.compile(rb"(?:\xef\xbb\xbf)?\"?sep=([ -~\t\x01\x1f])\"?(?:\r\n|\n|\r)")
_AGREEMENT: Final = 0.9


@dataclass(frozen=True, slots=True)
class Layout:
    """How a text is laid out.

    Attributes:
        delimiter: The character between two cells.
        quote: The character around cells; empty where quotes are text.
        header_row: The row of the header; 0 where there is none; None where it is the first that is not blank.
        known_by: How the delimiter is known: ``option``, ``hint`` (a line ``sep=;``), ``counts``, or ``nothing``
            where no record has more than one cell.
        quoting: ``all``, ``some`` or ``none``: how many cells of the first rows are in quotes.
    """

    delimiter: str
    quote: str
    header_row: int | None
    known_by: str
    quoting: str


def sample(content: Content, encoding: str) -> tuple[bytes, bool]:
    """The first lines of a text in UTF-8, and whether that is all of it.

    Raises:
        FixSource: The content cannot be read.
    """
    text = b""
    with closing(content.look()) as blocks, closing(as_utf8(blocks, encoding)) as decoded:
        for block in _until_undecodable(decoded):
            text += block
            if len(text) > SAMPLE_BYTES:
                return text[: records.last_line_end(text[:SAMPLE_BYTES]) or SAMPLE_BYTES], False
    return text, True


def detect(
    text: bytes, *, name: str, whole: bool, delimiter: str | None, quote: str | None, header_row: int | None
) -> Layout:
    """Find out how a text is laid out.

    Args:
        text: Its first lines.
        name: The source as the user named it.
        whole: Nothing follows the text.
        delimiter: The delimiter, if it is known.
        quote: The quote, if it is known.
        header_row: The row of the header, if it is known.

    Raises:
        FixSource: There are several possibilities, or the first row looks like a contact.
    """
    hint = _HINT.match(text)
    known_by = "option" if delimiter else "hint" if hint else "counts"
    if hint and delimiter in {None, hint[1].decode("latin-1")}:
        delimiter, below = hint[1].decode("latin-1"), text[hint.end() :]
    else:
        hint, below = None, text
    quote = _quote(below) if quote is None else quote
    look = _Look(requoted(below, quote), whole)
    delimiter, known_by = (delimiter, known_by) if delimiter else _delimiter(look, name)
    rows = look.rows(delimiter)
    if header_row is None:
        found = find_header(rows, name) + 1
        header_row = found + 1 if hint else found
        header_row = None if header_row == 1 or not rows else header_row
    return Layout(delimiter, quote, header_row, known_by, _quoting(below, quote or QUOTE, delimiter))


@dataclass(frozen=True, slots=True)
class _Look:
    """The beginning of a text, with the usual quotes."""

    text: bytes
    whole: bool

    def cut(self, delimiter: str) -> Records:
        return Dialect(delimiter, len(self.text) + 1).cut(Window(self.text, at_end=self.whole))

    def agreement(self, delimiter: str) -> float:
        """The share of records that have as many cells as the table's header, if it has more than one."""
        sound = self._widths(delimiter)
        usual = _usual(sound)
        return float(np.mean(sound == usual)) if usual > 1 else 0.0

    def begins_with_header(self, delimiter: str) -> bool:
        """Whether the first record has as many cells as the others."""
        sound = self._widths(delimiter)
        return len(sound) > 0 and int(sound[0]) == _usual(sound)

    def _widths(self, delimiter: str) -> NDArray[np.int64]:
        cut = self.cut(delimiter)
        widths: NDArray[np.int64] = cut.cells[cut.verdicts == records.SOUND]
        return widths

    def rows(self, delimiter: str) -> list[list[str | None]]:
        """The cells of the first records; none for a record that cannot be cut into cells."""
        cut, dialect = self.cut(delimiter), Dialect(delimiter, len(self.text) + 1)
        rows: list[list[str | None]] = []
        for index in range(min(SAMPLE_ROWS, len(cut))):
            record = self.text[cut.starts[index] : cut.ends[index]]
            rows.append(_cells(dialect, record, int(cut.cells[index])) if cut.verdicts[index] == records.SOUND else [])
        return rows


def _usual(widths: NDArray[np.int64]) -> int:
    """How many cells records have that stand for the table; 0 where there are no records."""
    if not len(widths):
        return 0
    found, counts = np.unique(widths, return_counts=True)
    usual = int(found[int(np.argmax(counts))])
    return int(widths[0]) if usual < 2 or usual not in widths[:SAMPLE_ROWS] else usual


def _cells(dialect: Dialect, record: bytes, width: int) -> list[str | None]:
    try:
        return list(dialect.parse(record, width, quoted=True).row(0))
    except ReaderMismatchError:
        return []


def _delimiter(look: _Look, name: str) -> tuple[str, str]:
    """The one delimiter by which the records have as many cells as the header.

    Raises:
        FixSource: Several would do.
    """
    for candidates in (_USUAL, _UNUSUAL):
        scores = {candidate: look.agreement(candidate) for candidate in candidates}
        best = max(scores.values())
        good = [candidate for candidate, score in scores.items() if score and score >= _AGREEMENT * best]
        if candidates is _UNUSUAL and best < _AGREEMENT:
            break
        if len(good) > 1:  # decimal commas are in every row, but in no header
            good = [candidate for candidate in good if look.begins_with_header(candidate)] or good
        if len(good) == 1:
            return good[0], "counts"
        if good:
            told = " or ".join(_NAMED.get(each, f"'{each}'") for each in good)
            flags = " or ".join(f"--delimiter {SPOKEN.get(each) or shlex.quote(each)}" for each in good)
            raise FixSource(
                f"The delimiter of '{name}' is not certain: it could be {told}.",
                advice=f"Look into the file, and say which: {flags}.",
            )
    return ",", "nothing"


def _quote(text: bytes) -> str:
    """The quote of a text: an apostrophe only where it stands around every cell of the first line."""
    line = re.split(rb"[\r\n]", text, maxsplit=1)[0].strip()
    return "'" if re.fullmatch(rb"'[^'\"]*'(?:[,;\t|]'[^'\"]*')+", line) else QUOTE


def _quoting(text: bytes, quote: str, delimiter: str) -> str:
    count = text.count(quote.encode())
    if not count:
        return "none"
    cells = text.count(delimiter.encode()) + text.count(b"\n")
    return "all" if count >= 2 * cells else "some"


def _until_undecodable(text: Generator[bytes]) -> Generator[bytes]:
    """Stop in silence where text has no meaning: whoever reads it all will tell."""
    try:
        yield from text
    except UndecodableError:
        return
