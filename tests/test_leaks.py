"""Nothing private leaks (law 6): marked names, numbers, addresses and secrets go in, and come out in row files alone.

The marks are looked for in everything else that a run leaves or tells: the standard output and error, the trail, the
summary, the report, the log, the metrics, what telemetry and sinks were sent, the folder that runs share, and the
list of processes.
"""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import command
import pytest
from careless import TOKEN, careless
from collector import Collector, collecting
from event_table import unfit
from waiting import wait_for

from dialfeed.audit.check import check
from dialfeed.sandbox import Fault, FaultPlan, SandboxServer, Settings

TODAY = f"{datetime.now(UTC):%Y-%m-%d}"
CLIENT, SECRET = "CLIENTMARK-77", "SECRETMARK-s3cr3t"
MARKS = (
    "zebulonmark", "quillonmark", "notemark", "extmark", CLIENT.lower(), SECRET.lower(), TOKEN.lower(), "tokenmark",
    "5550177", "555-0177", "555 0177", "5550178", "555-0178", "555 0178",
)  # fmt: skip
HEADER = "externalId,firstName,lastName,phone,email,doNotCall,doNotEmail,Note\n"
ROW_FILES = {
    "delivered.csv", "rejected.csv", "duplicates.csv", "suppressed.csv", "refused.csv", "failed.csv", "unknown.csv",
    "ready.csv", "ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "rejected.people.csv", "refused.people.csv",
}  # fmt: skip
"""Files that rows belong into; each is for its owner alone."""


def rows(count: int = 60) -> str:
    """Contacts all of whose cells are marked, with every kind of fault among them."""
    good = [
        f"EXTMARK-{number},Zebulonmark,Quillonmark,,zebulonmark{number}@example.com,no,no,notemark\n"
        for number in range(count)
    ]
    phones = ("+12125550177", "(212) 555-0178", "212 555 0177", "+1212555017", "5550177x", "=5550177")
    bad = [f"EXTMARK-P{place},Zebulonmark,Quillonmark,{phone},,no,no,notemark\n" for place, phone in enumerate(phones)]
    bad += [
        "EXTMARK-M,Zebulonmark,Quillonmark,,zebulonmark@@example,no,no,notemark\n",
        "EXTMARK-F,Zebulonmark,Quillonmark,,zebulonmark@example.com,notemark,no,notemark\n",
        "EXTMARK-S,Zebulonmark,Quillonmark,+12125550177,,yes,yes,notemark\n",
        "EXTMARK-0,Zebulonmark,Quillonmark,,zebulonmark0@example.com,no,no,notemark\n",
        f"EXTMARK-L,Zebulonmark,Quillonmark,,zebulonmark-l@example.com,no,no,{'notemark' * 80}\n",
        'EXTMARK-Q,"Zebulonmark,Quillonmark,+12125550177\n',
    ]
    return HEADER + "".join(good + bad)


CHAINED = {"n", "time", "run", "event", "previous", "hash"}


