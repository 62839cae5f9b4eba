"""Signatures of trails."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from dialfeed.audit.signing import PRIVATE, SIGNATURE, make_keys, open_signer, read_signature
from dialfeed.errors import FixSettings


def signed(tmp_path: Path) -> Path:
    make_keys(tmp_path / "keys")
    signer = open_signer(tmp_path / "keys")
    assert signer is not None
    signer.sign(tmp_path, run="run-1", number=7, last_hash="ab" * 32)
    return tmp_path / SIGNATURE


def test_a_key_pair_is_for_its_owner_alone_and_is_not_replaced(tmp_path: Path) -> None:
    public, told = make_keys(tmp_path / "keys")
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "keys" / PRIVATE).stat().st_mode) == 0o600
    assert "PRIVATE" not in public.read_text()
    assert len(told) == 39
    with pytest.raises(FixSettings, match="already"):
        make_keys(tmp_path / "keys")


def test_a_signature_tells_what_it_covers_and_whose_it_is(tmp_path: Path) -> None:
    path = signed(tmp_path)
    found = read_signature(path, tmp_path / "keys" / "audit.pub")
    assert found is not None
    assert (found.run, found.number, found.hash, found.good, found.expected) == ("run-1", 7, "ab" * 32, True, True)
    other, _ = make_keys(tmp_path / "others")
    found = read_signature(path, other)
    assert found is not None
    assert (found.good, found.expected) == (True, False)


@pytest.mark.parametrize("change", [{"n": 8}, {"run": "run-2"}, {"hash": "cd" * 32}, {"signature": "00" * 64}])
def test_a_signature_for_something_else_is_not_good(tmp_path: Path, change: dict[str, object]) -> None:
    path = signed(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_bytes()) | change))
    found = read_signature(path, None)
    assert found is not None
    assert not found.good


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"algorithm":"none"}', '{"algorithm":"ed25519","n":"1"}'])
def test_what_is_no_signature_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / SIGNATURE).write_text(content)
    assert read_signature(tmp_path / SIGNATURE, None) is None


def test_without_a_key_nothing_is_signed_and_a_broken_one_is_told(tmp_path: Path) -> None:
    assert open_signer(tmp_path) is None
    (tmp_path / PRIVATE).write_text("no key")
    with pytest.raises(FixSettings, match="no Ed25519 key"):
        open_signer(tmp_path)
    path = signed(tmp_path)
    with pytest.raises(FixSettings, match="no Ed25519 public key"):
        read_signature(path, tmp_path / PRIVATE)
