"""Whatever the bytes of a list file are: it is refused in a sentence, or each of its lines is accounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialfeed.donotcall.listfiles.answers import read_answers
from dialfeed.donotcall.listfiles.base import ListFormat
from dialfeed.donotcall.listfiles.changes import ChangeLayout, change_layout, read_changes
from dialfeed.donotcall.listfiles.reading import read_list
from dialfeed.donotcall.listfiles.texts import read_texts
from dialfeed.errors import DialfeedError

laws = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

_PIECES = (
    b"<list level='all' val=''>",
    b"<list val='212'>",
    b"<ac val='212'>",
    b"</ac>",
    b"<ph val='5550100'/>",
    b"</list>",
    b"<ph val=",
    b"<",
    b">",
    b"'",
    b'"',
    b"212,5550100\n",
    b"2125550100\n",
    b"+12125550100\r\n",
    b"\n",
    b"\r",
    b",",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"PK\x03\x04",
    b"\x1f\x8b\x08",
    b"A",
    b"2026-11-01",
    b"phone,email,result\n",
    b"ada@example.com\n",
)
_bytes = st.lists(st.sampled_from(_PIECES) | st.binary(max_size=12), max_size=30).map(b"".join)
_LAYOUT = ChangeLayout(0, None, 1, 2, 3, "%Y-%m-%d", header=False)

READERS: dict[str, Callable[[Path], Iterable[object]]] = {
    "changes": lambda path: [read_changes(path, _LAYOUT)],
    "layout": lambda path: [change_layout(path)],
    "answers": lambda path: read_answers(path, "wash", region="US"),
    "emails": lambda path: read_texts(path, "email"),
    "accounts": lambda path: read_texts(path, "account"),
}


@laws
@given(_bytes, st.sampled_from([None, *ListFormat]), st.sampled_from(["us", "uk", "internal"]))
def test_a_list_of_numbers(tmp_path: Path, content: bytes, kind: ListFormat | None, authority: str) -> None:
    path = tmp_path / "list"
    path.write_bytes(content)
    try:
        reading = read_list(path, kind, authority=authority)
        numbers = [number for chunk in reading for number in chunk.numbers.tolist()]
    except DialfeedError:
        return
    assert all(10**6 <= number < 10**15 for number in numbers)
    assert reading.totals.lines == len(numbers) + reading.totals.malformed
    assert len(reading.totals.shown) == min(reading.totals.malformed, 100)


@pytest.mark.parametrize("name", READERS)
@laws
@given(content=_bytes)
def test_other_lists(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / "list"
    path.write_bytes(content)
    try:
        list(READERS[name](path))
    except DialfeedError:
        return
