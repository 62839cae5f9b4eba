"""A disk that is full while an index is being built: the old index stays, and one sentence says what happened."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dialfeed.donotcall.blocks import BLOCK_SIZE
from dialfeed.donotcall.building import build, change
from dialfeed.donotcall.index import PRESENT, Index
from dialfeed.errors import FixSettings

FACTS = {"id": "us"}
KEPT = np.array([12125550100], np.uint64)
LARGE = np.arange(1213 * BLOCK_SIZE, 1216 * BLOCK_SIZE, 3).astype(np.uint64)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only root can make a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("order", [1, -1], ids=["sorted", "unsorted"])
def test_a_disk_that_fills_up_leaves_the_old_index_whole(small_disk: Path, order: int) -> None:
    path = build(small_disk / "index", [KEPT], facts=FACTS).path
    before = path.read_bytes()
    with pytest.raises(FixSettings, match="No space left") as caught:
        build(path, np.array_split(LARGE[::order], 50), facts=FACTS, batch=1000)
    assert "Make room" in str(caught.value)
    assert path.read_bytes() == before
    assert [file.name for file in small_disk.iterdir()] == ["index"]
    assert Index.open(path).look_up(KEPT).tolist() == [PRESENT]


def test_a_change_on_a_full_disk_leaves_the_old_index_whole(small_disk: Path) -> None:
    path = build(small_disk / "index", [KEPT], facts=FACTS).path
    before = path.read_bytes()
    with pytest.raises(FixSettings, match="No space left"):
        change(path, path, added=LARGE, facts=FACTS)
    assert path.read_bytes() == before
    assert [file.name for file in small_disk.iterdir()] == ["index"]


def test_a_limit_on_the_size_of_files_is_told_the_same_way(tmp_path: Path) -> None:
    """Needs no privilege: the system refuses to make a file longer than so much."""
    path = build(tmp_path / "index", [KEPT], facts=FACTS).path
    script = f"""
import resource, sys
from pathlib import Path
import numpy as np
from dialfeed.donotcall.building import build
from dialfeed.errors import FixSettings
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
try:
    build(Path(sys.argv[1]), [np.arange({1213 * BLOCK_SIZE}, {1216 * BLOCK_SIZE}, 3, np.uint64)], facts={{}})
except FixSettings as fault:
    print(fault)
"""
    done = subprocess.run([sys.executable, "-c", script, path], check=True, capture_output=True, text=True)
    assert "cannot be written: File too large" in done.stdout
    assert Index.open(path).look_up(KEPT).tolist() == [PRESENT]
    assert [file.name for file in tmp_path.iterdir()] == ["index"]
