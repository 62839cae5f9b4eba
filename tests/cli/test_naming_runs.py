"""How a command is told which run: by its id, its folder or as the newest, and never by an empty name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from tenant import Tenant

from dialfeed.cli import cli
from dialfeed.commands.shared import Group
from dialfeed.errors import FixSettings
from dialfeed.ledger.folder import find

FILE = "externalId,phone,email,doNotCall,doNotEmail\nA,+12125550123,,no,no\nB,12,,no,no\n"
MENDED = FILE.replace("12,,no,no\n", "+12125550124,,no,no\n")


def commands(group: Group, *before: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands, with the words that call them."""
    for name, command in group.commands.items():
        if isinstance(command, Group):
            yield from commands(command, *before, name)
        else:
            yield (*before, name), command


@pytest.fixture
def runs(tenant: Tenant) -> Path:
    """A folder with a run into a list, and a validation after it."""
    folder = tenant.folder / "runs"
    flags = ("--runs-dir", folder, "--max-rejected", "90%")
    loaded = tenant.run("import", tenant.write(FILE), "--list", tenant.list_id, "--keep-rows", "1d", *flags)
    assert loaded.code == 4, loaded.err
    assert tenant.run("validate", tenant.write(FILE), *flags).code == 4
    return folder


def test_every_command_that_takes_one_run_takes_the_newest_instead() -> None:
    one_run = {
        " ".join(words): {option for each in command.params for option in each.opts}
        for words, command in commands(cli)
        if any(each.name == "run" for each in command.params)
    }
    assert {"resume", "settle", "retry", "verify", "status", "report", "audit verify", "audit ship"} == one_run.keys()
    assert not [name for name, options in one_run.items() if "--latest" not in options]


def test_the_newest_run_is_shown_whatever_it_was_for(tenant: Tenant, runs: Path) -> None:
    where = ("--latest", "--runs-dir", runs, "--json")
    newest = tenant.run("runs", "--runs-dir", runs, "--json").json[0]
    assert newest["command"] == "validate"
    assert tenant.run("status", *where).json["run"] == newest["run"]
    assert tenant.run("audit", "verify", *where).json["run"] == newest["run"]
    assert tenant.run("report", *where).json["file"] == f"{newest['folder']}/report.html"
    assert tenant.run("audit", "ship", *where).json == []


def test_the_newest_run_is_gone_on_with_where_it_was_to_load_a_list(tenant: Tenant, runs: Path) -> None:
    where = ("--latest", "--runs-dir", runs, "--json")
    loaded = tenant.run("runs", "--runs-dir", runs, "--json").json[1]["run"]
    assert tenant.run("verify", *where).json["run"] == loaded
    retried = tenant.run("retry", "--latest", tenant.write(""), "--runs-dir", runs)
    assert (retried.code, "expected" in retried.err or "empty" in retried.err) == (1, True), "the file was taken as one"
    rows = runs / loaded / "rejected.csv"
    mended = tenant.write(rows.read_text("utf-8").replace(",12,", ",+12125550124,"), "rejected.csv")
    assert tenant.run("retry", "--latest", mended, "--runs-dir", runs, "--json").json["rows"]["delivered"] == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("status",), "say --latest"), (("report", "--latest", "A"), "say --latest"), (("audit", "ship"), "--all"),
        (("retry", "rejected.csv"), "say --latest"),
        (("audit", "verify", "A", "B"), "2 are named"), (("retry", "A", "B", "rejected.csv"), "2 are named"),
    ],
)  # fmt: skip
def test_one_run_is_named_no_more_and_no_less(tenant: Tenant, words: tuple[str, ...], told: str) -> None:
    outcome = tenant.run(*words)
    assert (outcome.code, told in outcome.err) == (1, True), outcome.err


def test_without_any_run_there_is_no_newest(tenant: Tenant) -> None:
    told = tenant.run("status", "--latest", "--runs-dir", tenant.folder)
    assert (told.code, "There is no run yet" in told.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("purge", ""), "An argument"), (("purge", "--due", "--hold", ""), "--hold"),
        (("purge", "--older-than="), "--older-than"), (("import", "", "--list", "Spring"), "An argument"),
        (("import", "contacts.csv", "--list", ""), "--list"), (("validate", "contacts.csv", "--run-dir="), "--run-dir"),
        (("audit", "ship", ""), "An argument"), (("dnc", "check", ""), "An argument"),
        (("demo", "--rows", ""), "--rows"),
    ],
)  # fmt: skip
def test_an_empty_argument_is_refused_by_every_command(tenant: Tenant, words: tuple[str, ...], what: str) -> None:
    told = tenant.run(*words)
    assert told.code == 1
    assert f"{what} is empty" in told.err or f"What belongs to {what} is empty" in told.err
    assert "variable of a script" in told.err


@pytest.mark.parametrize(
    "words",
    [
        ("status", "x", "--every", "nan"), ("status", "x", "--every", "-1"),
        ("audit", "ship", "x", "--patience", "inf"),
        ("demo", "--rows", "0"), ("sandbox", "--port", "65536"), ("sandbox", "--port", "-1"),
        ("validate", "x", "--metrics-port", "65536"), ("dnc", "add", "x", "--accept-malformed", "-1"),
    ],
)  # fmt: skip
def test_a_number_that_cannot_be_is_refused_by_the_name_of_its_option(tenant: Tenant, words: tuple[str, ...]) -> None:
    told = tenant.run(*words)
    assert (told.code, words[-2] in told.err, "itself failed" in told.err) == (1, True, False), told.err


def test_a_purge_that_names_no_run_removes_nothing_unless_it_says_which(tenant: Tenant, runs: Path) -> None:
    before = sorted(runs.rglob("*.csv"))
    told = tenant.run("purge", "--even-open", "--runs-dir", runs)
    assert (told.code, "--due" in told.err) == (1, True)
    assert sorted(runs.rglob("*.csv")) == before
    assert tenant.run("purge", "--older-than", "0d", "--even-open", "--runs-dir", runs).code == 0
    assert not sorted(runs.rglob("*.csv"))


def test_an_empty_name_is_not_the_working_folder(tenant: Tenant, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(next(runs.iterdir()))
    with pytest.raises(FixSettings, match="empty"):
        find("", runs_dir=runs, home=tenant.folder)
