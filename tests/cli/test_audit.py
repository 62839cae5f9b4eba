"""`dialfeed audit`: the evidence of a run, looked at from outside."""

from __future__ import annotations

import json
from pathlib import Path
from unittest import mock

import pytest
from tenant import Tenant

from dialfeed.audit.trail import Trail

FILE = "externalId,phone,email,doNotCall,doNotEmail\nA,+12125550123,,no,no\nB,,bea@example.com,no,no\n"


@pytest.fixture
def run(tenant: Tenant) -> Path:
    assert tenant.import_file(tenant.write(FILE)).code == 0
    return tenant.folder / "run"


def edit(run: Path, line: int, old: bytes, new: bytes) -> None:
    path = run / "audit.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new)
    path.write_bytes(b"".join(lines))


def test_the_trail_of_a_run_is_whole_by_id_folder_and_file(tenant: Tenant, run: Path) -> None:
    run_id = json.loads((run / "summary.json").read_bytes())["run"]
    for name in (run_id, run, run / "audit.jsonl"):
        told = tenant.run("audit", "verify", name, "--json")
        assert told.code == 0
        assert told.json["whole"]
        assert told.json["end_recorded_in"] == "summary.json"
        assert told.json["run"] == run_id
    assert "whole" in tenant.run("audit", "verify", run_id).out


def test_a_changed_line_is_named_and_has_an_exit_code_of_its_own(tenant: Tenant, run: Path) -> None:
    edit(run, 3, b'"event":"', b'"event":"x')
    told = tenant.run("audit", "verify", run, "--json")
    assert told.code == 7
    assert told.json["first_bad_line"] == 3
    assert "Line 3 was changed" in tenant.run("audit", "verify", run).out


def test_a_cut_off_end_shows_by_the_summary_and_by_a_hash_kept_elsewhere(tenant: Tenant, run: Path) -> None:
    kept = json.loads((run / "summary.json").read_bytes())["audit_hash"]
    path = run / "audit.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert tenant.run("audit", "verify", run).code == 7
    (run / "summary.json").unlink()
    alone = tenant.run("audit", "verify", path)
    assert alone.code == 0
    assert "recorded nowhere" in alone.out
    assert tenant.run("audit", "verify", path, "--last-hash", kept).code == 7


def test_once_there_is_a_key_every_run_is_signed(tenant: Tenant) -> None:
    assert tenant.run("audit", "keygen").code == 0
    assert tenant.run("audit", "keygen").code == 1
    assert tenant.import_file(tenant.write(FILE)).code == 0
    run, key = tenant.folder / "run", tenant.folder / "home" / "keys" / "audit.pub"
    told = tenant.run("audit", "verify", run, "--public-key", key, "--json")
    assert told.code == 0
    assert told.json["signed"]["lines"] == told.json["lines"]
    assert told.json["signed"]["key_is_the_expected"] is True
    (run / "audit.sig").unlink()
    unsigned = tenant.run("audit", "verify", run)
    assert (unsigned.code, "signature was removed" in unsigned.out) == (0, True)
    assert tenant.run("audit", "verify", run, "--public-key", key).code == 7


def test_whoever_writes_the_whole_trail_anew_is_found_out_by_its_signature(tenant: Tenant) -> None:
    tenant.run("audit", "keygen")
    tenant.import_file(tenant.write(FILE))
    run = tenant.folder / "run"
    other = tenant.import_file(tenant.write(FILE), "--run-dir", tenant.folder / "other", "--insist", "all")
    assert other.code == 0
    for name in ("audit.jsonl", "summary.json"):
        (run / name).write_bytes((tenant.folder / "other" / name).read_bytes())
    assert tenant.run("audit", "verify", run).code == 7


def test_what_is_not_there_is_told(tenant: Tenant) -> None:
    assert tenant.run("audit", "verify", "nothing").code == 1
    (tenant.folder / "empty.jsonl").write_bytes(b"")
    assert tenant.run("audit", "verify", tenant.folder / "empty.jsonl").code == 7


@pytest.fixture
def taken_up(tenant: Tenant, run: Path) -> Path:
    """A run whose process died after it had gone on with the trail, and before its new end was recorded."""
    with mock.patch("dialfeed.runs.afterwards.write_json", side_effect=OSError(5, "gone")):
        tenant.run("purge", "--hold", run)
    assert b'"hold.set"' in (run / "audit.jsonl").read_bytes()
    return run


def test_a_trail_whose_new_end_was_not_recorded_any_more_is_not_called_changed(tenant: Tenant, taken_up: Path) -> None:
    told = tenant.run("audit", "verify", taken_up, "--json")
    assert (told.code, told.json["taken_up"], told.json["end_recorded_in"]) == (0, True, "")
    assert "not recorded yet" in tenant.run("audit", "verify", taken_up).out
    assert tenant.run("verify", taken_up, "--count-lag", "0.5").code == 0
    again = tenant.run("audit", "verify", taken_up, "--json")
    assert (again.code, again.json["taken_up"], again.json["end_recorded_in"]) == (0, False, "summary.json")


