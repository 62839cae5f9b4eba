"""The command that explains when one number may be called."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from dialfeed.commands.shared import as_text, examples, new_command, plan_of, settings_named, told_errors

if TYPE_CHECKING:
    from dialfeed.donotcall.hours.explaining import Explanation, Reading

_MOST_ZONES = 6


@new_command(
    "hours",
    short_help="Say when a number may be called, and under which laws.",
    epilog=examples("dialfeed hours +12705550100", "dialfeed hours --zip 79936 --date 2026-12-24"),
)
@click.argument("number", required=False, metavar="[NUMBER|-]")
@click.option("--zip", "zip_code", metavar="CODE", help="The contact's ZIP or postal code.")
@click.option("--state", metavar="STATE", help="Its state or province.")
@click.option("--zone", metavar="NAME", help="Its time zone, such as America/Chicago.")
@click.option("--country", metavar="CC", help="Its country, of two letters; numbers in national form are read in it.")
@click.option("--landline", is_flag=True, help="The line is verified not to be mobile, so its exchange tells more.")
@click.option(
    "--date", "day", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Explain this day; by default, today."
)
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
@settings_named("default_country", "hours_rules", "unknown_place")
def hours_command(number: str | None, *, day: datetime | None, as_json: bool, **given: Any) -> None:
    """Say when NUMBER may be called, by which clocks and under which laws; without NUMBER, what the address says.

    With - the number is read from the standard input. Rules of counsel and the policy for unknown places are those of
    the profile, as in a run.
    """
    with told_errors():
        explained = _explained(number, day.date() if day else None, given)
        click.echo(as_text(explained.as_dict()) if as_json else "\n".join(explanation_as_text(explained)))


def _explained(number: str | None, day: date | None, given: dict[str, Any]) -> Explanation:
    from dialfeed.donotcall.hours.explaining import explain_hours
    from dialfeed.steps.callinghours import hour_rules_of

    contact = {name: given.pop(name) for name in ("zip_code", "state", "zone", "country", "landline")}
    plan = plan_of(given)
    country = contact["country"].upper() if contact["country"] else None
    return explain_hours(
        _read_number(number, country or plan.default_country) if number is not None else None,
        contact["zip_code"],
        contact["state"],
        contact["zone"],
        datetime.now(UTC),
        rules=hour_rules_of(plan),
        country=country,
        landline=contact["landline"],
        day=day,
    )


def _read_number(text: str, country: str | None) -> int:
    from dialfeed.errors import FixSettings
    from dialfeed.runs.inquiry import endpoint_of

    endpoint = endpoint_of(sys.stdin.readline().strip() if text == "-" else text, country)
    if endpoint.channel != "phone":
        raise FixSettings("An e-mail address has no calling hours.", advice="Name a phone number.")
    return int(endpoint.value.removeprefix("+"))


def explanation_as_text(explained: Explanation) -> Iterator[str]:
    """An explanation in lines for people."""
    told = explained.as_dict()
    yield f"On {explained.day:%A %d %B %Y}: {_spans(told['callable'])}."
    yield _now_line(told["next"], callable_now=explained.callable_now)
    zones = told["possible_zones"]
    yield f"Time zone: {told['time_zone'] or (' or '.join(zones) if zones else 'not known')}"
    for source, place in told["evidence"].items():
        yield f"  {source.replace('_', ' ')}: {', '.join(_few(place['zones']) + place['jurisdictions'])}"
    for source in told["telling_nothing"]:
        yield f"  {source.replace('_', ' ')}: tells no place"
    yield "Rules, all of which hold:"
    yield from map(_rule_line, explained.readings)
    for doubt in told["doubts"]:
        yield f"{doubt['code']}: {doubt['meaning']}"
    versions = told["versions"]
    yield "Trust in a rule's source: H a regulator or several sources, M one good source, L a weak one."
    yield f"Rules of {versions['rule_pack']}, time zones of {versions['tzdata']}. Not legal advice."
    if explained.day.isoformat() > versions["review_due"]:
        yield f"These rules should have been looked at again by {versions['review_due']}."


def _now_line(coming: dict[str, str] | None, *, callable_now: bool) -> str:
    if coming is None:
        return "Now: no, nor in the next two weeks."
    return f"Now: yes, until {coming['until']}." if callable_now else f"Now: no. Next: {_spans([coming])}."


def _few(zones: list[str]) -> list[str]:
    return zones if len(zones) <= _MOST_ZONES else [f"{len(zones)} zones"]


def _rule_line(reading: Reading) -> str:
    told = reading.as_dict()
    hours = " and ".join(told["hours"]) or f"no calls ({told['closed_for'] or 'this day of the week'})"
    cap = f"; at most {told['calls_per_day']} calls a day" if told["calls_per_day"] else ""
    clocks = f" by {', '.join(reading.clocks)}" if reading.clocks else ""
    source = f"{told['mark']}: {told['source']}; reviewed {told['reviewed']}"
    return f"  {told['jurisdiction']}: {hours}{clocks}{cap} [{source}]"


def _spans(spans: list[dict[str, str]]) -> str:
    return " and ".join(f"{span['from']} to {span['until']}" for span in spans) or "not at all"
