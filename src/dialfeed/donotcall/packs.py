"""Packs of rules: dated data beside the code, each with an id and a SHA-256 that the evidence records."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class RulePack:
    """The rules of one file in `data/`.

    Attributes:
        rules: What the file holds.
        sha256: Of the file.
    """

    rules: dict[str, Any]
    sha256: str

    def told(self) -> dict[str, str]:
        """Id and SHA-256, for the evidence."""
        return {"id": str(self.rules["pack"]["id"]), "sha256": self.sha256}


@cache
def rule_pack(name: str) -> RulePack:
    """The pack in the file `data/NAME.toml`."""
    content = (resources.files("dialfeed.donotcall") / "data" / f"{name}.toml").read_bytes()
    return RulePack(tomllib.loads(content.decode()), hashlib.sha256(content).hexdigest())
