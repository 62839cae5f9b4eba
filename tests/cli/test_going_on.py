"""What a person reads when something stops: in plain words, once, and with the command or flag that goes on."""

from __future__ import annotations

import importlib
import json
import re
import shlex
from contextlib import closing
from pathlib import Path

import pytest
from command import Outcome
from tenant import Tenant

from dialfeed.running.assembly import kept
from dialfeed.sandbox import Fault, FaultPlan

HEADER = "externalId,phone,doNotCall,doNotEmail\n"


def contacts(size: int, *, wrong: int = 0) -> str:
    phones = ["oops"] * wrong + [f"+1212555{100 + number:04}" for number in range(size - wrong)]
    return HEADER + "".join(f"{number},{phone},no,no\n" for number, phone in enumerate(phones))


def told_flags(outcome: Outcome, start: str) -> list[str]:
    """The flags that a sentence names, from the first one on, up to the end of the sentence."""
    found = re.search(re.escape(start) + r"[^.\n]*", outcome.err)
    assert found is not None, outcome.err
    return shlex.split(found[0])


def told_command(outcome: Outcome, start: str) -> list[str]:
    """A command that a sentence names in back quotes, or a line up to its end, without `dialfeed` itself."""
    found = re.search(rf"dialfeed ({start}[^`)\n]*)", outcome.out + outcome.err)
    assert found is not None, outcome.out + outcome.err
    return shlex.split(found[1])


@pytest.mark.parametrize("how", [("validate",), ("import", "--list", "Spring", "--dry-run")])
def test_what_was_not_to_be_sent_is_ready_and_has_not_failed(tenant: Tenant, how: tuple[str, ...]) -> None:
    verb, *flags = how
    told = tenant.run(verb, tenant.write(contacts(20, wrong=1)), *flags, "--run-dir", tenant.folder / "run").out
    assert re.search(r"^ +19  ready ", told, re.MULTILINE)
    assert re.search(r"^20 read = .* \+ 19 ready \+ 0 unknown$", told, re.MULTILINE)
    assert "failed" not in told


def test_what_a_stopped_run_did_not_send_has_failed(tenant: Tenant) -> None:
    told = tenant.import_file(tenant.write(contacts(20, wrong=9)))
    assert re.search(r"^ +11  failed ", told.out, re.MULTILINE)


def test_a_run_that_read_nothing_shows_no_table_of_noughts(tenant: Tenant) -> None:
    told = tenant.import_file(tenant.write(contacts(3)), CXONE_CLIENT_SECRET="wrong")
    assert told.code == 2
    assert " 0 " not in told.out
    assert "Next: dialfeed resume" in told.out


def test_what_was_foreseen_is_told_only_where_nothing_was_sent(tenant: Tenant) -> None:
    file = tenant.write(contacts(3))
    rehearsed = tenant.import_file(file, "--dry-run", "--run-dir", tenant.folder / "rehearsed")
    assert "Preflight" in rehearsed.out
    assert "Preflight" not in tenant.import_file(file).out


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [("sprng", "'Spring';"), ("Sprng campaign", "'Spring campaign'"), ("camp", "'Spring campaign';")],
)
def test_a_list_that_is_not_there_is_told_with_names_that_may_be_meant(tenant: Tenant, wanted: str, meant: str) -> None:
    tenant.sandbox.add_list("Spring campaign")
    tenant.sandbox.add_list("Autumn")
    told = tenant.run("import", tenant.write(contacts(3)), "--list", wanted)
    assert told.code == 2
    assert f"Perhaps {meant}" in told.err
    assert "Autumn" not in told.err


def test_missing_flags_are_told_at_once_and_can_be_stated_as_told(tenant: Tenant) -> None:
    file = tenant.write("phone\n+12125550100\n")
    stopped = tenant.import_file(file)
    assert stopped.code == 1
    stated = told_flags(stopped, "--set doNotCall")
    assert stated == ["--set", "doNotCall=false", "--set", "doNotEmail=false"]
    assert tenant.import_file(file, *stated).code == 0


def test_an_uncertain_delimiter_is_asked_about_in_words_that_a_shell_takes(tenant: Tenant) -> None:
    file = tenant.write("phone;doNotCall,doNotEmail\n" * 5)
    stopped = tenant.run("validate", file)
    assert stopped.code == 1
    assert "--delimiter comma or --delimiter semicolon" in stopped.err
    assert "not certain" not in tenant.run("validate", file, "--delimiter", "semicolon").err


