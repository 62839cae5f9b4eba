"""The main job, end to end against the sandbox: what is read, sent, kept out, and told."""

from __future__ import annotations

import csv
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from tenant import Tenant

import dialfeed
from dialfeed.audit.check import check
from dialfeed.demo import HEADER, made_up_rows, write_demo_file
from dialfeed.steps.record import Recorder

FIELDS = ["externalId", "firstName", "lastName", "phone", "email", "countryCode", "doNotCall", "doNotEmail"]


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def line(**cells: str) -> str:
    whole = {
        "externalId": "", "firstName": "", "lastName": "", "phone": "", "email": "", "countryCode": "",
        "doNotCall": "no", "doNotEmail": "no",
    } | cells  # fmt: skip
    return ",".join(whole[name] for name in FIELDS) + "\n"


def table(*lines: str) -> str:
    return ",".join(FIELDS) + "\n" + "".join(lines)


def test_every_row_of_the_demonstration_ends_in_one_bucket_and_one_file(tenant: Tenant) -> None:
    file = tenant.folder / "contacts.csv"
    write_demo_file(file, 2500)
    outcome = tenant.import_file(file, "--default-country", "US", "--max-rejected", "50%", "--json")
    assert outcome.code == 4
    summary, rows = outcome.json, outcome.rows
    assert rows["read"] == 2500 == sum(count for name, count in rows.items() if name != "read")
    run = tenant.folder / "run"
    files = {
        "delivered": "delivered.csv", "duplicate": "duplicates.csv", "invalid": "rejected.csv",
        "suppressed": "suppressed.csv", "refused": "refused.csv", "unknown": "unknown.csv", "failed": "failed.csv",
    }  # fmt: skip
    numbers: list[str] = []
    for bucket, name in files.items():
        found = [row["_row"] for row in read_csv(run / name)]
        assert len(found) == rows[bucket], bucket
        numbers += found
    assert sorted(map(int, numbers)) == list(range(2, 2502))
    assert json.loads((run / "summary.json").read_text()) == summary
    assert summary["platform_count"] == {"before": 0, "after": rows["delivered"]}
    assert len(tenant.stored) == rows["delivered"]


def test_what_is_delivered_is_what_the_platform_stored(tenant: Tenant) -> None:
    file = tenant.folder / "contacts.csv"
    write_demo_file(file, 400)
    assert tenant.import_file(file, "--default-country", "US", "--max-rejected", "50%").code == 4
    delivered = read_csv(tenant.folder / "run" / "delivered.csv")
    columns = [*FIELDS, "Branch"]
    told = sorted(tuple(row[name] for name in columns) for row in delivered)
    stored = sorted(tuple(_as_text(contact.get(name)) for name in columns) for contact in tenant.stored)
    assert told == stored
    ids = {contact["id"] for contact in tenant.stored}
    assert {row["_id"] for row in delivered} == ids


def _as_text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else value


def test_a_rejected_row_comes_back_as_it_was_with_all_its_faults(tenant: Tenant) -> None:
    bad = line(externalId=" 7 ", phone="12", email="nobody", countryCode="US", doNotCall="perhaps", doNotEmail="")
    good = "".join(line(externalId=str(n), phone=f"+1212555{100 + n:04}") for n in range(9))
    outcome = tenant.import_file(tenant.write(table(bad, good)), "--json")
    assert outcome.code == 4
    (row,) = read_csv(tenant.folder / "run" / "rejected.csv")
    assert row["externalId"] == " 7 "
    assert row["_row"] == "2"
    assert row["_field"] == "phone; email; doNotCall; doNotEmail"
    codes = row["_code"].split("; ")
    assert codes == ["phone.too_short", "email.no_at", "flag.unreadable", "flag.missing"]
    assert outcome.json["reasons"] == dict.fromkeys(sorted(codes), 1)
    assert "phone" in row["_message"].lower()


def test_a_rejected_file_mended_imports(tenant: Tenant) -> None:
    rows = [line(externalId=str(n), phone=f"+1212555{100 + n:04}" if n % 10 else "oops") for n in range(60)]
    assert tenant.import_file(tenant.write(table(*rows))).code == 4
    rejected = tenant.folder / "run" / "rejected.csv"
    mended = tenant.write(rejected.read_text().replace("oops", "+12125550199"), "mended.csv")
    outcome = tenant.import_file(mended, "--json", "--run-dir", tenant.folder / "second")
    assert outcome.code == 0
    assert outcome.rows["delivered"] == 6
    assert {len(contact) for contact in tenant.stored} == {5}, "our own columns are not contact columns"
    assert sorted(int(contact["externalId"]) for contact in tenant.stored) == list(range(60))


