"""Lists of e-mail addresses and of accounts."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from dialfeed.donotcall.listfiles.base import Fault
from dialfeed.donotcall.listfiles.texts import TextChunk, TextKind, read_texts
from dialfeed.errors import FixSettings

Write = Callable[..., Path]

FORMS: dict[str, tuple[TextKind, str, list[str]]] = {
    "addresses": ("email", "Ada@Example.com\n\nbob@example.org \r\n", ["ada@example.com", "bob@example.org"]),
    "addresses with a title": ("email", "E-Mail\nAda@Example.com\n", ["ada@example.com"]),
    "a column of addresses": ("email", "id,email\n1,Ada@Example.com\n", ["ada@example.com"]),
    "an address that no contact can have": ("email", "ada@localhost\n", ["ada@localhost"]),
    "accounts": ("account", "A-1\na-1\n 0042\n", ["A-1", "a-1", "0042"]),
    "a column of accounts": ("account", "account id;name\n0042;Ada\n", ["0042"]),
}


def values(chunks: list[TextChunk]) -> list[str]:
    return [value for chunk in chunks for value in chunk.values]


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_read(written: Write, name: str) -> None:
    kind, content, expected = FORMS[name]
    for path in (written(content), written(gzip.compress(content.encode()), "list.gz")):
        chunks = list(read_texts(path, kind))
        assert values(chunks) == expected
        assert sum(chunk.malformed_count for chunk in chunks) == 0


def test_malformed_lines_are_counted_and_shown_by_their_shape(written: Write) -> None:
    path = written(b"ada@example.com\nno address\na@b@c\nada@ex\xffample.com\n")
    (chunk,) = read_texts(path, "email")
    assert [(each.line, each.fault, each.shape) for each in chunk.malformed] == [
        (2, Fault.NOT_AN_EMAIL, "AA AAAAAAA"),
        (3, Fault.NOT_AN_EMAIL, "A@A@A"),
        (4, Fault.NOT_TEXT, "AAA@AA�AAAAA.AAA"),
    ]
    assert (chunk.lines, chunk.malformed_count) == (4, 3)


def test_an_empty_cell_is_malformed(written: Write) -> None:
    (chunk,) = read_texts(written("id,email\n1,\n2,ada@example.com\n"), "email")
    assert [(each.line, each.fault) for each in chunk.malformed] == [(2, Fault.EMPTY)]


def test_no_column_is_guessed(written: Write) -> None:
    with pytest.raises(FixSettings, match="not certain which column"):
        list(read_texts(written("a,b\n1,2\n"), "account"))
