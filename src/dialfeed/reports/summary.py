"""The summary of a run: what `summary.json` holds and `--json` prints, and the equation that it must satisfy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import orjson

from dialfeed.errors import FixSettings
from dialfeed.files import write_json

SENDING: Final = ("import", "resume", "settle", "retry", "demo")
"""Commands whose runs send contacts, unless they rehearse."""

READY: Final = "ready"
"""What people read where `rows` says `failed` of contacts that were not to be sent."""


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows ended in which bucket (`product.md`, law 1).

    Attributes:
        read: All rows of the source.
        delivered: On the contact list.
        duplicate: The same contact as an earlier row.
        invalid: Not fit to load, by our rules.
        suppressed: May not be called or written to, on any channel.
        refused: Not taken by the platform.
        failed: Fit to load, and not sent: the run stopped before, or only rehearsed.
        unknown: Sent, and nobody can say whether it is on the list.
    """

    read: int = 0
    delivered: int = 0
    duplicate: int = 0
    invalid: int = 0
    suppressed: int = 0
    refused: int = 0
    failed: int = 0
    unknown: int = 0

    def buckets(self) -> dict[str, int]:
        """All buckets but `read`."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "read"}

    @property
    def adds_up(self) -> bool:
        """Whether every row read is in exactly one bucket."""
        return self.read == sum(self.buckets().values())

    def equation(self, *, rehearsed: bool = False) -> str:
        """The equation, in words; what a rehearsal has not sent has not failed, and is called ready."""
        named = {READY if rehearsed and name == "failed" else name: count for name, count in self.buckets().items()}
        right = " + ".join(f"{count:,} {name}" for name, count in named.items())
        return f"{self.read:,} read {'=' if self.adds_up else '≠'} {right}"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a person should look at.

    Attributes:
        code: What kind, stable.
        severity: ``error``, ``warning`` or ``info``.
        sentence: What was found.
        remedy: What to do, or empty.
    """

    code: str
    severity: str
    sentence: str
    remedy: str = ""


@dataclass(slots=True)
class Summary:
    """Everything a run has to say in numbers; filled while the run goes."""

    run: str
    folder: str
    command: str
    status: str = "RUNNING"
    exit_code: int = 3
    list_id: str = ""
    list_name: str = ""
    source: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    rows: Rows = field(default_factory=Rows)
    ready: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)
    first_rows: dict[str, int] = field(default_factory=dict)
    retries: list[dict[str, Any]] = field(default_factory=list)
    lists: list[dict[str, Any]] = field(default_factory=list)
    scrub: dict[str, Any] = field(default_factory=dict)
    preflight: dict[str, Any] = field(default_factory=dict)
    before: int | None = None
    after: int | None = None
    later: int = 0
    perhaps: int = 0
    batches: int = 0
    settled: dict[str, int] = field(default_factory=dict)
    prepare_seconds: float = 0.0
    evidence_seconds: float = 0.0
    deliver_seconds: float = 0.0
    total_seconds: float = 0.0
    policy: dict[str, Any] = field(default_factory=dict)
    retention: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    sinks: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""
    next: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    audit_hash: str = ""

    @property
    def rehearsed(self) -> bool:
        """Whether it was to send nothing."""
        return not sends(self.command, self.policy)

    @property
    def stopped_before_sending(self) -> bool:
        """Whether a setting, the file or a guard stopped it before a batch left, so that nothing of it can go on."""
        return stopped_before_sending(self.exit_code, self.batches)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "run": self.run,
            "command": self.command,
            "status": self.status,
            "exit_code": self.exit_code,
            "list": {"id": self.list_id, "name": self.list_name},
            "source": self.source,
            "fields": self.fields,
            "rows": {"read": self.rows.read, **self.rows.buckets()},
            "equation": self.rows.equation(rehearsed=self.rehearsed),
            "ready": self.ready,
            "reasons": dict(sorted(self.reasons.items())),
            "warnings": dict(sorted(self.warnings.items())),
            "first_rows": self.first_rows,
            "retries": self.retries,
            "lists": self.lists,
            "scrub": self.scrub,
            "preflight": self.preflight,
            "platform_count": {"before": self.before, "after": self.after},
            "later_runs": {"delivered": self.later, "perhaps": self.perhaps},
            "batches": self.batches,
            "settled": self.settled,
            "seconds": {
                "prepare": round(self.prepare_seconds, 3),
                "evidence": round(self.evidence_seconds, 3),
                "deliver": round(self.deliver_seconds, 3),
                "total": round(self.total_seconds, 3),
            },
            "policy": self.policy,
            "retention": self.retention,
            "files": self.files,
            "findings": [vars_of(finding) for finding in self.findings],
            "sinks": self.sinks,
            "error": self.error,
            "next": self.next,
            "folder": self.folder,
            "versions": self.versions,
            "audit_hash": self.audit_hash,
        }


