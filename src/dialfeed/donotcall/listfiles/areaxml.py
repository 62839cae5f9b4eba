"""US and Canadian full lists as tagged text (`compliance.md` 1.2), scanned for tags and never parsed as XML.

The published sample is not well-formed, so no parser would do. Nothing is resolved: no document type, no entity. What
is not one of the known tags is counted as malformed, wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dialfeed.donotcall.blocks import BLOCK_SIZE
from dialfeed.donotcall.listfiles.areatext import check_area_code
from dialfeed.donotcall.listfiles.base import MOST_SHOWN, Fault, ListChunk, describe
from dialfeed.donotcall.listfiles.lines import PAD, Mask, Places, integers
from dialfeed.errors import FixSource

_LONGEST: Final = 1 << 16
_PLAIN_SIZE: Final = 17  # <ph val='NNNNNNN'
_PLAIN: Final = np.frombuffer(b"<ph val=", "<u8")[0]
_TAG: Final = re.compile(rb"<(/?)(list|ac|ph)\b([^<>]*)>", re.IGNORECASE)
_KIND: Final = re.compile(rb"""(?:^|\s)type\s*=\s*['"]?\s*([^\s'"<>/]*)""", re.IGNORECASE)
_VALUE: Final = re.compile(rb"""(?:^|\s)val\s*=\s*(?:'([^'<>]*)'|"([^"<>]*)")""", re.IGNORECASE)
_HARMLESS: Final = re.compile(rb"<\?xml[^<>]*>|<!--[^<>]*-->", re.IGNORECASE)
_FORBIDDEN: Final = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)


@dataclass(slots=True)
class _Scan:
    """Where the scan of a text is.

    Attributes:
        name: The file as the user named it.
        member: The file in an archive.
        line: The number of the line that comes next.
        whole: The area code of the list's tag; None where it has none.
        area: The area code that numbers belong to now.
        found: Whether there was any tag of a list.
        closed: Whether it has ended.
    """

    name: str
    member: str
    line: int = 1
    whole: int | None = None
    area: int | None = None
    found: bool = False
    closed: bool = False
    faults: list[tuple[int, Fault, bytes]] = field(default_factory=list)
    faulty: int = 0


def area_xml(blocks: Iterable[bytes], name: str, member: str = "") -> Iterator[ListChunk]:
    """Read ``<ph val='NNNNNNN'/>`` inside ``<ac val='AAA'>``, or inside ``<list val='AAA'>``.

    Raises:
        FixSource: It declares a document type or entities, is no tagged text, names two area codes for one number,
            is no full list, or ends before the list does.
    """
    scan, rest = _Scan(name, member), b""
    for block in blocks:
        text = rest + block
        end = text.rfind(b">") + 1
        if len(text) - end > _LONGEST:
            raise FixSource(f"'{name}' is not tagged text as lists are.", advice="Check that this is the list's file.")
        rest = text[end:]
        yield _chunk(text[:end], scan)
    yield _last(rest, scan)


@dataclass(slots=True)
class _Tags:
    """The tags of a text, one element a tag.

    Attributes:
        text: The text between `PAD` bytes on either side.
        begins: Where each begins.
        ends: Where its last character is, or the last before the next one.
        closed: Whether it ends before the next one begins.
        stray: Whether there is text in front of it.
        numbers: The last seven digits of numbers.
        sound: Whether it is a number.
    """

    text: bytes
    begins: Places
    ends: Places
    closed: Mask
    stray: Mask
    numbers: NDArray[np.uint64]
    sound: Mask

    def tag(self, row: int) -> bytes:
        return self.text[self.begins[row] : self.ends[row] + 1]