FLAGS = [
    # doNotCall, doNotEmail, phone, email → phone sent, email sent, suppressed
    ("no", "no", "+12125550100", "a@example.com", True, True, False),
    ("yes", "no", "+12125550100", "a@example.com", False, True, False),
    ("no", "yes", "+12125550100", "a@example.com", True, False, False),
    ("yes", "yes", "+12125550100", "a@example.com", False, False, True),
    ("yes", "no", "+12125550100", "", False, False, True),
    ("no", "yes", "", "a@example.com", False, False, True),
    ("no", "yes", "+12125550100", "", True, False, False),
]


@pytest.mark.parametrize("case", FLAGS)
def test_flags_withhold_a_channel_and_suppress_who_is_left_without_one(tenant: Tenant, case: tuple[Any, ...]) -> None:
    call, mail, phone, email, phone_sent, email_sent, suppressed = case
    file = tenant.write(table(line(phone=phone, email=email, doNotCall=call, doNotEmail=mail)))
    outcome = tenant.import_file(file, "--json")
    assert outcome.code == 0
    assert outcome.rows["suppressed"] == int(suppressed)
    assert [("phone" in each, "email" in each) for each in tenant.stored] == (
        [] if suppressed else [(phone_sent, email_sent)]
    )


def test_flagged_keep_sends_contacts_with_their_flags(tenant: Tenant) -> None:
    file = tenant.write(table(line(phone="+12125550100", doNotCall="TRUE")))
    outcome = tenant.import_file(file, "--json", "--flagged", "keep")
    assert outcome.json["policy"]["flagged"] == "keep"
    assert tenant.stored[0]["phone"] == "+12125550100"
    assert tenant.stored[0]["doNotCall"] is True


def test_duplicates_are_found_after_normalising_and_name_their_survivor(tenant: Tenant) -> None:
    rows = [
        line(externalId="1", phone="(212) 555-0100", email="Ada@Example.com", countryCode="US"),
        line(externalId="1", phone="+12125550100", email="ada@example.com", countryCode="US"),
        line(externalId="2", phone="+12125550100", email="ada@example.com", countryCode="US"),
        line(externalId="1", phone="1-212-555-0100", email=" ADA@EXAMPLE.COM", countryCode="USA"),
    ]
    outcome = tenant.import_file(tenant.write(table(*rows)), "--json")
    assert outcome.rows["delivered"] == 2
    found = read_csv(tenant.folder / "run" / "duplicates.csv")
    assert [(row["_row"], row["_survivor_row"]) for row in found] == [("3", "2"), ("5", "2")]


def test_a_rejected_or_suppressed_row_does_not_survive_as_the_first(tenant: Tenant) -> None:
    rows = [
        line(externalId="1", phone="+12125550100", doNotCall="maybe"),
        line(externalId="1", phone="+12125550100", doNotCall="no"),
        line(externalId="2", phone="+12125550101", doNotCall="yes"),
        line(externalId="2", phone="+12125550101", doNotCall="yes"),
    ]
    outcome = tenant.import_file(tenant.write(table(*rows)), "--json", "--max-rejected", "1")
    assert {name: count for name, count in outcome.rows.items() if count} == {
        "read": 4, "invalid": 1, "suppressed": 2, "delivered": 1,
    }  # fmt: skip


def test_the_guard_stops_a_wrong_file_with_nothing_sent(tenant: Tenant) -> None:
    rows = [line(externalId=str(n), phone="+12125550100" if n % 4 else "x") for n in range(100)]
    rows[1] = line(externalId="1", phone="+12125550199", doNotCall="true")
    file = tenant.write(table(*rows))
    outcome = tenant.import_file(file, "--json")
    assert outcome.code == 6
    assert outcome.json["status"] == "STOPPED"
    assert tenant.stored == []
    assert "25 of 100 rows are rejected (phone." in outcome.json["error"]
    assert "suppressed" not in outcome.json["error"]
    assert outcome.rows["read"] == sum(count for name, count in outcome.rows.items() if name != "read") == 100
    again = tenant.import_file(file, "--json", "--max-rejected", "25%", "--run-dir", tenant.folder / "again")
    assert again.code == 4
    assert len(tenant.stored) == 74


