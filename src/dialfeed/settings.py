"""The table of settings: each with how its value is read, its default and its help.

`docs/settings.md` and the flags of the commands are made from it; `config` resolves it into one plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from dialfeed.audit.sinks.addresses import ENVIRONMENT, read_addresses, secrets_in
from dialfeed.contacts.fields import EXEMPTION_EVIDENCE, RUN_RECORD
from dialfeed.contacts.kinds import CALLED
from dialfeed.coordination.guards import GUARDS
from dialfeed.reports.spans import read_span
from dialfeed.wording import counted


@dataclass(frozen=True, slots=True)
class Limit:
    """At most a share of the rows, or a number of them.

    Attributes:
        share: From 0 to 1, or None.
        number: Rows, or None.
    """

    share: float | None
    number: int | None

    def exceeded(self, part: int, whole: int) -> bool:
        """Whether `part` of `whole` rows is more than the limit."""
        return part > (self.number if self.number is not None else (self.share or 0.0) * whole)

    def __str__(self) -> str:
        return counted(self.number, "row") if self.number is not None else f"{(self.share or 0.0) * 100:g} %"


MOST_PORT = 65_535


# --- how values are read ------------------------------------------------------------------------------------------


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text is expected")
    return value.strip()


def _texts(value: Any) -> list[str]:
    """A text, or several of them."""
    texts = [value] if isinstance(value, str) else list(value) if isinstance(value, list | tuple) else None
    if texts is None or not all(isinstance(text, str) for text in texts):
        raise TypeError("text, or a list of texts, is expected")
    return texts


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError("a number is expected")
    number = float(value)
    if not 0 <= number < 1e12:
        raise ValueError("a number of 0 or more is expected")
    return number


def _whole(value: Any) -> int:
    number = _number(value)
    if number != int(number):
        raise ValueError("a whole number is expected")
    return int(number)


def _positive(value: Any) -> int:
    number = _whole(value)
    if number < 1:
        raise ValueError("a whole number of 1 or more is expected")
    return number


def _port(value: Any) -> int:
    number = _positive(value)
    if number > MOST_PORT:
        raise ValueError(f"a port from 1 to {MOST_PORT} is expected")
    return number


def _switch(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).strip().lower() in {"1", "true", "yes", "on"}:
        return True
    if str(value).strip().lower() in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("true or false is expected")


def _rate(value: Any) -> float | None:
    if str(value).strip().lower() in {"unlimited", "none", "0"}:
        return None
    return _number(value)


def _limit(value: Any) -> Limit:
    text = str(value).strip()
    if text.endswith("%"):
        share = _number(text[:-1]) / 100
    elif "." in text:
        share = _number(text)
    else:
        return Limit(None, _whole(text))
    if share > 1:
        raise ValueError("a share of at most 100% is expected")
    return Limit(share, None)


def _all_or_number(value: Any) -> int | None:
    """A number; None for all."""
    return None if str(value).strip().lower() == "all" else _whole(value)


def _country(value: Any) -> str:
    text = _text(value).upper()
    if len(text) != 2 or not text.isalpha() or not text.isascii():
        raise ValueError("a country code of two letters (ISO 3166-1) is expected")
    return text


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    """`column=field` pairs, from a table of the profile or from repeated flags."""
    if isinstance(value, Mapping):
        return tuple((str(column), str(name)) for column, name in value.items())
    pairs = [item.rpartition("=") for item in _texts(value)]
    if not all(column and equals for column, equals, _ in pairs):
        raise ValueError("column=field is expected")
    return tuple((column.strip(), name.strip()) for column, _, name in pairs)


def _insisted(value: Any) -> tuple[str, ...]:
    """Names of guards, from a list or separated by commas."""
    names = tuple(name.strip() for item in _texts(value) for name in item.split(",") if name.strip())
    if not set(names) <= {*GUARDS, "all"}:
        raise ValueError(f"{', '.join(GUARDS)} or all is expected")
    return names


def _stated(value: Any) -> tuple[tuple[str, str], ...]:
    """What is true of all rows of a file: `field=value` pairs of the fields that can be stated."""
    read = {"donotcall": ("doNotCall", _flag), "donotemail": ("doNotEmail", _flag),
            "countrycode": ("countryCode", _country)}  # fmt: skip
    pairs = _pairs(value)
    if any(name.lower() not in read for name, _ in pairs):
        raise ValueError("doNotCall, doNotEmail or countryCode, with = and a value, is expected")
    named = [(*read[name.lower()], text) for name, text in pairs]
    return tuple({name: (name, reader(text)) for name, reader, text in named}.values())


def _if_empty(value: Any) -> tuple[tuple[str, str], ...]:
    """What an empty cell of a flag means."""
    pairs = _stated(value)
    if any(name == "countryCode" for name, _ in pairs):
        raise ValueError("doNotCall or doNotEmail, with = and true or false, is expected")
    return pairs


def _day(value: Any) -> str:
    try:
        return date.fromisoformat(_text(value)).isoformat()
    except ValueError:
        raise ValueError("a day such as 2026-11-26 is expected") from None


def _flag(value: Any) -> str:
    text = str(value).strip().lower()
    if text not in {"true", "false"}:
        raise ValueError("true or false is expected")
    return text


def _evidence(value: Any) -> tuple[tuple[str, str], ...]:
    """`evidence=column` pairs, from a table of the profile or from repeated flags."""
    return _named_pairs(value, EXEMPTION_EVIDENCE, "a column")


def _named_pairs(value: Any, names: Sequence[str], what: str) -> tuple[tuple[str, str], ...]:
    if isinstance(value, Mapping):
        pairs = [(str(name), str(text)) for name, text in value.items()]
    else:
        pairs = [(name, text) for name, _, text in (each.partition("=") for each in _texts(value))]
    if not all(name in names and text.strip() for name, text in pairs):
        raise ValueError(f"one of {', '.join(names)}, with = and {what}, is expected")
    return tuple({name: (name, text.strip()) for name, text in pairs}.values())


def _recorded(value: Any) -> tuple[tuple[str, str], ...]:
    """`name=text` pairs of what a run record has room for (`compliance.md` section 5)."""
    return _named_pairs(value, RUN_RECORD, "text")


def _names(value: Any) -> tuple[str, ...]:
    """Names of columns or of lists in order: a list, or text with commas between them."""
    if isinstance(value, list):
        return tuple(name.strip() for name in _texts(value))
    names = tuple(name.strip() for part in _texts(value) for name in part.split(","))
    if not all(names):
        raise ValueError("names are expected, with commas between them")
    return names


def _sinks(value: Any) -> tuple[str, ...]:
    """Addresses of sinks, or `none`; a wrong one is told in its own words."""
    texts = _texts(value)
    return () if texts == ["none"] else tuple(address.text for address in read_addresses(texts))


def _secrets(value: Any) -> dict[str, str]:
    """Secrets of sinks by the names of their variables."""
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for text in value.values()):
        raise TypeError("names with their secrets are expected")
    return secrets_in(value)


def _kinds(value: Any) -> tuple[str, ...]:
    """Kinds of phone numbers."""
    names = tuple(dict.fromkeys(_names(value)))
    if not set(names) <= CALLED.keys():
        raise ValueError(f"{', '.join(CALLED)} is expected")
    return names


def _one_of(*choices: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        text = _text(value)
        if text not in choices:
            raise ValueError(f"one of {', '.join(choices)} is expected")
        return text

    return read


# --- the table ----------------------------------------------------------------------------------------------------


GROUPS: Final = {
    "platform": "Platform",
    "reading": "How a file is read",
    "file": "Source and mapping",
    "scrub": "Do-not-call and calling hours",
    "delivery": "Delivery",
    "run": "Runs",
    "rows": "Files with rows",
    "sinks": "Sinks",
    "watching": "Metrics, logs and retention",
}
"""The groups of settings and their headings, in the order of `docs/settings.md` and of the help."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        name: Its name in the profile and in the Python API.
        read: Makes a value of what was given, or raises ValueError with what is expected.
        default: As a user would write it; None for "not set".
        help: One sentence, with units.
        env: Its environment variable, if it has one; all that begin so where it ends in `*`.
        secret: Comes from the environment only, never from a flag or a file.
        metavar: What stands for its value in the help; empty for a switch.
        group: The commands it belongs to: `platform`, `reading`, `file`, `scrub`, `delivery`, `run`, `rows`,
            `sinks` or `watching`.
        option: Its flag, where that is not its name.
    """

    name: str
    read: Callable[[Any], Any]
    default: Any
    help: str
    group: str
    metavar: str = ""
    env: str = ""
    secret: bool = False
    option: str = ""

    @property
    def flag(self) -> str:
        """Its flag on the command line."""
        return f"--{self.option or self.name.replace('_', '-')}"


SETTINGS: tuple[Setting, ...] = (
    Setting("platform", _one_of("cxone"), "cxone", "The platform's API.", "platform", "NAME"),
    Setting("base_url", _text, None, "The platform's address, https://HOST.", "platform", "URL", "CXONE_BASE_URL"),
    Setting("client_id", _text, None, "The client id to sign in with.", "platform", "ID", "CXONE_CLIENT_ID",
            secret=True),
    Setting("client_secret", _text, None, "Its secret.", "platform", "SECRET", "CXONE_CLIENT_SECRET",
            secret=True),
    Setting("rate", _rate, "50", "Requests a second for the whole organisation, or `unlimited`.", "platform", "N"),
    Setting("pace_margin", _number, "0.02", "Share by which requests stay below the rate, so that the platform never "
            "counts one too many in a second, though their ways there differ by as many seconds.", "platform", "SHARE"),
    Setting("limiter", _text, None, "`redis://…` shares the rate between machines, `local` with nobody; else all "
            "runs on this machine share it.", "platform", "URL"),
    Setting("request_timeout", _number, "60", "Seconds for one request, first byte to last.", "platform", "SECONDS"),
    Setting("connect_timeout", _number, "10", "Seconds to connect.", "platform", "SECONDS"),
    Setting("ca_file", _text, None, "PEM file of certificates to trust instead of the system's.", "platform", "FILE"),
    Setting("proxy", _text, None, "HTTP proxy.", "platform", "URL", "HTTPS_PROXY"),
    Setting("token_path", _text, "/api/v2/oauth/token", "Path of the sign-in on the platform.", "platform", "PATH"),
    Setting("credentials_in_body", _switch, "false", "Sign in with form fields instead of Basic.", "platform"),
    Setting("wrapped_body", _switch, "false", 'Send {"contacts": […]} instead of a bare array.', "platform"),
    Setting("format", _text, None, "What the source is, where its content does not tell: csv, jsonl, json, parquet, "
            "arrow, xlsx, xlsb, xls, ods.", "reading", "NAME"),
    Setting("delimiter", str, None, "What stands between two cells: one character, or tab, comma, semicolon, pipe.",
            "reading", "C"),
    Setting("quote", str, None, "What stands around a cell that holds the delimiter; empty for nothing.",
            "reading", "C"),
    Setting("encoding", _text, None, "The encoding of a text file, for example cp1252.", "reading", "NAME"),
    Setting("header_row", _whole, None, "The row with the column names, as a spreadsheet numbers rows; 0 for none.",
            "reading", "N"),
    Setting("sheet", _text, None, "The sheet of a workbook.", "reading", "NAME"),
    Setting("member", _text, None, "The file in a zip archive.", "reading", "NAME"),
    Setting("query", _text, None, "The SQL query, where the source is a database.", "file", "SQL"),
    Setting("source_password", _text, None, "The password of a database.", "file", "SECRET", "DIALFEED_SOURCE_PASSWORD",
            secret=True),
    Setting("default_country", _country, None, "Country of phones in national form; without it none is assumed.",
            "file", "CC"),
    Setting("map", _pairs, (), "Map a column to a contact field; `COLUMN=-` leaves it out, and `COLUMN=asIs` lets one "
            "pass that holds numbers or addresses of somebody else. Repeatable.", "file", "COLUMN=FIELD"),
    Setting("set", _stated, (), "State a field for all rows of a file: `doNotCall=false`, `doNotEmail=false`, "
            "`countryCode=US`. Recorded as your statement. Repeatable.", "file", "FIELD=VALUE"),
    Setting("if_empty", _if_empty, (), "State what an empty cell of a flag means: `doNotCall=false`, "
            "`doNotEmail=false`; else such rows are rejected. Recorded as your statement. Repeatable.", "file",
            "FLAG=VALUE"),
    Setting("phone_order", _names, (), "Several phone columns, in the order in which they are tried; the others are "
            "carried.", "file", "COLUMN,…"),
    Setting("email_order", _names, (), "Several e-mail columns, in the order in which they are tried; the others are "
            "carried.", "file", "COLUMN,…"),
    Setting("accept_drift", _switch, "false", "Go on although the file has changed since the list was last loaded, and "
            "remember it as it is now.", "file"),
    Setting("flagged", _one_of("suppress", "keep"), "suppress", "What to do with channels that doNotCall or doNotEmail "
            "forbid: `suppress` withholds them, `keep` sends them with their flags.", "file", "POLICY"),
    Setting("dnc", _names, (), "Do-not-call lists that the run is scrubbed against, by id (`dialfeed dnc list`).",
            "scrub", "ID,…"),
    Setting("uncovered", _one_of("block", "allow"), "block", "Numbers that no list of the run covers: `block`, or "
            "`allow` with a reason.", "scrub", "POLICY"),
    Setting("because", _text, None, "The reason for --uncovered allow; it is recorded.", "scrub", "TEXT"),
    Setting("compliance", _one_of("normal", "strict"), "normal", "`strict` refuses a run that names no do-not-call "
            "list, or one that cannot be used.", "scrub", "LEVEL"),
    Setting("topic", _text, None, "What the run is about, for opt-outs that are for one topic; without it they all "
            "count.", "scrub", "NAME"),
    Setting("revoke_all_from", _day, None, "The day from which an opt-out for one topic counts for all of them; by the "
            "rules of do-not-call lists (2027-01-31) unless set.", "scrub", "DATE"),
    Setting("exempt", _evidence, (), "Lift hits on a registry's list where a column proves an exemption: "
            "`ebr_purchase`, `ebr_inquiry`, `consent` (with `consent_id`) or `b2b`. Repeatable.", "scrub",
            "EVIDENCE=COLUMN"),
    Setting("consent_overrides", _switch, "false", "Let a later, proven consent lift an opt-out on the company's own "
            "list.", "scrub"),
    Setting("reject_kinds", _kinds, (), "Reject phone numbers of these kinds: premium_rate, shared_cost, toll_free, "
            "personal_number, pager, uan, voicemail, voip, fixed_line, mobile, fixed_line_or_mobile. Short codes are "
            "always rejected. Repeatable.", "file", "KIND,…"),
    Setting("record", _recorded, (), "What the evidence records of the run: `seller`, `campaign`, `purpose`, "
            "`channel` or `dialling`. Repeatable.", "scrub", "NAME=TEXT"),
    Setting("calling_hours", _one_of("off", "report", "send"), None, "When contacts may be called: `report` it, `send` "
            "it to the platform in columns of their own, or `off`; unless set, `report` where the run names a list.",
            "scrub", "WHAT"),
    Setting("calling_day", _day, None, "The day whose hours are meant; today unless set.", "scrub", "DATE"),
    Setting("hours_rules", _text, None, "Counsel's file of calling hours, which replaces ours for the jurisdictions "
            "that it names.", "scrub", "FILE"),
    Setting("unknown_place", _one_of("narrow", "block"), None, "Where nothing tells a contact's place: a `narrow` "
            "window, or none (`block`); unless set, as the rules say.", "scrub", "POLICY"),
    Setting("max_rejected", _limit, "20%", "Stop before the first batch when more rows than this are rejected: a share "
            "or a number.", "file", "N"),
    Setting("list_capacity", _positive, None, "Contacts the list takes in all; unless set, its room is not checked.",
            "delivery", "N"),
    Setting("insist", _insisted, (), "Load although this guard stops: same-content, empty, size, rejected, "
            "suppressed, room or all. Repeatable.", "delivery", "GUARD"),
    Setting("max_columns", _positive, "50", "Columns the platform takes.", "file", "N"),
    Setting("max_header", _positive, "128", "Characters of a column name the platform takes.", "file", "N"),
    Setting("max_cell", _positive, "512", "Characters of a cell the platform takes.", "file", "N"),
    Setting("batch_contacts", _positive, "1000", "Contacts in one request, at most.", "delivery", "N"),
    Setting("batch_bytes", _positive, "1048576", "Bytes in one request body, at most.", "delivery", "N"),
    Setting("in_flight", _positive, "8", "Requests under way at once.", "delivery", "N"),
    Setting("retries", _whole, "5", "Repetitions of a batch that did not arrive.", "delivery", "N"),
    Setting("deadline", _number, None, "Seconds after which no further batch is begun, and no lost answer settled.",
            "delivery", "SECONDS"),
    Setting("stop_within", _number, "30", "Seconds to wait for requests under way after a stop signal or the deadline.",
            "delivery", "SECONDS"),
    Setting("count_lag", _number, None, "Seconds by which the list's count may lag behind writes; 60 unless set, 5 for "
            "a platform on this machine.", "delivery", "SECONDS"),
    Setting("read_back", _all_or_number, "1000", "Delivered contacts to look for on the list one by one, where the "
            "platform can tell: `all`, or a number for a sample; 0 for none.", "delivery", "N"),
    Setting("settle_grace", _number, "3", "Seconds that a batch may still be stored after its answer was lost; one "
            "that the platform stores later may come twice, and is told as unknown.",
            "delivery", "SECONDS"),
    Setting("even_if_locked", _switch, "false", "Load the list although another run is loading it.", "delivery"),
    Setting("home", _text, None, "Folder for what runs share: do-not-call lists, keys, locks, the request budget, "
            "where runs are; the user's data folder unless set.", "run", "FOLDER", "DIALFEED_HOME"),
    Setting("runs_dir", _text, "runs", "Where run folders are made.", "run", "FOLDER"),
    Setting("people_files", _one_of("none", "csv", "xlsx"), "none", "Write rejected and refused rows for a spreadsheet "
            "as well: `csv` (neutralised) or `xlsx` (cells of text).", "rows", "KIND"),
    Setting("log_format", _one_of("text", "json"), "text", "What goes to the standard error: `text` for people, or "
            "`json`, one event a line.", "run", "FORM", "DIALFEED_LOG_FORMAT"),
    Setting("log_file", _text, None, "File to which every event is appended as a line of JSON.", "watching", "FILE",
            "DIALFEED_LOG_FILE"),
    Setting("metrics_file", _text, None, "File for Prometheus' node exporter (textfile collector), ending in .prom.",
            "watching", "FILE", "DIALFEED_METRICS_FILE"),
    Setting("metrics_port", _port, None, "Port on 127.0.0.1 on which Prometheus is answered while the run goes on.",
            "watching", "N"),
    Setting("pushgateway", _text, None, "Address of a Prometheus Pushgateway.", "watching", "URL",
            "DIALFEED_PUSHGATEWAY"),
    Setting("otel_endpoint", _text, None, "Address of an OpenTelemetry collector (OTLP over HTTP) for traces and "
            "metrics.", "watching", "URL", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    Setting("keep_rows", read_span, "30d", "How long a run's files with rows are kept: `30d`, `12w`, `6m`, `5y` or "
            "`forever`; `dialfeed purge --due` removes them then, and keeps the evidence.", "watching", "SPAN"),
    Setting("chunk_bytes", _positive, "8388608", "Bytes of the source that are worked on together.", "rows", "N"),
    Setting("sinks", _sinks, (), "Send the audit trail there as well, as the run goes: `postgresql://`, `mysql://`, "
            "`s3://`, `syslog+tls://`, `https://` (docs/sinks.md), or `none`. Repeatable.", "sinks", "ADDRESS",
            option="sink"),
    Setting("sink_secrets", _secrets, None, "Secrets of the sinks, by the names of environment variables "
            "(docs/sinks.md).", "sinks", "SECRETS", f"{ENVIRONMENT}*", secret=True),
    Setting("sink_grace", _number, "5", "Seconds that the sinks get at the end of a run; what is left waits for "
            "`dialfeed audit ship`.", "sinks", "SECONDS"),
    Setting("sink_timeout", _number, "10", "Seconds for one batch of events to a sink.", "sinks", "SECONDS"),
    Setting("sink_attempts", _positive, "8", "Failures of a sink over one event, after which it is laid aside.",
            "sinks", "N"),
)  # fmt: skip

BY_NAME: dict[str, Setting] = {setting.name: setting for setting in SETTINGS}
