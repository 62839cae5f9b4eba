"""Contacts to JSON, a column at a time.

The body is a bare array of objects (`cxone-v2-dialect.md` section 3). A field without a value is left out, since
strings are never null there; the flags are always present. polars' own JSON writers keep null fields, so the
objects are put together as text: an expression that runs over a chunk at native speed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import orjson
import polars as pl

_SPECIAL = r'["\\\x00-\x1f]'
_ESCAPES = {
    "\\": "\\\\",
    '"': '\\"',
    **{chr(code): f"\\u{code:04x}" for code in range(0x20)},
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}


@dataclass(frozen=True, slots=True)
class JsonCodec:
    """Encodes contacts for this dialect.

    Attributes:
        wrapped: Send `{"contacts": [...]}` instead of a bare array ("seen" in section 3; a profile setting).
        between: What stands between two objects.
    """

    wrapped: bool = False
    between: ClassVar[bytes] = b","

    def encode(self, contacts: pl.DataFrame) -> pl.Series:
        """Each contact as a JSON object.

        Args:
            contacts: One column per field under its wire name; Boolean and String columns, null where absent.

        Returns:
            A String series of the same length.
        """
        always = [name for name in contacts.columns if not contacts[name].null_count()]
        sometimes = [name for name in contacts.columns if name not in always]
        parts: list[pl.Expr | str] = ["{" if always else ""]
        for number, name in enumerate(always):
            parts += ["," if number else "", *_member(contacts, name)]
        for name in sometimes:
            parts.append(_joined([",", *_member(contacts, name)]).fill_null(""))
        if always:
            return contacts.select(_joined([*parts, "}"])).to_series()
        # every member begins with a comma, and nobody knows which is the first one of a contact
        return contacts.select(pl.concat_str(pl.lit("{"), _joined(parts).str.slice(1), pl.lit("}"))).to_series()

    def body(self, encoded: bytes) -> bytes:
        """One request body from objects with commas between them."""
        array = b"[" + encoded + b"]"
        return b'{"contacts":' + array + b"}" if self.wrapped else array


def _joined(parts: Iterable[pl.Expr | str]) -> pl.Expr:
    """Parts put together; null where one of them is. Neighbouring constants become one."""
    joined: list[pl.Expr] = []
    constant = ""
    for part in parts:
        if isinstance(part, str):
            constant += part
        else:
            joined += [pl.lit(constant), part]
            constant = ""
    return pl.concat_str(*joined, pl.lit(constant))


def _member(contacts: pl.DataFrame, name: str) -> list[pl.Expr | str]:
    """`"name":value`, in parts."""
    key = f"{orjson.dumps(name).decode()}:"
    value = pl.col(name)
    if contacts.schema[name] == pl.Boolean:
        return [key, pl.when(value).then(pl.lit("true")).when(~value).then(pl.lit("false"))]
    if contacts[name].str.contains(_SPECIAL).any():
        value = value.str.replace_many(list(_ESCAPES), list(_ESCAPES.values()))
    return [f'{key}"', value, '"']
