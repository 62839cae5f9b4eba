"""A run's audit trail at its sinks: sent as the run goes, waiting where a sink is away, sent later by command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sink_servers import Receiver, postgresql
from tenant import Tenant

CONTACTS = "phone,First Name\n+12025550123,Ada\n+12025550124,Bob\n+12025550123,Ada\n5,Eve\n"
AS_THEY_ARE = ("--set", "doNotCall=false", "--set", "doNotEmail=false", "--max-rejected", "90%")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with postgresql() as made:
        yield made


def trail(run: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (run / "audit.jsonl").read_bytes().splitlines()]


def test_a_run_is_at_its_sink_when_it_ends(tenant: Tenant, receiver: Receiver) -> None:
    done = tenant.import_file(tenant.write(CONTACTS), "--sink", receiver.address, *AS_THEY_ARE, "--json")
    assert done.code == 4, done.err
    told = receiver.events
    assert told == trail(tenant.folder / "run")
    assert told[-1]["event"] == "run.finished"
    assert told[-1]["hash"] == done.json["audit_hash"]
    (sink,) = done.json["sinks"]
    assert (sink["name"], sink["waiting"], sink["acknowledged"]) == ("postgresql", 0, len(told))
    assert sink["hash"] == done.json["audit_hash"]


def test_a_sink_that_is_away_changes_nothing_but_a_finding(tenant: Tenant, receiver: Receiver) -> None:
    receiver.stop()
    done = tenant.import_file(tenant.write(CONTACTS), "--sink", receiver.address, *AS_THEY_ARE, "--json")
    assert done.code == 4, done.err
    (finding,) = [each for each in done.json["findings"] if each["code"] == "sink.waiting"]
    assert finding["remedy"] == f"dialfeed audit ship {done.json['run']}"
    receiver.start()
    shipped = tenant.run("audit", "ship", done.json["run"], "--json")
    assert shipped.code == 0, shipped.out + shipped.err
    assert receiver.events == trail(tenant.folder / "run")


def test_all_runs_are_shipped_to_the_sinks_they_began_with(tenant: Tenant, receiver: Receiver) -> None:
    receiver.stop()
    for name in ("one", "two"):
        tenant.import_file(
            tenant.write(CONTACTS), "--sink", receiver.address, "--insist", "all", *AS_THEY_ARE,
            "--run-dir", tenant.folder / name,
        )  # fmt: skip
    still = tenant.run("audit", "ship", "--all", "--patience", "0")
    assert (still.code, still.out.count("events wait")) == (3, 2)
    receiver.start()
    assert tenant.run("audit", "ship", "--all").code == 0
    assert len(receiver.events) == len(trail(tenant.folder / "one")) + len(trail(tenant.folder / "two"))


def test_a_rehearsal_sends_nothing_to_a_sink(tenant: Tenant, receiver: Receiver) -> None:
    flags = ("--sink", receiver.address, *AS_THEY_ARE, "--dry-run")
    assert tenant.import_file(tenant.write(CONTACTS), *flags).code == 4
    assert not (tenant.folder / "run/shipped").exists()


@pytest.mark.parametrize(
    ("address", "word"),
    [("postgresql://audit:s3cr3t-m4rk@127.0.0.1/test", "PASSWORD"), ("gopher://s3cr3t-m4rk", "of no kind")],
)
def test_a_wrong_address_is_told_before_the_run_starts(tenant: Tenant, address: str, word: str) -> None:
    done = tenant.import_file(tenant.write(CONTACTS), "--sink", address)
    assert (done.code, word in done.err) == (1, True)
    assert "s3cr3t-m4rk" not in done.out + done.err
    assert not (tenant.folder / "run").exists()


def test_ship_says_what_it_needs(tenant: Tenant) -> None:
    assert tenant.run("audit", "ship").code == 1
    assert tenant.run("audit", "ship", "no-such-run").code == 1
    assert tenant.run("audit", "ship", "--all").out == "No run has a sink.\n"
