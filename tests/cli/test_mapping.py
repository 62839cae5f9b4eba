"""From columns to fields, end to end: what is stated, chosen, split and carried."""

from __future__ import annotations

from typing import Any

import pytest
from command import Outcome
from tenant import Tenant

from dialfeed.contacts.drift import Shape, compare

MOBILE, HOME = "+12125550100", "+12125550101"


def loaded(tenant: Tenant, content: str, *flags: str) -> tuple[Outcome, list[dict[str, Any]]]:
    outcome = tenant.import_file(tenant.write(content), "--json", *flags)
    return outcome, tenant.stored


def test_what_is_stated_for_the_whole_file_is_sent_and_recorded_as_a_statement(tenant: Tenant) -> None:
    flags = ("--set", "doNotCall=false", "--set", "DoNotEmail=FALSE", "--set", "countryCode=us")
    outcome, stored = loaded(tenant, "phone\n(212) 555-0100\n", *flags)
    assert outcome.code == 0, outcome.err
    assert [(each["phone"], each["doNotCall"], each["countryCode"]) for each in stored] == [(MOBILE, False, "US")]
    stated = {"doNotCall": "false", "doNotEmail": "false", "countryCode": "US"}
    assert outcome.json["policy"]["stated by the user, not read from the file"] == stated
    trail = (tenant.folder / "run" / "audit.jsonl").read_text()
    assert trail.count("field.stated") == 3
    assert "not read from the file" in trail


@pytest.mark.parametrize("stated", ["doNotCall=maybe", "phone=+12125550100", "countryCode=USA", "doNotCall"])
def test_what_cannot_be_stated_is_a_usage_error(tenant: Tenant, stated: str) -> None:
    outcome, stored = loaded(tenant, "phone\n+12125550100\n", "--set", stated)
    assert (outcome.code, stored) == (1, [])
    assert "--set" in outcome.err
    assert "expected" in outcome.err


def test_a_statement_against_a_column_of_the_file_is_refused(tenant: Tenant) -> None:
    outcome, stored = loaded(tenant, "phone,DNC,doNotEmail\n+12125550100,yes,no\n", "--set", "doNotCall=false")
    assert (outcome.code, stored) == (1, [])
    assert '"DNC"' in outcome.err


def test_several_phone_columns_are_tried_in_the_order_of_the_user(tenant: Tenant) -> None:
    content = "Home Phone,Mobile,doNotCall,doNotEmail,email\n"
    content += f"{HOME},{MOBILE},no,no,\n{HOME},,no,no,a@example.com\n"
    content += "+12125550108,+12125550109,yes,no,b@example.com\n"
    outcome, stored = loaded(tenant, content, "--phone-order", "mobile,home phone")
    assert outcome.code == 0, outcome.err
    sent = [(each.get("phone"), each.get("Home Phone"), each.get("email")) for each in stored]
    assert sorted(sent, key=str) == sorted(
        [(MOBILE, HOME, None), (HOME, None, "a@example.com"), (None, None, "b@example.com")], key=str
    )


def test_without_an_order_the_remedy_names_the_flag(tenant: Tenant) -> None:
    outcome, _ = loaded(tenant, f"Home Phone,Mobile,doNotCall,doNotEmail\n{HOME},{MOBILE},no,no\n")
    assert outcome.code == 1
    assert '--phone-order "#1,#2"' in outcome.err


def test_a_full_name_is_split(tenant: Tenant) -> None:
    content = f"phone,Nom complet,doNotCall,doNotEmail\n{HOME},Ada Lovelace,no,no\n{MOBILE},Ada B C,no,no\n"
    outcome, stored = loaded(tenant, content)
    assert outcome.code == 0, outcome.err
    assert {(each.get("firstName"), each["lastName"]) for each in stored} == {("Ada", "Lovelace"), (None, "Ada B C")}
    assert outcome.json["warnings"] == {"name.not_split": 1}


def people(count: int, header: str = "Col7,doNotCall,doNotEmail,Col9", phone: str = "+1212555{:04}") -> str:
    return header + "\n" + "".join(f"{phone.format(100 + n)},no,no,x{n}\n" for n in range(count))


def test_numbers_of_orders_that_are_somebodys_phone_numbers_are_not_called(tenant: Tenant) -> None:
    content = people(9, header="Order,doNotCall,doNotEmail,Note", phone="212555{:04}")
    outcome, stored = loaded(tenant, content, "--default-country", "US")
    assert (outcome.code, stored) == (1, [])
    assert "No column is a phone" in outcome.json["error"]
    told = tenant.run("map", tenant.folder / "contacts.csv", "--default-country", "US")
    assert '"Order" (column 1) holds phone numbers, but no column is phone' in told.out
    assert '--map "#1=phone"' in told.out
    flags = ("--default-country", "US", "--map", "#1=phone", "--run-dir", str(tenant.folder / "again"))
    assert len(loaded(tenant, content, *flags)[1]) == 9