def test_too_many_rejected_rows_are_told_with_their_remedy_and_the_flag_that_lets_them_be(tenant: Tenant) -> None:
    file = tenant.write("phone,doNotCall,doNotEmail\n" + "2125550100,no,no\n" * 4 + "+12125550100,no,no\n")
    stopped = tenant.import_file(file)
    assert stopped.code == 6
    assert "with --default-country." in stopped.err
    accepted = tenant.import_file(file, *told_flags(stopped, "--max-rejected"), "--run-dir", tenant.folder / "again")
    assert accepted.code == 4


def test_the_comparison_with_another_header_is_one_command_away(tenant: Tenant) -> None:
    assert tenant.import_file(tenant.write(contacts(3))).code == 0
    file = tenant.write("phone,doNotCall,doNotEmail\n+12125550103,no,no\n", "it's new.csv")
    stopped = tenant.import_file(file, "--run-dir", tenant.folder / "again")
    assert stopped.code == 6
    compared = tenant.run(*told_command(stopped, "map"))
    assert compared.code == 6
    assert 'Column "externalId" is gone' in compared.out


def test_a_do_not_call_list_that_is_not_there_is_named_in_the_command_that_tells_more(tenant: Tenant) -> None:
    stopped = tenant.import_file(tenant.write(contacts(3)), "--dnc", "us-nationl")
    assert stopped.code == 4
    told = tenant.run(*told_command(stopped, "dnc status"))
    assert told.code == 6
    assert "us-nationl" in told.out


def test_an_opt_out_in_national_form_is_told_with_its_remedy(tenant: Tenant) -> None:
    told = tenant.run("dnc", "add", "--internal", "2125550100")
    assert told.code == 4
    assert "1 line is not in force" in told.err
    assert tenant.run("dnc", "add", "--internal", "2125550100", "--default-country", "US").code == 0


def test_going_on_with_a_run_that_had_ended_says_that_nothing_was_done(tenant: Tenant) -> None:
    run = tenant.folder / "run"
    assert "had come to its end" not in tenant.import_file(tenant.write(contacts(3)), "--run-dir", run).err
    again = tenant.run("resume", run)
    assert again.code == 0
    assert "had come to its end before, so nothing was done now" in again.err


ROWS = "Ref No,phone,doNotCall\n"
WANTED = ("--map", "Ref No=externalId", "--default-country", "US", "--batch-contacts", "7", "--set", "doNotEmail=false")


@pytest.mark.parametrize(
    ("before", "rows", "flag"),
    [
        ("1,2125550100,no\n", "1,2125550100,no\n", "same-content"),
        ("", "1,2125550100,no\n2,oops,no\n", "--max-rejected"),
    ],
)
def test_a_run_that_a_guard_stopped_is_imported_again_by_the_command_that_resuming_it_tells(
    tenant: Tenant, before: str, rows: str, flag: str
) -> None:
    if before:
        first = tenant.write(ROWS + before, "first.csv")
        assert tenant.import_file(first, *WANTED, "--run-dir", tenant.folder / "first").code == 0
    run, stored = tenant.folder / "run", len(tenant.stored)
    file = tenant.write(ROWS + rows, "it's today's.csv")
    assert tenant.import_file(file, *WANTED, "--run-dir", run).code == 6
    resumed = tenant.run("resume", run)
    assert resumed.code == 6
    assert "nothing was done now" in resumed.err
    command = told_command(resumed, "import")
    assert flag in command
    assert all(word in command for word in WANTED)
    assert len(tenant.stored) == stored
    assert tenant.run(*command, "--run-dir", tenant.folder / "again").code in {0, 4}
    assert len(tenant.stored) == stored + 1


def test_a_changed_file_is_accepted_by_the_command_that_resuming_its_run_tells(tenant: Tenant) -> None:
    assert tenant.import_file(tenant.write(contacts(3))).code == 0
    file, run = tenant.write("phone,doNotCall,doNotEmail\n+12125550103,no,no\n", "new.csv"), tenant.folder / "again"
    assert tenant.import_file(file, "--run-dir", run).code == 6
    command = told_command(tenant.run("resume", run), "import")
    assert tenant.run(*command, "--run-dir", tenant.folder / "accepted").code == 0


def test_insisting_when_a_stopped_run_is_resumed_loads_nothing_and_tells_the_command_that_does(tenant: Tenant) -> None:
    file, run = tenant.write(contacts(3)), tenant.folder / "again"
    assert tenant.import_file(file).code == 0
    assert tenant.import_file(file, "--run-dir", run).code == 6
    resumed = tenant.run("resume", run, "--insist", "same-content,size", "--json")
    assert resumed.code == 6
    assert "so it is imported again, not resumed" in resumed.err
    assert len(tenant.stored) == 3
    command = shlex.split(resumed.json["next"])
    at = command.index("--insist")
    assert command[at : at + 4] == ["--insist", "same-content", "--insist", "size"]
    assert tenant.run(*command[1:], "--run-dir", tenant.folder / "insisted").code == 0
    assert len(tenant.stored) == 6


