"""Reads a page into facts: its tables by caption, its headings, and everything that it refers to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"meta", "link", "br", "img", "hr", "input"})
_REFERRING = frozenset({"href", "src", "srcset", "action", "data", "poster", "background", "xlink:href", "formaction"})


@dataclass
class Node:
    """An element with what is in it."""

    tag: str
    attributes: dict[str, str]
    inside: list[Node | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it, blanks made one."""
        told = "".join(each if isinstance(each, str) else f" {each.text} " for each in self.inside)
        return " ".join(told.split())

    def all(self, tag: str) -> Iterator[Node]:
        """Every element with a tag, in order."""
        for each in self.inside:
            if isinstance(each, Node):
                if each.tag == tag:
                    yield each
                yield from each.all(tag)

    def everything(self) -> Iterator[Node]:
        """Every element."""
        for each in self.inside:
            if isinstance(each, Node):
                yield each
                yield from each.everything()


class Page(HTMLParser):
    """A parsed page; fails where elements are not closed as they were opened."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.source = html
        self.root = Node("", {})
        self._open = [self.root]
        self.feed(html)
        self.close()
        assert self._open == [self.root], f"not closed: {[each.tag for each in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].inside.append(node)
        if tag not in _VOID:
            self._open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].inside.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            opened = self._open.pop()
            assert opened.tag == tag, f"{opened.tag} closed by {tag}"

    def handle_data(self, data: str) -> None:
        self._open[-1].inside.append(data)

    # --- facts ------------------------------------------------------------------------------------------------------

    def tables(self) -> dict[str, list[list[str]]]:
        """Cells of the tables' bodies and feet, by the beginning of their caption."""
        found = {}
        for table in self.root.all("table"):
            caption = next(table.all("caption"))
            heads = {id(cell) for head in table.all("thead") for cell in head.all("tr")}
            rows = [row for row in table.all("tr") if id(row) not in heads]
            found[caption.text] = [[cell.text for cell in row.inside if isinstance(cell, Node)] for row in rows]
        return found

    def table(self, begins: str) -> list[list[str]]:
        """The table whose caption begins so."""
        (found,) = (rows for caption, rows in self.tables().items() if caption.startswith(begins))
        return found

    def headings(self) -> list[str]:
        """Titles of the sections."""
        return [each.text for each in self.root.all("h2")]

    def references(self) -> list[str]:
        """All that the page refers to: attributes, style sheets and styles."""
        found = [
            value for node in self.root.everything() for name, value in node.attributes.items() if name in _REFERRING
        ]
        styles = [each.text for each in self.root.all("style")]
        styles += [value for node in self.root.everything() for value in node.attributes.values() if "url(" in value]
        found += [address.strip("'\" ") for each in styles for address in re.findall(r"url\(([^)]*)\)", each)]
        found += [address for each in styles for address in re.findall(r"@import\s+(\S+)", each)]
        return found
