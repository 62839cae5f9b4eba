"""Commands about runs that are there: list, follow, report, compare, remove."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from dialfeed.commands.shared import (
    SECONDS,
    as_text,
    examples,
    folder_of,
    named_run,
    new_command,
    plan_of,
    settings_of,
    told_errors,
)
from dialfeed.errors import FixSettings
from dialfeed.reports.spans import read_span


@new_command("runs", short_help="List all runs, and what is left to do.")
@click.option("--json", "as_json", is_flag=True, help="Print an array of runs as JSON.")
@settings_of("run")
def runs_command(*, as_json: bool, **given: Any) -> None:
    """List all runs, newest first: their status, list, rows and age, and what is left to do.

    RUNNING is a run that a process works on now; DIED one whose process ended without telling how, which can be
    resumed.
    """
    from dialfeed.moments import utc_now
    from dialfeed.runs.listing import all_runs, as_table

    with told_errors():
        found, now = all_runs(plan_of(given)), utc_now()
        click.echo(as_text([each.as_dict(now) for each in found]) if as_json else as_table(found, now))


@new_command(
    "status",
    short_help="Tell how far a run is, without disturbing it.",
    epilog=examples("dialfeed status 20261126T074012Z-9d9ae8 --watch", "dialfeed status --latest"),
)
@named_run()
@click.option("--watch", is_flag=True, help="Follow the run until it ends.")
@click.option(
    "--every", type=SECONDS, default=1.0, show_default=True, metavar="SECONDS", help="How often to look, with --watch."
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON; with --watch one line for each look.")
@settings_of("run")
def status_command(run: str, *, watch: bool, every: float, as_json: bool, **given: Any) -> None:
    """Tell how far RUN is, without disturbing it; RUN is a run's id or its folder.

    Exit codes: those of the run once it has ended (0, or 4 with rejected rows, and so on), 0 while it runs, 3 where
    its process died.
    """
    from dialfeed.commands.watching import show_status

    with told_errors():
        sys.exit(show_status(folder_of(run, given), watch=watch, every=max(every, 0.1), as_json=as_json))


@new_command(
    "report",
    short_help="Draw the report of a run again, or compare two runs.",
    epilog=examples(
        "dialfeed report --latest --open",
        "dialfeed report 20261126T074012Z-9d9ae8 --compare 20261125T074009Z-51c0fe",
    ),
)
@named_run()
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it to this file instead."
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
    from dialfeed.running.drawing import draw_report
    from dialfeed.runs.comparing import compare

    with told_errors():
        folder = folder_of(run, given)
        if other is None:
            file = draw_report(folder, output)
            click.echo(as_text({"file": str(file)}) if as_json else str(file))
        else:
            told = compare(folder, folder_of(other, given), output)
            file = told.file
            click.echo(as_text(told.as_dict()) if as_json else told.as_text())
        if open_it:
            click.launch(str(file))


@new_command(
    "purge",
    short_help="Remove files with rows whose time is over; keep the evidence.",
    epilog=examples("dialfeed purge --due --dry-run", "dialfeed purge --hold 20261126T074012Z-9d9ae8"),
)
@click.argument("runs", nargs=-1, metavar="[RUN…]")
@click.option("--due", is_flag=True, help="Rows of all runs whose own date is over.")
@click.option("--older-than", metavar="SPAN", help="Remove rows of runs that ended longer ago, for example 30d.")
@click.option(
    "--evidence-older-than", metavar="SPAN", help="Remove everything of runs that ended longer ago, for example 5y."
)
@click.option("--even-open", is_flag=True, help="Also rows of runs that can still go on or be retried.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be removed.")
@click.option(
    "--hold", "held", metavar="RUN", help="Keep everything of a run and its retries, whatever its date: a legal hold."
)
@click.option("--release", "released", metavar="RUN", help="End a legal hold.")
@click.option("--json", "as_json", is_flag=True, help="Print what became of each run as JSON.")
@settings_of("run")
def purge_command(
    runs: tuple[str, ...],
    *,
    due: bool,
    older_than: str | None,
    evidence_older_than: str | None,
    even_open: bool,
    dry_run: bool,
    held: str | None,
    released: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Remove files with rows that have been kept long enough, and keep the evidence.

    Of the runs that are named, else of all. Without --older-than each run's own date counts (--keep-rows when it ran);
    --due says so where no run is named. A run that is under way, can still go on
    or is on hold is left alone, and so are rejected rows until their date. What is removed is told in the run's audit
    trail. Evidence goes only with --evidence-older-than.
    """
    from dialfeed.runs import afterwards, purging

    with told_errors():
        plan = plan_of(dict(given))
        if held or released:
            wanted = [(run, run == released) for run in (held, released) if run]
            for run, release in wanted:
                afterwards.hold(folder_of(run, given), plan, release=release)
            told = [{"run": run, "hold": not release} for run, release in wanted]
            click.echo(as_text(told) if as_json else "\n".join(_hold_as_text(each) for each in told))
            return
        if not (runs or due or older_than or evidence_older_than):
            raise click.UsageError("Name the runs, or say --due for all whose time is over.")
        rules = purging.Rules(
            _span("--older-than", older_than),
            _span("--evidence-older-than", evidence_older_than),
            even_open=even_open,
            dry=dry_run,
            kept_for=plan.keep_rows,
        )
        outcomes = purging.purge(plan, [folder_of(run, given) for run in runs], rules)
        click.echo(as_text([each.as_dict() for each in outcomes]) if as_json else purging.as_text(outcomes))


def _hold_as_text(told: Mapping[str, Any]) -> str:
    run = told["run"]
    if told["hold"]:
        return f"Run {run} is kept whole until `dialfeed purge --release {run}`."
    return f"The hold on run {run} has ended; its rows go when their time is over."


def _span(flag: str, value: str | None) -> timedelta | None:
    try:
        return None if value is None else read_span(value).length
    except ValueError as error:
        raise FixSettings(f"{flag}: {error}.") from None
