"""Forgetting a person: nothing of them is left in run folders and ledgers, and nobody contacts them again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tenant import Tenant

from dialfeed.donotcall.keys import KeyRing

HEADER = "externalId,firstName,phone,email,doNotCall,doNotEmail"
NUMBER, WRITTEN, MAIL, OTHER = "+12125550100", "(212) 555-0100", "Ann@example.com", "+12125550101"


def load(tenant: Tenant) -> str:
    rows = [
        f"1,Annabelle,{WRITTEN},{MAIL},no,no",
        f"2,Ben,{OTHER},ben@example.com,no,no",
        f"3,Annabelle,{NUMBER},,maybe,no",
        f"4,Annabelle,+1 212 555 0100 or {OTHER},,no,no",
    ]
    content = "\n".join([HEADER, *rows]) + "\n"
    flags = ("--json", "--default-country", "US", "--max-rejected", "3", "--people-files", "xlsx")
    return str(tenant.import_file(tenant.write(content), *flags).json["run"])


def holding(folder: Path, *marks: str) -> list[str]:
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes().lower()
            found += [path.name for mark in marks if mark.lower().encode() in content]
    return found


def test_a_number_is_erased_wherever_runs_hold_it_and_however_it_is_written(tenant: Tenant) -> None:
    run = load(tenant)
    assert holding(tenant.folder / "run", NUMBER, WRITTEN)
    rehearsed = tenant.run("forget", NUMBER, "--dry-run", "--json")
    assert rehearsed.json["rows"] == {run: 3}
    assert holding(tenant.folder / "run", NUMBER, WRITTEN), "a rehearsal moves nothing"
    assert (tenant.folder / "run" / "rejected.xlsx").exists()
    done = tenant.run("forget", WRITTEN, "--default-country", "US", "--json")
    assert (done.code, done.json["rows"]) == (0, {run: 3})
    assert holding(tenant.folder / "run", NUMBER, WRITTEN, "212 555 0100", MAIL, "Annabelle") == []
    assert holding(tenant.folder / "run", "ben@example.com") == ["delivered.csv"]
    assert not (tenant.folder / "run" / "rejected.xlsx").exists(), "it was made of the same rows"
    lines = (tenant.folder / "run" / "delivered.csv").read_text().splitlines()
    assert len(lines) == 3, "rows stay countable"
    assert tenant.run("forget", NUMBER, "--json").json["rows"] == {}


def test_an_address_is_erased_in_any_case(tenant: Tenant) -> None:
    run = load(tenant)
    assert tenant.run("forget", "ann@EXAMPLE.com", "--json").json["rows"] == {run: 1}
    assert holding(tenant.folder / "run", MAIL) == []


@pytest.mark.parametrize(
    ("cell", "erased"),
    [
        ("ann@bücher.example", True),
        ("Ann@BÜCHER.example", True),
        ("ann@xn--bcher-kva.example", True),
        ("<ann@bücher.example>", True),
        ("mail to ann@bücher.example.", True),
        ("mailto:ann@bücher.example?subject=x", True),
        ("ann@bücher.example;jo@example.com", True),
        ("jo-ann@bücher.example", False),
        ("jo.ann@bücher.example", False),
        ("joann@bücher.example", False),
        ("jo+ann@bücher.example", False),
        ("ann@bücher.example.org", False),
        ("ann@bücher.examples", False),
    ],
)
def test_an_address_is_found_beside_words_and_not_at_the_end_of_another_one(
    tenant: Tenant, cell: str, erased: bool
) -> None:
    content = f"externalId,phone,email,note,doNotCall,doNotEmail\n1,{OTHER},,{cell},no,no\n"
    assert tenant.import_file(tenant.write(content), "--max-rejected", "100%").code in {0, 4}
    done = tenant.run("forget", "ann@bücher.example", "--json")
    assert sum(done.json["rows"].values()) == erased


def test_a_short_number_is_found_as_people_write_it_and_not_within_another_one(tenant: Tenant) -> None:
    """Eight digits stand in longer numbers by chance, so they are found alone only."""
    written = ["4721234567", "+47 21 23 45 67", "21234567", "004721234567", "0114721234567", "021234567", "121234567"]
    others = ["9921234567", "2123456799", "21234568"]
    rows = "".join(f"{n},{OTHER[:-3]}{n},,{note},no,no\n" for n, note in enumerate([*written, *others], 101))
    content = f"externalId,phone,email,note,doNotCall,doNotEmail\n{rows}"
    assert tenant.import_file(tenant.write(content), "--map", "note=asIs").code == 0
    assert list(tenant.run("forget", "+4721234567", "--json").json["rows"].values()) == [len(written)]
    left = (tenant.folder / "run" / "delivered.csv").read_text()
    assert [note for note in others if note in left] == others


def test_what_a_row_has_forbidden_for_all_rows_stays_and_is_told(tenant: Tenant) -> None:
    content = f"{HEADER}\n1,Ann,{NUMBER},,yes,no\n2,Ben,{OTHER},,no,no\n"
    run = tenant.import_file(tenant.write(content), "--json").json["run"]
    assert tenant.run("forget", OTHER, "--json").json["objections"] == []
    done = tenant.run("forget", NUMBER)
    assert f"no mended row of run {run} is used" in done.out


def test_a_run_that_cannot_be_read_is_told_and_keeps_no_other_from_being_erased(tenant: Tenant) -> None:
    broken = load(tenant)
    content = f"{HEADER}\n1,Ann,{NUMBER},,no,no\n"
    whole = tenant.import_file(tenant.write(content), "--json", "--run-dir", tenant.folder / "z", "--insist", "all")
    (tenant.folder / "run" / "ledger.sqlite").write_bytes(b"no ledger" * 1000)
    done = tenant.run("forget", NUMBER, "--json")
    assert (done.code, done.json["damaged_runs"]) == (4, [broken])
    assert set(done.json["rows"]) == {broken, whole.json["run"]}
    assert holding(tenant.folder, NUMBER, WRITTEN) == ["contacts.csv"]
    purged = tenant.run("purge", broken, "--even-open", "--older-than", "0d", "--json")
    assert [each["action"] for each in purged.json] == ["removed"]
    assert not (tenant.folder / "run" / "ledger.sqlite").exists()
    assert tenant.run("forget", NUMBER).code == 0


def test_the_suppression_and_the_proof_stay(tenant: Tenant) -> None:
    added = tenant.run("dnc", "add", "--internal", NUMBER, "--asked-by", "the person", "--reason", "asked by phone")
    assert added.code == 0, added.err
    load(tenant)
    tenant.import_file(
        tenant.write(f"{HEADER}\n1,Annabelle,{NUMBER},,no,no\n2,Ben,{OTHER},,no,no\n"),
        "--dnc", "internal", "--insist", "all", "--run-dir", tenant.folder / "scrubbed",
    )  # fmt: skip
    before = (tenant.folder / "scrubbed" / "decisions.csv").read_bytes()
    done = tenant.run("forget", NUMBER)
    assert "list internal" in done.out
    assert (tenant.folder / "scrubbed" / "decisions.csv").read_bytes() == before
    assert tenant.run("evidence", NUMBER, "--json").json["decided"][0]["decision"] == "block"
    again = tenant.import_file(
        tenant.write(f"{HEADER}\n1,Annabelle,{NUMBER},,no,no\n"),
        "--json", "--dnc", "internal", "--insist", "all", "--run-dir", tenant.folder / "again",
    )  # fmt: skip
    assert again.rows["suppressed"] == 1


def test_what_was_erased_is_recorded_under_a_pseudonym_in_a_trail_that_can_be_verified(tenant: Tenant) -> None:
    run = load(tenant)
    tenant.run("forget", NUMBER)
    trail = tenant.folder / "home" / "forgotten.jsonl"
    line = json.loads(trail.read_text().splitlines()[-1])
    key = KeyRing(tenant.folder / "home").find(line["key_id"])
    assert (line["event"], line["pseudonym"], line["rows"]) == (
        "person.forgotten",
        key.pseudonym("phone", NUMBER),
        {run: 3},
    )
    assert NUMBER[2:] not in trail.read_text()
    assert tenant.run("audit", "verify", trail).code == 0


def test_a_run_that_can_be_resumed_is_told_and_not_broken(tenant: Tenant) -> None:
    content = f"{HEADER}\n1,Annabelle,{NUMBER},,no,no\n2,Ben,{OTHER},,no,no\n"
    stopped = tenant.import_file(tenant.write(content), "--json", "--deadline", "0")
    assert stopped.code == 3
    done = tenant.run("forget", NUMBER, "--json")
    assert (done.code, done.json["open_runs"]) == (4, [stopped.json["run"]])
    assert tenant.run("resume", stopped.json["run"], "--deadline", "60").code == 0
    assert tenant.run("forget", NUMBER, "--json").json["rows"] == {stopped.json["run"]: 1}


def test_what_is_neither_a_number_nor_an_address_is_a_usage_error(tenant: Tenant) -> None:
    for text in ("12", "x@", ""):
        assert tenant.run("forget", text).code == 1


def test_a_number_in_digits_of_another_script_is_found(tenant: Tenant) -> None:
    fullwidth, arabic = ("".join(chr(zero + int(digit)) for digit in "2125550100") for zero in (0xFF10, 0x0660))
    rows = f"{HEADER}\n1,Annabelle,{fullwidth},oops,no,no\n2,Annabelle,{arabic} work,oops,no,no\n3,Ben,{OTHER},,no,no\n"
    flags = ("--default-country", "US", "--max-rejected", "3")
    assert tenant.import_file(tenant.write(rows), *flags).code == 4
    assert len(holding(tenant.folder / "run", fullwidth, arabic)) == 2
    assert tenant.run("forget", NUMBER).code == 0
    assert holding(tenant.folder / "run", fullwidth, arabic, "Annabelle") == []
