"""`dialfeed settle`: find out later what became of batches whose answers were lost."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import pytest
from command import Outcome
from tenant import Tenant

from dialfeed.sandbox import Fault, FaultPlan

ONE_BY_ONE = ("--in-flight", "1")
"""The first batch then is the first to arrive, whatever else the machine does."""

SETTLED_SOON = (*ONE_BY_ONE, "--count-lag", "0.5", "--settle-grace", "0.2", "--json")
QUICK = (*SETTLED_SOON, "--count-lag", "2")
"""It waits for as long as a busy machine may need."""


def contacts(tenant: Tenant, first: int, count: int) -> Path:
    rows = "".join(f"{n},+1212{2000000 + n},no,no\n" for n in range(first, first + count))
    return tenant.write("externalId,phone,doNotCall,doNotEmail\n" + rows, f"contacts-{first}.csv")


@pytest.mark.parametrize("when", ["before_write", "after_write"])
def test_what_is_settled_later_is_sent_only_if_it_is_missing(
    tenant: Tenant, when: Literal["before_write", "after_write"]
) -> None:
    """The count cannot be read once delivery has begun; when it can be again, it decides."""
    lost = Fault("status", status=502, at=(1,), when=when)
    blind = Fault("status", status=500, target="count", every=1, after=2)
    tenant.sandbox.set_faults(FaultPlan(rules=(lost, blind)))
    outcome = tenant.import_file(contacts(tenant, 0, 1500), *SETTLED_SOON)
    assert outcome.code == 5, outcome.err
    assert outcome.rows["unknown"] == 1000
    run = tenant.folder / "run"
    assert outcome.json["next"] == f"dialfeed settle {outcome.json['run']}"
    assert (run / "unknown.csv").read_text().count("\n") == 1001
    tenant.sandbox.set_faults(FaultPlan())
    sent_before = len(tenant.stored)
    settled = tenant.run("settle", run, *QUICK)
    assert len(tenant.stored) == sent_before, "settling sends nothing"
    assert settled.rows["unknown"] == 0
    assert settled.code == (0 if when == "after_write" else 3)
    resumed = tenant.run("resume", run, *SETTLED_SOON)
    assert resumed.code == 0
    assert len({contact["externalId"] for contact in tenant.stored}) == len(tenant.stored) == 1500


@pytest.mark.parametrize("when", ["before_write", "after_write"])
def test_a_lost_batch_is_settled_after_a_pause_that_is_longer_than_the_count_can_lag(
    tenant: Tenant, when: Literal["before_write", "after_write"]
) -> None:
    """A 503 that asks for a pause lets nobody ask meanwhile, not even for the count."""
    busy = Fault("status", status=503, at=(1,), when=when, retry_after="seconds", seconds=3.0)
    tenant.sandbox.set_faults(FaultPlan(rules=(busy,)))
    outcome = tenant.import_file(contacts(tenant, 0, 1500), *SETTLED_SOON)
    assert (outcome.code, outcome.rows["delivered"]) == (0, 1500), outcome.err
    assert len({contact["externalId"] for contact in tenant.stored}) == len(tenant.stored) == 1500


@pytest.mark.parametrize("when", ["before_write", "after_write"])
def test_a_batch_that_was_answered_with_a_redirect_is_settled_before_it_is_sent_again(
    tenant: Tenant, when: Literal["before_write", "after_write"]
) -> None:
    elsewhere = Fault("redirect", status=307, location="https://elsewhere.example.com/", at=(1,), when=when)
    tenant.sandbox.set_faults(FaultPlan(rules=(elsewhere,)))
    outcome = tenant.import_file(contacts(tenant, 0, 1500), *SETTLED_SOON)
    assert outcome.code == 2
    assert "elsewhere.example.com" in outcome.json["error"]
    assert outcome.rows["unknown"] == 1000
    resumed = tenant.run("resume", tenant.folder / "run", *QUICK)
    assert resumed.code == 0, resumed.err
    assert len({contact["externalId"] for contact in tenant.stored}) == len(tenant.stored) == 1500


def test_what_the_count_has_settled_is_unknown_where_the_list_has_more_than_anybody_can_explain(tenant: Tenant) -> None:
    """Somebody else writes while the batch is sent again that the count had told to be missing."""
    lost, other = Fault("status", status=502, at=(1,), when="before_write"), Fault("other_writer", at=(3,), keep=7)
    tenant.sandbox.set_faults(FaultPlan(rules=(lost, other)))
    outcome = tenant.import_file(contacts(tenant, 0, 1500), *SETTLED_SOON)
    assert outcome.code == 5, outcome.err
    assert (outcome.rows["unknown"], outcome.rows["delivered"]) == (1000, 500)
    assert [each["code"] for each in outcome.json["findings"]] == ["settle.doubted", "verify.surplus"]
    assert outcome.json["settled"] == {}
    run = tenant.folder / "run"
    assert (run / "unknown.csv").read_text().count("\n") == 1001
    assert (run / "delivered.csv").read_text().count("\n") == 501
    assert b'"settling.doubted"' in (run / "audit.jsonl").read_bytes()
    settled = tenant.run("settle", run, *SETTLED_SOON)
    assert (settled.code, settled.rows["unknown"]) == (5, 1000), "nor does a later count explain it"


# --- where others have loaded the list meanwhile ------------------------------------------------------------------


def lose_the_first_batch(tenant: Tenant, name: str, first: int, count: int, when: str) -> Path:
    """An import whose first answer is lost, and that cannot read the count any more."""
    lost = Fault("status", status=502, at=(1,), when=when)  # type: ignore[arg-type]
    blind = Fault("status", status=500, target="count", every=1, after=2)
    tenant.sandbox.set_faults(FaultPlan(rules=(lost, blind)))
    run = tenant.folder / name
    outcome = tenant.import_file(contacts(tenant, first, count), *QUICK, "--run-dir", run, "--insist", "all")
    assert outcome.rows["unknown"] == min(count, 1000), outcome.err
    tenant.sandbox.set_faults(FaultPlan())
    return run


def is_right(tenant: Tenant, run: Path, count: int) -> None:
    """Everybody whom the run says it delivered is on the list, and nobody twice."""
    stored = [contact["externalId"] for contact in tenant.stored]
    delivered = (run / "delivered.csv").read_text().splitlines()[1:]
    assert len(delivered) == count
    assert len(set(stored)) == len(stored)
    assert {line.split(",")[0].strip('"') for line in delivered} <= set(stored)


@pytest.mark.parametrize("when", ["before_write", "after_write"])
@pytest.mark.parametrize("size_of_the_other", [300, 70])
def test_what_a_later_run_has_put_there_is_not_taken_for_a_lost_batch(
    tenant: Tenant, when: str, size_of_the_other: int
) -> None:
    """Also not where it has just the size of the lost batch."""
    run = lose_the_first_batch(tenant, "run", 0, 300, when)
    other = tenant.import_file(
        contacts(tenant, 5000, size_of_the_other), *QUICK, "--run-dir", tenant.folder / "other", "--insist", "all"
    )
    assert other.code == 0, other.err
    resumed = tenant.run("resume", run, *QUICK)
    assert (resumed.code, resumed.json["findings"]) == (0, [])
    is_right(tenant, run, 300)
    assert len(tenant.stored) == 300 + size_of_the_other


def test_what_a_retry_has_put_there_is_not_taken_for_a_lost_batch(tenant: Tenant) -> None:
    lost = Fault("status", status=502, at=(1,), when="before_write")
    blind = Fault("status", status=500, target="count", every=1, after=2)
    tenant.sandbox.set_faults(FaultPlan(rules=(lost, blind)))
    file = contacts(tenant, 0, 5)
    file.write_text(file.read_text() + "".join(f"{n},12,no,no\n" for n in range(100, 105)))
    first = tenant.import_file(file, *QUICK, "--max-rejected", "90%")
    assert (first.rows["unknown"], first.rows["invalid"]) == (5, 5)
    tenant.sandbox.set_faults(FaultPlan())
    run = tenant.folder / "run"
    rejected = run / "rejected.csv"
    rejected.write_text(rejected.read_text().replace(",12,", ",+12125550111,"))
    assert tenant.run("retry", run, rejected, *QUICK).rows["delivered"] == 5
    settled = tenant.run("settle", run, *QUICK)
    assert settled.rows["failed"] == 5, "nothing of the lost batch is on the list"
    assert tenant.run("resume", run, *QUICK).code == 0
    is_right(tenant, run, 5)
    assert len(tenant.stored) == 10


def test_a_run_is_not_settled_while_nobody_knows_what_a_later_one_has_put_there(tenant: Tenant) -> None:
    """The later one is settled first, and then this one."""
    run = lose_the_first_batch(tenant, "run", 0, 300, "before_write")
    other = lose_the_first_batch(tenant, "other", 5000, 300, "after_write")

    def finding(told: Outcome) -> str:
        (each,) = [each for each in told.json["findings"] if each["code"] == "settle.other_run"]
        return str(each["remedy"])

    time.sleep(1.1)  # the history tells seconds
    early = tenant.run("settle", run, *QUICK)
    assert (early.code, early.rows["unknown"]) == (5, 300)
    assert "dialfeed status" in finding(early)
    assert tenant.run("settle", other, *QUICK).code == 0
    assert tenant.run("settle", run, *QUICK).rows["failed"] == 300
    assert tenant.run("resume", run, *QUICK).code == 0
    is_right(tenant, run, 300)
    assert len(tenant.stored) == 600
