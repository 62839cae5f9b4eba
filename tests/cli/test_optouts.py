"""An opt-out takes effect at once: also for contacts that were scrubbed before it came, and not sent yet."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import command
import pytest
from tenant import Tenant
from waiting import wait_for

from dialfeed.audit.check import check
from dialfeed.sandbox import Fault, FaultPlan

HEADER = "externalId,phone,email,doNotCall,doNotEmail\n"
TOTAL = 400
FLAGS = ("--dnc", "internal", "--batch-contacts", "10", "--json")
SLOW = ("--rate", "10")
"""Four seconds for all, and somebody to opt out in the middle of them."""

CODE = "suppressed.opted_out_since"


def phone(number: int) -> str:
    return f"+1{212 + number // 100}555{100 + number % 100:04}"


def mail(number: int) -> str:
    return f"person{number}@example.com"


@pytest.fixture
def file(tenant: Tenant) -> Path:
    assert opt_out(tenant, "+16465550199") == 0
    lines = (f"{n},{phone(n)},{mail(n)},no,no\n" for n in range(TOTAL))
    return tenant.write(HEADER + "".join(lines))


def opt_out(tenant: Tenant, *who: str, lines: bytes = b"") -> int:
    """In a process of its own, where others are under way; `lines` as a stream."""
    return command.run("dnc", "add", "--internal", *who, env=tenant.env, stdin=lines).code


def stored(tenant: Tenant) -> set[int]:
    return {int(contact["externalId"]) for contact in tenant.stored}


def rows(tenant: Tenant, name: str, folder: str = "run") -> list[dict[str, str]]:
    with (tenant.folder / folder / name).open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def told(tenant: Tenant, folder: str = "run") -> dict[str, Any]:
    """The summary, of which the equation holds, and the trail's end."""
    summary: dict[str, Any] = json.loads((tenant.folder / folder / "summary.json").read_bytes())
    assert summary["rows"]["read"] == sum(count for name, count in summary["rows"].items() if name != "read")
    lines = (tenant.folder / folder / "audit.jsonl").read_bytes().splitlines(keepends=True)
    assert check(lines, last_hash=summary["audit_hash"]).whole
    return summary


def events(tenant: Tenant, name: str) -> list[dict[str, Any]]:
    lines = (tenant.folder / "run" / "audit.jsonl").read_text().splitlines()
    return [line for line in map(json.loads, lines) if line["event"] == name]


@contextmanager
def importing(tenant: Tenant, file: Path, *flags: str) -> Iterator[list[command.Outcome]]:
    """An import in another process while the block is run, once it has delivered something; then its end."""
    where = ("--list", tenant.list_id, "--run-dir", tenant.folder / "run")
    process = command.start("import", file, *where, *FLAGS, *flags, env=tenant.env, cwd=tenant.folder)
    ended: list[command.Outcome] = []
    try:
        wait_for(lambda: bool(stored(tenant)) or process.poll() is not None)
        yield ended
        out, err = process.communicate(timeout=60)
        ended.append(command.Outcome(process.returncode, out, err))
    finally:
        process.kill()
        process.communicate()


def test_nobody_is_sent_who_has_opted_out_in_another_process_while_the_run_delivers(tenant: Tenant, file: Path) -> None:
    stream = json.dumps({"number": phone(390), "channel": "all"}).encode() + b"\n" + mail(380).encode() + b"\n"
    with importing(tenant, file, *SLOW) as ended:
        assert opt_out(tenant, "-", lines=stream) == 0
        assert opt_out(tenant, phone(395)) == 0
        before = stored(tenant)
    assert max(before) < 370, "there was time"
    (outcome,) = ended
    assert outcome.code == 0, outcome.err
    assert stored(tenant) == set(range(TOTAL)) - {380, 390, 395}
    summary = told(tenant)
    assert {name: count for name, count in summary["rows"].items() if count} == {
        "read": TOTAL, "delivered": TOTAL - 3, "suppressed": 3,
    }  # fmt: skip
    assert summary["reasons"] == {CODE: 3}
    assert [
        (row["externalId"], row["phone"], row["_row"], row["_field"], row["_code"])
        for row in rows(tenant, "suppressed.csv")
    ] == [
        ("380", phone(380), "382", "email", CODE),
        ("390", phone(390), "392", "email; phone", CODE),
        ("395", phone(395), "397", "phone", CODE),
    ]
    assert not summary["findings"]
    assert sum(event["contacts"] for event in events(tenant, "contacts.suppressed")) == 3
    assert tenant.run("verify", tenant.folder / "run").code == 0


