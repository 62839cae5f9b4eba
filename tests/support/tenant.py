"""A sandbox with one list, and the environment that leads there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import command

from dialfeed.sandbox import SandboxServer


@dataclass
class Tenant:
    """A sandbox, one contact list of it, and a folder for files."""

    sandbox: SandboxServer
    list_id: str
    folder: Path

    @property
    def env(self) -> dict[str, str]:
        return {
            "CXONE_BASE_URL": self.sandbox.url,
            "CXONE_CLIENT_ID": self.sandbox.client_id,
            "CXONE_CLIENT_SECRET": self.sandbox.client_secret,
            "DIALFEED_HOME": str(self.folder / "home"),
        }

    def run(self, *arguments: str | Path, **env: str) -> command.Outcome:
        return command.run(*arguments, env={**self.env, **env})

    def import_file(self, file: Path, *flags: str | Path, **env: str) -> command.Outcome:
        run_dir = () if "--run-dir" in flags else ("--run-dir", self.folder / "run")
        return self.run("import", file, "--list", self.list_id, *run_dir, *flags, **env)

    def write(self, content: str | bytes, name: str = "contacts.csv") -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    @property
    def stored(self) -> list[dict[str, Any]]:
        return self.sandbox.contacts(self.list_id)