def test_bare_digits_are_phones_where_the_columns_name_means_nothing_else(tenant: Tenant) -> None:
    outcome, stored = loaded(tenant, people(9, phone="212555{:04}"), "--default-country", "US")
    assert outcome.code == 0, outcome.err
    assert {each["phone"] for each in stored} == {f"+1212555{100 + n:04}" for n in range(9)}
    assert [finding["code"] for finding in outcome.json["findings"]] == ["header.by_values"]


def test_a_column_of_phone_numbers_is_found_by_its_values_and_told(tenant: Tenant) -> None:
    outcome, stored = loaded(tenant, people(5))
    assert outcome.code == 0, outcome.err
    assert {each["phone"] for each in stored} == {f"+1212555{100 + n:04}" for n in range(5)}
    assert [finding["code"] for finding in outcome.json["findings"]] == ["header.by_values"]


def test_two_columns_that_could_be_phones_by_their_values_stop(tenant: Tenant) -> None:
    content = people(5).replace("x", "+1212555017")
    outcome, stored = loaded(tenant, content)
    assert (outcome.code, stored) == (1, [])
    assert '"Col7" (column 1) and "Col9" (column 4) could each be phone' in outcome.err


def test_values_that_are_not_valid_numbers_are_no_evidence(tenant: Tenant) -> None:
    outcome, _ = loaded(tenant, people(5, phone="{:07}"))
    assert outcome.code == 1
    assert "No column is a phone" in outcome.err


def test_a_confirmed_mapping_is_used_again_for_the_same_header(tenant: Tenant) -> None:
    header = "Zahl,doNotCall,doNotEmail,mobile"
    first, _ = loaded(tenant, people(5, header), "--map", "Zahl=phone", "--map", "mobile=-")
    assert first.code == 0, first.err
    again, stored = loaded(tenant, people(7, header), "--run-dir", str(tenant.folder / "two"))
    assert again.code == 0, again.err
    assert "mapping.reused" in [finding["code"] for finding in again.json["findings"]]
    assert all(each["phone"] and "mobile" not in each for each in stored)
    (file,) = (tenant.folder / "home" / "mappings").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert "+1212" not in file.read_text()


@pytest.mark.parametrize("command", ["rehearsal", "validate"])
def test_a_rehearsal_and_a_validation_remember_nothing(tenant: Tenant, command: str) -> None:
    file = tenant.write(people(5))
    outcome = (
        tenant.import_file(file, "--dry-run")
        if command == "rehearsal"
        else tenant.run("validate", file, "--run-dir", tenant.folder / "run")
    )
    assert outcome.code == 0, outcome.err
    assert not (tenant.folder / "home" / "mappings").exists()


BEFORE = "phone,City,doNotCall,doNotEmail\n" + "".join(f"+1212555{100 + n:04},Ulm,no,no\n" for n in range(6))
DRIFTS = {
    "gone": (BEFORE.replace(",City", "").replace(",Ulm", ""), 'Column "City" is gone'),
    "renamed": (BEFORE.replace("City", "City name"), 'it may be called "City name" now'),
    "a field from another column": (BEFORE.replace("phone", "mobile"), '(it was phone); it may be called "mobile"'),
    "another kind of content": (
        BEFORE.replace("phone,", "email,phone,").replace("+1212", "a@example.com,x"),
        'Column "phone" held numbers; now it holds text.',
    ),
}


@pytest.mark.parametrize("name", DRIFTS)
def test_a_file_that_has_changed_stops_with_a_comparison_until_it_is_accepted(tenant: Tenant, name: str) -> None:
    content, told = DRIFTS[name]
    assert loaded(tenant, BEFORE)[0].code == 0
    stopped, stored = loaded(tenant, content, "--run-dir", str(tenant.folder / "two"))
    assert (stopped.code, len(stored)) == (6, 6), stopped.err
    assert told in stopped.err
    assert "--accept-drift" in stopped.err
    flags = ("--accept-drift", "--max-rejected", "100%", "--insist", "all")
    accepted, _ = loaded(tenant, content, *flags, "--run-dir", str(tenant.folder / "three"))
    assert accepted.code in {0, 4}, accepted.err
    assert "mapping.drift" in [finding["code"] for finding in accepted.json["findings"]]


def test_a_column_that_fills_another_field_is_not_taken_for_one_that_is_gone() -> None:
    before = Shape(("Surname", "E-Mail"), {"Surname": "lastName", "E-Mail": "email"}, {}, {})
    now = Shape(("firstName", "doNotEmail"), {"firstName": "firstName", "doNotEmail": "doNotEmail"}, {}, {})
    assert not any("may be called" in each.sentence for each in compare(before, now))