def sends(command: str, policy: Mapping[str, Any]) -> bool:
    """Whether a run of this command, under this policy, is to send contacts."""
    return command in SENDING and not policy.get("dry_run")


def stopped_before_sending(exit_code: int, batches: int) -> bool:
    """See `Summary.stopped_before_sending`."""
    return exit_code in {1, 6} and not batches


def read_summary(path: Path) -> Summary:
    """A run's summary as it was written.

    Raises:
        FixSettings: It is damaged.
        OSError: There is none, or it may not be read.
    """
    try:
        return _summary_of(orjson.loads(path.read_bytes()))
    except (ValueError, KeyError, TypeError):
        raise _damaged(path) from None


def _damaged(path: Path) -> FixSettings:
    return FixSettings(
        f"{path} is damaged.",
        advice="Bring it back from a copy. Where its run has not come to its end, move it away, and resume the run.",
    )


def _summary_of(told: Any) -> Summary:
    seconds = told["seconds"]
    same = ("run", "folder", "command", "status", "exit_code", "source", "ready", "reasons", "warnings", "batches")
    also = ("settled", "policy", "error", "next", "versions", "audit_hash")
    return Summary(
        **{name: told[name] for name in same + also},
        list_id=told["list"]["id"],
        list_name=told["list"]["name"],
        rows=Rows(**told["rows"]),
        fields=told.get("fields", {}),
        retention=told.get("retention", {}),
        files=told.get("files", {}),
        first_rows=told.get("first_rows", {}),
        retries=told.get("retries", []),
        lists=told.get("lists", []),
        scrub=told.get("scrub", {}),
        preflight=told.get("preflight", {}),
        sinks=told.get("sinks", []),
        before=told["platform_count"]["before"],
        after=told["platform_count"]["after"],
        later=told.get("later_runs", {}).get("delivered", 0),
        perhaps=told.get("later_runs", {}).get("perhaps", 0),
        prepare_seconds=seconds["prepare"],
        evidence_seconds=seconds.get("evidence", 0.0),
        deliver_seconds=seconds["deliver"],
        total_seconds=seconds["total"],
        findings=[Finding(**finding) for finding in told["findings"]],
    )


OPEN: Final = "audit_open"
"""What `summary.json` holds while the audit trail goes on after the end that it records."""


def take_up(path: Path) -> None:
    """Note in a run's summary, if it has one, that its audit trail goes on: `audit_hash` is in it, and not its end.

    The note is gone when the summary is written with the new end. A process that dies before leaves it, so that a trail
    that was only taken up is not mistaken for one that somebody has added lines to.

    Raises:
        FixSettings: The summary is damaged.
    """
    if path.is_file():
        try:
            told = {**orjson.loads(path.read_bytes()), OPEN: True}
        except (ValueError, TypeError):
            raise _damaged(path) from None
        write_json(path, told)


def vars_of(finding: Finding) -> dict[str, str]:
    """A finding's JSON form."""
    return {f.name: getattr(finding, f.name) for f in fields(finding)}
