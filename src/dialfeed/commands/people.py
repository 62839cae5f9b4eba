"""Commands about one person: what was decided about a number or an address."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

import click

from dialfeed.commands.shared import as_text, plan_of, settings_of, told_errors


@click.command("evidence")
@click.argument("endpoint", metavar="NUMBER|EMAIL", required=False)
@click.option("--date", "on", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Only runs of this day (UTC).")
@click.option("--default-country", metavar="CC", help="The country of a number in national form.")
@click.option("--new-key", is_flag=True, help="Make a new key for pseudonyms; older evidence keeps its own.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@settings_of("run")
def evidence_command(
    endpoint: str | None,
    *,
    on: datetime | None,
    default_country: str | None,
    new_key: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Find what past runs decided about a number or an e-mail address, and why.

    With - it is read from the standard input, so that it stands in no process list. Exit code 4 where no run has
    decided about it.
    """
    from dialfeed.inquiry import endpoint_of, inquiry_as_text, look_back, renew_key

    with told_errors():
        plan = plan_of(given)
        if new_key:
            click.echo(renew_key(plan))
            return
        country = default_country.upper() if default_country else None
        found = look_back(endpoint_of(_whom(endpoint), country), plan, on.date() if on else None)
        click.echo(as_text(found.as_dict()) if as_json else inquiry_as_text(found))
        sys.exit(0 if found.decided else 4)


def _whom(endpoint: str | None) -> str:
    """The number or address, from the command line or the standard input."""
    if endpoint is None:
        raise click.UsageError("Name a number or an e-mail address, or - to read it from the standard input.")
    return sys.stdin.readline().strip() if endpoint == "-" else endpoint