def test_the_decision_is_evidence_and_can_be_looked_up_by_the_number(tenant: Tenant, file: Path) -> None:
    with importing(tenant, file, *SLOW):
        assert opt_out(tenant, phone(395)) == 0
    kept = (tenant.folder / "run" / "optouts.csv").read_bytes()
    assert phone(395).strip("+").encode() not in kept
    (recorded,) = events(tenant, "optouts.recorded")
    assert (recorded["lines"], recorded["sha256"]) == (1, hashlib.sha256(kept).hexdigest())
    found = tenant.run("evidence", phone(395), "--runs-dir", str(tenant.folder), "--json").json["decided"]
    assert [(each["decision"], each["reasons"], each["delivered"]) for each in found] == [
        ("allow_with_limits", ["hours.narrowed"], False),
        ("block", ["suppressed.internal_dnc:internal"], False),
    ]
    assert found[0]["at"] < found[1]["at"] < events(tenant, "run.finished")[0]["time"]
    shown = tenant.run("evidence", phone(395), "--runs-dir", str(tenant.folder)).out
    assert "row 397, phone: block" in shown


def test_what_is_left_of_a_run_is_held_against_the_list_as_it_is_when_it_goes_on(tenant: Tenant, file: Path) -> None:
    """Batches that were cut before and did not arrive, too: `--retries 0` leaves them to the next process."""
    tenant.sandbox.set_faults(FaultPlan(rules=(Fault("cut_during_upload", every=1, size=1),)))
    first = tenant.import_file(file, *FLAGS, "--retries", "0", "--count-lag", "0.5", "--settle-grace", "0.2")
    assert first.code == 3, first.err
    cut = {int(row["externalId"]) for row in rows(tenant, "failed.csv")}
    assert 5 in cut
    assert 395 in cut
    assert opt_out(tenant, phone(5), phone(395)) == 0
    tenant.sandbox.set_faults(FaultPlan())
    again = tenant.run("resume", tenant.folder / "run", "--json")
    assert again.code == 0, again.err
    assert stored(tenant) == set(range(TOTAL)) - {5, 395}
    assert again.json["reasons"] == {CODE: 2}
    assert [row["externalId"] for row in rows(tenant, "suppressed.csv")] == ["5", "395"]
    assert told(tenant)["rows"]["suppressed"] == 2


CODES = {"litigator": "litigator", "custom": "custom_list", "internal": "internal_dnc"}


@pytest.mark.parametrize("authority", CODES)
def test_a_run_does_not_go_on_when_a_list_of_the_companys_own_was_loaded_anew(
    tenant: Tenant, file: Path, authority: str
) -> None:
    """Such a list does not age, so a run could go on for ever with what it said once."""
    obtained = ("--obtained", "2026-11-20")
    numbers = tenant.write(f"{phone(5)}\n", "own.txt")
    assert tenant.run("dnc", "add", numbers, "--id", "own", "--authority", authority, *obtained).code == 0
    flags = ("--dnc", "own", "--rate", "10", "--batch-contacts", "20", "--json")
    first = tenant.import_file(file, *flags, "--deadline", "0.5")
    assert (first.code, first.json["warnings"][f"withheld.{CODES[authority]}"]) == (3, 1), first.err
    again = tenant.run("resume", tenant.folder / "run", "--json", "--deadline", "0.001")
    assert again.code == 3, "as long as the list is as it was, the run goes on"
    tenant.write(f"{phone(5)}\n{phone(395)}\n", "own.txt")
    assert tenant.run("dnc", "update", "own", numbers, *obtained).code == 0
    sent = stored(tenant)
    again = tenant.run("resume", tenant.folder / "run", "--json", "--deadline", "60")
    assert (again.code, stored(tenant), 395 in sent) == (6, sent, False)
    rest = tenant.import_file(tenant.folder / "run" / "failed.csv", *flags, "--run-dir", tenant.folder / "rest")
    assert rest.code == 0, rest.err
    assert {contact.get("phone") for contact in tenant.stored} & {phone(5), phone(395)} == set()
    assert stored(tenant) == set(range(TOTAL)), "each has an address left"


