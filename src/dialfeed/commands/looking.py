"""Commands that look and explain, and the sandbox."""

from __future__ import annotations

import sys
from typing import Any

import click

from dialfeed.commands.shared import as_text, examples, new_command, plan_of, settings_of, told_errors


@new_command(
    "map",
    short_help="Show how a file is read and which column becomes which field.",
    epilog=examples(
        "dialfeed map contacts.csv",
        'dialfeed map contacts.csv --map "Cust Ref=externalId" --map "Notes=-" --save',
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--list", "contact_list", metavar="ID_OR_NAME", help="Compare with what this list was last loaded from.")
@click.option("--save", is_flag=True, help="Remember the mapping for files with this header, and for the list.")
@click.option("--forget", is_flag=True, help="Forget what is remembered for files with this header.")
@click.option("--json", "as_json", is_flag=True, help="Print columns, problems and differences as JSON.")
@settings_of("platform", "reading", "file", "run")
def map_command(
    files: tuple[str, ...], contact_list: str | None, *, save: bool, forget: bool, as_json: bool, **given: Any
) -> None:
    """Show which column of a file becomes which field and why, and edit it with --map; no value is shown."""
    from dialfeed.mapview import view_as_text, view_mapping

    with told_errors():
        view = view_mapping(files, plan_of(given), contact_list, save=save, forget=forget)
        click.echo(as_text(view) if as_json else view_as_text(view))
        sys.exit(view["exit_code"])


@new_command("lists", epilog=examples("dialfeed lists", "dialfeed lists spring"))
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print an array of objects with id, name and count.")
@settings_of("platform", "run")
def lists_command(name: str | None, *, as_json: bool, **given: Any) -> None:
    """Show the contact lists, or those with NAME in their name."""
    from dialfeed.inspection import contact_lists, lists_as_table

    with told_errors():
        found = contact_lists(plan_of(given), name)
        click.echo(as_text([{"id": each.id, "name": each.name, "count": each.count} for each in found]) if as_json
                   else lists_as_table(found, name))  # fmt: skip


@new_command(
    "doctor",
    short_help="Check configuration, sign-in, scopes, list and clock.",
    epilog=examples('dialfeed doctor --list "Spring campaign"'),
)
@click.option("--list", "contact_list", metavar="ID_OR_NAME", help="Check this contact list as well.")
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
@settings_of("platform", "run", "sinks")
def doctor_command(contact_list: str | None, *, as_json: bool, **given: Any) -> None:
    """Check configuration, sign-in, scopes, list, clock and sinks, and say what to mend; nothing is sent to a sink."""
    from dialfeed.inspection import checks_as_text, diagnose

    with told_errors():
        checks = diagnose(plan_of(given), contact_list)
        click.echo(as_text([check.as_dict() for check in checks]) if as_json else checks_as_text(checks))
        sys.exit(max((check.exit_code for check in checks), default=0))


@new_command(
    "explain",
    short_help="Say what a reason or a finding means and what to do about it.",
    epilog=examples("dialfeed explain phone.masked", "dialfeed explain verify.surplus"),
)
@click.argument("code", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the entry, or an array of all of them, as JSON.")
def explain_command(code: str | None, *, as_json: bool) -> None:
    """Say what the CODE of a reason or a finding means and what to do; without CODE, list them all.

    A reason is about a row, in a report or in `rejected.csv`; a finding is about a run.
    """
    from dialfeed.reports.explain import all_entries, entries_as_list, entry_as_dict, entry_as_text, entry_for

    with told_errors():
        entries = all_entries() if code is None else [entry_for(code)]
        told = list(map(entry_as_dict, entries))
        if as_json:
            click.echo(as_text(told if code is None else told[0]))
        else:
            click.echo(entries_as_list(entries) if code is None else entry_as_text(entries[0]))


@new_command(
    "sandbox",
    short_help="Run a stand-in for the platform on this machine.",
    epilog=examples('dialfeed sandbox --list "Spring campaign"'),
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8765,
    show_default=True,
    metavar="N",
    help="Port on 127.0.0.1; 0 takes a free one.",
)
@click.option("--list", "names", multiple=True, metavar="NAME", help="Make a contact list. Repeatable.")
@click.option("--rate", default="50", show_default=True, metavar="N", help="Requests a second, or `unlimited`.")
def sandbox_command(port: int, names: tuple[str, ...], rate: str) -> None:
    """Run a stand-in for the platform on this machine, to rehearse against, until Ctrl-C.

    It prints the line that tells other commands where it is; paste that into another terminal. Its lists are empty
    when it starts, and gone when it ends.
    """
    from dialfeed.servesandbox import serve_sandbox

    with told_errors():
        serve_sandbox(port, names or ("Rehearsal",), rate)
