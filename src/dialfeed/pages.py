"""The generated pages: commands, reasons, findings, settings, events, metrics and JSON values, from the code.

`python -m dialfeed.pages docs` writes them; a test fails when a page and its table differ.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import click

from dialfeed.audit.events import EVENTS, KINDS, Event
from dialfeed.cli import cli
from dialfeed.contacts import reasons
from dialfeed.contacts.reasons import Reason
from dialfeed.reports import findings
from dialfeed.reports.fields import FIELDS
from dialfeed.reports.findings import Kind
from dialfeed.runs.following import Status
from dialfeed.runs.seen import Seen
from dialfeed.settings import GROUPS, SETTINGS, Setting
from dialfeed.telemetry.prometheus import metric_table

_MADE = "<!-- Made by `make docs` from the code; changes belong there. -->"


def commands_page() -> str:
    """`docs/commands.md`."""
    return "\n".join(_commands()) + "\n"


def reasons_page() -> str:
    """`docs/reasons.md`."""
    return "\n".join(_reasons()) + "\n"


def findings_page() -> str:
    """`docs/findings.md`."""
    return "\n".join(_findings()) + "\n"


def settings_page() -> str:
    """`docs/settings.md`."""
    return "\n".join(_settings()) + "\n"


def audit_page() -> str:
    """`docs/audit.md`."""
    return "\n".join(_audit()) + "\n"


def json_page() -> str:
    """`docs/json.md`."""
    return "\n".join(_json()) + "\n"


def metrics_page() -> str:
    """`docs/metrics.md`."""
    return "\n".join(_metrics()) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "audit.md": audit_page,
    "commands.md": commands_page,
    "findings.md": findings_page,
    "json.md": json_page,
    "metrics.md": metrics_page,
    "reasons.md": reasons_page,
    "settings.md": settings_page,
}


_FLAGS = {
    group: {setting.flag for setting in SETTINGS if setting.group == group and not setting.secret} for group in GROUPS
}

_CALLED = """\
`dialfeed COMMAND --help` tells the same, with what each setting means. Options below are those that are no
[setting](settings.md); the exit codes are [in the README](../README.md#when-something-goes-wrong)."""


def _commands() -> Iterator[str]:
    yield from ("# Commands", "", _MADE, "", _CALLED)
    yield from _commands_of(cli, "dialfeed")


def _commands_of(group: click.Group, name: str) -> Iterator[str]:
    for command in group.commands.values():
        called = f"{name} {command.name}"
        if isinstance(command, click.Group):
            yield from _commands_of(command, called)
        else:
            yield from _command(command, called)


def _command(command: click.Command, called: str) -> Iterator[str]:
    context = click.Context(command)
    options = [each for each in command.params if isinstance(each, click.Option)]
    own = [each for each in options if not _is_setting(each)]
    flags = [each.opts[0] for each in options if each not in own]
    arguments = [each.make_metavar(context) for each in command.params if isinstance(each, click.Argument)]
    yield from ("", f"## `{' '.join([called, *arguments])}`", "", inspect.cleandoc(command.help or ""))
    if own:
        yield from ("", "| option | meaning |", "| --- | --- |")
    yield from (_option(each, context) for each in own)
    if flags:
        yield from ("", f"Settings: {', '.join(_settings_taken(flags))}.")
    if command.epilog:
        yield from ("", "```sh", *(line.strip() for line in command.epilog.splitlines()[2:]), "```")


def _is_setting(option: click.Option) -> bool:
    """Whether an option is a setting's, and not one of the same name with a meaning of its own."""
    told = {setting.flag: setting.help for setting in SETTINGS}.get(option.opts[0])
    return option.opts[0] in {"--profile", "--config"} or (told is not None and (option.help or "").startswith(told))


def _settings_taken(flags: Sequence[str]) -> Iterator[str]:
    """The settings of a command: groups that it takes as a whole by their headings, others by their flags."""
    whole = [group for group in GROUPS if _FLAGS[group] <= set(flags)]
    yield from (f"[{GROUPS[group].lower()}](settings.md#{_anchor(GROUPS[group])})" for group in whole)
    yield from (f"`{flag}`" for flag in flags if not any(flag in _FLAGS[group] for group in whole))


def _anchor(heading: str) -> str:
    return heading.lower().replace(",", "").replace(" ", "-")


def _option(option: click.Option, context: click.Context) -> str:
    value = "" if option.is_flag else f" {option.make_metavar(context)}"
    default = f" Default: {option.default}." if option.show_default else " Needed." if option.required else ""
    return f"| `{', '.join(option.opts)}{value}` | {option.help}{default} |"


def _reasons() -> Iterator[str]:
    yield from ("# Reasons", "", _MADE, "")
    yield "Why a row was not delivered, or what was remarked on. Codes are stable; `bucket` is where such a row ends."
    for reason in sorted(reasons.CATALOGUE, key=lambda reason: reason.code):
        yield from _reason(reason)


def _reason(reason: Reason) -> Iterator[str]:
    kind = "warning, the row goes on" if reason.severity == "warning" else f"bucket: {reason.bucket}"
    yield from ("", f"## `{reason.code}`", "", f"**{reason.title}** ({kind}). {reason.sentence} {reason.remedy}")


def _findings() -> Iterator[str]:
    yield from ("# Findings", "", _MADE, "")
    yield "What a run remarks on as a whole: in its report, in `findings` of `summary.json` and in the last line of its"
    yield "trail. Codes are stable. What is remarked on in a header (`header.…`) is among the [reasons](reasons.md)."
    for kind in sorted(findings.CATALOGUE, key=lambda kind: kind.code):
        yield from _finding(kind)


def _finding(kind: Kind) -> Iterator[str]:
    yield from ("", f"## `{kind.code}`", "", f"**{kind.title}** ({kind.severity}). {kind.sentence} {kind.remedy}")


def _settings() -> Iterator[str]:
    yield from ("# Settings", "", _MADE, "")
    yield "A flag wins over the environment, the environment over the profile in `dialfeed.toml`, the profile over the"
    yield "default. In a profile and in the Python API a setting has the name in the first column."
    for group, heading in GROUPS.items():
        yield from ("", f"## {heading}", "")
        yield from ("| setting | flag | environment | default | meaning |", "| --- | --- | --- | --- | --- |")
        yield from (_setting(setting) for setting in SETTINGS if setting.group == group)


def _setting(setting: Setting) -> str:
    flag = "" if setting.secret else f"`{setting.flag}`"
    env = f"`{setting.env}`" if setting.env else ""
    default = "" if setting.default in {None, ()} else f"`{setting.default}`"
    return f"| `{setting.name}` | {flag} | {env} | {default} | {setting.help} |"


_AUDIT = """\
A run keeps what it did in `audit.jsonl` in its folder: one JSON object a line, also when it fails or is stopped.
Every line holds `n` (from 1), `time` (UTC, ISO 8601), `run`, `event`, the facts of the event, `previous` (the `hash`
of the line before; 64 zeros in the first) and, last, `hash`: the SHA-256, in hexadecimal digits, of the line's bytes
without its line end and without `,"hash":"…"`. The last hash is also `audit_hash` in `summary.json`. No line holds a
phone, an e-mail, the name of a contact or a secret.

`dialfeed audit verify RUN` (or the file) finds any line that was changed, removed, added or moved, and a cut-off end,
names the first line that shows it, and exits with 7; with 0 when the trail is whole. In a run's folder,
`evidence.json`, `decisions.csv` and `optouts.csv` must also be the files whose hashes the trail holds. A line that was
written anew together with all lines after it, and with `summary.json`, shows against what is kept elsewhere: the
last hash at a sink (`--last-hash`), or a signature.

`dialfeed audit keygen` makes an Ed25519 key pair in `DIALFEED_HOME/keys` (`pip install 'dialfeed[sign]'`). From then
on every run signs the end of its trail into `audit.sig`, and `audit verify` checks that; with `--public-key FILE` the
whole trail must be signed with that key. A signature is worth as much as the private key is hard to reach from where
trails are kept.

Lines are synced to disk as they are written; those of single batches within a second or with the next other line,
since the ledger has synced their facts before.

"""


def _audit() -> Iterator[str]:
    yield from ("# Audit trail", "", _MADE, "", _AUDIT + "## Kinds of facts", "")
    yield "What is not known is null, and a fact that does not apply is left out."
    yield from ("", "| kind | what it is |", "| --- | --- |")
    yield from (f"| {kind} | {meaning} |" for kind, meaning in KINDS.items())
    yield from ("", "## Events")
    for event in EVENTS:
        yield from _event(event)


def _event(event: Event) -> Iterator[str]:
    elsewhere = "" if event.kept else " Not in the trail: only logs and metrics hear of it."
    yield from ("", f"### `{event.name}`", "", f"{event.when}{elsewhere}")
    if event.facts:
        yield from ("", "| fact | kind | meaning |", "| --- | --- | --- |")
    yield from (f"| `{fact.name}` | {fact.kind} | {fact.meaning} |" for fact in event.facts)


_JSON = """\
`--json` prints one JSON value on the standard output, also where a command fails; progress and errors go to the
standard error. Names stay what they are; later versions may add some.

## An error before there is a run

| name | meaning |
| --- | --- |
| `error` | What is wrong, in a sentence. |
| `advice` | What to do about it; empty where nothing can be said. |
| `exit_code` | As the command exits. |

## A run

What `import`, `validate`, `resume`, `settle`, `retry` and `demo` print, and what `summary.json` in the run's folder
holds; the latter also `audit_open` while the run goes on after an end that it tells of.
"""

_LOOKED = """\
What `dialfeed runs --json` prints of each run, in an array, and `dialfeed status RUN --json` of one. Times are UTC.
Besides, `age_seconds` is the time since the run last told anything.
"""

_HOW_FAR = """\
`dialfeed status RUN --json` tells these as well; with `--watch` one line for each look.
"""


def _json() -> Iterator[str]:
    yield from ("# What `--json` prints", "", _MADE, "", _JSON)
    yield from _meanings(FIELDS)
    yield from ("", "## A run as it is seen from outside", "", _LOOKED)
    yield from _meanings(_attributes(Seen))
    yield from ("", "## How far a run is", "", _HOW_FAR)
    told = _attributes(Status)
    del told["seen"]
    yield from _meanings({_STATUS_NAMES.get(name, name): meaning for name, meaning in told.items()})


_STATUS_NAMES = {"rate": "per_second", "left": "seconds_left", "batches": "batches_sent", "lost": "answers_lost"}
"""Attributes of a status that have another name in JSON."""


def _meanings(told: Mapping[str, str]) -> Iterator[str]:
    yield from ("| name | meaning |", "| --- | --- |")
    yield from (f"| `{name}` | {meaning} |" for name, meaning in told.items())


def _attributes(kind: type) -> dict[str, str]:
    """The attributes of a class, as its docstring tells of them."""
    section = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")[2]
    told = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", section, re.MULTILINE)
    return {name: re.sub(r"\bNone\b", "null", " ".join(meaning.split())).replace("``", "`") for name, meaning in told}


_SEEN = """\
Metrics, traces and logs are told of a run from its events ([audit.md](audit.md)), where a setting asks for it. None
of them holds a phone, an e-mail, a contact's name or a secret. An endpoint that is down, a port that is taken or a
library that is missing harms nothing: at the most it is a finding of the run. What is sent over a network is sent by
threads of its own every 15 s; when a run has ended, all endpoints together get 2 s.

| setting | what |
| --- | --- |
| `metrics_file` | a file for the node exporter's textfile collector, replaced whole every 15 s and at the end |
| `metrics_port` | a page on 127.0.0.1 while the run goes on |
| `pushgateway` | pushed under `job="dialfeed"`, `command` and `list` |
| `otel_endpoint` | traces (`read`, `deliver`, `batch`, `settle`) and metrics; the SDK's `OTEL_` variables hold |
| `log_file`, `log_format` | every event as a line of JSON, with `run`, `batch` and `level` |

The age of a do-not-call list is `time() - dialfeed_dnc_list_obtained_timestamp_seconds`; a latency that 95 of 100
requests stay below is `histogram_quantile(0.95, sum by (le) (rate(dialfeed_request_seconds_bucket[5m])))`.

"""


def _metrics() -> Iterator[str]:
    yield from ("# Metrics, traces and logs", "", _MADE, "", _SEEN + "## Metrics for Prometheus", "")
    yield from ("| metric | type | labels | meaning |", "| --- | --- | --- | --- |")
    for name, kind, labels, told in metric_table():
        yield f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {told} |"


def main(folder: Path) -> None:
    """Write all pages into a folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (folder / name).write_text(make(), "utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name the folder: python -m dialfeed.pages docs")
    main(Path(sys.argv[1]))