def test_of_such_a_trail_all_shows_that_happens_up_to_the_recorded_end(tenant: Tenant, taken_up: Path) -> None:
    path = taken_up / "audit.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-2]))
    assert tenant.run("audit", "verify", taken_up).code == 7, "the line of the recorded end is missing"
    path.write_bytes(b"".join([*lines[:-1], lines[-1].replace(b"hold", b"told")]))
    assert tenant.run("audit", "verify", taken_up).code == 7, "a line after it was changed"


def test_a_run_that_is_gone_on_with_and_dies_has_a_trail_that_holds(tenant: Tenant, run: Path) -> None:
    (run / "stage").mkdir()  # as if something were left to do
    with mock.patch("dialfeed.running.lifecycle.write_json", side_effect=OSError(5, "gone")):
        tenant.run("resume", run)
    assert (run / "audit.jsonl").read_bytes().count(b'"run.started"') == 2
    assert tenant.run("audit", "verify", run).code == 0


def test_lines_that_were_added_to_a_run_that_has_ended_show(tenant: Tenant, run: Path) -> None:
    forged = Trail(run / "audit.jsonl", json.loads((run / "summary.json").read_bytes())["run"])
    forged.append("hold.set", operator="nobody")
    forged.close()
    assert tenant.run("audit", "verify", run).code == 7


def test_the_trail_of_another_run_is_not_taken_for_this_ones(tenant: Tenant, run: Path) -> None:
    """Also where the other's summary lies beside it, or the end that this one's summary has was changed to fit."""
    own = json.loads((run / "summary.json").read_bytes())
    flags = ("--insist", "all", "--runs-dir", tenant.folder / "runs")
    other = tenant.run("import", tenant.write(FILE), "--list", tenant.list_id, *flags, "--json").json
    folder = tenant.folder / "runs" / other["run"]
    (run / "summary.json").write_text(json.dumps(own | {"audit_hash": other["audit_hash"]}))
    (run / "audit.jsonl").write_bytes((folder / "audit.jsonl").read_bytes())
    told = tenant.run("audit", "verify", run, "--json")
    assert (told.code, told.json["first_bad_line"]) == (7, 1)
    (run / "summary.json").write_bytes((folder / "summary.json").read_bytes())
    assert tenant.run("audit", "verify", own["run"]).code == 7, "asked for by its id"
    assert tenant.run("audit", "verify", other["run"], "--runs-dir", tenant.folder / "runs").code == 0
    (folder / "audit.jsonl").write_bytes(b"")
    assert "Line 1 is missing" in tenant.run("audit", "verify", folder).out


@pytest.mark.parametrize(
    "line",
    [
        b'{"n":1,"run":"r","event":"e","previous":"' + b"0" * 64 + b'","hash":[1]}\n',
        b'{"n":1,"run":["r"],"event":"e","previous":"' + b"0" * 64 + b'","hash":"x"}\n',
        b'{"n":true,"run":"r","event":"e","previous":"' + b"0" * 64 + b'","hash":"x"}\n',
        b'{"n":1,"run":"r","event":"e","previous":"0","x":' + b"[" * 300 + b"]" * 300 + b',"hash":"x"}\n',
        b"[]\n", b"{}\n", b"\n", b"\0",
    ],
)  # fmt: skip
def test_whatever_stands_in_a_trail_it_is_judged(tenant: Tenant, line: bytes) -> None:
    told = tenant.run("audit", "verify", tenant.write(line, "audit.jsonl"))
    assert (told.code, "Line 1 is not a line of an audit trail" in told.out) == (7, True)


@pytest.mark.parametrize(
    "cursor",
    [
        b"[]", b'"x"', b'{"address":[1],"n":"x","hash":[1],"end":0,"attempts":0,"dead":0}',
        b'{"address":"https://x.example/","n":1,"hash":{},"end":0,"attempts":0,"dead":0}',
    ],
)  # fmt: skip
def test_a_cursor_that_cannot_be_read_says_nothing_of_the_trail(tenant: Tenant, run: Path, cursor: bytes) -> None:
    (run / "shipped").mkdir()
    (run / "shipped/webhook.json").write_bytes(cursor)
    assert tenant.run("audit", "verify", run).code == 0


def test_a_trail_that_the_system_does_not_let_us_read_is_told(tenant: Tenant) -> None:
    told = tenant.run("audit", "verify", "/proc/self/mem")
    assert (told.code, "/proc/self/mem cannot be read" in told.err) == (1, True)
