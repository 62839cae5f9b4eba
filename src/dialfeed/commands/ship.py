"""`dialfeed audit ship`: send what waits for the sinks."""

from __future__ import annotations

import sys
from typing import Any

import click

from dialfeed.commands.shared import (
    SECONDS,
    as_text,
    examples,
    named_run,
    new_command,
    plan_of,
    settings_of,
    told_errors,
)


@new_command(
    "ship", short_help="Send the events that wait for the sinks.", epilog=examples("dialfeed audit ship --all")
)
@named_run(needed=False)
@click.option("--all", "everything", is_flag=True, help="All runs, each to the sinks that it began with.")
@click.option("--again", is_flag=True, help="Send what the sinks refused before once more.")
@click.option(
    "--patience",
    type=SECONDS,
    default=15.0,
    show_default=True,
    metavar="SECONDS",
    help="Give a sink up that takes nothing for so long.",
)
@click.option("--json", "as_json", is_flag=True, help="Print an array with the standing of each run and sink.")
@settings_of("run", "sinks")
def ship_command(
    run: str | None, *, everything: bool, again: bool, patience: float, as_json: bool, **given: Any
) -> None:
    """Send the events that wait of RUN (its id or its folder), also of one that died or is still running.

    They go to the sinks that the run began with, and to those named now. Exit codes: 0 every sink has everything,
    3 something waits, 4 a sink refused something.
    """
    from dialfeed.runs.outbox import as_lines, exit_code, ship_runs

    if (run is None) != everything:
        raise click.UsageError("Name a run, or say --latest or --all.")
    with told_errors():
        shipped = ship_runs(plan_of(given), run, patience=patience, again=again)
        click.echo(as_text([each.as_dict() for each in shipped]) if as_json else as_lines(shipped))
        sys.exit(exit_code(shipped))
