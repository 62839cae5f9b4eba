"""Commands about runs that are there: list, follow, report, compare, remove."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from dialfeed.commands.shared import as_text, plan_of, settings_of, told_errors


@click.command("runs")
@click.option("--json", "as_json", is_flag=True, help="Print an array of runs as JSON.")
@settings_of("run")
def runs_command(*, as_json: bool, **given: Any) -> None:
    """List all runs, newest first: their status, list, rows and age, and what is left to do.

    RUNNING is a run that a process works on now; DIED one whose process ended without telling how, which can be
    resumed.
    """
    from dialfeed.audit.trail import utc_now
    from dialfeed.runs.listing import all_runs, as_table

    with told_errors():
        found, now = all_runs(plan_of(given)), utc_now()
        click.echo(as_text([each.as_dict(now) for each in found]) if as_json else as_table(found, now))


@click.command("status")
@click.argument("run")
@click.option("--watch", is_flag=True, help="Follow the run until it ends.")
@click.option("--every", default=1.0, show_default=True, metavar="SECONDS", help="How often to look, with --watch.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON; with --watch one line for each look.")
@settings_of("run")
def status_command(run: str, *, watch: bool, every: float, as_json: bool, **given: Any) -> None:
    """Tell how far RUN is, without disturbing it; RUN is a run's id or its folder.

    Exit codes: those of the run once it has ended (0, or 4 with rejected rows, and so on), 0 while it runs, 3 where
    its process died.
    """
    from dialfeed.commands.watching import show_status

    with told_errors():
        sys.exit(show_status(_folder(run, given), watch=watch, every=max(every, 0.1), as_json=as_json))


def _folder(run: str, given: dict[str, Any]) -> Path:
    from dialfeed.assembly import home_folder
    from dialfeed.ledger.folder import find

    plan = plan_of(given)
    return find(run, runs_dir=Path(plan.runs_dir), home=home_folder(plan))


@click.command("report")
@click.argument("run")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it here instead."
)
@click.option("--compare", "other", metavar="RUN2", help="Compare with this run, side by side.")
@click.option("--open", "open_it", is_flag=True, help="Show it in the browser.")
@click.option("--json", "as_json", is_flag=True, help="Print the file, and with --compare the differences, as JSON.")
@settings_of("run")
def report_command(
    run: str, *, output: Path | None, other: str | None, open_it: bool, as_json: bool, **given: Any
) -> None:
    """Draw the report of RUN again, from its folder alone; or compare two runs.

    The report is report.html in the run's folder, a comparison compare-RUN2.html there.
    """
    from dialfeed.drawing import draw_report
    from dialfeed.runs.comparing import compare

    with told_errors():
        folder = _folder(run, dict(given))
        if other is None:
            file = draw_report(folder, output)
            click.echo(as_text({"file": str(file)}) if as_json else str(file))
        else:
            told = compare(folder, _folder(other, dict(given)), output)
            file = told.file
            click.echo(as_text(told.as_dict()) if as_json else told.as_text())
        if open_it:
            click.launch(str(file))
