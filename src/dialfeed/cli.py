"""The command line: parse, plan, run, report, exit code.

Nothing heavy is imported at the top: `--help` and a wrong flag must answer at once. Each command imports what it runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from dialfeed._version import __version__
from dialfeed.config import SETTINGS, Plan, Setting, resolve
from dialfeed.errors import DialfeedError

Command = Callable[..., Any]


def settings_of(*groups: str) -> Callable[[Command], Command]:
    """The flags of the settings in these groups, and where the profile is."""

    def decorate(command: Command) -> Command:
        for setting in reversed([each for each in SETTINGS if each.group in groups and not each.secret]):
            command = _option(setting)(command)
        command = click.option("--config", type=click.Path(path_type=Path), help="Use this file for dialfeed.toml.")(
            command
        )
        return click.option("--profile", metavar="NAME", help="Use this profile of dialfeed.toml.")(command)

    return decorate


def _option(setting: Setting) -> Callable[[Command], Command]:
    told = setting.help
    if setting.env:
        told += f" Environment: {setting.env}."
    if setting.default not in {None, (), "false"}:
        told += f" Default: {setting.default}."
    if not setting.metavar:
        return click.option(setting.flag, setting.name, is_flag=True, default=None, help=told)
    repeatable = setting.default == ()
    return click.option(setting.flag, setting.name, metavar=setting.metavar, multiple=repeatable, help=told)


class _Group(click.Group):
    """Lists commands in the order a user meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.commands)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="dialfeed")
def cli() -> None:
    """Load outbound contact lists into cloud dialers.

    Checks every contact, keeps out who may not be called, removes duplicates, delivers each contact once, and
    leaves proof. Exit codes: 0 all delivered, 1 usage or configuration, 2 platform or sign-in, 3 the run failed,
    4 finished with rejected or refused rows, 5 unknown rows remain, 6 stopped by a guard, 130 and 143 on signals.
    """