def _tags(text: bytes) -> _Tags:
    padded = text.join([b"\0" * PAD] * 2)
    data = np.frombuffer(padded, np.uint8)
    begins, angles = np.flatnonzero(data == ord("<")), np.flatnonzero(data == ord(">"))
    ends = angles[np.searchsorted(angles, begins)]
    limits = np.append(begins[1:], len(data))[: len(begins)]
    closed = ends < limits
    ends = np.minimum(ends, limits - 1)
    printed = np.concatenate(([0], np.cumsum(data > ord(" "), dtype=np.int32)))
    before = np.concatenate(([PAD], np.where(closed, ends + 1, begins)[:-1]))[: len(begins)]
    before = np.where(np.concatenate(([True], closed[:-1]))[: len(begins)], before, begins)
    numbers, sound = _plain(padded, data, begins, ends, printed)
    return _Tags(padded, begins, ends, closed, printed[begins] > printed[before], numbers, sound & closed)


def _plain(
    text: bytes, data: NDArray[np.uint8], begins: Places, ends: Places, printed: NDArray[np.int32]
) -> tuple[NDArray[np.uint64], Mask]:
    """Read the tags that are written as nearly all are: ``<ph val='NNNNNNN' />``."""
    numbers, sound = np.zeros(len(begins), np.uint64), np.zeros(len(begins), bool)
    windows = np.ndarray(len(text) - 7, "<u8", text, strides=(1,))
    rows = np.flatnonzero(ends - begins >= _PLAIN_SIZE)
    rows = rows[windows[begins[rows]] == _PLAIN]
    at, quote, close = begins[rows], data[begins[rows] + 8], data[begins[rows] + 16]
    left = printed[ends[rows]] - printed[at + _PLAIN_SIZE]
    tidy = (left == 0) | ((left == 1) & (data[ends[rows] - 1] == ord("/")))
    read, digits = integers(text, at + 9, at + 16)
    numbers[rows] = read
    sound[rows] = digits & tidy & (quote == close) & ((quote == ord("'")) | (quote == ord('"')))
    return numbers, sound


def _chunk(text: bytes, scan: _Scan) -> ListChunk:
    tags = _tags(text)
    areas = _walk(tags, scan)
    _stray(scan, tags.text, int(tags.ends[-1]) + 1 if len(tags.ends) else PAD, len(tags.text) - PAD)
    numbers = tags.sound & (areas < 0)
    _fault(scan, tags, np.flatnonzero(numbers), Fault.NO_AREA_CODE)
    kept = tags.sound & (areas >= 0)
    found = np.uint64(10**10) + areas[kept].astype(np.uint64) * np.uint64(BLOCK_SIZE) + tags.numbers[kept]
    return _told(scan, tags.text, found)


def _walk(tags: _Tags, scan: _Scan) -> NDArray[np.int64]:
    """Look at each tag that is no plain number; the area code of each tag, -1 where there is none."""
    rows, areas = [0], [-1 if scan.area is None else scan.area]
    for row in np.flatnonzero(~tags.sound | tags.stray).tolist():
        if tags.stray[row]:
            _stray(scan, tags.text, tags.text.rfind(b">", 0, tags.begins[row]) + 1 or PAD, int(tags.begins[row]))
        if tags.sound[row]:
            continue
        tag = tags.tag(row)
        found = _TAG.fullmatch(tag) if tags.closed[row] else None
        if found:
            _known(found, tags, row, scan)
            rows.append(row)
            areas.append(-1 if scan.area is None else scan.area)
        elif _FORBIDDEN.match(tag):
            raise FixSource(
                f"'{scan.name}' declares a document type or entities, as no list does.",
                advice="Check where it comes from.",
            )
        elif not _HARMLESS.fullmatch(tag):
            _fault(scan, tags, [row], Fault.NOT_A_TAG)
    return np.array(areas)[np.searchsorted(rows, np.arange(len(tags.begins)), side="right") - 1]


