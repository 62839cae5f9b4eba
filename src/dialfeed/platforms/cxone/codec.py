"""Contacts to JSON, a column at a time.

The body is a bare array of objects (`cxone-v2-dialect.md` section 3). A field without a value is left out, since
strings are never null there; the flags are always present. polars' own JSON writers keep null fields, so the
objects are put together as text: an expression that runs over a chunk at native speed.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    """

    wrapped: bool = False

    def encode(self, contacts: pl.DataFrame) -> pl.Series:
        """Each contact as a JSON object.

        Args:
            contacts: One column per field under its wire name; Boolean and String columns, null where absent.

        Returns:
            A String series of the same length.
        """
        flags = [name for name, kind in contacts.schema.items() if kind == pl.Boolean]
        texts = [name for name, kind in contacts.schema.items() if kind == pl.String]
        members = [_flag(name) for name in flags] + [_text(contacts, name) for name in texts]
        joined = pl.concat_str(*members, ignore_nulls=True)
        # every member begins with a comma; the first one of a contact is cut off
        return contacts.select(pl.concat_str(pl.lit("{"), joined.str.slice(1), pl.lit("}"))).to_series()

    def body(self, encoded: pl.Series) -> bytes:
        """One request body."""
        array = b"[" + ",".join(encoded.to_list()).encode() + b"]"
        return b'{"contacts":' + array + b"}" if self.wrapped else array


def _key(name: str) -> str:
    return orjson.dumps(name).decode()


def _flag(name: str) -> pl.Expr:
    value = pl.when(pl.col(name)).then(pl.lit("true")).otherwise(pl.lit("false"))
    return pl.when(pl.col(name).is_not_null()).then(pl.concat_str(pl.lit(f",{_key(name)}:"), value))


def _text(contacts: pl.DataFrame, name: str) -> pl.Expr:
    value = pl.col(name)
    if contacts[name].str.contains(_SPECIAL).any():
        value = value.str.replace_many(list(_ESCAPES), list(_ESCAPES.values()))
    return pl.concat_str(pl.lit(f',{_key(name)}:"'), value, pl.lit('"'))
