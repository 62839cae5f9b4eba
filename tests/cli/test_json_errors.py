"""Whoever asks for JSON gets JSON, also where a command fails before there is a run."""

from __future__ import annotations

import errno
from pathlib import Path

import command
import pytest
from tenant import Tenant

from dialfeed.errors import FixSettings


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("import", "a.csv", "--list", "x", "--rate", "fast"), "--rate"),
        (("import", "a.csv"), "--list"),
        (("import", "a.csv", "--list", "x", "--no-such-flag"), "--no-such-flag"),
        (("validate", "a.csv", "--profile", "nobody"), "configuration file"),
        (("map", "no-such-file.csv"), "no-such-file.csv"),
        (("lists",), "--base-url"),
        (("explain", "no.such_code"), "code"),
        (("resume", "20200101T000000Z-abcdef"), "20200101T000000Z-abcdef"),
        (("no-such-command",), "no-such-command"),
    ],
)
def test_an_error_before_a_run_is_an_object_with_what_to_do(
    arguments: tuple[str, ...], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = command.run(*arguments, "--json", env={"DIALFEED_HOME": str(tmp_path / "home")})
    assert outcome.code > 0
    assert outcome.json.keys() == {"error", "advice", "exit_code"}
    assert outcome.json["exit_code"] == outcome.code
    assert outcome.json["advice"]
    assert told in outcome.json["error"] + outcome.json["advice"]
    assert outcome.json["error"].rstrip(".") in outcome.err  # people read it too
    assert command.run(*arguments, env={"DIALFEED_HOME": str(tmp_path / "home")}).out == ""


def test_what_the_system_refuses_is_told_with_its_name_and_is_no_fault_of_the_program(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/runs/of-another-user")

    monkeypatch.setattr("dialfeed.commands.watching.show_status", refuse)
    tenant.import_file(tenant.write("phone,doNotCall,doNotEmail\n+12125550100,no,no\n"))
    outcome = tenant.run("status", tenant.folder / "run", "--json")
    assert (outcome.code, outcome.json["exit_code"]) == (1, 1)
    assert outcome.json["error"] == "/runs/of-another-user cannot be used (Permission denied)."
    assert "itself failed" not in outcome.err


def test_an_interrupted_command_says_so_in_json(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dialfeed.inspection.diagnose", interrupt)
    outcome = tenant.run("doctor", "--json")
    assert (outcome.code, outcome.json["exit_code"]) == (130, 130)


def test_a_run_that_fails_prints_its_summary_only(tenant: Tenant) -> None:
    outcome = tenant.import_file(tenant.folder / "nothing.csv", "--json")
    assert outcome.code == FixSettings.exit_code == outcome.json["exit_code"]
    assert outcome.json["run"]
    assert "nothing.csv" in outcome.json["error"]
