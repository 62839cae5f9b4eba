"""What the commands share: the flags of settings, sessions with progress and signals, errors as sentences."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import Any

import click

from dialfeed.config import Plan, resolve
from dialfeed.errors import DialfeedError, FixSettings
from dialfeed.settings import BY_NAME, GROUPS, SETTINGS, Setting

Command = Callable[..., Any]


class SettingOption(click.Option):
    """The flag of a setting."""

    def __init__(self, names: Sequence[str], *, setting: Setting, **told: Any) -> None:
        super().__init__(names, **told)
        self.setting = setting


class Sectioned(click.Command):
    """Shows its own options first, and then those of settings under the headings of `docs/settings.md`."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write them."""
        sections: dict[str, list[tuple[str, str]]] = {"": [], **{group: [] for group in GROUPS}}
        for option in self.get_params(ctx):
            told = option.get_help_record(ctx) if isinstance(option, click.Option) else None
            if told is not None:
                sections[option.setting.group if isinstance(option, SettingOption) else ""].append(told)
        for group, options in sections.items():
            if options:
                with formatter.section(GROUPS.get(group, "Options")):
                    formatter.write_dl(options)


new_command = partial(click.command, cls=Sectioned)
"""As `click.command`."""


class Group(click.Group):
    """Lists commands in the order a user meets them."""

    command_class = Sectioned

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, as they were added."""
        del ctx
        return list(self.commands)


class _Seconds(click.FloatRange):
    """Seconds, of which there may be parts; click takes `nan` and `inf` for numbers."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds = float(super().convert(value, param, ctx))
        if not math.isfinite(seconds):
            self.fail("a number of seconds is expected", param, ctx)
        return seconds


SECONDS = _Seconds(min=0)
"""The type of an option that takes seconds."""


def examples(*lines: str) -> str:
    """The end of a command's help: command lines as they are typed."""
    return "\b\n" + "\n".join(("Examples:" if len(lines) > 1 else "Example:", *(f"  {line}" for line in lines)))


def settings_of(*groups: str) -> Callable[[Command], Command]:
    """The flags of the settings in these groups, and where the profile is."""
    return settings_named(*(each.name for each in SETTINGS if each.group in groups and not each.secret))


def settings_named(*names: str) -> Callable[[Command], Command]:
    """The flags of these settings, and where the profile is."""

    def decorate(command: Command) -> Command:
        for name in reversed(names):
            command = _option(BY_NAME[name])(command)
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
        return click.option(
            setting.flag, setting.name, is_flag=True, default=None, help=told, cls=SettingOption, setting=setting
        )
    repeatable = setting.default == ()
    return click.option(
        setting.flag,
        setting.name,
        metavar=setting.metavar,
        multiple=repeatable,
        help=told,
        cls=SettingOption,
        setting=setting,
    )


def named_run(metavar: str = "RUN", *, loaded: bool = False, needed: bool = True) -> Callable[[Command], Command]:
    """The argument RUN, with --latest in its place; the command hears a name or a folder as `run`.

    Args:
        metavar: How the argument is called.
        loaded: --latest passes over runs that were not to load a list, as validations are.
        needed: There must be one or the other; else `run` is None without.
    """

    def decorate(command: Command) -> Command:
        @wraps(command)
        def called(*, run: str | None, latest: bool, **given: Any) -> Any:
            if (needed or latest) and (run is None) != latest:
                raise click.UsageError(f"Name one {metavar.replace('|', ' or ')}, or say --latest.")
            return command(run=_latest(given, loaded=loaded) if latest else run, **given)

        what = "The newest run that was to load a list." if loaded else "The newest run."
        called = click.option("--latest", is_flag=True, help=what)(called)
        # as many as there are, so that what stands behind it is not taken for it where --latest is said
        return click.argument("run", nargs=-1, metavar=f"[{metavar}]", callback=_at_most_one)(called)

    return decorate


def _at_most_one(context: click.Context, argument: click.Parameter, given: tuple[str, ...]) -> str | None:
    if len(given) > 1:
        raise click.UsageError(f"One {argument.metavar} is taken, and {len(given)} are named.", context)
    return next(iter(given), None)


def folder_of(run: str, given: Mapping[str, Any]) -> Path:
    """The folder of a run, by its id or its folder.

    Raises:
        FixSettings: There is no such run.
    """
    from dialfeed.running.assembly import run_folder

    return run_folder(_where(given), run)


def _latest(given: Mapping[str, Any], *, loaded: bool) -> str:
    from dialfeed.ledger.folder import AUDIT, LEDGER, latest
    from dialfeed.running.assembly import home_folder

    with told_errors():
        plan = _where(given)
        newest = latest(runs_dir=Path(plan.runs_dir), home=home_folder(plan), holding=LEDGER if loaded else AUDIT)
        return str(newest)


