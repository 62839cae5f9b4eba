"""Commands about evidence."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from dialfeed.commands.shared import Group, as_text, examples, named_run, plan_of, settings_of, told_errors


@click.group("audit", cls=Group)
def audit_group() -> None:
    """Verify, sign and send the audit trails of runs."""


@audit_group.command(
    "verify",
    short_help="Find out whether an audit trail is as it was written.",
    epilog=examples("dialfeed audit verify 20261126T074012Z-9d9ae8", "dialfeed audit verify audit.jsonl"),
)
@named_run("RUN|FILE")
@click.option("--last-hash", metavar="HASH", help="The hash that the last line must have, as a sink has kept it.")
@click.option(
    "--public-key",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The audit.pub of the key that must have signed the whole trail.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@settings_of("run")
def verify_command(run: str, *, last_hash: str | None, public_key: Path | None, as_json: bool, **given: Any) -> None:
    """Find out whether an audit trail is as it was written: RUN is a run's id or its folder, FILE an audit.jsonl.

    Any line that was changed, removed, added or moved shows, and so does a missing end where that is recorded: in
    summary.json beside it, in a signature, or at a sink; and so does any change to evidence.json, decisions.csv and
    optouts.csv beside it, whose hashes it holds. Exit codes: 0 all is as it was written, 7 it is not, 1 the trail
    cannot be read.
    """
    from dialfeed.runs.evidence import examine

    with told_errors():
        verdict = examine(run, plan_of(given), last_hash=last_hash, public_key=public_key)
        click.echo(as_text(verdict.as_dict()) if as_json else verdict.as_text())
        sys.exit(verdict.exit_code)


@audit_group.command("keygen", short_help="Make a key pair; every later run signs its trail.")
@settings_of("run")
def keygen_command(**given: Any) -> None:
    """Make a key pair in DIALFEED_HOME/keys; from then on every run signs the end of its trail."""
    from dialfeed.runs.evidence import make_key_pair

    with told_errors():
        click.echo(make_key_pair(plan_of(given)))
