"""`dialfeed verify`: a run's list as it is now."""

from __future__ import annotations

import sys
from typing import Any

import click

from dialfeed.commands.shared import as_text, examples, named_run, new_command, session, settings_of


@new_command(
    "verify",
    short_help="Compare a run's contact list as it is now with what it delivered.",
    epilog=examples("dialfeed verify 20261126T074012Z-9d9ae8", "dialfeed verify --latest"),
)
@named_run(loaded=True)
@click.option("--json", "as_json", is_flag=True, help="Print what was compared as JSON.")
@settings_of("platform", "delivery", "run")
def verify_command(run: str, *, as_json: bool, **given: Any) -> None:
    """Compare the list of RUN (its id or its folder) with what the run delivered, as the list is now.

    What later runs put there is accounted for, as far as this machine knows of them. Nothing is sent, and nothing of
    the run changes but its audit trail, which tells what was seen. Exit codes: 0 they agree, or more is there;
    5 contacts are missing; 1 and 2 as everywhere.
    """
    from dialfeed.api import verify

    with session() as active:
        rechecked = verify(run, stopper=active.stopper, **given)
        active.progress.close()
        click.echo(as_text(rechecked.as_dict()) if as_json else rechecked.as_text())
        sys.exit(rechecked.exit_code)
