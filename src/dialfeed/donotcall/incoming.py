"""List files as they are taken into the home folder: what was read of them, and what could not be read, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from dialfeed.donotcall.changing import Changes, Incoming
from dialfeed.donotcall.facts import Channel, Numbers
from dialfeed.donotcall.intake import BadLine, Piece, Tally
from dialfeed.donotcall.listfiles.base import Fault, ListFormat, Malformed
from dialfeed.donotcall.listfiles.changes import change_layout, read_changes
from dialfeed.donotcall.listfiles.reading import read_list
from dialfeed.errors import FixSettings

_FAULTS: Final[dict[Fault, str]] = {
    Fault.NOT_A_NUMBER: "no phone number",
    Fault.AREA_CODE: "no area code",
    Fault.NO_AREA_CODE: "a number outside every area code",
    Fault.NOT_A_TAG: "no tag that is known",
    Fault.CUT_OFF: "the file ends before the list does",
    Fault.NOT_A_ROW: "no row",
    Fault.EMPTY: "an empty cell",
    Fault.UNKNOWN_ANSWER: "an answer that is not known",
    Fault.NOT_A_DATE: "no date",
    Fault.NOT_AN_EMAIL: "no e-mail address",
}


class PhoneFile:
    """A file of everybody on a list (`changing.Incoming`).

    Args:
        path: The file.
        authority: Whose list it is.
        reading: `format` and `column`, where the user tells them.
    """

    def __init__(self, path: Path, authority: str, reading: Mapping[str, Any]) -> None:
        self.reading = {name: value for name, value in reading.items() if value is not None}
        kind = _format(self.reading.get("format"))
        self._read = read_list(path, kind, authority=authority, column=self.reading.get("column"))

    def pieces(self) -> Iterator[Piece[Numbers]]:
        """Read it, once."""
        for chunk in self._read:
            yield Piece(chunk.numbers, bad_lines(chunk.malformed), chunk.malformed_count)

    @property
    def sha256(self) -> str:
        """Of the file that was read."""
        return self._read.sha256


def list_file(path: Path, authority: str, channel: Channel, reading: Mapping[str, Any]) -> Incoming:
    """A list file, by whose it is and what it holds.

    Args:
        path: The file.
        authority: Whose list it is.
        channel: What it holds.
        reading: `format`, `column` and `query_date`, where the user tells them.

    Raises:
        DialfeedError: It cannot be read, or not in this way.
    """
    del channel
    return PhoneFile(path, authority, reading)


def read_change_list(path: Path) -> Changes:
    """Read a change list by the layout that it shows.

    Raises:
        FixSource: It cannot be read, has no layout of a change list, or an action that is not known.
    """
    layout = change_layout(path)
    read = read_changes(path, layout)
    tally = Tally()
    tally.count(bad_lines(read.malformed), read.malformed_count)
    return Changes(read.sha256, read.added, read.removed, str(layout), tally)


def bad_lines(malformed: Iterable[Malformed]) -> list[BadLine]:
    """Malformed lines in words that hold none of their digits."""
    return [
        BadLine(f"line {bad.line:,}{f' of {bad.member}' if bad.member else ''}", f"{_FAULTS[bad.fault]} ({bad.shape})")
        for bad in malformed
    ]


def _format(name: str | None) -> ListFormat | None:
    try:
        return None if name is None else ListFormat(name)
    except ValueError:
        known = ", ".join(ListFormat)
        raise FixSettings(f"There is no list format {name!r}.", advice=f"It is one of {known}.") from None