def test_an_opt_out_that_counts_only_by_the_day_on_which_the_run_goes_on_is_in_force(
    tenant: Tenant, file: Path
) -> None:
    """From that day on an opt-out for one topic counts for all; the list itself is as it was."""
    assert opt_out(tenant, "-", lines=json.dumps({"number": phone(395), "topic": "solar"}).encode()) == 0
    day = datetime.now(UTC) + timedelta(days=3)
    topic = ("--topic", "wind", "--revoke-all-from", f"{day:%Y-%m-%d}")
    assert tenant.import_file(file, *FLAGS, "--deadline", "1", *topic, *SLOW).code == 3
    with mock.patch("dialfeed.steps.scrubbing.utc_now", return_value=day + timedelta(days=1)):
        again = tenant.run("resume", tenant.folder / "run", "--json", "--deadline", "60")
    assert again.rows["suppressed"] == 1, again.err
    assert stored(tenant) == set(range(TOTAL)) - {395}


def test_rows_that_the_scrub_suppressed_stay_before_those_that_opted_out_however_often_it_is_recorded(
    tenant: Tenant, file: Path
) -> None:
    assert opt_out(tenant, phone(1), mail(1), phone(2)) == 0
    first = tenant.import_file(file, *FLAGS, "--deadline", "1", *SLOW)
    assert first.code == 3, first.err
    assert [row["externalId"] for row in rows(tenant, "suppressed.csv")] == ["1"]
    expected = ["1"]
    for deadline in ("1", "60"):
        expected.append(rows(tenant, "failed.csv")[0]["externalId"])
        assert opt_out(tenant, phone(int(expected[-1]))) == 0
        tenant.run("resume", tenant.folder / "run", "--json", "--deadline", deadline)
        assert [row["externalId"] for row in rows(tenant, "suppressed.csv")] == expected
    summary = told(tenant)
    assert summary["rows"]["suppressed"] == 3
    assert summary["reasons"] == {"suppressed.internal_dnc": 1, CODE: 2}
    assert summary["status"] == "SUCCESS"


def test_who_was_suppressed_for_one_channel_is_loaded_for_the_other_by_importing_the_file_again(
    tenant: Tenant, file: Path
) -> None:
    with importing(tenant, file, *SLOW):
        assert opt_out(tenant, phone(395)) == 0
    again = tenant.import_file(
        tenant.folder / "run" / "suppressed.csv", "--dnc", "internal", "--json", "--run-dir", tenant.folder / "again"
    )
    assert again.rows["delivered"] == 1, again.err
    (contact,) = [each for each in tenant.stored if each["externalId"] == "395"]
    assert (contact.get("phone"), contact["email"]) == (None, mail(395))


def test_a_list_that_is_lost_while_the_run_delivers_stops_it(tenant: Tenant, file: Path) -> None:
    with importing(tenant, file, *SLOW, "--in-flight", "2") as ended:
        removed = tenant.run("dnc", "remove", "internal", "--because", "a mistake")
        assert removed.code == 0, removed.err
        before = stored(tenant)
    (outcome,) = ended
    assert outcome.code == 6, outcome.err
    assert "nothing more is sent" in outcome.json["error"]
    left = stored(tenant)
    assert len(left) - len(before) <= 2 * 10, "but for the batches that were being written"
    summary = told(tenant)
    assert summary["rows"]["delivered"] == len(left) < TOTAL
    assert summary["rows"]["failed"] == TOTAL - len(left)
    opt_out(tenant, "+16465550199")
    again = tenant.import_file(
        tenant.folder / "run" / "failed.csv", "--dnc", "internal", "--json", "--run-dir", tenant.folder / "again"
    )
    assert again.code == 0, again.err
    assert len(tenant.stored) == TOTAL