def test_a_rehearsal_moves_nothing_here_or_there(tenant: Tenant) -> None:
    file = tenant.write(table(*(line(externalId=str(n), phone=f"+1212555{100 + n:04}") for n in range(50))))
    outcome = tenant.import_file(file, "--dry-run", "--json")
    assert outcome.code == 0
    assert outcome.json["ready"] == 50
    assert tenant.stored == []
    assert not (tenant.folder / "home" / "runs").exists()
    assert not (tenant.folder / "home" / "locks").exists()
    assert not any("contacts" in route and method == "POST" for route, method in _requests(tenant))


def _requests(tenant: Tenant) -> list[tuple[str, str]]:
    return [(key, key.split(" ")[0]) for key in tenant.sandbox.stats()["requests"] if key.endswith("/contacts")]


def test_a_rehearsal_needs_no_platform(tenant: Tenant) -> None:
    file = tenant.write(table(line(phone="+12125550100")))
    outcome = tenant.import_file(file, "--dry-run", "--json", CXONE_BASE_URL="", CXONE_CLIENT_ID="")
    assert outcome.code == 0


def test_validate_writes_contacts_that_are_ready_to_load(tenant: Tenant) -> None:
    rows = [
        line(externalId="0012", firstName="José", phone="(212) 555-0100", email="A@EXAMPLE.COM", countryCode="usa"),
        line(phone="nothing"),
        line(externalId='say "hi", twice', email="=1+1@example.com", doNotEmail="F"),
    ]
    run = tenant.folder / "checked"
    file = tenant.write(table(*rows[:2], rows[2].replace('say "hi", twice', '"say ""hi"", twice"')))
    outcome = tenant.run("validate", file, "--run-dir", run, "--max-rejected", "1", "--json")
    assert outcome.code == 4
    assert (run / "ready.csv").read_text("utf-8").splitlines() == [
        "externalId,firstName,lastName,phone,email,countryCode,doNotCall,doNotEmail",
        "0012,José,,+12125550100,A@example.com,US,false,false",
        '"say ""hi"", twice",,,,=1+1@example.com,,false,false',
    ]
    ready = tenant.import_file(run / "ready.csv", "--json")
    assert ready.code == 0
    assert ready.rows["delivered"] == 2


def test_other_columns_pass_through_and_overrides_win(tenant: Tenant) -> None:
    content = "Ref,Handy,Festnetz,Loyalty Tier,doNotCall,doNotEmail\n9,+12125550100,+12125550101,gold,no,no\n"
    flags = ("--map", "Ref=externalId", "--map", "Festnetz=phone", "--map", "Handy=", "--json")
    outcome = tenant.import_file(tenant.write(content), *flags)
    assert outcome.code == 0, outcome.err
    (contact,) = tenant.stored
    assert {name: value for name, value in contact.items() if name != "id"} == {
        "externalId": "9", "phone": "+12125550101", "Loyalty Tier": "gold", "doNotCall": False, "doNotEmail": False,
    }  # fmt: skip


def test_what_a_run_notes_in_the_home_folder_is_for_its_owner_only(tenant: Tenant) -> None:
    assert tenant.import_file(tenant.write(table(line(phone="+12125550100")))).code == 0
    for path in (tenant.folder / "home").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_row_files_are_for_their_owner_only(tenant: Tenant) -> None:
    assert tenant.import_file(tenant.write(table(line(phone="+12125550100")))).code == 0
    run = tenant.folder / "run"
    for path in [*run.glob("*.csv"), run / "ledger.sqlite", run / "summary.json", run / "audit.jsonl"]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_the_audit_trail_is_whole_and_holds_no_person(tenant: Tenant) -> None:
    rows = [line(externalId="customer-4711", firstName="Zebulon", phone="+12125550123", email="zebulon@example.com")]
    outcome = tenant.import_file(tenant.write(table(*rows)), "--json")
    lines = (tenant.folder / "run" / "audit.jsonl").read_bytes().splitlines(keepends=True)
    assert check(lines, last_hash=outcome.json["audit_hash"]).whole
    finished = json.loads(lines[-1])
    assert finished["event"] == "run.finished"
    assert finished["status"] == "SUCCESS"
    assert finished["imported"] == 1
    assert finished["platform_count"] == {"before": 0, "after": 1}
    told = b"".join(lines) + outcome.err.encode()
    for private in (b"customer-4711", b"Zebulon", b"zebulon", b"5550123", b"sandbox-secret"):
        assert private not in told