@cli.command("demo")
@click.option("--rows", default=2500, show_default=True, metavar="N", help="How many contacts to make up.")
@click.option("--run-dir", type=click.Path(path_type=Path), metavar="FOLDER", help="The run's folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def demo_command(rows: int, run_dir: Path | None, *, as_json: bool) -> None:
    """Import made-up contacts into a sandbox on this machine, and see where they go."""
    from dialfeed.demo import run_demo

    with _session() as session:
        result = run_demo(rows, run_dir, stopper=session.stopper, progress=session.progress)
        session.report(result, as_json=as_json, as_hoped=(0, 4))  # rejected rows are what it is there to show


@cli.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--list", "contact_list", required=True, metavar="ID_OR_NAME", help="The contact list.")
@click.option("--dry-run", is_flag=True, help="Do everything up to the first batch, and send nothing.")
@click.option("--run-dir", type=click.Path(path_type=Path), metavar="FOLDER", help="The run's folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@settings_of("platform", "file", "delivery", "run")
def import_command(
    files: tuple[str, ...], contact_list: str, *, dry_run: bool, run_dir: Path | None, as_json: bool, **given: Any
) -> None:
    """Import a file of contacts into a contact list.

    Credentials come from the environment: CXONE_CLIENT_ID and CXONE_CLIENT_SECRET.
    """
    from dialfeed.api import import_contacts

    with _session() as session:
        result = import_contacts(
            files,
            list=contact_list,
            dry_run=dry_run,
            run_dir=run_dir,
            stopper=session.stopper,
            progress=session.progress,
            **given,
        )
        session.report(result, as_json=as_json)


@cli.command("validate")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--run-dir", type=click.Path(path_type=Path), metavar="FOLDER", help="The run's folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@settings_of("file", "run")
def validate_command(files: tuple[str, ...], *, run_dir: Path | None, as_json: bool, **given: Any) -> None:
    """Check a file without a platform; `ready.csv` holds the contacts that are fit to load."""
    from dialfeed.api import validate_contacts

    with _session() as session:
        result = validate_contacts(files, run_dir=run_dir, stopper=session.stopper, progress=session.progress, **given)
        session.report(result, as_json=as_json)


@cli.command("map")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--list", "contact_list", metavar="ID_OR_NAME", help="Compare with what this list was last loaded from.")
@click.option("--save", is_flag=True, help="Remember the mapping for files with this header, and for the list.")
@click.option("--forget", is_flag=True, help="Forget what is remembered for files with this header.")
@click.option("--json", "as_json", is_flag=True, help="Print columns, problems and differences as JSON.")
@settings_of("platform", "file", "run")
def map_command(
    files: tuple[str, ...], contact_list: str | None, *, save: bool, forget: bool, as_json: bool, **given: Any
) -> None:
    """Show which column of a file becomes which field and why, and edit it with --map; no value is shown."""
    from dialfeed.mapview import view_as_text, view_mapping

    with _told_errors():
        view = view_mapping(files, _plan(given), contact_list, save=save, forget=forget)
        click.echo(_json(view) if as_json else view_as_text(view))
        sys.exit(view["exit_code"])


def _go_on_options(command: Command) -> Command:
    command = settings_of("platform", "delivery", "run")(command)
    command = click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")(command)
    command = click.option("--latest", is_flag=True, help="The newest run.")(command)
    return click.argument("run", required=False)(command)


@cli.command("resume")
@_go_on_options
def resume_command(run: str | None, *, latest: bool, as_json: bool, **given: Any) -> None:
    """Go on with a run that did not come to its end: RUN is its id or its folder."""
    from dialfeed.api import resume

    with _session() as session:
        which = _which(run, latest=latest)
        session.report(resume(which, stopper=session.stopper, progress=session.progress, **given), as_json=as_json)


@cli.command("settle")
@_go_on_options
def settle_command(run: str | None, *, latest: bool, as_json: bool, **given: Any) -> None:
    """Find out about a run's lost answers, and send nothing: RUN is its id or its folder."""
    from dialfeed.api import settle

    with _session() as session:
        which = _which(run, latest=latest)
        session.report(settle(which, stopper=session.stopper, progress=session.progress, **given), as_json=as_json)


@cli.command("retry")
@click.argument("run")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the summary of the retry as JSON.")
@settings_of("platform", "delivery", "run")
def retry_command(run: str, file: Path, *, as_json: bool, **given: Any) -> None:
    """Load mended rows of RUN: FILE is its `rejected.csv` or `refused.csv`, or one made for people.

    Only rows that RUN left open are loaded, with its settings into its list, and each once; they are closed in its
    report.
    """
    from dialfeed.api import retry

    with _session() as session:
        session.report(retry(run, file, stopper=session.stopper, progress=session.progress, **given), as_json=as_json)


def _which(run: str | None, *, latest: bool) -> str | None:
    if (run is None) != latest:
        raise click.UsageError("Name a run, or say --latest.")
    return run


@cli.command("lists")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print an array of objects with id, name and count.")
@settings_of("platform", "run")
def lists_command(name: str | None, *, as_json: bool, **given: Any) -> None:
    """Show the contact lists, or those with NAME in their name."""
    from dialfeed.inspection import contact_lists, lists_as_table

    with _told_errors():
        found = contact_lists(_plan(given), name)
        click.echo(_json([{"id": each.id, "name": each.name, "count": each.count} for each in found]) if as_json
                   else lists_as_table(found))  # fmt: skip


@cli.command("doctor")
@click.option("--list", "contact_list", metavar="ID_OR_NAME", help="Check this contact list as well.")
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
@settings_of("platform", "run")
def doctor_command(contact_list: str | None, *, as_json: bool, **given: Any) -> None:
    """Check configuration, sign-in, scopes, list and clock, and say what to mend."""
    from dialfeed.inspection import checks_as_text, diagnose

    with _told_errors():
        checks = diagnose(_plan(given), contact_list)
        click.echo(_json([check.as_dict() for check in checks]) if as_json else checks_as_text(checks))
        sys.exit(max((check.exit_code for check in checks), default=0))


@cli.command("explain")
@click.argument("code", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the reason, or an array of all of them, as JSON.")
def explain_command(code: str | None, *, as_json: bool) -> None:
    """Say what a reason CODE of a report or of `rejected.csv` means and what to do; without CODE, list them all."""
    from dialfeed.reports.explain import all_reasons, reason_as_dict, reason_as_text, reason_for, reasons_as_list

    with _told_errors():
        reasons = all_reasons() if code is None else [reason_for(code)]
        told = list(map(reason_as_dict, reasons))
        if as_json:
            click.echo(_json(told if code is None else told[0]))
        else:
            click.echo(reasons_as_list(reasons) if code is None else reason_as_text(reasons[0]))


@cli.command("sandbox")
@click.option("--port", default=8765, show_default=True, metavar="N", help="Port on 127.0.0.1; 0 takes a free one.")
@click.option("--list", "names", multiple=True, metavar="NAME", help="Make a contact list. Repeatable.")
@click.option("--rate", default="50", show_default=True, metavar="N", help="Requests a second, or `unlimited`.")
def sandbox_command(port: int, names: tuple[str, ...], rate: str) -> None:
    """Run a stand-in for the platform on this machine, to rehearse against."""
    from dialfeed.rehearsal import serve_sandbox

    with _told_errors():
        serve_sandbox(port, names or ("Rehearsal",), rate)


def main() -> None:
    """The command `dialfeed`."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        _say("Stopped.")
        sys.exit(130)
    except click.ClickException as error:
        error.show(sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # whoever read our output has gone; there is nobody left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


# --- what the commands share --------------------------------------------------------------------------------------


class _Session:
    """A command that runs: its stop switch, its progress, its report."""

    def __init__(self, stopper: Any, progress: Any) -> None:
        self.stopper = stopper
        self.progress = progress

    def report(self, result: Any, *, as_json: bool, as_hoped: tuple[int, ...] = (0,)) -> None:
        """Print what came of it, and leave with its exit code; 0 where that is as hoped."""
        from dialfeed.reports.text import render

        self.progress.close()
        if as_json:
            click.echo(_json(result.as_dict()))
        else:
            click.echo(render(result.as_dict()), nl=False)
        if result.error is not None:
            _say(f"dialfeed: {result.error}")
        if as_json and result.summary.next:
            _say(f"Next: {result.summary.next}")
        sys.exit(0 if result.exit_code in as_hoped else result.exit_code)


@contextmanager
def _told_errors() -> Iterator[None]:
    """Errors as one clear sentence and an exit code."""
    try:
        yield
    except DialfeedError as error:
        _say(f"dialfeed: {error}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _say("Stopped.")
        sys.exit(130)


@contextmanager
def _session() -> Iterator[_Session]:
    from dialfeed.display import open_display
    from dialfeed.stopping import Stopper, on_signals

    stopper = Stopper()
    display = open_display(sys.stderr)
    with _told_errors(), on_signals(stopper):
        try:
            yield _Session(stopper, display)
        finally:
            display.close()


def _plan(given: dict[str, Any]) -> Plan:
    profile, config = given.pop("profile"), given.pop("config")
    return resolve(given, environ=os.environ, profile=profile, config=config)


def _json(value: Any) -> str:
    import orjson

    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _say(text: str) -> None:
    click.echo(text, err=True)