def test_an_accepted_change_is_remembered(tenant: Tenant) -> None:
    assert loaded(tenant, BEFORE)[0].code == 0
    changed = DRIFTS["gone"][0]
    flags = ("--insist", "all", "--run-dir")
    assert loaded(tenant, changed, "--accept-drift", *flags, str(tenant.folder / "two"))[0].code == 0
    assert loaded(tenant, changed, *flags, str(tenant.folder / "three"))[0].code == 0
    assert loaded(tenant, BEFORE, *flags, str(tenant.folder / "four"))[0].code == 0


def test_columns_that_only_came_in_addition_are_told_and_moved_ones_do_not_matter(tenant: Tenant) -> None:
    assert loaded(tenant, BEFORE)[0].code == 0
    rows = "".join(f"Ulm,no,no,+1212555{120 + n:04},gold\n" for n in range(6))
    outcome, _ = loaded(
        tenant, "City,doNotCall,doNotEmail,phone,Tier\n" + rows, "--run-dir", str(tenant.folder / "two")
    )
    assert outcome.code == 0, outcome.err
    assert [each["sentence"] for each in outcome.json["findings"]] == ['Column "Tier" is new.']


def test_map_shows_columns_reasons_and_shapes_and_no_value(tenant: Tenant) -> None:
    file = tenant.write(people(5, "Tel,doNotCall,doNotEmail,mail", phone="+1 212 555 {:04}").replace("x", "ada@x.com"))
    outcome = tenant.run("map", file)
    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines()[0].startswith("Read as csv, utf-8")
    assert outcome.out.splitlines()[2].split() == ["COLUMN", "FIELD", "WHY", "VALUES"]
    assert "+9 999 999 9999" in outcome.out
    assert "synonym" in outcome.out
    assert not any(secret in outcome.out for secret in ("555", "212", "ada", "x.com"))


def test_map_tells_problems_with_their_remedy_and_exits_with_1(tenant: Tenant) -> None:
    outcome = tenant.run("map", tenant.write(people(5, "Tel,DNC,doNotEmail,mobile")), "--json")
    assert outcome.code == 1
    assert [problem["code"] for problem in outcome.json["problems"]] == ["header.two_columns_for_one_field"]
    assert "--phone-order" in outcome.json["problems"][0]["remedy"]


def test_an_edited_mapping_is_saved_used_by_the_next_import_and_forgotten(tenant: Tenant) -> None:
    file = tenant.write(people(5, "Tel,doNotCall,doNotEmail,mobile"))
    assert tenant.run("map", file, "--map", "mobile=-", "--save").code == 0
    assert tenant.run("map", file, "--json").json["remembered"]
    assert tenant.import_file(file, "--json").code == 0
    assert tenant.run("map", file, "--forget").code == 1


def test_a_mapping_with_errors_is_not_saved(tenant: Tenant) -> None:
    outcome = tenant.run("map", tenant.write(people(5, "Tel,doNotCall,doNotEmail,mobile")), "--save")
    assert outcome.code == 1
    assert "Nothing was saved" in outcome.err
    assert not (tenant.folder / "home" / "mappings").exists()


def test_map_compares_with_what_the_list_was_loaded_from(tenant: Tenant) -> None:
    assert loaded(tenant, BEFORE)[0].code == 0
    outcome = tenant.run("map", tenant.write(DRIFTS["gone"][0]), "--list", "Spring")
    assert outcome.code == 6
    assert 'Column "City" is gone.' in outcome.out


def test_a_remembered_mapping_that_is_damaged_is_named(tenant: Tenant) -> None:
    file = tenant.write(people(5, "Tel,doNotCall,doNotEmail,City"))
    assert tenant.run("map", file, "--save").code == 0
    (kept,) = (tenant.folder / "home" / "mappings").iterdir()
    kept.write_text("{")
    outcome = tenant.import_file(file)
    assert (outcome.code, tenant.stored) == (1, [])
    assert kept.name in outcome.err


def test_a_platforms_own_export_goes_in_again(tenant: Tenant) -> None:
    """What the sandbox stores, written as platforms export it: byte-order mark, every cell quoted, system columns."""
    assert loaded(tenant, BEFORE.replace("Ulm", '"Ulm ""Mitte"""'))[0].code == 0
    before = [{name: value for name, value in each.items() if name != "id"} for each in tenant.stored]
    names = ["inin-outbound-id", "contactListId", "ContactCallable", "CallRecordLastAttempt-phone", *before[0]]
    rows = [["x1", "L", "1", "2026-11-01T00:00Z", *each.values()] for each in before]
    lines = [",".join('"' + str(cell).replace('"', '""') + '"' for cell in row) + "\r\n" for row in [names, *rows]]
    other = tenant.sandbox.add_list("Copy")
    file = tenant.write(b"\xef\xbb\xbf" + "".join(lines).encode())
    outcome = tenant.run("import", file, "--list", other, "--run-dir", tenant.folder / "again")
    assert outcome.code == 0, outcome.err
    copies = [{name: value for name, value in each.items() if name != "id"} for each in tenant.sandbox.contacts(other)]
    assert sorted(copies, key=str) == sorted(before, key=str)
