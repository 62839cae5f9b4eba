"""`dialfeed verify`, and what a run finds out about its list at its end."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl
import pytest
from tenant import Tenant

from dialfeed.contacts.duplicates import identity
from dialfeed.coordination.history import PastRun
from dialfeed.errors import FixConnection
from dialfeed.ledger.folder import held
from dialfeed.platforms.base import ReadsBack
from dialfeed.platforms.cxone.client import CxonePlatform
from dialfeed.reports.summary import Rows, Summary
from dialfeed.running.otherruns import Later, later_runs

QUICK = ("--count-lag", "0.2")


def people(first: int, count: int) -> str:
    lines = [f"C-{number},person{number}@example.com,no,no\n" for number in range(first, first + count)]
    return "externalId,email,doNotCall,doNotEmail\n" + "".join(lines)


def load(tenant: Tenant, name: str, first: int, count: int, *flags: str) -> Path:
    file = tenant.write(people(first, count), f"{name}.csv")
    outcome = tenant.import_file(file, "--run-dir", tenant.folder / name, *QUICK, *flags)
    assert outcome.code in {0, 5}, outcome.err
    return tenant.folder / name


def removed(tenant: Tenant, count: int) -> None:
    """Somebody removes contacts at the platform."""
    tenant.sandbox._state.lists[tenant.list_id].count.add(-count, time.monotonic())


def codes(told: Any) -> list[str]:
    return [finding["code"] for finding in told["findings"]]


def test_a_run_is_verified_again_and_only_its_trail_grows(tenant: Tenant) -> None:
    tenant.run("audit", "keygen")
    run = load(tenant, "run", 0, 5)
    before = json.loads((run / "summary.json").read_bytes())
    told = tenant.run("verify", run, "--json", *QUICK)
    assert told.code == 0
    assert (told.json["before"], told.json["after"], told.json["delivered"], told.json["difference"]) == (0, 5, 5, 0)
    after = json.loads((run / "summary.json").read_bytes())
    assert {**after, "audit_hash": ""} == {**before, "audit_hash": ""}
    last = json.loads((run / "audit.jsonl").read_bytes().splitlines()[-1])
    assert (last["event"], last["by"], last["hash"]) == ("count.verified", "verify", after["audit_hash"])
    key = tenant.folder / "home" / "keys" / "audit.pub"
    assert tenant.run("audit", "verify", run, "--public-key", key).code == 0
    assert "They agree" in tenant.run("verify", before["run"], *QUICK).out


def test_a_run_that_is_going_on_is_not_verified_but_followed(tenant: Tenant) -> None:
    run = load(tenant, "run", 0, 5)
    with held(run):
        told = tenant.run("verify", run, *QUICK)
    assert told.code == 6
    assert "dialfeed status" in told.err


def test_what_later_runs_put_there_is_accounted_for(tenant: Tenant) -> None:
    first = load(tenant, "first", 0, 5)
    second = load(tenant, "second", 5, 7)
    told = tenant.run("verify", first, "--json", *QUICK)
    assert told.code == 0
    assert told.json["difference"] == 0
    (later,) = told.json["later_runs"]
    assert later == {"run": json.loads((second / "summary.json").read_bytes())["run"], "delivered": 7, "perhaps": 0}
    assert "7 delivered by run" in tenant.run("verify", first, *QUICK).out
    assert tenant.run("verify", second, "--json", *QUICK).json["later_runs"] == []


def test_contacts_that_are_gone_are_told_with_causes_and_an_exit_code(tenant: Tenant) -> None:
    run = load(tenant, "run", 0, 5)
    removed(tenant, 2)
    told = tenant.run("verify", run, "--json", *QUICK)
    assert (told.code, told.json["difference"], codes(told.json)) == (5, -2, ["verify.missing"])
    text = tenant.run("verify", run, *QUICK)
    assert text.code == 5
    assert "2 contacts fewer" in text.out
    assert "dialfeed verify" in text.out


def test_contacts_of_somebody_else_are_a_warning(tenant: Tenant) -> None:
    run = load(tenant, "run", 0, 5)
    removed(tenant, -3)
    told = tenant.run("verify", run, "--json", *QUICK)
    assert (told.code, told.json["difference"], codes(told.json)) == (0, 3, ["verify.surplus"])


def test_without_a_count_nothing_is_claimed(tenant: Tenant) -> None:
    run = load(tenant, "run", 0, 5)
    tenant.sandbox.configure(count_field="missing")
    told = tenant.run("verify", run, "--json", *QUICK)
    assert (told.code, told.json["after"], codes(told.json)) == (0, None, ["verify.no_count"])


def test_what_sent_nothing_cannot_be_verified(tenant: Tenant) -> None:
    file = tenant.write(people(0, 3))
    tenant.run("validate", file, "--run-dir", tenant.folder / "checked")
    tenant.import_file(file, "--dry-run", "--run-dir", tenant.folder / "rehearsed")
    assert tenant.run("verify", tenant.folder / "checked").code == 1
    assert tenant.run("verify", tenant.folder / "rehearsed").code == 1
    assert tenant.run("verify", "nothing").code == 1


def test_a_run_that_finds_contacts_missing_tells_how_to_look_again(tenant: Tenant) -> None:
    tenant.sandbox.configure(count_lag_s=3600)
    file = tenant.write(people(0, 5))
    outcome = tenant.import_file(file, *QUICK, "--json")
    assert outcome.code == 5
    assert "verify.missing" in codes(outcome.json)
    assert outcome.json["next"].startswith("dialfeed verify ")


def test_a_count_that_lags_is_waited_for(tenant: Tenant) -> None:
    tenant.sandbox.configure(count_lag_s=0.5)
    outcome = tenant.import_file(tenant.write(people(0, 5)), "--count-lag", "30", "--json")
    assert (outcome.code, codes(outcome.json)) == (0, [])
    assert outcome.json["platform_count"] == {"before": 0, "after": 5}


# --- a platform that can be read back -----------------------------------------------------------------------------


@pytest.fixture
def reading(tenant: Tenant) -> Iterator[Tenant]:
    """The tenant's platform tells which contacts a list holds; the dialect's does not."""

    class Reading(CxonePlatform):
        async def stored(self, _: str) -> AsyncIterator[pl.DataFrame]:
            everything = frame(tenant)
            for start in range(0, len(everything), 3):
                yield everything[start : start + 3]

        async def look_up(self, _: str, contacts: pl.DataFrame) -> pl.DataFrame:
            everything = frame(tenant)
            return everything.filter(everything["externalId"].is_in(contacts["externalId"].implode()))

    assert not issubclass(CxonePlatform, ReadsBack), "the dialect has no such call"
    with mock.patch("dialfeed.running.assembly.CxonePlatform", Reading):
        yield tenant


def frame(tenant: Tenant) -> pl.DataFrame:
    stored = [{name: each.get(name) for name in ("externalId", "phone", "email")} for each in tenant.stored]
    return identity(pl.DataFrame(stored, schema=dict.fromkeys(("externalId", "phone", "email"), pl.String)))


def compared(run: Path) -> dict[str, Any]:
    lines = map(json.loads, (run / "audit.jsonl").read_bytes().splitlines())
    told: dict[str, Any] = [line for line in lines if line["event"] == "contacts.verified"][-1]
    return told


def test_everybody_is_looked_for_where_the_platform_can_tell(reading: Tenant) -> None:
    run = load(reading, "run", 0, 10, "--read-back", "all")
    told = compared(run)
    assert (told["sent"], told["looked_up"], told["missing"], told["twice"], told["surplus"]) == (10, 10, 0, 0, 0)
    assert (told["at_most"], told["confidence"]) == (0.0, 1.0)


def test_a_sample_says_with_what_confidence_how_many_may_be_missing(reading: Tenant) -> None:
    run = load(reading, "run", 0, 40, "--read-back", "10")
    told = compared(run)
    assert (told["sent"], told["looked_up"], told["surplus"], told["confidence"]) == (40, 10, None, 0.95)
    assert 0.1 < told["at_most"] < 0.3
    finding = json.loads((run / "summary.json").read_bytes())["findings"][-1]
    assert finding["code"] == "verify.sample"
    assert "95% confidence" in finding["sentence"]


def test_contacts_that_are_missing_double_or_foreign_are_found_later(reading: Tenant) -> None:
    run = load(reading, "run", 0, 10, "--read-back", "all")
    there = [*reading.stored[1:], reading.stored[5], {"externalId": "X-1", "email": "somebody@example.com"}]
    removed(reading, -1)
    with mock.patch.object(Tenant, "stored", there):
        told = reading.run("verify", run, "--json", *QUICK)
    assert told.code == 5
    assert codes(told.json) == ["verify.surplus", "verify.not_there", "verify.twice", "verify.not_ours"]


def test_a_platform_that_does_not_let_itself_be_read_back_harms_nothing(reading: Tenant) -> None:
    with mock.patch.object(Tenant, "stored", mock.PropertyMock(side_effect=FixConnection("It is away."))):
        run = load(reading, "run", 0, 10, "--read-back", "all")
    summary = json.loads((run / "summary.json").read_bytes())
    assert (summary["exit_code"], codes(summary)) == (0, ["verify.not_read_back"])


def test_nobody_is_looked_for_where_the_user_says_so_or_the_row_file_is_gone(reading: Tenant) -> None:
    run = load(reading, "run", 0, 10, "--read-back", "0")
    assert b"contacts.verified" not in (run / "audit.jsonl").read_bytes()
    (run / "delivered.csv").unlink()
    assert reading.run("verify", run, "--read-back", "all", *QUICK).code == 0
    assert b"contacts.verified" not in (run / "audit.jsonl").read_bytes()


# --- other runs into the list -------------------------------------------------------------------------------------


def past(run: str, time: str, delivered: int, *, finished: bool = True) -> PastRun:
    return PastRun(run, "L-1", time, "", "", 10, 0, 0, 10, delivered, finished)


def told_of(*others: PastRun, summaries: dict[str, Summary] | None = None) -> list[Later]:
    known = summaries or {}
    own = past("20260301T080000Z-aaaaaa", "2026-03-01T08:10:00", 5)
    return list(later_runs([*others, own], own.run, known.get))


def test_a_run_that_began_later_counts_and_one_that_ended_before_does_not() -> None:
    later = past("20260302T080000Z-bbbbbb", "2026-03-02T08:10:00", 7)
    assert told_of(later) == [Later(later.run, 7)]
    assert told_of(past("20260228T080000Z-bbbbbb", "2026-02-28T08:10:00", 7)) == []


@pytest.mark.parametrize("suffix", ["000000", "ffffff"])
def test_of_two_runs_that_began_in_one_second_the_history_tells_which_was_later(suffix: str) -> None:
    own = past("20260301T080000Z-aaaaaa", "2026-03-01T08:00:01", 5)
    other = past(f"20260301T080000Z-{suffix}", "2026-03-01T08:00:01", 7)
    assert list(later_runs([own, other], own.run, lambda _: None)) == [Later(other.run, 7)]
    assert list(later_runs([other, own], own.run, lambda _: None)) == []


def test_an_earlier_run_that_was_resumed_since_may_have_delivered_any_part_of_it() -> None:
    earlier = past("20260228T080000Z-bbbbbb", "2026-03-05T08:10:00", 7)
    assert told_of(earlier) == [Later(earlier.run, 0, 7)]


def test_a_later_run_that_has_not_ended_may_have_delivered_everything_that_was_ready() -> None:
    later = past("20260302T080000Z-bbbbbb", "2026-03-02T08:00:00", 0, finished=False)
    assert told_of(later) == [Later(later.run, 0, 10)]


def test_a_later_runs_own_summary_knows_more_than_the_history() -> None:
    later = past("20260302T080000Z-bbbbbb", "2026-03-02T08:10:00", 7)
    summary = Summary(later.run, "", "import", rows=Rows(read=12, delivered=9, unknown=3))
    assert told_of(later, summaries={later.run: summary}) == [Later(later.run, 9, 3)]
