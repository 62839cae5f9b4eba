"""Bad input: one clear sentence, the right exit code, and nothing lost or sent."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from tenant import Tenant

from dialfeed.sandbox import SandboxServer, Settings

HEADER = "externalId,firstName,phone,email,doNotCall,doNotEmail\n"
GOOD = "1,Ada,+12125550100,ada@example.com,false,false\n"


def many(count: int) -> str:
    return "".join(f"{n},Ada,+1212555{100 + n % 100:04},a{n}@example.com,no,no\n" for n in range(count))


FILES: dict[str, tuple[str | bytes, int, str]] = {
    "empty file": ("", 1, "empty"),
    "header only": (HEADER, 1, "no rows"),
    "no channel": ("externalId,doNotCall,doNotEmail\n1,no,no\n", 1, "phone"),
    "two columns for one field": ("phone number,mobile number,doNotCall,doNotEmail\n1,2,no,no\n", 1, "phone"),
    "no flags": ("phone,email\n+12125550100,a@example.com\n", 1, "doNotCall"),
    "no text in any encoding": ((HEADER + "1,J\x81\x8d\x9drg,+12125550100,,no,no\n").encode("latin-1"), 1, "encoding"),
    "no country for a national number": (HEADER + GOOD.replace("+1212", "212"), 6, "rejected"),
    "column missing in a row": (HEADER + "1,Ada,+12125550100,ada@example.com,false\n", 6, "row.too_few_cells"),
    "broken quotes": (HEADER + '1,"Ada,+12125550100,ada@example.com,false,false\n', 6, "row.broken_quotes"),
    "NUL byte": (HEADER + GOOD.replace("Ada", "A\0a"), 6, "row.nul_byte"),
    "a cell of 10 MB": (HEADER + GOOD.replace("Ada", "A" * 10_000_000), 6, "cell.too_long"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_loaded_is_refused(tenant: Tenant, name: str) -> None:
    content, code, word = FILES[name]
    outcome = tenant.import_file(tenant.write(content))
    assert outcome.code == code, outcome.err
    assert word.lower() in outcome.err.lower()
    assert "Traceback" not in outcome.out + outcome.err
    assert tenant.stored == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_a_file_in_another_encoding_is_read_right_and_told(tenant: Tenant, encoding: str) -> None:
    file = tenant.write((HEADER + "1,J\xf6rg Stra\xdfe,+12125550100,j@example.com,no,no\n").encode(encoding))
    outcome = tenant.import_file(file, "--json")
    assert outcome.code == 0, outcome.err
    assert tenant.stored[0]["firstName"] == "J\xf6rg Stra\xdfe"
    assert outcome.json["source"]["encoding"]


def test_one_bad_row_never_harms_another(tenant: Tenant) -> None:
    """Each kind of malformed row between good ones: the good ones arrive, the bad ones come back as they were."""
    bad = ["1,Ada,+12125550100\n", '2,"Ada,x,y,no,no\n', "3,A\0,+12125550101,,no,no\n", "4,a,b,c,d,e,f,g\n"]
    outcome = tenant.import_file(
        tenant.write(HEADER + "".join(row + many(5) for row in bad)), "--json", "--max-rejected", "4"
    )
    assert outcome.code == 4
    assert outcome.rows["read"] == 24
    assert outcome.rows["invalid"] == 4
    assert outcome.rows["delivered"] == 5
    assert outcome.rows["duplicate"] == 15


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_no_such_file_and_a_folder(tenant: Tenant, name: str) -> None:
    outcome = tenant.import_file(tenant.folder / name)
    assert outcome.code == 1
    assert outcome.err.count("\n") <= 2
    assert "Traceback" not in outcome.err


def test_a_wrong_secret_is_a_sign_in_error(tenant: Tenant) -> None:
    outcome = tenant.import_file(tenant.write(HEADER + GOOD), CXONE_CLIENT_SECRET="not-it")
    assert outcome.code == 2
    assert "CXONE_CLIENT_SECRET" in outcome.err
    assert "not-it" not in outcome.out + outcome.err


@pytest.mark.parametrize("scopes", [(), ("outbound:contactlist:write",)])
def test_a_missing_scope_is_named(tenant: Tenant, scopes: tuple[str, ...]) -> None:
    tenant.sandbox.configure(scopes=scopes)
    outcome = tenant.import_file(tenant.write(HEADER + GOOD))
    assert outcome.code == 2
    assert "outbound:contact:write" in outcome.err
    assert "outbound:contactlist:write" in outcome.err


def test_an_unknown_list(tenant: Tenant) -> None:
    outcome = tenant.run("import", tenant.write(HEADER + GOOD), "--list", "Autumn", "--run-dir", tenant.folder / "run")
    assert outcome.code == 2
    assert "Autumn" in outcome.err


def test_an_ambiguous_list_name_names_the_ids(tenant: Tenant) -> None:
    twins = [tenant.sandbox.add_list("Twins") for _ in range(2)]
    outcome = tenant.run("import", tenant.write(HEADER + GOOD), "--list", "Twins", "--run-dir", tenant.folder / "run")
    assert outcome.code == 2
    assert all(twin in outcome.err for twin in twins)


def test_a_list_is_found_by_its_name_where_that_is_unique(tenant: Tenant) -> None:
    outcome = tenant.run("import", tenant.write(HEADER + GOOD), "--list", "Spring", "--run-dir", tenant.folder / "run")
    assert outcome.code == 0
    assert len(tenant.stored) == 1


def test_a_server_that_is_not_there(tenant: Tenant) -> None:
    url = tenant.sandbox.url
    tenant.sandbox.stop()
    outcome = tenant.import_file(tenant.write(HEADER + GOOD), CXONE_BASE_URL=url)
    assert outcome.code == 2
    assert "no connection" in outcome.err


def test_plain_http_is_for_this_machine_only(tenant: Tenant) -> None:
    outcome = tenant.import_file(tenant.write(HEADER + GOOD), CXONE_BASE_URL="http://dialer.example.com")
    assert outcome.code == 1
    assert "https://" in outcome.err


def test_a_certificate_that_does_not_verify_sends_nothing_and_one_that_is_trusted_does(tenant: Tenant) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    file = tenant.write(HEADER + GOOD)
    with SandboxServer(Settings(), ssl_context=context) as server:
        list_id = server.add_list("Secure")
        refused = tenant.run(
            "import", file, "--list", list_id, "--run-dir", tenant.folder / "a", CXONE_BASE_URL=server.url
        )
        assert refused.code == 2
        assert "certificate" in refused.err
        assert server.contacts(list_id) == []
        trusted = tenant.folder / "authority.pem"
        authority.cert_pem.write_to_path(trusted)
        flags = ("--run-dir", tenant.folder / "b", "--ca-file", trusted)
        assert tenant.run("import", file, "--list", list_id, *flags, CXONE_BASE_URL=server.url).code == 0
        assert len(server.contacts(list_id)) == 1


def test_missing_credentials_are_named(tenant: Tenant) -> None:
    outcome = tenant.import_file(tenant.write(HEADER + GOOD), CXONE_CLIENT_SECRET="")
    assert outcome.code == 1
    assert "CXONE_CLIENT_SECRET" in outcome.err


def test_a_folder_that_cannot_be_written_to(tenant: Tenant) -> None:
    blocked = tenant.write("", "a-file")
    outcome = tenant.import_file(tenant.write(HEADER + GOOD), "--run-dir", blocked / "run")
    assert outcome.code == 1
    assert "--run-dir" in outcome.err


def test_a_folder_that_holds_another_run_is_left_alone(tenant: Tenant) -> None:
    file = tenant.write(HEADER + GOOD)
    assert tenant.import_file(file).code == 0
    again = tenant.import_file(file)
    assert again.code == 1
    assert "dialfeed resume" in again.err
    assert len(tenant.stored) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small file system can be mounted by root only")
    return folder


@pytest.fixture
def unmount(small_disk: Path) -> Iterator[Path]:
    yield small_disk
    subprocess.run(["umount", small_disk], check=True)


def test_a_full_disk_loses_nothing_and_the_run_goes_on_when_there_is_room(tenant: Tenant, unmount: Path) -> None:
    run = unmount / "run"
    outcome = tenant.import_file(tenant.write(HEADER + many(20_000)), "--run-dir", run)
    assert outcome.code == 3
    assert "disk is full" in outcome.err
    assert "Traceback" not in outcome.err
    assert tenant.stored == []
    subprocess.run(["mount", "-o", "remount,size=100m", unmount], check=True)
    resumed = tenant.run("resume", run, "--json")
    assert resumed.code == 0, resumed.err
    assert resumed.rows["delivered"] == len(tenant.stored) == 20_000


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (["--rate", "fast"], "--rate"),
        (["--max-rejected", "120%"], "--max-rejected"),
        (["--default-country", "Germany"], "--default-country"),
        (["--map", "phone"], "--map"),
        (["--profile", "nightly"], "configuration file"),
        (["--no-such-flag"], "--no-such-flag"),
    ],
)
def test_a_wrong_flag_is_a_usage_error(tenant: Tenant, flags: list[str], word: str) -> None:
    outcome = tenant.import_file(tenant.write(HEADER + GOOD), *flags)
    assert outcome.code == 1
    assert word in outcome.err
    assert tenant.stored == []


FALSE_STARTS: dict[str, tuple[str, dict[str, str]]] = {
    "a name that was mistyped": ("contcats.csv", {}),
    "an empty file": ("empty.csv", {}),
    "no address of the platform": ("contacts.csv", {"CXONE_BASE_URL": ""}),
    "no credentials": ("contacts.csv", {"CXONE_CLIENT_SECRET": ""}),
}


@pytest.mark.parametrize(("file", "env"), FALSE_STARTS.values(), ids=FALSE_STARTS)
def test_what_a_setting_or_the_file_stops_at_once_leaves_nothing_behind(
    tenant: Tenant, file: str, env: dict[str, str]
) -> None:
    tenant.write(HEADER + GOOD)
    tenant.write("", "empty.csv")
    runs = ("--runs-dir", tenant.folder / "runs")
    first = tenant.run("import", tenant.folder / "contacts.csv", "--list", tenant.list_id, *runs)
    assert first.code == 0
    kept = sorted((tenant.folder / "runs").iterdir())
    told = tenant.run("import", tenant.folder / file, "--list", tenant.list_id, "--json", *runs, **env)
    assert (told.code, told.json["status"], told.json["folder"]) == (1, "FAILED", "")
    assert told.json["error"]
    assert sorted((tenant.folder / "runs").iterdir()) == kept
    assert len(list((tenant.folder / "home" / "runs").iterdir())) == 1
    latest = tenant.run("resume", "--latest", "--json", *runs)
    assert (latest.code, latest.json["rows"]["delivered"]) == (0, 1), "the latest run is the one that came to something"


def test_a_folder_with_something_of_the_users_in_it_is_left_alone(tenant: Tenant) -> None:
    folder = tenant.folder / "mine"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    assert tenant.run("validate", tenant.folder / "nowhere.csv", "--run-dir", folder).code == 1
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_run_that_the_platform_turns_away_is_kept_and_can_be_resumed(tenant: Tenant) -> None:
    file = tenant.write(HEADER + GOOD)
    told = tenant.import_file(file, "--json", CXONE_CLIENT_SECRET="wrong")
    assert told.code == 2
    assert told.json["next"] == f"dialfeed resume {told.json['run']}"
    assert tenant.run("resume", told.json["folder"]).code == 0