def _where(given: Mapping[str, Any]) -> Plan:
    """Where runs are, and notes of them, by the flags of a command."""
    return plan_of({name: given.get(name) for name in ("profile", "config", "home", "runs_dir")})


class Session:
    """A command that runs: its stop switch, its progress, its report."""

    def __init__(self, stopper: Any, progress: Any) -> None:
        self.stopper = stopper
        self.progress = progress

    def report(self, result: Any, *, as_json: bool, as_hoped: tuple[int, ...] = (0,)) -> None:
        """Print what came of it, and leave with its exit code; 0 where that is as hoped."""
        from dialfeed.reports.text import render

        self.progress.close()
        if as_json:
            click.echo(as_text(result.as_dict()))
        else:
            click.echo(render(result.as_dict()), nl=False)
        if not wants_json_log():  # it has told these
            if result.had_ended:
                instead = " It had sent nothing, so it is imported again, not resumed." if result.anew else ""
                say(f"This run had come to its end before, so nothing was done now.{instead}")
            if result.error is not None and (as_json or not _one_screen()):
                say(f"dialfeed: {result.error}")
            if as_json and result.summary.next:
                say(f"Next: {result.summary.next}")
        sys.exit(0 if result.exit_code in as_hoped else result.exit_code)


def _one_screen() -> bool:
    """Whether both outputs are read by one person, who has read of the error in the report already."""
    return sys.stdout.isatty() and sys.stderr.isatty()


@contextmanager
def told_errors() -> Iterator[None]:
    """Errors as one clear sentence and an exit code; with --json as an object on the standard output as well."""
    _silence_libraries()
    try:
        yield
    except DialfeedError as error:
        _say_error(error)
        if _wants_json():
            echo_error(error.sentence, error.advice, error.exit_code)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        say("Stopped.")
        if _wants_json():
            echo_error("Stopped.", "", 130)
        sys.exit(130)


def _silence_libraries() -> None:
    """Keep what libraries log off the standard error: it may quote what they were given."""
    import logging

    if not logging.getLogger().handlers:
        logging.getLogger().addHandler(logging.NullHandler())


def place_of(error: BaseException) -> str:
    """Where in dialfeed an exception came up: a file's name and a line, and none of the values."""
    import traceback

    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "dialfeed" in frame.filename]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "outside of dialfeed"


def refused_by_system(error: OSError) -> DialfeedError:
    """A file, a folder or an output that the system does not let us use, such as another user's run."""
    what = f"{error.filename} cannot be used" if error.filename else "The system refuses an operation"
    return FixSettings(
        f"{what} ({error.strerror or type(error).__name__}).", advice="See who may read and write there."
    )


@contextmanager
def session() -> Iterator[Session]:
    """A run's command: signals ask it to stop, its progress is shown, its errors are told."""
    from dialfeed.display import open_display
    from dialfeed.running.stopping import Stopper, on_signals

    stopper = Stopper()
    display = open_display(None if wants_json_log() else sys.stderr)
    with told_errors(), on_signals(stopper):
        try:
            yield Session(stopper, display)
        finally:
            display.close()


def wants_json_log() -> bool:
    """Whether the standard error is for machines: every line of it is JSON then."""
    context = click.get_current_context(silent=True)
    given = context.params if context else {}
    places = {"profile": given.get("profile"), "config": given.get("config")}
    try:
        return resolve({"log_format": given.get("log_format")}, environ=os.environ, **places).log_format == "json"
    except DialfeedError:
        return False  # whatever is wrong is told by the command itself


def echo_error(error: str, advice: str, exit_code: int) -> None:
    """What whoever asked for JSON reads where there is no result: `error`, `advice` and `exit_code`."""
    click.echo(as_text({"error": error, "advice": advice, "exit_code": exit_code}))


def _wants_json() -> bool:
    context = click.get_current_context(silent=True)
    return bool(context and context.params.get("as_json"))


def _say_error(error: DialfeedError) -> None:
    if not wants_json_log():
        say(f"dialfeed: {error}")
        return
    from dialfeed.moments import timestamp, utc_now

    told = {"time": timestamp(utc_now()), "level": "error", "event": "command.failed"}
    say(as_line({**told, "error": str(error), "exit_code": error.exit_code}))


def plan_of(given: dict[str, Any]) -> Plan:
    """The plan that flags, environment and profile make; takes `profile` and `config` out of the flags."""
    profile, config = given.pop("profile"), given.pop("config")
    return resolve(given, environ=os.environ, profile=profile, config=config)


def as_text(value: Any) -> str:
    """A value as JSON for the terminal."""
    import orjson

    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def as_line(value: Any) -> str:
    """A value as JSON on one line."""
    import orjson

    return orjson.dumps(value).decode()


def say(text: str) -> None:
    """A line on the standard error."""
    click.echo(text, err=True)
