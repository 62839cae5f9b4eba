"""A run that is scrubbed against do-not-call lists: what leaves, what is told, and what is kept as evidence."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import command
import pytest
from command import Outcome
from tenant import Tenant

from dialfeed.audit.records import read_records, shared_trail
from dialfeed.audit.trail import Trail
from dialfeed.donotcall.keys import KeyRing
from dialfeed.files import sha256_of
from dialfeed.runs.sealed import changed_since_sealed

HEADER = "externalId,firstName,phone,email,doNotCall,doNotEmail"
LISTED, CLEAR, OTHER_AREA, CANADIAN = "+12125550100", "+12125550101", "+13055550100", "+14165550100"


def table(*rows: str) -> str:
    return "\n".join([HEADER, *rows]) + "\n"


MIXED = table(
    f"1,Ann,{LISTED},ann@example.com,no,no",
    f"2,Ben,{LISTED},,no,no",
    f"3,Cat,{CLEAR},,no,no",
    f"4,Dan,{OTHER_AREA},,no,no",
    f"5,Eve,{CANADIAN},,no,no",
)


def add(tenant: Tenant, *numbers: str, days_old: float = 1, covers: str = "212", name: str = "us-national") -> None:
    """Load a list through the front door, as a user does."""
    file = tenant.write("".join(f"{number[2:5]},{number[5:]}\n" for number in numbers), f"{name}.txt")
    obtained = (datetime.now(UTC) - timedelta(days=days_old)).isoformat(timespec="seconds")
    added = tenant.run(
        "dnc", "add", file, "--id", name, "--authority", "us", "--obtained", obtained, "--covers", covers
    )
    assert added.code == 0, added.err


def run(tenant: Tenant, *flags: str, content: str = MIXED) -> Outcome:
    return tenant.import_file(tenant.write(content), "--json", "--dnc", "us-national", *flags)


def decisions(tenant: Tenant, folder: str = "run") -> list[dict[str, str]]:
    with (tenant.folder / folder / "decisions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def phones(tenant: Tenant) -> list[Any]:
    return [contact.get("phone") for contact in tenant.stored]


def test_who_is_listed_or_not_covered_is_not_called(tenant: Tenant) -> None:
    add(tenant, LISTED)
    outcome = run(tenant)
    assert {name: count for name, count in outcome.rows.items() if count} == {
        "read": 5,
        "delivered": 2,
        "suppressed": 3,
    }
    assert phones(tenant) == [None, CLEAR]
    assert outcome.json["reasons"] == {
        "suppressed.national_dnc": 1, "suppressed.list_not_covered": 1, "suppressed.no_list_covers": 1,
    }  # fmt: skip
    assert outcome.json["warnings"]["withheld.national_dnc"] == 1
    assert [each["list_id"] for each in outcome.json["lists"]] == ["us-national"]
    assert outcome.json["scrub"]["valid_until"] == outcome.json["lists"][0]["valid_until"]
    assert outcome.code == 0


def test_each_endpoint_has_its_line_under_a_pseudonym_that_the_key_can_make_again(tenant: Tenant) -> None:
    add(tenant, LISTED)
    outcome = run(tenant)
    key = KeyRing(tenant.folder / "home").find(outcome.json["scrub"]["key_id"])
    told = [(line["row"], line["column"], line["decision"], line["reasons"]) for line in decisions(tenant)]
    assert told == [
        ("2", "phone", "block", "suppressed.national_dnc:us-national"),
        ("3", "phone", "block", "suppressed.national_dnc:us-national"),
        ("4", "phone", "allow", ""),
        ("5", "phone", "not_checked", "suppressed.list_not_covered:us-national"),
        ("6", "phone", "not_checked", "suppressed.no_list_covers"),
    ]
    assert [line["pseudonym"] for line in decisions(tenant)][:1] == [key.pseudonym("phone", LISTED)]
    kept = (tenant.folder / "run" / "decisions.csv").read_bytes()
    for number in (LISTED, CLEAR, OTHER_AREA, CANADIAN, "ann@example.com"):
        assert number.strip("+").encode() not in kept
    assert outcome.json["scrub"]["sha256"] == hashlib.sha256(kept).hexdigest()


def test_the_run_record_says_what_the_decisions_rest_on_and_is_sealed_by_the_audit_trail(tenant: Tenant) -> None:
    add(tenant, LISTED)
    run(tenant, "--record", "seller=Acme Inc", "--record", "campaign=Spring")
    record = (tenant.folder / "run" / "evidence.json").read_bytes()
    told = json.loads(record)
    assert (told["seller"], told["campaign"]) == ("Acme Inc", "Spring")
    assert told["lists"][0]["coverage"] == ["212"]
    assert told["input"]["sha256"] == hashlib.sha256(MIXED.encode()).hexdigest()
    assert told["decisions"]["decisions"] == {"allow": 1, "block": 2, "not_checked": 2}
    assert {"valid_until", "key_id", "operator", "host", "versions", "rule_packs", "policy"} <= told.keys()
    lines = [json.loads(line) for line in (tenant.folder / "run" / "audit.jsonl").read_text().splitlines()]
    done = next(line for line in lines if line["event"] == "scrub.done")
    assert done["evidence_sha256"] == hashlib.sha256(record).hexdigest()
    for name in ("delivered.csv", "suppressed.csv"):
        assert lines[-1]["files"][name] == hashlib.sha256((tenant.folder / "run" / name).read_bytes()).hexdigest()


def test_the_same_again_gives_the_same_decision_lines_whatever_the_chunks(tenant: Tenant) -> None:
    add(tenant, LISTED)
    rows = [f"{n},Ann,+1212555{n:04},ann{n}@example.com,no,no" for n in range(100, 200)]
    file = tenant.write(table(*rows))
    for name, size in (("one", "64"), ("two", "8388608")):
        outcome = tenant.run(
            "validate", file, "--dnc", "us-national", "--run-dir", tenant.folder / name, "--chunk-bytes", size
        )
        assert outcome.code in {0, 4}, outcome.err
    assert (tenant.folder / "one" / "decisions.csv").read_bytes() == (
        tenant.folder / "two" / "decisions.csv"
    ).read_bytes()
    assert len(decisions(tenant, "one")) == 100


def test_a_run_against_no_list_says_so_everywhere(tenant: Tenant) -> None:
    outcome = tenant.import_file(tenant.write(MIXED))
    assert outcome.code == 0
    assert "scrubbed against no list" in outcome.out
    assert "scrubbed against no list" in (tenant.folder / "run" / "audit.jsonl").read_text()
    assert json.loads((tenant.folder / "run" / "summary.json").read_bytes())["policy"]["do_not_call"] == (
        "scrubbed against no list"
    )


def test_strict_compliance_refuses_a_run_without_lists_and_one_with_a_stale_one(tenant: Tenant) -> None:
    refused = tenant.import_file(tenant.write(MIXED), "--compliance", "strict")
    assert (refused.code, tenant.stored) == (1, [])
    add(tenant, LISTED, days_old=40)
    refused = run(tenant, "--compliance", "strict", "--run-dir", str(tenant.folder / "again"))
    assert (refused.code, tenant.stored) == (6, [])


@pytest.mark.parametrize("state", ["missing", "stale", "damaged"])
def test_a_list_that_cannot_be_used_stops_every_number_and_is_told(tenant: Tenant, state: str) -> None:
    if state != "missing":
        add(tenant, LISTED, days_old=40 if state == "stale" else 1)
    if state == "damaged":
        for content in (tenant.folder / "home" / "lists" / "us-national").glob("*.index"):
            content.write_bytes(content.read_bytes()[:-1] + b"?")
    outcome = run(tenant)
    # of a list that is not there nobody knows whether it holds addresses as well
    assert phones(tenant) == ([] if state == "missing" else [None])
    assert outcome.json["reasons"][f"suppressed.list_{state}"]
    assert outcome.code == 4
    assert "us-national" in next(f["sentence"] for f in outcome.json["findings"] if f["code"] == "scrub.list_unusable")


def test_an_exception_needs_its_reason_and_is_recorded(tenant: Tenant) -> None:
    add(tenant, LISTED)
    refused = run(tenant, "--uncovered", "allow")
    assert refused.code == 1
    outcome = run(
        tenant, "--uncovered", "allow", "--because", "our own branch offices", "--run-dir", str(tenant.folder / "b")
    )
    assert phones(tenant) == [None, CLEAR, OTHER_AREA, CANADIAN]
    assert outcome.json["warnings"]["exempt.uncovered"] == 2
    assert (
        json.loads((tenant.folder / "b" / "evidence.json").read_bytes())["policy"]["because"]
        == "our own branch offices"
    )


def test_an_opt_out_in_one_row_goes_for_the_number_in_every_row_before_and_after(tenant: Tenant) -> None:
    rows = [
        f"1,Ann,{CLEAR},ann@example.com,no,no",
        f"2,Ben,{CLEAR},,no,no",
        f"3,Cat,{CLEAR},,yes,no",
        "4,Dan,,dan@example.com,no,no",
        "5,Eve,12,DAN@example.com,no,yes",
        f"6,Fay,{OTHER_AREA},,no,no",
    ]
    file = tenant.write(table(*rows))
    outcome = tenant.import_file(file, "--json", "--max-rejected", "2", "--chunk-bytes", "64")
    assert [contact["externalId"] for contact in tenant.stored] == ["1", "6"]
    assert phones(tenant) == [None, OTHER_AREA]
    assert {name: n for name, n in outcome.rows.items() if n} == {
        "read": 6, "delivered": 2, "suppressed": 3, "invalid": 1,
    }  # fmt: skip
    with (tenant.folder / "run" / "suppressed.csv").open(newline="") as rows_file:
        told = {line["_row"]: line["_code"] for line in csv.DictReader(rows_file)}
    assert told == {
        "3": "suppressed.do_not_call_elsewhere",
        "4": "suppressed.do_not_call",
        "5": "suppressed.do_not_email_elsewhere",
    }


def test_a_mended_row_is_stopped_by_what_another_row_of_the_first_file_forbids(tenant: Tenant) -> None:
    rows = [f"1,Ann,{CLEAR},,yes,no", "2,Ben,12,,no,no"]
    first = tenant.import_file(tenant.write(table(*rows)), "--json", "--max-rejected", "1")
    mended = tenant.write(f"_row,{HEADER}\n3,2,Ben,{CLEAR},,no,no\n", "mended.csv")
    outcome = tenant.run("retry", first.json["run"], mended, "--json")
    assert (outcome.rows["suppressed"], tenant.stored) == (1, [])


def test_an_exemption_without_its_column_is_refused(tenant: Tenant) -> None:
    add(tenant, LISTED)
    outcome = run(tenant, "--exempt", "consent=Consent date", "--exempt", "consent_id=Form")
    assert outcome.code == 1
    assert "Consent date" in outcome.err


def test_a_hit_with_a_proven_exemption_leaves_and_its_evidence_is_kept(tenant: Tenant) -> None:
    add(tenant, LISTED)
    content = (
        f"{HEADER},Last order\n1,Ann,{LISTED},,no,no,{datetime.now(UTC):%Y-%m-%d}\n2,Ben,{LISTED},,no,no,2020-01-01\n"
    )
    outcome = run(tenant, "--exempt", "ebr_purchase=Last order", content=content)
    assert [contact["externalId"] for contact in tenant.stored] == ["1"]
    assert outcome.json["warnings"] == {"exempt.ebr_purchase": 1}
    assert [line["evidence"][:12] for line in decisions(tenant)] == ["ebr_purchase", ""]


def test_a_run_does_not_go_on_with_what_a_list_cleared_that_is_too_old_by_now(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(tenant, LISTED)
    began: list[float] = []

    def thirty_days_later() -> datetime:
        """Three seconds before the list is too old, when delivery first asks."""
        began.append(time.monotonic())
        obtained = tenant.run("dnc", "list", "--json").json[0]["obtained_at"]
        left = 3 - (time.monotonic() - began[0])
        return datetime.fromisoformat(obtained) + timedelta(days=31, seconds=-left)

    monkeypatch.setattr("dialfeed.steps.deliver.utc_now", thirty_days_later)
    content = table(*(f"{n},Ann,+1212555{n:04},,no,no" for n in range(101, 161)))
    outcome = run(tenant, "--rate", "2", "--batch-contacts", "1", content=content)
    assert outcome.code == 6
    assert 0 < len(tenant.stored) < 60
    monkeypatch.setattr("dialfeed.pipeline.utc_now", thirty_days_later)
    again = tenant.run("resume", outcome.json["run"], "--json")
    assert again.code == 6
    assert again.rows["failed"] == 60 - len(tenant.stored)
    monkeypatch.undo()
    update = tenant.run(
        "dnc", "update", "us-national", tenant.folder / "us-national.txt", "--obtained", f"{datetime.now(UTC):%Y-%m-%d}"
    )
    assert update.code == 0, update.err  # obtained anew; what is left is scrubbed anew
    rest = tenant.import_file(
        tenant.folder / "run" / "failed.csv", "--json", "--dnc", "us-national", "--run-dir", tenant.folder / "rest"
    )
    assert rest.code == 0
    assert len({contact["externalId"] for contact in tenant.stored}) == len(tenant.stored) == 60


def test_a_lost_key_stops_the_run_before_anything_is_sent(tenant: Tenant) -> None:
    add(tenant, LISTED)
    run(tenant)
    for key in (tenant.folder / "home" / "keys").glob("pseudonym-*.key"):
        key.unlink()
    before = len(tenant.stored)
    outcome = run(tenant, "--run-dir", str(tenant.folder / "again"), content=MIXED.replace("Ann", "Anna"))
    assert outcome.code == 1
    assert "backup" in outcome.err
    assert len(tenant.stored) == before


def test_a_rehearsal_against_lists_leaves_no_key_and_evidence_calls_it_one(tenant: Tenant) -> None:
    add(tenant, LISTED)
    home = tenant.folder / "home"
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert run(tenant, "--dry-run", "--run-dir", str(tenant.folder / "first")).code == 0
    after = {path: path.read_bytes() for path in home.rglob("*") if path.is_file() and path.suffix != ".pace1"}
    assert after == before
    found = tenant.run("evidence", LISTED, "--runs-dir", str(tenant.folder), "--json")
    assert (found.json["decided"], found.json["without_key"]) == ([], {})
    tenant.run("evidence", "--new-key")
    run(tenant, "--dry-run", "--run-dir", str(tenant.folder / "second"))
    found = tenant.run("evidence", LISTED, "--runs-dir", str(tenant.folder), "--json")
    assert [each["rehearsal"] for each in found.json["decided"]] == [True, True]
    assert "a rehearsal: nothing was sent" in tenant.run("evidence", LISTED, "--runs-dir", str(tenant.folder)).out


def test_evidence_finds_what_was_decided_about_a_number_on_a_day(tenant: Tenant) -> None:
    add(tenant, LISTED)
    outcome = run(tenant)
    day = outcome.json["run"][:8]
    on = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    found = tenant.run("evidence", "(212) 555-0100", "--default-country", "US", "--date", on, "--json")
    told = [(each["run"], each["row"], each["decision"], each["delivered"]) for each in found.json["decided"]]
    assert told == [(outcome.json["run"], 2, "block", True), (outcome.json["run"], 3, "block", False)]
    assert found.json["decided"][0]["reasons"] == ["suppressed.national_dnc:us-national"]
    assert found.json["decided"][0]["lists"][0]["list_id"] == "us-national"
    assert LISTED not in found.out
    words = tenant.run("evidence", LISTED).out
    assert (words.count("withheld: the contact was delivered without it"), words.count("not delivered")) == (1, 1)
    assert "    delivered\n" in tenant.run("evidence", CLEAR).out
    assert tenant.run("evidence", LISTED, "--date", "2020-01-01", "--json").code == 4


def test_evidence_finds_a_run_on_every_day_on_which_it_sent_contacts(tenant: Tenant) -> None:
    add(tenant, LISTED)
    run_id = run(tenant).json["run"]
    trail = Trail(tenant.folder / "run" / "audit.jsonl", run_id, lambda: datetime(2027, 1, 5, 1, tzinfo=UTC))
    trail.append("hold.released", operator="Ann")  # something was done to it on that day, and nothing was sent
    assert tenant.run("evidence", CLEAR, "--date", "2027-01-05", "--json").json["decided"] == []
    trail.append("batch.sent", batch=2, attempt=1, contacts=1)
    trail.close()
    found = tenant.run("evidence", CLEAR, "--date", "2027-01-05", "--json").json["decided"]
    assert [each["run"] for each in found] == [run_id]


def _changed(old: bytes, new: bytes) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        assert old in file.read_bytes()
        file.write_bytes(file.read_bytes().replace(old, new))

    return change


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("decisions.csv", _changed(b",block,", b",allow,")),
        ("decisions.csv", _changed(b"2,phone,", b"9,phone,")),
        ("decisions.csv", lambda file: file.write_bytes(b'\xff\x00"')),
        ("decisions.csv", lambda file: file.unlink()),
        ("decisions.csv", lambda file: file.write_bytes(b"")),
        ("evidence.json", _changed(b'"records"', b'"recordz"')),
        ("evidence.json", lambda file: file.write_bytes(b"{}")),
        ("evidence.json", lambda file: file.write_bytes(b"no JSON")),
        ("audit.jsonl", _changed(b'"event":"scrub.done"', b'"event":"scrub.dons"')),
        ("audit.jsonl", lambda file: file.unlink()),
    ],
)
def test_evidence_that_was_changed_is_named_and_hides_nothing_of_other_runs(
    tenant: Tenant, file: str, damage: Callable[[Path], object]
) -> None:
    add(tenant, LISTED)
    first = run(tenant, "--insist", "all", "--run-dir", str(tenant.folder / "first")).json["run"]
    second = run(tenant, "--insist", "all", "--run-dir", str(tenant.folder / "second")).json["run"]
    whole = tenant.run("evidence", LISTED, "--json")
    assert (whole.code, whole.json["not_as_written"]) == (0, {})
    damage(tenant.folder / "first" / file)
    found = tenant.run("evidence", LISTED, "--json")
    assert (found.code, list(found.json["not_as_written"])) == (7, [first])
    assert second in {each["run"] for each in found.json["decided"]}
    assert f"run {first} is NOT AS IT WAS WRITTEN" in tenant.run("evidence", LISTED).out
    assert tenant.run("audit", "verify", tenant.folder / "first").code in {7, 1}
    assert tenant.run("evidence", LISTED, "--date", "2020-01-01").code == 4


def test_a_run_that_is_gone_shows_and_so_does_a_record_that_was_written_anew_with_its_trail(tenant: Tenant) -> None:
    add(tenant, LISTED)
    runs = [run(tenant, "--insist", "all", "--run-dir", str(tenant.folder / name)).json["run"] for name in "abc"]
    home = tenant.folder / "home"
    lines = [json.loads(line) for line in (home / "records.jsonl").read_bytes().splitlines()]
    assert [line["of"] for line in lines] == runs
    told = [json.loads((tenant.folder / name / "evidence.json").read_bytes()) for name in "abc"]
    assert [record["previous_record"] for record in told] == ["0" * 64, lines[0]["hash"], lines[1]["hash"]]
    (tenant.folder / "a" / "summary.json").unlink()  # as of a run whose process was killed
    assert tenant.run("evidence", LISTED, "--json").json["gaps"] == []

    shutil.rmtree(tenant.folder / "b")
    found = tenant.run("evidence", LISTED)
    assert f"The record of run {runs[1]} is not found" in found.out
    assert found.code == 0, "what is there is as it was written"
    other = tenant.run("evidence", LISTED, "--date", "2020-01-01", "--json")
    assert other.json["gaps"] == []

    forged = tenant.folder / "c"
    _changed(b'"topic"', b'"tapic"')(forged / "evidence.json")
    (forged / "audit.jsonl").unlink()
    (forged / "summary.json").unlink()
    trail = Trail(forged / "audit.jsonl", runs[2])
    sealed = {f"{name}_sha256": sha256_of(next(forged.glob(f"{name}.*"))) for name in ("evidence", "decisions")}
    trail.append("scrub.done", **sealed)
    trail.close()
    assert tenant.run("audit", "verify", forged).code == 0, "the run's own files agree"
    assert list(tenant.run("evidence", LISTED, "--json").json["not_as_written"]) == [runs[2]]

    (home / "records.jsonl").write_bytes(b"".join((home / "records.jsonl").read_bytes().splitlines(keepends=True)[1:]))
    assert "line 1 of records.jsonl does not follow" in tenant.run("evidence", LISTED).out
    assert tenant.run("audit", "verify", home / "records.jsonl").code == 7
    (home / "records.jsonl").write_bytes(b"[1]\n")
    assert "line 1 of records.jsonl is not a line of an audit trail" in tenant.run("evidence", LISTED).out


def test_a_run_that_was_purged_whole_leaves_no_gap(tenant: Tenant) -> None:
    add(tenant, LISTED)
    run_id = run(tenant).json["run"]
    purged = tenant.run("purge", run_id, "--evidence-older-than", "0d", "--even-open", "--json")
    assert [each["action"] for each in purged.json] == ["removed"], purged.err
    told = [json.loads(line) for line in (tenant.folder / "home" / "records.jsonl").read_bytes().splitlines()]
    assert [(line["event"], line["of"]) for line in told] == [("record.kept", run_id), ("record.removed", run_id)]
    assert tenant.run("evidence", LISTED, "--json").json["gaps"] == []


def test_runs_that_leave_their_records_at_once_make_one_chain(tmp_path: Path) -> None:
    def leave(number: int) -> None:
        with shared_trail(tmp_path / "records.jsonl") as records:
            records.append("record.kept", of=f"run-{number}", evidence_sha256="0" * 64)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(leave, range(40)))
    records = read_records(tmp_path)
    assert (records.problems, set(records.kept)) == ((), {f"run-{number}" for number in range(40)})


def test_an_opt_out_that_came_in_later_is_sealed_as_well_and_a_copy_of_the_trail_alone_is_whole(tenant: Tenant) -> None:
    add(tenant, LISTED)
    run(tenant)
    folder = tenant.folder / "run"
    sealed = sha256_of(folder / "decisions.csv")
    trail = Trail(folder / "audit.jsonl", "run")
    trail.append("optouts.recorded", sha256=sealed, lines=1, reasons={})
    trail.close()
    copy = tenant.write((folder / "audit.jsonl").read_bytes(), "audit.jsonl")
    last = {each.sentence for each in changed_since_sealed(folder / "audit.jsonl")}
    assert last == {"seals optouts.csv, which is not there"}
    (folder / "optouts.csv").write_bytes((folder / "decisions.csv").read_bytes())
    assert list(changed_since_sealed(folder / "audit.jsonl")) == []
    (folder / "optouts.csv").write_bytes(b"row\n")
    assert tenant.run("audit", "verify", folder / "audit.jsonl").code == 7
    assert "optouts.csv" not in tenant.run("audit", "verify", copy).out


def test_evidence_says_what_it_cannot_look_up(tenant: Tenant) -> None:
    tenant.import_file(tenant.write(MIXED), "--run-dir", tenant.folder / "without")
    add(tenant, LISTED)
    first = run(tenant, "--insist", "all", "--run-dir", str(tenant.folder / "first"))
    assert tenant.run("evidence", "--new-key").code == 0
    (tenant.folder / "home" / "keys" / f"pseudonym-{first.json['scrub']['key_id']}.key").unlink()
    found = tenant.run("evidence", CLEAR, "--json")
    assert found.code == 4
    assert found.json["without_key"] == {first.json["run"]: first.json["scrub"]["key_id"]}
    assert len(found.json["without_evidence"]) == 1
    assert tenant.run("evidence", "12").code == 1


PLACES = "externalId,phone,email,zip,state,doNotCall,doNotEmail\n"


def test_calling_hours_are_sent_in_columns_of_their_own_and_stand_in_the_evidence(tenant: Tenant) -> None:
    add(tenant, LISTED)
    content = f"{PLACES}1,{CLEAR},,10001,NY,no,no\n2,{LISTED},a@example.com,10001,NY,no,no\n"
    outcome = run(tenant, "--calling-hours", "send", "--calling-day", "2026-07-15", content=content)
    assert outcome.code == 0, outcome.err
    called, written = tenant.stored
    assert called["timeZone"] == "America/New_York"
    assert called["callableFrom"] == "2026-07-15T12:00Z"  # 8 in the morning, in summer
    assert called["callableFrom"] < called["callableUntil"] <= "2026-07-16T01:00Z"
    assert written.get("callableFrom") is None, "who is not called has no hours"
    assert decisions(tenant)[0]["window"] == f"{called['callableFrom']}/{called['callableUntil']}"
    assert outcome.json["scrub"]["hours"]["day"] == "2026-07-15"
    delivered = (tenant.folder / "run" / "delivered.csv").read_text().splitlines()[0]
    assert "callableFrom" in delivered


def test_a_place_that_is_not_certain_is_allowed_with_limits_and_told(tenant: Tenant) -> None:
    add(tenant, "+12195550100", covers="219")
    outcome = run(tenant, content=table("1,Ann,+12195550101,,no,no"))
    assert outcome.code == 0, outcome.err
    line = decisions(tenant)[0]
    assert (line["decision"], line["reasons"]) == ("allow_with_limits", "hours.narrowed")
    assert any(code.startswith("hours.") for code in outcome.json["warnings"])
    assert "callableFrom" not in tenant.stored[0]


def test_the_sources_own_time_zone_stays_and_too_many_columns_are_refused(tenant: Tenant) -> None:
    content = f"phone,timeZone,doNotCall,doNotEmail\n{CLEAR},America/Chicago,no,no\n"
    flags = ["--calling-hours", "send", "--calling-day", "2026-07-15"]
    outcome = tenant.import_file(tenant.write(content), "--json", *flags)
    assert outcome.code == 0, outcome.err
    assert tenant.stored[0]["timeZone"] == "America/Chicago"
    refused = tenant.import_file(
        tenant.write(content), *flags, "--max-columns", "5", "--run-dir", tenant.folder / "again", "--insist", "all"
    )
    assert (refused.code, len(tenant.stored)) == (1, 1)


def test_dnc_check_says_what_a_run_would_decide_today(tenant: Tenant) -> None:
    add(tenant, LISTED)
    for number, decision, reasons in (
        (LISTED, "block", ["suppressed.national_dnc:us-national"]),
        (CLEAR, "allow", []),
        (CANADIAN, "not_checked", ["suppressed.no_list_covers"]),
    ):
        told = tenant.run("dnc", "check", number, "--dnc", "us-national", "--json").json
        assert (told["decision"], told["reasons"]) == (decision, reasons)
    assert "would decide today: allow" in tenant.run("dnc", "check", CLEAR).out


def test_a_file_without_one_row_that_is_fit_to_load_is_scrubbed_like_any_other(tenant: Tenant) -> None:
    add(tenant, LISTED)
    outcome = run(tenant, "--max-rejected", "100%", content=table("1,Ann,12,,no,no"))
    assert (outcome.code, outcome.rows["invalid"]) == (4, 1)


def test_contacts_that_were_prepared_are_refused_when_their_scrub_has_expired(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(tenant, LISTED)
    prepared = tenant.run(
        "validate", tenant.write(MIXED), "--dnc", "us-national", "--run-dir", tenant.folder / "prepared"
    )
    assert prepared.code == 0, prepared.err
    monkeypatch.setattr("dialfeed.steps.scrubbing.utc_now", lambda: datetime.now(UTC) + timedelta(days=31))
    refused = tenant.import_file(tenant.folder / "prepared" / "ready.csv")
    assert (refused.code, tenant.stored) == (6, [])
    assert "--dnc" in refused.err


@pytest.mark.parametrize("damaged", ["", "{}", "[]", '{"valid_until": "soon"}', '{"valid_until": 7}'])
def test_contacts_that_were_prepared_are_refused_when_nobody_can_tell_until_when_their_scrub_was_valid(
    tenant: Tenant, damaged: str
) -> None:
    add(tenant, LISTED)
    folder = tenant.folder / "prepared"
    assert tenant.run("validate", tenant.write(MIXED), "--dnc", "us-national", "--run-dir", folder).code == 0
    (folder / "evidence.json").write_text(damaged)
    refused = tenant.import_file(folder / "ready.csv")
    assert (refused.code, tenant.stored) == (6, [])
    assert "evidence.json cannot be read" in refused.err


def test_an_address_on_a_suppression_list_is_not_written_to_and_has_its_evidence(tenant: Tenant) -> None:
    file = tenant.write("Ann@Example.com\n", "unsubscribed.txt")
    added = tenant.run(
        *("dnc", "add", file, "--id", "unsubscribed", "--authority", "custom", "--channel", "email"),
        *("--obtained", f"{datetime.now(UTC):%Y-%m-%d}"),
    )
    assert added.code == 0, added.err
    numbers_leave = ("--uncovered", "allow", "--because", "numbers are scrubbed by the dialer")
    outcome = tenant.import_file(tenant.write(MIXED), "--json", "--dnc", "unsubscribed", *numbers_leave)
    assert outcome.json["warnings"] == {"withheld.email_suppressed": 1, "exempt.uncovered": 5}
    assert [contact.get("email") for contact in tenant.stored] == [None] * 5
    found = tenant.run("evidence", "ANN@example.com")
    assert (found.code, "suppressed.email_suppressed (list unsubscribed)" in found.out) == (0, True)


@pytest.mark.parametrize(("channel", "line"), [("email", "nobody@example.com"), ("account", "Z")])
def test_no_number_is_cleared_by_a_list_that_holds_none(tenant: Tenant, channel: str, line: str) -> None:
    own = ("--id", "own", "--authority", "custom", "--channel", channel, "--obtained", f"{datetime.now(UTC):%Y-%m-%d}")
    assert tenant.run("dnc", "add", tenant.write(f"{line}\n", "own.txt"), *own).code == 0
    outcome = tenant.import_file(tenant.write(MIXED), "--json", "--dnc", "own")
    assert [(contact.get("phone"), contact.get("email")) for contact in tenant.stored] == [(None, "ann@example.com")]
    assert outcome.json["reasons"] == {"suppressed.no_list_covers": 4}
    told = [(line["column"], line["decision"], line["reasons"]) for line in decisions(tenant)]
    assert told.count(("phone", "not_checked", "suppressed.no_list_covers")) == 5


def test_a_list_of_accounts_needs_the_column_that_holds_them(tenant: Tenant) -> None:
    own = (
        "--id",
        "own",
        "--authority",
        "custom",
        "--channel",
        "account",
        "--obtained",
        f"{datetime.now(UTC):%Y-%m-%d}",
    )
    assert tenant.run("dnc", "add", tenant.write("1\n", "own.txt"), *own).code == 0
    without = MIXED.replace("externalId", "customer", 1)
    refused = tenant.import_file(tenant.write(without), "--dnc", "own")
    assert (refused.code, "no column of the file is externalId" in refused.err, tenant.stored) == (1, True, [])


def test_a_mended_row_is_not_spent_on_a_list_that_cannot_be_used(tenant: Tenant) -> None:
    add(tenant, LISTED)
    first = run(tenant, "--max-rejected", "1", content=table("1,Ann,12,,no,no", f"2,Ben,{CLEAR},,no,no"))
    tenant.run("dnc", "remove", "us-national", "--because", "a test")
    mended = tenant.write(f"_row,{HEADER}\n2,1,Ann,+12125550107,,no,no\n", "mended.csv")
    refused = tenant.run("retry", first.json["run"], mended, "--json")
    assert refused.code == 6
    add(tenant, LISTED)
    assert tenant.run("retry", first.json["run"], mended, "--json").rows["delivered"] == 1


def test_what_a_list_should_have_cleared_is_given_in_again_when_it_is_there(tenant: Tenant) -> None:
    outcome = run(tenant)
    assert (outcome.code, outcome.rows["delivered"]) == (4, 0)
    assert "suppressed.csv" in outcome.json["next"]
    add(tenant, LISTED, covers="212")
    again = tenant.import_file(
        tenant.folder / "run" / "suppressed.csv",
        *("--json", "--dnc", "us-national", "--insist", "all", "--accept-drift", "--run-dir", tenant.folder / "again"),
    )
    assert again.rows["delivered"] == 2


WITH_MOBILE = f"externalId,phone,{{}},email,doNotCall,doNotEmail\n1,{CLEAR},{LISTED},ann@example.com,no,no\n"


@pytest.mark.parametrize("name", ["mobile", "Phone 2", "Teléfono móvil"])
def test_no_number_leaves_in_a_column_that_the_lists_were_not_asked_about(tenant: Tenant, name: str) -> None:
    add(tenant, LISTED)
    outcome = run(tenant, content=WITH_MOBILE.format(name))
    assert outcome.code == 1
    assert f'"{name}" (column 3) holds phone numbers' in outcome.json["error"]
    assert '--phone-order "#2,#3"' in outcome.err
    assert tenant.stored == []
    flags = ("--run-dir", str(tenant.folder / "second"), "--phone-order", "#2,#3")
    again = run(tenant, *flags, content=WITH_MOBILE.format(name))
    assert again.code == 0
    assert phones(tenant) == [CLEAR]
    assert LISTED not in json.dumps(tenant.stored)


def test_numbers_in_a_column_of_any_name_are_found_by_its_values(tenant: Tenant) -> None:
    add(tenant, LISTED)
    rows = "".join(f"{n},{CLEAR},+1212555{110 + n:04},no,no\n" for n in range(5))
    content = f"externalId,phone,Kontakt B,doNotCall,doNotEmail\n{rows}"
    assert "holds phone numbers" in run(tenant, content=content).json["error"]


@pytest.mark.parametrize("where", ["standard input", "database", "pattern"])
def test_they_are_found_wherever_the_rows_come_from(tenant: Tenant, where: str) -> None:
    add(tenant, LISTED)
    rows = [(n, CLEAR, f"+1212555{110 + n:04}", "no", "no") for n in range(5)]
    header = ("externalId", "phone", "Kontakt B", "doNotCall", "doNotEmail")
    content = "\n".join(",".join(map(str, row)) for row in (header, *rows)) + "\n"
    flags = ("--list", tenant.list_id, "--dnc", "us-national", "--json", "--run-dir", tenant.folder / "run")
    source: tuple[str | Path, ...] = ("-",)
    if where == "pattern":
        tenant.write(content, "part-1.csv")
        tenant.write(content, "part-2.csv")
        source = (f"{tenant.folder}/part-*.csv",)
    if where == "database":
        with closing(sqlite3.connect(tenant.folder / "crm.db")) as database, database:
            columns = ", ".join(f'"{name}"' for name in header)
            database.execute(f"create table contacts ({columns})")
            database.executemany("insert into contacts values (?, ?, ?, ?, ?)", rows)
        source = (f"sqlite:///{tenant.folder}/crm.db", "--query", "select * from contacts")
    stdin = content.encode() if where == "standard input" else b""
    outcome = command.run("import", *source, *flags, env=tenant.env, stdin=stdin)
    assert outcome.code == 1
    assert '"Kontakt B" (column 3) holds phone numbers' in outcome.json["error"]
    assert tenant.stored == []


def test_they_are_found_where_they_begin_far_down(tenant: Tenant) -> None:
    add(tenant, LISTED)
    empty = "".join(f"{n},{CLEAR},,no,no\n" for n in range(1200))
    full = "".join(f"{n},{CLEAR},+1212555{n % 100 + 100:04},no,no\n" for n in range(1200, 2400))
    content = f"externalId,phone,Kontakt B,doNotCall,doNotEmail\n{empty}{full}"
    outcome = run(tenant, content=content)
    assert outcome.code == 1
    assert '"Kontakt B" (column 3) holds phone numbers' in outcome.json["error"]
    assert tenant.stored == []
    said = run(tenant, "--map", "Kontakt B=asIs", "--run-dir", str(tenant.folder / "again"), content=content)
    assert said.code == 0, said.err


def test_numbers_that_are_not_the_contacts_pass_once_that_is_said_and_it_is_remembered(tenant: Tenant) -> None:
    add(tenant, LISTED)
    said = run(tenant, "--map", "mobile=asIs", content=WITH_MOBILE.format("mobile"))
    assert said.code == 0
    assert [contact["mobile"] for contact in tenant.stored] == [LISTED]
    changed = WITH_MOBILE.format("mobile").replace("ann@", "eve@")
    assert run(tenant, "--run-dir", str(tenant.folder / "second"), content=changed).code == 0
    assert "as it is" in tenant.run("map", tenant.folder / "contacts.csv").out


@pytest.mark.parametrize(("value", "code"), [("yes", 0), ("", 1), (LISTED, 1)])
def test_a_column_called_mobile_that_holds_no_number_passes(tenant: Tenant, value: str, code: int) -> None:
    add(tenant, LISTED)
    rows = "".join(f"{n},+1212555{110 + n:04},{value},no,no\n" for n in range(5))
    assert run(tenant, content=f"externalId,phone,mobile,doNotCall,doNotEmail\n{rows}").code == code


def test_without_a_list_a_column_that_passes_unasked_is_told(tenant: Tenant) -> None:
    outcome = tenant.import_file(tenant.write(WITH_MOBILE.format("mobile")), "--json")
    assert outcome.code == 0
    assert "header.passes_unasked" in [finding["code"] for finding in outcome.json["findings"]]
