"""What earlier runs loaded into a contact list, in numbers: what a wrong file is recognised by.

One file a list in the home folder, JSON lines, 0600, only appended to: a line when a run is about to send, and
another when it ends; a run's last line counts. It holds no row and nothing of a person.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import orjson

from dialfeed.files import private_folder

_NEWLINE = b"\n"


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run into a contact list.

    Attributes:
        run: Its id.
        list_id: The contact list.
        time: When this was written, UTC, ISO 8601.
        sha256: Of the source's content.
        header: The header's fingerprint (`dialfeed.contacts.mapping.ColumnMapping.fingerprint`).
        rows: Rows of the source.
        rejected: Rows that were not fit to load.
        suppressed: Rows that may not be called or written to, on every channel or on some.
        ready: Contacts that were fit to send.
        delivered: Contacts on the list, or perhaps on it.
        finished: Whether the run came to an end; one that was killed has not.
        retry_of: The run whose rows it loads once more; empty for a run with a source of its own.
        identities: Pseudonym of the identities of the contacts fit to send, whatever their order; empty where there
            were none, or it is not known.
    """

    run: str
    list_id: str
    time: str
    sha256: str
    header: str
    rows: int
    rejected: int
    suppressed: int
    ready: int
    delivered: int
    finished: bool
    retry_of: str = ""
    identities: str = ""


class History:
    """The history of one contact list.

    Args:
        home: The folder of what runs share.
        platform_url: The platform's address.
        list_id: The list's id.
    """

    def __init__(self, home: Path, platform_url: str, list_id: str) -> None:
        digest = hashlib.sha256(f"{platform_url.rstrip('/').lower()}\0{list_id}".encode()).hexdigest()
        self._path = home / "history" / f"{digest[:32]}.jsonl"

    def runs(self) -> list[PastRun]:
        """Every run, oldest first; an empty history where there is none. Lines that cannot be read are passed over."""
        latest: dict[str, PastRun] = {}
        for past in self._lines():
            latest[past.run] = past
        return list(latest.values())

    def add(self, past: PastRun) -> None:
        """Append a run, durably.

        Raises:
            FixSettings: The folder cannot be made.
            OSError: The file cannot be written.
        """
        private_folder(self._path.parent)
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.write(handle, self._torn(handle) + orjson.dumps(asdict(past)) + _NEWLINE)
            os.fsync(handle)
        finally:
            os.close(handle)

    def _torn(self, handle: int) -> bytes:
        """A line end, where the last line has none because its writer died."""
        size = os.fstat(handle).st_size
        return b"" if size == 0 or os.pread(handle, 1, size - 1) == _NEWLINE else _NEWLINE

    def _lines(self) -> Iterator[PastRun]:
        if not self._path.is_file():
            return
        known = {each.name for each in fields(PastRun)}
        for line in self._path.read_bytes().splitlines():
            try:
                told = orjson.loads(line)
                yield PastRun(**{name: value for name, value in told.items() if name in known})
            except (orjson.JSONDecodeError, TypeError, AttributeError):
                continue