@dataclass
class World:
    """One tenant, one collector, and what was told."""

    folder: Path
    url: str
    list_id: str
    collector: Collector
    outcomes: list[command.Outcome] = field(default_factory=list)
    processes: set[str] = field(default_factory=set)

    @property
    def env(self) -> dict[str, str]:
        return {
            "CXONE_BASE_URL": self.url, "CXONE_CLIENT_ID": CLIENT, "CXONE_CLIENT_SECRET": SECRET,
            "DIALFEED_HOME": str(self.folder / "home"), "DIALFEED_LOG_FILE": str(self.folder / "dialfeed.log"),
            "DIALFEED_METRICS_FILE": str(self.folder / "dialfeed.prom"), "DIALFEED_PUSHGATEWAY": self.collector.url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.collector.url, "DIALFEED_SINK_WEBHOOK_SECRET": f"{SECRET}-webhook",
        }  # fmt: skip

    def write(self, content: str, name: str = "contacts.csv") -> Path:
        path = self.folder / name
        path.write_text(content, "utf-8")
        return path

    def run(self, *arguments: str | Path, **env: str) -> command.Outcome:
        outcome = command.run(*arguments, env={**self.env, **env})
        self.outcomes.append(outcome)
        return outcome

    def load(self, file: Path, *flags: str | Path, **env: str) -> command.Outcome:
        return self.run(*self.loading(file, *flags), **env)

    def loading(self, file: Path, *flags: str | Path) -> tuple[str | Path, ...]:
        run_dir = self.folder / "run"
        common = ("--run-dir", run_dir, "--max-rejected", "100%", "--people-files", "csv", "--in-flight", "2")
        return ("import", file, "--list", self.list_id, *common, *flags)

    def start(self, *arguments: str | Path, **env: str) -> subprocess.Popen[str]:
        process = command.start(*arguments, env={**self.env, **env}, cwd=self.folder)
        threading.Thread(target=self._watch, args=(process,), daemon=True).start()
        return process

    def end(self, process: subprocess.Popen[str]) -> command.Outcome:
        out, err = process.communicate(timeout=60)
        self.outcomes.append(command.Outcome(process.returncode, out, err))
        return self.outcomes[-1]

    def _watch(self, process: subprocess.Popen[str]) -> None:
        while process.poll() is None:
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.processes.add(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
                except OSError:
                    continue
            time.sleep(0.05)

    def told(self) -> Iterator[tuple[str, str]]:
        """Everything that a run tells or leaves and that is no file for rows, with where it is."""
        for number, outcome in enumerate(self.outcomes):
            yield f"stdout {number}", outcome.out
            yield f"stderr {number}", outcome.err
        yield from (("process list", each) for each in self.processes)
        yield from ((f"body to {path}", body.decode("latin-1")) for _, path, body in self.collector.requests)
        yield from ((f"path {path}", path) for _, path, _ in self.collector.requests)
        for path in self.folder.rglob("*"):
            inside = path.relative_to(self.folder)
            if path.is_file() and path.suffix != ".input" and "stage" not in inside.parts:
                if path.name in ROW_FILES:
                    assert path.stat().st_mode & 0o077 == 0, f"{inside} may be read by others"
                else:
                    yield str(inside), path.read_bytes().decode("latin-1")

    def check(self, *expected: str) -> None:
        """No mark anywhere; `expected` names places that there must have been to look into."""
        places = set()
        for place, text in self.told():
            places.add(place)
            found = [mark for mark in MARKS if mark in text.lower()]
            assert not found, f"{place} tells {found}: …{excerpt(text.lower(), found[0])}…"
        for trail in self.folder.rglob("audit.jsonl"):
            self._check_trail(trail)
            for line in map(json.loads, trail.read_text().splitlines()):
                facts = {name: value for name, value in line.items() if name not in CHAINED}
                assert list(unfit(line["event"], facts)) == []
        for name in expected:
            assert any(name in place for place in places), f"{name} is not among {sorted(places)}"

    def _check_trail(self, trail: Path) -> None:
        """However the run ended, its trail is whole and tells its end."""
        recorded = json.loads(trail.with_name("summary.json").read_bytes())["audit_hash"]
        with trail.open("rb") as lines:
            checked = check(lines, last_hash=recorded)
        assert checked.whole, checked.problems
        assert b'"event":"run.finished"' in trail.read_bytes()


def excerpt(text: str, mark: str) -> str:
    at = text.index(mark)
    return text[max(0, at - 200) : at + 60]


EVERYWHERE = ("stdout 0", "audit.jsonl", "summary.json", "dialfeed.log", "dialfeed.prom", "/v1/traces", "/metrics/job")


@contextmanager
def world(folder: Path, settings: Settings) -> Iterator[tuple[World, SandboxServer]]:
    with SandboxServer(settings) as sandbox, collecting() as collector:
        yield World(folder, sandbox.url, sandbox.add_list("Spring"), collector), sandbox


def a_platform(**changes: object) -> Settings:
    fixed = {"client_id": CLIENT, "client_secret": SECRET, "rate_limit": None, "echo_values": True, "max_cell": 300}
    return Settings(**{**fixed, **changes})  # type: ignore[arg-type]


FAULTS = (
    Fault("rate_limited", at=(2,), retry_after="decimals", seconds=0.1),
    Fault("status", at=(4,), status=400),
    Fault("html", at=(5,), status=502),
    Fault("truncated_json", at=(6,)),
    Fault("cut_after_upload", at=(7,)),
    Fault("revoke_tokens", at=(8,)),
)


def test_a_run_with_faults_in_a_process_of_its_own_leaks_nothing(tmp_path: Path) -> None:
    with world(tmp_path, a_platform()) as (each, sandbox):
        sandbox.set_faults(FaultPlan(7, FAULTS))
        listed = each.write("212,5550177\n212,5550178\n", "listed.input")
        list_of = ("--id", "us-national", "--authority", "us", "--obtained", TODAY, "--covers", "212")
        assert each.run("dnc", "add", listed, *list_of).code == 0
        watched = ("--dnc", "us-national", "--sink", f"{each.collector.url}/hook")
        small = ("--batch-contacts", "6", "--max-cell", "2000", "--settle-grace", "0.2", "--count-lag", "1")
        file = each.write(rows(), "contacts.input")
        outcome = each.end(each.start(*each.loading(file, *watched, *small, "--format", "csv")))
        assert outcome.code in {4, 5}, outcome.err
        refused = (tmp_path / "run" / "refused.csv").read_text()
        assert "notemark" in refused, "the platform's words are in the file for rows"
        for words in (("resume",), ("settle",), ("verify",), ("audit", "verify"), ("audit", "ship"), ("report",)):
            each.run(*words, tmp_path / "run")
        each.run("retry", tmp_path / "run", tmp_path / "run" / "rejected.csv")
        tokens = {token.lower() for token in sandbox._state.tokens}
        assert tokens
        for place, text in each.told():
            assert not [token for token in tokens if token in text.lower()], f"{place} tells a token"
        each.check(*EVERYWHERE, "process list", "/hook", "report.html", "evidence.json", "decisions.csv")


def test_what_a_person_left_in_the_name_of_a_file_and_of_a_list_goes_into_no_trail_log_or_sink(tmp_path: Path) -> None:
    with world(tmp_path, a_platform()) as (each, sandbox):
        named = sandbox.add_list("For zebulonmark@example.com, +1 212 555 0177")
        file = each.write(rows(6), "call +12125550177 zebulonmark@example.com.csv")
        flags = ("--sink", f"{each.collector.url}/hook", "--max-rejected", "100%", "--run-dir", tmp_path / "run")
        assert each.run("import", file, "--list", named, *flags).code == 4
        told = [(tmp_path / "run" / "audit.jsonl").read_text(), (tmp_path / "dialfeed.log").read_text()]
        told += [body.decode("latin-1") for _, _, body in each.collector.requests]
        assert not [mark for mark in MARKS for text in told if mark in text.lower()]
        assert "call ***77 ***" in told[0], "and the rest of the name is told"


def test_json_on_both_outputs_leaks_nothing(tmp_path: Path) -> None:
    with world(tmp_path, a_platform()) as (each, _):
        file = each.write(rows(), "contacts.input")
        outcome = each.load(file, "--json", "--log-format", "json", "--format", "csv", "--dry-run")
        assert outcome.code == 4
        each.run("validate", file, "--format", "csv", "--run-dir", tmp_path / "checked", "--max-rejected", "100%")
        each.run("map", file, "--format", "csv", "--json")
        each.run("doctor", "--json")
        each.check("stdout 3", "audit.jsonl")


def test_a_run_that_is_stopped_by_ctrl_c_leaks_nothing(tmp_path: Path) -> None:
    with world(tmp_path, a_platform(latency_s=0.2)) as (each, _):
        file = each.write(rows(200), "contacts.input")
        flags = ("--batch-contacts", "2", "--format", "csv")
        process = each.start(*each.loading(file, *flags))
        trail = tmp_path / "run" / "audit.jsonl"
        wait_for(lambda: trail.is_file() and b"batch.answered" in trail.read_bytes())
        process.send_signal(signal.SIGINT)
        assert each.end(process).code == 130
        each.check(*EVERYWHERE, "process list")


def test_wrong_credentials_leak_nothing(tmp_path: Path) -> None:
    with world(tmp_path, a_platform(client_secret="another")) as (each, _):
        outcome = each.end(each.start(*each.loading(each.write(rows(), "contacts.input"), "--format", "csv")))
        assert outcome.code == 2
        each.run("doctor")
        each.run("lists")
        each.check("stderr 0", "audit.jsonl", "dialfeed.log", "process list")


@pytest.mark.parametrize("status", [301, 400, 403, 409, 415, 500])
def test_a_platform_that_repeats_all_it_was_sent_is_not_quoted(tmp_path: Path, status: int) -> None:
    with careless(status) as url, collecting() as collector:
        each = World(tmp_path, url, "L-1", collector)
        file = each.write(rows(6), "contacts.input")
        flags = ("--format", "csv", "--retries", "0", "--settle-grace", "0.1", "--count-lag", "0.1", "--json")
        outcome = each.load(file, *flags)
        assert outcome.code in {2, 3, 4, 5}, outcome.err
        each.check("audit.jsonl", "dialfeed.log")


@pytest.mark.parametrize("status", [401, 415])
def test_a_platform_that_repeats_the_secret_at_the_sign_in_is_not_quoted(tmp_path: Path, status: int) -> None:
    with careless(status, signs_in=False) as url, collecting() as collector:
        each = World(tmp_path, url, "L-1", collector)
        flags = ("--format", "csv", "--credentials-in-body")
        assert each.load(each.write(rows(6), "contacts.input"), *flags).code == 2
        each.check("audit.jsonl", "dialfeed.log")


def test_a_file_whose_first_row_is_a_contact_is_not_quoted_as_column_names(tmp_path: Path) -> None:
    content = rows(6).partition("\n")[2]
    with world(tmp_path, a_platform()) as (each, _):
        file = each.write(content, "contacts.input")
        each.run("map", file, "--format", "csv")
        for number, flags in enumerate(((), ("--header-row", "1"), ("--header-row", "0"))):
            each.run("validate", file, "--format", "csv", *flags, "--run-dir", tmp_path / f"run-{number}")
        each.check("stderr 0")


def test_a_fault_of_the_program_tells_its_place_and_no_value(tmp_path: Path) -> None:
    cells = "Zebulonmark +12125550177 zebulonmark@example.com EXTMARK-1"
    with world(tmp_path, a_platform()) as (each, _):
        file = each.write(rows(6), "contacts.input")
        with mock.patch("dialfeed.steps.preparing.rule_set", side_effect=ValueError(cells)):
            assert each.load(file, "--format", "csv").code == 3
        each.check("fault.txt", "audit.jsonl", "dialfeed.log")


def test_a_fault_of_a_command_without_a_run_tells_its_place_and_no_value(tmp_path: Path) -> None:
    with world(tmp_path, a_platform()) as (each, _):
        file = each.write(rows(6), "contacts.input")
        with mock.patch("dialfeed.mapview.view_mapping", side_effect=ValueError("zebulonmark@example.com")):
            for flags in ((), ("--json",)):
                outcome = each.run("map", file, *flags)
                assert (outcome.code, "Traceback" in outcome.err) == (3, False)
                assert "itself failed (ValueError" in outcome.err
        each.check("stderr 1")


def test_a_secret_in_the_address_of_a_source_is_not_told(tmp_path: Path) -> None:
    with world(tmp_path, a_platform()) as (each, _):
        for number, address in enumerate(
            (
                f"https://files.invalid/contacts.csv?X-Signature={SECRET}",
                f"https://me:{SECRET}@files.invalid/contacts.csv",
                f"postgresql://me:{SECRET}@127.0.0.1:1/test?password={SECRET}",
            )
        ):
            run = tmp_path / f"run{number}"
            run.mkdir()
            (run / "my notes.txt").touch()  # a run that never began leaves no folder of its own
            outcome = each.run("import", address, "--list", each.list_id, "--query", "select 1", "--run-dir", run)
            assert outcome.code == 1, outcome.err
            ledger = run / "ledger.sqlite"
            assert ledger.is_file()
            assert SECRET.encode() not in b"".join(part.read_bytes() for part in ledger.parent.glob("ledger.sqlite*"))
            each.check("audit.jsonl")