def test_no_secret_stands_in_the_command_that_imports_again(tenant: Tenant) -> None:
    file, run = tenant.write(contacts(3)), tenant.folder / "again"
    assert tenant.import_file(file).code == 0
    secrets = {"HTTPS_PROXY": "http://user:hush-hush@127.0.0.1:9", "DIALFEED_SOURCE_PASSWORD": "hush-hush"}
    assert tenant.import_file(file, "--run-dir", run, "--limiter", "local").code == 6
    resumed = tenant.run("resume", run, "--limiter", "redis://:hush-hush@127.0.0.1:9/0", **secrets)
    assert told_command(resumed, "import")
    assert "hush-hush" not in resumed.out + resumed.err
    assert tenant.sandbox.client_secret not in resumed.out + resumed.err


def test_a_run_that_goes_on_counts_what_it_had_begun_among_what_is_left(tenant: Tenant) -> None:
    tenant.sandbox.set_faults(FaultPlan(rules=(Fault("status", every=1, status=429),)))
    run = tenant.folder / "run"
    flags = ("--batch-contacts", "10", "--in-flight", "1", "--retries", "0", "--deadline", "1", "--run-dir", run)
    stopped = tenant.import_file(tenant.write(contacts(30)), *flags)
    assert stopped.code == 3
    tenant.sandbox.set_faults(FaultPlan())
    assert tenant.run("resume", run, "--deadline", "600").code == 0
    assert begun(run) == [30, 30]


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_run_on_a_file_of_a_database_goes_on_from_any_folder(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    with closing(importlib.import_module({"sqlite": "sqlite3"}.get(kind, kind)).connect(tenant.folder / "c.db")) as crm:
        crm.execute("create table people as select '+12125550100' as phone, 'no' as doNotCall, 'no' as doNotEmail")
    monkeypatch.chdir(tenant.folder)
    flags = ("--query", "select * from people", "--list", "Spring", "--run-dir", tenant.folder / "run", "--json")
    stopped = tenant.run("import", f"{kind}:///c.db", *flags, CXONE_CLIENT_SECRET="wrong")
    assert stopped.code == 2
    assert stopped.json["source"]["path"] == f"{kind}:///c.db"
    monkeypatch.chdir("/")
    assert tenant.run("resume", tenant.folder / "run").code == 0
    assert len(tenant.stored) == 1


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("duckdb:///:memory:", "duckdb:///:memory:"),
        ("sqlite:////data/crm.db", "sqlite:////data/crm.db"),
        (
            "postgresql://etl:hush@db.example/crm?sslmode=require&password=x",
            "postgresql://etl@db.example/crm?sslmode=require",
        ),
        ("https://files.example/a.csv?signature=x", "https://files.example/a.csv?"),
        ("s3://bucket/part#1.csv", "s3://bucket/part#1.csv"),
    ],
)
def test_an_address_is_kept_as_it_was_but_for_its_secrets(address: str, expected: str) -> None:
    assert kept(address) == expected


def begun(run: Path) -> list[int]:
    events = map(json.loads, (run / "audit.jsonl").read_bytes().splitlines())
    return [event["contacts"] for event in events if event["event"] == "delivery.started"]


@pytest.mark.parametrize("damage", [b"", b'{"run": ', b"[]", b'{"run": "20261126T120000Z-abcdef"}'])
def test_a_damaged_summary_is_named_whatever_is_to_be_done_with_the_run(tenant: Tenant, damage: bytes) -> None:
    assert tenant.import_file(tenant.write(contacts(5, wrong=1))).code == 4
    run = tenant.folder / "run"
    (run / "summary.json").write_bytes(damage)
    mended = tenant.write(contacts(1), "mended.csv")
    for command in (("resume", run), ("settle", run), ("verify", run), ("retry", run, mended)):
        outcome = tenant.run(*command)
        assert (outcome.code, "summary.json is damaged" in outcome.err) == (1, True), (command, outcome.err)


def test_a_run_without_its_damaged_summary_goes_on_as_it_is_told(tenant: Tenant) -> None:
    stopped = tenant.import_file(tenant.write(contacts(20)), "--deadline", "0")
    assert stopped.code == 3, stopped.err
    summary = tenant.folder / "run" / "summary.json"
    summary.write_bytes(b"{")
    told = tenant.run("resume", summary.parent)
    assert (told.code, "move it away, and resume the run" in told.err) == (1, True), told.err
    summary.unlink()
    assert tenant.run("resume", summary.parent, "--deadline", "60").code == 0
    assert len(tenant.stored) == 20
