"""Opt-outs are in force at once, for whom and for what they were meant, and none is ever lost unseen."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import polars as pl
import pytest
from list_world import DAY, START, Lists, asked_out, names, numbers, phones, us

from dialfeed.donotcall.entries import ENTRIES
from dialfeed.donotcall.manifest import MANIFEST
from dialfeed.errors import CheckFile, FixSettings

A, B, C = us(212), us(212, 101), us(212, 102)


def test_an_opt_out_blocks_the_next_look_up_of_a_running_store(lists: Lists) -> None:
    lists.opt_out(asked_out(A))
    (running,) = lists.store.open(["internal"], now=START).phone
    assert names(running.look_up(numbers(A, B))) == ["LISTED", "CLEAR"]
    lists.opt_out(asked_out(B))
    assert names(running.look_up(numbers(A, B))) == ["LISTED", "LISTED"]
    assert running.facts.records == 2


def test_a_phone_and_an_email_are_on_one_list(lists: Lists) -> None:
    lists.opt_out(asked_out(A), asked_out(email="someone@example.com"))
    assert lists.ask("internal", A, B) == ["LISTED", "CLEAR"]
    assert lists.ask_email("internal", "Someone@Example.com", "b@example.com", None) == ["LISTED", "CLEAR", "OUTSIDE"]


def test_a_scoped_opt_out_blocks_its_topic_and_whatever_names_none(lists: Lists) -> None:
    lists.opt_out(asked_out(A, topic="solar"), asked_out(B))
    assert lists.ask("internal", A, B, topic="Solar ") == ["SCOPED", "LISTED"]
    assert lists.ask("internal", A, B, topic="insurance") == ["CLEAR", "LISTED"]
    assert lists.ask("internal", A, B) == ["SCOPED", "LISTED"]


def test_an_opt_out_from_everything_outweighs_a_scoped_one(lists: Lists) -> None:
    lists.opt_out(asked_out(A, topic="solar"), asked_out(A), asked_out(A, topic="wind"))
    assert lists.ask("internal", A, topic="solar") == ["LISTED"]


def test_from_a_day_on_a_scoped_opt_out_counts_for_every_topic(lists: Lists) -> None:
    lists.opt_out(asked_out(A, topic="solar"))
    day = date(2027, 1, 31)
    midnight = START.replace(year=2027, month=1, day=31, hour=0)
    assert lists.ask("internal", A, topic="wind", now=midnight - timedelta(seconds=1)) == ["CLEAR"]
    assert lists.ask("internal", A, topic="wind", now=midnight) == ["SCOPED"]
    assert lists.ask("internal", A, topic="wind", now=midnight, widening=day + DAY) == ["CLEAR"]


def test_an_expired_opt_out_blocks_no_more_and_another_does_not_lapse(lists: Lists) -> None:
    lists.opt_out(asked_out(A, expires_at=START + DAY), asked_out(B))
    assert lists.ask("internal", A, B, now=START + DAY - timedelta(seconds=1)) == ["LISTED", "LISTED"]
    assert lists.ask("internal", A, B, now=START + DAY) == ["CLEAR", "LISTED"]
    assert lists.ask("internal", B, now=START + 4000 * DAY) == ["LISTED"]


def test_since_is_the_latest_opt_out_in_force(lists: Lists) -> None:
    late, gone = START + DAY, START + 2 * DAY
    lists.opt_out(
        asked_out(A), asked_out(A, at=late), asked_out(A, at=gone, expires_at=gone), asked_out(email="a@x.org")
    )
    opened = lists.store.open(["internal"], now=START + 3 * DAY)
    since = opened.phone[0].since(numbers(A, B))
    assert since[0] == np.datetime64(late.replace(tzinfo=None), "s")
    assert np.isnat(since[1])


def test_who_wants_to_hear_nothing_any_more_is_told(lists: Lists) -> None:
    lists.opt_out(asked_out(A, channel="all"), asked_out(B), asked_out(email="a@example.com", channel="all"))
    opened = lists.store.open(["internal"], now=START)
    assert opened.phone[0].everything(numbers(A, B, C)).tolist() == [True, False, False]  # type: ignore[attr-defined]


@pytest.mark.parametrize("harm", ["cut", "changed", "gone", "reordered"])
def test_a_lost_or_changed_opt_out_blocks_everybody(lists: Lists, harm: str) -> None:
    lists.opt_out(asked_out(A), asked_out(B))
    path = lists.store.folder("internal") / ENTRIES
    lines = path.read_bytes().splitlines(keepends=True)
    harmed = {
        "cut": lines[0],
        "changed": lines[0].replace(b"0100", b"0103") + lines[1],
        "reordered": lines[1] + lines[0],
    }
    path.unlink()
    if harm != "gone":
        path.write_bytes(harmed[harm])
    assert lists.ask("internal", C) == ["DAMAGED"]
    assert lists.ask_email("internal", "a@example.com") == ["DAMAGED"]
    with pytest.raises(CheckFile, match="nothing was added"):
        lists.opt_out(asked_out(C))


@pytest.mark.parametrize(("content", "verdict"), [(None, "MISSING"), (b"{}", "DAMAGED")])
def test_a_list_that_is_lost_while_a_run_uses_it_blocks_everybody_until_it_is_back(
    lists: Lists, content: bytes | None, verdict: str
) -> None:
    lists.opt_out(asked_out(A, channel="all"), asked_out(email="a@example.com", channel="all"))
    opened = lists.store.open(["internal"], now=START)
    (running,), (addresses,) = opened.phone, opened.email
    someone = pl.Series(["a@example.com", "b@example.com", None])
    assert names(running.look_up(numbers(A, B))) == ["LISTED", "CLEAR"]
    assert names(addresses.look_up(someone)) == ["LISTED", "CLEAR", "OUTSIDE"]
    described = lists.store.folder("internal") / MANIFEST
    whole = described.read_bytes()
    described.unlink()
    if content is not None:
        described.write_bytes(content)
    assert names(running.look_up(numbers(A, B))) == [verdict] * 2
    assert names(addresses.look_up(someone)) == [verdict, verdict, "OUTSIDE"]
    assert running.facts.state == addresses.facts.state == verdict.lower()
    assert np.isnat(running.since(numbers(A, B))).all()
    assert np.isnat(addresses.since(someone)).all()
    assert running.everything(numbers(A, B)).tolist() == [False] * 2  # type: ignore[attr-defined]
    assert addresses.everything(someone).tolist() == [False] * 3  # type: ignore[attr-defined]
    described.write_bytes(whole)
    assert names(running.look_up(numbers(A, B))) == ["LISTED", "CLEAR"]
    assert addresses.everything(someone).tolist() == [True, False, False]  # type: ignore[attr-defined]


def test_what_an_addition_that_died_has_written_whole_stays_and_what_is_torn_goes(lists: Lists) -> None:
    lists.opt_out(asked_out(A))
    path = lists.store.folder("internal") / ENTRIES
    line = path.read_bytes()
    with path.open("ab") as file:
        file.write(line.replace(str(A).encode(), str(B).encode()) + b'{"phone":121255')
    assert lists.ask("internal", A, B, C) == ["LISTED", "CLEAR", "CLEAR"]
    lists.opt_out(asked_out(C))
    assert lists.ask("internal", A, B, C) == ["LISTED", "LISTED", "LISTED"]
    assert path.read_bytes().count(b"\n") == 3


def test_a_list_from_a_file_takes_no_opt_outs(lists: Lists) -> None:
    lists.add("us-national", "us", phones(A))
    with pytest.raises(FixSettings, match="made from a file"):
        lists.opt_out(asked_out(B), name="us-national")
    lists.opt_out(asked_out(B))
    with pytest.raises(FixSettings, match="single opt-outs"):
        lists.update("internal", phones(B))


ADDER = """
    import sys
    from pathlib import Path
    from list_world import Lists, asked_out, us

    lists = Lists(Path(sys.argv[1]))
    for line in range(20):
        lists.opt_out(asked_out(us(int(sys.argv[2]), 100 + line)))
"""


def test_opt_outs_of_processes_at_the_same_time_are_all_in(lists: Lists, tmp_path: Path) -> None:
    program = [sys.executable, "-c", dedent(ADDER), str(tmp_path)]
    env: dict[str, Any] = {"PYTHONPATH": ":".join(sys.path)}
    running = [subprocess.Popen([*program, code], env=env) for code in ("212", "213")]
    assert [each.wait() for each in running] == [0, 0]
    sought = [us(code, 100 + line) for code in (212, 213) for line in range(20)]
    assert lists.ask("internal", *sought) == ["LISTED"] * 40


def test_names_of_thousands_of_addresses_are_found_exactly(lists: Lists) -> None:
    listed = [f"person{number}@example.com" for number in range(2000)]
    lists.opt_out(*(asked_out(email=email) for email in listed[::2]))
    assert lists.ask_email("internal", *listed) == ["LISTED", "CLEAR"] * 1000
