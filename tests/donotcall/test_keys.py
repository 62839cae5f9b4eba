"""Pseudonyms and their keys: the same for the same number and key, and of no use without the key."""

from __future__ import annotations

import hashlib
import hmac
import shutil
import stat
from pathlib import Path

import polars as pl
import pytest

from dialfeed.donotcall.keys import Key, KeyRing
from dialfeed.errors import FixSettings

NUMBER = "+12125550100"


def test_a_pseudonym_is_the_hmac_that_anybody_with_the_key_can_make_again() -> None:
    key = Key("k", bytes(range(32)))
    told = hmac.new(bytes(range(32)), b"phone:v1:+12125550100", hashlib.sha256).hexdigest()
    assert key.pseudonym("phone", NUMBER) == told
    assert key.pseudonyms("phone", pl.Series([NUMBER, "+12125550101"])).to_list() == [
        told,
        key.pseudonym("phone", "+12125550101"),
    ]


def test_addresses_are_compared_without_regard_to_case_and_are_no_numbers() -> None:
    key = Key("k", b"x" * 32)
    assert key.pseudonym("email", "A@Example.com") == key.pseudonyms("email", pl.Series(["a@example.COM"]))[0]
    assert key.pseudonym("email", NUMBER) != key.pseudonym("phone", NUMBER)


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    first, second = KeyRing(tmp_path).current(), KeyRing(tmp_path).current()
    assert first == second
    for path in (tmp_path / "keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert first.secret.hex() not in repr(first)


def test_a_folder_of_keys_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    key = ring.current()
    (tmp_path / "keys").chmod(0o755)
    assert ring.passing() == key
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o755, "a rehearsal changes nothing"
    assert ring.current() == key
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


@pytest.mark.parametrize("told", [b"", b"nonsense\n", b"\xff\xfe\n", b"../../key"])
def test_what_names_no_key_where_the_current_one_is_named_is_told(tmp_path: Path, told: bytes) -> None:
    ring = KeyRing(tmp_path)
    ring.current()
    (tmp_path / "keys" / "pseudonym.current").write_bytes(told)
    with pytest.raises(FixSettings, match="is not in"):
        ring.current()


def test_a_key_in_passing_is_the_current_one_and_none_that_stays_where_there_is_none(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    assert ring.passing() != ring.passing()
    assert list(tmp_path.iterdir()) == []
    assert ring.current() == ring.passing()


def test_a_new_key_leaves_the_old_one_to_be_found(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    old, new = ring.current(), ring.renew()
    assert ring.current() == new
    assert ring.find(old.id) == old
    assert {key.id for key in ring.all()} == {old.id, new.id}


@pytest.mark.parametrize("damage", [None, b"", b"not hexadecimal", b"00" * 32])
def test_a_key_that_was_lost_is_told_and_never_replaced_in_silence(tmp_path: Path, damage: bytes | None) -> None:
    ring = KeyRing(tmp_path)
    path = tmp_path / "keys" / f"pseudonym-{ring.current().id}.key"
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    with pytest.raises(FixSettings, match="backup"):
        ring.current()


def test_the_loss_of_all_keys_is_told_until_a_person_wants_a_new_one(tmp_path: Path) -> None:
    lost = KeyRing(tmp_path).current()
    shutil.rmtree(tmp_path / "keys")
    for use in (KeyRing(tmp_path).current, KeyRing(tmp_path).passing):
        with pytest.raises(FixSettings, match="--new-key"):
            use()
    assert KeyRing(tmp_path).renew() == KeyRing(tmp_path).current() != lost
