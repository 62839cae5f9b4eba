"""`dialfeed settle`: find out later what became of batches whose answers were lost."""

from __future__ import annotations

from typing import Literal

import pytest
from tenant import Tenant

from dialfeed.sandbox import Fault, FaultPlan


@pytest.mark.parametrize("when", ["before_write", "after_write"])
def test_what_is_settled_later_is_sent_only_if_it_is_missing(
    tenant: Tenant, when: Literal["before_write", "after_write"]
) -> None:
    """The count cannot be read once delivery has begun; when it can be again, it decides."""
    rows = "".join(f"{n},+1212{2000000 + n},no,no\n" for n in range(1500))
    file = tenant.write("externalId,phone,doNotCall,doNotEmail\n" + rows)
    lost = Fault("status", status=502, at=(1,), when=when)
    blind = Fault("status", status=500, target="count", every=1, after=2)
    tenant.sandbox.set_faults(FaultPlan(rules=(lost, blind)))
    quick = ("--count-lag", "0.5", "--settle-grace", "0.2", "--json")
    outcome = tenant.import_file(file, *quick)
    assert outcome.code == 5, outcome.err
    assert outcome.rows["unknown"] == 1000
    run = tenant.folder / "run"
    assert outcome.json["next"] == f"dialfeed settle {outcome.json['run']}"
    assert (run / "unknown.csv").read_text().count("\n") == 1001
    tenant.sandbox.set_faults(FaultPlan())
    sent_before = len(tenant.stored)
    settled = tenant.run("settle", run, *quick, "--count-lag", "2")  # it waits for as long as a busy machine may need
    assert len(tenant.stored) == sent_before, "settling sends nothing"
    assert settled.rows["unknown"] == 0
    assert settled.code == (0 if when == "after_write" else 3)
    resumed = tenant.run("resume", run, *quick)
    assert resumed.code == 0
    assert len({contact["externalId"] for contact in tenant.stored}) == len(tenant.stored) == 1500


@pytest.mark.parametrize("when", ["before_write", "after_write"])
def test_a_batch_that_was_answered_with_a_redirect_is_settled_before_it_is_sent_again(
    tenant: Tenant, when: Literal["before_write", "after_write"]
) -> None:
    rows = "".join(f"{n},+1212{2000000 + n},no,no\n" for n in range(1500))
    file = tenant.write("externalId,phone,doNotCall,doNotEmail\n" + rows)
    elsewhere = Fault("redirect", status=307, location="https://elsewhere.example.com/", at=(1,), when=when)
    tenant.sandbox.set_faults(FaultPlan(rules=(elsewhere,)))
    quick = ("--count-lag", "0.5", "--settle-grace", "0.2", "--json")
    outcome = tenant.import_file(file, *quick)
    assert outcome.code == 2
    assert "elsewhere.example.com" in outcome.json["error"]
    assert outcome.rows["unknown"] == 1000
    resumed = tenant.run("resume", tenant.folder / "run", *quick, "--count-lag", "2")
    assert resumed.code == 0, resumed.err
    assert len({contact["externalId"] for contact in tenant.stored}) == len(tenant.stored) == 1500
