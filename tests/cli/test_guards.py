"""The wrong file is stopped before its first batch, and goes when a person insists."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tenant import Tenant

from dialfeed.sandbox import Fault, FaultPlan

HEADER = "externalId,phone,doNotCall,doNotEmail\n"


def contacts(size: int, tag: str = "", *, bad: int = 0, flagged: int = 0) -> str:
    phones = ["oops"] * bad + [f"+1212555{100 + number % 100:04}" for number in range(size - bad)]
    flags = ["no"] * (size - flagged) + ["yes"] * flagged
    return HEADER + "".join(
        f"{tag}{number},{phone},{flag},no\n"
        for number, (phone, flag) in enumerate(zip(phones, flags, strict=True))
    )  # fmt: skip


def load(tenant: Tenant, content: str, *flags: str) -> Any:
    run = tenant.folder / f"run-{len(list(tenant.folder.glob('run-*')))}"
    return tenant.import_file(tenant.write(content), "--json", "--run-dir", run, *flags)


def verdicts(run: Path) -> dict[str, dict[str, Any]]:
    lines = map(json.loads, (run / "audit.jsonl").read_bytes().splitlines())
    return {line["guard"]: line for line in lines if line["event"] == "guard.judged"}


def habit(tenant: Tenant, size: int = 40, **parts: int) -> None:
    for tag in "abc":
        assert load(tenant, contacts(size, tag, **parts)).code in {0, 4}


def test_the_same_content_twice_is_stopped_until_a_person_insists(tenant: Tenant) -> None:
    content = contacts(30)
    first = load(tenant, content)
    again = load(tenant, content)
    assert again.code == 6
    assert again.json["status"] == "STOPPED"
    assert first.json["run"] in again.err
    assert "--insist same-content" in again.err
    assert len(tenant.stored) == 30
    run = Path(again.json["folder"])
    assert verdicts(run)["same-content"]["stopped"] is True
    insisted = load(tenant, content, "--insist", "same-content")
    assert insisted.code == 0
    assert len(tenant.stored) == 60
    verdict = verdicts(Path(insisted.json["folder"]))["same-content"]
    assert (verdict["stopped"], verdict["insisted"]) == (False, True)


def test_the_same_contacts_in_another_file_are_stopped_until_a_person_insists(tenant: Tenant) -> None:
    header, *rows = contacts(30).splitlines(keepends=True)
    first = load(tenant, "".join([header, *rows]))
    exported = "".join([header, *reversed(rows), rows[3]]).replace("\n", "\r\n").replace(",", ";")
    again = load(tenant, exported)
    assert again.code == 6
    assert f"The same contacts were loaded into this list on {first.json['run'][:4]}" in again.err
    assert first.json["run"] in again.err
    assert len(tenant.stored) == 30
    assert load(tenant, exported, "--insist", "same-content").code == 0
    assert load(tenant, "".join([header, *rows[1:]])).code == 0, "one contact less is another set"


def test_the_mended_rows_of_two_runs_are_the_same_contacts_once(tenant: Tenant) -> None:
    flagged = load(tenant, contacts(20, flagged=20))
    assert tenant.stored == []
    assert load(tenant, contacts(20)).code == 0
    mended = Path(flagged.json["folder"], "suppressed.csv").read_text("utf-8").replace(",yes,", ",no,")
    again = load(tenant, mended)
    assert again.code == 6
    assert "--insist same-content" in again.err
    assert len(tenant.stored) == 20


def test_a_lost_key_stops_no_load_that_asks_no_list(tenant: Tenant) -> None:
    assert load(tenant, contacts(3)).code == 0
    shutil.rmtree(tenant.folder / "home" / "keys")
    assert load(tenant, contacts(4)).code == 0
    assert load(tenant, contacts(4)).code == 6, "the same bytes are known without it"


def test_what_is_remembered_of_contacts_cannot_be_guessed_without_the_key_of_the_home_folder(tenant: Tenant) -> None:
    assert load(tenant, contacts(1)).code == 0
    (history,) = (tenant.folder / "home" / "history").iterdir()
    told = {json.loads(line)["identities"] for line in history.read_bytes().splitlines()}
    assert [len(each) for each in told] == [64]
    history.unlink()
    tenant.run("evidence", "--new-key")
    assert load(tenant, contacts(1)).code == 0
    assert told.isdisjoint(json.loads(line)["identities"] for line in history.read_bytes().splitlines())


def test_a_rehearsal_judges_and_leaves_no_history(tenant: Tenant) -> None:
    content = contacts(30)
    assert load(tenant, content, "--dry-run").code == 0
    assert not (tenant.folder / "home" / "history").exists()
    assert load(tenant, content).code == 0
    assert load(tenant, content, "--dry-run").code == 6


def test_another_list_has_a_history_of_its_own(tenant: Tenant) -> None:
    file = tenant.write(contacts(5))
    other = tenant.sandbox.add_list("Autumn")
    assert tenant.import_file(file).code == 0
    assert tenant.run("import", file, "--list", other, "--run-dir", tenant.folder / "other").code == 0


def test_a_run_that_delivered_nothing_does_not_stand_in_the_way(tenant: Tenant) -> None:
    content = contacts(20)
    tenant.sandbox.set_faults(FaultPlan(rules=(Fault("status", every=1, status=429),)))
    assert load(tenant, content, "--retries", "0", "--deadline", "1").code == 3
    assert tenant.stored == []
    tenant.sandbox.set_faults(FaultPlan())
    assert load(tenant, content).code == 0


WRONG = [
    ("size", {}, contacts(400, "new")),
    ("rejected", {}, contacts(100, "new", bad=12)),
    ("suppressed", {}, contacts(100, "new", flagged=20)),
    ("suppressed", {"flagged": 12}, contacts(60, "new")),
    ("empty", {}, HEADER),
]


@pytest.mark.parametrize(("guard", "parts", "content"), WRONG)
def test_a_file_far_from_the_lists_history_is_stopped(
    tenant: Tenant, guard: str, parts: dict[str, int], content: str
) -> None:
    habit(tenant, **parts)
    stored = len(tenant.stored)
    outcome = load(tenant, content)
    assert outcome.code == 6
    assert f"--insist {guard}" in outcome.err
    assert [name for name, told in verdicts(Path(outcome.json["folder"])).items() if told["stopped"]] == [guard]
    assert len(tenant.stored) == stored
    assert load(tenant, content, "--insist", guard).code in {0, 4}


def test_a_file_without_rows_and_without_history_cannot_be_used(tenant: Tenant) -> None:
    outcome = load(tenant, HEADER)
    assert outcome.code == 1
    assert "no rows" in outcome.err


def test_a_list_without_room_is_told_before_the_first_batch(tenant: Tenant) -> None:
    full = load(tenant, contacts(30), "--list-capacity", "29")
    assert full.code == 6
    assert "room for 29" in full.err
    assert tenant.stored == []
    assert load(tenant, contacts(30), "--list-capacity", "30").code == 0
    assert load(tenant, contacts(30, "b"), "--list-capacity", "30", "--insist", "room,size").code == 0


def test_the_preflight_tells_what_would_be_sent(tenant: Tenant) -> None:
    file = tenant.write(contacts(30))
    flags = ("--dry-run", "--list-capacity", "100", "--batch-contacts", "20")
    told = tenant.import_file(file, *flags, "--json", "--run-dir", tenant.folder / "one").json["preflight"]
    assert told == {
        "contacts": 30, "requests": 2, "columns": 4, "columns_limit": 50, "count": 0, "capacity": 100, "room": 100,
    }  # fmt: skip
    shown = tenant.import_file(file, *flags, "--run-dir", tenant.folder / "two").out
    assert "4 columns of the 50" in shown
    assert "room for 100 more" in shown
    alone = tenant.import_file(file, "--dry-run", "--run-dir", tenant.folder / "three", CXONE_CLIENT_ID="")
    assert "room in the list is not known" in alone.out


def test_a_guard_that_does_not_exist_cannot_be_insisted_against(tenant: Tenant) -> None:
    outcome = load(tenant, contacts(3), "--insist", "everything")
    assert outcome.code == 1
    assert "same-content" in outcome.err


def test_flags_that_got_lost_are_noticed_where_people_are_still_written_to(tenant: Tenant) -> None:
    def people(tag: str, flag: str) -> str:
        rows = [
            f"{tag}{n},+1212555{100 + n:04},{tag}{n}@example.com,{flag if n % 3 == 0 else 'no'},no" for n in range(60)
        ]
        return "externalId,phone,email,doNotCall,doNotEmail\n" + "\n".join(rows) + "\n"

    for tag in "abc":
        assert load(tenant, people(tag, "yes")).code == 0
    outcome = load(tenant, people("d", "no"))
    assert outcome.code == 6
    assert "Are the do-not-call flags there?" in outcome.err
    assert load(tenant, people("d", "no"), "--insist", "suppressed").code == 0
