"""Imports in processes of their own that are killed, and resumed until they are complete."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import command
import crash_driver
from fault_world import Books, write_contacts
from warm import forked

from dialfeed.audit.check import check
from dialfeed.sandbox import FaultPlan, SandboxServer, Settings

FLAGS = (
    "--count-lag", "12", "--settle-grace", "3", "--request-timeout", "5", "--max-rejected", "100%",
)  # fmt: skip


@dataclass
class CrashWorld:
    """A sandbox, a file of contacts, and a run that does not come far.

    Attributes:
        sandbox: The platform.
        folder: Where everything is.
        contacts: How many contacts the file has.
        poison: Those that the platform does not take.
        flags: Flags of the import.
        kills: How often a process of the run was killed.
        started: The processes that were started and not waited for.
        rate: What all processes of the run together keep to, requests a second; None for no rate, and where they are
            on two machines that do not know of one another.
    """

    sandbox: SandboxServer
    folder: Path
    contacts: int = 600
    poison: frozenset[int] = frozenset()
    flags: tuple[str, ...] = ("--batch-contacts", "40")
    kills: int = 0
    list_id: str = ""
    run_dir: Path = field(init=False)
    home: Path = field(init=False)
    rate: float | None = field(init=False)
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.run_dir, self.home = self.folder / "run", self.folder / "home"
        self.rate = None if "unlimited" in self.flags else 50.0
        self.list_id = self.sandbox.add_list("Spring")
        write_contacts(self.file, self.contacts, self.poison)

    @property
    def file(self) -> Path:
        return self.folder / "contacts.csv"

    @property
    def env(self) -> dict[str, str]:
        return {
            "CXONE_BASE_URL": self.sandbox.url,
            "CXONE_CLIENT_ID": self.sandbox.client_id,
            "CXONE_CLIENT_SECRET": self.sandbox.client_secret,
            "DIALFEED_HOME": str(self.home),
        }

    @property
    def import_arguments(self) -> list[str]:
        where = ["--list", self.list_id, "--run-dir", str(self.run_dir)]
        return ["import", str(self.file), *where, *FLAGS, *self.flags]

    @property
    def resume_arguments(self) -> list[str]:
        return ["resume", str(self.run_dir), "--retries", "5"]

    # --- processes ------------------------------------------------------------------------------------------------

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The command as a process."""
        process = command.start(*arguments, env=self.env, cwd=self.folder)
        self.started.append(process)
        return process

    def end(self) -> None:
        """Leave no process behind, whatever became of the test."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def drive(self, mode: str, what: str, *arguments: str) -> command.Outcome:
        """The command in the driver, with a clock that hurries; its code is negative where it was killed."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("CXONE_", "DIALFEED_"))}
        outcome = forked(self.folder, {**clean, **self.env}, crash_driver.run, mode, what, *arguments)
        assert "Traceback" not in outcome.err, outcome.err
        self.kills += outcome.code == -signal.SIGKILL
        return outcome

    def points(self, *arguments: str) -> dict[str, int]:
        """Which points such a command reaches, and how often."""
        note = self.folder / "points.json"
        self.drive("--note", str(note), *arguments)
        found: dict[str, int] = json.loads(note.read_text("utf-8"))
        return found

    def killed_at(self, point: str, nth: int, *arguments: str) -> bool:
        """Whether the command reached that point so often, and was killed there."""
        return self.drive(point, str(nth), *arguments).code == -signal.SIGKILL

    def run(self, *arguments: str) -> command.Outcome:
        """The command, to its end."""
        return self.drive("nowhere", "1", *arguments)

    # --- going on -------------------------------------------------------------------------------------------------

    def move_to_another_machine(self) -> None:
        """Nothing but the run's folder is carried there, and its times are those of the copy."""
        carried = self.folder / "carried" / "elsewhere"
        shutil.copytree(self.run_dir, carried, copy_function=shutil.copy)
        shutil.rmtree(self.run_dir)
        self.file.unlink(missing_ok=True)
        self.run_dir, self.home = carried, self.folder / "another-home"
        self.rate = None

    def complete(self, *, most: int = 4) -> command.Outcome:
        """Resume until nothing is left; a run that had not begun is imported again, as the user is told."""
        for _ in range(most):
            outcome = self.run(*self.resume_arguments)
            if outcome.code == 1 and ("mport the file again" in outcome.err or "no run" in outcome.err):
                assert not self.sandbox.contacts(self.list_id), "nothing was sent by a run that cannot be resumed"
                self.run_dir = self.folder / "again"
                outcome = self.run(*self.import_arguments)
            if outcome.code in {0, 4}:
                return outcome
        raise AssertionError(f"the run does not end: {outcome}")

    def check(self) -> None:
        """Every contact is on the list once and told so, and the trail is whole."""
        books = Books.of(self.run_dir, self.sandbox, self.list_id, self.contacts)
        summary = json.loads((self.run_dir / "summary.json").read_text("utf-8"))
        books.note(self.sandbox, kills=self.kills, settled=summary["settled"], rate=self.rate)
        books.check(settled=True)
        assert sorted(books.found["refused"]) == [f"C-{number:06}" for number in sorted(self.poison)]
        lines = (self.run_dir / "audit.jsonl").read_bytes().splitlines(keepends=True)
        assert check(lines, last_hash=summary["audit_hash"]).whole


@contextmanager
def crash_world(folder: Path, plan: FaultPlan | None = None, **options: object) -> Iterator[CrashWorld]:
    """A world with a sandbox of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(rate_limit=None, retry_after="decimals", max_cell=64, latency_s=0.01)
    with SandboxServer(settings, plan=plan) as sandbox:
        world = CrashWorld(sandbox, folder, **options)  # type: ignore[arg-type]
        try:
            yield world
        finally:
            world.end()