def test_the_audit_entry_is_written_when_the_run_fails(tenant: Tenant) -> None:
    tenant.import_file(tenant.write(table(line(phone="+12125550100"))), CXONE_CLIENT_SECRET="wrong")
    last = json.loads((tenant.folder / "run" / "audit.jsonl").read_bytes().splitlines()[-1])
    assert (last["event"], last["status"], last["exit_code"]) == ("run.finished", "FAILED", 2)


def test_lists_are_found_over_all_pages(tenant: Tenant) -> None:
    names = {tenant.sandbox.add_list(f"List {n}", count=n): n for n in range(300)}
    outcome = tenant.run("lists", "--json")
    assert outcome.code == 0
    found = {each["id"]: each["count"] for each in outcome.json}
    assert {list_id: found[list_id] for list_id in names} == names
    assert {"id": tenant.list_id, "name": "Spring", "count": 0} in outcome.json
    table_form = tenant.run("lists", "List 29")
    assert table_form.out.count("\n") == 12
    assert tenant.run("lists", "Nobody's").out == "No contact list has 'Nobody's' in its name.\n"


def test_doctor_names_what_to_mend(tenant: Tenant) -> None:
    assert tenant.run("doctor", "--list", "Spring").code == 0
    wrong = tenant.run("doctor", "--json", CXONE_CLIENT_SECRET="wrong")
    assert wrong.code == 2
    assert [check["name"] for check in wrong.json if not check["good"]] == ["sign-in"]
    tenant.sandbox.configure(clock_skew_s=600)
    skewed = tenant.run("doctor", "--json")
    assert [check["name"] for check in skewed.json if not check["good"]] == ["clock"]


def imported_from_python(tenant: Tenant, file: Path) -> dialfeed.Result:
    return dialfeed.import_contacts(
        file,
        list="Spring",
        run_dir=tenant.folder / "api",
        base_url=tenant.sandbox.url,
        client_id=tenant.sandbox.client_id,
        client_secret=tenant.sandbox.client_secret,
        home=str(tenant.folder / "home"),
    )


def test_the_python_api_does_the_same(tenant: Tenant) -> None:
    file = tenant.write(table(line(phone="+12125550100"), line(phone="+12125550100")))
    result = imported_from_python(tenant, file)
    assert (result.status, result.exit_code) == ("SUCCESS", 0)
    assert (result.rows.delivered, result.rows.duplicate) == (1, 1)
    assert len(tenant.stored) == 1


