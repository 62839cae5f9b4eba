"""The Python API on runs that are there: what the commands tell, as values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from tenant import Tenant

import dialfeed
from dialfeed.sandbox import SandboxServer, Settings

CONTACTS = "externalId,phone,doNotCall,doNotEmail\nA,+12125550101,no,no\nB,+12125550102,no,no\n"


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    with SandboxServer(Settings(rate_limit=None)) as sandbox:
        yield Tenant(sandbox, sandbox.add_list("Spring"), tmp_path)


@pytest.fixture
def places(tenant: Tenant) -> dict[str, Any]:
    return {"home": str(tenant.folder / "home"), "runs_dir": str(tenant.folder / "runs")}


@pytest.fixture
def connection(tenant: Tenant) -> dict[str, Any]:
    sandbox = tenant.sandbox
    return {"base_url": sandbox.url, "client_id": sandbox.client_id, "client_secret": sandbox.client_secret}


@pytest.fixture
def loaded(tenant: Tenant, places: dict[str, Any], connection: dict[str, Any]) -> dialfeed.Result:
    file = tenant.write(CONTACTS)
    return dialfeed.import_contacts(file, list="Spring", **places, **connection)


def test_the_names_are_there_before_they_are_used() -> None:
    assert {"import_contacts", "resume", "DialfeedError"} <= set(dir(dialfeed))


def test_a_run_is_listed_and_its_status_is_told(loaded: dialfeed.Result, places: dict[str, Any]) -> None:
    (seen,) = dialfeed.list_runs(**places)
    assert (seen.run, seen.status, seen.rows["delivered"]) == (loaded.run, "SUCCESS", 2)
    told = dialfeed.status(loaded.run, **places)
    assert (told.running, told.stage, told.contacts["delivered"]) == (False, "ended", 2)


def test_a_run_is_verified_by_its_list_and_by_its_trail(
    loaded: dialfeed.Result, places: dict[str, Any], connection: dict[str, Any]
) -> None:
    told = dialfeed.verify(loaded.run, **places, **connection)
    assert (told.exit_code, told.counted.difference) == (0, 0)
    verdict = dialfeed.verify_trail(loaded.folder, **places)
    assert (verdict.exit_code, verdict.checked.whole) == (0, True)
    assert dialfeed.verify_trail(loaded.folder, last_hash="0" * 64, **places).exit_code == 7


def test_reports_are_drawn_where_they_are_wanted(
    loaded: dialfeed.Result, tenant: Tenant, places: dict[str, Any], connection: dict[str, Any]
) -> None:
    assert dialfeed.report(loaded.run, **places) == Path(loaded.folder) / "report.html"
    page = tenant.folder / "page.html"
    assert dialfeed.report(loaded.run, page, **places) == page
    assert loaded.run in page.read_text("utf-8")
    again = dialfeed.import_contacts(
        tenant.folder / "contacts.csv", list="Spring", insist="all", **places, **connection
    )
    compared = dialfeed.compare(loaded.run, again.run, **places)
    assert compared.file.is_file()
    assert {line.name: line.second for line in compared.comparison.rows}["delivered"] == 2


@pytest.mark.parametrize("name", ["status", "report", "verify", "verify_trail", "resume", "settle"])
def test_a_run_that_is_not_there_is_an_error_with_an_advice(name: str, places: dict[str, Any]) -> None:
    with pytest.raises(dialfeed.DialfeedError, match="no run") as told:
        getattr(dialfeed, name)("20200101T000000Z-000000", **places)
    assert told.value.advice
    assert told.value.exit_code == 1


def test_what_is_on_the_list_is_not_told_as_not_sent_where_there_is_no_room_for_the_row_files(
    tenant: Tenant, places: dict[str, Any], connection: dict[str, Any]
) -> None:
    with mock.patch("dialfeed.steps.record._Files.write_next", side_effect=OSError(28, "No space left on device")):
        told = dialfeed.import_contacts(tenant.write(CONTACTS), list="Spring", **places, **connection)
    assert (told.exit_code, told.rows.delivered, told.rows.failed) == (3, 2, 0)
    assert dialfeed.resume(told.run, **places, **connection).exit_code == 0
    assert len(tenant.stored) == 2
