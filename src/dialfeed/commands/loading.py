"""Commands that make a run, or go on with one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dialfeed.commands.shared import Command, examples, named_run, new_command, session, settings_of


@new_command("demo", short_help="Import made-up contacts into a sandbox on this machine.")
@click.option(
    "--rows",
    type=click.IntRange(min=1),
    default=2500,
    show_default=True,
    metavar="N",
    help="How many contacts to make up.",
)
@click.option("--run-dir", type=click.Path(path_type=Path), metavar="FOLDER", help="The run's folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def demo_command(rows: int, run_dir: Path | None, *, as_json: bool) -> None:
    """Import made-up contacts into a sandbox on this machine, and see where they go."""
    from dialfeed.demo import run_demo

    with session() as active:
        result = run_demo(rows, run_dir, stopper=active.stopper, progress=active.progress)
        active.report(result, as_json=as_json, as_hoped=(0, 4))  # rejected rows are what it is there to show


@new_command(
    "import",
    epilog=examples(
        'dialfeed import contacts.csv --list "Spring campaign" --default-country US --dnc us-national,internal',
        'dialfeed import contacts.csv --list "Spring campaign" --dry-run',
        'dialfeed import postgresql://etl@db.example/crm --query "select * from to_call" --list "Spring campaign"',
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--list", "contact_list", required=True, metavar="ID_OR_NAME", help="The contact list.")
@click.option("--dry-run", is_flag=True, help="Do everything up to the first batch, and send nothing.")
@click.option("--run-dir", type=click.Path(path_type=Path), metavar="FOLDER", help="The run's folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@settings_of("platform", "reading", "file", "scrub", "delivery", "run", "rows", "sinks", "watching")
def import_command(
    files: tuple[str, ...], contact_list: str, *, dry_run: bool, run_dir: Path | None, as_json: bool, **given: Any
) -> None:
    """Import contacts into a contact list.

    FILE is a file, a pattern, `-` for the standard input, an address (https://, s3://) or a database; several files
    have the same columns. Credentials come from the environment: CXONE_CLIENT_ID and CXONE_CLIENT_SECRET.
    """
    from dialfeed.api import import_contacts

    with session() as active:
        result = import_contacts(
            files,
            list=contact_list,
            dry_run=dry_run,
            run_dir=run_dir,
            stopper=active.stopper,
            progress=active.progress,
            **given,
        )
        active.report(result, as_json=as_json)


@new_command(
    "validate",
    short_help="Check a file without a platform.",
    epilog=examples("dialfeed validate contacts.csv --default-country US"),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--run-dir", type=click.Path(path_type=Path), metavar="FOLDER", help="The run's folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@settings_of("reading", "file", "scrub", "run", "rows", "watching")
def validate_command(files: tuple[str, ...], *, run_dir: Path | None, as_json: bool, **given: Any) -> None:
    """Check a file without a platform; `ready.csv` holds the contacts that are fit to load."""
    from dialfeed.api import validate_contacts

    with session() as active:
        result = validate_contacts(files, run_dir=run_dir, stopper=active.stopper, progress=active.progress, **given)
        active.report(result, as_json=as_json)


def _go_on_options(command: Command) -> Command:
    command = settings_of("platform", "delivery", "run", "rows", "sinks", "watching")(command)
    command = click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")(command)
    return named_run(loaded=True)(command)


@new_command(
    "resume",
    short_help="Go on with a run that did not come to its end.",
    epilog=examples("dialfeed resume 20261126T074012Z-9d9ae8", "dialfeed resume --latest"),
)
@_go_on_options
def resume_command(run: str, *, as_json: bool, **given: Any) -> None:
    """Go on with a run that did not come to its end: RUN is its id or its folder."""
    from dialfeed.api import resume

    with session() as active:
        active.report(resume(run, stopper=active.stopper, progress=active.progress, **given), as_json=as_json)


@new_command(
    "settle",
    short_help="Find out about a run's lost answers, and send nothing.",
    epilog=examples("dialfeed settle 20261126T074012Z-9d9ae8"),
)
@_go_on_options
def settle_command(run: str, *, as_json: bool, **given: Any) -> None:
    """Find out about a run's lost answers, and send nothing: RUN is its id or its folder."""
    from dialfeed.api import settle

    with session() as active:
        active.report(settle(run, stopper=active.stopper, progress=active.progress, **given), as_json=as_json)


@new_command(
    "retry",
    short_help="Load mended rows of a run.",
    epilog=examples("dialfeed retry 20261126T074012Z-9d9ae8 rejected.csv", "dialfeed retry --latest rejected.csv"),
)
@named_run(loaded=True)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the summary of the retry as JSON.")
@settings_of("platform", "reading", "delivery", "run", "rows", "sinks", "watching")
def retry_command(run: str, file: Path, *, as_json: bool, **given: Any) -> None:
    """Load mended rows of RUN: FILE is its `rejected.csv` or `refused.csv`, or one made for people.

    A bare name that is not in the working folder is looked for in RUN's folder.

    Only rows that RUN left open are loaded, with its settings into its list, and each once; they are closed in its
    report.
    """
    from dialfeed.api import retry

    with session() as active:
        active.report(retry(run, file, stopper=active.stopper, progress=active.progress, **given), as_json=as_json)
