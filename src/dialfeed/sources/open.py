"""The front door: from what the user names to a source."""

from __future__ import annotations

import glob
import stat
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, Literal

from dialfeed.errors import FixSettings, FixSource
from dialfeed.sources import charsets, layout
from dialfeed.sources.base import Source
from dialfeed.sources.columnar import ColumnarSource
from dialfeed.sources.content import Content, FileContent, as_file, head, spool
from dialfeed.sources.csv import CsvSource
from dialfeed.sources.encodings import known_encoding
from dialfeed.sources.jsonrecords import JsonSource
from dialfeed.sources.options import FORMATS, WORKBOOKS, SourceOptions
from dialfeed.sources.recognise import Recognised, recognise
from dialfeed.sources.remote import fetch, find, is_remote
from dialfeed.sources.several import SeveralSources
from dialfeed.sources.sql import is_database, open_query
from dialfeed.sources.workbook import open_workbook

Where = str | Path
_READ_BYTES: Final = 1 << 20
_DELIMITERS: Final = {word: sign for sign, word in layout.SPOKEN.items()} | {"\\t": "\t"}
_DATABASE_FILES: Final = ((b"SQLite format 3\0", 0, "sqlite"), (b"DUCK", 8, "duckdb"))


def open_source(
    where: Where | Sequence[Where], options: SourceOptions | None = None, *, stdin: BinaryIO | None = None
) -> Source:
    """Open whatever holds rows.

    Args:
        where: A file; a pattern like ``lists/*.csv`` or several files, which must have the same columns; ``-`` for the
            standard input; an address (``https://``, ``s3://``, ``gs://``, ``az://``); or a database
            (``postgresql://``, ``mysql://``, ``mariadb://``, ``sqlite:///``, ``duckdb:///``, or its file).
        options: What is known of it; what is not is detected.
        stdin: The standard input, if it is not that of the process.

    Returns:
        The source. Its description tells what was detected.

    Raises:
        FixSource: It cannot be reached or read, or it is not certain how.
        FixSettings: An option makes no sense, or a library is missing.
    """
    chosen = _checked(options or SourceOptions())
    if not isinstance(where, str | Path):
        return _several(", ".join(map(str, where)), list(where), chosen)
    name = str(where)
    if is_database(name):
        return open_query(name, chosen)
    if name == "-":
        return _open(_standard_input(stdin or sys.stdin.buffer), chosen)
    if is_remote(name):
        found = find(name)
        return _several(name, found, chosen) if len(found) > 1 else _open(fetch(found[0]), chosen)
    return _files(name.removeprefix("file://"), chosen)


def _files(name: str, options: SourceOptions) -> Source:
    path = Path(name)
    if not path.exists() and glob.has_magic(name):
        found = sorted(each for each in glob.glob(name, recursive=True) if Path(each).is_file())  # noqa: PTH207 - as typed
        if not found:
            raise FixSource(f"No file is called like '{name}'.", advice="Check the pattern and the folder.")
        return _several(name, found, options) if len(found) > 1 else _files(found[0], options)
    if path.exists() and stat.S_ISFIFO(path.stat().st_mode):
        with path.open("rb") as pipe:
            return _open(spool(iter(partial(pipe.read, _READ_BYTES), b""), name), options)
    content = FileContent(path)
    database = _database_file(content)
    return open_query(f"{database}:///{path.absolute()}", options) if database else _open(content, options)


def _several(name: str, places: Sequence[Where], options: SourceOptions) -> Source:
    if not places:
        raise FixSource("No file was named.", advice="Name the file with the contacts.")
    openers: list[Callable[[], Source]] = [partial(open_source, place, options) for place in places]
    return SeveralSources(name, openers) if len(openers) > 1 else openers[0]()


def _standard_input(stream: BinaryIO) -> Content:
    return spool(iter(partial(stream.read, _READ_BYTES), b""), "standard input")


def _database_file(content: Content) -> str | None:
    start = head(content, 16)
    return next((kind for magic, at, kind in _DATABASE_FILES if start[at : at + len(magic)] == magic), None)


def _open(content: Content, options: SourceOptions) -> Source:
    found = recognise(content, options)
    if found.kind in WORKBOOKS:
        return open_workbook(as_file(found.content), found.kind, options, found.facts)
    if found.kind in {"parquet", "arrow"}:
        return _columnar(found, options)
    return _csv(found, options) if found.kind == "csv" else _json(found, options)


def _columnar(found: Recognised, options: SourceOptions) -> Source:
    kind: Literal["parquet", "arrow"] = "parquet" if found.kind == "parquet" else "arrow"
    return ColumnarSource(as_file(found.content), kind, chunk_rows=options.chunk_rows, facts=found.facts)


def _json(found: Recognised, options: SourceOptions) -> Source:
    charset = _charset(found.content, options)
    return JsonSource(
        found.content,
        array=found.kind == "json",
        encoding=charset.encoding,
        block_bytes=options.block_bytes,
        chunk_rows=options.chunk_rows,
        max_record_bytes=options.max_record_bytes,
        facts={"encoding_known_by": charset.known_by, **found.facts},
    )


def _csv(found: Recognised, options: SourceOptions) -> Source:
    content, charset = found.content, _charset(found.content, options)
    text, whole = layout.sample(content, charset.encoding)
    laid_out = layout.detect(
        text,
        name=content.name,
        whole=whole,
        delimiter=options.delimiter,
        quote=options.quote,
        header_row=options.header_row,
    )
    facts = {
        "encoding_known_by": charset.known_by,
        "delimiter_known_by": laid_out.known_by,
        "quote": laid_out.quote,
        "quoting": laid_out.quoting,
        **found.facts,
    }
    return CsvSource(
        content,
        delimiter=laid_out.delimiter,
        quote=laid_out.quote,
        encoding=charset.encoding,
        header_row=laid_out.header_row,
        block_bytes=options.block_bytes,
        max_record_bytes=options.max_record_bytes,
        facts=facts,
    )


def _charset(content: Content, options: SourceOptions) -> charsets.Charset:
    return charsets.Charset(options.encoding, "option") if options.encoding else charsets.detect(content)


def _checked(options: SourceOptions) -> SourceOptions:
    """Refuse options that make no sense; names of delimiters and encodings become what they stand for."""
    delimiter = _DELIMITERS.get(options.delimiter or "", options.delimiter)
    if delimiter is not None and (len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0'):
        raise FixSettings(
            f"{delimiter!r} cannot be a delimiter.", advice="Give one ASCII character, or: tab, comma, semicolon, pipe."
        )
    if options.quote not in {None, '"', "'", ""}:
        raise FixSettings(f"{options.quote!r} cannot be a quote.", advice="Give \" or ', or nothing.")
    if options.format is not None and options.format not in FORMATS:
        raise FixSettings(f"{options.format!r} is no format.", advice=f"Give one of {', '.join(FORMATS)}.")
    if options.header_row is not None and options.header_row < 0:
        raise FixSettings("header_row is less than 0.", advice="Give the number of the row, or 0 for none.")
    sizes = (
        options.block_bytes,
        options.chunk_rows,
        options.max_record_bytes,
        options.max_expanded_bytes,
        options.max_ratio,
    )
    if min(sizes) < 1:
        raise FixSettings("A size is less than 1.", advice="Leave it out for the usual one.")
    return replace(options, delimiter=delimiter, encoding=_encoding(options.encoding))


def _encoding(name: str | None) -> str | None:
    if name is None:
        return None
    try:
        return known_encoding(name)
    except ValueError:
        raise FixSettings(f"{name!r} is no encoding.", advice="Usual ones: utf-8, cp1252, utf-16.") from None
