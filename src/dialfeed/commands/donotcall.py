"""`dialfeed dnc`: the do-not-call lists of this machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from dialfeed.commands.shared import Group, as_text, examples, plan_of, say, settings_named, told_errors

Command = Callable[..., Any]

_JSON = click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
_FILE_OPTIONS = (
    click.option("--obtained", metavar="DATE", help="When the file was obtained from the authority: 2026-11-20, or "
                 "2026-11-20T08:00+01:00. A date alone counts from 00:00 UTC."),
    click.option("--obtained-by", default="", metavar="NAME", help="Who obtained it; you, unless told."),
    click.option("--account", default="", metavar="REF", help="Subscription or licence; its last two signs are kept."),
    click.option("--covers", metavar="CODES", help="The area codes that were obtained, with commas, or `all`. "
                 "Unless told, those in which a new list has a number, and of an update those it had before. Of `all`, "
                 "those without a number are left out unless --accept-empty is said."),
    click.option("--max-age", metavar="AGE", help="How long it may be used, for example 31d; needed for state lists."),
    click.option("--format", "format_", metavar="NAME", help="How the file is written, where it does not tell."),
    click.option("--column", metavar="NAME", help="The column that holds the numbers, addresses or accounts."),
    click.option("--answer-column", metavar="NAME", help="The column of a result file that holds the answers."),
    click.option("--date-column", metavar="NAME", help="Its column with the dates that were asked about."),
    click.option("--query-date", metavar="DATE", help="The date that the reassigned numbers database was asked about."),
    click.option("--accept-malformed", type=click.IntRange(min=0), default=0, metavar="N", help="Take the list "
                 "although N lines cannot be read."),
    click.option("--accept-empty", is_flag=True, help="Take it although a covered area code has no number."),
    click.option("--accept-smaller", is_flag=True, help="Take it although it is much smaller than the one before."),
    click.option("--because", default="", metavar="REASON", help="Why; recorded with your name."),
)  # fmt: skip


def _file_options(command: Command) -> Command:
    for option in reversed(_FILE_OPTIONS):
        command = option(command)
    return command


@click.group("dnc", cls=Group, short_help="Keep do-not-call lists.")
def dnc_group() -> None:
    """Keep do-not-call lists: add, update, watch, ask and remove them.

    They are kept in DIALFEED_HOME. `dnc status` is for a scheduler: it exits with 0 if all lists can be used, 4 if one
    expires soon, 6 if one is too old, missing or damaged.
    """


@dnc_group.command(
    "add",
    short_help="Add a list from a file, or opt-outs one by one.",
    epilog=examples(
        "dialfeed dnc add ftc-212.txt --id us-national --authority us --obtained 2026-11-20 --covers 212",
        'dialfeed dnc add --internal +12125550100 --reason "asked on the phone"',
    ),
)
@click.argument("what", nargs=-1, required=True, metavar="FILE|NUMBER|EMAIL|-…")
@click.option("--id", "name", metavar="NAME", help="How runs name the list; `internal` for opt-outs unless told.")
@click.option("--authority", metavar="WHOSE", help="us, ca, uk, au, fr, it, state:FL, reassigned, litigator, internal "
              "or custom.")  # fmt: skip
@click.option("--channel", metavar="CHANNEL", help="What a file holds: phone (unless told), email or account. Of an "
              "opt-out: `all` for a person who wants to hear nothing any more.")  # fmt: skip
@_file_options
@click.option("--internal", is_flag=True, help="Add opt-outs: numbers, addresses, or `-` for lines on the standard "
              "input (one a line, or JSON objects). They are in force at once.")  # fmt: skip
@click.option("--topic", default="", metavar="TOPIC", help="Opt-out from this topic only.")
@click.option("--reason", default="", metavar="TEXT", help="Why they asked.")
@click.option("--received", default="", metavar="DATE", help="When the request was received; now, unless told.")
@click.option("--expires", default="", metavar="DATE", help="When it ends; never, unless told.")
@click.option("--asked-by", default="", metavar="NAME", help="Who asked, if not the person.")
@_JSON
@settings_named("default_country", "home")
def add_command(
    what: tuple[str, ...], *, internal: bool, name: str | None, authority: str | None, as_json: bool, **given: Any
) -> None:
    """Add a list from a FILE (--id, --authority, --obtained), or with --internal opt-outs one by one.

    A file with a line that cannot be read is refused, since whoever it stands for would be called. Opt-outs on the
    standard input: a line that cannot be read is told, the others are in force, and the exit code is 4.
    """
    with told_errors():
        settings = {each: given.pop(each) for each in ("profile", "config", "default_country", "home")}
        if internal:
            _add_optouts(what, name or "internal", settings, given, as_json=as_json)
        else:
            _add_file(what, name, authority, settings, given, as_json=as_json)


def _add_file(
    what: tuple[str, ...], name: str | None, authority: str | None, settings: dict[str, Any], given: dict[str, Any],
    *, as_json: bool
) -> None:  # fmt: skip
    from dialfeed.listkeeping import add_list, open_store

    needed = {"--id": name, "--authority": authority, "--obtained": given["obtained"]}
    missing = [flag for flag, value in needed.items() if not value]
    if missing or len(what) != 1:
        raise click.UsageError(f"Say {', '.join(missing)}." if missing else "Name one file.")
    store = open_store(plan_of(settings))
    put = add_list(store, Path(what[0]), _told(given), name=name or "", authority=authority or "",
                   channel=given["channel"] or "phone", reading=_reading(given))  # fmt: skip
    _tell_put(put, as_json=as_json)


def _add_optouts(
    what: tuple[str, ...], name: str, settings: dict[str, Any], given: dict[str, Any], *, as_json: bool
) -> None:
    from dialfeed.donotcall.requests import Usual
    from dialfeed.listkeeping import Added, add_optouts, lines_from, open_store
    from dialfeed.wording import counted

    plan = plan_of(settings)
    told = {each: given[each] or "" for each in ("topic", "channel", "reason", "received", "expires", "asked_by")}
    usual = Usual(**told, country=plan.default_country)
    added = Added(name)
    for added, bad in add_optouts(open_store(plan), name, lines_from(what, sys.stdin.buffer), usual):  # noqa: B007
        for line in bad:
            say(f"{line.place}: {line.told}")
    if added.refused:
        are = "is" if added.refused == 1 else "are"
        say(f"{counted(added.refused, 'line')} {are} not in force. A number needs a plus and its country code, "
            "or --default-country.")  # fmt: skip
    told_in_words = f"{counted(added.added, 'opt-out')} {'is' if added.added == 1 else 'are'} in force on {name}."
    click.echo(as_text(added.as_dict()) if as_json else told_in_words)
    sys.exit(4 if added.refused else 0)


@dnc_group.command(
    "update",
    short_help="Replace a list, or some of its area codes, or apply a change list.",
    epilog=examples("dialfeed dnc update us-national ftc-all.zip --obtained 2026-11-25T09:30Z --covers all"),
)
@click.argument("name", metavar="ID")
@click.argument("file", type=click.Path(path_type=Path))
@_file_options
@click.option("--only", metavar="CODES", help="The file holds these area codes only; all others stay as they are.")
@click.option("--change", is_flag=True, help="The file is a change list: numbers added and deleted.")
@click.option("--base", type=int, metavar="VERSION", help="The version that a change list belongs to.")
@click.option("--confirm-layout", is_flag=True, help="The layout that was detected in a change list is right.")
@_JSON
@settings_named("home")
def update_command(
    name: str, file: Path, *, only: str | None, change: bool, base: int | None, confirm_layout: bool, as_json: bool,
    **given: Any
) -> None:  # fmt: skip
    """Replace the list ID by what FILE holds, or some of its area codes, or apply a change list.

    Runs that have the list open keep the version that they began with. A change list makes no list younger: get a full
    one before it is too old.
    """
    from dialfeed.listkeeping import change_list, open_store, update_list

    with told_errors():
        if not given["obtained"] or change != (base is not None) or (change and only):
            raise click.UsageError("Say --obtained, and for a change list --change with --base and without --only.")
        store = open_store(plan_of({each: given.pop(each) for each in ("profile", "config", "home")}))
        if change:
            put = change_list(store, file, _told(given), name=name, base=base or 0, confirmed=confirm_layout)
        else:
            put = update_list(store, file, _told(given), name=name, only=only, reading=_reading(given))
        _tell_put(put, as_json=as_json)


@dnc_group.command("list")
@_JSON
@settings_named("home")
def list_command(*, as_json: bool, **given: Any) -> None:
    """Show the lists, their versions and how long they may be used."""
    from dialfeed.donotcall.telling import lists_as_table
    from dialfeed.listkeeping import look_at, open_store

    with told_errors():
        found = look_at(open_store(plan_of(given)), ())
        click.echo(as_text([each.as_dict() for each in found]) if as_json else lists_as_table(found))


@dnc_group.command("versions", short_help="Show the past versions of a list.")
@click.argument("name", metavar="ID")
@_JSON
@settings_named("home")
def versions_command(name: str, *, as_json: bool, **given: Any) -> None:
    """Show the past versions of the list ID: their facts stay when their numbers are gone."""
    from dialfeed.donotcall.telling import versions_as_table
    from dialfeed.listkeeping import open_store, versions_of

    with told_errors():
        found = versions_of(open_store(plan_of(given)), name)
        click.echo(as_text(found) if as_json else versions_as_table(found))


@dnc_group.command(
    "status",
    short_help="Tell which lists can be used; its exit code is for schedulers.",
    epilog=examples("dialfeed dnc status us-national internal --warn-within 5d"),
)
@click.argument("names", nargs=-1, metavar="[ID]…")
@click.option("--warn-within", default="3d", show_default=True, metavar="SPAN", help="Tell of a list that expires "
              "within this span.")  # fmt: skip
@click.option("--verify", is_flag=True, help="Read every list as a whole.")
@_JSON
@settings_named("home")
def status_command(names: tuple[str, ...], *, warn_within: str, verify: bool, as_json: bool, **given: Any) -> None:
    """Tell which lists can be used: those named, or all that there are and all that the profile names.

    Exit code 0: all can. 4: one expires soon. 6: one is too old, missing or damaged.
    """
    from dialfeed.donotcall.telling import status_as_text
    from dialfeed.listkeeping import look_at, open_store

    with told_errors():
        plan = plan_of(given)
        store = open_store(plan)
        wanted = names or tuple(dict.fromkeys([*store.ids(), *plan.dnc]))
        found = look_at(store, wanted, warn_within, verify=verify)
        click.echo(as_text([each.as_dict() for each in found]) if as_json else status_as_text(found))
        sys.exit(max((each.exit_code for each in found), default=0))


@dnc_group.command(
    "check",
    short_help="Say what each list knows of one number or address today.",
    epilog=examples("dialfeed dnc check +12125550100"),
)
@click.argument("value", metavar="NUMBER|EMAIL|-")
@click.option("--dnc", "names", default="", metavar="ID,…", help="Ask these lists; all, unless told.")
@click.option("--topic", metavar="TOPIC", help="What it is about.")
@click.option("--state", metavar="XX", help="The contact's state.")
@_JSON
@settings_named("default_country", "home")
def check_command(value: str, *, names: str, topic: str | None, state: str | None, as_json: bool, **given: Any) -> None:
    """Say what each list knows of one number or address today; `-` reads it from the standard input."""
    from dialfeed.donotcall.telling import check_as_text
    from dialfeed.listkeeping import check, open_store

    with told_errors():
        plan = plan_of(given)
        wanted = [name.strip() for name in names.split(",") if name.strip()]
        asked = sys.stdin.readline() if value == "-" else value
        told = check(open_store(plan), asked, names=wanted, topic=topic, state=state, country=plan.default_country)
        click.echo(as_text(told) if as_json else check_as_text(told))


@dnc_group.command("remove", short_help="Remove a list; what it was is still told.")
@click.argument("name", metavar="ID")
@click.option("--because", default="", metavar="REASON", help="Why; recorded. Needed for a list of opt-outs.")
@_JSON
@settings_named("home")
def remove_command(name: str, *, because: str, as_json: bool, **given: Any) -> None:
    """Remove a list; the facts of its versions stay, and opt-outs are kept beside."""
    from dialfeed.listkeeping import open_store, remove_list

    with told_errors():
        told = remove_list(open_store(plan_of(given)), name, because)
        click.echo(as_text(told) if as_json else f"{name} is removed; runs that name it are stopped by its absence.")


def _told(given: dict[str, Any]) -> Any:
    from dialfeed.listkeeping import Told

    accepts = ("accept_malformed", "accept_empty", "accept_smaller", "because")
    names = ("obtained", "obtained_by", "account", "covers", "max_age", *accepts)
    return Told(**{name: given[name] for name in names})


def _reading(given: dict[str, Any]) -> dict[str, Any]:
    names = ("column", "answer_column", "date_column", "query_date")
    return {"format": given["format_"], **{name: given[name] for name in names}}


def _tell_put(put: dict[str, Any], *, as_json: bool) -> None:
    from dialfeed.donotcall.telling import put_as_text

    click.echo(as_text(put) if as_json else put_as_text(put))
    for warning in put["warnings"]:
        say(f"Warning: {warning}")
