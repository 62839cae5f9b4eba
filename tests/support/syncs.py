"""What was synced to the disk, and how much of it."""

from __future__ import annotations

import os

import pytest


class Syncs:
    """Every sync from now on.

    Attributes:
        sizes: Inode → bytes of the file when it was synced last.
        order: The inodes, as they were synced.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: dict[int, int] = {}
        self.order: list[int] = []
        sync = os.fsync

        def remembered(handle: int) -> None:
            sync(handle)
            found = os.fstat(handle)
            self.sizes[found.st_ino] = found.st_size
            self.order.append(found.st_ino)

        monkeypatch.setattr(os, "fsync", remembered)
