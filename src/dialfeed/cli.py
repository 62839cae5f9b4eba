"""The command line: parse, plan, run, report, exit code.

Nothing heavy is imported at the top: `--help` and a wrong flag must answer at once. Each command (`commands/`)
imports what it runs.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from itertools import pairwise

import click

from dialfeed import streams
from dialfeed._version import __version__
from dialfeed.commands import audit, donotcall, hours, loading, looking, people, runs, ship, verify
from dialfeed.commands.shared import Group, echo_error, place_of, refused_by_system, say


class _Root(Group):
    """Refuses an empty argument before anything is done: where a variable of a script is not set, nobody meant that."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments of the whole command line."""
        for before, each in pairwise(["", *args]):
            if not each or (each.startswith("--") and each.endswith("=")):
                flag = each[:-1] or before
                what = f"What belongs to {flag}" if flag.startswith("--") else "An argument"
                raise click.UsageError(f"{what} is empty; perhaps a variable of a script is not set.", ctx)
        return super().parse_args(ctx, args)


@click.group(cls=_Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="dialfeed")
def cli() -> None:
    """Load outbound contact lists into cloud dialers.

    Checks every contact, keeps out who may not be called, removes duplicates, delivers each contact once, and
    leaves proof. Exit codes: 0 all delivered, 1 usage or configuration, 2 platform or sign-in, 3 stopped half-way,
    4 finished with rejected or refused rows, 5 unknown rows remain, 6 stopped by a guard, 7 an audit
    trail is not as it was written, 130 and 143 on signals.
    """


audit.audit_group.add_command(ship.ship_command)
for command in (
    loading.demo_command,
    loading.import_command,
    loading.validate_command,
    looking.map_command,
    loading.resume_command,
    loading.settle_command,
    loading.retry_command,
    runs.runs_command,
    runs.status_command,
    runs.report_command,
    verify.verify_command,
    runs.purge_command,
    looking.lists_command,
    looking.doctor_command,
    looking.explain_command,
    hours.hours_command,
    donotcall.dnc_group,
    people.evidence_command,
    people.forget_command,
    audit.audit_group,
    looking.sandbox_command,
):
    cli.add_command(command)


def main() -> None:
    """The command `dialfeed`."""
    streams.set_apart()
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        say("Stopped.")
        sys.exit(130)
    except click.ClickException as error:
        error.show(sys.stderr)
        if "--json" in sys.argv:
            echo_error(error.format_message(), _help_advice(error), 1)
        sys.exit(1)
    except BrokenPipeError:
        # whoever read our output has gone; there is nobody left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        refused = refused_by_system(error)
        say(f"dialfeed: {refused}")
        if "--json" in sys.argv:
            with suppress(OSError):  # where it is the output that cannot be written
                echo_error(refused.sentence, refused.advice, refused.exit_code)
        sys.exit(refused.exit_code)
    except Exception as error:  # noqa: BLE001 - no traceback, and no value that stands in one, ever reaches a user
        told = f"dialfeed itself failed ({type(error).__name__}, {place_of(error)})."
        say(f"dialfeed: {told} Please report it.")
        if "--json" in sys.argv:
            echo_error(told, "Please report it.", 3)
        sys.exit(3)


def _help_advice(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"Try: {context.command_path if context else 'dialfeed'} --help"
