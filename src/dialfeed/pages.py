"""The generated pages of the documentation: reasons, settings and events, from the tables in the code.

`python -m dialfeed.pages docs` writes them; a test fails when a page and its table differ.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from dialfeed.audit.events import EVENTS, KINDS, Event
from dialfeed.contacts.reasons import CATALOGUE, Reason
from dialfeed.settings import SETTINGS, Setting
from dialfeed.telemetry.prometheus import metric_table

_MADE = "<!-- Made by `make docs` from the code; changes belong there. -->"


def reasons_page() -> str:
    """`docs/reasons.md`."""
    return "\n".join(_reasons()) + "\n"


def settings_page() -> str:
    """`docs/settings.md`."""
    return "\n".join(_settings()) + "\n"


def audit_page() -> str:
    """`docs/audit.md`."""
    return "\n".join(_audit()) + "\n"


def metrics_page() -> str:
    """`docs/metrics.md`."""
    return "\n".join(_metrics()) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "audit.md": audit_page,
    "metrics.md": metrics_page,
    "reasons.md": reasons_page,
    "settings.md": settings_page,
}


def _reasons() -> Iterator[str]:
    yield from ("# Reasons", "", _MADE, "")
    yield "Why a row was not delivered, or what was remarked on. Codes are stable; `bucket` is where such a row ends."
    for reason in sorted(CATALOGUE, key=lambda reason: reason.code):
        yield from _reason(reason)


def _reason(reason: Reason) -> Iterator[str]:
    kind = "warning, the row goes on" if reason.severity == "warning" else f"bucket: {reason.bucket}"
    yield from ("", f"## `{reason.code}`", "", f"**{reason.title}** ({kind}). {reason.sentence} {reason.remedy}")


def _settings() -> Iterator[str]:
    yield from ("# Settings", "", _MADE, "")
    yield "A flag wins over the environment, the environment over the profile in `dialfeed.toml`, the profile over the"
    yield "default. In a profile and in the Python API a setting has the name in the first column."
    yield from ("", "| setting | flag | environment | default | meaning |", "| --- | --- | --- | --- | --- |")
    for setting in SETTINGS:
        yield _setting(setting)


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
names the first line that shows it, and exits with 7; with 0 when the trail is whole. A line that was written anew
together with all lines after it, and with `summary.json`, shows against what is kept elsewhere: the last hash at a
sink (`--last-hash`), or a signature.

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
    """Write all pages into a folder."""
    for name, make in PAGES.items():
        (folder / name).write_text(make(), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