def test_rows_are_written_while_others_are_on_their_way(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    for name in ("advance", "finish"):
        plain = getattr(Recorder, name)

        def wrapped(*arguments: object, name: str = name, plain: Any = plain) -> Any:
            asked.append(name)
            return plain(*arguments)

        monkeypatch.setattr(Recorder, name, wrapped)
    file = tenant.write(table(*(line(phone=f"+1212555{100 + n:04}") for n in range(9))))
    result = imported_from_python(tenant, file)
    assert result.rows.delivered == 9
    assert asked[0] == "advance"
    assert asked.count("finish") == 1 == len(asked) - asked.index("finish")


def test_a_profile_is_read_and_may_not_hold_a_secret(tenant: Tenant) -> None:
    config = tenant.write(f'[profile.night]\nbase_url = "{tenant.sandbox.url}"\ndefault_country = "US"\n', "d.toml")
    file = tenant.write(table(line(phone="212 555 0100")))
    flags = ("--profile", "night", "--config", config)
    assert tenant.import_file(file, *flags, CXONE_BASE_URL="").code == 0
    tenant.write('[profile.night]\nclient_secret = "hush"\n', "d.toml")
    refused = tenant.import_file(file, *flags, "--run-dir", tenant.folder / "second")
    assert refused.code == 1
    assert "CXONE_CLIENT_SECRET" in refused.err
    assert "hush" not in refused.err


def test_two_prepared_runs_of_one_file_are_the_same_whatever_the_chunk(tenant: Tenant) -> None:
    """Law 7: the outcome does not depend on the size of a chunk."""
    file = tenant.folder / "contacts.csv"
    write_demo_file(file, 1500)
    made = []
    for size in (4096, 50_000, 8 << 20):
        run = tenant.folder / f"chunk-{size}"
        flags = ("--default-country", "US", "--max-rejected", "50%", "--chunk-bytes", str(size), "--insist", "all")
        assert tenant.import_file(file, "--run-dir", run, *flags).code == 4
        names = ("rejected.csv", "suppressed.csv", "duplicates.csv")
        delivered = [(row["_row"], row["_batch"]) for row in read_csv(run / "delivered.csv")]
        made.append(([(run / name).read_bytes() for name in names], delivered))
    assert made[0] == made[1] == made[2]


def test_the_demonstration_rows_are_the_same_every_time() -> None:
    assert list(made_up_rows(50)) == list(made_up_rows(50))
    assert {len(row) for row in made_up_rows(50)} == {len(HEADER)}


def test_the_demonstration_leaves_nothing_to_do_since_its_sandbox_ends_with_it(tenant: Tenant) -> None:
    outcome = tenant.run("demo", "--rows", "60", "--run-dir", tenant.folder / "runs" / "demo", "--json")
    assert (outcome.code, outcome.json["command"], outcome.json["exit_code"]) == (0, "demo", 4)
    assert outcome.json["next"].endswith(": dialfeed sandbox")
    (listed,) = tenant.run("runs", "--runs-dir", tenant.folder / "runs", "--json").json
    assert (listed["status"], listed["can"]) == ("PARTIAL_FAILURE", "")


def test_prepared_contacts_are_kept_only_while_something_is_left_to_do(tenant: Tenant) -> None:
    """The stage holds people; when nothing can go on from it, it goes."""
    file = tenant.write(table(line(phone="+12125550100")))
    assert tenant.import_file(file).code == 0
    run = tenant.folder / "run"
    assert not (run / "stage").exists()
    before = (run / "summary.json").read_bytes()
    again = tenant.run("resume", run, "--json")
    assert again.code == 0
    assert again.out.encode() == before
    assert len(tenant.stored) == 1


def test_a_run_that_the_platform_refused_names_the_command_that_goes_on(tenant: Tenant) -> None:
    file = tenant.write(table(line(phone="+12125550100")))
    refused = tenant.import_file(file, "--json", CXONE_CLIENT_SECRET="of yesterday")
    assert (refused.code, refused.json["next"]) == (2, f"dialfeed resume {refused.json['run']}")
    assert tenant.run(*refused.json["next"].split()[1:]).code == 0
    assert len(tenant.stored) == 1


def test_a_run_into_a_list_that_is_not_there_leaves_nothing_to_go_on_with(tenant: Tenant) -> None:
    file = tenant.write(table(line(phone="+12125550100")))
    refused = tenant.run("import", file, "--list", "Spring campain", "--runs-dir", tenant.folder / "runs", "--json")
    assert (refused.code, refused.json["next"]) == (2, "")
    assert not (tenant.folder / "runs").exists()


def test_a_run_is_found_by_its_id_its_folder_or_as_the_latest(tenant: Tenant) -> None:
    file = tenant.write(table(line(phone="+12125550100")))
    run_id = tenant.import_file(file, "--json").json["run"]
    for which in (run_id, tenant.folder / "run", "--latest"):
        assert tenant.run("resume", which, "--json").json["run"] == run_id
    missing = tenant.run("resume", "20200101T000000Z-000000")
    assert missing.code == 1


def test_kinds_of_numbers_are_told_and_unwanted_ones_rejected(tenant: Tenant) -> None:
    file = tenant.write(table(line(phone="+12125550100"), line(phone="+19005550100"), line(phone="+18005550199")))
    flags = ("--reject-kinds", "premium_rate,pager", "--max-rejected", "1")
    outcome = tenant.import_file(file, *flags, "--json")
    assert outcome.code == 4, outcome.err
    assert outcome.json["reasons"] == {"phone.unwanted_premium_rate": 1}
    assert outcome.json["policy"]["reject_kinds"] == ["premium_rate", "pager"]
    delivered = read_csv(tenant.folder / "run" / "delivered.csv")
    assert [(row["_row"], row["_phone_type"]) for row in delivered] == [
        ("2", "fixed_line_or_mobile"),
        ("4", "toll_free"),
    ]
    wrong = tenant.import_file(file, "--reject-kinds", "premium", "--run-dir", tenant.folder / "other")
    assert wrong.code == 1
    assert "premium_rate" in wrong.err
