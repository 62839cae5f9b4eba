"""What a run remembers is what its ledger's format says: whoever changes the one counts up the other."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tenant import Tenant

from dialfeed.sandbox import SandboxServer, Settings

FORMAT = 3
REMEMBERED = {
    "batch": "id root start stop size spans state attempts status cause settled stored_unnamed ids",
    "fact": "name value",
    "refusal": "place batch code field words",
    "suppression": "place field batch reasons at",
    "facts": "baseline format judged list plan prepared retry_of run source",
    "facts.prepared": "columns endpoints evidence_seconds fields fingerprint header identities passed prepared "
    "retry scrub seconds source",
    "facts.prepared.prepared": "blank duplicate invalid read ready reasons suppressed warnings",
    "facts.prepared.scrub": "decisions hours key_id lines lists opened_at reasons sha256 valid_until",
}
"""Tables and their columns, facts and their parts. Where this is no longer true, `_FORMAT` of the ledger has to
count up as well, or a run that was begun before cannot find what it needs when it is gone on with."""


def test_what_a_run_remembers_has_changed_only_together_with_the_format_of_its_ledger(tmp_path: Path) -> None:
    with SandboxServer(Settings(rate_limit=None)) as sandbox:
        tenant = Tenant(sandbox, sandbox.add_list("Spring"), tmp_path)
        assert tenant.run("dnc", "add", "--internal", "+12125550100").code == 0
        content = "externalId,phone,doNotCall,doNotEmail\n1,+12125550101,no,no\n"
        assert tenant.import_file(tenant.write(content), "--dnc", "internal").code == 0
    with closing(sqlite3.connect(tmp_path / "run" / "ledger.sqlite")) as ledger:
        names = [name for (name,) in ledger.execute("select name from sqlite_schema where type = 'table'")]
        found = {name: [row[1] for row in ledger.execute(f"pragma table_info({name})")] for name in names}
        facts = {name: json.loads(value) for name, value in ledger.execute("select name, value from fact")}
    prepared = facts["prepared"]
    parts = {"": facts, ".prepared": prepared, ".prepared.prepared": prepared["prepared"]}
    parts[".prepared.scrub"] = prepared["scrub"]
    found |= {f"facts{name}": sorted(part) for name, part in parts.items()}
    assert (facts["format"], {name: " ".join(part) for name, part in found.items()}) == (FORMAT, REMEMBERED)


def test_a_run_of_another_version_is_told_in_a_sentence_by_whatever_goes_on_with_it(tmp_path: Path) -> None:
    with SandboxServer(Settings(rate_limit=None)) as sandbox:
        tenant = Tenant(sandbox, sandbox.add_list("Spring"), tmp_path)
        content = "externalId,phone,doNotCall,doNotEmail\n1,+12125550101,no,no\n2,x,no,no\n"
        assert tenant.import_file(tenant.write(content), "--max-rejected", "100%").code == 4
        run = tmp_path / "run"
        with closing(sqlite3.connect(run / "ledger.sqlite")) as ledger, ledger:
            ledger.execute("delete from fact where name = 'format'")
        summary = (run / "summary.json").read_bytes()
        goes_on: list[tuple[str | Path, ...]] = [("verify", run), ("retry", run, "rejected.csv"), ("resume", run)]
        for command in goes_on:
            if command[0] == "resume":
                (run / "summary.json").unlink()  # as that of a run whose process was killed
            told = tenant.run(*command)
            assert (told.code, "another version of dialfeed" in told.err) == (1, True), command
        (run / "summary.json").write_bytes(summary)
        only_looks: list[tuple[str | Path, ...]] = [("status", run), ("report", run), ("audit", "verify", run)]
        for command in (*only_looks, ("forget", "+12125550101")):
            assert tenant.run(*command).code in {0, 4}, command
        assert tenant.run("purge", run, "--older-than", "0d", "--even-open").code == 0
        assert not (run / "delivered.csv").exists()
