"""Commands about one person: what was decided about a number or an address, and how it is forgotten."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

import click

from dialfeed.commands.shared import as_text, examples, new_command, plan_of, settings_named, told_errors


@new_command(
    "evidence",
    short_help="Find what past runs decided about a number or an address.",
    epilog=examples("dialfeed evidence +12125550100 --date 2026-11-26"),
)
@click.argument("endpoint", metavar="NUMBER|EMAIL|-", required=False)
@click.option("--date", "on", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Only runs that were "
              "scrubbed on this day (UTC), or sent contacts on it.")  # fmt: skip
@click.option("--new-key", is_flag=True, help="Make a new key for pseudonyms; older evidence keeps its own.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@settings_named("default_country", "home", "runs_dir", "log_format")
def evidence_command(
    endpoint: str | None,
    *,
    on: datetime | None,
    new_key: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Find what past runs decided about a number or an e-mail address, and why.

    With - it is read from the standard input, so that it stands in no process list. Exit code 4 where no run has
    decided about it, 7 where the evidence of a run is not as it was written.
    """
    from dialfeed.runs.inquiry import endpoint_of, inquiry_as_text, look_back, renew_key

    with told_errors():
        plan = plan_of(given)
        if new_key:
            click.echo(renew_key(plan))
            return
        found = look_back(endpoint_of(_whom(endpoint), plan.default_country), plan, on.date() if on else None)
        click.echo(as_text(found.as_dict()) if as_json else inquiry_as_text(found))
        sys.exit(found.exit_code)


@new_command(
    "forget",
    short_help="Erase what run folders hold of a number or an address.",
    epilog=examples("dialfeed forget +12125550100 --dry-run"),
)
@click.argument("endpoint", metavar="NUMBER|EMAIL|-", required=False)
@click.option("--dry-run", is_flag=True, help="Only say what would be erased.")
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@settings_named("default_country", "home", "runs_dir", "log_format")
def forget_command(endpoint: str | None, *, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Erase what run folders and ledgers hold of a number or an e-mail address.

    Do-not-call lists keep it, so that nobody contacts the person again, and so do decision lines, which know it by a
    pseudonym only. With - it is read from the standard input. Exit code 4 where an unfinished run still holds it.
    """
    from dialfeed.runs.forgetting import forget, forgotten_as_text
    from dialfeed.runs.inquiry import endpoint_of

    with told_errors():
        plan = plan_of(given)
        found = forget(endpoint_of(_whom(endpoint), plan.default_country), plan, rehearse=dry_run)
        told = found.as_dict()
        click.echo(as_text(told) if as_json else forgotten_as_text(told, rehearsed=dry_run))
        sys.exit(found.exit_code)


def _whom(endpoint: str | None) -> str:
    """The number or address, from the command line or the standard input."""
    if endpoint is None:
        raise click.UsageError("Name a number or an e-mail address, or - to read it from the standard input.")
    return sys.stdin.readline().strip() if endpoint == "-" else endpoint