def _known(found: re.Match[bytes], tags: _Tags, row: int, scan: _Scan) -> None:
    """Take in a tag of the list, or a number that is written in an unusual way."""
    closing, name, value = found[1], found[2].lower(), _value(found[3])
    scan.found = True
    if name == b"ph":
        _number(tags, row, value, scan, closing=bool(closing))
    elif closing:
        scan.area = scan.whole if name == b"ac" else None
        scan.closed |= name == b"list"
    elif name == b"list":
        _check_full(found[3], scan)
        scan.closed = False
        scan.whole = scan.area = int(value) if re.fullmatch(rb"[2-9][0-9]{2}", value) else None
    else:
        _area(value, tags, row, scan)


def _check_full(attributes: bytes, scan: _Scan) -> None:
    """Refuse a list of changes: what of it is no longer, or not yet, on the list cannot be told from the others."""
    if any(kind.lower() != b"full" for kind in _KIND.findall(attributes)):
        raise FixSource(
            f"'{scan.name}' says that it is not a full list.",
            advice="Get the full list of its area codes: how changes are tagged is not known.",
        )


def _number(tags: _Tags, row: int, value: bytes, scan: _Scan, *, closing: bool) -> None:
    if re.fullmatch(rb"[0-9]{7}", value) and not closing:
        tags.numbers[row], tags.sound[row] = int(value), True
    elif not closing:
        _fault(scan, tags, [row], Fault.NOT_A_NUMBER)


def _area(value: bytes, tags: _Tags, row: int, scan: _Scan) -> None:
    if not re.fullmatch(rb"[2-9][0-9]{2}", value):
        scan.area = None
        _fault(scan, tags, [row], Fault.AREA_CODE)
        return
    scan.area = int(value)
    if scan.whole is not None:
        check_area_code(np.array([(1000 + scan.area) * BLOCK_SIZE], np.uint64), scan.whole, scan.name)


def _value(attributes: bytes) -> bytes:
    """The one value among the attributes of a tag; nothing where there is none, or more than one."""
    found = _VALUE.findall(attributes)
    return b"".join(found[0]) if len(found) == 1 else b""


def _stray(scan: _Scan, text: bytes, start: int, end: int) -> None:
    """Text between two tags."""
    said = text[start:end].strip()
    if said:
        scan.faulty += 1
        scan.faults.append((text.index(said, start), Fault.NOT_A_TAG, said))


def _fault(scan: _Scan, tags: _Tags, rows: Iterable[int], fault: Fault) -> None:
    for row in rows:
        scan.faulty += 1
        if len(scan.faults) < MOST_SHOWN:
            scan.faults.append((int(tags.begins[row]), fault, tags.tag(int(row))))


def _told(scan: _Scan, text: bytes, numbers: NDArray[np.uint64]) -> ListChunk:
    """A chunk with what was wrong in its text, whose places become lines."""
    lines = [
        (scan.line + text.count(b"\n", 0, at), fault, said) for at, fault, said in sorted(scan.faults)[:MOST_SHOWN]
    ]
    chunk = ListChunk(
        numbers=numbers,
        lines=len(numbers) + scan.faulty,
        malformed=describe(lines, scan.member),
        malformed_count=scan.faulty,
    )
    scan.line += text.count(b"\n")
    scan.faults, scan.faulty = [], 0
    return chunk


def _last(rest: bytes, scan: _Scan) -> ListChunk:
    """What is behind the last tag; nothing, in a whole file.

    One that is cut off is refused, however little of it is missing: nobody can accept a loss that cannot be counted.
    """
    if not scan.found:
        raise FixSource(f"'{scan.name}' holds no tagged list.", advice="Check that this is the list's file.")
    if not scan.closed:
        raise FixSource(
            f"'{scan.name}' ends before its list does: </list> is missing.",
            advice="Copy or download it again; part of the list is not there.",
        )
    if rest.strip():
        scan.faulty += 1
        scan.faults.append((0, Fault.NOT_A_TAG, rest.strip()))
    return _told(scan, rest, np.zeros(0, np.uint64))
