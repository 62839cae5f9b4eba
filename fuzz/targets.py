"""What is fuzzed: for each kind of file, the ugly files of the tests as seeds."""

from __future__ import annotations

import io
import zipfile
from collections import defaultdict

from ugly_files import every

MOST_BYTES = 48 << 10
"""A larger seed only makes each input slow."""

TARGETS = ("csv", "jsonl", "json", "xlsx", "xlsb", "xls", "ods", "parquet", "arrow", "packed")
_MAGIC = ((b"PAR1", "parquet"), (b"ARROW1", "arrow"), (b"\xff\xff\xff\xff", "arrow"), (b"\xd0\xcf\x11\xe0", "xls"),
          (b"\x1f\x8b", "packed"), (b"\x28\xb5\x2f\xfd", "packed"), (b"PK", "zip"))  # fmt: skip


def seeds() -> dict[str, list[bytes]]:
    """The ugly files by target."""
    found: dict[str, list[bytes]] = defaultdict(list)
    for ugly in every().values():
        data = ugly.content()
        if len(data) <= MOST_BYTES:
            found[_target(ugly.file, data)].append(data)
    return dict(found)


def _target(name: str, data: bytes) -> str:
    kind = next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)
    if kind == "zip":
        return _in_zip(data)
    return kind or {"jsonl": "jsonl", "json": "json"}.get(name.rsplit(".", 1)[-1], "csv")


def _in_zip(data: bytes) -> str:
    try:
        names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    except zipfile.BadZipFile:
        return "packed"
    parts = {"xl/workbook.xml": "xlsx", "xl/workbook.bin": "xlsb", "content.xml": "ods"}
    return next((kind for part, kind in parts.items() if part in names), "packed")