def test_a_run_whose_list_was_lost_is_settled_without_it_and_goes_on_when_it_is_back(
    tenant: Tenant, file: Path
) -> None:
    lost = Fault("status", status=502, at=(1,), when="after_write")
    blind = Fault("status", status=500, target="count", every=1, after=2)
    tenant.sandbox.set_faults(FaultPlan(rules=(lost, blind)))
    quick = ("--count-lag", "0.5", "--settle-grace", "0.2")
    with importing(tenant, file, *SLOW, *quick) as ended:
        assert tenant.run("dnc", "remove", "internal", "--because", "a mistake").code == 0
    (outcome,) = ended
    assert (outcome.code, outcome.json["next"]) == (6, f"dialfeed settle {outcome.json['run']}")
    assert outcome.rows["unknown"] == 10
    tenant.sandbox.set_faults(FaultPlan())
    left = stored(tenant)
    run = tenant.folder / "run"
    settled = tenant.run("settle", run, "--json", *quick, "--count-lag", "2")
    assert (settled.rows["unknown"], settled.rows["delivered"]) == (0, len(left))
    assert stored(tenant) == left
    assert opt_out(tenant, phone(399)) == 0
    resumed = tenant.run("resume", run, "--json", *quick)
    assert resumed.code == 0, resumed.err
    assert len(tenant.stored) == TOTAL - 1
    assert stored(tenant) == set(range(TOTAL - 1))


def test_how_many_were_held_back_is_told_while_the_run_goes_on_and_after_it(tenant: Tenant, file: Path) -> None:
    with importing(tenant, file, *SLOW):
        assert opt_out(tenant, phone(60), phone(61)) == 0
        wait_for(lambda: tenant.run("status", tenant.folder / "run", "--json").json["contacts"]["suppressed"] == 2)
    assert CODE in (tenant.folder / "run" / "report.html").read_text("utf-8")
    listed = tenant.run("runs", "--runs-dir", str(tenant.folder), "--json").json
    assert [each["rows"]["suppressed"] for each in listed] == [2]


@pytest.mark.usefixtures("file")
def test_mended_rows_are_not_sent_either_once_somebody_has_opted_out(tenant: Tenant) -> None:
    """A retry is a run of its own, with its own scrub; what it leaves is held against the list when it is resumed."""
    lines = [f"{n},{'oops' if n < 100 else phone(n)},,no,no\n" for n in range(120)]
    assert tenant.import_file(tenant.write(HEADER + "".join(lines)), *FLAGS, "--max-rejected", "100%").code == 4
    mended = tenant.folder / "mended.csv"
    text = (tenant.folder / "run" / "rejected.csv").read_text()
    for n in range(100):
        text = text.replace(f"\n{n},oops,", f"\n{n},{phone(n)},")
    mended.write_text(text)
    first = tenant.run("retry", tenant.folder / "run", mended, "--json", "--deadline", "0.4", "--rate", "10")
    assert first.code == 3, first.err
    assert opt_out(tenant, phone(95)) == 0
    again = tenant.run("resume", first.json["folder"], "--json", "--deadline", "60")
    assert again.code == 0, again.err
    assert {name: count for name, count in again.rows.items() if count} == {
        "read": 100, "delivered": 99, "suppressed": 1,
    }  # fmt: skip
    assert stored(tenant) == set(range(120)) - {95}
    summary = told(tenant)
    assert {name: count for name, count in summary["rows"].items() if count} == {
        "read": 120, "delivered": 119, "suppressed": 1,
    }  # fmt: skip
